"""How a case is played and judged: real commands on a real repository, and STD, the outcome of every refusal.

STD is one assertion, ``refused``: the exit code of its class; stderr says what, where and how to mend;
no traceback, no secret, nothing that steers a terminal; every file of the repository as before.
"""

from __future__ import annotations

import hashlib
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gitreg
from gitreg.registry.registry import Registry

USAGE, INVALID, CONFLICT, ENVIRONMENT = 2, 3, 4, 7

SECRET = "hunter2-never-show"
PATIENCE = 60.0  # seconds for any one command: a hang is a failure

# The lock's own content names its last holder, and of the journal only the first line counts; that
# they exist is no change once a write was tried.
_DERIVED = re.compile(r"(^|/)gitreg/index[^/]*(/|$)")
_LOCK = re.compile(r"(?:\.git/)?gitreg/write\.lock")
_JOURNAL = re.compile(r"(?:\.git/)?gitreg/journal\.json")
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_TELLS = re.compile(r"^(?:error: \S|\{\"error\": |\S.*: error\[GR\d{3}\]: \S)", re.MULTILINE)
_MENDS = re.compile(r"^\s*(?:help|hint): \S|\"help\": \"\S", re.MULTILINE)


def program() -> list[str]:
    """The argv of gitreg as it is installed beside the interpreter, else as a module."""
    script = Path(sys.executable).with_name("gitreg")
    return [str(script)] if script.exists() else [sys.executable, "-m", "gitreg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one command did: exit code, both streams, and how long it took (seconds)."""

    args: tuple[str | bytes, ...]
    code: int
    out: str
    err: str
    seconds: float

    def __str__(self) -> str:
        words = " ".join(
            a.decode("utf-8", "backslashreplace") if isinstance(a, bytes) else a for a in self.args
        )
        return f"gitreg {words[:300]} → {self.code}\n--- stdout\n{self.out[:3000]}\n--- stderr\n{self.err[:3000]}"


def gitreg_command(
    *args: str | bytes,
    at: Path,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes = b"",
    memory: int | None = None,
    wrapped: Sequence[str] = (),
) -> Outcome:
    """Run gitreg once in the folder ``at``.

    Args:
        env: Set over the environment; None takes a variable away.
        memory: Limit of the address space in bytes.
        wrapped: Words before the command (``unshare …``).
    """
    environ = {**os.environ, **{k: v for k, v in (env or {}).items() if v is not None}}
    for key in [key for key, value in (env or {}).items() if value is None]:
        environ.pop(key, None)

    def limit() -> None:
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))

    begin = time.monotonic()
    done = subprocess.run(
        [*wrapped, *program(), *args],
        cwd=at,
        env=environ,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=PATIENCE,
        preexec_fn=limit,
    )
    return Outcome(
        args=args,
        code=done.returncode,
        out=done.stdout.decode("utf-8", "backslashreplace"),
        err=done.stderr.decode("utf-8", "backslashreplace"),
        seconds=time.monotonic() - begin,
    )


def clean(outcome: Outcome) -> Outcome:
    """Demand what holds for every answer, good or bad: no traceback, no secret, nothing that steers a terminal."""
    said = outcome.out + outcome.err
    assert "Traceback (most recent call last)" not in said, outcome
    assert outcome.code >= 0 and outcome.code != 70, outcome
    assert SECRET not in said, outcome
    found = _STEERING.search(said)
    assert not found, f"U+{ord(found[0]):04X} in the output of {outcome}" if found else ""
    return outcome


def told(outcome: Outcome, code: int | Sequence[int], *says: str, mend: bool = True) -> Outcome:
    """Demand an answer of STD without looking at the repository.

    Args:
        code: The exit code, or the ones that are right.
        says: Texts that must stand in stderr, whatever their case.
        mend: Whether stderr must say how to go on.
    """
    clean(outcome)
    codes = (code,) if isinstance(code, int) else tuple(code)
    assert outcome.code in codes, f"{codes} was due: {outcome}"
    assert _TELLS.search(outcome.err), f"stderr does not say what is wrong: {outcome}"
    if mend:
        assert _MENDS.search(outcome.err), f"stderr does not say how to mend it: {outcome}"
    for text in says:
        assert text.casefold() in outcome.err.casefold(), f"{text!r} is not said: {outcome}"
    return outcome


def snapshot(root: Path) -> dict[str, str]:
    """Every file below ``root`` with kind, mode and a digest of its content: refs, objects, index, work tree.

    Our own index (SQLite) is left out: any read brings it up to date, and it can be deleted at any time.
    """
    found: dict[str, str] = {}
    for folder, names, leaves in os.walk(root):
        for name in [*names, *leaves]:
            path = Path(folder, name)
            inside = path.relative_to(root).as_posix()
            if _DERIVED.search(inside):
                continue
            info = path.lstat()
            if stat.S_ISLNK(info.st_mode):
                content = os.readlink(path)
            else:
                content = _digest(path, inside) if stat.S_ISREG(info.st_mode) else ""
            found[inside] = f"{info.st_mode:o} {content}"
    return found


def _digest(path: Path, inside: str) -> str:
    if _LOCK.fullmatch(inside):
        return ""
    data = path.read_bytes()
    return hashlib.sha256(data.partition(b"\n")[0] if _JOURNAL.fullmatch(inside) else data).hexdigest()


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """The paths that came, went or changed."""
    marks = {True: "~", False: "+"}
    gone = [f"- {path}" for path in before if path not in after]
    return gone + [f"{marks[path in before]} {path}" for path in after if before.get(path) != after[path]]


@contextmanager
def unchanged(*roots: Path) -> Iterator[None]:
    """Demand that the block leaves every file below ``roots`` byte for byte as it was."""
    before = [snapshot(root) for root in roots]
    yield
    for root, was in zip(roots, before, strict=True):
        moved = differences(was, snapshot(root))
        assert not moved, f"files of {root.name} changed: {moved[:20]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One registry and whatever lies beside it.

    Attributes:
        root: Folder in which commands run: the work tree's root, or the bare repository.
    """

    root: Path

    def run(self, *args: str | bytes, **how: object) -> Outcome:
        """Run gitreg here; the answer must be ``clean``."""
        return clean(gitreg_command(*args, at=self.root, **how))  # type: ignore[arg-type]

    def does(self, *args: str | bytes, **how: object) -> Outcome:
        """Run gitreg here; it must succeed."""
        outcome = self.run(*args, **how)
        assert outcome.code == 0, outcome
        return outcome

    def refuses(
        self, *args: str | bytes, code: int | Sequence[int], says: Sequence[str] = (), **how: object
    ) -> Outcome:
        """Run gitreg here; it must answer by STD with ``code``, and change nothing."""
        mend = bool(how.pop("mend", True))
        with unchanged(self.root):
            outcome = gitreg_command(*args, at=self.root, **how)  # type: ignore[arg-type]
        return told(outcome, code, *says, mend=mend)

    def git(self, *args: str, stdin: bytes = b"", check: bool = True) -> str:
        """What plain Git says."""
        done = subprocess.run(
            ["git", *args], cwd=self.root, input=stdin, capture_output=True, check=False, timeout=PATIENCE
        )
        assert not check or done.returncode == 0, (args, done.stderr.decode(errors="replace"))
        return done.stdout.decode("utf-8", "backslashreplace")

    def commits_by_hand(self, message: str = "by hand") -> None:
        """Commit the whole work tree with plain Git."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "-m", message)

    def tags(self) -> list[str]:
        """The names of all Git tags."""
        return self.git("tag").split()

    def open(self) -> Registry:
        """The same registry through the Python API."""
        return gitreg.open(self.root)

    def file(self, name: str) -> Path:
        """A file of the work tree."""
        return self.root / name

    def copy(self, to: Path) -> Site:
        """This registry with all that lies in its folder, somewhere else."""
        shutil.copytree(self.root, to, symlinks=True)
        return Site(root=to)

    def sound(self) -> None:
        """Demand that Git finds nothing wrong, and nothing unfinished in the work tree."""
        self.git("fsck", "--strict", "--full", "--no-dangling")
        if not self.root.name.endswith(".git"):
            assert self.git("status", "--porcelain") == ""
