"""Open a registry by its path."""

from __future__ import annotations

import os
from pathlib import Path

from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store


def open_registry(path: str | os.PathLike[str] | None = None, *, author: Person | None = None) -> Registry:
    """Open the registry at ``path``.

    Args:
        path: A folder in it, or a bare repository. None: ``GITREG_REGISTRY``, else the current folder.
        author: Who the commits are by. None: whom Git's configuration names.

    Raises:
        NotARegistry: There is none at ``path`` or above.
    """
    place = Path(path if path is not None else os.environ.get("GITREG_REGISTRY") or ".")
    return Registry(Store(Repository.discover(place)), author=author)
