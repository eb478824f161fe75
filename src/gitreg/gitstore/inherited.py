"""The few variables of Git's that a hook has to hand on, each made anew from what was checked.

Everywhere else Git runs without any ``GIT_*`` of the caller's. A hook is told by them where its
objects are (``pre-receive``: in quarantine, git-receive-pack(1)) and which index a commit is made
from (``pre-commit``: another one for ``git commit FILE``, githooks(5)).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from gitreg.errors import UsageError
from gitreg.gitstore.process import handed_on
from gitreg.gitstore.repository import Repository


@contextmanager
def quarantine(repository: Repository, env: Mapping[str, str]) -> Iterator[bool]:
    """Let Git see the objects of the push that a hook is asked about.

    Args:
        repository: The one that is pushed to.
        env: The hook's environment.

    Returns:
        Whether there is a quarantine: then Git refuses to move any ref, and nothing may be kept
        that names one of its objects.

    Raises:
        UsageError: The variables name a folder outside of the repository's own objects.
    """
    given = env.get("GIT_QUARANTINE_PATH", "")
    if not given:
        yield False
        return
    objects = os.path.realpath(repository.common_dir / "objects")
    inside = os.path.realpath(given)
    if os.path.dirname(inside) != objects or os.path.realpath(env.get("GIT_OBJECT_DIRECTORY", "")) != inside:
        raise UsageError(
            "the quarantine lies outside of the repository",
            where=f"GIT_QUARANTINE_PATH={given}",
            hint="Git sets it when it runs pre-receive",
        )
    found = {
        "GIT_QUARANTINE_PATH": inside,
        "GIT_OBJECT_DIRECTORY": inside,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": _quoted(objects),
    }
    with _handing_on(found):
        yield True


@contextmanager
def index_of_commit(repository: Repository, env: Mapping[str, str]) -> Iterator[None]:
    """Let Git see the index that the commit is made from.

    Raises:
        UsageError: The variable names a file outside of the Git folder.
    """
    given = env.get("GIT_INDEX_FILE", "")
    if not given:
        yield
        return
    file = os.path.realpath(given)
    if Path(os.path.realpath(repository.git_dir)) not in Path(file).parents:
        raise UsageError(
            "the index lies outside of the repository", where=f"GIT_INDEX_FILE={given}", hint="unset it"
        )
    with _handing_on({"GIT_INDEX_FILE": file}):
        yield


@contextmanager
def _handing_on(found: Mapping[str, str]) -> Iterator[None]:
    before = dict(handed_on)
    handed_on.update(found)
    try:
        yield
    finally:
        handed_on.clear()
        handed_on.update(before)


def _quoted(path: str) -> str:
    # git(1), GIT_ALTERNATE_OBJECT_DIRECTORIES: a list with colons between, of C strings where needed.
    if ":" not in path and not path.startswith('"'):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
