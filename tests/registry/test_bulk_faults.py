"""A bulk write that is killed leaves nothing of it, or all of it; and memory does not grow with commits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitreg.domain.model import Origin
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Register, Request, Transition
from gitreg.domain.settings import Settings
from gitreg.gitstore import pack
from gitreg.gitstore.repository import Repository
from gitreg.registry import states
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create_bare
from gitreg.registry.open import open_registry
from gitreg.registry.store import Store
from gitreg.registry.write import Ask, apply_each
from tests.faults.harness import ROOT, assert_sound, environment
from tests.registry.bulk_victim import ADA
from tests.registry.conftest import Git

COUNT = 80  # more than the tags that are made one by one
NOTHING = ["asks:0", "asks:50", "before:save", "after:save", "before:flush", "after:flush"]
HALFWAY = ["before:add_tags", "after:add_tags"]  # the branch is what counts: it has not moved
ALL = ["before:stands", "after:stands", "before:clear", "after:clear", "before:completed"]


@pytest.mark.parametrize("point", [*NOTHING, *HALFWAY, *ALL])
def test_a_kill_leaves_nothing_or_all(point: str, place: Path, git: Git) -> None:
    with open_registry(place) as registry:
        registry.register("m", "s3://first")
    killed = subprocess.run(
        [sys.executable, "-m", "tests.registry.bulk_victim", str(place), str(COUNT), point],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    stood = COUNT + 1 if point in ALL else 1
    with open_registry(place) as registry:
        assert len(list(registry.versions("m"))) == stood
        assert registry.register("m", "s3://next").version == stood + 1  # a writer mends what was left
    assert_sound(place)
    assert git(place, "rev-list", "--count", "main") == str(stood + 2)
    assert len(git(place, "tag").split()) == stood + 1


def test_a_bulk_write_that_lives_is_sound(place: Path, git: Git) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.registry.bulk_victim", str(place), str(COUNT), "never:"],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
    assert_sound(place)
    assert len(git(place, "tag").split()) == COUNT


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    folder = tmp_path / "bare.git"
    create_bare(folder, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    return folder


def _asks(count: int) -> Iterator[Ask]:
    then = datetime(2020, 1, 1, tzinfo=UTC)
    for number in range(1, count + 1):
        name = f"model-{number % 20}"
        version = (number + 19) // 20
        params = {f"param-{n}": f"{number * n}" for n in range(5)}
        origin = Origin(source=f"s3://{name}/{number}", params=params, metrics={"f1": number / 7})
        requests: list[Request] = [Register(name=name, origin=origin, tags={"team": "risk"})]
        if number % 3 == 0:
            requests.append(Transition(name=name, selector=version_selector(version), stage="Staging"))
        yield Ask(requests=requests, author=ADA, committer=ADA, clock=lambda: then)


def test_memory_does_not_hold_what_is_on_the_disk(
    bare: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    # With packs and caches of a hundredth of their size the 3,000 commits stand for some hundred thousand.
    monkeypatch.setattr(pack, "_SEGMENT", 1 << 18)
    monkeypatch.setattr(states, "_CACHE_LIMIT", 200)
    tracemalloc.start()
    try:
        with Store(Repository.at(bare)) as store:
            apply_each(store, _asks(3_000), lambda receipt: None)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert git(bare, "rev-list", "--count", "main") == "3001"
    assert len(list((bare / "objects" / "pack").glob("*.pack"))) > 10
    assert git(bare, "fsck", "--full", "--strict") == ""
    assert peak < 9 << 20, f"{peak:,} bytes"
