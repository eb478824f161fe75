"""Many new tags at once: one sorted file written and synced once, instead of a file and an fsync for each.

``git update-ref`` makes 1,700 refs a second and ``pack-refs`` packs 3,000; ten thousand tags would cost
more than the ten thousand versions that they name. The format and the lock are Git's own (gitformat
``packed-refs``; ``packed-refs.lock`` is taken before the file is read and renamed onto it).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired

from gitreg.errors import Conflict, EnvironmentFailure, GitFailure
from gitreg.gitstore.durable import disk_failure, sync_descriptor, sync_path
from gitreg.gitstore.packedfile import PackedFile
from gitreg.gitstore.process import DURABLE, GitDied, launch, printable, scratch_file, stop
from gitreg.gitstore.refs import RefMove, Refs, check_ref_name, stale_lock, why_refused

_HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
_PATIENCE = 2.0  # seconds for another program to give its lock back


def add_tags(refs: Refs, tags: Mapping[str, tuple[str, str]]) -> None:
    """Add annotated tags that must not exist yet, durably; the caller holds the write lock.

    Args:
        refs: The repository's refs; its ``packed-refs``, if any, must be sorted and fully peeled.
        tags: Full ref name → id of the tag object, and of the commit that it points to.

    Raises:
        Conflict: A tag exists, or the name of one is a folder of another.
        EnvironmentFailure: The lock stays taken, or the disk fails.
    """
    path = refs.common_dir / "packed-refs"
    with _locked(path) as (lock, descriptor):
        known = _read(path)
        places = _free_places(refs, known, tags)
        try:
            with os.fdopen(descriptor, "wb", closefd=False) as file:
                file.writelines(_merged(known, tags, places))
            sync_descriptor(descriptor)
            os.replace(lock, path)
            sync_path(path.parent)
        except OSError as error:
            raise disk_failure(error, "packed-refs can't be written") from None


def _merged(
    known: PackedFile, tags: Mapping[str, tuple[str, str]], places: Mapping[bytes, int]
) -> Iterator[bytes | memoryview]:
    """The new file in pieces: what stands between two new tags is copied as it is."""
    yield known.header or _HEADER
    text, done = memoryview(known.text), known.begin
    for name, place in places.items():
        oid, commit = tags[name.decode("utf-8", "surrogateescape")]
        if place > done:
            yield text[done:place]
            done = place
        yield b"%s %s\n^%s\n" % (oid.encode(), name, commit.encode())
    yield text[done:]


@contextmanager
def prepared(
    refs: Refs, moves: Sequence[RefMove], *, reason: str, held: Sequence[int], who: tuple[str, str]
) -> Iterator[None]:
    """Hold the locks of ``moves`` with their old values verified; they move at the end of the block.

    Raises:
        MovedRef: One was not where it was expected. Nothing has moved then.
        GitDied: Git was killed while it moved them.
        GitFailure: Git failed.
    """
    if not moves:
        yield
        return
    env = {"GIT_COMMITTER_NAME": who[0], "GIT_COMMITTER_EMAIL": who[1]} if all(who) else {}
    args = ["update-ref", "-m", " ".join(reason.split())[:200], "-z", "--stdin"]
    folders = {refs.file(each.name).parent for each in moves}
    with scratch_file() as errors:
        process = launch(args, at=refs.at, stderr=errors, settings=DURABLE, held=held, extra_env=env)
        try:
            zero = "0" * len(moves[0].new or "")
            lines = [f"update {each.name}\0{each.new}\0{each.old or zero}\0" for each in moves]
            if not _said(process, "start\0" + "".join(lines) + "prepare\0", (b"start: ok", b"prepare: ok")):
                errors.seek(0)
                raise why_refused(refs, moves, GitFailure(printable(errors.read(4096))))
            yield
            if not _said(process, "commit\0", (b"commit: ok",)):
                raise GitDied("git update-ref died while it moved the branch", where=moves[0].name)
        finally:
            _dismiss(process)
    for folder in folders:
        sync_path(folder)


def _dismiss(process: Popen[bytes]) -> None:
    """End it so that it can give its locks back: at the end of its input Git aborts what is prepared."""
    with suppress(OSError, TimeoutExpired):
        if process.stdin is not None:
            process.stdin.close()
        process.wait(_PATIENCE)
    stop(process)


def _said(process: Popen[bytes], words: str, answers: Iterable[bytes]) -> bool:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(words.encode("utf-8", "surrogateescape"))
        process.stdin.flush()
    except BrokenPipeError:
        return False
    return all(process.stdout.readline().strip() == answer for answer in answers)


@contextmanager
def _locked(path: Path) -> Iterator[tuple[Path, int]]:
    lock = path.with_name(path.name + ".lock")
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            descriptor = os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
            break
        except FileExistsError:
            if time.monotonic() > deadline:
                raise stale_lock(lock) from None
            time.sleep(0.02)
        except OSError as error:
            raise disk_failure(error, "packed-refs can't be locked") from None
    try:
        yield lock, descriptor
    finally:
        os.close(descriptor)
        lock.unlink(missing_ok=True)


def _read(path: Path) -> PackedFile:
    try:
        known = PackedFile(path.read_bytes())
    except FileNotFoundError:
        return PackedFile(b"")
    except EnvironmentFailure:
        raise _old_format(path) from None
    if known.header and b" fully-peeled" not in known.header:
        raise _old_format(path)
    if len(known.text) and known.text[-1:] != b"\n":
        raise GitFailure("packed-refs is cut off", where=str(path), hint="git pack-refs --all")
    return known


def _old_format(path: Path) -> GitFailure:
    return GitFailure("packed-refs is of an old format", where=str(path), hint="git pack-refs --all")


def _free_places(refs: Refs, known: PackedFile, tags: Mapping[str, object]) -> dict[bytes, int]:
    """New tags, sorted, with the place of each in the file; raises Conflict unless all of them are free."""
    new = {_bytes(check_ref_name(name)) for name in tags}
    places, done = {}, 0
    for name in sorted(new):
        done = places[name] = known.place(name, done)
        folder = name + b"/"
        taken = known.name_at(done) == name or known.name_at(known.place(folder, done)).startswith(folder)
        if taken or os.path.lexists(f"{refs.common_dir}/{os.fsdecode(name)}"):
            raise Conflict(
                "the tag exists already", where=os.fsdecode(name), hint="set tags.prefix in gitreg.yaml"
            )
    for folder in {folder for name in new for folder in _folders(name)}:
        loose = refs.common_dir / os.fsdecode(folder)
        if known.name_at(known.place(folder)) == folder or folder in new or loose.is_file():
            raise Conflict(
                "the tag is in the way of tags below it",
                where=os.fsdecode(folder),
                hint="set tags.prefix in gitreg.yaml to keep tags apart",
            )
    return places


def _folders(name: bytes) -> Iterator[bytes]:
    at = name.find(b"/", len(b"refs/"))
    while at >= 0:
        yield name[:at]
        at = name.find(b"/", at + 1)


def _bytes(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
