"""Proposals for whoever looks at many of them often: what is known here, judged once as long as it lasts.

No server is asked: what was fetched last counts, as for ``gitreg proposals --offline``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Literal, TypeVar

from gitreg.domain.names import shown
from gitreg.domain.review import Review
from gitreg.errors import Conflict, NotFound
from gitreg.gitstore.ancestry import look_ahead
from gitreg.registry.clock import utc_now
from gitreg.registry.numbered import Numbered, numbered
from gitreg.registry.open_proposals import Listed, OpenProposal, candidates, looked_at
from gitreg.registry.remote_branch import Upstream, upstream
from gitreg.registry.reviewing import review
from gitreg.registry.shortage import APPROVALS, Shortage, approvals_asked
from gitreg.registry.store import Store
from gitreg.registry.verdict import Verdict

State = Literal["passes", "waiting", "refused"]

_MOST_KEPT = 512
_LASTS = timedelta(seconds=30)  # of a verdict that approvals are in: they expire
_MOST_CLOSED = 50

_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """An open proposal.

    Attributes:
        listed: It, and what it lacks in words.
        state: Whether it passes, waits for approvals alone, or is refused.
        approvals: Those that are asked for.
    """

    listed: Listed
    state: State
    approvals: tuple[Shortage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A page of the open proposals, the last changed first, and the closed ones that a server numbered.

    ``left`` counts those that were not looked at.
    """

    up: Upstream
    open: tuple[Open, ...]
    closed: tuple[Numbered, ...]
    left: int = 0


def known_upstream(store: Store) -> Upstream:
    """The registry's branch where proposals go; this repository's own where no other was ever fetched."""
    try:
        return upstream(store, online=False)
    except Conflict:
        settings = store.view(store.head()).settings
        return Upstream(branch=settings.branch, base=store.head())


def shelf(store: Store, *, most: int) -> Shelf:
    """The proposals that are known here.

    Args:
        store: The registry.
        most: Open ones that are judged and given.
    """
    up = known_upstream(store)
    found = sorted(
        candidates(store, up), key=lambda each: store.reader.commit(each.head).committer.when, reverse=True
    )
    look_ahead(store.repository, up.base, (each.head for each in found if not _knows(store, up, each)))
    given: list[Open] = []
    for place, one in enumerate(found):
        if len(given) == most:
            return Shelf(up=up, open=tuple(given), closed=_closed(store), left=len(found) - place)
        listed = _looked_at(store, up, one)
        if listed is not None:
            given.append(_opened(store, up, listed))
    return Shelf(up=up, open=tuple(given), closed=_closed(store))


def find(store: Store, name: str) -> tuple[Upstream, OpenProposal | Numbered]:
    """A proposal by its branch or number; one that is closed as its server wrote it down.

    Raises:
        NotFound: None is known here.
    """
    up = known_upstream(store)
    for each in candidates(store, up):
        if name in (each.branch, str(each.number)):
            return up, each
    for one in numbered(store):
        if name == str(one.number):
            return up, one
    raise NotFound(
        f"no proposal {shown(name[:100])} is known here", where="proposal", hint="gitreg proposals"
    )


def look_at(store: Store, up: Upstream, one: OpenProposal) -> Open | None:
    """What an open proposal does and lacks; None where the branch holds all of it already."""
    listed = _looked_at(store, up, one)
    return None if listed is None else _opened(store, up, listed)


def review_of(store: Store, up: Upstream, one: OpenProposal) -> Review:
    """What its reviewer needs.

    Raises:
        Conflict: It can't be merged as it is.
    """

    def made(now: datetime) -> tuple[Review, bool]:
        found = review(store, up.base, one.head, now=now, branch=one.name)
        approved = [each.approved for each in found.moves] + ([found.rules.approved] if found.rules else [])
        return found, any(each.given or each.refused for each in approved if each)

    return _kept(store, ("review", up.base, one.head, one.name), made)


def state_of(verdict: Verdict | None) -> State:
    """Whether a proposal passes, waits for approvals alone, or is refused."""
    if verdict is None:
        return "refused"
    if verdict.clean:
        return "passes"
    wrong = [each.code for each in verdict.findings if each.severity == "error"]
    return "waiting" if all(code in APPROVALS for code in wrong) else "refused"


def _opened(store: Store, up: Upstream, listed: Listed) -> Open:
    verdict = listed.verdict
    asked = approvals_asked(verdict, store.view(up.base).settings) if verdict else ()
    return Open(listed=listed, state=state_of(verdict), approvals=asked)


def _looked_at(store: Store, up: Upstream, one: OpenProposal) -> Listed | None:
    def made(now: datetime) -> tuple[Listed | None, bool]:
        found = looked_at(store, up, replace(one, title=""))
        return found, found is not None and _timely(found.verdict)

    found = _kept(store, _listed(up, one), made)
    return found and replace(found, proposal=one, subject=one.title or found.subject)


def _listed(up: Upstream, one: OpenProposal) -> tuple[str, ...]:
    return "listed", up.base, one.head, one.branch


def _knows(store: Store, up: Upstream, one: OpenProposal) -> bool:
    """Whether it was looked at already, however long ago."""
    return (*_place(store), *_listed(up, one)) in _KNOWN


def _timely(verdict: Verdict | None) -> bool:
    """Whether a verdict may be another one later: approvals expire."""
    steps = verdict.steps if verdict else ()
    judgements = [each for step in steps for one in step.judged for each in one.judgements]
    judgements += [each for step in steps for each in step.policy]
    return any(each.detail.get("present") or each.detail.get("refused") for each in judgements)


def _closed(store: Store) -> tuple[Numbered, ...]:
    return tuple(reversed([each for each in numbered(store) if not each.open][-_MOST_CLOSED:]))


# What two commits say to each other never changes, but for approvals that expire.
_KNOWN: OrderedDict[Hashable, tuple[object, datetime | None]] = OrderedDict()
_LOCK = Lock()


def _place(store: Store) -> tuple[str, str]:
    return str(store.repository.common_dir), store.prefix


def _kept(store: Store, key: tuple[str, ...], make: Callable[[datetime], tuple[_Found, bool]]) -> _Found:
    """What ``make`` gives, from memory as long as it lasts; it also tells whether time changes it."""
    whole = (*_place(store), *key)
    now = utc_now()
    with _LOCK:
        known = _KNOWN.get(whole)
        if known is not None and (known[1] is None or now < known[1]):
            _KNOWN.move_to_end(whole)
            return known[0]  # type: ignore[return-value]  # the first part of the key tells what it is
    found, timely = make(now)
    with _LOCK:
        _KNOWN[whole] = found, now + _LASTS if timely else None
        while len(_KNOWN) > _MOST_KEPT:
            _KNOWN.popitem(last=False)
    return found
