"""The folder that a site is written to: nothing is written outside of it, nothing of others is removed."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.web.site.places import MANIFEST, PARTIAL
from gitreg.web.site.record import digest

_NEW = ".gitreg-new"
"""Ending of a file that is not whole yet."""
_OWN = frozenset({MANIFEST, PARTIAL, MANIFEST + _NEW})


class Folder:
    """A folder that files are put into, each one whole or not at all.

    Args:
        path: An existing folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._root = os.fspath(path)
        self._sound: set[str] = {""}

    def put(self, path: str, data: bytes, *, known: str = "") -> str:
        """Write a file unless it holds that already; gives the digest of what it holds.

        Args:
            path: From the folder, with ``/``.
            data: What it is to hold.
            known: The digest of what the last run wrote there; ``""``: it wrote nothing.

        Raises:
            Conflict: Something stands in the way.
        """
        made = digest(data)
        place = f"{self._root}/{path}"
        if made == known and _is_file(place):
            return made
        self._make(path.rpartition("/")[0])
        try:
            _write(place + _NEW, data)
            os.replace(place + _NEW, place)
        except (IsADirectoryError, NotADirectoryError):
            raise Conflict("a folder lies where a file must be written", where=place) from None
        return made

    def holds(self, path: str) -> bool:
        """Whether there is a file, and not a link to one."""
        return self._is_sound(path.rpartition("/")[0]) and _is_file(f"{self._root}/{path}")

    def announce(self, paths: Iterable[str]) -> None:
        """Note that these files may be written from here on: who comes after a killed run can remove them."""
        lines = "".join(f"{path}\n" for path in paths).encode()
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(f"{self._root}/{PARTIAL}", flags, 0o644)
        try:
            os.write(handle, lines)
        finally:
            os.close(handle)

    def remove(self, paths: Iterable[str]) -> int:
        """Remove files, and the folders that are empty then; gives how many there were."""
        gone = 0
        emptied: set[str] = set()
        for path in paths:
            above = path.rpartition("/")[0]
            if not self._is_sound(above):
                continue  # what lies behind a link is not ours
            place = f"{self._root}/{path}"
            with suppress(FileNotFoundError):
                _unlink(place + _NEW)
            if _is_file(place):
                os.unlink(place)
                gone += 1
            emptied.add(above)
        self._prune(emptied)
        return gone

    def _prune(self, folders: set[str]) -> None:
        for folder in sorted(folders, key=len, reverse=True):
            here = folder
            while here:
                try:
                    os.rmdir(f"{self._root}/{here}")
                except OSError:
                    break
                self._sound.discard(here)
                here = here.rpartition("/")[0]

    def _make(self, folder: str) -> None:
        """Make a folder and those above it; none of them may be a link that leads elsewhere."""
        if folder in self._sound:
            return
        self._make(folder.rpartition("/")[0])
        place = f"{self._root}/{folder}"
        try:
            os.mkdir(place)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                raise Conflict(
                    "something else lies where a folder of the site must be",
                    where=place,
                    hint="choose another folder, or move that away",
                ) from None
        self._sound.add(folder)

    def _is_sound(self, folder: str) -> bool:
        if folder in self._sound:
            return True
        try:
            found = stat.S_ISDIR(os.lstat(f"{self._root}/{folder}").st_mode)
        except OSError:
            return False
        if found and self._is_sound(folder.rpartition("/")[0]):
            self._sound.add(folder)
            return True
        return False


def _write(place: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        handle = os.open(place, flags, 0o644)
    except FileExistsError:  # a killed run left it
        _unlink(place)
        handle = os.open(place, flags, 0o644)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(handle, rest) :]
    except OSError as error:
        os.unlink(place)
        raise EnvironmentFailure(f"can't write: {error.strerror}", where=place) from None
    finally:
        os.close(handle)


def _unlink(place: str) -> None:
    if stat.S_ISDIR(os.lstat(place).st_mode):
        raise Conflict("a folder lies where a file must be written", where=place)
    os.unlink(place)


def _is_file(place: str) -> bool:
    try:
        return stat.S_ISREG(os.lstat(place).st_mode)
    except OSError:
        return False


@contextmanager
def claimed(path: Path, *, forced: bool) -> Iterator[Folder]:
    """The folder for a site, made where it is missing; no other run writes to it meanwhile.

    Args:
        path: Where; a link to a folder is followed, once.
        forced: Whether one that holds other things is taken, too.

    Raises:
        Conflict: It holds other things than a site, or another run is at it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        path = path.resolve(strict=True)
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileExistsError, NotADirectoryError):
        raise Conflict("this is a file, and a site is a folder", where=str(path)) from None
    except OSError as error:
        raise EnvironmentFailure(f"can't write: {error.strerror}", where=str(path)) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                "another gitreg is writing this site", where=str(path), hint="wait until it is done"
            ) from None
        if not forced and not (path / MANIFEST).exists() and set(os.listdir(path)) - _OWN:
            raise Conflict(
                "the folder holds other things than a site that gitreg made",
                where=str(path),
                hint="choose an empty folder; --force writes between them and leaves them alone",
            )
        yield Folder(path)
    finally:
        os.close(handle)
