"""``gitreg log`` names who proposed, approved and merged, whichever way a proposal came to the branch.

Only an approval that counted when the commit was judged makes somebody one who approved.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gitreg.cli import app
from gitreg.registry import counted
from gitreg.registry.clock import utc_now
from gitreg.registry.open import open_registry
from tests.registry.approved import PEOPLE, SERVER, Place, person, rules
from tests.signing.conftest import key_of

__all__ = ["key_of"]

WAYS = pytest.mark.parametrize("how", ["merge", "squash", "rebase"])
BOB, ALICE, DAVE, CAROL = (PEOPLE[name] for name in ("Bob", "Alice", "Dave", "Carol"))
OTHER_RULES = "the rules of the stage were others when it was signed"


@pytest.fixture(scope="session")
def keys(key_of: Callable[[str], Path]) -> dict[str, Path]:
    return {name: key_of(f"ed25519:{name}") for name in ("alice", "dave", "server")}


Placed = Callable[..., Place]


@pytest.fixture
def placed(tmp_path: Path, keys: Mapping[str, Path], monkeypatch: pytest.MonkeyPatch) -> Placed:
    """Makes a registry and goes there."""

    def made(folder: str = "registry", **asked: Any) -> Place:
        place = Place(tmp_path / folder, keys, rules(**asked))
        monkeypatch.chdir(place.folder)
        return place

    return made


Told = list[dict[str, Any]]


def told(capsys: pytest.CaptureFixture[str], *args: str) -> Told:
    """The changes that ``gitreg log --json`` tells, newest first."""
    capsys.readouterr()
    assert app.run(["log", "--json", *args]) == 0
    return [change for entry in json.loads(capsys.readouterr().out) for change in entry["changes"]]


def moves(capsys: pytest.CaptureFixture[str], version: int = 1) -> Told:
    """The transitions of a version of churn to Production, newest first."""
    found = [change for change in told(capsys, f"churn/{version}") if change["event"] == "transition"]
    return [change for change in found if change["stage"] == "Production"]


@WAYS
def test_who_had_a_hand(placed: Placed, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge(how)
    (move,) = moves(capsys)
    assert move["proposed_by"] == [BOB]
    assert (move["approved_by"], move["not_counted"]) == ([ALICE], [])
    assert move["merged_by"] == CAROL
    assert "signed_in" not in move and "approvals_not_judged" not in move


@WAYS
def test_who_signed_by_other_rules_did_not_approve(
    placed: Placed, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()
    place.propose(1, "Alice")
    with person("Ann"):  # Alice may not any more, and her key is gone
        text = (place.folder / "gitreg.yaml").read_text()
        assert f"- {ALICE}\n" in text
        place.write("gitreg.yaml", "".join(x for x in text.splitlines(True) if f"- {ALICE}" not in x))
        place.write("keys/allowed_signers", place.signers(DAVE, SERVER))
        place.commit("Alice has left")
    place.git("switch", "-q", "proposal")
    place.git("rebase", "-q", "main")
    place.approve(1, "Dave")
    place.git("switch", "-q", "main")
    place.merge(how)
    (move,) = moves(capsys)
    assert move["approved_by"] == [DAVE]
    assert move["not_counted"] == [{"approver": ALICE, "reason": OTHER_RULES}]
    assert (move["proposed_by"], move["merged_by"]) == ([BOB], CAROL)


def test_who_only_writes_a_file_did_not_approve(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    place.propose(1)
    place.git("switch", "-q", "proposal")
    statement = json.dumps({"predicate": {"proposed_by": ["ceo@example.com"]}})
    forged = f"{statement}\n-----BEGIN SSH SIGNATURE-----\n"
    place.write("approvals/churn/1/Production/1/alice%40example.com.sig", forged)
    with person("Bob"):
        place.commit("forged")
    place.git("switch", "-q", "main")
    place.merge("squash")
    (move,) = moves(capsys)
    assert move["approved_by"] == [] and [each["approver"] for each in move["not_counted"]] == [ALICE]
    assert move["proposed_by"] == [CAROL], "whom a forged file names is believed by nobody"


def test_where_nobody_was_asked_nobody_approved(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed(count=0)
    place.propose(1, "Alice")
    place.merge("squash")
    (move,) = moves(capsys)
    assert move["approved_by"] == []
    assert move["not_counted"] == [{"approver": ALICE, "reason": "the rules asked for no approvals"}]


@WAYS
def test_an_approval_outlives_what_came_between(
    placed: Placed, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()  # Production is not exclusive: several may hold it
    place.propose(1, "Alice", branch="first")
    place.propose(2, "Dave", branch="second")
    place.merge(how, "second")
    place.merge(how, "first")
    for version, who in ((1, ALICE), (2, DAVE)):
        (move,) = moves(capsys, version)
        assert (move["approved_by"], move["not_counted"]) == ([who], [])


def test_where_one_takes_the_place_of_another_it_does_not(
    placed: Placed, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed(exclusive=True)
    place.propose(1, "Alice", branch="first")
    place.propose(2, "Dave", branch="second")
    place.merge("squash", "second")
    with person("Ann"):
        place.move(2, "")
    place.merge("squash", "first")
    (move,) = moves(capsys)
    assert move["approved_by"] == []
    assert "it is for assignment 1 of the stage" in move["not_counted"][0]["reason"]


def test_an_approval_of_another_time_is_not_counted(
    placed: Placed, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge("squash")
    with person("Ann"):
        place.move(1, "Staging")
        place.move(1, "Production")
    again, first = moves(capsys)
    assert "approved_by" not in again, "the second time nobody approved it"
    assert first["approved_by"] == [ALICE]


@WAYS
def test_what_is_signed_too_late(placed: Placed, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge(how)
    place.approve(1, "Dave")
    (move,) = moves(capsys)
    late = [DAVE] if how == "rebase" else []  # its commits are not told from those of the proposal
    assert (move["approved_by"], move["not_counted"]) == ([ALICE, *late], [])


def test_expired(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.git("switch", "-q", "proposal")
    ago = utc_now() - timedelta(days=20)
    place.approve(1, "Dave", at=ago, expires=ago + timedelta(days=5))
    place.git("switch", "-q", "main")
    place.merge("merge")
    (move,) = moves(capsys)
    assert move["approved_by"] == [ALICE]
    assert move["not_counted"][0]["reason"].startswith("it was good until ")


@WAYS
def test_signed_in_at_a_server(
    placed: Placed, how: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = placed(count=2)
    place.propose(1, "Alice")
    place.git("switch", "-q", "proposal")
    place.approve(1, "Dave", attester=SERVER)
    place.git("switch", "-q", "main")
    place.merge(how)
    (move,) = moves(capsys)
    assert move["approved_by"] == [ALICE, DAVE]
    assert move["signed_in"] == [{"approver": DAVE, "attester": SERVER}]
    said = printed(capsys, monkeypatch, "churn/1", "--stage", "Production")
    assert f"approved by Alice and Dave (signed in at {SERVER}), merged by Carol" in said


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_in_a_folder_of_a_larger_repository(
    tmp_path: Path, placed: Placed, capsys: pytest.CaptureFixture[str], algorithm: str
) -> None:
    init = ["git", "init", "-q", "-b", "main", f"--object-format={algorithm}", str(tmp_path)]
    subprocess.run(init, check=True)
    place = placed("ml models")
    place.propose(1, "Alice")
    place.merge("merge")
    (move,) = moves(capsys)
    assert (move["proposed_by"], move["approved_by"], move["merged_by"]) == ([BOB], [ALICE], CAROL)
    assert [x["field"] for x in told(capsys) if x["event"] == "policy"] == ["keys/allowed_signers"]


@WAYS
def test_a_shallow_clone_can_judge_nothing(
    placed: Placed,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = placed()
    place.propose(2, "Dave", branch="before")
    place.merge("squash", "before")  # so the next one has a number that a shallow clone can't know
    place.propose(1, "Alice", number=2)
    place.merge(how)
    shallow = tmp_path / "shallow"
    place.git("clone", "-q", "--depth", "3", f"file://{place.folder}", str(shallow))
    monkeypatch.chdir(shallow)
    (move,) = moves(capsys)
    assert move["approvals_not_judged"]["signed_by"] == [ALICE]
    assert "shallow" in move["approvals_not_judged"]["reason"]
    assert "approved_by" not in move and "not_counted" not in move
    assert move["merged_by"] == CAROL
    said = printed(capsys, monkeypatch, "churn/1")
    assert "approvals not judged: the clone is shallow (git fetch --unshallow); signed by " in said
    assert "approved by" not in said
    place.git("-C", str(shallow), "fetch", "-q", "--unshallow")
    (move,) = moves(capsys)
    assert move["approved_by"] == [ALICE]


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("gitreg.yaml", "stages: [\n", ""),
        ("keys/allowed_signers", "what is this\n", "the keys can't be read"),
    ],
    ids=["settings", "keys"],
)
def test_rules_that_can_not_be_read(
    placed: Placed, path: str, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()
    place.propose(1, "Alice")
    was = (place.folder / path).read_text()
    with person("Ann"):
        place.write(path, text)
        place.commit("broken")
    with person("Carol"):
        place.git("merge", "-q", "--no-ff", "--no-edit", "proposal")
    with person("Ann"):
        place.write(path, was)
        place.commit("mended")
    (move,) = moves(capsys)
    assert move["approvals_not_judged"]["signed_by"] == [ALICE]
    assert said in move["approvals_not_judged"]["reason"]


def test_a_commit_is_judged_once(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    from gitreg.registry.hands import hands
    from gitreg.registry.log import log

    place = placed()
    place.propose(1, "Alice")
    place.merge("squash")
    judged = []
    step_of = counted.step_of
    monkeypatch.setattr(counted, "step_of", lambda *args: (judged.append(1), step_of(*args))[1])
    with open_registry(place.folder) as registry:
        part = registry.store.index.slice()
        for _ in range(3):
            found = [who for _, people in hands(registry.store, part, log(part)) for who in people]
            assert [one.person.email for each in found for one in each.approved_by] == [ALICE]
    assert judged == [1]


# Approvals as events


@WAYS
def test_an_approval_is_an_event(placed: Placed, how: str, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge(how)
    (found,) = [change for change in told(capsys, "churn/1") if change["event"] == "approve"]
    assert found == {
        "event": "approve",
        "model": "churn",
        "version": 1,
        "stage": "Production",
        "field": "approvals/churn/1/Production/1/alice%40example.com.sig",
        "before": None,
        "after": {"approver": ALICE, "number": 1, "proposed_by": [BOB]},
        "summary": "approve version 1 for Production",
    }


def test_a_write_of_ones_own_names_nobody(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed(count=0)
    with person("Ann"), open_registry(place.folder) as registry:
        registry.transition("churn/1", "Production")
    assert not any("proposed_by" in change for change in told(capsys))


def test_a_squash_is_taken_back_without_its_approval(
    placed: Placed, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge("squash")
    assert app.run(["revert", "HEAD"]) == 0
    assert next(place.folder.glob("approvals/**/*.sig")).is_file()
    capsys.readouterr()
    assert app.run(["revert", "HEAD~1:2"]) == 4
    assert "approvals are only ever added to" in capsys.readouterr().err


# Changes of the rules


def of_rules(capsys: pytest.CaptureFixture[str]) -> Told:
    """The changes of the rules that the log tells, newest first."""
    return [change for change in told(capsys) if change["event"] == "policy"]


def test_files_of_rules_are_events(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed()
    with person("Ann"):
        place.write("gates/production.json", "{}\n")
        place.write("CODEOWNERS", "* @ml\n")  # by which nobody goes here
        added = place.commit("gate")
        place.write("gates/production.json", '{"type": "object"}\n')
        place.commit("gate")
        (place.folder / "gates/production.json").unlink()
        place.write("keys/allowed_signers", place.signers(DAVE))
        place.commit("gone")
    found = of_rules(capsys)
    assert [each["summary"] for each in found] == [
        "remove gates/production.json",
        "change keys/allowed_signers",
        "change gates/production.json",
        "add gates/production.json",
        "add keys/allowed_signers",
    ]
    assert [each["field"] for each in found[3:]] == ["gates/production.json", "keys/allowed_signers"]
    blob = place.git("rev-parse", f"{added}:gates/production.json")
    assert (found[3]["before"], found[3]["after"]) == (None, blob) and found[2]["before"] == blob
    assert not any("proposed_by" in each for each in found), "written by one person, approved by nobody"


def test_codeowners_are_rules_where_somebody_goes_by_them(
    placed: Placed, capsys: pytest.CaptureFixture[str]
) -> None:
    place = placed()
    text = (place.folder / "gitreg.yaml").read_text()
    with person("Ann"):
        place.write("gitreg.yaml", text.replace("count: 1", "count: 1\n      codeowners: true"))
        place.write(".github/CODEOWNERS", "* @ml\n")
        place.commit("owners")
    assert [each["summary"] for each in of_rules(capsys)][:2] == [
        "change stages of the registry",
        "add .github/CODEOWNERS",
    ]


@WAYS
def test_who_changed_the_rules(
    placed: Placed, how: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = placed()
    place.git("switch", "-q", "-c", "proposal")
    with person("Bob"):
        place.write("gates/production.json", "{}\n")
        place.write("gitreg.yaml", (place.folder / "gitreg.yaml").read_text() + 'x-note: "odd"\n')
        place.commit("A gate")
    place.approve_rules("Alice")
    place.approve_rules("Dave", base="HEAD")  # as if the rules had been these before
    place.git("switch", "-q", "main")
    place.merge(how)
    found = [each for each in of_rules(capsys) if "proposed_by" in each]
    assert {each["field"] for each in found} == {"gates/production.json", "extra"}
    for each in found:
        assert (each["proposed_by"], each["approved_by"], each["merged_by"]) == ([BOB], [ALICE], CAROL)
        assert each["not_counted"] == [
            {"approver": DAVE, "reason": "the rules were others when it was signed"}
        ]
    said = printed(capsys, monkeypatch)
    assert "approve a change of the rules, by Alice" in said
    assert "  proposed by Bob, approved by Alice, merged by Carol\n" in said
    assert "  also signed, not counted: Dave (the rules were others when it was signed)\n" in said


def test_files_of_rules_are_taken_back_by_git(placed: Placed, capsys: pytest.CaptureFixture[str]) -> None:
    place = placed(count=0)
    with person("Ann"):
        place.write("gates/production.json", "{}\n")
        place.commit("gate")
        for asked in ("HEAD", "HEAD:1"):
            assert app.run(["revert", asked]) == 4
            said = capsys.readouterr().err
            assert "gates/production.json" in said and "git revert " in said


# In words


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *args: str) -> str:
    """What a person sees on a terminal."""
    from gitreg.cli import log

    capsys.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr(log, "on_terminal", lambda: True)
        assert app.run(["log", *args]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("how", ["merge", "squash"])
def test_a_promotion_reads_like_a_record(
    placed: Placed, how: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = placed()
    with person("Ann"):
        place.move(2, "Production")
    place.git("switch", "-q", "-c", "proposal")
    with person("Bob"):
        text = (place.folder / "models/churn/versions/2.yaml").read_text().partition("stages:")[0]
        place.write("models/churn/versions/2.yaml", text)
        place.move(1, "Production")
    place.approve(1, "Alice", 2)
    place.approve(1, "Dave", 2, rule="0" * 64)
    place.git("switch", "-q", "main")
    place.merge(how)
    rows = printed(capsys, monkeypatch, "churn", "--stage", "Production", "-n", "1").splitlines()
    assert rows[:4] == [
        "churn: transition version 1 to Production",
        "  2. unassign Production from version 2",
        "  3. approve version 1 for Production, by Alice",
        "  4. approve version 1 for Production, by Dave",
    ]
    assert rows[4].endswith(", merge") is (how == "merge") and "  Carol  " in rows[4]
    assert rows[5:7] == [
        "  proposed by Bob, approved by Alice, merged by Carol",
        f"  also signed, not counted: Dave ({OTHER_RULES})",
    ]
    capsys.readouterr()
    assert app.run(["log", "churn", "--stage", "Production"]) == 0
    assert "\tapprove version 1 for Production, by Alice\n" in capsys.readouterr().out


def test_an_approval_of_its_own_is_told_once(
    placed: Placed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = placed()
    place.propose(1, "Alice")
    place.merge("rebase")
    said = printed(capsys, monkeypatch, "churn/1", "-n", "1")
    assert said.startswith("churn: approve version 1 for Production, by Alice\n")
    assert said.count("approve version 1") == 1, "the subject says no more"
    for way in ((), ("--oneline",)):
        assert said.count("approve version 1") == printed(capsys, monkeypatch, *way).count(
            "approve version 1"
        )


def test_of_a_commit_that_nobody_merged_only_the_committer_is_told(
    placed: Placed, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = placed(count=0)
    with person("Bob"):
        place.move(2, "Production")
    with person("Carol"):
        place.git("commit", "-q", "--amend", "--no-edit")
    said = printed(capsys, monkeypatch, "churn/2", "-n", "1")
    assert "merged" not in said and "  Bob, committed by Carol  " in said
    assert not any("merged_by" in each for each in moves(capsys, 2))
