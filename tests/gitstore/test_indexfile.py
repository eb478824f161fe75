"""Look-ups in the index file say what ``git ls-files`` says."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.gitstore.indexfile import look_up
from gitreg.gitstore.trees import Entry
from tests.gitstore.conftest import git

NAMES = [
    "a",
    "a-b",
    "sub/a",
    "b/a",
    "models/x/versions/1.yaml",
    "models/x/versions/11.yaml",
    "deep/" + "n" * 200 + "/f",
]


@pytest.fixture(params=["sha1", "sha256"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    git("init", "-q", f"--object-format={request.param}", str(tmp_path), at=tmp_path)
    for number, name in enumerate(NAMES):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{number}\n")
    git("add", "-A", at=tmp_path)
    return tmp_path


def listed(place: Path) -> dict[str, Entry]:
    lines = git("ls-files", "-s", at=place).splitlines()
    return {line.partition("\t")[2]: Entry(line.split()[0], line.split()[1]) for line in lines}


def id_bytes(place: Path) -> int:
    return len(next(iter(listed(place).values())).oid) // 2


def test_as_git_says(place: Path) -> None:
    found = look_up(
        place / ".git/index", [*NAMES, "missing", "models/x/versions/111.yaml"], id_bytes=id_bytes(place)
    )
    assert found is not None
    assert {path: each.entry for path, each in found.items()} == listed(place)
    assert not any(each.skipped for each in found.values())


def test_skipped_ones(place: Path) -> None:
    git("update-index", "--skip-worktree", "sub/a", at=place)
    found = look_up(place / ".git/index", NAMES, id_bytes=id_bytes(place))
    assert found is not None
    assert [path for path, each in found.items() if each.skipped] == ["sub/a"]
    assert {path: each.entry for path, each in found.items()} == listed(place)


def test_what_it_leaves_to_git(place: Path) -> None:
    index, size = place / ".git/index", id_bytes(place)
    assert look_up(index, ["models"], id_bytes=size) is None  # a folder
    git("update-index", "--index-version", "4", at=place)
    assert look_up(index, ["a"], id_bytes=size) is None
    git("update-index", "--index-version", "2", at=place)
    assert look_up(index, ["a"], id_bytes=size) is not None
    git("update-index", "--split-index", at=place)
    assert look_up(index, ["a"], id_bytes=size) is None
    assert look_up(place / "nothing", ["a"], id_bytes=size) is None
