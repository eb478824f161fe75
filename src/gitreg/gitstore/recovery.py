"""Finishes what a writer that was killed had begun."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from gitreg.errors import EnvironmentFailure
from gitreg.gitstore import journal
from gitreg.gitstore.housekeeping import PACKING_MARK
from gitreg.gitstore.journal import Journal
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.process import run
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.refs import RefMove, move
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.worktree import STAGING, WorkTree, follow, is_ours

_PATIENCE = 0.5  # seconds that a lock of a living process may need to go away by itself


def settle(repository: Repository, reader: Reader) -> None:
    """For commands that read: finish a killed writer's work, unless a writer is at work right now."""
    if journal.load(repository.state_dir) is None:
        return
    try:
        with write_lock(repository.state_dir, wait=0.0) as lock:
            recover(repository, reader, held=(lock,))
    except EnvironmentFailure:
        return  # at work, or read-only: what can be read is right in either case


def recover(repository: Repository, reader: Reader, *, held: Sequence[int]) -> list[str]:
    """Bring refs, tags and work tree to the old or the new state; the write lock must be held.

    Costs one look for a file when nothing was left. Gives what was mended, in words.
    """
    done = _stop_packing(repository) if (repository.state_dir / PACKING_MARK).exists() else []
    left = journal.load(repository.state_dir)
    if left is not None:
        if left.git_dir:
            _clear_work_tree(Path(left.git_dir))
        done += mend_refs(repository, reader, left, held)
        done += _bring_in_step(repository, reader, left, held)
        journal.clear(repository.state_dir)
    return done


def mend_refs(repository: Repository, reader: Reader, left: Journal, held: Sequence[int]) -> list[str]:
    """Bring the refs of one publication to the old or the new state, and remove its locks.

    ``git update-ref`` is not atomic over several refs when it is killed: it can have moved the
    branch and made no tag.
    """
    done = _remove_locks(repository, left)
    done += _mend_empty_refs(repository, reader, left, held)
    return done + _finish_refs(repository, left, held)


def drop_tags(repository: Repository, left: Journal, held: Sequence[int]) -> None:
    """Take away the tags of a publication that was given up after some of them were made."""
    if left.tags and not _published(repository, left, repository.refs.read(left.ref)):
        _finish_refs(repository, left, held)


def _stop_packing(repository: Repository) -> list[str]:
    """Remove what a killed ``git pack-refs`` leaves: its lock and half of its file, and locks of refs."""
    common = repository.common_dir
    left = [common / "packed-refs.lock", common / "packed-refs.new", *(common / "refs").rglob("*.lock")]
    deadline = time.monotonic() + _PATIENCE
    done = [f"removed the stale lock {path.name}" for path in left if _remove_lock(path, None, deadline)]
    (repository.state_dir / PACKING_MARK).unlink(missing_ok=True)
    return done


def _finish_refs(repository: Repository, left: Journal, held: Sequence[int]) -> list[str]:
    refs = repository.refs
    now = refs.read(left.ref)
    if not _published(repository, left, now):
        made = [name for name, oid in left.tags.items() if refs.read(name) == oid and left.old != left.new]
        moves = [RefMove(name=name, new=None, old=left.tags[name]) for name in made]
        words = "removed the tag {} of a change that was not made"
    else:
        lost = [name for name in left.tags if refs.read(name) is None]
        moves = [RefMove(name=name, new=left.tags[name], old=None) for name in lost]
        words = "made the missing tag {}"
    if moves:
        move(refs, moves, reason="gitreg: recovery", held=held)
    return [words.format(each.name.removeprefix("refs/tags/")) for each in moves]


def published(repository: Repository, left: Journal) -> bool:
    """Whether the branch holds what a publication was to bring: at its head, or before it."""
    return _published(repository, left, repository.refs.read(left.ref))


def _published(repository: Repository, left: Journal, now: str | None) -> bool:
    return now is not None and (now == left.new or _descends(repository, left.new, now))


def _bring_in_step(repository: Repository, reader: Reader, left: Journal, held: Sequence[int]) -> list[str]:
    now = repository.refs.read(left.ref)
    if now is None or not left.touched or not _published(repository, left, now):
        return []
    place = Repository.of_work_tree(Path(left.work_tree), git_dir=Path(left.git_dir))
    if place is None or place.head().branch != left.ref or place.in_progress():
        return []
    tree = reader.commit(now).tree
    target = {each.path: reader.entry(tree, each.path) for each in left.touched}
    with WorkTree(place, reader, held) as work_tree:
        follow(work_tree, left.touched, target)
    return [f"brought {len(left.touched)} file(s) of the work tree in step"]


def _descends(repository: Repository, old: str, new: str) -> bool:
    args = ["merge-base", "--is-ancestor", old, new]
    return run(args, at=repository.root, accept=(0, 1, 128)).code == 0


def _mend_empty_refs(repository: Repository, reader: Reader, left: Journal, held: Sequence[int]) -> list[str]:
    # After a power cut in a bulk transaction a ref's name can be on the disk without its content.
    refs, done = repository.refs, []
    for name in (left.ref, *left.tags):
        path = refs.file(name)
        if not path.is_file() or path.stat().st_size:
            continue
        path.unlink()
        done.append(f"removed the empty file of {name}")
        if name == left.ref and refs.read(name) is None:
            was = left.new if reader.has(left.new) else left.old
            if was:
                move(
                    refs,
                    [RefMove(name=name, new=was, old=None)],
                    reason="gitreg: recovery",
                    held=held,
                )
    return done


def _remove_locks(repository: Repository, left: Journal) -> list[str]:
    refs = repository.refs
    ours = {left.new, *left.tags.values()}
    found = []
    for name in (left.ref, *left.tags):
        path = refs.file(name)
        found.append(path.with_name(path.name + ".lock"))
    found.append(Path(left.git_dir or repository.git_dir) / "HEAD.lock")
    deadline = time.monotonic() + _PATIENCE  # for all of them: whoever lives is done with all by then
    return [f"removed the stale lock {path.name}" for path in found if _remove_lock(path, ours, deadline)]


def _clear_work_tree(git_dir: Path) -> None:
    shutil.rmtree(git_dir / STAGING, ignore_errors=True)
    if is_ours(git_dir / "index.lock"):
        (git_dir / "index.lock").unlink(missing_ok=True)


def _remove_lock(path: Path, ours: set[str] | None, deadline: float) -> bool:
    """Whether a lock was removed: one that stays, and holds nothing or one of ``ours`` (None: anything)."""
    while True:
        try:
            text = path.read_text(errors="replace").strip() if ours is not None else ""
            path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        if text and ours is not None and text not in ours:
            return False  # of a program that writes something else: not for us to remove
        if time.monotonic() > deadline:
            path.unlink(missing_ok=True)
            return True
        time.sleep(0.05)
