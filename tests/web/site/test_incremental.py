"""A run that makes only what has changed leaves the same bytes as one that makes all."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from gitreg.errors import GitregError
from tests.index.histories import HISTORIES, OPENING, STEPS
from tests.index.world import NAMES, Step, World, refusal, template
from tests.web.site.building import build
from tests.web.site.checking import files


@dataclass(frozen=True)
class Child(Step):
    """A version that came from another model's, which its pages and those of the other tell."""

    name: int
    parent: int
    number: int = 1
    pointer: str = ""

    def on(self, world: World) -> None:
        parent = NAMES[self.parent % len(NAMES)]
        with refusal():
            world.registry.register(
                NAMES[self.name % len(NAMES)],
                f"s3://bucket/child/{len(world.log)}",
                parents=[f"models:/{parent}{self.pointer or f'/{self.number}'}"],
                metrics={"auc": 0.7},
            )


CHILDREN = st.builds(
    Child, st.integers(0, 5), st.integers(0, 5), st.integers(1, 2), st.sampled_from(["", "@newest"])
)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("template") / "registry"
    template(place)
    return place


def play(world: World, steps: list[Step]) -> None:
    for step in steps:
        try:
            world.do(step)
        except OSError:  # a change of the layout where a hand edit lies in the way
            world.settle()


def equal(world: World, grown: Path, folder: Path) -> None:
    """The grown site is brought up to date, and holds what a new one does."""
    whole = folder / "whole"
    shutil.rmtree(whole, ignore_errors=True)
    try:
        build(world.folder, whole)
    except GitregError:
        with pytest.raises(GitregError):
            build(world.folder, grown)
        return
    built = build(world.folder, grown)
    ours, theirs = files(grown), files(whole)
    assert ours.keys() == theirs.keys(), world.log
    differing = [path for path in ours if ours[path] != theirs[path]]
    assert not differing, told(differing, ours, theirs) + "\n".join(world.log)
    event("kept" if built.since else "made anew")


def told(differing: list[str], ours: dict[str, bytes], theirs: dict[str, bytes]) -> str:
    """Where two sites differ, for whoever has to find out why."""
    first = next(path for path in differing if path != ".gitreg-site.json")
    lines = (site[first].decode().splitlines() for site in (ours, theirs))
    return "\n".join([*differing, *unified_diff(*lines, "grown", "whole", lineterm="", n=1), ""])


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    first=HISTORIES, more=st.lists(st.lists(st.one_of(STEPS, CHILDREN), min_size=1, max_size=4), max_size=4)
)
def test_any_history(registry: Path, first: list[Step], more: list[list[Step]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(registry, folder / "registry", symlinks=True)
        world = World(folder / "registry")
        play(world, [*OPENING, Child(2, 0), Child(3, 2), *first])
        grown = folder / "grown"
        equal(world, grown, folder)
        for steps in more:
            play(world, steps)
            equal(world, grown, folder)
        world.registry.close()
