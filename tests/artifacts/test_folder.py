"""Digests of model folders, held against sha256sum itself."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from gitreg.artifacts.folder import MAX_LISTED_FILES, digest_folder
from gitreg.errors import EnvironmentFailure, InvalidInput

RECIPE = re.search(r"cd FOLDER && (find .*)", digest_folder.__doc__ or "")

needs_sha256sum = pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not installed")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    (folder / "data" / "deep").mkdir(parents=True)
    (folder / "MLmodel").write_text("flavors: {}\n")
    (folder / "model.pkl").write_bytes(os.urandom(3_000_000))
    (folder / "data" / "a b é.txt").write_text("spaces, accents")
    (folder / "data" / "deep" / "empty").touch()
    (folder / "data.txt").write_text("sorts between data and data/")
    (folder / ".hidden").write_text("hidden")
    return folder


@needs_sha256sum
def test_the_recipe_in_the_docstring_prints_the_digest(model: Path) -> None:
    assert RECIPE
    printed = subprocess.check_output(["sh", "-c", RECIPE[1]], cwd=model, text=True)
    assert digest_folder(model).digest == f"sha256:{printed.split()[0]}"


@needs_sha256sum
def test_a_file_has_the_digest_that_sha256sum_prints(model: Path) -> None:
    path = model / "model.pkl"
    printed = subprocess.check_output(["sha256sum", path], text=True).split()[0]
    found = digest_folder(path)
    assert found.digest == f"sha256:{printed}"
    assert (found.size, dict(found.files)) == (3_000_000, {"model.pkl": f"sha256:{printed}"})


def test_every_file_is_listed_with_its_digest(model: Path) -> None:
    found = digest_folder(model)
    assert list(found.files) == [
        ".hidden",
        "MLmodel",
        "data.txt",
        "data/a b é.txt",
        "data/deep/empty",
        "model.pkl",
    ]
    for name, digest in found.files.items():
        raw = (model / name).read_bytes()
        assert digest == f"sha256:{hashlib.sha256(raw).hexdigest()}"
    assert found.size == sum(path.stat().st_size for path in model.rglob("*") if path.is_file())


def test_place_and_order_of_creation_do_not_count(model: Path, tmp_path: Path) -> None:
    copy = tmp_path / "elsewhere"
    for path in sorted((p for p in model.rglob("*") if p.is_file()), reverse=True):
        target = copy / path.relative_to(model)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    assert digest_folder(copy) == digest_folder(model)


def test_a_moved_byte_or_name_changes_the_digest(model: Path) -> None:
    before = digest_folder(model).digest
    (model / "data.txt").rename(model / "Data.txt")
    renamed = digest_folder(model).digest
    (model / "Data.txt").write_text("sorts between data and date/")
    assert len({before, renamed, digest_folder(model).digest}) == 3


def test_a_large_folder_keeps_no_list_but_digests_all(tmp_path: Path) -> None:
    for number in range(MAX_LISTED_FILES):
        (tmp_path / f"{number}.bin").write_text(str(number))
    full = digest_folder(tmp_path)
    assert len(full.files) == MAX_LISTED_FILES
    (tmp_path / "one-more.bin").write_text("x")
    more = digest_folder(tmp_path)
    assert not more.files
    assert more.digest != full.digest
    (tmp_path / "one-more.bin").write_text("y")
    assert digest_folder(tmp_path).digest != more.digest


def test_progress_ends_at_the_size(model: Path) -> None:
    calls: list[tuple[int, int]] = []
    found = digest_folder(model, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1] == (found.size, found.size)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len(calls) > 3  # the 3 MB file alone takes several


def test_a_link_inside_is_refused_and_never_followed(model: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("not part of the model")
    (model / "weights").symlink_to(secret)
    with pytest.raises(InvalidInput, match="symbolic link") as caught:
        digest_folder(model)
    assert "weights" in caught.value.where and "cp -RL" in caught.value.hint


def test_the_named_path_itself_may_be_a_link(model: Path, tmp_path: Path) -> None:
    (tmp_path / "latest").symlink_to(model)
    (tmp_path / "file").symlink_to(model / "data.txt")
    assert digest_folder(tmp_path / "latest") == digest_folder(model)
    assert digest_folder(tmp_path / "file").digest == digest_folder(model / "data.txt").digest


def test_a_link_to_its_own_parent_ends(model: Path) -> None:
    (model / "data" / "loop").symlink_to("..")
    with pytest.raises(InvalidInput, match="symbolic link"):
        digest_folder(model)


def test_a_pipe_is_refused_and_not_waited_for(model: Path) -> None:
    os.mkfifo(model / "pipe")
    with pytest.raises(InvalidInput, match="pipe"):
        digest_folder(model)
    with pytest.raises(InvalidInput, match="neither a folder nor a regular file"):
        digest_folder(model / "pipe")


def test_a_socket_is_refused(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model)  # a socket's path may hold about 100 bytes only
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("s")
        with pytest.raises(InvalidInput, match="socket"):
            digest_folder(model)


@pytest.mark.parametrize("name", [b"a\nb", b"a\\b", b"caf\xe9", b"\x1b[31m"])
def test_names_that_sha256sum_would_escape_are_refused(model: Path, name: bytes) -> None:
    with open(os.path.join(os.fsencode(model), name), "wb"):
        pass
    with pytest.raises(InvalidInput, match="name") as caught:
        digest_folder(model)
    assert caught.value.where.isprintable()


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "only" / "folders").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="holds no files"):
        digest_folder(tmp_path)


def test_a_missing_path_is_an_environment_failure(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="No such file"):
        digest_folder(tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
@pytest.mark.parametrize("name", ["model.pkl", "data"])
def test_what_can_not_be_read_is_named(model: Path, name: str) -> None:
    (model / name).chmod(0)
    try:
        with pytest.raises(EnvironmentFailure, match="Permission denied") as caught:
            digest_folder(model)
    finally:
        (model / name).chmod(0o755)
    assert name in caught.value.where


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs Linux's /proc")
def test_a_read_error_is_an_environment_failure() -> None:
    with pytest.raises(EnvironmentFailure, match="can't be read"):
        digest_folder(Path("/proc/self/mem"))  # a regular file whose first byte can't be read, even by root


def test_a_file_that_grows_meanwhile_is_noticed(model: Path) -> None:
    def grow(done: int, total: int) -> None:
        if not (model / "grown").exists():
            (model / "grown").touch()
            with open(model / "model.pkl", "ab") as stream:
                stream.write(b"more")

    with pytest.raises(EnvironmentFailure, match="changed while it was read"):
        digest_folder(model, progress=grow)
