"""Whose keys count at two commits: the lines of ``keys/allowed_signers``, by meaning."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from gitreg.domain.approval import address_key
from gitreg.domain.effects import INVERSE, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyLine:
    """One line of ``keys/allowed_signers``.

    Attributes:
        principals: Who holds the key.
        key: Its type and SHA256 fingerprint, as ``ssh-keygen -l`` tells it.
        since: Before it the key does not count.
        until: After it the key does not count.
        namespaces: Patterns of what it may sign; None for everything.
    """

    principals: tuple[str, ...]
    key: str
    since: datetime | None = None
    until: datetime | None = None
    namespaces: tuple[str, ...] | None = None

    @property
    def told(self) -> str:
        """The line in words: key, whose, and what limits it."""
        limits = [
            f"from {self.since:%Y-%m-%d %H:%M} UTC" if self.since else "",
            f"until {self.until:%Y-%m-%d %H:%M} UTC" if self.until else "",
            f"for {', '.join(self.namespaces)}" if self.namespaces is not None else "",
        ]
        return ", ".join([f"{self.key} of {', '.join(self.principals)}", *filter(None, limits)])

    @property
    def persons(self) -> frozenset[str]:
        """The principals but for groups, as they are compared."""
        return frozenset(address_key(each) for each in self.principals if "/" not in each)


def contrast_keys(
    before: Iterable[KeyLine], after: Iterable[KeyLine], approvers: frozenset[str]
) -> Iterator[tuple[KeyLine | None, KeyLine | None, Effect]]:
    """The lines that differ, each before and after (None: it is not there), and which way that goes.

    Args:
        before: The lines of the one side, in any order.
        after: Those of the other.
        approvers: Whom any rule names, on either side, as ``address_key`` gives them.
    """
    old, new = list(dict.fromkeys(before)), list(dict.fromkeys(after))
    gone = [each for each in old if each not in new]
    come = [each for each in new if each not in old]
    for was in list(gone):
        now = next((each for each in come if each.key == was.key), None)
        if now is not None:
            gone.remove(was)
            come.remove(now)
            yield was, now, _altered(was, now)
    for each in come:
        yield None, each, _joining(each, old, approvers)
    for each in gone:
        yield each, None, INVERSE[_joining(each, new, approvers)]


def _joining(line: KeyLine, others: Collection[KeyLine], approvers: frozenset[str]) -> Effect:
    """What a key that comes to others does: surely more where an approver can sign with it who could not.

    Lines that share a principal or a key are one person's: one that ties two together makes them fewer.
    """
    tied = [each for each in others if each.key == line.key or each.persons & line.persons]
    alone = not tied or any(each.persons >= line.persons for each in tied)
    named = frozenset(map(address_key, line.principals)) & approvers
    return "lowers" if alone and named else "changes"


def _altered(was: KeyLine, now: KeyLine) -> Effect:
    """What another line with the same key does: wider in all that is asked, narrower, or neither."""
    if was.persons != now.persons:
        return "changes"
    groups = [frozenset(map(address_key, each.principals)) for each in (was, now)]
    sides = [
        (groups[0] <= groups[1], groups[0] >= groups[1]),
        _wider(was.since, now.since, earlier=True),
        _wider(was.until, now.until, earlier=False),
        _wider_names(was.namespaces, now.namespaces),
    ]
    if all(wider for wider, _ in sides):
        return "none" if all(narrower for _, narrower in sides) else "lowers"
    return "raises" if all(narrower for _, narrower in sides) else "changes"


def _wider(was: datetime | None, now: datetime | None, *, earlier: bool) -> tuple[bool, bool]:
    """Whether a limit of time leaves as much as before, and whether it leaves no more."""
    if was is None or now is None:
        return now is None, was is None
    return (now <= was, now >= was) if earlier else (now >= was, now <= was)


def _wider_names(was: tuple[str, ...] | None, now: tuple[str, ...] | None) -> tuple[bool, bool]:
    if was is None or now is None:
        return now is None, was is None
    old, new = frozenset(was), frozenset(now)
    if any(each.startswith("!") for each in old | new):
        return old == new, old == new
    return old <= new, old >= new
