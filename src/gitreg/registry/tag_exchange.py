"""Bring the tags of what was merged here and on the remote into line: ``gitreg reconcile`` with a server.

A server may make the same tags by itself, and with signatures of its own: one that says what the history
says is right, whoever signed it, and is taken over instead of being made once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from gitreg.domain.findings import Finding
from gitreg.errors import MovedRef, NotAllowed
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.refs import RefMove, move
from gitreg.gitstore.remote import PushRef, fetch, ls_remote, push
from gitreg.gitstore.signatures import split_tag
from gitreg.gitstore.tagrefs import TAGS
from gitreg.registry.expected import Wanted, fault_of
from gitreg.registry.reconcile import Followed, Survey, follow, reconcile, survey
from gitreg.registry.store import Store
from gitreg.render.text import plural

_AT_ONCE = 400  # tags of one push or fetch: each is two words of its command line
_TRIES = 2  # the server may make some of them while we push
_REMOTES = "refs/remotes/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchanged:
    """What was done, or would be.

    Attributes:
        followed: The history.
        made: Names of the tags that were missing here, without ``refs/tags/``.
        taken: Those of them that the remote had already: these were taken over.
        remote: Where tags go; None: nowhere.
        pushed: The tags that the remote lacked.
        drift: What is wrong, here or there, and stays so.
    """

    followed: Followed
    made: tuple[str, ...]
    taken: tuple[str, ...] = ()
    remote: str | None = None
    pushed: tuple[str, ...] = ()
    drift: tuple[Finding, ...] = ()


def remote_of(store: Store, followed: Followed) -> str | None:
    """The remote whose branch is followed; None where that is a branch of this repository."""
    if not followed.ref.startswith(_REMOTES):
        return None
    if store.repository.upstream(followed.name) == followed.ref:
        return store.repository.setting(f"branch.{followed.name}.remote")
    return followed.settings.proposals.remote


def plan(store: Store, remote: str | None) -> Exchanged:
    """What ``exchange`` would do with what was fetched last; nothing is changed.

    Raises:
        EnvironmentFailure: A shallow clone, or the remote was not reached.
    """
    found = survey(store)
    missing = [each.name for each in found.missing]
    there = _tags_there(store, remote, found.followed)
    right = (*found.right, *missing)
    return Exchanged(
        followed=found.followed,
        made=tuple(missing),
        taken=tuple(name for name in missing if name in there),
        remote=remote,
        pushed=tuple(sorted(name for name in right if name not in there)) if remote else (),
        drift=found.drift,
    )


def exchange(store: Store, remote: str | None) -> Exchanged:
    """Make the tags that are missing, and push those that the remote lacks.

    Args:
        store: The registry.
        remote: The remote of the branch that is followed, see ``remote_of``; None: nothing is pushed.

    Raises:
        EnvironmentFailure: A shallow clone; the disk or a lock failed; the remote was not reached.
        NotAllowed: The server refused; what stands here and there is right, and the rest can be repeated.
    """
    if remote is None:
        done = reconcile(store)
        return Exchanged(followed=done.followed, made=done.made, drift=done.drift)
    _refresh(store, remote)
    before = survey(store)
    desk = _Desk(store=store, remote=remote, there=_tags_there(store, remote, before.followed))
    taken = desk.take_over(before)
    done = reconcile(store)
    pushed = desk.send(done.right)
    return Exchanged(
        followed=done.followed,
        made=tuple(sorted({*taken, *done.made})),
        taken=taken,
        remote=remote,
        pushed=pushed,
        drift=tuple(dict.fromkeys((*done.drift, *desk.drift))),
    )


def _refresh(store: Store, remote: str) -> None:
    """Fetch the branch that is followed: it was most often merged elsewhere just now."""
    followed = follow(store)
    branch = followed.ref.removeprefix(f"{_REMOTES}{remote}/")
    fetch(store.repository, remote, [f"+refs/heads/{branch}:{followed.ref}"])


def _tags_there(store: Store, remote: str | None, followed: Followed) -> dict[str, str]:
    rules = followed.settings.tags
    if remote is None or rules.made_for == "none":
        return {}
    found = ls_remote(store.repository, remote, [f"{TAGS}{rules.prefix}*"])
    return {ref.removeprefix(TAGS): oid for ref, oid in found.items()}


@dataclass(slots=True, kw_only=True)
class _Desk:
    """The exchange with one remote; ``there`` is what it has, by name."""

    store: Store
    remote: str
    there: dict[str, str]
    drift: list[Finding] = field(default_factory=list)

    def take_over(self, found: Survey) -> tuple[str, ...]:
        """Give the tags that are missing here the ids that they have there, where those are right."""
        known = {each.name: each for each in found.missing if each.name in self.there}
        self._fetch(self.there[name] for name in known)
        good = [name for name, wanted in known.items() if not self._wrong(wanted)]
        if not good:
            return ()
        moves = [RefMove(name=f"{TAGS}{name}", new=self.there[name], old=None) for name in good]
        repository = self.store.repository
        # Whoever was faster has made the same: the survey that follows looks at what stands then.
        with write_lock(repository.state_dir) as lock, suppress(MovedRef):
            move(repository.refs, moves, reason="gitreg reconcile", held=(lock,))
        return tuple(sorted(good))

    def _wrong(self, wanted: Wanted) -> bool:
        fault = fault_of(self.store, wanted, self.there[wanted.name])
        if fault is not None:
            self.drift.append(self._fault(fault))
        return fault is not None

    def send(self, right: Mapping[str, str]) -> tuple[str, ...]:
        """Push the tags that are lacking there, each only where there is none; which these were."""
        pushed: set[str] = set()
        reason = ""
        for _ in range(_TRIES):
            lacking = sorted(name for name in right if name not in self.there and name not in pushed)
            if not lacking:
                break
            for names in _some(lacking):
                done, reason = self._push(names, right)
                pushed |= done
            if not pushed.issuperset(lacking):
                self.there = _tags_there(self.store, self.remote, follow(self.store))
        left = sorted(name for name in right if name not in self.there and name not in pushed)
        if left:
            told = f"{self.remote} does not take {plural(len(left), 'tag')}: {reason or 'it says nothing'}"
            raise NotAllowed(told, where=f"{TAGS}{left[0]}", hint="repeating is safe: gitreg reconcile")
        self._compare(right, pushed)
        return tuple(sorted(pushed))

    def _push(self, names: Sequence[str], right: Mapping[str, str]) -> tuple[set[str], str]:
        """The tags that arrived, and why others did not."""
        updates = [PushRef(source=right[name], target=f"{TAGS}{name}", expected=None) for name in names]
        try:
            answer = push(self.store.repository, self.remote, updates, atomic=False)
        except MovedRef as error:  # somebody was faster with all of them
            return set(), error.message
        done = {ref.removeprefix(TAGS) for ref, said in answer.refs.items() if said.status == "ok"}
        return done, next((said.reason for said in answer.refs.values() if said.status == "rejected"), "")

    def _compare(self, right: Mapping[str, str], pushed: set[str]) -> None:
        """Report the tags that are there and say something else than the right ones here."""
        other = {
            name: self.there[name]
            for name, oid in right.items()
            if name not in pushed and self.there.get(name, oid) != oid
        }
        self._fetch(other.values())
        for name, oid in sorted(other.items()):
            kind, data = self.store.reader.object(oid)
            if kind != "tag" or split_tag(data)[0] != split_tag(self.store.reader.object(right[name])[1])[0]:
                message = f"the tag {name} is not the one that the history makes"
                self.drift.append(self._fault(Finding(code="GR303", message=message, path=name, help="")))

    def _fault(self, fault: Finding) -> Finding:
        mend = f"git push {self.remote} :{TAGS}{fault.path}; gitreg reconcile"
        message = f"on {self.remote}: {fault.message}"
        return Finding(code=fault.code, message=message, path=fault.path, help=mend)

    def _fetch(self, oids: Iterable[str]) -> None:
        """Have some objects here, without a ref: what is wrong shall not come in under a tag's name."""
        for some in _some(sorted(set(oids))):
            fetch(self.store.repository, self.remote, some)


def _some(names: Sequence[str]) -> Iterator[Sequence[str]]:
    for at in range(0, len(names), _AT_ONCE):
        yield names[at : at + _AT_ONCE]
