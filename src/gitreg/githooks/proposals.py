"""Proposals that a plain Git server keeps: ``refs/proposals/N/head`` and ``refs/proposals/N/meta``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.githooks.updates import PROPOSALS
from gitreg.gitstore.blobs import add_blob
from gitreg.gitstore.refs import RefMove, move
from gitreg.gitstore.repository import Repository
from gitreg.registry.store import Store

State = Literal["open", "merged", "withdrawn"]

_META = re.compile(rf"{PROPOSALS}([1-9][0-9]{{0,8}})/meta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Meta:
    """What is known of a proposal besides its commits.

    Attributes:
        topic: By which a later push updates it.
        title: One line.
        description: For the reviewer.
        target: The branch that it is for, without ``refs/heads/``.
        by: Who made it, as the server knows the pusher; else the author of its head.
        created: RFC 3339.
        updated: As ``created``.
        state: Whether it is open, or how it ended.
    """

    topic: str
    title: str
    description: str
    target: str
    by: str
    created: str
    updated: str
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One proposal: its number, the commit that it proposes, and the rest."""

    number: int
    head: str
    meta: Meta

    @property
    def ref(self) -> str:
        """Full name of the ref that holds its commit."""
        return f"{PROPOSALS}{self.number}/head"


def stamp(when: datetime) -> str:
    """A time as ``Meta`` holds it."""
    return when.isoformat(timespec="seconds").replace("+00:00", "Z")


def proposals(store: Store) -> list[Proposal]:
    """All proposals of a server, by number."""
    refs = store.repository.refs
    found = []
    for name in refs.list(PROPOSALS):
        match = _META.fullmatch(name)
        head = refs.read(f"{PROPOSALS}{match[1]}/head") if match else None
        oid = refs.read(name)
        if match and head and oid:
            found.append(Proposal(number=int(match[1]), head=head, meta=_read(store, oid, name)))
    return sorted(found, key=lambda each: each.number)


def next_number(store: Store) -> int:
    """The number of the next proposal, from 1; the caller holds the write lock."""
    names = store.repository.refs.list(PROPOSALS)
    numbers = [name.removeprefix(PROPOSALS).partition("/")[0] for name in names]
    return 1 + max((int(each) for each in numbers if each.isascii() and each.isdigit()), default=0)


def save(store: Store, proposal: Proposal, *, before: Proposal | None, held: Sequence[int]) -> None:
    """Write a proposal in one transaction; the caller holds the write lock.

    Args:
        store: The repository.
        proposal: As it is to be.
        before: As it was; None for a new one.
        held: The lock's descriptor, for the children.

    Raises:
        MovedRef: It is not as it was any more.
        EnvironmentFailure: The disk can't be written.
    """
    _log_heads(store.repository, proposal.ref)
    refs = store.repository.refs
    name = f"{PROPOSALS}{proposal.number}/meta"
    text = json.dumps(asdict(proposal.meta), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    oid = add_blob(store.repository, text.encode("utf-8", "replace"), held=held)
    moves = [RefMove(name=name, new=oid, old=refs.read(name) if before else None)]
    if before is None or before.head != proposal.head:
        moves.append(RefMove(name=proposal.ref, new=proposal.head, old=before.head if before else None))
    reason = f"proposal {proposal.number}: {proposal.meta.state}"
    move(refs, moves, reason=reason, held=held, who=("gitreg", "gitreg@localhost"))


def _log_heads(repository: Repository, ref: str) -> None:
    """Have Git log what the head of a proposal was: it goes on with a log that is there, whatever is set.

    Its setting that logs all refs would log ``meta`` too, and ``git gc`` complains of each log of what
    is no commit, so loudly that it puts itself off.
    """
    mode = repository.common_dir.stat().st_mode & 0o2777  # as wide as Git made it: others may push, too
    folder = repository.common_dir
    *parts, name = ref.split("/")
    try:
        for part in ("logs", *parts):
            folder = folder / part
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                folder.chmod(mode)
        if not (folder / name).exists():
            (folder / name).touch()
            (folder / name).chmod(mode & 0o666)
    except OSError as error:
        said = f"the reflog can't be written: {error.strerror}"
        raise EnvironmentFailure(said, where=str(folder / name)) from None


def _read(store: Store, oid: str, name: str) -> Meta:
    try:
        found: Any = json.loads(store.reader.blob(oid))
        return Meta(**{field: found[field] for field in Meta.__slots__})
    except (ValueError, KeyError, TypeError):
        raise IntegrityError("this is not what gitreg wrote of a proposal", where=name) from None
