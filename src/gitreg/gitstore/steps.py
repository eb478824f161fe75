"""Single steps of the first-parent history, read through the object reader without another process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.objects import Commit
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.trees import Touched

_NEAR = 64  # commits; for more one ``git log`` is quicker


def steps_between(
    reader: Reader, base: str, head: str, *, paths: Sequence[str], boundary: Collection[str] = ()
) -> list[HistoryCommit] | None:
    """The commits after ``base`` up to ``head`` that touch some paths, oldest first.

    Args:
        reader: Reads objects.
        base: Full hex id of a commit.
        head: As ``base``.
        paths: Files or folders; only changes in them are told.
        boundary: Commits whose parents are not there (a shallow clone's).

    Returns:
        None where ``base`` is not near on the first-parent chain of ``head``.
    """
    chain: list[str] = []
    here = head
    while here != base:
        parents = () if here in boundary or len(chain) == _NEAR else reader.commit(here).parents
        if not parents:
            return None
        chain.append(here)
        here = parents[0]
    found = (step(reader, oid, prefix="", names=paths) for oid in reversed(chain))
    return [one for one in found if one.changes]


def step(
    reader: Reader, oid: str, *, prefix: str, names: Sequence[str], rootless: Collection[str] = ()
) -> HistoryCommit:
    """A commit as ``log.history`` tells it, with what it changed against its first parent.

    Args:
        reader: Reads objects.
        oid: The commit.
        prefix: A folder of the tree, ``""`` or ``sub/folder/``: only what lies in it is compared.
        names: Files and folders right below ``prefix``; only they are compared.
        rootless: Commits whose parents are not there (a shallow clone's boundary).
    """
    commit = reader.commit(oid)
    if oid in rootless:
        commit = replace(commit, parents=())
    subject, body = split_message(commit.message)
    return HistoryCommit(
        oid=oid,
        parents=commit.parents,
        author=commit.author.person,
        author_time=commit.author.when,
        committer=commit.committer.person,
        commit_time=commit.committer.when,
        subject=subject,
        body=body,
        changes=tuple(_touched(reader, commit, prefix, names)),
    )


def split_message(message: str) -> tuple[str, str]:
    """Subject and body as Git's ``%s`` and ``%b`` have them (pretty.c: format_subject)."""
    # Git's lines end with LF alone, and its blanks are ASCII's.
    lines = message.split("\n")
    at = 0
    while at < len(lines) and not lines[at].rstrip(_BLANK):
        at += 1
    first = at
    while at < len(lines) and lines[at].rstrip(_BLANK):
        at += 1
    subject = " ".join(line.rstrip(_BLANK) for line in lines[first:at])
    while at < len(lines) and not lines[at].rstrip(_BLANK):
        at += 1
    return subject, "\n".join(lines[at:])


_BLANK = " \t\n\r"


def _touched(reader: Reader, commit: Commit, prefix: str, names: Sequence[str]) -> list[Touched]:
    parent = reader.commit(commit.parents[0]).tree if commit.parents else None
    if parent == commit.tree:
        return []
    found: list[Touched] = []
    for name in names:
        path = prefix + name
        old = reader.entry(parent, path) if parent else None
        new = reader.entry(commit.tree, path)
        if old == new:
            continue
        old_folder = old.oid if old and old.mode == "40000" else None
        new_folder = new.oid if new and new.mode == "40000" else None
        if old_folder or new_folder:
            found += diff_trees(reader, old_folder, new_folder, path + "/")
        old_file, new_file = (None if old_folder else old), (None if new_folder else new)
        if old_file or new_file:
            found.append(Touched(path=path, old=old_file, new=new_file))
    return found
