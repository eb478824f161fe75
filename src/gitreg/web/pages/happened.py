"""What commits changed, in the words and links of pages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitreg.domain.changes import Change, phrase
from gitreg.registry.activity import Entry
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


def told(changes: Iterable[Change], links: Links) -> tuple[Told, ...]:
    """Changes in words.

    Args:
        changes: What happened.
        links: Gives addresses.
    """
    return tuple(_told(change, links) for change in changes)


def _told(change: Change, links: Links) -> Told:
    name = str(change.after) if change.event == "rename" else change.model
    words = cut(phrase(change))
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
