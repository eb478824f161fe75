"""For any sequence of registry operations, hand edits, branches, merges (merge commit, squash, rebase),
reverts and renames, the index equals a slow reference that reads every tree; ``--at`` for every commit
equals the tree of that commit; events sum up to the state.

``GITREG_HISTORIES=500`` draws that many histories at random instead of the same few each time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from gitreg.cli import app
from gitreg.registry import feed, indexing
from tests.index import proof, rows
from tests.index.histories import HISTORIES, OPENING
from tests.index.reference import Reference
from tests.index.steps import (
    APPROVALS,
    RAWS,
    RULES,
    SPOILS,
    Approve,
    Ask,
    Back,
    Batch,
    Branch,
    Clock,
    Configure,
    Gc,
    Merge,
    Raw,
    Register,
    Rules,
    Spoil,
    Stray,
    Write,
)
from tests.index.world import Step, World, template

_MANY = int(os.environ.get("GITREG_HISTORIES", "0"))


class Proof:
    """One history with three indexes: kept up to date, caught up from an older point, built cold."""

    def __init__(self, place: Path, prefix: str = "") -> None:
        self.world = World(place, prefix)
        self.reference = Reference(place, prefix)
        self.old = place.with_name("old")
        self.kept = place.with_name("kept")

    @property
    def index(self) -> Path:
        return self.world.registry.store.index.folder.path

    def play(self, steps: Sequence[Step]) -> None:
        """Play a history, looking closely in the middle and at the end of it."""
        points = {len(steps) // 2, len(steps) - 1}
        for at, step in enumerate(steps):
            self.world.do(step)
            self.look()
            if at in points:
                self.compare()

    def look(self) -> None:
        """What a person reads in between keeps the index up to date."""
        self.world.registry.store.index.slice()

    def compare(self) -> None:
        """All three indexes, and all that is answered from the first, against the reference."""
        registry = self.world.registry
        truth = proof.check(registry, self.reference)
        proof.check_slices(registry, truth)
        kept = rows.dump(registry.store.index.slice())
        registry.close()
        shutil.move(self.index, self.kept)
        for near in (indexing._NEAR, 0):  # both ways of reading commits: one by one, and by a walk of Git's
            self._check_other(kept, "built cold", near)
            if self.old.exists():
                shutil.copytree(self.old, self.index)
                self._check_other(kept, "caught up", near)
        shutil.rmtree(self.old, ignore_errors=True)
        shutil.move(self.kept, self.index)
        shutil.copytree(self.index, self.old)
        self.world.registry = self.world.opened()

    def _check_other(self, kept: dict[str, list[rows.Row]], how: str, near: int) -> None:
        with pytest.MonkeyPatch.context() as patch, self.world.opened() as other:
            patch.setattr(indexing, "_NEAR", near)
            patch.setattr(feed, "_AT_ONCE", near)  # at 0 each model of a commit is read apart
            found = rows.dump(other.store.index.slice())
        assert found == kept, f"{how}, near: {near}"
        shutil.rmtree(self.index)

    def off_chain(self) -> None:
        """Views of commits that are not on the branch's first-parent chain."""
        for name in self.world.git("for-each-ref", "--format=%(refname)", "refs/heads").split():
            proof.check_view(self.world.registry, name, self.reference.tree(name))


def prove(steps: Sequence[Step], *, prefix: str = "", algorithm: str = "sha1") -> World:
    """Play a history in a fresh registry and hold everything against the reference."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "registry"
        template(place, prefix=prefix, algorithm=algorithm)
        run = Proof(place, prefix)
        try:
            run.play(steps)
            run.off_chain()
            verify(run.world.folder)
        except BaseException as error:
            error.add_note("\n".join(["the history:", *run.world.log]))
            raise
        finally:
            run.world.registry.close()
        return run.world


def verify(folder: Path) -> None:
    """``gitreg index --verify`` finds nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITREG_REGISTRY", str(folder))
        assert app.run(["index", "--verify"]) == 0


@given(steps=HISTORIES)
@settings(
    max_examples=_MANY or 8,
    derandomize=not _MANY,
    deadline=None,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
def test_any_history(steps: list[Step]) -> None:
    prove([*OPENING, *steps])


_TOPIC = (Branch("topic"), Ask("assign", 0, 2, 0), Register(2), Ask("rename", 1, 1, 6))
_MAIN = (Branch("main"), Ask("tag", 0, 1, 2), Register(1))

TOUR: dict[str, tuple[Step, ...]] = {
    "verbs": (
        Ask("assign", 0, 1, 0),
        Ask("alias", 0, 1, 0),
        Ask("tag", 0, 2, 3),
        Ask("transition", 0, 2, 5),
        Ask("evaluate", 0, 2, 3),
        Ask("deprecate", 0, 1),
        Ask("own", 0, 1, 2),
        Ask("tag model", 0, 1, 2),
        Ask("describe", 0, 2),
        Ask("unassign", 0, 2, 1),
        Ask("unalias", 0, 1, 0),
    ),
    "deletion": (
        Ask("delete", 0, 1),
        Ask("restore", 0, 1),
        Ask("delete model", 0),
        Ask("restore model", 0),
        Ask("delete model", 1),
        Register(1),
        Ask("delete", 0, 2),
        Back("revert"),
    ),
    "renames": (
        Ask("rename", 0, 1, 3),
        Ask("transition", 0, 2, 1),
        Register(0),
        Ask("rename", 1, 1, 4),
        Ask("rename", 2, 1, 6),
        Ask("delete model", 0),
        Back("revert", 3),
    ),
    "odd names": (*map(Register, range(2, 8)), Ask("delete model", 7), Ask("restore model", 7)),
    "odd new names": tuple(Ask("rename", 0, 1, number) for number in range(2, 8)),
    "several at once": (
        Batch((Register(2), Register(2), Ask("delete", 0, 1), Register(1), Ask("tag", 1, 1, 4))),
        Batch((Ask("rename", 0, 1, 5), Ask("own", 1, 1, 2))),
        Batch((Ask("delete model", 0), Register(0))),
    ),
    "merge commit": (*_TOPIC, *_MAIN, Merge("commit", "topic"), Ask("describe", 0, 1)),
    "squash": (*_TOPIC, *_MAIN, Merge("squash", "topic"), Ask("describe", 0, 1)),
    "rebase": (*_TOPIC, *_MAIN, Merge("rebase", "topic"), Ask("describe", 0, 1)),
    "foxtrot": (*_TOPIC, *_MAIN, Merge("foxtrot", "topic"), Ask("describe", 0, 1)),
    "to and fro": (
        *_TOPIC,
        *_MAIN,
        Branch("topic"),
        Branch("side"),
        Register(3),
        Branch("main"),
        Register(0),
    ),
    "rewritten": (
        Ask("transition", 0, 2, 1),
        Back("amend"),
        Back("reword"),
        Back("reset", 3),
        Register(0),
        Back("squash", 2),
        Register(3),
        Back("orphan"),
        Register(0),
    ),
    "taken back": (Ask("transition", 0, 2, 1), Back("revert"), Back("revert"), Back("revert", 4)),
    "by hand": (
        Write(0, 1, ("Staging", "Production")),
        Write(0, 1, ("Archived",), "forged"),
        Write(0, 7, ("Production",), "latin-1", "Grace Hopper <grace@example.com>"),
        Write(0, 7, (), "odd blanks"),
        Write(1, 1, ("Staging", "Archived", "Production"), "empty", "Ünï Cödé <u@e>"),
        Write(1, 1, ("Staging",), "blank lines"),
        Write(1, 1, (), "escapes"),
        Stray("empty", "long"),
    ),
    "strays": tuple(
        Stray(how)
        for how in ("readme", "card", "stray", "odd number", "no name", "bytes", "elsewhere", "empty")
    ),
    "settings": tuple(Configure(how) for how in ("stages", "name", "broken", "gone", "all gone", "name")),
    "approvals": (
        *(Approve(how) for how in APPROVALS),
        *(Approve("plain", name) for name in (2, 3)),
        Approve("again"),
        Ask("rename", 0, 1, 3),
        Approve("second", 3),
    ),
    "approved aside": (
        Branch("topic"),
        Ask("transition", 0, 2, 1),
        Approve("plain"),
        Branch("main"),
        Register(1),
        Merge("squash", "topic"),
        Configure("layout"),
        Approve("second"),
    ),
    "rules": (
        *(Rules(how) for how in RULES),
        Configure("owners"),
        *(Rules(how) for how in ("owners", "keys", "gate")),
        Configure("broken"),
        Configure("gone"),
        Branch("topic"),
        Rules("other owners"),
        Ask("transition", 0, 2, 1),
        Approve("policy"),
        Branch("main"),
        Register(1),
        Merge("squash", "topic"),
    ),
    "layouts": (
        Configure("layout"),
        Register(0),
        Ask("rename", 0, 1, 3),
        Configure("layout alone"),
        Spoil("broken", 2),
        Configure("layout"),
        Register(4),
    ),
    "collected": (Branch("topic"), Register(2), Branch("main"), Back("reset", 2), Gc(), Register(0), Gc()),
    "clocks": (
        Clock(-30),
        Register(0),
        Clock(-400),
        Ask("tag", 0, 1),
        Clock(2000),
        Register(0),
        Clock(-1000),
    ),
    "raw": tuple(step for how in RAWS for step in (Raw(how), Ask("tag", 0, 1, RAWS.index(how)))),
    # Of the manifests of two models, one of which has two versions, 0 is a model's and 2 a version's.
    **{
        f"spoilt {what}": tuple(
            step
            for how in SPOILS[:-1]
            for step in (
                Spoil(how, at),
                Stray("card"),
                Write(1, 1),
                Back("revert", 2 if what == "models" else 3),
                Register(0),
            )
            if not (what == "models" and isinstance(step, Write))  # with one spoilt none can be listed
        )
        for what, at in (("models", 0), ("versions", 2))
    },
}


@pytest.mark.parametrize("name", TOUR)
def test_each_kind_of_history(name: str) -> None:
    world = prove([*OPENING, *TOUR[name]])
    assert world.refused == [], "each step of these histories must be possible"


@pytest.mark.parametrize(
    ("prefix", "algorithm"), [("teams/ml registry/", "sha1"), ("", "sha256"), ("deep/er/", "sha256")]
)
def test_a_registry_in_a_folder_and_with_longer_ids(prefix: str, algorithm: str) -> None:
    names = ("verbs", "renames", "merge commit", "rewritten", "by hand", "settings", "rules")
    prove([*OPENING, *(step for name in names for step in TOUR[name])], prefix=prefix, algorithm=algorithm)
