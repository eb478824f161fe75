"""Which files a work tree and its index hold, asked of Git in one process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.gitstore.process import garbage, run
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import Entry, decode_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexed:
    """One entry of the index; ``stage`` is 0 but for a path that a merge left undecided (1, 2, 3)."""

    path: str
    entry: Entry
    stage: int


def index_entries(repository: Repository, paths: Sequence[str]) -> list[Indexed]:
    """The entries of the index at or below ``paths`` (from the repository's root, literally)."""
    args = ["ls-files", "--stage", "-z", "--", *paths]
    answer = run(args, at=repository.root)
    found = []
    for line in answer.stdout.split(b"\0")[:-1]:
        head, tab, raw = line.partition(b"\t")
        words = head.decode("ascii", "replace").split()
        if not tab or len(words) != 3 or words[2] not in "0123":
            raise garbage(args, repository.root, line)
        found.append(Indexed(path=decode_name(raw), entry=Entry(words[0], words[1]), stage=int(words[2])))
    return found


def work_tree_paths(repository: Repository, paths: Sequence[str]) -> dict[str, bool]:
    """Tracked files and new ones that are not ignored, at or below ``paths``, in order.

    Returns:
        Path → whether a sparse checkout leaves the file out of the work tree. A tracked file that was
        removed from the disk is among them. A folder with a repository of its own ends with ``/``.
    """
    args = ["ls-files", "--cached", "--others", "--exclude-standard", "-t", "-z", "--", *paths]
    answer = run(args, at=repository.root)
    found = {}
    for line in answer.stdout.split(b"\0")[:-1]:
        tag, space, raw = line.partition(b" ")
        if not space or len(tag) != 1:
            raise garbage(args, repository.root, line)
        found[decode_name(raw)] = tag == b"S"
    return dict(sorted(found.items()))


def ignored(repository: Repository, path: str) -> bool:
    """Whether the repository's ignore rules keep a folder of its work tree out of it."""
    args = ["check-ignore", "--quiet", "--no-index", "--", f"./{path}"]  # ./ for a name that begins with :
    plain = {"GIT_LITERAL_PATHSPECS": "0"}  # this command can't be told to take paths literally
    return run(args, at=repository.root, accept=(0, 1), extra_env=plain).code == 0
