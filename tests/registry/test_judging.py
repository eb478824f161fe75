"""The verdict on a push, a proposal and a whole history, with real commits and real keys."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.people import Person, person

RULES = """\
stages:
  - name: Staging
  - name: Production
    exclusive: true
{more}  - name: Archived
"""
APPROVALS = "    approvals:\n      count: 1\n      approvers: [bob@example.com]\n"
STAGES = 'stages:\n  Production: "2026-01-01T00:00:00.000Z"\n'
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "b" * 42 + "A"  # whoever has its other half
VERSION = "models/churn/versions/{}.yaml"


@pytest.fixture
def ann(tmp_path: Path) -> Person:
    return registrant(tmp_path)


def registrant(folder: Path) -> Person:
    """Somebody with a registry of three versions, none of them in a stage."""
    made = person("ann", folder)
    made.work.mkdir()
    made.gitreg("init", ".")
    for version in (1, 2, 3):
        made.gitreg("register", "churn", f"s3://models/churn/{version}", "--metric", f"auc=0.9{version}")
    return made


def rules(who: Person, more: str = APPROVALS) -> None:
    """Commit rules for Production with plain Git."""
    text = (who.work / "gitreg.yaml").read_text()
    before, _, after = text.partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    who.write("gitreg.yaml", before + "".join(rest) + RULES.format(more=more))
    if not (who.work / "keys").exists():  # else nobody could ever change the rules again
        who.write("keys/allowed_signers", f"bob@example.com {KEY}\n")
    who.commit("rules")


def hold(who: Person, version: int, *, stages: str = STAGES) -> None:
    """Let a version hold Production by an editor, and commit it."""
    file = VERSION.format(version)
    who.write(file, (who.work / file).read_text() + stages)
    who.commit(f"version {version}")


def verdict(who: Person, *args: str, code: int | None = None) -> tuple[int, list[str]]:
    """Exit code, and the codes of the findings."""
    said = who.gitreg("verify", *args, "--json", code=code)
    return said.code, sorted(each["code"] for each in json.loads(said.out)["findings"])


def head(who: Person, rev: str = "HEAD") -> str:
    return who.git("rev-parse", rev)


def test_rules_that_are_set_up_in_a_push_count_for_what_follows_in_it(ann: Person) -> None:
    before = head(ann)
    rules(ann)
    hold(ann, 1)
    assert verdict(ann, before, "HEAD") == (1, ["GR206"])
    assert verdict(ann, "--all", "--no-tags") == (1, ["GR206"])


def test_rules_that_are_taken_away_in_a_push_still_count_in_it(ann: Person) -> None:
    rules(ann, "    no_worse:\n      - metric: auc\n        direction: higher\n")
    hold(ann, 3)
    before = head(ann)
    ann.edit(VERSION.format(3), STAGES, "")
    hold(ann, 1)
    assert verdict(ann, before, "HEAD") == (1, ["GR204"])
    ann.git("reset", "-q", "--hard", before)
    rules(ann, "")  # nobody is asked about the rules here, but they count until they are on the server
    ann.edit(VERSION.format(3), STAGES, "")
    hold(ann, 1)
    assert verdict(ann, before, "HEAD") == (1, ["GR204"])


def test_a_stage_that_asks_for_approvals_guards_the_rules_too(ann: Person) -> None:
    rules(ann)
    before = head(ann)
    rules(ann, "")
    hold(ann, 1)
    assert verdict(ann, before, "HEAD") == (1, ["GR206", "GR208"])


def test_a_finding_of_the_past_names_its_commit(ann: Person) -> None:
    original = (ann.work / VERSION.format(1)).read_text()
    ann.edit(VERSION.format(1), "s3://models/churn/1", "s3://evil")
    ann.commit("an edit")
    at_fault = head(ann)[:10]
    ann.write(VERSION.format(1), original)
    ann.commit("taken back")
    ann.gitreg("tag", "churn/2", "a=b")
    said = ann.gitreg("verify", "--all", "--no-tags", code=6)
    assert f"(in the commit {at_fault})" in said.out
    before = head(ann)
    ann.edit(VERSION.format(1), "s3://models/churn/1", "s3://evil")
    ann.commit("another edit")
    said = ann.gitreg("verify", before, "HEAD", code=6)
    assert "(in the commit" not in said.out, "the one commit that is asked about needs no name"


def test_what_could_not_be_read_once_hides_nothing_of_the_rest(ann: Person) -> None:
    good = (ann.work / "models/churn/model.yaml").read_text()
    ann.write("models/churn/model.yaml", good + "nonsense: 1\n")
    hold(ann, 1)
    ann.write("models/churn/model.yaml", good)
    ann.edit(VERSION.format(2), "s3://models/churn/2", "s3://evil")
    ann.commit("mended, and another edit")
    assert set(verdict(ann, "--all", "--no-tags", code=6)[1]) == {"GR011", "GR104"}


def test_a_change_of_the_rules_reads_no_manifest_that_means_the_same(ann: Person) -> None:
    ann.edit(VERSION.format(1), "source:", "saurce:")
    ann.commit("let in before there were hooks")
    before = head(ann)
    rules(ann, "    no_worse:\n      - metric: auc\n        direction: higher\n")
    known = verdict(ann, before, "HEAD", code=1)[1]  # the stage is exclusive now: everything is looked at
    assert "GR011" in known
    before = head(ann)
    rules(ann, "")
    assert verdict(ann, before, "HEAD") == (0, [])


def test_a_branch_that_was_rewritten(ann: Person) -> None:
    before = head(ann)
    ann.git("commit", "-q", "--amend", "-m", "another message")
    assert verdict(ann, before, "HEAD") == (6, ["GR301"])
    said = ann.gitreg("verify", before, "HEAD", code=6).words
    assert "gitreg verify --proposal" in said


def test_a_merge_that_puts_the_former_head_aside(ann: Person) -> None:
    ann.git("checkout", "-q", "-b", "mine", "HEAD~1")
    ann.gitreg("tag", "churn/1", "mine=yes")
    ann.git("merge", "-q", "--no-edit", "main")
    assert verdict(ann, "main", "HEAD") == (6, ["GR302"])
    assert verdict(ann, "--proposal", "main", "HEAD") == (0, []), "as a proposal it is as good as any"


def test_a_proposal_is_judged_as_it_would_be_merged(ann: Person) -> None:
    rules(ann, "")
    for version in (1, 2):
        ann.git("checkout", "-q", "-b", f"proposal-{version}", "main")
        hold(ann, version)
    ann.git("checkout", "-q", "main")
    assert verdict(ann, "--proposal", "main", "proposal-1") == (0, [])
    assert verdict(ann, "--proposal", "main", "proposal-2") == (0, [])
    ann.git("merge", "-q", "--no-ff", "-m", "first", "proposal-1")
    assert verdict(ann, "--proposal", "main", "proposal-2") == (1, ["GR201"])
    before = head(ann)
    ann.git("merge", "-q", "--no-ff", "-m", "second, which Git finds nothing wrong with", "proposal-2")
    assert verdict(ann, before, "HEAD") == (1, ["GR201"])
    assert verdict(ann, "--all", "--no-tags") == (1, ["GR201"])


def test_a_proposal_that_can_not_be_merged(ann: Person) -> None:
    ann.git("checkout", "-q", "-b", "proposal")
    ann.gitreg("update", "churn/1", "--description", "one")
    ann.git("checkout", "-q", "main")
    ann.gitreg("update", "churn/1", "--description", "two")
    said = ann.gitreg("verify", "--proposal", "main", "proposal", code=4).words
    assert VERSION.format(1) in said and "propose it again" in said


def test_what_a_merge_holds_already_is_no_proposal(ann: Person) -> None:
    assert verdict(ann, "--proposal", "main", "HEAD~1") == (0, [])


@pytest.mark.parametrize("part", ["source", "stage"])
def test_a_deletion_launders_nothing(ann: Person, part: str) -> None:
    rules(ann)
    original = (ann.work / VERSION.format(2)).read_text()
    model = (ann.work / "models/churn/model.yaml").read_text()
    before = head(ann)
    ann.gitreg("delete", "churn", "--yes")
    assert verdict(ann, before, "HEAD") == (0, [])
    before = head(ann)
    ann.write("models/churn/model.yaml", model)
    changed = original.replace("churn/2", "evil") if part == "source" else original + STAGES
    ann.write(VERSION.format(2), changed)
    ann.commit("bring it back")
    code, found = verdict(ann, before, "HEAD")
    assert (code, found) == ((6, ["GR104"]) if part == "source" else (1, ["GR206"]))


def test_time_runs_backwards(ann: Person) -> None:
    before = head(ann)
    dated = {**ann.env, "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z"}
    command = ["git", "commit", "-q", "-m", "x"]
    (ann.work / VERSION.format(1)).write_text(
        (ann.work / VERSION.format(1)).read_text() + "description: dated\n"
    )
    ann.git("add", "-A")
    subprocess.run(command, cwd=ann.work, env=dated, check=True)
    assert "GR308" in verdict(ann, before, "HEAD")[1]


def test_a_signature_that_does_not_fit_its_commit(ann: Person) -> None:
    before = head(ann)
    ann.gitreg("tag", "churn/1", "a=b")
    ann.git("commit", "-q", "--amend", "--no-edit", "-S")
    assert verdict(ann, before, "HEAD") == (0, []), "a stranger's key is nobody's business without a rule"
    raw = subprocess.run(["git", "cat-file", "commit", "HEAD"], cwd=ann.work, capture_output=True, check=True)
    other = raw.stdout.replace(b"churn: tag", b"churn: tug")
    assert other != raw.stdout
    made = subprocess.run(
        ["git", "hash-object", "-t", "commit", "-w", "--stdin"],
        cwd=ann.work,
        input=other,
        capture_output=True,
        check=True,
    )
    ann.git("update-ref", "refs/heads/main", made.stdout.decode().strip())
    assert verdict(ann, before, "HEAD") == (1, ["GR307"])


def signed(who: Person, more: str = "    signed: true\n") -> None:
    who.write("keys/allowed_signers", f"ann@example.com {who.public_key}\n")
    rules(who, more)


def test_F09_F10_signed_commits(ann: Person, tmp_path: Path) -> None:
    signed(ann)
    before = head(ann)
    hold(ann, 1)
    assert verdict(ann, before, "HEAD") == (1, ["GR207"])
    ann.git("commit", "-q", "--amend", "--no-edit", "-S")
    assert verdict(ann, before, "HEAD") == (0, [])
    ann.git("commit", "-q", "--amend", "--no-edit", "-S", "--author", "Eve <eve@example.com>")
    assert verdict(ann, before, "HEAD") == (1, ["GR207"]), "signed by somebody else than its author"
    stranger = person("eve", tmp_path)
    ann.configure(("user.signingKey", str(stranger.home / "key.pub")))
    ann.git("commit", "-q", "--amend", "--no-edit", "-S", "--reset-author")
    assert verdict(ann, before, "HEAD") == (1, ["GR207"]), "signed by a key that is nobody's"


def test_F11_a_key_outside_its_dates(ann: Person) -> None:
    line = f'ann@example.com valid-before="20200101Z" {ann.public_key}\n'
    ann.write("keys/allowed_signers", line)
    rules(ann, "    signed: true\n")
    before = head(ann)
    hold(ann, 1)
    ann.git("commit", "-q", "--amend", "--no-edit", "-S")
    assert verdict(ann, before, "HEAD") == (1, ["GR207"])


def test_a_merge_key_of_a_service(ann: Person, tmp_path: Path) -> None:
    service = person("service", tmp_path)
    text = (ann.work / "gitreg.yaml").read_text()
    ann.write("gitreg.yaml", f'{text}merge_keys:\n  - "{service.public_key}"\n')
    ann.commit("its key")
    signed(ann)
    before = head(ann)
    hold(ann, 1)
    ann.configure(("user.signingKey", str(service.home / "key.pub")))
    ann.git("commit", "-q", "--amend", "--no-edit", "-S")
    assert verdict(ann, before, "HEAD") == (0, [])


def test_a_shallow_history_is_never_called_good(ann: Person, tmp_path: Path) -> None:
    before = head(ann, "HEAD~1")
    ann.git("clone", "-q", "--depth", "2", f"file://{ann.work}", str(tmp_path / "shallow"))
    shallow = Person(name="ann", home=ann.home, work=tmp_path / "shallow")
    assert "GR309" in verdict(shallow, before, "HEAD")[1]
    assert verdict(shallow, "--all") == (1, ["GR309"])


def test_another_root_is_another_registry(ann: Person) -> None:
    assert verdict(ann, "--all") == (0, [])
    ann.git("checkout", "-q", "--orphan", "again")
    ann.git("commit", "-q", "-m", "the same files, and another history")
    ann.git("branch", "-q", "-M", "again", "main")
    assert verdict(ann, "--all", "--no-tags") == (6, ["GR301"])


@pytest.fixture
def tagged(ann: Person) -> Iterator[Person]:
    """The same with a stage given, all tags made, and a verdict that was good."""
    ann.gitreg("transition", "churn/1", "Production")
    assert verdict(ann, "--all") == (0, [])
    yield ann


def test_F01_a_tag_is_moved(tagged: Person) -> None:
    tagged.git("tag", "-f", "-a", "-m", "moved", "churn/v1", "HEAD")
    assert verdict(tagged, "--all") == (6, ["GR303"])


def test_F02_a_tag_is_deleted(tagged: Person) -> None:
    tagged.git("tag", "-d", "churn/v2")
    assert verdict(tagged, "--all") == (6, ["GR304"])
    assert verdict(tagged, "--all", "--no-tags") == (0, [])


def test_F03_F04_a_tag_of_what_never_was(tagged: Person) -> None:
    tagged.git("tag", "-a", "-m", "nine", "churn/v9", "HEAD")
    assert verdict(tagged, "--all") == (6, ["GR305"])


def test_F05_a_version_is_forced_away(tagged: Person) -> None:
    tagged.gitreg("register", "churn", "s3://models/churn/4")
    tagged.git("reset", "-q", "--hard", "HEAD~1")
    assert verdict(tagged, "--all") == (6, ["GR305"])


def test_F06_a_lightweight_tag(tagged: Person) -> None:
    tagged.git("tag", "-f", "churn/v1", "churn/v1^{commit}")
    assert verdict(tagged, "--all") == (6, ["GR306"])


def test_B21_F21_what_must_stay_is_changed(ann: Person) -> None:
    before = head(ann)
    ann.edit(VERSION.format(1), "auc: 0.91", "auc: 0.99")
    ann.commit("a better figure")
    ann.git("rm", "-q", VERSION.format(2))
    ann.commit("gone")
    assert verdict(ann, before, "HEAD") == (6, ["GR103", "GR104"])
    assert verdict(ann, "--all", "--no-tags") == (6, ["GR103", "GR104"])


def test_what_a_rule_would_say(ann: Person) -> None:
    rules(ann, "    from: [Staging]\n    requires: [card]\n" + APPROVALS)
    told: Any = json.loads(ann.gitreg("policy", "test", "churn/2", "Production", "--json", code=1).out)
    assert {each["rule"]: each["passed"] for each in told["rules"]} == {
        "exclusive": True,
        "from": False,
        "requires": False,
        "approvals": False,
    }
    assert ann.git("status", "--porcelain") == ""
    shown = ann.gitreg("policy", "show").out
    assert "from: A version may come from Staging only." in shown and "1 of bob@example.com" in shown


@pytest.mark.parametrize("command", [("transition",), ("assign",)])
def test_a_command_may_not_commit_what_the_rules_forbid(ann: Person, command: tuple[str, ...]) -> None:
    rules(ann)
    before = ann.git("for-each-ref")
    said = ann.gitreg(*command, "churn/2", "production", code=5).words
    assert "gitreg promote churn/2 Production" in said
    assert "gitreg promote" in ann.gitreg(*command, "churn/2", "Production", "--dry-run", code=5).words
    assert ann.git("for-each-ref") == before and ann.git("status", "--porcelain") == ""
    said = ann.gitreg("config", "stages", "Staging,Production", code=5).words
    assert "--propose" in said


def test_where_the_index_lies_behind_the_history_is_asked(ann: Person, tmp_path: Path) -> None:
    """Numbers of assignments are the same with the index, without it, and from a branch that it does not follow."""
    ann.gitreg("transition", "churn/1", "Production")
    ann.gitreg("unassign", "churn/1", "Production")
    ann.gitreg("index")
    rules(ann)
    ann.git("checkout", "-q", "-b", "proposal")
    ann.gitreg("transition", "churn/2", "Production", code=None)
    ann.git("checkout", "-q", "--orphan", "elsewhere")
    from gitreg.gitstore.repository import Repository
    from gitreg.registry.past import Past
    from gitreg.registry.store import Store

    counted = []
    for branch in ("main", "proposal"):
        ann.git("checkout", "-q", "-f", branch)
        for folder in ("index", None):
            if folder:
                subprocess.run(["rm", "-rf", str(ann.work / ".git/gitreg" / folder)], check=True)
            with Store(Repository.discover(ann.work)) as store:
                past = Past(store, head(ann, "main"))
                counted.append((past.given("churn", "Production"), past.registrars("churn", 2)))
    assert counted == [(1, frozenset({"ann@example.com"}))] * 4


def test_nothing_of_the_repository_names_a_program(ann: Person) -> None:
    """A clone's configuration can't make the judge run anything."""
    rules(ann)
    ann.git("checkout", "-q", "-b", "proposal")
    ann.gitreg("transition", "churn/2", "Production", code=None)
    ann.git("checkout", "-q", "main")
    ann.gitreg("tag", "churn/3", "a=b")
    ann.git("commit", "-q", "--amend", "--no-edit", "-S")
    trap = ann.work / ".git" / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{ann.home}/sprung'\nexit 1\n")
    trap.chmod(0o755)
    for key in ("gpg.program", "gpg.ssh.program", "diff.external", "core.fsmonitor", "merge.text.driver"):
        ann.git("config", key, str(trap))
    (ann.home / "sprung").unlink(missing_ok=True)  # git config may have asked fsmonitor
    assert verdict(ann, "--proposal", "main", "proposal") == (1, ["GR206"])
    ann.gitreg("verify", "--all")
    assert not (ann.home / "sprung").exists()


def test_a_reformat_changes_no_rule(ann: Person) -> None:
    rules(ann)
    before = head(ann)
    text = (ann.work / "gitreg.yaml").read_text()
    block = "    approvals:\n      count: 1\n      approvers: [bob@example.com]\n"
    flow = "    approvals: {approvers: [bob@example.com], count: 1}  # the same\n"
    assert block in text
    ann.write("gitreg.yaml", text.replace(block, flow))
    ann.commit("reformat")
    assert verdict(ann, before, "HEAD") == (0, [])
    ann.write("gitreg.yaml", text.replace("count: 1", "count: 2"))
    ann.commit("not the same")
    assert verdict(ann, before, "HEAD")[0] == 1


def test_an_audit_says_what_it_looked_at_and_forgives_rules_that_were_mended(ann: Person) -> None:
    rules(ann, "    from: [Stagin]\n")
    assert verdict(ann, "--all") == (1, ["GR211"])
    rules(ann, "    from: [Staging, None]\n")
    hold(ann, 3)
    ann.gitreg("reconcile")
    said = ann.gitreg("verify", "--all", "--json")
    found = json.loads(said.out)
    assert [(each["code"], each["severity"]) for each in found["findings"]] == [("GR211", "warning")]
    assert "(in the commit " in found["findings"][0]["message"]
    assert found["tally"] == {"commits": 7, "promotions": 1, "approvals": 0}
    assert (
        "7 commits, 1 promotion under rules with 0 approvals: no errors, 1 warning"
        in ann.gitreg("verify", "--all").err
    )
