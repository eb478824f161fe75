"""An assignment of a stage that was made long ago, found by its number in the history."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, NotFound
from gitreg.gitstore.repository import Repository
from gitreg.registry.assigned import assigned, by_tag
from gitreg.registry.open import open_registry
from gitreg.registry.proposal_names import Promotion
from gitreg.registry.store import Store
from tests.registry.conftest import Git


@pytest.fixture
def store(worktree: Path) -> Iterator[Store]:
    """Version 1 had Production, 2 took it, and 1 has it again."""
    with open_registry(worktree) as registry:
        for number in (1, 2):
            registry.register("a b", f"s3://{number}")
        for number in (1, 2, 1):
            registry.transition(f"a b/{number}", "Production", archive_existing=True)
        registry.tag("a b/2", {"seen": "yes"})
    with Store(Repository.discover(worktree)) as found:
        yield found


def test_by_number(store: Store) -> None:
    head = store.head()
    for number, version in ((1, 1), (2, 2), (3, 1)):
        for name in ("a b", "a%20b", "refs/tags/a%20b"):
            found = by_tag(store, head, f"{name}/production/{number}")
            assert found is not None and (found.what.version, found.number) == (version, number)
            assert found.approved is None and found.said.startswith(f"a b/{version} entered Production in ")
    with pytest.raises(NotFound, match="there is no assignment 4 of Production of a b"):
        by_tag(store, head, "a b/Production/4")
    for name in ("a b/Production", "c/Production/1", "a b/QA/1", "a b/Production/0"):
        assert by_tag(store, head, name) is None


def test_the_newest(store: Store) -> None:
    head = store.head()
    found = assigned(store, head, Promotion(name="a b", version=1, stage="Production"))
    assert found is not None and found.number == 3
    assert assigned(store, head, Promotion(name="a b", version=2, stage="Staging")) is None


def test_a_shallow_clone_does_not_tell(store: Store, tmp_path: Path, git: Git) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{store.repository.root}", "shallow")
    with Store(Repository.discover(tmp_path / "shallow")) as shallow, pytest.raises(EnvironmentFailure):
        by_tag(shallow, shallow.head(), "a b/Production/1")
