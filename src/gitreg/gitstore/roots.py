"""The registries of one work tree: each lies where the index, or the newest commit, holds its settings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gitreg.errors import NotARegistry
from gitreg.gitstore.process import run
from gitreg.gitstore.repository import SETTINGS_FILE, Repository
from gitreg.gitstore.trees import decode_name

_ANYWHERE = f":(glob)**/{SETTINGS_FILE}"
_GLOBS = {"GIT_LITERAL_PATHSPECS": "0"}


def work_tree_of(start: Path) -> Repository:
    """The repository whose work tree ``start`` lies in, whether it holds a registry or not.

    Raises:
        NotARegistry: There is no repository.
    """
    here = start.absolute()
    for folder in (here, *here.parents):
        if (folder / ".git").exists():
            return Repository.at(folder)
    return Repository.at(here)


def registries(repository: Repository) -> list[Repository]:
    """Every registry of a work tree, those that the next commit would remove included."""
    listed = run(["ls-files", "-z", "--", _ANYWHERE], at=repository.root, extra_env=_GLOBS).stdout
    found = set(listed.split(b"\0")[:-1])
    if repository.head().oid is not None:
        args = ["diff-index", "--cached", "--name-only", "--diff-filter=D", "-z", "HEAD", "--", _ANYWHERE]
        found.update(run(args, at=repository.root, extra_env=_GLOBS).stdout.split(b"\0")[:-1])
    paths = sorted(decode_name(path) for path in found)
    return [replace(repository, prefix=path.removesuffix(SETTINGS_FILE)) for path in paths]


def registry_of(repository: Repository) -> Repository:
    """The one registry of a work tree.

    Raises:
        NotARegistry: There is none, or there are several.
    """
    found = registries(repository)
    if len(found) != 1:
        places = ", ".join(each.prefix or "./" for each in found)
        raise NotARegistry(
            f"there are {len(found)} registries here: {places}" if found else "there is no registry here",
            where=str(repository.root),
            hint="gitreg init",
        )
    return found[0]
