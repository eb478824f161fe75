"""Proposals of two people who share a repository on a server: promote, ``--propose``, proposals, withdraw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.servers.people import Person
from tests.servers.shared import Shared, shared

BRANCH = "gitreg/promote/churn/2/Production"
HEAD = f"refs/heads/{BRANCH}"
ALWAYS_APPROVED = """\
  - name: Production
    exclusive: true
    approvals:
      count: 1
      approvers: [alice@example.com, bob@example.com]
"""


def promoted(who: Person, *more: str, code: int = 0) -> Any:
    """What ``gitreg promote churn/2 Production`` says as JSON."""
    said = who.gitreg("promote", "churn/2", "Production", "--json", *more, code=code)
    return json.loads(said.out)


def registered(who: Person, source: str, *more: str) -> Any:
    return json.loads(who.gitreg("register", "churn", source, "--propose", "--json", *more).out)


def pushed(who: Person, *command: str) -> None:
    """A write of one's own that goes to the server at once."""
    who.git("pull", "-q", "--ff-only")
    who.gitreg(*command)
    who.git("push", "-q", "origin", "main")


def test_promote_makes_one_commit_on_a_branch_of_its_own(both: Shared) -> None:
    before = both.main
    said = promoted(both.alice, "-m", "Better")
    assert said["branch"] == BRANCH
    assert both.refs("refs/heads") == {"refs/heads/main": before, HEAD: said["commit"]}
    assert both.git("rev-parse", f"{said['commit']}^") == before
    assert "\n\nBetter\n\n" in both.git("log", "-1", "--format=%B", BRANCH)
    assert [each["event"] for each in said["changes"]] == ["unassign", "transition"]
    assert said["proposal"]["made"] and said["proposal"]["remote"] == "origin"
    assert both.alice.git("rev-parse", "main", "HEAD", BRANCH).split() == [before, before, said["commit"]]
    assert both.alice.git("status", "--porcelain") == ""


def test_promote_again_changes_nothing(both: Shared) -> None:
    first = promoted(both.alice, "-m", "Better")
    for who in (both.alice, both.bob):  # whoever asks
        again = promoted(who)
        assert again["commit"] == first["commit"] and not again["proposal"]["made"]
    assert "is proposed already" in both.alice.gitreg("promote", "churn/2", "Production").out


def test_what_was_added_to_the_proposal_stays(both: Shared) -> None:
    promoted(both.alice)
    bob = both.bob
    bob.git("fetch", "-q")
    bob.git("checkout", "-q", BRANCH)
    bob.write("models/churn/README.md", "a card\n")
    added = bob.commit("add the card")
    bob.git("push", "-q", "origin", BRANCH)
    again = promoted(both.alice)
    assert again["commit"] == added == both.refs()[HEAD]
    assert not again["proposal"]["made"]
    (told,) = promoted(both.alice, "-m", "Another reason")["warnings"]  # made anew: nothing goes unsaid
    assert '"add the card" by Bob' in told and f"git cherry-pick {added[:10]}" in told
    both.alice.run(
        "sh", "-c", told.partition("again: ")[2].replace(", and push it", "").replace(", ", " && ")
    )
    assert (both.alice.work / "models/churn/README.md").read_text() == "a card\n"


@pytest.mark.parametrize(
    "other", [["-m", "for another reason"], ["--archive-existing"]], ids=lambda each: each[0]
)
def test_another_request_makes_it_anew(both: Shared, other: list[str]) -> None:
    first = promoted(both.alice, "-m", "Better")
    again = promoted(both.alice, *other)
    assert again["proposal"]["made"] and again["commit"] != first["commit"]
    assert both.refs()[HEAD] == again["commit"]
    assert both.git("rev-parse", f"{BRANCH}^") == both.main


def test_it_begins_anew_where_main_moved(both: Shared) -> None:
    first = promoted(both.alice, "-m", "Better\n\nand faster")
    pushed(both.bob, "tag", "churn/3", "reviewed=yes")
    again = promoted(both.alice)
    assert again["proposal"]["made"] and again["commit"] != first["commit"]
    assert both.git("rev-parse", f"{BRANCH}^") == both.main == again["proposal"]["base"]
    assert "\n\nBetter\n\nand faster\n\n" in both.git("log", "-1", "--format=%B", BRANCH), "why, as before"
    assert again["warnings"] == []


def test_nobody_is_replaced_unsaid(both: Shared) -> None:
    alice, bob = both.alice, both.bob

    def tagged(who: Person, value: str) -> Any:
        return json.loads(who.gitreg("tag", "churn/2", f"a={value}", "--propose", "--json").out)

    first = tagged(alice, "b")
    second = tagged(bob, "c")
    assert second["branch"] == first["branch"]
    assert second["warnings"] == [
        f"it takes the place of what Alice proposed (commit {first['commit'][:10]})"
    ]
    alice.git("fetch", "-q")
    seen = json.loads(alice.gitreg("review", first["branch"], "--json").out)
    assert seen["head"] == second["commit"], "what would be merged, not what lies here"
    third = tagged(alice, "b")  # her own branch does that still; the server's does not
    assert third["proposal"]["made"]
    assert third["warnings"] == [f"it takes the place of what Bob proposed (commit {second['commit'][:10]})"]
    assert both.refs()[f"refs/heads/{first['branch']}"] == third["commit"]


def test_a_registration_is_renumbered(both: Shared) -> None:
    first = registered(both.alice, "s3://models/mine")
    assert first["version"]["version"] == 4
    assert first["branch"].startswith("gitreg/register/churn/")
    assert registered(both.alice, "s3://models/mine")["commit"] == first["commit"]
    pushed(both.bob, "register", "churn", "s3://models/his")
    again = registered(both.alice, "s3://models/mine")
    assert (again["branch"], again["version"]["version"]) == (first["branch"], 5)
    assert again["warnings"] == ["churn/4 was taken meanwhile: what was proposed is churn/5 now"]
    names = both.git("ls-tree", "--name-only", again["commit"], "models/churn/versions/").split()
    assert [Path(name).stem for name in names] == ["1", "2", "3", "4", "5"]


def test_what_is_not_pushed_stays_out(both: Shared) -> None:
    alice = both.alice
    alice.gitreg("tag", "churn/2", "mine=yes")
    said = promoted(alice)
    assert "mine" not in both.git("show", f"{BRANCH}:models/churn/versions/2.yaml")
    assert both.git("rev-parse", f"{said['commit']}^") == both.main


def test_a_version_that_is_not_pushed_cannot_be_promoted(both: Shared) -> None:
    alice = both.alice
    alice.gitreg("register", "churn", "s3://models/4")
    said = alice.gitreg("promote", "churn/4", "Production", code=3).words
    assert "git push" in said and "gitreg register" in said
    assert list(both.refs("refs/heads")) == ["refs/heads/main"]
    assert "is not here" not in alice.gitreg("promote", "churn/99", "Production", code=3).words


def test_a_version_that_is_only_proposed_cannot_be_promoted(both: Shared) -> None:
    branch = registered(both.alice, "s3://models/mine")["branch"]
    said = both.bob.gitreg("promote", "churn/4", "Production", code=3).words
    assert f"{branch} proposes it" in said
    command = said.partition("merge that first: gitreg ")[2].split()
    assert command == ["merge", branch]
    both.bob.gitreg(*command)
    both.bob.gitreg("promote", "churn/4", "Production")


def test_wherever_head_is(both: Shared) -> None:
    alice = both.alice
    alice.git("checkout", "-q", "--detach", "HEAD~1")
    alice.write("models/churn/versions/2.yaml", "not: a manifest\n")  # nobody's business
    first = promoted(alice)
    assert alice.git("status", "--porcelain").split() == ["M", "models/churn/versions/2.yaml"]
    alice.git("checkout", "-q", "-f", "-b", "elsewhere")
    assert promoted(alice)["commit"] == first["commit"]
    bare = alice.home / "bare.git"
    alice.run("git", "clone", "-q", "--bare", alice.url, str(bare), at=alice.home)
    said = alice.gitreg("--registry", str(bare), "promote", "churn/3", "Production", "--json")
    assert both.refs()["refs/heads/gitreg/promote/churn/3/Production"] == json.loads(said.out)["commit"]


def test_the_work_tree_of_the_proposal_follows(both: Shared) -> None:
    alice = both.alice
    promoted(alice)
    alice.git("checkout", "-q", BRANCH)
    pushed(both.bob, "tag", "churn/3", "reviewed=yes")
    again = promoted(alice)
    assert alice.git("rev-parse", "HEAD") == again["commit"]
    assert alice.git("status", "--porcelain") == ""
    assert "reviewed" in (alice.work / "models/churn/versions/3.yaml").read_text()


def test_edits_on_the_proposal_stand_in_the_way(both: Shared) -> None:
    alice = both.alice
    first = promoted(alice)
    alice.git("checkout", "-q", BRANCH)
    alice.edit("models/churn/versions/2.yaml", "auc: 0.92", "auc: 0.99")
    said = alice.gitreg("promote", "churn/2", "Production", "-m", "why", code=4).words
    assert "models/churn/versions/2.yaml" in said
    assert both.refs()[HEAD] == first["commit"] == alice.git("rev-parse", "HEAD")
    assert "auc: 0.99" in (alice.work / "models/churn/versions/2.yaml").read_text()


def test_without_a_remote_it_stays_here(both: Shared) -> None:
    alice = both.alice
    alice.git("remote", "remove", "origin")
    said = alice.gitreg("promote", "churn/2", "Production").out
    assert "it stays here" in said and BRANCH in said
    head = alice.git("rev-parse", BRANCH)
    assert promoted(alice)["commit"] == head
    alice.gitreg("merge", "churn/2", "Production")
    assert alice.git("rev-parse", "main^2") == head
    assert alice.git("tag", "--points-at", "main").split() == ["churn/Production/2"]
    assert alice.git("status", "--porcelain") == ""
    assert alice.run("git", "rev-parse", "--verify", "-q", BRANCH, code=None).code != 0


def test_a_remote_of_another_name(both: Shared) -> None:
    alice = both.alice
    alice.git("remote", "rename", "origin", "my.remote")
    assert promoted(alice)["proposal"]["remote"] == "my.remote", "the one that main follows"
    alice.git("remote", "add", "other", "/nowhere")
    assert promoted(alice)["proposal"]["remote"] == "my.remote"
    assert "would take Production" in alice.gitreg("review", "churn/2", "Production").out.replace("\n", " ")
    alice.git("config", "--unset", "branch.main.remote")
    assert "no remote origin" in alice.gitreg("promote", "churn/3", "Production").out
    alice.git("remote", "remove", "other")
    assert json.loads(alice.gitreg("proposals", "--json").out)["remote"] == "my.remote", "the only one"


def test_a_remote_that_is_not_there(both: Shared) -> None:
    said = both.alice.gitreg("promote", "churn/2", "Production", "--remote", "upstream", code=3).words
    assert "no remote upstream" in said and "git remote" in said


def test_a_server_that_is_empty(both: Shared) -> None:
    both.git("update-ref", "-d", "refs/heads/main")
    said = both.alice.gitreg("promote", "churn/2", "Production", code=4).words
    assert "git push -u origin main" in said


def test_a_name_with_spaces_and_accents(tmp_path: Path) -> None:
    both = shared(tmp_path, name="Été 100%")
    both.alice.gitreg("promote", "Été 100%/2", "Production")
    (branch,) = (ref for ref in both.refs("refs/heads") if "promote" in ref)
    assert branch == "refs/heads/gitreg/promote/%C3%89t%C3%A9%20100%25/2/Production"
    assert "would take Production" in both.bob.run(
        "sh", "-c", "git fetch -q && gitreg review 'Été 100%/2' Production"
    ).out.replace("\n", " ")
    both.bob.gitreg("merge", "Été 100%/2", "Production")
    assert branch not in both.refs()


def test_D03_a_remote_that_names_a_program(both: Shared) -> None:
    alice = both.alice
    mark = alice.home / "ran"
    alice.git("remote", "set-url", "origin", f"ext::touch {mark}")
    for command in (
        ["promote", "churn/2", "Production"],
        ["merge", "churn/2", "Production"],
        ["withdraw", "churn/2", "Production"],
        ["proposals"],
        ["tag", "churn/2", "a=b", "--propose"],
    ):
        assert "names a program" in alice.gitreg(*command, code=3).words
    assert not mark.exists()


def test_D04_a_password_is_never_told(both: Shared) -> None:
    alice = both.alice
    alice.git("remote", "set-url", "origin", "http://alice:s3cr3t@127.0.0.1:9/registry.git")
    said = alice.gitreg("promote", "churn/2", "Production", code=7)
    assert "s3cr3t" not in said.words
    alice.git("remote", "set-url", "origin", alice.url)
    alice.git("remote", "set-url", "--push", "origin", alice.url.replace("file://", "file://u:s3cr3t@"))
    said = alice.gitreg("promote", "churn/2", "Production", code=None)
    assert said.code and "s3cr3t" not in said.words
    assert list(both.refs("refs/heads")) == ["refs/heads/main"]
    assert alice.run("git", "rev-parse", "--verify", "-q", BRANCH, code=None).code  # as before


def test_what_the_server_refuses_leaves_no_branch(both: Shared) -> None:
    hook = both.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho not on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    said = both.alice.gitreg("promote", "churn/2", "Production", code=5).err
    assert "\n  | not on Fridays\n" in said, "a line for each of its lines"
    assert both.alice.run("git", "rev-parse", "--verify", "-q", BRANCH, code=None).code


def test_who_may_approve_is_told(both: Shared) -> None:
    alice = both.alice
    settings = (alice.work / "gitreg.yaml").read_text()
    alice.write(
        "gitreg.yaml", settings.replace("  - name: Production\n    exclusive: true\n", ALWAYS_APPROVED)
    )
    alice.commit("rules")
    alice.git("push", "-q", "origin", "main")
    said = alice.gitreg("promote", "churn/2", "Production").out
    assert "bob@example.com" in said and "0 of 1 approval" in said
    asked = promoted(alice)["proposal"]["approvals"]
    assert asked == [
        {
            "subject": "churn/2",
            "stage": "Production",
            "needed": 1,
            "given": 0,
            "may": ["alice@example.com", "bob@example.com"],
        }
    ]


def test_a_dry_run_makes_nothing(both: Shared) -> None:
    before = both.refs()
    said = both.alice.gitreg("promote", "churn/2", "Production", "--dry-run")
    assert "+stages:" in said.out and "dry run" in said.err
    assert both.refs() == before
    assert both.alice.run("git", "rev-parse", "--verify", "-q", BRANCH, code=None).code


WRITES = {
    "register": (["register", "churn", "s3://x"], "register/churn/"),
    "evaluate": (["evaluate", "churn/2", "may", "--metric", "auc=0.8"], "evaluate/churn/2/"),
    "update": (["update", "churn/2", "-d", "words"], "update/churn/2"),
    "update-model": (["update", "churn", "-d", "words"], "update/churn/model"),
    "tag": (["tag", "churn/2", "a=b"], "tag/churn/2/"),
    "alias": (["alias", "churn/2", "best"], "alias/churn/best"),
    "transition": (["transition", "churn/2", "staging"], "transition/churn/2/Staging"),
    "assign": (["assign", "churn/2", "Staging"], "assign/churn/2/Staging"),
    "unassign": (["unassign", "churn/1", "Production"], "unassign/churn/1/Production"),
    "deprecate": (["deprecate", "churn/2"], "deprecate/churn/2"),
    "rename": (["rename", "churn", "lapse"], "rename/churn"),
    "delete": (["delete", "churn/3", "--yes"], "delete/churn/3"),
    "delete-model": (["delete", "churn", "--yes"], "delete/churn/model"),
    "revert": (["revert", "HEAD"], "revert/"),
    "config": (["config", "description", "ours"], "config/description"),
    "batch": (["register", "--batch", "-", "--one-commit"], "batch/"),
}


@pytest.mark.parametrize("kind", WRITES)
def test_every_write_can_be_proposed(both: Shared, kind: str) -> None:
    command, branch = WRITES[kind]
    lines = "".join(f'{{"name": "churn", "source": "s3://{each}"}}\n' for each in "ab")
    before = both.main

    def propose() -> Any:
        said = both.alice.run("gitreg", *command, "--propose", "--json", "-m", "Why", stdin=lines)
        return json.loads(said.out)

    said = propose()
    assert said["branch"].startswith(f"gitreg/{branch}")
    assert both.refs("refs/heads") == {
        "refs/heads/main": before,
        f"refs/heads/{said['branch']}": said["commit"],
    }
    assert both.alice.git("rev-parse", "main") == before
    assert both.alice.git("status", "--porcelain") == ""
    again = propose()
    assert (again["branch"], again["commit"]) == (said["branch"], said["commit"])
    both.bob.gitreg("merge", said["branch"], "--mode", "rebase")
    assert both.git("rev-parse", f"{both.main}^") == before
    both.alice.git("pull", "-q")
    assert both.alice.gitreg("check", code=0)


def test_rollback_and_restore_are_proposed(both: Shared) -> None:
    pushed(both.alice, "transition", "churn/2", "Production")
    said = json.loads(both.bob.gitreg("rollback", "churn", "Production", "--propose", "--json").out)
    assert said["branch"] == "gitreg/rollback/churn/Production"
    assert said["rollback"]["back"][0]["version"] == 1
    pushed(both.alice, "delete", "churn/3", "--yes")
    said = json.loads(both.bob.gitreg("restore", "churn/3", "--propose", "--json").out)
    assert said["branch"] == "gitreg/restore/churn/3"


def test_a_batch_of_many_commits_is_no_proposal(both: Shared) -> None:
    said = both.alice.run("gitreg", "register", "--batch", "-", "--propose", code=2)
    assert "--one-commit" in said.err


def test_nothing_to_propose(both: Shared) -> None:
    assert "nothing to change" in both.alice.gitreg("promote", "churn/1", "Production").out
    assert list(both.refs("refs/heads")) == ["refs/heads/main"]


def test_proposals_tells_what_each_lacks(both: Shared) -> None:
    alice, bob = both.alice, both.bob
    promoted(alice)
    registered(bob, "s3://models/his")
    listed = json.loads(alice.gitreg("proposals", "--json").out)
    assert {each["branch"]: each["state"] for each in listed["proposals"]} == {
        BRANCH: "passes",
        registered(bob, "s3://models/his")["branch"]: "passes",
    }
    pushed(bob, "transition", "churn/3", "Production")
    told = {each["branch"]: each for each in json.loads(alice.gitreg("proposals", "--json").out)["proposals"]}
    why = "churn/3 took Production meanwhile: gitreg promote churn/2 Production makes it anew"
    assert told[BRANCH]["state"] == why and not told[BRANCH]["passes"]
    assert BRANCH in alice.gitreg("proposals", "--offline").out
    both.bare.rename(both.bare.with_name("gone.git"))
    offline = alice.gitreg("proposals")
    assert "fetched last" in offline.err and BRANCH in offline.out


def test_withdraw_removes_it_there_and_here(both: Shared) -> None:
    alice, bob = both.alice, both.bob
    promoted(alice)
    head = both.refs()[HEAD]
    back = bob.gitreg("withdraw", "churn/2", "Production").err.partition("to bring it back: ")[2]
    assert HEAD not in both.refs()
    bob.run(*back.split())
    assert both.refs()[HEAD] == head
    assert json.loads(alice.gitreg("withdraw", "churn/2", "Production", "--json").out)["warnings"] == []
    assert "no proposal" in bob.gitreg("withdraw", "churn/2", "Production", code=3).words
    promoted(alice)
    bob.gitreg("withdraw", BRANCH)
    alice.gitreg("withdraw", BRANCH)  # what is left of it here
    assert alice.git("for-each-ref", "refs/heads", "refs/remotes/origin/gitreg").count("\n") == 0


def test_a_branch_of_ones_own_is_not_withdrawn(both: Shared) -> None:
    both.bob.git("push", "-q", "origin", "HEAD:refs/heads/feature")
    before = both.refs()
    assert "git push origin --delete feature" in both.alice.gitreg("withdraw", "feature", code=4).words
    both.alice.gitreg("withdraw", "main", code=3)
    assert both.refs() == before


def test_another_remote_is_named_everywhere(both: Shared, tmp_path: Path) -> None:
    """Bob's own copy is origin, and what is proposed goes to the team's."""
    bob = both.bob
    fork = tmp_path / "fork.git"
    bob.git("clone", "-q", "--bare", bob.url, str(fork))
    bob.git("remote", "add", "team", bob.url)
    bob.git("remote", "set-url", "origin", str(fork))
    assert promoted(bob, "--remote", "team")["proposal"]["remote"] == "team"
    listed = json.loads(bob.gitreg("proposals", "--remote", "team", "--json").out)
    assert [each["branch"] for each in listed["proposals"]] == [BRANCH]
    asked = ("churn/2", "Production", "--remote", "team")
    assert "git push -u team HEAD" in bob.gitreg("approve", *asked, "--yes", code=5).words
    bob.gitreg("withdraw", *asked)
    assert HEAD not in both.refs()
    promoted(bob, "--remote", "team")
    bob.gitreg("merge", *asked)
    assert "Production" in both.git("show", "main:models/churn/versions/2.yaml")


def test_a_clone_that_is_behind_is_told_of_no_loss(both: Shared) -> None:
    alice, bob = both.alice, both.bob
    alice.gitreg("log")
    pushed(bob, "tag", "churn/3", "reviewed=yes")
    promoted(alice)  # begins on what Bob has pushed
    assert alice.gitreg("log").err == ""
    alice.git("pull", "-q")
    alice.git("reset", "-q", "--hard", "HEAD~1")
    alice.gitreg("tag", "churn/3", "mine=yes")
    alice.gitreg("log")
    alice.git("reset", "-q", "--hard", "HEAD~1")
    assert "1 commit is no longer in its history" in alice.gitreg("log").err
