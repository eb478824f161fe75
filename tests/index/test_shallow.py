"""A shallow clone: what stands is told, what can't be known is said to be so, and unshallowed all is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.registry.indexing import slice_of
from gitreg.registry.open import open_registry
from tests.index import proof
from tests.index.histories import OPENING
from tests.index.reference import Reference
from tests.index.steps import Ask, Register, Write
from tests.index.world import Step, World, template

DEPTH = 3
STEPS: tuple[Step, ...] = (
    *OPENING,
    Ask("transition", 0, 2, 1),
    Ask("alias", 0, 1, 0),
    Register(0),
    Write(0, 1, ("Staging",)),
    Ask("describe", 0, 2),
)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone with the newest three commits, which is the current folder."""
    template(tmp_path / "origin")
    world = World(tmp_path / "origin")
    world.play(STEPS)
    world.registry.close()
    assert world.refused == []
    world.git("clone", "-q", "--depth", str(DEPTH), f"file://{tmp_path}/origin", str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    return tmp_path / "clone"


def run(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[str, str]:
    capsys.readouterr()
    code = app.run(list(args))
    said = capsys.readouterr()
    assert code == 0, said.err
    return said.out, said.err


def test_what_is_there_is_read(clone: Path) -> None:
    reference = Reference(clone)
    truth = reference.truth()
    assert len(truth.moments) == DEPTH
    with open_registry(clone) as registry:
        for moment in truth.moments:
            proof.check_view(registry, moment.commit.oid, moment.tree)
        part = slice_of(registry.store)
        assert part.seq == DEPTH
        rows = part.rows("SELECT h.name, h.number, h.stage, h.at FROM holding h WHERE $h")
        assert sorted(rows) == sorted(truth.head.tree.holdings())


def test_the_first_commit_is_not_told_to_have_made_what_it_holds(clone: Path) -> None:
    truth = Reference(clone).truth()
    with open_registry(clone) as registry:
        entries = list(registry.log())
        oids = {entry.commit.oid for entry in entries if entry.changes}
        assert oids == {moment.commit.oid for moment in truth.moments[1:]}
        whole = {moment.commit.oid: moment.changes for moment in truth.moments[1:]}
        for entry in entries:
            if entry.changes:
                assert list(map(proof.same, entry.changes)) == list(map(proof.same, whole[entry.commit.oid]))


@pytest.mark.parametrize("command", [("log",), ("log", "churn"), ("log", "churn/1"), ("timeline", "churn")])
def test_that_history_is_missing_is_said(
    clone: Path, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    out, errors = run(capsys, *command)
    assert "shallow" in (out + errors).lower()


def test_unshallowed_all_is_known(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_registry(clone) as registry:
        registry.store.index.slice()
        World(clone).git("fetch", "-q", "--unshallow")
        truth = proof.check(registry, Reference(clone))
        assert len(truth.moments) == len(STEPS) + 2
    with open_registry(clone) as registry:
        proof.check(registry, Reference(clone))
    out, errors = run(capsys, "log", "--json")
    assert len(json.loads(out)) == len(STEPS)
    assert "shallow" not in errors
    assert "equal" in run(capsys, "index", "--verify")[0]


@pytest.mark.parametrize("depth", [1, 5])
def test_another_depth_is_noticed(clone: Path, depth: int) -> None:
    with open_registry(clone) as registry:
        assert registry.store.index.slice().seq == DEPTH
        World(clone).git("fetch", "-q", "--depth", str(depth))
        assert registry.store.index.slice().seq == depth
        truth = Reference(clone).truth()
        for moment in truth.moments:
            proof.check_view(registry, moment.commit.oid, moment.tree)


def test_a_shallow_clone_grows_at_its_end(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(clone)
    with world.registry as registry:
        registry.store.index.slice()
        world.play([Register(0), Ask("rename", 1, 1, 5)])
        assert world.refused == []
        truth = Reference(clone).truth()
        assert len(truth.moments) == DEPTH + 2
        entries = [entry for entry in registry.log() if entry.changes]
        assert [list(map(proof.same, entry.changes)) for entry in entries] == [
            list(map(proof.same, moment.changes)) for moment in reversed(truth.moments[1:])
        ]
    assert "equal" in run(capsys, "index", "--verify")[0]
