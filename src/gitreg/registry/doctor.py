"""What is wrong with a registry and its repository, and the mending of what can be mended."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gitreg.domain.settings import Settings
from gitreg.errors import Conflict, EnvironmentFailure, GitregError
from gitreg.gitstore import doctor, process
from gitreg.gitstore.tagrefs import tags
from gitreg.registry.content import in_commit, in_index
from gitreg.registry.expected import fault_of, wanted_tags
from gitreg.registry.signer import session_of
from gitreg.registry.store import Branch, Store
from gitreg.registry.tagbook import TagBook

Kind = Literal["leftover", "damage", "tag", "work-tree", "environment"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing that is not as it should be.

    Attributes:
        kind: ``leftover`` of an interrupted write, ``damage`` to objects, a missing or wrong ``tag``,
            a ``work-tree`` that is behind, or the ``environment``.
        message: What it is.
        where: File or ref, or ``""``.
        hint: What a person must do; ``""`` where ``treat`` mends it.
    """

    kind: Kind
    message: str
    where: str = ""
    hint: str = ""

    @property
    def mendable(self) -> bool:
        """Whether ``treat`` can do something about it."""
        return not self.hint

    @property
    def fault(self) -> bool:
        """Whether the repository contradicts its own history while it remains."""
        return self.kind in ("damage", "tag")


def diagnose(store: Store, env: Mapping[str, str]) -> list[Diagnosis]:
    """Everything that is not as it should be; nothing is changed.

    Args:
        store: The registry.
        env: The environment, for the identity of the author.
    """
    found = [_of_ailment(each) for each in doctor.examine(store.repository)]
    if any(each.kind == "damage" for each in found):
        return [*found, *_environment(store, env)]  # what lies behind can't be read
    try:
        branch = store.branch()
    except Conflict as error:  # a detached HEAD
        return [*found, _of_error(error), *_environment(store, env)]
    found += _tags(store, branch)
    found += _work_tree(store, branch)
    return [*found, *_environment(store, env)]


def treat(store: Store) -> list[str]:
    """Mend what can be mended; gives what was done, in words.

    Raises:
        EnvironmentFailure: A writer is at work, or a file can't be written.
    """
    done = doctor.mend(store.repository, store.reader, doctor.examine(store.repository))
    if any(each.kind == "empty-object" for each in doctor.examine(store.repository)):
        return done
    try:
        branch = store.branch()
    except Conflict:
        return done
    missing = [each.where for each in _tags(store, branch) if each.mendable]
    if missing and branch.commit:
        _make_tags(store, branch, store.view(branch.commit).settings)
        done += [f"made the tag {name}" for name in missing]
    return done


def _make_tags(store: Store, branch: Branch, settings: Settings) -> None:
    with session_of(store, branch.ref) as session:
        book = TagBook(store, settings)
        book.forget()  # then it counts from the first commit, whatever tags there are
        book.catch_up(session, session.base)
        session.publish()
        if session.base:
            book.completed(session.base)


def _of_ailment(ailment: doctor.Ailment) -> Diagnosis:
    where = str(ailment.path)
    if ailment.kind == "empty-object":
        hint = f"rm {where}, then git fetch from a clone that has it, or git fsck --full"
        return Diagnosis(kind="damage", message=ailment.message, where=where, hint=hint)
    hint = "" if ailment.mendable else "see git fsck --full"
    return Diagnosis(
        kind="leftover", message=f"{ailment.message} ({_age(ailment.age)} old)", where=where, hint=hint
    )


def _age(seconds: float) -> str:
    for length, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _tags(store: Store, branch: Branch) -> Iterator[Diagnosis]:
    """Tags that the first-parent history asks for and that are missing, or are not what it makes."""
    if branch.commit is None:
        return
    settings = store.view(branch.commit).settings
    upstream = store.repository.upstream(branch.name)
    shallow = (store.repository.common_dir / "shallow").exists()
    if not branch.official or upstream or shallow or settings.tags.made_for == "none":
        return
    existing = tags(store.repository)
    for wanted in wanted_tags(store, branch.commit, settings.tags):
        oid = existing.get(wanted.name)
        if oid is None:
            yield Diagnosis(kind="tag", message="the tag is missing", where=wanted.name)
        elif fault_of(store, wanted, oid):
            hint = f"git show {wanted.name}; to have it made anew: git tag -d {wanted.name}; gitreg doctor"
            message = "the tag is not the one that the history makes: it was moved or made by hand"
            yield Diagnosis(kind="tag", message=message, where=wanted.name, hint=hint)


def _work_tree(store: Store, branch: Branch) -> Iterator[Diagnosis]:
    """Files that are still as the commit before the head had them, in index and work tree alike."""
    if store.repository.bare or branch.commit is None:
        return
    parents = store.reader.commit(branch.commit).parents
    if not parents:
        return
    now, before, index = (
        in_commit(store, branch.commit).oids,
        in_commit(store, parents[0]).oids,
        in_index(store),
    )
    behind = [
        path
        for path in sorted({*now, *before})
        if now.get(path) != before.get(path) and index.oids.get(path) == before.get(path)
    ]
    if behind:
        first = store.prefix + behind[0]
        hint = f"to follow it: git restore --staged --worktree -- {' '.join(_few(store, behind))}"
        message = f"the work tree is behind the branch {branch.name} in {len(behind)} of its files"
        yield Diagnosis(kind="work-tree", message=message, where=first, hint=hint)


def _few(store: Store, paths: Sequence[str]) -> list[str]:
    return [store.prefix + path for path in paths[:5]] + (["…"] if len(paths) > 5 else [])


def _environment(store: Store, env: Mapping[str, str]) -> Iterator[Diagnosis]:
    """What is not the registry's fault, but stands or will stand in the way."""
    repository = store.repository
    try:
        process.check_version()
    except EnvironmentFailure as error:
        yield _of_error(error)
    for role in ("author", "committer"):
        try:
            repository.identity(env, role)
        except EnvironmentFailure as error:
            yield _of_error(error)
            break
    if not os.access(repository.common_dir, os.W_OK):
        yield Diagnosis(
            kind="environment",
            message="the repository can't be written",
            where=str(repository.common_dir),
            hint="change the permissions of the folder, or work in a clone",
        )
    if (repository.common_dir / "shallow").exists():
        hint = "git fetch --unshallow"
        message = "a shallow clone: history and tags can't be told in full"
        yield Diagnosis(kind="environment", message=message, hint=hint)
    if repository.partial:
        hint = "git fetch --refetch --no-filter"
        message = "a partial clone: what it lacks can't be read offline"
        yield Diagnosis(kind="environment", message=message, hint=hint)
    doing = "" if repository.bare else repository.in_progress()
    if doing:
        message = f"a {doing} is in progress: nothing can be written until it is finished"
        yield Diagnosis(
            kind="environment", message=message, where=str(repository.root), hint=f"git {doing} --abort"
        )


def _of_error(error: GitregError) -> Diagnosis:
    hint = error.hint or "see git help config"
    return Diagnosis(kind="environment", message=error.message, where=error.where, hint=hint)
