"""Keeps a work tree and its index in step with a commit, and never overwrites a person's edits."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Self

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.gitstore.durable import disk_failure, sync_all
from gitreg.gitstore.indexfile import look_up
from gitreg.gitstore.objects import object_id
from gitreg.gitstore.process import DURABLE, garbage, run
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.refs import stale_lock
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import Entry, Touched, decode_name, encode_name

LOCK_MARK = "gitreg"  # where an index.lock of ours points to; one of Git's is a file
STAGING = "gitreg-staging"
_LOCK_WAIT = 1.0  # seconds: an editor's `git status` holds it for milliseconds
_MANY = 64  # files: one sync of the whole system is cheaper than so many of one file
_ARGUMENTS = 500  # paths on one command line


class WorkTree:
    """One work tree while its index is locked; use it in a ``with`` block.

    All that can fail for want of space is done by ``stage``, before the branch moves; ``finish``
    only renames.

    Args:
        repository: With a work tree.
        reader: Sees the new objects, too.
        held: Descriptors that children inherit.

    Raises:
        EnvironmentFailure: Another program holds index.lock for over a second.
    """

    def __init__(self, repository: Repository, reader: Reader, held: Sequence[int]) -> None:
        if repository.work_tree is None:
            raise ValueError("a bare repository has no work tree")
        self._repository = repository
        self._root = repository.work_tree
        self._reader = reader
        self._held = held
        self._index = repository.git_dir / "index"
        self._lock = repository.git_dir / "index.lock"
        self._staging = repository.git_dir / STAGING
        self._skipped: set[str] = set()
        self._touched: tuple[Touched, ...] = ()

    def __enter__(self) -> Self:
        _take_index_lock(self._lock)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._staging, ignore_errors=True)
        if is_ours(self._lock):
            self._lock.unlink(missing_ok=True)

    def guard(self, touched: Sequence[Touched]) -> None:
        """Refuse a change that would overwrite what a person has not committed.

        Raises:
            Conflict: An operation is unfinished, or a file to be written was edited or staged.
        """
        doing = self._repository.in_progress()
        if doing:
            raise Conflict(
                f"a {doing} is in progress in the work tree",
                where=str(self._root),
                hint=f"finish it, or give it up with: git {doing} --abort"
                if doing != "bisect"
                else "git bisect reset",
            )
        entries = self.entries([each.path for each in touched])
        paths = {each.path for each in touched}
        for path in entries:
            if path not in paths:
                raise Conflict(
                    "this file stands where a file is to be written", where=path, hint="move it away"
                )
        for each in touched:
            self._guard_one(each, entries.get(each.path))
        self.adopt(touched)

    def adopt(self, touched: Sequence[Touched]) -> None:
        """Take over what is to be changed, when the caller has looked at each path itself."""
        self._touched = tuple(touched)

    def _guard_one(self, each: Touched, entry: Entry | None) -> None:
        mend = f"commit it, or put it aside with: git stash push -- {each.path}"
        if entry != each.old:
            raise Conflict("the file has staged changes that are not committed", where=each.path, hint=mend)
        if each.path in self._skipped:
            return
        found = self.on_disk(each.path)
        if found == "" and each.old is not None:
            raise Conflict(
                "the file was deleted in the work tree", where=each.path, hint=f"git checkout -- {each.path}"
            )
        if found != "" and not self.holds(each.path, each.old):
            known = each.old is not None
            reason = (
                "the file has changes that are not committed" if known else f"{found} stands where it is due"
            )
            raise Conflict(reason, where=each.path, hint=mend if known else "move it away")

    def on_disk(self, path: str) -> str:
        """What stands at a path, in words; ``""``: nothing.

        Raises:
            Conflict: The way there leads through a symbolic link.
        """
        here = self._root
        names = path.split("/")
        for at, name in enumerate(names):
            here = here / name
            try:
                mode = here.lstat().st_mode
            except FileNotFoundError:
                return ""
            if at < len(names) - 1 and stat.S_ISLNK(mode):
                raise Conflict(
                    "a folder of the registry is a symbolic link", where=str(here), hint="replace the link"
                )
            if at < len(names) - 1 and not stat.S_ISDIR(mode):
                return "a file"
        return "a folder" if stat.S_ISDIR(mode) else "an unknown file"

    def holds(self, path: str, entry: Entry | None) -> bool:
        """Whether the file at ``path`` has exactly the content of ``entry`` (None: is not there)."""
        file = self._root / path
        try:
            data = os.fsencode(os.readlink(file)) if file.is_symlink() else file.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return entry is None
        except OSError:  # a folder
            return False
        if entry is None or file.is_symlink() != (entry.mode == "120000"):
            return False
        algorithm = self._repository.algorithm
        # With core.autocrlf a person's Git may have checked it out with CRLF.
        return entry.oid in (
            object_id("blob", data, algorithm),
            object_id("blob", data.replace(b"\r\n", b"\n"), algorithm),
        )

    def entries(self, paths: Sequence[str]) -> dict[str, Entry]:
        """What the index holds for some paths and below them."""
        id_bytes = 32 if self._repository.algorithm == "sha256" else 20
        known = look_up(self._index, paths, id_bytes=id_bytes) if len(paths) <= _MANY else None
        if known is not None:
            self._skipped |= {path for path, found in known.items() if found.skipped}
            return {path: found.entry for path, found in known.items()}
        few = paths if len(paths) <= _ARGUMENTS else []
        args = ["ls-files", "--stage", "-v", "-z", "--", *few]
        answer = run(args, at=self._root)
        if answer.stdout and not answer.stdout.endswith(b"\0"):
            raise garbage(args, self._root, answer.stdout)
        wanted = set(paths)
        found = {}
        for line in answer.stdout.split(b"\0")[:-1]:
            head, _, raw = line.partition(b"\t")
            words = head.decode("ascii", "replace").split()
            if len(words) != 4:
                raise garbage(args, self._root, line)
            path = decode_name(raw)
            if not few and path not in wanted and not any(f in wanted for f in _folders(path)):
                continue
            found[path] = Entry(words[1], words[2] if words[3] == "0" else "unmerged")
            if words[0] in "Ss":
                self._skipped.add(path)
        return found

    def stage(self) -> None:
        """Write the new files and the new index beside the old ones, synced.

        Raises:
            EnvironmentFailure: The disk is full or can't be written; nothing has changed.
        """
        with self.staging():
            pass

    @contextmanager
    def staging(self) -> Iterator[None]:
        """As ``stage``; Git writes the index while the block waits for the disk."""
        copy = self._stage_files()
        faults: list[BaseException] = []

        def write() -> None:
            try:
                self._update_index(copy)
            except BaseException as error:  # noqa: BLE001 (raised again where it is waited for)
                faults.append(error)

        aside = Thread(target=write)
        aside.start()
        try:
            yield
        finally:
            aside.join()
        if faults:
            raise faults[0]

    def _stage_files(self) -> Path:
        if self._repository.setting("core.sparsecheckout") == "true":
            self._skipped |= {each.path for each in self._touched if self._outside_sparse(each)}
        try:
            shutil.rmtree(self._staging, ignore_errors=True)  # of a writer that was killed
            self._staging.mkdir()
            staged = [
                path for number, each in enumerate(self._touched) if (path := self._stage_one(number, each))
            ]
            if len(staged) > _MANY:
                os.sync()
            elif staged:
                sync_all(staged)
            copy = self._staging / "index"
            if self._index.exists():
                _copy(self._index, copy)
        except OSError as error:
            raise disk_failure(error, "the work tree can't be written") from None
        return copy

    def _stage_one(self, number: int, each: Touched) -> Path | None:
        if each.new is None or each.path in self._skipped or each.new.mode == "160000":
            return None
        path = self._staging / str(number)
        data = self._reader.blob(each.new.oid)
        if each.new.mode == "120000":
            os.symlink(os.fsdecode(data), path)
            return None
        mode = 0o777 if each.new.mode == "100755" else 0o666  # less the umask, as Git makes them
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        return path

    def _update_index(self, copy: Path) -> None:
        zero = "0" * (64 if self._repository.algorithm == "sha256" else 40)
        lines = []
        for each in sorted(
            self._touched, key=lambda one: one.new is not None
        ):  # deletions first: a/b before a
            entry = each.new or Entry("0", zero)
            lines.append(f"{entry.mode} {entry.oid}\t".encode() + encode_name(each.path) + b"\0")
        self._on_index(copy, ["update-index", "-z", "--replace", "--index-info"], b"".join(lines))
        kept = [
            encode_name(each.path) + b"\0"
            for each in self._touched
            if each.new and each.path in self._skipped
        ]
        if kept:
            self._on_index(copy, ["update-index", "--skip-worktree", "-z", "--stdin"], b"".join(kept))

    def _on_index(self, copy: Path, args: Sequence[str], stdin: bytes) -> None:
        # Never `git add`: it would run the filters that a repository's attributes name.
        env = {"GIT_INDEX_FILE": str(copy), **self._repository.filters_off}
        run(args, at=self._root, stdin=stdin, held=self._held, settings=DURABLE, extra_env=env)

    def finish(self) -> None:
        """Put the staged files and index in place; the branch has moved.

        Raises:
            EnvironmentFailure: Something is in the way; the journal lets the next command go on.
        """
        try:
            for each in self._touched:
                if each.new is None and each.path not in self._skipped:
                    self._remove(each.path)
            for number, each in enumerate(self._touched):
                staged = self._staging / str(number)
                if os.path.lexists(staged):
                    target = self._root / each.path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _rename(staged, target)
            os.replace(self._staging / "index", self._index)
        except OSError as error:
            failure = disk_failure(error, "the change is committed, but the work tree can't follow")
            raise EnvironmentFailure(failure.message, where=failure.where, hint="gitreg doctor") from None
        self._lock.unlink(missing_ok=True)
        if self._repository.setting("core.sparsecheckout") == "true":
            self._refresh()

    def _refresh(self) -> None:
        # The new entries have no times yet. `git status` and its like put that right by themselves;
        # `git sparse-checkout` does not look first and takes such a file for an edited one.
        paths = [each.path for each in self._touched if each.new and each.path not in self._skipped]
        few = ["add", "--refresh", "--", *paths]
        many = ["update-index", "-q", "--refresh"]
        with suppress(EnvironmentFailure):
            run(
                few if len(paths) <= _ARGUMENTS else many,
                at=self._root,
                accept=range(256),
                held=self._held,
                settings=DURABLE,
                extra_env=self._repository.filters_off,
            )

    def _remove(self, path: str) -> None:
        target = self._root / path
        target.unlink(missing_ok=True)
        for folder in target.parents:
            if folder == self._root:
                break
            try:
                folder.rmdir()  # as Git does: a folder goes with its last file
            except OSError:
                break

    def _outside_sparse(self, each: Touched) -> bool:
        if each.old is not None or each.path in self._skipped:
            return each.path in self._skipped
        # New: it is wanted where the nearest folder that the index knows is checked out.
        for folder in _folders(each.path):
            if (self._root / folder).is_dir():
                return False
            if self.entries([folder]):
                return True
        return False


def follow(work_tree: WorkTree, touched: Sequence[Touched], target: Mapping[str, Entry | None]) -> None:
    """Bring a work tree that was left behind to ``target``, path by path, where nobody has edited it since.

    Args:
        touched: What the writer that was killed meant to change.
        target: Path → what the branch holds there now.
    """
    entries = work_tree.entries([each.path for each in touched])
    behind = []
    for each in touched:
        meant = target[each.path]
        known = entries.get(each.path)
        if known not in (each.old, each.new):
            continue
        if work_tree.holds(each.path, each.old) or work_tree.holds(each.path, each.new):
            behind.append(Touched(path=each.path, old=known, new=meant))
    work_tree.adopt(behind)
    work_tree.stage()
    work_tree.finish()


def _folders(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:size]) for size in range(len(parts), 0, -1)]


def _take_index_lock(lock: Path) -> None:
    deadline = time.monotonic() + _LOCK_WAIT
    while True:
        try:
            os.symlink(LOCK_MARK, lock)  # made and marked as ours in one step, and Git takes it for a lock
            return
        except FileExistsError:
            if is_ours(lock):  # we hold the write lock: whoever made it is dead
                lock.unlink(missing_ok=True)
            elif time.monotonic() > deadline:
                raise stale_lock(lock) from None
            else:
                time.sleep(0.02)
        except OSError as error:
            raise disk_failure(error, "the index can't be locked") from None


def is_ours(lock: Path) -> bool:
    """Whether an index.lock was made here, not by Git."""
    try:
        return os.readlink(lock) == LOCK_MARK
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)  # Git replaces the file and never writes into it
    except OSError:
        shutil.copyfile(source, target)


def _rename(source: Path, target: Path) -> None:
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = target.with_name(f".{target.name}.{STAGING}")
        shutil.copy2(source, beside, follow_symlinks=False)
        os.replace(beside, target)
