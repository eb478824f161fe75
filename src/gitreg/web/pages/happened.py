"""What commits changed, in the words and links of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gitreg.domain.approval import address_key
from gitreg.domain.changes import Change, approver_of, worded
from gitreg.index.reading import Link, Slice
from gitreg.registry.activity import Entry
from gitreg.registry.hands import Hands, called, called_or_address
from gitreg.web.links import Links
from gitreg.web.pages.cut import cut

MARKS = {
    "register": "new",
    "transition": "stage",
    "assign": "stage",
    "unassign": "stage",
    "approve": "rules",
    "policy": "rules",
    "delete": "gone",
    "vanish": "gone",
    "rewrite": "gone",
    "reuse": "gone",
}
"""Event → of which kind it is, for a mark before it; of all others ``edit``."""


Names = Mapping[str, str]
"""E-mail address in small letters → what its owner is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One change: the model, and what happened in words, of which those that name the version lead there.

    Attributes:
        model: Its name; ``registry`` for the settings.
        address: Of the model, or of the rules.
        before: The words before the version.
        version: ``version 12``; ``""`` where they name none.
        there: The version's address.
        after: The words after it.
        mark: Of which kind the change is.
    """

    model: str
    address: str
    before: str
    version: str
    there: str
    after: str
    mark: str


def told(changes: Iterable[Change], links: Links, names: Names | None = None) -> tuple[Told, ...]:
    """Changes in words.

    Args:
        changes: What happened.
        links: Gives addresses.
        names: How people are called.
    """
    return tuple(_told(change, links, names or {}) for change in changes)


def names_of(part: Slice, entries: Iterable[tuple[Link, Iterable[Change]]]) -> Names:
    """What those who approved something are called: e-mail address in small letters → name.

    Args:
        part: The index.
        entries: Commits with their changes.
    """
    found: dict[str, str] = {}
    asked: dict[str, None] = {}
    for link, changes in entries:
        found[address_key(link.email)] = link.author
        asked |= {approver_of(change).casefold(): None for change in changes}
    for email in asked:
        if email and email not in found and (name := called(part, email)):
            found[email] = name
    return found


def name_in(names: Names) -> Callable[[str], str]:
    """What the owner of an e-mail address is called; ``""`` where nobody knows."""
    return lambda email: names.get(address_key(email), "")


def _told(change: Change, links: Links, names: Names) -> Told:
    name = str(change.after) if change.event == "rename" else change.model
    words = cut(worded(change, name_in(names)))
    number = change.version if change.event != "alias" else change.after or change.before
    version = f"version {number}" if number is not None and name else ""
    before, found, after = words.partition(version) if version else (words, "", "")
    return Told(
        model=cut(change.model, 80) or "registry",
        address=links.model(name) if change.model else links.policy(),
        before=before.strip(),
        version=found,
        there=links.version(name, str(number)) if found else "",
        after=after.strip(),
        mark=MARKS.get(change.event, "edit"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Who made a commit: the author, and the committer where that is somebody else (``""``: it is not)."""

    author: str
    email: str
    committer: str


def people(entry: Entry) -> People:
    """Who made the commit of an entry."""
    link = entry.link
    other = (link.author, link.email) != (link.committer, link.committer_email)
    return People(
        author=cut(link.author, 80), email=link.email, committer=cut(link.committer, 80) if other else ""
    )


def did_of(found: Iterable[Hands]) -> list[tuple[str, str]]:
    """Who proposed, approved and merged: what they did, and their names; of all changes together."""
    did: dict[str, dict[str, None]] = {
        "Proposed by": {},
        "Approved by": {},
        "Merged by": {},
        "Also signed, not counted": {},
        "Approvals not judged": {},
    }
    for each in found:
        merged = (each.merged_by,) if each.merged_by else ()
        unjudged = (each.unjudged,) if each.unjudged else ()
        told = (
            map(called_or_address, each.proposed_by),
            (one.said for one in each.approved_by),
            map(called_or_address, merged),
            (one.said for one in each.not_counted),
            (one.said for one in unjudged),
        )
        for key, who in zip(did, told, strict=True):
            did[key] |= dict.fromkeys(who)
    return [(key, ", ".join(cut(one, 240) for one in who)) for key, who in did.items() if who]
