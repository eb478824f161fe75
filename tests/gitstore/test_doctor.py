"""What a kill or a power cut can leave, found and mended."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.gitstore.doctor import examine, mend
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import assert_sound, git, write


def aged(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (1, 1))
    return path


def test_a_healthy_repository(repository: Repository, reader: Reader) -> None:
    write(repository, reader, {"x": b"1\n"}, "x/v1")
    assert examine(repository) == []


@pytest.mark.parametrize(
    ("kind", "path", "text"),
    [
        ("lock", "index.lock", ""),
        ("lock", "HEAD.lock", ""),
        ("lock", "packed-refs.lock", ""),
        ("lock", "refs/heads/main.lock", ""),
        ("lock", "refs/tags/a/v1.lock", ""),
        ("lock", "gc.pid.lock", ""),
        ("gc", "gc.pid", "999999999 nowhere"),
        ("empty-ref", "refs/tags/a/v9", ""),
        ("temporary", "objects/tmp_obj_abc", "half"),
        ("temporary", "objects/pack/tmp_pack_abc", "half"),
        ("temporary", "objects/pack/gitreg-abc.pack", "half"),
        ("kept-pack", "objects/pack/pack-1.keep", "gitreg 1\n"),
        ("staging", "gitreg-staging/0", "half"),
        ("packing", "gitreg/packing-refs", ""),
        (
            "journal",
            "gitreg/journal.json",
            '{"ref": "refs/heads/main", "old": null, "new": "1", "touched": []}\n',
        ),
    ],
)
def test_finds_and_mends(plain: Repository, reader: Reader, kind: str, path: str, text: str) -> None:
    write(plain, reader, {"x": b"1\n"}, "x/v1")
    aged(plain.git_dir / path, text)
    found = examine(plain)
    assert [each.kind for each in found] == [kind]
    assert found[0].age > 3600
    mend(plain, reader, found)
    assert examine(plain) == []
    assert_sound(plain)
    assert git("tag", at=plain.root) == "x/v1"


def test_leaves_a_lock_that_may_be_held(plain: Repository, reader: Reader) -> None:
    lock = plain.git_dir / "index.lock"
    lock.touch()
    done = mend(plain, reader, examine(plain))
    assert lock.exists()
    assert "only" in done[0]


def test_names_what_it_can_not_mend(bare: Repository, reader: Reader) -> None:
    write(bare, reader, {"x": b"1\n"})
    oid = git("hash-object", "-w", "HEAD", at=bare.root)  # a loose one, as Git makes them
    path = bare.common_dir / "objects" / oid[:2] / oid[2:]
    path.chmod(0o644)
    path.write_bytes(b"")
    bare.refs.file("refs/heads/main").write_bytes(b"")
    found = {each.kind: each.mendable for each in examine(bare)}
    assert found == {"empty-object": False, "empty-ref": False}
    mend(bare, reader, examine(bare))
    assert path.exists()
