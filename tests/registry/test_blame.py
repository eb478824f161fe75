"""Blame against a slow reference that reads every tree, and what a person would ask it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.errors import NotFound
from gitreg.manifest import encode
from gitreg.registry.blame import Blame, Credit, blame
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from tests.index.histories import HISTORIES, OPENING
from tests.index.reference import Reference, Truth
from tests.index.test_equal import TOUR
from tests.index.world import Step, World, template
from tests.registry.conftest import Git

_MANY = int(os.environ.get("GITREG_HISTORIES", "0"))
_LOST = object()


def asked(registry: Registry, uri: str, commit: str | None = None) -> Blame:
    return blame(registry.store, registry.store.index.slice(commit), uri)


def credit(registry: Registry, uri: str, path: str) -> Credit:
    (found,) = (one for one in asked(registry, uri).credits if one.path == path)
    return found


def flat(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that the reference looks at."""
    found = {key: data[key] for key in ("source", "run_id", "description", "owners", "name") if key in data}
    for key in ("tags", "stages", "params", "metrics", "aliases"):
        found |= {f"{key}.{below}": value for below, value in data.get(key, {}).items()}
    return found


def slow(truth: Truth, at: int, name: str, number: int | None) -> dict[str, tuple[Any, str]]:
    """Field → value and commit: walk the trees backwards for as long as the value is there."""

    def told(moment: int, called: str) -> Any:
        tree = truth.moments[moment].tree
        value = tree.models.get(called) if number is None else tree.versions.get((called, number))
        if isinstance(value, RegisteredModel):
            return flat(encode.encode_model(value))
        if isinstance(value, ModelVersion):
            return flat(encode.encode_version(value))
        return None if repr(value) == "<unreadable>" else _LOST

    now = told(at, name)
    since = dict.fromkeys(now, at)
    going, called = set(now), name
    for moment in range(at, 0, -1):
        came = [c for c in truth.moments[moment].changes if c.event == "rename" and c.after == called]
        called = came[0].model if came else called
        before = told(moment - 1, called)
        if before is _LOST:
            break
        if before is None:
            continue
        going = {key for key in going if before.get(key, _LOST) == now[key]}
        since |= dict.fromkeys(going, moment - 1)
    return {key: (now[key], truth.moments[since[key]].commit.oid) for key in now}


def compare(world: World, reference: Reference) -> int:
    """Every version and model at the head and in the middle; gives how many fields were looked at."""
    truth, looked = reference.truth(), 0
    last = len(truth.moments) - 1
    for at in {last, last // 2}:
        moment = truth.moments[at]
        living = {name for name, value in moment.tree.models.items() if isinstance(value, RegisteredModel)}
        things = [(name, None) for name in living]
        things += [
            key for key, v in moment.tree.versions.items() if isinstance(v, ModelVersion) and key[0] in living
        ]  # type: ignore[misc]
        for name, number in things:
            uri = name if number is None else f"{name}/{number}"
            found = asked(world.registry, f"models:/{uri}", moment.commit.oid)
            expected = slow(truth, at, name, number)
            got = {one.path: (one.value, one.commit) for one in found.credits if one.path in expected}
            assert got == expected, (uri, at)
            looked += len(got)
    return looked


def prove(steps: Sequence[Step]) -> int:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "registry"
        template(place)
        world = World(place)
        try:
            world.play(steps)
            return compare(world, Reference(place))
        except BaseException as error:
            error.add_note("\n".join(["the history:", *world.log]))
            raise
        finally:
            world.registry.close()


@pytest.mark.parametrize("steps", TOUR.values(), ids=TOUR)
def test_equals_the_reference_on_a_tour(steps: Sequence[Step]) -> None:
    assert prove([*OPENING, *steps]) > 10


@given(steps=HISTORIES)
@settings(
    max_examples=_MANY or 5,
    derandomize=not _MANY,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
def test_equals_the_reference_on_any_history(steps: list[Step]) -> None:
    prove([*OPENING, *steps])


def test_a_change_is_credited_to_its_commit(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"team": "a"}, metrics={"auc": 0.9}, run_id="r1")
    registry.tag("churn/1", {"team": "b"})
    moved = registry.store.head()
    registry.transition("churn/1", "Production", message="Because")
    found = credit(registry, "churn/1", "tags.team")
    assert (found.value, found.commit, found.event) == ("b", moved, "change")
    assert found.author == "Ada Lovelace" and found.email == "ada@example.com"
    assert found.subject == "churn: tag version 1 with team"
    assert credit(registry, "churn/1", "stages.Production").commit == registry.store.head()
    assert {one.path for one in asked(registry, "churn/1").credits if one.event == "register"} == {
        "created",
        "source",
        "run_id",
        "metrics.auc",
        "status",
    }


def test_a_value_that_went_and_came_again_is_the_later_commits(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"team": "a"})
    registry.untag("churn/1", "team")
    registry.tag("churn/1", {"team": "a"})
    assert credit(registry, "churn/1", "tags.team").commit == registry.store.head()


def test_evaluations_of_one_name_are_told_apart(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    heads = []
    for auc in (0.8, 0.9):
        registry.evaluate("churn/1", "holdout", {"auc": auc})
        heads.append(registry.store.head())
    found = [one for one in asked(registry, "churn/1").credits if one.field == "evaluations"]
    assert [one.path for one in found] == ["evaluations.holdout"] * 2
    assert [one.commit for one in found] == heads


def test_a_rename_changes_no_ones_credit_but_the_names(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", aliases=["champion"])
    first = registry.store.head()
    registry.rename("churn", "attrition")
    renamed = registry.store.head()
    assert {one.commit for one in asked(registry, "attrition/1").credits} == {first}
    assert credit(registry, "attrition", "name").commit == renamed
    assert credit(registry, "attrition", "aliases.champion").commit == first


def test_what_was_restored_came_with_the_restoring_commit(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"team": "a"})
    registry.delete("churn/1")
    registry.restore("churn/1")
    assert {one.event for one in asked(registry, "churn/1").credits} == {"restore"}
    assert credit(registry, "churn/1", "source").commit == registry.store.head()


def test_a_hand_edit_and_a_merge_are_seen_like_a_command(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://b/1")
    git(worktree, "switch", "-qc", "topic")
    file = worktree / "models/churn/versions/1.yaml"
    file.write_text(file.read_text() + "description: By hand\n")
    git(worktree, "commit", "-qam", "Edit", "--author=Grace Hopper <grace@example.com>")
    git(worktree, "switch", "-q", "main")
    git(worktree, "commit", "-q", "--allow-empty", "-m", "Meanwhile")
    git(worktree, "merge", "-q", "--no-ff", "-m", "Take it", "topic")
    with open_registry(worktree) as registry:
        found = credit(registry, "churn/1", "description")
        assert (found.subject, found.commit) == ("Take it", git(worktree, "rev-parse", "HEAD"))


def test_a_manifest_that_was_unreadable_for_a_while_is_passed_over(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://b/1", tags={"team": "a"})
        first = registry.store.head()
    file = worktree / "models/churn/versions/1.yaml"
    good = file.read_text()
    for text in ("<<<<<<< HEAD\n" + good, good + "description: Mended\n"):
        file.write_text(text)
        git(worktree, "commit", "-qam", "Edit")
    with open_registry(worktree) as registry:
        assert credit(registry, "churn/1", "tags.team").commit == first
        assert credit(registry, "churn/1", "description").commit == registry.store.head()


def test_a_shallow_clone_says_what_it_can_not_know(worktree: Path, git: Git, tmp_path: Path) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://b/1")
        registry.tag("churn/1", {"team": "a"})
        registry.tag("churn/1", {"team": "b"})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", "--depth=2", f"file://{worktree}", str(clone))
    with open_registry(clone) as registry:
        assert credit(registry, "churn/1", "source").boundary
        assert not credit(registry, "churn/1", "tags.team").boundary


def test_at_an_earlier_commit(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"team": "a"})
    first = registry.store.head()
    registry.tag("churn/1", {"team": "b"})
    found = asked(registry, "churn/1", first)
    assert {one.commit for one in found.credits} == {first} and found.commit == first


def test_what_is_not_there_is_not_found(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    for uri in ("churn/2", "nosuch", "churn@x"):
        with pytest.raises(NotFound):
            asked(registry, uri)


def test_the_registrys_own_method(registry: Registry) -> None:
    registry.register("churn", "s3://b/1")
    found = registry.blame("churn/1")
    assert (found.name, found.version, found.commit) == ("churn", 1, registry.store.head())
    assert registry.blame("churn").version is None
