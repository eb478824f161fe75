"""What happened on the registry's branch after a certain point, as events: told by the index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from gitreg.domain.changes import Change, phrase, ranked
from gitreg.domain.model import Mark, ModelVersion
from gitreg.gitstore.objects import Person
from gitreg.index.reading import Link, Slice, link_of
from gitreg.manifest.encode import encode_version
from gitreg.registry.log import change_of
from gitreg.registry.store import Store
from gitreg.render.values import plain
from gitreg.subscribers.event import Data, Event, short
from gitreg.subscribers.kinds import kind_of

_AT_ONCE = 50  # commits
_OF_VERSION = ("run_id", "run_link", "tags", "metrics", "params")


class Step(NamedTuple):
    """One change of one commit; ``place`` counts them from 1, as ``gitreg revert COMMIT:N`` does."""

    seq: int
    commit: str
    place: int
    change: Change
    make: Callable[[], Event]


def steps(store: Store, part: Slice, *, after: int, place: int) -> Iterator[Step]:
    """The changes of the first-parent history, in its order.

    Args:
        store: The registry.
        part: The index at the newest commit that counts.
        after: Number of a commit in the index, from 1; 0: before the first.
        place: How many of its changes are passed over, too.
    """
    begin = after
    while True:
        rows = part.rows(
            "SELECT DISTINCT seq FROM event WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?",
            begin,
            part.seq,
            _AT_ONCE,
        )
        for (seq,) in rows:
            done = place if seq == after else 0
            yield from _of_commit(store, part, seq, done)
        if len(rows) < _AT_ONCE:
            return
        begin = rows[-1][0] + 1


def _of_commit(store: Store, part: Slice, seq: int, done: int) -> Iterator[Step]:
    rows = part.rows("SELECT * FROM event WHERE seq = ? ORDER BY place", seq)
    changes = ranked([change_of(row) for row in rows])
    if done >= len(changes):
        return
    link = link_of(part.rows("SELECT * FROM chain WHERE seq = ?", seq)[0])
    for place, change in enumerate(changes, start=1):
        if place > done:
            yield Step(seq, link.oid, place, change, _Maker(store, part, link, place, change))


class _Maker:
    """Makes an event when somebody waits for it: most changes concern nobody."""

    def __init__(self, store: Store, part: Slice, link: Link, place: int, change: Change) -> None:
        self.store = store
        self.part = part
        self.link = link
        self.place = place
        self.change = change

    def __call__(self) -> Event:
        change, link = self.change, self.link
        name = str(change.after) if change.event == "rename" else change.model
        number = change.after if change.event == "alias" else change.version
        data: Data = {"summary": short(f"{change.model}: {phrase(change)}" if name else phrase(change))}
        if name:
            data["model"] = name
        if number is not None:
            data |= {"version": number, "uri": f"models:/{name}/{number}"}
        data |= self._detail(name)
        if number is not None:
            data |= self._version(name, number)
        data |= {
            "commit": link.oid,
            "message": short(link.subject),
            "author": person(Person(name=link.author, email=link.email)),
            "committer": person(Person(name=link.committer, email=link.committer_email)),
        }
        return Event(
            id=f"{link.oid}:{self.place}",
            kind=kind_of(change),
            subject=f"{name}/{number}" if number is not None else name,
            time=link.time,
            data=data,
        )

    def _detail(self, name: str) -> Data:
        """What is told of this kind of change alone."""
        change = self.change
        match change.event:
            case "alias":
                return self._alias(name)
            case "rename":
                return {"former_name": change.model}
            case "transition" | "assign" | "unassign":
                told: Data = {"stage": change.stage, "from": list(change.origin)}
                return told | ({"previous": self._holder(name, change.stage)} if change.stage else {})
            case "approve":
                return approval_data(change)
            case "evaluate":
                return {"evaluation": plain(change.after)}
            case "deprecate" | "delete":
                reason = change.after.reason if isinstance(change.after, Mark) else change.after
                return {"reason": short(str(reason))} if reason else {}
            case "update" | "tag" | "rewrite" | "policy":
                values = {"before": plain(change.before), "after": plain(change.after)}
                return {"field": change.field, **{key: one for key, one in values.items() if one is not None}}
        return {}

    def _alias(self, name: str) -> Data:
        change = self.change
        former = {"version": change.before, "uri": f"models:/{name}/{change.before}"}
        return {
            "alias": (change.field or "").removeprefix("aliases."),
            "previous": former if change.before else None,
        }

    def _version(self, name: str, number: int) -> Data:
        """What the version was when the commit was made."""
        found = self.store.index.slice(self.link.oid).version(name, number)
        return told_of(found) if isinstance(found, ModelVersion) else {}

    def _holder(self, name: str, stage: str) -> Data | None:
        """The version that ``NAME/STAGE`` meant before the commit: the highest that held it."""
        rows = self.part.rows(
            "SELECT max(number) FROM holding WHERE name = ? AND stage = ? AND since < ? AND until >= ?",
            name,
            stage,
            self.link.seq,
            self.link.seq,
        )
        number = rows[0][0]
        if number is None:
            return None
        found = self.store.index.slice(self.link.parents[0]).version(name, number)
        told = told_of(found) if isinstance(found, ModelVersion) else {}
        kept: Data = {key: told[key] for key in ("source", "digest", "run_id") if key in told}
        return {"version": number, "uri": f"models:/{name}/{number}", **kept}


def told_of(version: ModelVersion) -> Data:
    """What a program that deploys needs to know of a version."""
    encoded = encode_version(version)
    digest = version.origin.artifact.digest if version.origin.artifact else None
    return {
        "source": version.source,
        **({"digest": digest} if digest else {}),
        "stages": list(encoded.get("stages", {})),
        **{key: encoded[key] for key in _OF_VERSION if key in encoded},
    }


def person(who: Person) -> Data:
    """A person as events name them."""
    return {"name": short(who.name), "email": short(who.email)}


def approval_data(change: Change) -> Data:
    """Whose approval it is, for which stage, and whom it names as those who proposed that."""
    detail: Mapping[str, object] = change.after if isinstance(change.after, Mapping) else {}
    found: Data = {"stage": change.stage} if change.stage else {}
    found["approver"] = str(detail.get("approver", ""))
    proposers = detail.get("proposed_by")
    if isinstance(proposers, Sequence) and not isinstance(proposers, str):
        found["proposed_by"] = [str(one) for one in proposers]
    return found


def change_data(change: Change) -> Data:
    """One change that a proposal would make, in few words."""
    return {
        "summary": short(f"{change.model}: {phrase(change)}" if change.model else phrase(change)),
        **({"model": change.model} if change.model else {}),
        **({"version": change.version} if change.version is not None else {}),
        **({"stage": change.stage} if change.stage else {}),
        **({"from": list(change.origin)} if change.origin else {}),
    }
