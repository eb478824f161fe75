"""Where the hooks of a repository lie, and whether another program makes them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from gitreg.errors import Conflict
from gitreg.gitstore.repository import Repository

_SETTING = "core.hookspath"
_LEFTHOOK = tuple(
    f"{name}.{kind}"
    for name in ("lefthook", ".lefthook", ".config/lefthook")
    for kind in ("yml", "yaml", "toml", "json", "jsonc")
)


def hooks_folder(repository: Repository) -> Path:
    """Where Git looks for the hooks (core.hooksPath, else ``hooks`` in the Git folder)."""
    named = _hooks_path(repository)
    if not named:
        return repository.common_dir / "hooks"
    return Path(os.path.normpath(repository.root / Path(named).expanduser()))


def in_work_tree(repository: Repository) -> bool:
    """Whether the hooks lie among the files that are committed."""
    folder, tree = hooks_folder(repository), repository.work_tree
    if tree is None or folder.is_relative_to(repository.common_dir):
        return False
    return folder.is_relative_to(tree)


def refuse_switched_off(repository: Repository) -> None:
    """Refuse to install where Git would run nothing.

    Raises:
        Conflict: core.hooksPath is empty or names something that is no folder.
    """
    named = _hooks_path(repository)
    if named is None:
        return
    folder = hooks_folder(repository)
    if not named or (folder.exists() and not folder.is_dir()):
        raise Conflict(
            "Git runs no hooks in this repository: they are switched off",
            where=f"core.hooksPath = {named}",
            hint=_to_own(repository),
        )


def refuse_shared(repository: Repository) -> None:
    """Refuse a folder of hooks that is not the repository's own, or that another program makes.

    Raises:
        Conflict: core.hooksPath names another one, or husky's or lefthook's hooks stand there.
    """
    named = _hooks_path(repository)
    folder = hooks_folder(repository)
    if ".husky" in folder.parts:
        raise Conflict(
            "husky runs the hooks of this repository, and makes their folder anew",
            where=f"core.hooksPath = {named}",
            hint="echo 'gitreg hook pre-commit' >>.husky/pre-commit; "
            "echo 'gitreg hook commit-msg \"$1\"' >>.husky/commit-msg; "
            "echo 'gitreg hook pre-push \"$@\"' >>.husky/pre-push",
        )
    _refuse_lefthook(repository)
    if not named or folder.resolve() == (repository.common_dir / "hooks").resolve():
        return
    shared = "in the work tree, where everybody gets them" if in_work_tree(repository) else ""
    raise Conflict(
        f"the hooks lie {shared or 'in a folder that other repositories may use, too'}",
        where=f"core.hooksPath = {named}",
        hint=f"gitreg hooks install --force-path, or for hooks of its own: {_to_own(repository)}",
    )


def _refuse_lefthook(repository: Repository) -> None:
    tree = repository.work_tree
    found = next((name for name in _LEFTHOOK if tree and (tree / name).is_file()), None)
    if found:
        raise Conflict(
            "lefthook runs the hooks of this repository, and moves others away",
            where=found,
            hint="add to it what docs/hooks.md shows under lefthook, then: lefthook install",
        )


def _to_own(repository: Repository) -> str:
    own = shlex.quote(str(repository.common_dir / "hooks"))
    return f"git config core.hooksPath {own}"


def _hooks_path(repository: Repository) -> str | None:
    # The last value is what gitreg itself tells every Git that it runs.
    values = repository.config.get(_SETTING, ())[:-1]
    return values[-1] if values else None
