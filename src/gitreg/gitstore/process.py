"""Runs Git: one binary by absolute path, a scrubbed environment, no program that a repository names."""

from __future__ import annotations

import os
import re
import select
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO

from gitreg.errors import EnvironmentFailure, GitFailure

MINIMUM = (2, 34)  # SSH signatures, `-z` transactions, and what Ubuntu 22.04 and RHEL 9 ship
DEFAULT_TIMEOUT = 60.0  # seconds
TIMEOUT_VARIABLE = "GITREG_GIT_TIMEOUT"
_REALLY_GIT = "is this really git? try: git --version"
_DISK = (
    "No space left",
    "Out of diskspace",
    "Disk quota",
    "couldn't write",
    "unable to write",
    "write error",
)

# What Git is told in its environment, and why.
_ENVIRONMENT = {
    "LC_ALL": "C",  # messages in English, for the few that are read
    "LANGUAGE": "",  # gettext prefers it to LC_ALL
    "GIT_TERMINAL_PROMPT": "0",  # never wait for a person
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace/* would show another history than the one that is hashed
    "GIT_OPTIONAL_LOCKS": "0",  # a read must not write the index
    "GIT_LITERAL_PATHSPECS": "1",  # a folder may be called `*` or `:(top)`
}

# A partial clone would fetch what it lacks in the middle of a read: no transport is called `none`.
_OFFLINE = {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
# `ext::` runs a program and is left out on purpose.
_ONLINE = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}

# What a hook hands on of Git's own variables: ``inherited`` alone writes here.
handed_on: dict[str, str] = {}

# Everything in a repository's configuration that can name a program or start one behind our back.
# The system and global files stay in force (safe.directory, proxies): they belong to the user and
# the administrator, who could as well replace git itself.
_OVERRIDES = (
    "core.hooksPath=/dev/null",  # reference-transaction and post-index-change run on plumbing, too
    "core.fsmonitor=false",  # a program asked whenever the index is read
    "core.pager=cat",
    "core.editor=false",
    "core.alternateRefsCommand=:",  # run through the shell when alternates are there
    "gpg.program=false",  # log.showSignature would run it for every commit
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "log.showSignature=false",
    "gc.auto=0",  # a gc of Git's own choosing would not know our lock
    "maintenance.auto=false",
)
# Transports: a clone may name its programs, but a local verb needs none at all.
_NO_TRANSPORT = ("core.sshCommand=false", "core.gitProxy=false", "core.askPass=", "credential.helper=")

# What Git must make durable when it writes: nothing is fsynced for a ref by default.
DURABLE = ("core.fsync=all", "core.fsyncMethod=fsync")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one run of Git gave: its exit code, stdout, and stderr as printable text."""

    code: int
    stdout: bytes
    stderr: str


class GitDied(GitFailure):
    """Git was killed or did not come to an end: what it had begun may be half done."""


def find_git() -> str:
    """The absolute path of git, from ``PATH`` without entries that are empty, relative or the current folder.

    Raises:
        GitFailure: There is none.
    """
    return _find_git(os.environ.get("PATH", os.defpath), _here())


@lru_cache(maxsize=8)
def _find_git(path: str, here: str) -> str:
    for folder in _trusted(path, here):
        candidate = os.path.join(folder, "git")
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    raise GitFailure("git was not found on PATH", hint="install Git 2.34 or newer, e.g. apt-get install git")


@lru_cache(maxsize=8)
def _trusted(path: str, here: str) -> tuple[str, ...]:
    folders = [folder for folder in path.split(os.pathsep) if os.path.isabs(folder)]
    real = os.path.realpath(here) if here else ""
    return tuple(folder for folder in folders if os.path.realpath(folder) != real)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # the folder was removed under us
        return ""


def environment(*, online: bool = False) -> dict[str, str]:
    """The environment for Git: the caller's without any ``GIT_*``, and what ``gitreg`` sets itself."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    env.update(_ENVIRONMENT)
    env.update(handed_on)
    env.update(_ONLINE if online else _OFFLINE)
    env["PATH"] = os.pathsep.join(_trusted(env.get("PATH", os.defpath), _here()))
    return env


def overrides(*, online: bool = False) -> list[str]:
    """``-c KEY=VALUE`` for every setting that a repository could name a program with."""
    settings = _OVERRIDES if online else _OVERRIDES + _NO_TRANSPORT
    return [word for setting in settings for word in ("-c", setting)]


def command(at: Path, args: Sequence[str], *, settings: Sequence[str] = ()) -> list[str]:
    """The full argv of ``git ARGS`` in the folder ``at``.

    Git finds the repository from there itself, so that its own check of the owner (safe.directory) holds.
    """
    extra = [word for setting in settings for word in ("-c", setting)]
    return [find_git(), "--no-pager", *overrides(), *extra, "-C", str(at), *args]


def patience(usual: float = DEFAULT_TIMEOUT) -> float:
    """Seconds to wait for an answer of Git: ``usual``, or ``$GITREG_GIT_TIMEOUT`` where that is less."""
    try:
        return min(usual, max(0.1, float(os.environ[TIMEOUT_VARIABLE])))
    except (KeyError, ValueError):
        return usual


def run(
    args: Sequence[str],
    *,
    at: Path,
    stdin: bytes = b"",
    accept: Sequence[int] = (0,),
    timeout: float = DEFAULT_TIMEOUT,
    held: Sequence[int] = (),
    settings: Sequence[str] = (),
    extra_env: Mapping[str, str] | None = None,
) -> Answer:
    """Run ``git ARGS`` once.

    Args:
        at: Folder in which Git looks for the repository.
        accept: Exit codes that are an answer; any other is a failure.
        timeout: Seconds, see ``patience``.
        held: Descriptors that the child inherits, so that a lock outlives a parent that is killed.
        settings: More ``KEY=VALUE`` settings.

    Raises:
        GitFailure: Git is missing, hung, or failed; the message holds Git's own words.
    """
    argv = command(at, args, settings=settings)
    env = environment()
    if extra_env:
        env.update(extra_env)
    pipe = subprocess.PIPE
    try:
        with _Process(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env, pass_fds=tuple(held)) as process:
            try:
                said, words = process.communicate(stdin, timeout=patience(timeout))
            except BaseException:
                process.kill()
                raise
    except subprocess.TimeoutExpired:
        raise hung(args, at, patience(timeout)) from None
    except (OSError, ValueError) as error:
        raise _not_run(args, argv, error) from None
    answer = Answer(code=process.returncode, stdout=said, stderr=printable(words))
    if answer.code not in accept:
        raise failure(args, at, answer)
    return answer


class _Process(subprocess.Popen[bytes]):
    """A child that is waited for without naps: Popen's ``wait(timeout)`` sleeps 0.5 to 50 ms a time."""

    def wait(self, timeout: float | None = None) -> int:
        if timeout is None or self.returncode is not None or not hasattr(os, "pidfd_open"):
            return super().wait(timeout)
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:  # an old kernel, or no descriptor left
            return super().wait(timeout)
        try:
            ended = select.poll()
            ended.register(descriptor, select.POLLIN)
            if not ended.poll(max(0.0, timeout) * 1000):
                raise subprocess.TimeoutExpired(self.args, timeout)
        finally:
            os.close(descriptor)
        return super().wait()


@contextmanager
def start(
    args: Sequence[str],
    *,
    at: Path,
    stderr: IO[bytes],
    stdin: int = subprocess.PIPE,
    settings: Sequence[str] = (),
) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``git ARGS`` with pipes to talk through; it is killed and reaped at the end of the block."""
    process = launch(args, at=at, stderr=stderr, stdin=stdin, settings=settings)
    try:
        yield process
    finally:
        stop(process)


def launch(
    args: Sequence[str],
    *,
    at: Path,
    stderr: IO[bytes],
    stdin: int = subprocess.PIPE,
    settings: Sequence[str] = (),
    held: Sequence[int] = (),
    extra_env: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start ``git ARGS`` with pipes to talk through; the caller must ``stop`` it."""
    argv = command(at, args, settings=settings)
    env = {**environment(), **(extra_env or {})}
    try:
        return subprocess.Popen(
            argv,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=env,
            bufsize=1 << 16,
            pass_fds=tuple(held),
        )
    except OSError as error:
        raise _not_run(args, argv, error) from None


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that ``launch`` started, and reap it."""
    if process.poll() is None:
        process.kill()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            with suppress(OSError):  # unsent requests to a process that is gone
                stream.close()
    process.wait()


def scratch_file() -> IO[bytes]:
    """An unnamed file for Git's words on stderr: a pipe that nobody reads could fill up."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("gitreg-stderr"), "w+b")
    import tempfile  # importing it takes longer than a read command's own work

    return tempfile.TemporaryFile()


def hung(args: Sequence[str], at: Path, seconds: float) -> GitDied:
    """The error for a Git that gave no answer within ``seconds``."""
    return GitDied(
        f"git {args[0]} gave no answer within {seconds:g} s",
        where=str(at),
        hint=f"see what git is waiting for; {TIMEOUT_VARIABLE} sets the seconds",
    )


def _not_run(args: Sequence[str], argv: Sequence[str], error: Exception) -> GitFailure:
    words = error.strerror if isinstance(error, OSError) else str(error)
    return GitFailure(f"git {args[0]} could not be run: {words}", where=argv[0], hint=_REALLY_GIT)


def printable(raw: bytes) -> str:
    """Git's words as text that is safe on a terminal."""
    text = raw.decode("utf-8", "replace").strip()
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)


def failure(args: Sequence[str], at: Path, answer: Answer) -> EnvironmentFailure:
    """The error that an unexpected exit of ``git ARGS`` means."""
    words = answer.stderr
    if "dubious ownership" in words or "safe.directory" in words:
        return EnvironmentFailure(
            "the repository belongs to another user, and Git does not trust it",
            where=str(at),
            hint=f"if you trust its owner: git config --global --add safe.directory {at}",
        )
    if "safe.bareRepository" in words or "cannot use bare repository" in words:
        return EnvironmentFailure(
            "your Git configuration forbids bare repositories (safe.bareRepository)",
            where=str(at),
            hint="git config --global safe.bareRepository all",
        )
    if answer.code < 0:
        return GitDied(f"git {args[0]} was killed by signal {-answer.code}", where=str(at), hint=_REALLY_GIT)
    fault = _first_fault(words)
    hint = "" if fault else _REALLY_GIT
    if any(sign in words for sign in _DISK):
        hint = f"is the disk full? see: df {at}"
    return GitFailure(
        f"git {args[0]} failed: {fault or f'exit code {answer.code}'}", where=str(at), hint=hint
    )


def _first_fault(words: str) -> str:
    lines = [line for line in words.splitlines() if line.strip()]
    faults = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    return (faults or lines or [""])[0].removeprefix("fatal: ").removeprefix("error: ")


def garbage(args: Sequence[str], at: Path, said: bytes) -> GitFailure:
    """The error for an answer with exit code 0 that can't be Git's."""
    return GitFailure(
        f"git {args[0]} answered something that can't be understood: {printable(said[:60])!r}",
        where=find_git(),
        hint=_REALLY_GIT,
    )


def version() -> tuple[int, ...]:
    """The version of Git, e.g. ``(2, 39, 5)``.

    Raises:
        GitFailure: Git is missing or its answer is not one.
    """
    said = _begins(["version"], at=Path("/"), seconds=patience(10.0))
    found = re.match(rb"git version (\d+(?:\.\d+)+)", said)
    if not found:
        raise garbage(["version"], Path("/"), said)
    return tuple(int(part) for part in found[1].split(b"."))


def _begins(args: Sequence[str], *, at: Path, seconds: float) -> bytes:
    """The first words of an answer: what is not Git might go on for ever."""
    with scratch_file() as errors, start(args, at=at, stderr=errors, stdin=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        pipe = select.poll()
        pipe.register(process.stdout, select.POLLIN)
        try:
            said = os.read(process.stdout.fileno(), 4096) if pipe.poll(seconds * 1000) else None
            if said == b"" and process.wait(seconds):
                errors.seek(0)
                words = printable(errors.read(4096))
                raise failure(args, at, Answer(code=process.returncode, stdout=b"", stderr=words))
        except subprocess.TimeoutExpired:
            said = None
    if said is None:
        raise hung(args, at, seconds)
    return said


def check_version() -> None:
    """Refuse a Git that is too old.

    Raises:
        GitFailure: It is older than 2.34.
    """
    _check_version(find_git())


@lru_cache(maxsize=8)
def _check_version(git: str) -> None:
    found = version()
    if found < MINIMUM:
        raise GitFailure(
            f"Git {'.'.join(map(str, found))} is too old", where=git, hint="install Git 2.34 or newer"
        )
