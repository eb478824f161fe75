"""Objects through one long-lived child."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import MAIN, assert_sound, children, git, write


def test_walks_and_reads_in_bulk(repository: Repository, reader: Reader) -> None:
    files = {f"d{n % 9}/{n}.yaml": b"%d\n" % n * (n + 1) for n in range(300)}
    oid = write(repository, reader, files)
    found = {path: entry.oid for path, entry in reader.walk(reader.commit(oid).tree)}
    assert files.keys() <= found.keys()
    wanted = [found[path] for path in files] * 3
    assert list(reader.blobs(wanted)) == [(found[path], data) for path, data in files.items()] * 3


def test_an_abandoned_bulk_read_leaves_no_child(bare: Repository, reader: Reader) -> None:
    before = children()
    oid = write(bare, reader, {f"{n}": b"x" * 9000 for n in range(200)} | {"y": b"y"})
    wanted = [entry.oid for _, entry in reader.walk(reader.commit(oid).tree)] * 20
    stream = reader.blobs(wanted)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    reader.close()
    assert children() == before


def test_survives_a_repack_and_the_death_of_its_child(bare: Repository, reader: Reader) -> None:
    first = write(bare, reader, {"x": b"1\n"})
    reader.commit(first)
    git("repack", "-a", "-d", "-q", at=bare.root)
    second = write(bare, reader, {"x": b"2\n"})
    git("gc", "-q", "--prune=now", at=bare.root)
    assert reader.commit(second).parents == (first,)
    child = reader._child
    assert child is not None
    os.kill(child._process.pid, signal.SIGKILL)
    child._process.wait()
    assert reader.commit(first).message == "change\n"


@pytest.mark.parametrize(
    "rev",
    [
        "",
        "--upload-pack=touch x",
        "-x",
        "no such",
        "HEAD\nHEAD",
        "^HEAD",
        "a\0b",
        "HEAD:gitreg.yaml",
        "0" * 40,
        "@{9}",
    ],
)
def test_revisions_that_are_none(bare: Repository, reader: Reader, rev: str) -> None:
    assert reader.resolve(rev) is None


@pytest.mark.parametrize("rev", ["HEAD", "main", "v1", "v1^{}", "@", "main~0"])
def test_revisions(bare: Repository, reader: Reader, rev: str) -> None:
    oid = write(bare, reader, {"x": b"1\n"}, "v1")
    assert reader.resolve(rev) == oid
    assert reader.resolve(oid[:10]) == oid


def test_a_missing_object_is_named(bare: Repository, reader: Reader) -> None:
    with pytest.raises(EnvironmentFailure) as caught:
        reader.blob("1" * 40)
    assert caught.value.where == "1" * 40
    with pytest.raises(ValueError, match="object id"):
        reader.blob("main\nmain")


def test_a_wrong_kind(bare: Repository, reader: Reader) -> None:
    with pytest.raises(IntegrityError, match="a blob was expected"):
        reader.blob(bare.refs.read(MAIN) or "")


def test_a_partial_clone_offline(plain: Repository, tmp_path: Path) -> None:
    git("config", "uploadpack.allowFilter", "true", at=plain.root)
    url = f"file://{plain.root}"
    git("clone", "-q", "--no-checkout", "--filter=blob:none", url, str(tmp_path / "part"), at=tmp_path)
    part = Repository.at(tmp_path / "part")
    with Reader(part) as reader:
        oid = reader.resolve("HEAD")
        entry = reader.entry(reader.commit(oid or "").tree, "gitreg.yaml")
        assert entry is not None
        with pytest.raises(EnvironmentFailure, match="partial clone") as caught:
            reader.blob(entry.oid)
        assert entry.oid in str(caught.value)
        with pytest.raises(EnvironmentFailure, match="partial clone"):
            list(reader.blobs([entry.oid] * 100))
    assert_sound(plain)
