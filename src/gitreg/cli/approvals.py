"""``gitreg approvals``: who has approved a proposal, and who is missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import current_store, json_option
from gitreg.cli.output import document, hint, line, table
from gitreg.errors import NotFound

if TYPE_CHECKING:
    from gitreg.domain.review import Approved, Review

_Row = tuple[str, str, str, str, str]
_RULES = "the rules"


@click.command("approvals")
@click.argument("first", metavar="NAME/VERSION | BRANCH | NUMBER")
@click.argument("second", required=False, metavar="[STAGE]")
@json_option
def command(first: str, second: str | None, as_json: bool) -> int:
    """Show who has approved a proposal, who has not yet, and which approvals don't count.

    Reads what was fetched last: git fetch brings the newest. Exit code 0: enough; 1: some are missing.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.proposed import pair_of
    from gitreg.registry.reviewing import review

    store = current_store()
    try:
        pair = pair_of(store, first, second)
    except NotFound as error:  # whoever asks has most often not fetched it yet
        again = f"git fetch, and try again; {error.hint}"
        raise NotFound(error.message, where=error.where, hint=again) from None
    found = review(store, pair.base, pair.head, now=utc_now(), branch=pair.branch)
    asked = list(_asked(found))
    if as_json:
        document([_document(subject, approved) for subject, approved in asked])
    elif not asked:
        line("no rule asks for approvals of this proposal")
    else:
        table(("for", "approver", "state", "at", "until"), (row for each in asked for row in _rows(*each)))
    enough = all(len(approved.given) >= approved.needed for _, approved in asked)
    if not enough and not as_json:
        named = [*filter(None, (first, second)), *(["--policy"] if asked[-1][0] == _RULES else [])]
        hint(f"next: {shlex.join(['gitreg', 'approve', *named])}")
    return 0 if enough else 1


def _asked(found: Review) -> Iterator[tuple[str, Approved]]:
    for move in found.moves:
        if move.approved is not None:
            yield f"{move.change.subject} {move.stage}", move.approved
    if found.rules is not None and found.rules.approved is not None:
        yield _RULES, found.rules.approved


def _rows(subject: str, approved: Approved) -> Iterator[_Row]:
    for each in approved.given:
        at, until = (f"{one:%Y-%m-%d %H:%M}" if one else "" for one in (each.at, each.expires))
        state = f"approved, signed in at {each.attester}" if each.attester else "approved"
        yield subject, each.principal, state, at, until
    for each in approved.refused:
        yield subject, each.principal, f"does not count: {each.refused}", "", ""
    missing = approved.needed - len(approved.given)
    if missing > 0:
        given = {each.principal for each in approved.given}
        may = [each for each in approved.may if each not in given]
        yield subject, " or ".join(may) or "nobody may", f"{missing} missing", "", ""


def _document(subject: str, approved: Approved) -> dict[str, Any]:
    from gitreg.render.review_data import approvals_document

    return {"for": subject, **approvals_document(approved)}
