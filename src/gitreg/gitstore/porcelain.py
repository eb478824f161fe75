"""What GitPython is good at: new repositories, clones, configuration; under our scrubbed environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.errors import EnvironmentFailure, GitFailure, UsageError
from gitreg.gitstore.process import environment, find_git, overrides, printable
from gitreg.gitstore.repository import Repository

if TYPE_CHECKING:
    import git

_ENV = "/usr/bin/env"

Progress = Callable[[str, float, float | None], None]


def init(path: Path, *, bare: bool, branch: str, algorithm: str = "sha1") -> Repository:
    """Make a new repository; an existing one is opened as it stands.

    Args:
        path: Of the work tree, or of the bare repository; made when it is not there.
        bare: As ``git init --bare``.
        branch: The first branch.
        algorithm: ``sha1`` or ``sha256``.

    Raises:
        EnvironmentFailure: The folder can't be made or written.
    """
    if (path / ".git").exists() or (path / "HEAD").exists():
        return Repository.at(path.absolute())
    repo = _repo_class()
    _checked(repo.init, path.absolute(), bare=bare, initial_branch=branch, object_format=algorithm)
    return Repository.at(path.absolute())


def clone(
    url: str, path: Path, *, bare: bool = False, tags: bool = True, progress: Progress | None = None
) -> Repository:
    """Clone a repository.

    Args:
        url: Anything that Git can clone but ``ext::``, which runs a program.
        path: Must not exist, or be empty.
        bare: As ``git clone --bare``.
        tags: False for a clone for gitreg's own use: tag objects can be made again from the commits.
        progress: Called with what is being done, how much of it, and of how much.

    Raises:
        UsageError: The URL names a transport that runs programs.
        GitFailure: Git could not clone it.
    """
    options: dict[str, Any] = {"bare": True} if bare else {}
    if not tags:
        options["no_tags"] = True
    if progress is not None:
        options["progress"] = lambda code, now, total, words: progress(words or "", now, total)
    _checked(_repo_class().clone_from, url, path.absolute(), **options)
    return Repository.at(path.absolute())


def configure(repository: Repository, key: str, value: str) -> None:
    """Set one value in the repository's own configuration.

    Args:
        key: ``section.name`` or ``section.subsection.name``.
    """
    section, _, name = key.rpartition(".")
    outer, _, inner = section.partition(".")
    if not value.isprintable():
        raise UsageError("a setting can't hold control characters", where=key)
    repo = _checked(_repo_class(), repository.root)
    with repo, repo.config_writer() as writer:
        _checked(writer.set_value, f'{outer} "{inner}"' if inner else outer, name, value)


@lru_cache(maxsize=1)
def _repo_class() -> type[git.Repo]:
    with _own_variables():
        import git

    class ScrubbedGit(git.Git):
        """Runs our git in our environment, whatever GitPython would have run."""

        def execute(self, command: Any, *args: Any, **kwargs: Any) -> Any:
            return super().execute(_scrubbed(list(command), self.environment()), *args, **kwargs)

    class ScrubbedRepo(git.Repo):
        GitCommandWrapperType = ScrubbedGit

    return ScrubbedRepo


@contextmanager
def _own_variables() -> Iterator[None]:
    # GitPython reads GIT_DIR, GIT_OBJECT_DIRECTORY and others from os.environ itself, and its import
    # looks for git along an unchecked PATH. The environment belongs to the whole process: new
    # repositories and clones are not made by several threads at once.
    before = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("GIT_")}
    os.environ["GIT_PYTHON_GIT_EXECUTABLE"] = find_git()
    try:
        yield
    finally:
        del os.environ["GIT_PYTHON_GIT_EXECUTABLE"]
        os.environ.update(before)


def _scrubbed(command: Sequence[str], added: dict[str, str]) -> list[str]:
    # GitPython adds to os.environ and can't take away: env(1) does it, in front of git. Only names
    # and our own values stand on its command line, which other users can read.
    ours = environment(online=True)
    gone = {key for key in (*os.environ, *added) if key.startswith("GIT_")} - ours.keys()
    unset = [word for key in sorted(gone) for word in ("-u", key)]
    fixed = [f"{key}={value}" for key, value in ours.items() if os.environ.get(key) != value]
    return [_ENV, *unset, *fixed, find_git(), *overrides(online=True), *command[1:]]


def _checked(action: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    from git.exc import GitCommandError, UnsafeProtocolError

    try:
        with _own_variables():
            return action(*args, **kwargs)
    except UnsafeProtocolError as error:
        raise UsageError(f"this URL could run a program: {error}", where="url") from None
    except GitCommandError as error:
        words = printable(str(error.stderr or error).encode())
        lines = [line for line in words.splitlines() if "fatal: " in line] or words.splitlines()[-1:]
        raise GitFailure(lines[0].strip(" '") if lines else "git failed") from None
    except OSError as error:
        raise EnvironmentFailure(f"{error.strerror or error}", where=str(error.filename or "")) from None
