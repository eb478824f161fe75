"""Where a server keeps who may do what: one file in the Git folder, which no commit and no clone has.

The file is replaced as a whole, under the repository's write lock, and forced to the disk: whoever reads it
finds the old state or the new one. A server looks at its times before each request, so that a token that is
revoked is refused by the next one, in every process.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from stat import S_ISREG

from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.gitstore.durable import disk_failure, sync_descriptor, sync_path
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.repository import Repository
from gitreg.web.access.entries import Access, decode, encode

_MOST_BYTES = 16 * 1024 * 1024
_FOR_OTHERS = 0o077
_NOTHING = Access()

Stamp = tuple[int, int, int, int]


class AccessStore:
    """Tokens and grants of one registry.

    Args:
        place: A folder of the registry, or a bare repository.
    """

    def __init__(self, place: Path) -> None:
        self._place = place
        self._found: Path | None = None
        self._seen: tuple[Stamp | None, Access] | None = None

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            NotARegistry: There is no registry at the place.
        """
        if self._found is None:
            repository = Repository.discover(self._place)
            # Registries in sub-folders of one repository each have their own.
            own = repository.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
            self._found = repository.state_dir / (f"access.{own}.json" if own else "access.json")
        return self._found

    def read(self) -> Access:
        """What is known now; where there is no file: no token, no grant.

        Raises:
            IntegrityError: The file is damaged.
            EnvironmentFailure: It can't be read, or others than its owner could.
        """
        stamp = self._stamp()
        if self._seen is None or self._seen[0] != stamp:
            # The stamp is older than what is read: a change in between is looked at once more.
            self._seen = (stamp, self._load() if stamp else _NOTHING)
        return self._seen[1]

    def change(self, how: Callable[[Access], Access]) -> Access:
        """Change what is kept: on the disk when this returns.

        Args:
            how: Is given what there is, and gives what shall be.

        Raises:
            IntegrityError, EnvironmentFailure: As of ``read``; or another process holds the lock, or the
                disk failed.
        """
        path = self.path
        with write_lock(path.parent):
            before = self._load() if self._stamp() else _NOTHING
            after = how(before)
            if not after.secret:
                after = replace(after, secret=secrets.token_bytes(32))
            try:
                _replace(path, encode(after))
            except OSError as error:
                raise disk_failure(error, "tokens and grants can't be kept") from None
        return after

    def _stamp(self) -> Stamp | None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise disk_failure(error, "tokens and grants can't be read") from None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size

    def _load(self) -> Access:
        try:
            with open(self.path, "rb") as file:
                found = os.fstat(file.fileno())
                _check(self.path, found)
                data = file.read(_MOST_BYTES)
        except OSError as error:
            raise disk_failure(error, "tokens and grants can't be read") from None
        try:
            return decode(data)
        except ValueError as error:
            raise IntegrityError(
                f"the list of tokens and grants is damaged ({error})",
                where=str(self.path),
                hint="bring it back from a backup; where it is removed no token is valid any more",
            ) from None


def _check(path: Path, found: os.stat_result) -> None:
    if not S_ISREG(found.st_mode):
        raise IntegrityError(
            "the list of tokens and grants is no file", where=str(path), hint=f"ls -l {path}"
        )
    if found.st_mode & _FOR_OTHERS:
        raise EnvironmentFailure(
            f"others than its owner can get at tokens and grants (mode {found.st_mode & 0o777:o})",
            where=str(path),
            hint=f"chmod 600 {path}",
        )


def _replace(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.new")
    aside.unlink(missing_ok=True)  # of a writer that was killed: the lock is ours
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            sync_descriptor(file.fileno())
        os.replace(aside, path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_path(path.parent)
