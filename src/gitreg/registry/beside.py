"""Files beside the registry, for hosting services: read and put in the work tree, never through a link."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from gitreg.errors import Conflict, UsageError
from gitreg.gitstore.durable import disk_failure
from gitreg.registry.store import Store


def work_tree(store: Store) -> Path:
    """The root of the repository's work tree.

    Raises:
        UsageError: A bare repository has none.
    """
    root = store.repository.work_tree
    if root is None:
        raise UsageError(
            "a bare repository has no files to write",
            where=str(store.repository.git_dir),
            hint="do it in a clone, and push it",
        )
    return root


def read(store: Store, path: str) -> bytes | None:
    """The bytes of a file, in a bare repository at the head; None where there is none.

    Args:
        store: The registry.
        path: From the repository's root.

    Raises:
        Conflict: Something else than a plain file stands there.
    """
    root = store.repository.work_tree
    if root is None:
        entry = store.reader.entry(store.reader.commit(store.head()).tree, path)
        return store.reader.blob(entry.oid) if entry else None
    file = _plain(root, path)
    return file.read_bytes() if file.exists() else None


def write(store: Store, path: str, data: bytes) -> None:
    """Put a file in its place in one step; a file that stands there is replaced.

    Raises:
        UsageError: A bare repository has no files.
        Conflict: Something else than a plain file stands there.
        EnvironmentFailure: The disk failed.
    """
    file = _plain(work_tree(store), path)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(prefix=".gitreg-", dir=file.parent)
        try:
            with open(handle, "wb") as out:
                out.write(data)
                os.fchmod(out.fileno(), file.stat().st_mode & 0o7777 if file.exists() else 0o644)
            os.replace(aside, file)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise disk_failure(error, f"{path} can't be written") from error


def _plain(root: Path, path: str) -> Path:
    file = root / path
    real = Path(os.path.realpath(root)) / path
    if os.path.realpath(file) != str(real) or (file.exists() and not file.is_file()):
        raise Conflict("a link or a folder stands in its place", where=path, hint=f"git rm -r {path}")
    return file
