"""Moves a few refs in process, as Git's files backend does it (refs/files-backend.c): locks, values, names.

``git update-ref`` costs as much as the rest of a small write. What this does not do (deletions, reftable,
shared repositories, symbolic refs, reflogs kept in other ways) is left to it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from gitreg.errors import Conflict
from gitreg.gitstore.durable import sync_all
from gitreg.gitstore.process import GitDied
from gitreg.gitstore.refs import RefMove, Refs, check_ref_name, folders_to_sync, stale_lock, why_refused
from gitreg.gitstore.repository import Repository

_LOCK_WAIT = 0.2  # seconds; git-config(1), core.filesRefLockTimeout: 100 ms
_TRIES = 5
_SHARED = frozenset({"", "0", "false", "umask"})
_LOGS = {"": None, "true": "branches", "1": "branches", "yes": "branches", "on": "branches", "always": "all"}
_NO_LOGS = frozenset({"false", "0", "no", "off"})
_LOGGED = ("refs/heads/", "refs/remotes/", "refs/notes/")


def fits(repository: Repository, moves: Sequence[RefMove], who: tuple[str, str]) -> bool:
    """Whether ``move_here`` can make these moves."""
    logs = repository.setting("core.logallrefupdates").lower()
    return (
        all(who)
        and all(each.new is not None for each in moves)
        and repository.setting("core.sharedrepository").lower() in _SHARED
        and (logs in _LOGS or logs in _NO_LOGS)
        and not os.path.islink(repository.git_dir / "HEAD")
        and not any(repository.refs.symbolic(each.name) for each in moves)
    )


def move_here(repository: Repository, moves: Sequence[RefMove], *, reason: str, who: tuple[str, str]) -> None:
    """Move refs, all of them or none unless the process dies between two; the names are on the disk then.

    Args:
        repository: Where.
        moves: To new values, each; the branch first.
        reason: For the reflog.
        who: Name and e-mail for the reflog.

    Raises:
        MovedRef: One was not where it was expected.
        Conflict: A new one exists already, or is a folder of others.
        EnvironmentFailure: A lock stands in the way.
        OSError: The disk can't be written; nothing has moved.
        GitDied: It stopped between two names: recovery goes on from there.
    """
    refs = repository.refs
    folders = folders_to_sync(refs, moves)
    locks = _Locks(refs)
    try:
        head = repository.refs.symbolic("HEAD")
        with_head = any(each.name == head for each in moves)
        if with_head:
            locks.take("HEAD")
        for each in moves:
            locks.take(check_ref_name(each.name))
        for each in moves:
            if refs.read(each.name) != each.old:
                raise why_refused(refs, moves, GitDied("a ref moved"))
            if each.old is None:
                _refuse_neighbours(refs, each.name)
        locks.write({each.name: each.new or "" for each in moves})
        lines = [(each.name, _line(each, reason, who)) for each in moves]
        lines += [("HEAD", line) for name, line in lines if with_head and name == head]
        _write_logs(repository, lines)
        locks.commit([each.name for each in moves])
    finally:
        locks.drop()
    sync_all(folders)


class _Locks:
    """The lock files of one transaction."""

    def __init__(self, refs: Refs) -> None:
        self._refs = refs
        self._open: dict[str, int] = {}

    def take(self, name: str) -> None:
        """Make the lock of a ref."""
        path = self._path(name)
        deadline = time.monotonic() + _LOCK_WAIT
        while name not in self._open:
            try:
                self._open[name] = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            except FileNotFoundError:  # Git takes a folder away with its last ref, at any moment
                with suppress(FileExistsError, FileNotFoundError):
                    path.parent.mkdir(parents=True, exist_ok=True)
            except FileExistsError:
                if not path.exists():
                    continue
                if time.monotonic() > deadline:
                    raise stale_lock(path) from None
                time.sleep(0.01)
            except NotADirectoryError:
                raise _in_the_way(name) from None

    def write(self, values: Mapping[str, str]) -> None:
        """Put the new values into the locks, on the disk."""
        for name, oid in values.items():
            os.write(self._open[name], f"{oid}\n".encode())
        sync_all([self._open[name] for name in values])

    def commit(self, names: Sequence[str]) -> None:
        """Give the locks their refs' names."""
        moved = False
        for name in names:
            target = self._refs.file(name)
            try:
                if target.is_dir():
                    _remove_empty(target, name)
                os.rename(self._path(name), target)
            except OSError as error:
                if not moved:
                    raise
                raise GitDied(f"the ref can't be written: {error.strerror}", where=name) from None
            moved = True
            os.close(self._open.pop(name))

    def drop(self) -> None:
        """Take away the locks that have not become refs."""
        for name, descriptor in self._open.items():
            os.close(descriptor)
            with suppress(FileNotFoundError):
                self._path(name).unlink()
            _tidy(self._refs, name)
        self._open.clear()

    def _path(self, name: str) -> Path:
        target = self._refs.file(name)
        return target.with_name(target.name + ".lock")


def _refuse_neighbours(refs: Refs, name: str) -> None:
    """Refuse a new ref that is a folder of others, or lies below another."""
    parts = name.split("/")
    for count in range(3, len(parts)):
        if refs.read("/".join(parts[:count])) is not None:
            raise _in_the_way("/".join(parts[:count]))
    if refs.beginning(f"{name}/"):
        raise _in_the_way(name)
    if refs.file(name).is_dir():
        _remove_empty(refs.file(name), name)


def _in_the_way(name: str) -> Conflict:
    return Conflict(
        f"a ref stands in the way: {name}",
        where=name,
        hint="set tags.prefix in gitreg.yaml to keep tags apart",
    )


def _remove_empty(folder: Path, name: str) -> None:
    """Remove a folder in which no ref is left, as Git does; folders in it too."""
    for inner, _, files in os.walk(folder, topdown=False):
        if files:
            raise _in_the_way(name)
        with suppress(FileNotFoundError):
            os.rmdir(inner)


def _tidy(refs: Refs, name: str) -> None:
    """Remove the folders that were made for a lock alone."""
    folder = refs.file(name).parent
    for _ in range(name.count("/") - 2):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _write_logs(repository: Repository, lines: Sequence[tuple[str, str]]) -> None:
    """Add a line to each reflog that is kept, or none to any; whoever calls holds the locks of the refs.

    Args:
        repository: Where.
        lines: Name of the ref, and its line.
    """
    kept: list[tuple[int, int, bytes]] = []  # descriptor, size before, line
    try:
        for name, line in lines:
            descriptor = _open_log(repository, name)
            if descriptor is not None:
                kept.append(
                    (descriptor, os.fstat(descriptor).st_size, line.encode("utf-8", "surrogateescape"))
                )
        for descriptor, _, data in kept:
            if os.write(descriptor, data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(repository.common_dir / "logs"))
    except OSError:
        for descriptor, size, _ in kept:
            with suppress(OSError):
                os.ftruncate(descriptor, size)
        raise
    finally:
        for descriptor, _, _ in kept:
            os.close(descriptor)


def _line(each: RefMove, reason: str, who: tuple[str, str]) -> str:
    now = time.time()
    zone = time.strftime("%z", time.localtime(now))
    old = each.old or "0" * len(each.new or "")
    return f"{old} {each.new} {_clean(who[0])} <{_clean(who[1])}> {int(now)} {zone}\t{_one_line(reason)}\n"


def _open_log(repository: Repository, name: str) -> int | None:
    """The open reflog of a ref, None where none is kept."""
    path = (repository.git_dir if name == "HEAD" else repository.common_dir) / "logs" / name
    logged = _is_logged(repository, name)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | (os.O_CREAT if logged else 0)
    for _ in range(_TRIES):
        try:
            if logged:
                path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(path, flags, 0o666)
        except IsADirectoryError:
            _remove_empty(path, name)
        except (FileNotFoundError, FileExistsError):  # Git takes empty folders away at any moment
            if not logged:
                return None
        except NotADirectoryError:
            return None
    return None


def _is_logged(repository: Repository, name: str) -> bool:
    setting = repository.setting("core.logallrefupdates").lower()
    kept = _LOGS.get(setting)
    if setting == "":
        kept = None if repository.work_tree is None else "branches"
    return kept == "all" or (kept == "branches" and (name == "HEAD" or name.startswith(_LOGGED)))


def _clean(text: str) -> str:
    """A name as Git writes it (ident.c): without what would end it."""
    return "".join(char for char in text if char not in "<>\n\0").strip(" .,:;\"'\\")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
