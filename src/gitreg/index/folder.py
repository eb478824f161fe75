"""Where the index lies, and how one takes another's place while other processes read.

A folder holds ``current``, which names the file in use, and that file. A new index is built aside under a
name of its own and then named in ``current``: no reader ever sees half of one, and none meets the
write-ahead log of another.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import EnvironmentFailure

_PATIENCE = 600.0  # seconds: as long as the largest index may take to be built
_POINTER = "current"
_OURS = (".db", ".db-wal", ".db-shm", ".db-journal")


@dataclass(frozen=True, slots=True)
class IndexFolder:
    """The folder of one registry's index; it need not exist."""

    path: Path

    def current(self) -> str | None:
        """Name of the file in use, None where there is none."""
        try:
            name = (self.path / _POINTER).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return name if name.endswith(".db") and "/" not in name else None

    def mark(self) -> tuple[int, int] | None:
        """What differs whenever ``current`` was replaced; None where there is none."""
        try:
            stat = os.stat(self.path / _POINTER)
        except OSError:
            return None
        return stat.st_ino, stat.st_mtime_ns

    def open(self, name: str) -> sqlite3.Connection:
        """Open the file called ``name``.

        Raises:
            sqlite3.Error: It can't be opened.
        """
        return connect(self.path / name)

    @contextmanager
    def locked(self, *, wait: bool, waiting: Callable[[], None] = lambda: None) -> Iterator[bool]:
        """Hold the lock under which the index is changed; yields whether it is held.

        Args:
            wait: Whether to wait for another process; else False is yielded at once.
            waiting: Called once when another process makes us wait.

        Raises:
            OSError: The folder can't be written to.
            EnvironmentFailure: Another process held it for ten minutes.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            yield _taken(handle, self.path, wait=wait, waiting=waiting)
        finally:
            os.close(handle)

    def aside(self) -> Path:
        """A name for a file to be built; under the lock."""
        return self.path / f"{os.urandom(8).hex()}.db"

    def install(self, made: Path) -> None:
        """Make ``made``, which is on the disk, the index; under the lock. The former one is removed."""
        pointer = self.path / _POINTER
        if pointer.is_dir() and not pointer.is_symlink():  # nothing of ours: os.replace could not get past it
            pointer.rename(self.path / f"not-ours-{made.stem}")
        new = self.path / f"{_POINTER}.new"
        new.write_text(made.name + "\n", encoding="ascii")
        os.replace(new, pointer)
        self.sweep(keep=made.name)

    def sweep(self, *, keep: str | None) -> None:
        """Remove all index files but ``keep`` (those that a killed builder left, too); under the lock."""
        for file in self.path.iterdir():
            stem = file.name.partition(".db")[0] + ".db"
            if file.name.endswith(_OURS) and stem != keep:
                with suppress(OSError):
                    file.unlink()


def connect(path: Path) -> sqlite3.Connection:
    """Open the index at ``path``, which must be there; autocommit, from any thread.

    Raises:
        sqlite3.Error: It can't be opened, or its end is missing (SQLite would read zeros there).
    """
    if not _whole(path):
        raise sqlite3.DatabaseError("the end of the index is missing")
    db = sqlite3.connect(
        f"{path.as_uri()}?mode=rw", uri=True, timeout=10, isolation_level=None, check_same_thread=False
    )
    db.execute("PRAGMA synchronous = NORMAL")
    db.execute("PRAGMA trusted_schema = OFF")
    return db


def _whole(path: Path) -> bool:
    """Whether a database is as long as it says (the file format's header: page size at 16, pages at 28)."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(100)
    except OSError:
        return True  # SQLite says what is wrong with it
    page = int.from_bytes(head[16:18], "big") or 1
    page = 65536 if page == 1 else page
    if size % page:
        return False
    wal = path.with_name(path.name + "-wal")
    # While a write-ahead log is to be carried over, the file may be shorter than its header says.
    pending = wal.exists() and wal.stat().st_size > 0
    return pending or size >= int.from_bytes(head[28:32], "big") * page


def _taken(handle: int, folder: Path, *, wait: bool, waiting: Callable[[], None]) -> bool:
    deadline = time.monotonic() + _PATIENCE
    told = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                return False
            if time.monotonic() > deadline:
                raise EnvironmentFailure(
                    "another process has been busy with the index for ten minutes",
                    where=str(folder),
                    hint="see which one it is: fuser -v lock",
                ) from None
            if not told:
                told = True
                waiting()
            time.sleep(0.01)
        else:
            return True
