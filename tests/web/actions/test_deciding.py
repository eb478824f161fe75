"""Proposals: proposed from the stage button, approved by who signed in, merged, withdrawn; verified by Git."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitreg.domain.settings import VALID_DAYS
from gitreg.registry.open import open_registry
from gitreg.web.access.entries import Grant
from gitreg.web.access.store import AccessStore
from gitreg.web.app import create as application
from gitreg.web.identity import Role
from gitreg.web.settings import Settings
from tests.registry.team import with_rules
from tests.signing.conftest import key_of, public
from tests.web.actions.conftest import ADA, Log, Visit
from tests.web.actions.visiting import Visitor, forms

__all__ = ["key_of"]

BRANCH = "gitreg/promote/churn/2/Production"
PAGE = f"/proposals/{BRANCH}"
FILE = "approvals/churn/2/Production/2/bob%40example.com.sig"
SERVER = "models@example.com"
RULES = """\
stages:
  - name: Staging
  - name: Production
    exclusive: true
    approvals:
      count: 1
      approvers: [bob@example.com, ann@example.com]
      signed_in: [models@example.com]
  - name: Locked
    approvals: {count: 1, approvers: [bob@example.com]}
  - name: Archived
"""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def key(key_of: Callable[[str], Path]) -> Path:
    """The server's."""
    return key_of("ed25519:models")


@pytest.fixture
def guarded(seeded: Path, git: Callable[..., str], key: Path) -> Path:
    """Production and Locked ask for approvals; a server's word counts in Production."""
    settings = seeded / "gitreg.yaml"
    settings.write_text(with_rules(settings.read_text(), RULES))
    (seeded / "keys").mkdir(exist_ok=True)
    line = f'{SERVER} namespaces="gitreg-attestation@v1" {public(key)}\n'
    (seeded / "keys/allowed_signers").write_text(line)
    git("add", "gitreg.yaml", "keys/allowed_signers")
    git("commit", "-q", "-m", "rules")
    return seeded


@pytest.fixture
def people(guarded: Path, visit: Visit, key: Path) -> Callable[[str], Visitor]:
    visit("", user_role=Role.APPROVER, signing_key=str(key))
    return visit


@pytest.fixture
def proposed(people: Callable[[str], Visitor]) -> Callable[[str], Visitor]:
    """Ann has proposed churn/2 for Production."""
    form = people("Ann").load("/models/churn/2/transition?stage=Production")
    done = people("Ann").send(form, how="propose", message="Finds more")
    assert (done.status_code, done.headers.get("location")) == (303, f"{PAGE}?done=proposed"), done.text
    return people


@pytest.fixture
def gitreg(place: Path) -> Command:
    def run(*args: str, code: int | None = 0) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gitreg", "--registry", str(place), *args]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=place)
        assert code is None or done.returncode == code, (done.stdout, done.stderr)
        return done

    return run


def verdict(gitreg: Command) -> list[str]:
    said = gitreg("verify", "--proposal", "main", BRANCH, "--json", code=None)
    return [each["message"] for each in json.loads(said.stdout)["findings"]]


def test_the_stage_button_proposes_what_the_rules_refuse(
    people: Callable[[str], Visitor], newest: Log, gitreg: Command
) -> None:
    ann = people("Ann")
    page = ann.get("/models/churn/2/transition?stage=Production").text
    assert "Propose</button>" in page and "Move to" not in page.partition("<form")[2].partition("Why")[2]
    assert "0 of 1 approval" in page
    (form,) = forms(page)
    before = newest("%H")
    done = ann.send(form, how="move", message="Finds more")
    assert done.status_code == 403 and newest("%H") == before
    assert "0 of 1 approval" in done.text and "Finds more</textarea>" in done.text
    done = ann.send(form, how="propose", message="Finds more")
    assert done.status_code == 303 and done.headers["location"] == f"{PAGE}?done=proposed"
    assert "Proposed." in ann.get(done.headers["location"]).text
    assert newest("%an <%ae>|%s", BRANCH) == "Ann <ann@example.com>|churn: transition version 2 to Production"
    assert newest("%H") == before
    assert verdict(gitreg) == ["churn/2 → Production: 0 of 1 approval"]


def test_approved_by_somebody_who_signed_in(
    proposed: Callable[[str], Visitor],
    newest: Log,
    gitreg: Command,
    git: Callable[..., str],
    key: Path,
    tmp_path: Path,
) -> None:
    bob = proposed("Bob")
    page = bob.get(f"{PAGE}/approve").text
    assert "churn/2</a> for" in page and SERVER in page and "bob@example.com" in page
    (form,) = forms(page)
    until = f"{datetime.now(UTC) + timedelta(days=VALID_DAYS):%-d %B %Y}"
    assert f"<dd>{until}, in {VALID_DAYS} days</dd>" in page
    done = bob.send(form, message="Tried it")
    assert done.status_code == 303 and done.headers["location"] == f"{PAGE}?done=approved", done.text
    assert '<div class="done" role="status"><p>Approved.' in bob.get(done.headers["location"]).text
    assert newest("%an <%ae>|%s", BRANCH) == "Bob <bob@example.com>|churn: approve version 2 for Production"
    assert newest("%cn", BRANCH) != "Bob"
    assert verdict(gitreg) == []

    data = git("show", f"{BRANCH}:{FILE}")
    statement, begin, rest = data.partition("-----BEGIN SSH SIGNATURE-----")
    told = json.loads(statement)["predicate"]
    assert (told["approver"], told["attester"], told["reason"]) == ("bob@example.com", SERVER, "Tried it")
    assert told["proposed_by"] == ["ann@example.com"]
    (tmp_path / "signature").write_text(begin + rest + "\n")
    (tmp_path / "signers").write_text(f"{SERVER} {public(key)}\n")
    command = ["ssh-keygen", "-Y", "verify", "-n", "gitreg-attestation@v1", "-I", SERVER]
    command += ["-f", str(tmp_path / "signers"), "-s", str(tmp_path / "signature")]
    subprocess.run(command, input=statement.encode(), check=True, capture_output=True)

    said = gitreg("approvals", BRANCH).stdout
    assert f"approved, signed in at {SERVER}" in said
    (given,) = json.loads(gitreg("review", BRANCH, "--json").stdout)["moves"][0]["approvals"]["given"]
    assert given["attester"] == SERVER
    assert f"signed in at {SERVER}" in gitreg("review", BRANCH).stdout
    assert "already" in bob.get(f"{PAGE}/approve").text


def test_the_whole_course(
    proposed: Callable[[str], Visitor], newest: Log, gitreg: Command, git: Callable[..., str], guarded: Path
) -> None:
    bob = proposed("Bob")
    page = bob.get(f"{PAGE}/merge").text
    assert '<span class="pill warn">Waiting</span>' in page and "here only" not in bob.get(PAGE).text
    assert "0 of 1 approval" in page and "Merge</button>" not in page
    fields = forms(bob.get(f"{PAGE}/approve").text)[0].fields
    done = bob.post(f"{PAGE}/merge", {key: fields[key] for key in ("csrf", "head")})
    assert done.status_code == 403 and "does not pass" in done.text
    assert bob.post(f"{PAGE}/merge", {"csrf": fields["csrf"]}).status_code == 409, "of what?"
    assert bob.fill(f"{PAGE}/approve").status_code == 303
    page = bob.get(f"{PAGE}/merge").text
    assert ">Merge commit<" in page and ">Squash into one commit<" in page and ">Rebase<" in page
    assert '<span class="pill good">Ready</span>' in page
    done = bob.fill(f"{PAGE}/merge", message="Go")
    assert done.status_code == 303, done.text
    assert done.headers["location"] == f"/models/churn/2?committed={newest('%H')}"
    assert newest("%an|%s") == "Bob|Promote churn/2 to Production"
    with open_registry(guarded) as registry:
        assert list(registry.version("churn/2").stages) == ["Production"]
        assert list(registry.version("churn/1").stages) == ["Archived"]
    gitreg("verify", "--all")
    assert "churn/Production/2" in git("tag").split()
    assert git("branch", "--list", BRANCH) == ""
    assert bob.get(f"{PAGE}/merge").status_code == 404


def test_on_a_bare_repository(guarded: Path, key: Path, git: Callable[..., str], tmp_path: Path) -> None:
    bare = tmp_path / "models.git"
    git("clone", "-q", "--bare", str(guarded), str(bare))
    git("-C", str(bare), "remote", "remove", "origin")
    told = {"user_header": "X-Forwarded-User", "email_header": "X-Forwarded-Email"}
    settings = Settings(place=bare, user_role=Role.APPROVER, signing_key=str(key), **told)
    app = application(settings)
    ann, bob = (Visitor(app, each, email=f"{each.lower()}@example.com") for each in ("Ann", "Bob"))
    form = ann.load("/models/churn/2/transition?stage=Production")
    assert ann.send(form, how="propose").headers["location"] == f"{PAGE}?done=proposed"
    assert bob.fill(f"{PAGE}/approve").status_code == 303
    assert bob.fill(f"{PAGE}/merge").status_code == 303
    command = [sys.executable, "-m", "gitreg", "--registry", str(bare), "verify", "--all"]
    subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert "churn/Production/2" in git("-C", str(bare), "tag").split()


@pytest.mark.parametrize("mode", ["squash", "rebase"])
def test_merged_otherwise(
    proposed: Callable[[str], Visitor], newest: Log, gitreg: Command, mode: str
) -> None:
    bob = proposed("Bob")
    bob.fill(f"{PAGE}/approve")
    assert bob.fill(f"{PAGE}/merge", mode=mode).status_code == 303
    gitreg("verify", "--all")


def test_F14_the_author_does_not_approve(proposed: Callable[[str], Visitor], newest: Log) -> None:
    before = newest("%H", BRANCH)
    page = proposed("Ann").get(f"{PAGE}/approve").text
    assert "an author can’t approve" in page or "an author can&#39;t approve" in page
    assert not forms(page)
    token = proposed("Ann").load("/register").fields["csrf"]
    done = proposed("Ann").post(f"{PAGE}/approve", {"csrf": token})
    assert done.status_code == 403 and newest("%H", BRANCH) == before


def test_F17_whom_the_rules_do_not_name(proposed: Callable[[str], Visitor], newest: Log) -> None:
    before = newest("%H", BRANCH)
    carol = proposed("Carol")
    done = carol.fill(f"{PAGE}/approve")
    assert done.status_code == 403 and "do not name this person" in done.text
    assert newest("%H", BRANCH) == before


def test_a_stage_whose_approvers_sign_themselves(people: Callable[[str], Visitor], newest: Log) -> None:
    ann, bob = people("Ann"), people("Bob")
    form = ann.load("/models/churn/2/transition?stage=Locked")
    assert ann.send(form, how="propose").status_code == 303
    branch = "gitreg/promote/churn/2/Locked"
    before = newest("%H", branch)
    page = bob.get(f"/proposals/{branch}/approve").text
    assert "sign it yourself" in page and "gitreg approve" in page and not forms(page)
    done = bob.post(f"/proposals/{branch}/approve", {"csrf": bob.load("/register").fields["csrf"]})
    assert done.status_code == 403 and newest("%H", branch) == before


def test_nobody_in_particular_approves_nothing(proposed: Callable[[str], Visitor]) -> None:
    page = proposed("").get(f"{PAGE}/approve")
    assert page.status_code == 401 and not any(
        each.action.startswith("/proposals") for each in forms(page.text)
    )
    assert proposed("").get("/proposals/gitreg/none/merge").status_code == 401  # nor is told which there are


def test_a_server_without_a_key_and_one_that_is_not_listed(
    proposed: Callable[[str], Visitor], visit: Visit, key_of: Callable[[str], Path]
) -> None:
    page = visit("Bob", user_role=Role.APPROVER, signing_key="").get(f"{PAGE}/approve").text
    assert "no key to vouch for you" in page and f"gitreg approve {BRANCH}" in page
    other = str(key_of("ed25519:another"))
    page = visit("Bob", user_role=Role.APPROVER, signing_key=other).get(f"{PAGE}/approve").text
    assert "is nobody&#39;s" in page and not forms(page)


def test_roles(proposed: Callable[[str], Visitor], visit: Visit, key: Path, newest: Log) -> None:
    before = newest("%H", BRANCH)
    writer = visit("Bob", user_role=Role.WRITER, signing_key=str(key))
    token = writer.load("/register").fields["csrf"]
    for verb in ("approve", "merge"):
        assert writer.get(f"{PAGE}/{verb}").status_code == 403, verb
        assert writer.post(f"{PAGE}/{verb}", {"csrf": token}).status_code == 403, verb
    assert newest("%H", BRANCH) == before
    reader = visit("Eve", user_role=Role.READER, signing_key=str(key))
    assert reader.get(f"{PAGE}/withdraw").status_code == 403
    assert reader.post(f"{PAGE}/withdraw", {}).status_code == 403


def test_what_lies_beside_the_models_of_a_grant_is_beyond_it(
    guarded: Path, visit: Visit, git: Callable[..., str]
) -> None:
    grant = Grant(user="cy@example.com", role=Role.READER, models={"churn*": Role.APPROVER})
    AccessStore(guarded).change(lambda access: replace(access, grants={grant.user: grant}))
    git("switch", "-qc", "gitreg/mixed")
    (guarded / ".github/workflows").mkdir(parents=True)
    (guarded / ".github/workflows/ci.yaml").write_text("on: push\n")
    model = guarded / "models/churn/model.yaml"
    model.write_text(model.read_text().replace("Who leaves", "Who stays"))
    git("add", "-A")
    git("commit", "-qm", "churn: update description of model")
    git("switch", "-qC", "gitreg/within", "main")
    model.write_text(model.read_text().replace("Who leaves", "Who stays"))
    git("commit", "-qam", "churn: update description of model")
    git("switch", "-q", "main")
    visit("", user_role=Role.READER)
    assert visit("Cy").get("/proposals/gitreg/mixed/merge").status_code == 403
    assert visit("Cy").get("/proposals/gitreg/mixed/withdraw").status_code == 403
    form = visit("Cy").load("/proposals/gitreg/within/merge")
    form.action = form.action.replace("within", "mixed")
    form.fields["head"] = [git("rev-parse", "gitreg/mixed").strip()]
    assert visit("Cy").send(form).status_code == 403
    assert visit("Cy").send(visit("Cy").load("/proposals/gitreg/within/merge")).status_code == 303


def test_what_is_signed_is_what_was_shown(
    proposed: Callable[[str], Visitor], git: Callable[..., str], newest: Log
) -> None:
    bob = proposed("Bob")
    form = bob.load(f"{PAGE}/approve")
    withdrawal = bob.load(f"{PAGE}/withdraw")
    assert bob.send(form, head=None).status_code == 409
    tree = git("rev-parse", f"{BRANCH}^{{tree}}")
    oid = git("commit-tree", tree, "-p", BRANCH, "-m", "something else")
    git("update-ref", f"refs/heads/{BRANCH}", oid)
    assert bob.send(form).status_code == 409
    assert bob.send(withdrawal).status_code == 409
    assert newest("%H", BRANCH) == oid


def test_withdrawing(proposed: Callable[[str], Visitor], git: Callable[..., str]) -> None:
    done = proposed("Ann").fill(f"{PAGE}/withdraw")
    assert done.status_code == 303 and done.headers["location"] == "/proposals?done=withdrawn"
    assert git("branch", "--list", BRANCH) == ""


def test_an_attestation_that_the_server_did_not_sign(
    proposed: Callable[[str], Visitor],
    gitreg: Command,
    git: Callable[..., str],
    key_of: Callable[[str], Path],
) -> None:
    """Ann signs as the server, for Bob, with a key of her own, and puts it on the branch by Git alone."""
    proposed("Bob").fill(f"{PAGE}/approve")
    git("switch", "-q", BRANCH)
    folder = Path(git("rev-parse", "--show-toplevel"))
    statement = (folder / FILE).read_bytes().partition(b"-----BEGIN")[0]
    command = [
        "ssh-keygen",
        "-Y",
        "sign",
        "-q",
        "-n",
        "gitreg-attestation@v1",
        "-f",
        str(key_of("ed25519:ann")),
    ]
    made = subprocess.run(command, input=statement, capture_output=True, check=True)
    (folder / FILE).write_bytes(statement + made.stdout)
    git("commit", "-q", "-a", "--amend", "--no-edit")
    git("switch", "-q", "main")
    (message,) = verdict(gitreg)
    assert "0 of 1 approval" in message and "is nobody's" in message


def test_F22_an_attestation_used_again_after_a_rollback(
    proposed: Callable[[str], Visitor], gitreg: Command, git: Callable[..., str], guarded: Path
) -> None:
    bob = proposed("Bob")
    bob.fill(f"{PAGE}/approve")
    bob.fill(f"{PAGE}/merge")
    with open_registry(guarded, author=ADA) as registry:
        registry.transition("churn/2", "Staging")
    ann = proposed("Ann")
    form = ann.load("/models/churn/2/transition?stage=Production")
    assert ann.send(form, how="propose").status_code == 303
    (message,) = verdict(gitreg)
    assert "0 of 1 approval" in message
    git("switch", "-q", BRANCH)
    (old,) = guarded.glob("approvals/churn/2/Production/*/bob%40example.com.sig")
    number = int(old.parent.name)
    again = old.parent.with_name(str(number + 1)) / old.name
    again.parent.mkdir()
    again.write_bytes(old.read_bytes())
    git("add", "approvals")
    git("commit", "-q", "-m", "again")
    git("switch", "-q", "main")
    said = " ".join(verdict(gitreg))
    assert f"this is number {number + 1}" in said and "in the place of another" in said


def test_the_rules_say_it_in_words(guarded: Path, gitreg: Command) -> None:
    assert f"signs in at {SERVER} can approve there" in gitreg("policy", "show").stdout
    (stage,) = [
        each
        for each in json.loads(gitreg("policy", "show", "--json").stdout)["stages"]
        if isinstance(each, dict) and each["name"] == "Production"
    ]
    assert stage["approvals"]["signed_in"] == [SERVER]


def test_the_page_of_the_rules_says_it(people: Callable[[str], Visitor]) -> None:
    assert f"signs in at {SERVER} can approve there" in people("Ann").get("/policy").text


@pytest.mark.parametrize("locked", [True, False])
def test_a_key_that_can_not_sign_is_told_at_the_start(gitreg: Command, tmp_path: Path, locked: bool) -> None:
    file = tmp_path / "key"
    if locked:
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret words", "-f", str(file)]
        subprocess.run(command, check=True, capture_output=True)
    said = gitreg("serve", "--port", "0", "--signing-key", str(file), code=5).stderr
    assert "--signing-key" in said and "ssh-keygen" in said
