"""Refs: read from their files in process, moved by one ``update-ref`` transaction."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import Conflict, EnvironmentFailure, GitFailure, MovedRef
from gitreg.gitstore.durable import sync_path
from gitreg.gitstore.objects import is_oid
from gitreg.gitstore.packedfile import packed_file

_OWN = re.compile(r"[A-Z_]+|refs/(?:bisect|worktree|rewritten)/.*")  # not shared by linked work trees
_LOCK_WAIT = 0.2  # seconds; git-config(1), core.filesRefLockTimeout: 100 ms
_LOOKS = 64  # refs of one transaction whose locks are looked for beforehand
# git-check-ref-format(1), the rules that could make a name mean another file or command.
_BAD_REF = re.compile(r"[\0-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|(?:^|/)\.|\.lock(?:/|$)|[./]$|^/")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefMove:
    """One ref of a transaction: ``old`` None means that it must not exist, ``new`` None that it goes."""

    name: str
    new: str | None
    old: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refs:
    """The refs of one work tree, as their files say; no process is started."""

    git_dir: Path
    common_dir: Path
    at: Path

    def file(self, name: str) -> Path:
        """Where the loose ref lies."""
        return (self.git_dir if _OWN.fullmatch(name) else self.common_dir) / name

    def _path(self, name: str) -> str:
        # As text: a read asks for two refs, and pathlib takes longer than the kernel.
        return f"{self.git_dir if _OWN.fullmatch(name) else self.common_dir}/{name}"

    def symbolic(self, name: str) -> str | None:
        """The ref that ``name`` points to, None when it holds an object id or does not exist."""
        path = self._path(name)
        if os.path.islink(path):  # HEAD of a very old Git
            target = os.readlink(path)
            return target if target.startswith("refs/") else None
        text = self._loose(name)
        return text.removeprefix("ref:").strip() if text is not None and text.startswith("ref:") else None

    def read(self, name: str) -> str | None:
        """The object id that a ref holds, None when it does not exist.

        Raises:
            EnvironmentFailure: Its file is damaged.
        """
        for _ in range(5):  # git-symbolic-ref(1) follows as many
            text = self._loose(name)
            if text is None:
                # Git removes a loose ref only after packed-refs holds it; a ref packed between the
                # two looks is in the file now.
                return self.packed(name) or self._oid(name, self._loose(name))
            if not text.startswith("ref:"):
                return self._oid(name, text)
            name = text.removeprefix("ref:").strip()
        raise EnvironmentFailure("symbolic refs go round in a circle", where=name)

    def _loose(self, name: str) -> str | None:
        try:
            with open(self._path(name), "rb", buffering=0) as file:
                return file.read().decode("utf-8", "surrogateescape").strip("\n")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:  # no file has such a name; packed-refs may know it
                return None
            raise EnvironmentFailure(f"the ref can't be read: {error.strerror}", where=name) from None

    def _oid(self, name: str, text: str | None) -> str | None:
        if text is None or is_oid(text):
            return text
        raise EnvironmentFailure(
            "the ref's file is damaged", where=str(self.file(name)), hint="gitreg doctor"
        )

    def packed(self, name: str) -> str | None:
        """What packed-refs holds for ``name``."""
        return packed_file(f"{self.common_dir}/packed-refs").find(_bytes(name))

    def exists(self, name: str) -> bool:
        """Whether a ref of exactly that name exists."""
        return self.read(name) is not None

    def list(self, prefix: str) -> list[str]:
        """The full names of all refs whose name begins with ``prefix``, which ends with a slash."""
        return sorted(self.beginning(prefix))

    def beginning(self, start: str) -> dict[str, str]:
        """The refs whose full names begin with ``start``, such as ``refs/tags/churn/v``, with their ids."""
        folder = start.rpartition("/")[0] + "/"
        # Git removes a loose ref only after packed-refs holds it: looked for in this order none is missed.
        loose = [name for name in self._loose_below(folder) if name.startswith(start)]
        packed = packed_file(f"{self.common_dir}/packed-refs").beginning(_bytes(start))
        found = {name.decode("utf-8", "surrogateescape"): oid for name, oid in packed}
        for name in loose:
            oid = self._sound(name)
            if oid:
                found[name] = oid
        return found

    def _sound(self, name: str) -> str | None:
        try:
            return self.read(name)
        except EnvironmentFailure:  # Git, too, passes over a broken one
            return None

    def _loose_below(self, folder: str) -> Iterator[str]:
        try:
            with os.scandir(f"{self.common_dir}/{folder}") as found:
                entries = [(each.name, each.is_dir()) for each in found]
        except (FileNotFoundError, NotADirectoryError):
            return
        for leaf, is_folder in entries:
            if is_folder:
                yield from self._loose_below(f"{folder}{leaf}/")
            elif not _BAD_REF.search(leaf):
                yield f"{folder}{leaf}"


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def check_ref_name(name: str) -> str:
    """Return ``name`` when Git takes it for a full ref name (git-check-ref-format).

    Raises:
        Conflict: It does not.
    """
    if (
        not name.startswith("refs/")
        or _BAD_REF.search(name)
        or name.encode("utf-8", "replace").find(b"\n") >= 0
    ):
        raise Conflict(f"{name!r} can't be the name of a ref", where="ref")
    return name


def move(
    refs: Refs,
    moves: Sequence[RefMove],
    *,
    reason: str,
    held: Sequence[int] = (),
    who: tuple[str, str] = ("", ""),
) -> None:
    """Move several refs in one transaction with their expected old values, and make them durable.

    Args:
        reason: For the reflog.
        held: Descriptors for the child to inherit.
        who: Name and e-mail for the reflog.

    Raises:
        MovedRef: One was not where it was expected.
        Conflict: A new one exists already, or is a folder of others.
        EnvironmentFailure: A lock stands in the way, or the disk does.
    """
    from gitreg.gitstore import process  # reading refs needs none

    lines = []
    for each in moves:
        zero = "0" * len(each.new or each.old or "")
        lines.append(f"update {check_ref_name(each.name)}\0{each.new or zero}\0{each.old or zero}\0")
    text = "".join(lines).encode("utf-8", "surrogateescape")
    folders = folders_to_sync(refs, moves)
    env = {"GIT_COMMITTER_NAME": who[0], "GIT_COMMITTER_EMAIL": who[1]} if all(who) else {}
    args = ["update-ref", "-m", " ".join(reason.split())[:200], "-z", "--stdin"]
    try:
        process.run(
            args, at=refs.at, stdin=text, held=held, settings=process.DURABLE, extra_env=env, timeout=300.0
        )
    except process.GitDied:
        raise
    except GitFailure as error:
        raise why_refused(refs, moves, error) from None
    if any(each.new is None for each in moves):
        folders.append(refs.common_dir)  # a packed ref goes by a new packed-refs
    for folder in folders:
        if folder.is_dir():  # Git takes a folder away with the last ref in it
            sync_path(folder)  # Git syncs the file, never the folder that its name stands in


def folders_to_sync(refs: Refs, moves: Sequence[RefMove]) -> list[Path]:
    """The folders whose list of names a transaction will change, inner ones first; asked before it runs."""
    found: dict[Path, None] = {}
    for each in moves:
        folder = refs.file(each.name).parent
        found[folder] = None
        while not folder.exists():
            folder = folder.parent
            found[folder] = None
    return sorted(found, key=lambda path: -len(path.parts))


def why_refused(refs: Refs, moves: Sequence[RefMove], error: GitFailure) -> Exception:
    """The error that a refused transaction means, found by looking at the refs; else Git's own."""
    for each in moves:
        now = refs.read(each.name)
        if now == each.old:
            continue
        if each.old is None and each.name.startswith("refs/tags/"):
            return Conflict(
                "the tag exists already",
                where=each.name,
                hint="set tags.prefix in gitreg.yaml to keep tags apart",
            )
        return MovedRef(f"the ref moved to {now or 'nothing'} while the change was made", where=each.name)
    for each in moves:
        lock = refs.file(each.name).with_name(refs.file(each.name).name + ".lock")
        if lock.exists():
            return stale_lock(lock)
    for lock in (refs.git_dir / "HEAD.lock", refs.common_dir / "packed-refs.lock"):
        if lock.exists():
            return stale_lock(lock)
    if "cannot create" in error.message or "exists;" in error.message:
        return Conflict(
            f"a ref stands in the way: {error.message}",
            where=moves[-1].name,
            hint="set tags.prefix in gitreg.yaml to keep tags apart",
        )
    return error


def refuse_locked(refs: Refs, moves: Sequence[RefMove]) -> None:
    """Look for locks in the way of a transaction before anything is written for it.

    Raises:
        EnvironmentFailure: One stays for longer than Git itself would wait for it.
    """
    deadline = time.monotonic() + _LOCK_WAIT
    locks = [refs.file(each.name).with_name(refs.file(each.name).name + ".lock") for each in moves[:_LOOKS]]
    for lock in (*locks, refs.git_dir / "HEAD.lock"):
        while lock.exists():
            if time.monotonic() > deadline:
                raise stale_lock(lock)
            time.sleep(0.01)


def stale_lock(lock: Path) -> EnvironmentFailure:
    """The failure that a lock file of somebody else means (exit 7)."""
    try:
        age = f"{max(0.0, time.time() - lock.lstat().st_mtime):.0f} s old"
    except OSError:
        age = "just gone"
    return EnvironmentFailure(
        f"another program holds this lock, or died with it ({age})", where=str(lock), hint="gitreg doctor"
    )
