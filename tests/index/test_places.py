"""The index in other places than a work tree on its branch, and at heads that hold no registry."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.domain.model import ModelState
from gitreg.errors import InvalidManifests, NotARegistry
from gitreg.registry.history import last_state_with
from gitreg.registry.indexing import slice_of
from gitreg.registry.open import open_registry
from gitreg.registry.view import View, view_at
from tests.index import proof, rows
from tests.index.histories import OPENING
from tests.index.reference import Reference
from tests.index.steps import Ask, Back, Configure, Gc, Merge, Register, Spoil, Write
from tests.index.steps import Branch as Switch
from tests.index.world import World, template


@pytest.fixture
def world(tmp_path: Path) -> World:
    template(tmp_path / "registry")
    made = World(tmp_path / "registry")
    made.play(OPENING)
    return made


def run(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    capsys.readouterr()
    assert app.run(list(args)) == code
    said = capsys.readouterr()
    return said.out, said.err


def test_a_bare_registry_that_is_pushed_to(world: World, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    world.git("clone", "-q", "--bare", str(world.place), str(bare))
    with open_registry(bare) as kept:
        for steps in (
            (Register(0), Ask("rename", 0, 1, 4)),
            (Switch("topic"), Register(2), Switch("main"), Merge("commit", "topic")),
            (Back("reset", 3), Register(1), Gc()),
            (Back("squash", 3), Write(0, 1, ("Archived",))),
        ):
            world.play(steps)
            world.git("push", "-q", "--force", str(bare), "main")
            proof.check(kept, Reference(bare))
            with open_registry(bare) as fresh:
                proof.check(fresh, Reference(bare))
        subprocess.run(["git", "gc", "-q", "--prune=now"], cwd=bare, check=True)
        proof.check(kept, Reference(bare))
    assert world.refused == []
    # The repository's HEAD names another branch than the registry's.
    subprocess.run(["git", "branch", "other", "main~2"], cwd=bare, check=True)
    subprocess.run(["git", "symbolic-ref", "HEAD", "refs/heads/other"], cwd=bare, check=True)
    truth = Reference(bare).truth("main")
    with open_registry(bare) as fresh:
        assert slice_of(fresh.store).commit == truth.head.commit.oid
        proof.check_log(fresh, truth)


def test_a_detached_head(world: World) -> None:
    with world.registry as kept:
        for rev in ("HEAD~2", "main", "HEAD~4", "main"):
            world.git("checkout", "-q", "--detach", rev)
            proof.check(kept, Reference(world.place))
        world.git("commit", "--allow-empty", "-qm", "On no branch")
        world.do(Write(0, 1, ("Production",)))
        proof.check(kept, Reference(world.place))


def test_a_clone_beside_its_origin_has_an_index_of_its_own(world: World, tmp_path: Path) -> None:
    slice_of(world.registry.store)
    world.git("clone", "-q", str(world.place), str(tmp_path / "clone"))
    other = World(tmp_path / "clone")
    other.play([Register(0), Ask("delete", 0, 1)])
    with world.registry as here, other.registry as there:
        proof.check(here, Reference(world.place))
        proof.check(there, Reference(tmp_path / "clone"))


@pytest.mark.parametrize(("how", "error"), [("broken", InvalidManifests), ("gone", NotARegistry)])
def test_a_head_without_readable_settings(
    world: World, how: str, error: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    reference = Reference(world.place)
    with world.registry as kept:
        slice_of(kept.store)
        world.do(Configure(how))  # which mends it with a second commit
        world.git("reset", "-q", "--hard", "HEAD~1")
        truth = reference.truth()
        for moment in truth.moments:
            proof.check_view(kept, moment.commit.oid, moment.tree)
        rows.check_rows(slice_of(kept.store), truth)
        with pytest.raises(error):
            list(kept.at().models())
        world.git("revert", "--no-edit", "HEAD")
        proof.check(kept, reference)


@pytest.mark.parametrize(
    "how", ["folder", "link", "submodule", "gone", "broken", "other number", "executable", "comment"]
)
@pytest.mark.parametrize("file", [0, 2], ids=["model", "version"])
def test_the_tree_and_the_index_answer_alike(world: World, how: str, file: int) -> None:
    """What a view says must not depend on whether an index is at hand."""
    world.do(Spoil(how, file))
    oid = world.git("rev-parse", "HEAD")
    with world.registry as registry:
        slice_of(registry.store)
        view, tree = registry.at(oid), view_at(registry.store.decoder, oid, "")
        for name in ("churn", "fraud", "none"):
            assert _answer(view, name) == _answer(tree, name)
        assert _models(view) == _models(tree)


def _models(view: View) -> object:
    try:
        return [state.name for state in view.models()]
    except InvalidManifests as error:
        return str(error)


def _answer(view: View, name: str) -> object:
    try:
        state = view.state(name)
        numbers = sorted(state.versions)
        return state.model, numbers, [repr(_version(state, number)) for number in numbers]
    except InvalidManifests as error:
        return str(error)


def _version(state: ModelState, number: int) -> object:
    try:
        return state.versions[number]
    except InvalidManifests as error:
        return str(error)


def test_dates_are_found_by_history_not_by_time(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """The clock goes back by a year: the newest commit that is not later counts, however old it claims to be."""
    with world.registry as kept:
        late = world.git("rev-parse", "HEAD")
        early = world.git(
            "commit-tree", "-p", late, "-m", "Early", "HEAD^{tree}", GIT_COMMITTER_DATE="1700000000 +0000"
        )
        world.git("reset", "-q", "--hard", early)
        assert kept.at("2023-12-01").commit == early
        assert kept.at("2024-12-01").commit == early
        world.do(Register(0))
        assert kept.at("2023-12-01").commit == early
        assert kept.at("2024-12-01").commit == world.git("rev-parse", "HEAD")


def test_what_was_deleted_long_ago_is_restored_from_history(world: World) -> None:
    with world.registry as kept:
        world.play([Ask("delete", 0, 1), Register(0), Gc(), Ask("restore", 0, 1)])
        assert world.refused == []
        proof.check(kept, Reference(world.place))
        past = last_state_with(kept.store, world.git("rev-parse", "HEAD~1"), "churn", 1)
        assert past.commit == world.git("rev-parse", "HEAD~3")


def test_verify_beside_a_writer_raises_no_false_alarm(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The branch moves on, and another process brings the index up to date, while it is being proved."""
    from gitreg.registry import proving

    compared = proving._compared

    def meanwhile(*args: object) -> object:
        world.do(Ask("transition", 0, 2, 1))
        with world.opened() as other:
            slice_of(other.store)
        return compared(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(proving, "_compared", meanwhile)
    monkeypatch.chdir(world.place)
    assert "equal" in run(capsys, "index", "--verify")[0]
    assert world.refused == []


def test_the_figures_of_the_index(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(world.place)
    truth = Reference(world.place).truth()
    found = json.loads(run(capsys, "index", "--verify", "--json")[0])
    assert found["equal"] is True
    assert found["commits"] == len(truth.moments)
    assert found["events"] == sum(len(moment.changes) for moment in truth.moments)
