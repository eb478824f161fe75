"""Proposals: those that are open with what each lacks, and one as its reviewer needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gitreg.domain.contrast import Contrast
from gitreg.domain.contrast_model import RegistryContrast
from gitreg.domain.review import Review
from gitreg.errors import Conflict, NotFound
from gitreg.registry.numbered import Numbered
from gitreg.registry.open_proposals import OpenProposal
from gitreg.registry.proposal_ended import Ended, ended
from gitreg.registry.proposals_shown import Open, find, look_at, review_of, shelf
from gitreg.registry.remote_branch import Upstream
from gitreg.render.quoted import Quoted, Words
from gitreg.render.review import MET, UNMET, Part
from gitreg.render.review import page as review_page
from gitreg.web.pages import differing
from gitreg.web.pages.cut import cut
from gitreg.web.pages.happened import did_of
from gitreg.web.pages.look import Look, Page
from gitreg.web.pages.rights import rights

MOST = 25
"""Open proposals that are shown."""
_MOST_MOVES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A piece of a sentence; ``quoted``: from the registry; ``address``: of what it names, or ``""``."""

    text: str
    quoted: bool
    address: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A part of a review, as ``render.review.Part`` has it, in pieces and tables."""

    title: tuple[Piece, ...]
    level: int
    columns: tuple[tuple[Piece, ...], ...]
    rows: tuple[tuple[tuple[Piece, ...], ...], ...]
    text: tuple[tuple[str, str], ...]
    lines: tuple[tuple[Piece, ...], ...]
    more: str
    folded: str
    group: str
    labels: tuple[str, str]
    tables: tuple[differing.Table, ...]
    registry: differing.RegistryTold | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """That a proposal brings a version into a stage, and which version holds it now (``""``: none)."""

    subject: str
    stage: str
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One open proposal of the list."""

    found: Open
    name: str
    title: str
    by: str
    moves: tuple[Move, ...]
    more: int


def proposals(look: Look) -> Page:
    """The open proposals, the last changed first, and those that a server has closed."""
    found = shelf(look.registry.store, most=MOST)
    return Page(
        template="proposals.html",
        title="Proposals",
        section="proposals",
        values={
            "rows": [_row(each) for each in found.open],
            "closed": found.closed,
            "left": found.left,
            "up": found.up,
            "guarded": [stage.name for stage in look.settings.stages if stage.approvals],
        },
    )


def proposal(look: Look, ref: str) -> Page:
    """One proposal, by its branch or number."""
    store = look.registry.store
    try:
        up, one = find(store, ref)
    except NotFound:
        was = ended(look.registry.store, look.registry.at(), ref)
        if was is None:
            raise
        return _ended(look, was)
    if isinstance(one, Numbered):
        return _closed(look, one)
    found = look_at(store, up, one)
    review: Review | None = None
    conflict = ""
    try:
        review = review_of(store, up, one) if found is not None else None
    except Conflict as error:
        conflict = error.message
    return _page(look, up, one, found, review, conflict)


def _page(
    look: Look, up: Upstream, one: OpenProposal, found: Open | None, review: Review | None, conflict: str
) -> Page:
    told = review_page(review) if review else None
    linked = _links(look, review) if review else {}
    title = cut(found.listed.subject if found else one.title or one.name)
    return Page(
        template="proposal.html",
        title=title,
        section="proposals",
        values={
            "proposal": one,
            "listed": found.listed if found else None,
            "found": found,
            "review": review,
            "up": up,
            "title": title,
            "by": _by(found) if found else cut(one.by),
            "conflict": conflict,
            "merged": found is None,
            "rights": rights(look, up, one, found.listed if found else None),
            "state": told.state if told else "wrong",
            "verdict": "".join(told.verdict) if told else "",
            "sentence": pieces(told.sentence, linked) if told else (),
            "parts": [_shown(part, linked) for part in told.parts] if told else [],
            "commands": told.commands if told else (),
            "base_known": look.part.index.place_of(up.base) is not None,
            "met": MET,
            "unmet": UNMET,
        },
    )


def _closed(look: Look, one: Numbered) -> Page:
    known = look.part.index.place_of(one.head) is not None
    return Page(
        template="proposal_closed.html",
        title=f"Proposal {one.number}",
        section="proposals",
        values={"one": one, "title": cut(one.title or one.topic), "known": known},
    )


def _ended(look: Look, was: Ended) -> Page:
    """The page of a proposal that was merged, or given up: its branch is gone."""
    told = did_of([was.hands]) if was.hands else []
    return Page(
        template="proposal_ended.html",
        title=f"{cut(was.model, 80)}/{was.version} to {was.stage}",
        section="proposals",
        values={"was": was, "told": told},
        status=200 if was.given else 404,
    )


def _row(found: Open) -> Row:
    listed = found.listed
    judged = [one for step in (listed.verdict.steps if listed.verdict else ()) for one in step.judged]
    moves = [
        Move(
            subject=f"{one.entering.version.name}/{one.entering.version.version}",
            stage=one.entering.stage.name,
            holder=f"{one.entering.incumbent.name}/{one.entering.incumbent.version}"
            if one.entering.incumbent
            else "",
        )
        for one in judged
        if one.judgements or one.entering.stage.guarded
    ]
    return Row(
        found=found,
        name=str(listed.proposal.number or listed.proposal.branch),
        title=cut(listed.subject),
        by=_by(found),
        moves=tuple(moves[:_MOST_MOVES]),
        more=max(0, len(moves) - _MOST_MOVES),
    )


def _by(found: Open) -> str:
    return cut(found.listed.proposal.by or found.listed.author.name, 80)


def _links(look: Look, review: Review) -> dict[str, str]:
    """Names of versions that are in the registry already → the addresses of their pages."""
    named = [each.version for each in review.moves]
    named += [each.incumbent for each in review.moves if each.incumbent]
    found = {}
    for version in named:
        try:
            look.view.version(f"{version.name}/{version.version}")
        except NotFound:
            continue
        found[f"{version.name}/{version.version}"] = look.links.version(version.name, version.version)
    return found


def pieces(words: Iterable[str] | Words, linked: Mapping[str, str]) -> tuple[Piece, ...]:
    """A sentence of a review in pieces.

    Args:
        words: Its own words and the registry's.
        linked: What the registry's words name → the address of its page.
    """
    return tuple(
        Piece(text=cut(word), quoted=isinstance(word, Quoted), address=linked.get(word, "")) for word in words
    )


def _shown(part: Part, linked: Mapping[str, str]) -> Shown:
    contrast = part.contrast
    better = part.move.better if part.move else {}
    return Shown(
        title=pieces(part.title, linked),
        level=part.level,
        columns=tuple(pieces((one,), linked) for one in part.columns),
        rows=tuple(_cells(row, linked) for row in part.rows),
        text=part.text,
        lines=tuple(pieces(line, linked) for line in part.lines),
        more=part.more,
        folded=part.folded,
        group=part.group,
        labels=part.labels,
        tables=differing.tables(contrast.shown(), better) if isinstance(contrast, Contrast) else (),
        registry=differing.registry(contrast) if isinstance(contrast, RegistryContrast) else None,
    )


def _cells(row: Sequence[Words], linked: Mapping[str, str]) -> tuple[tuple[Piece, ...], ...]:
    return tuple(pieces(cell, linked) for cell in row)
