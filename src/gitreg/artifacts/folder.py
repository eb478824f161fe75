"""Digests of model folders: what was registered, as bytes, in a form that a person can recompute."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gitreg.domain.names import shown
from gitreg.errors import EnvironmentFailure, InvalidInput

MAX_LISTED_FILES = 1000

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all, at least once for each mebibyte."""

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderDigest:
    """The bytes of a folder or file.

    Attributes:
        digest: ``sha256:`` and 64 hex digits.
        size: Bytes of all files together.
        files: Path inside the folder, with ``/`` → digest of that file; empty when there are more
            than 1,000 (the digest covers all of them all the same).
    """

    digest: str
    size: int
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    path: str
    name: str
    size: int


def digest_folder(path: Path, *, progress: Progress | None = None) -> FolderDigest:
    r"""Hash every regular file under ``path``, or ``path`` itself when it is a file.

    The digest of a file is its SHA-256, as ``sha256sum FILE`` prints it. The digest of a folder is
    the SHA-256 of the sorted lines ``"<hex>  <relative path>\n"``, so this prints the same (a folder
    ``.git``, if there is one, left out)::

        cd FOLDER && find . -type f | sed 's|^\./||' | xargs -d '\n' sha256sum | LC_ALL=C sort | sha256sum

    Symbolic links inside are refused: followed, they would take in files that nobody registered;
    not followed, the digest would not cover what a loader reads. ``path`` itself may be a link.

    Args:
        path: A folder or a regular file.
        progress: Called with bytes done and bytes in all.

    Raises:
        InvalidInput: It holds no file, or a link, device, pipe or socket, or a name that has a
            control character or backslash or is not UTF-8.
        EnvironmentFailure: A file can't be read, or changed while it was read.
    """
    top = os.fspath(path)
    single = not os.path.isdir(top)
    entries = [_single(top)] if single else sorted(_walk(top), key=lambda entry: entry.name)
    if not entries:
        raise InvalidInput("the folder holds no files", where=top)
    total = sum(entry.size for entry in entries)
    done = 0
    digests: dict[str, str] = {}
    for entry in entries:
        digests[entry.name] = _hash_file(entry, done, total, progress)
        done += entry.size
    if single:
        whole = digests[entries[0].name]
    else:
        lines = sorted(f"{hexed}  {name}\n".encode() for name, hexed in digests.items())
        whole = hashlib.sha256(b"".join(lines)).hexdigest()
    listed = digests if len(digests) <= MAX_LISTED_FILES else {}
    files = {name: f"sha256:{hexed}" for name, hexed in listed.items()}
    return FolderDigest(digest=f"sha256:{whole}", size=total, files=files)


def _single(top: str) -> _Entry:
    try:
        found = os.stat(top)
    except OSError as error:
        raise _unreadable(top, error) from error
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput("it is neither a folder nor a regular file", where=top)
    return _Entry(
        path=os.path.realpath(top),
        name=_checked(os.path.basename(top), top),
        size=found.st_size,
    )


def _walk(top: str) -> Iterator[_Entry]:
    pending = [""]
    while pending:
        inside = pending.pop()
        folder = os.path.join(top, inside) if inside else top
        try:
            with os.scandir(folder) as scan:
                children = list(scan)
        except OSError as error:
            raise _unreadable(folder, error) from error
        for child in children:
            if child.name == ".git":
                continue  # its files change with every commit and are no part of the model
            name = f"{inside}/{child.name}" if inside else child.name
            if child.is_dir(follow_symlinks=False):
                pending.append(name)
            else:
                yield _entry(child, name)


def _entry(child: os.DirEntry[str], name: str) -> _Entry:
    try:
        found = child.stat(follow_symlinks=False)
    except OSError as error:
        raise _unreadable(child.path, error) from error
    if stat.S_ISLNK(found.st_mode):
        raise InvalidInput(
            "a symbolic link inside a model folder can't be registered",
            where=shown(child.path),
            hint="make a copy without links, and register that: cp -RL FOLDER COPY",
        )
    if not stat.S_ISREG(found.st_mode):
        raise InvalidInput(
            "a model folder can't hold a device, pipe or socket",
            where=shown(child.path),
        )
    return _Entry(path=child.path, name=_checked(name, child.path), size=found.st_size)


def _checked(name: str, path: str) -> str:
    # sha256sum escapes such names, each version of it a little differently.
    if "\\" in name or any(unicodedata.category(char) in ("Cc", "Cs") for char in name):
        raise InvalidInput(
            "the file's name has a backslash or control character, or is not UTF-8",
            where=shown(path),
            hint="rename the file",
        )
    return name


def _hash_file(entry: _Entry, before: int, total: int, progress: Progress | None) -> str:
    hashed = hashlib.sha256()
    buffer = memoryview(bytearray(min(_CHUNK, entry.size + 1)))
    done = 0
    try:
        # Since the listing the file may have become a link or a pipe: neither may be opened.
        handle = os.open(entry.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb", buffering=0) as stream:
            first = os.fstat(handle)
            while stat.S_ISREG(first.st_mode) and (count := stream.readinto(buffer)):
                hashed.update(buffer[:count])
                done += count
                if progress:
                    progress(before + done, max(total, before + done))
            last = os.fstat(handle)
    except OSError as error:
        raise _unreadable(entry.path, error) from error
    if done != entry.size or first.st_mtime_ns != last.st_mtime_ns:
        raise EnvironmentFailure(
            "the file changed while it was read",
            where=entry.path,
            hint="register it when nothing writes to it",
        )
    return hashed.hexdigest()


def _unreadable(path: str, error: OSError) -> EnvironmentFailure:
    return EnvironmentFailure(f"it can't be read: {error.strerror}", where=shown(path))
