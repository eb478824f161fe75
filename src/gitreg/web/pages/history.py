"""What happened to a model or a version lately, as rows of a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gitreg.domain.changes import worded
from gitreg.index.reading import Link, Slice
from gitreg.registry.recent import Recent
from gitreg.registry.signed import Signed, signed
from gitreg.registry.store import Store
from gitreg.web.pages.happened import Names, name_in, names_of

_MOST_TOLD = 4

_SAID = {
    "none": ("not signed", ""),
    "good": ("signed", "good"),
    "service": ("signed by the hosting service", "good"),
    "unknown": ("unknown key", "warn"),
    "bad": ("bad signature", "bad"),
    "openpgp": ("OpenPGP, not checked here", ""),
    "untold": ("key not told", "warn"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit.

    Attributes:
        link: The commit.
        told: What it changed, a phrase each, the weightiest first.
        more: How many changes are left out.
        signature: Its signature in a word or two.
        kind: How that is coloured: ``good``, ``warn``, ``bad`` or ``""``.
        why: Who signed, or what is wrong with the signature.
    """

    link: Link
    told: tuple[str, ...]
    more: int
    signature: str
    kind: str
    why: str


def steps(store: Store, part: Slice, entries: Iterable[Recent]) -> list[Step]:
    """The rows for some commits."""
    found = [*entries]
    names = names_of(part, ((each.link, each.entry.changes) for each in found))
    return [_step(each, signed(store, each.link), names) for each in found]


def _step(found: Recent, seen: Signed, names: Names) -> Step:
    link = found.link
    told = tuple(worded(change, name_in(names)) for change in found.entry.changes[:_MOST_TOLD])
    said, kind = _SAID[seen.state]
    return Step(
        link=link,
        told=told,
        more=found.count - len(told),
        signature=said,
        kind=kind,
        why=seen.who or seen.why,
    )
