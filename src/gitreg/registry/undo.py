"""``gitreg revert``: take back, by meaning, what one commit of the branch changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.domain.changes import Change, phrase, ranked
from gitreg.domain.model import ModelState
from gitreg.domain.names import is_utf8, shown
from gitreg.domain.undo import ChangedSince, has_way, requests_for, settings_back
from gitreg.errors import Conflict, EnvironmentFailure, InvalidInput, NotARegistry, NotFound, UsageError
from gitreg.gitstore.log import history
from gitreg.manifest.layout import Layout
from gitreg.registry import configure
from gitreg.registry.descent import called_now
from gitreg.registry.feed import Feed, told_paths
from gitreg.registry.indexing import slice_of
from gitreg.registry.receipt import Receipt
from gitreg.render.text import safe

if TYPE_CHECKING:
    from gitreg.domain.requests import TakeBack
    from gitreg.index.reading import Link, Slice
    from gitreg.registry.registry import Registry
    from gitreg.registry.store import Store
    from gitreg.registry.view import View

_MOST_NAMED = 3  # changes that a hint names


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """What is to be taken back.

    Attributes:
        link: The commit.
        number: Which of its changes, from 1 as ``gitreg log`` counts them; None: all.
        changes: Those that are meant, the weightiest first.
        before: The registry before the commit; None where there was none.
        after: The registry after it.
    """

    link: Link
    number: int | None
    changes: tuple[Change, ...]
    before: View | None
    after: View

    @property
    def title(self) -> str:
        """The subject of the commit that takes it back."""
        subject = safe(self.link.subject)
        if self.number is None:
            return f'Revert "{subject}"'
        (change,) = self.changes
        return f'Revert "{change.model or "registry"}: {phrase(change)}"'

    @property
    def told(self) -> str:
        """The same as a sentence, with the commit's id."""
        what = "commit" if self.number is None else f"change {self.number} of commit"
        return f"This reverts {what} {self.link.oid}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverted:
    """What a revert did, or would do; the receipt has no changes when all is as before that commit."""

    reversal: Reversal
    receipt: Receipt


def revert(registry: Registry, text: str, *, message: str = "", dry_run: bool = False) -> Reverted:
    """Take back a commit, or one change of it, in one commit.

    Args:
        registry: Where.
        text: ``COMMIT`` (any revision on the branch's first parents) or ``COMMIT:N``.
        message: Why.
        dry_run: Only find out what would be done.

    Raises:
        NotFound: There is no such commit on the branch, or no such change in it.
        Conflict: A later commit changed the same again, or there is no way back.
    """
    if registry.batching:
        raise UsageError("a revert is a commit of its own", hint="call it outside of the batch")
    part = slice_of(registry.store)
    asked = reversal(registry.store, part, text)
    try:
        receipt = _written(registry, part, asked, message=message, dry_run=dry_run)
    except ChangedSince as error:
        raise _blamed(registry.store, asked, error) from error
    return Reverted(reversal=asked, receipt=receipt)


def _written(registry: Registry, part: Slice, asked: Reversal, *, message: str, dry_run: bool) -> Receipt:
    if not asked.changes:
        return Receipt(branch=registry.store.branch().name)
    reason = "\n\n".join(part for part in (message.strip(), asked.told) if part)
    if any(change.event == "policy" for change in asked.changes):
        return _settings(registry, asked, reason, dry_run=dry_run)
    requests = _requests(part, asked)
    if dry_run:
        return registry.preview(*requests, message=reason)
    return registry.apply(*requests, message=reason, title=asked.title)


def reversal(store: Store, part: Slice, text: str) -> Reversal:
    """What ``text`` means.

    Raises:
        NotFound: There is no such commit on the branch, or no such change in it.
        Conflict: A file that it changed can't be read.
        EnvironmentFailure: The clone is shallow, and what came before is not here.
    """
    rev, number = _parsed(text)
    link = _link(store, part, rev)
    after = _view(store, link.oid)
    if after is None:
        raise NotFound(f"there is no registry in commit {link.oid[:10]}", where=safe(text))
    if link.seq == 1 and part.shallow:
        raise EnvironmentFailure(
            f"the clone is shallow: what commit {link.oid[:10]} changed can't be known",
            hint="git fetch --unshallow",
        )
    before = _view(store, link.parents[0]) if link.parents else None
    changes = _changes(store, before, link)
    if number is None:
        meant = _without_approvals(changes)
        return Reversal(link=link, number=None, changes=meant, before=before, after=after)
    if not 1 <= number <= len(changes):
        there = f"1 to {len(changes)}" if len(changes) > 1 else "1" if changes else "none"
        raise NotFound(
            f"commit {link.oid[:10]} has no change {number}",
            where=safe(text),
            hint=f"its changes: {there} (gitreg log)",
        )
    one = (changes[number - 1],)
    return Reversal(link=link, number=number, changes=one, before=before, after=after)


def _parsed(text: str) -> tuple[str, int | None]:
    if not is_utf8(text):
        raise InvalidInput(f"{shown(text)} is no commit", hint="gitreg log")
    rev, colon, number = text.rpartition(":")
    if not colon:
        return text, None
    if not rev or not (number.isascii() and number.isdigit()) or len(number) > 9:
        raise InvalidInput(f"{shown(text)} is no commit", hint="COMMIT, or COMMIT:2 for its second change")
    return rev, int(number)


def _link(store: Store, part: Slice, rev: str) -> Link:
    oid = store.reader.resolve(rev)
    if oid is None:
        raise NotFound(f"there is no commit {shown(rev)}", hint="gitreg log")
    rows = part.rows("SELECT seq FROM chain WHERE oid = ? AND seq <= ?", oid, part.seq)
    if not rows:
        raise NotFound(
            f"commit {oid[:10]} is not on the first-parent history of the branch",
            where=safe(rev),
            hint="a merged commit is taken back with the merge that brought it: gitreg log",
        )
    return part.link(rows[0][0])


def _view(store: Store, commit: str) -> View | None:
    try:
        return store.view(commit)
    except NotARegistry:
        return None


def _changes(store: Store, before: View | None, link: Link) -> tuple[Change, ...]:
    """What the commit changed, in the order in which ``gitreg log`` tells it."""
    commit = next(iter(history(store.repository, head=link.oid, paths=told_paths(store), limit=1)), None)
    if commit is None or commit.oid != link.oid:
        return ()
    changes, unread = Feed(store, before.states.layout if before else Layout()).changes(commit)
    if unread:
        raise Conflict(
            "the commit changed a file that can't be read before or after it",
            where=safe(unread[0]),
            hint=f"git revert {link.oid[:10]}",
        )
    return tuple(ranked(changes))


def _without_approvals(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    """What there is to be taken back of a whole commit: an approval that came with it can stay."""
    return tuple(change for change in changes if change.event != "approve") or changes


def _requests(part: Slice, asked: Reversal) -> list[TakeBack]:
    before, after = asked.before, asked.after
    try:
        return requests_for(
            asked.changes,
            before=before.state if before else _nothing,
            after=after.state,
            commit=before.commit if before else "",
            name_now=lambda name: called_now(part, name, asked.link.seq),
            reason=f"revert of {asked.link.oid[:10]}",
        )
    except Conflict as error:
        if not error.hint:
            error.hint = _another_way(asked)
        raise


def _nothing(name: str) -> ModelState:
    return ModelState(name=name)


def _another_way(asked: Reversal) -> str:
    short = asked.link.oid[:10]
    others = [at for at, change in enumerate(asked.changes, 1) if has_way(change)]
    if asked.number is None and others:
        each = ", ".join(f"{short}:{at}" for at in others[:_MOST_NAMED])
        more = " …" if len(others) > _MOST_NAMED else ""
        return f"take back its other changes one by one: gitreg revert {each}{more}"
    return f"git revert {short}, where its files are to be as before"


def _settings(registry: Registry, asked: Reversal, reason: str, *, dry_run: bool) -> Receipt:
    others = [at for at, change in enumerate(asked.changes, 1) if change.event != "policy"]
    short = asked.link.oid[:10]
    file = next((change.field for change in asked.changes if change.of_a_file), None)
    if file:
        raise Conflict(
            f"commit {short} changed a file of the rules, which Git alone takes back",
            where=safe(file),
            hint=_another_way(asked),
        )
    if others:
        each = ", ".join(f"gitreg revert {short}:{at}" for at in range(1, len(asked.changes) + 1))
        raise Conflict(
            f"commit {short} changed the settings of the registry and models too: "
            "that can't be taken back in one commit",
            where="gitreg.yaml",
            hint=f"one by one: {each}",
        )
    whom = registry.asked((), message=reason)
    amendment = configure.Amendment(
        asked=lambda settings: settings_back(settings, asked.changes),
        author=whom.author,
        committer=whom.committer,
        when=whom.clock(),
        reason=reason,
        title=asked.title,
    )
    return configure.preview(registry.store, amendment) if dry_run else registry.configure(amendment)


# Who changed it since

_MOVES = ("transition", "assign", "unassign")


def _blamed(store: Store, asked: Reversal, error: ChangedSince) -> Conflict:
    """``error`` with the commit that came in between."""
    part = slice_of(store)
    found = _newest(part, error.change, asked.link.seq)
    if found is None:
        return Conflict(error.message, where=error.where, hint="gitreg log")
    short = found.oid[:10]
    subject = found.subject if len(found.subject) <= 80 else found.subject[:79] + "…"
    hint = f"take that back first: gitreg revert {short}"
    if any(change.event == "register" and change.subject == error.where for change in asked.changes):
        hint += f"; or gitreg delete {error.where}"
    return Conflict(f"{error.message}, by commit {short} ({safe(subject)})", where=error.where, hint=hint)


def _newest(part: Slice, change: Change, seq: int) -> Link | None:
    """The newest commit after ``seq`` that did something to what ``change`` is about."""
    names = {change.model, *(span.name for span in part.names(change.model))}
    best = max((_last(part, name, change, seq) for name in names), default=0)
    return part.link(best) if best else None


def _last(part: Slice, name: str, change: Change, seq: int) -> int:
    which, params = _which(change)
    rows = part.rows(
        f"SELECT max(seq) FROM event WHERE name = ? AND seq > ? AND seq <= ? AND ({which})",
        *(name, seq, part.seq, *params),
    )
    return int(rows[0][0] or 0)


def _which(change: Change) -> tuple[str, Sequence[object]]:
    """The rows of ``event`` that change the same thing; the texts come from here, the values are bound."""
    same = "number IS ?"
    if change.event in _MOVES:
        return f"{same} AND event IN {(*_MOVES, 'delete', 'restore')!r}", (change.version,)
    if change.field:
        return f"{same} AND (field = ? OR event IN ('delete', 'restore'))", (change.version, change.field)
    if change.version is None:
        return "number IS NULL AND event = ?", (change.event,)
    return f"{same} AND event = ?", (change.version, change.event)
