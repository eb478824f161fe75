"""``gitreg approvals``: who has approved a proposal, and who is missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import current_store, json_option
from gitreg.cli.output import document, hint, line, table, warning
from gitreg.errors import GitregError

if TYPE_CHECKING:
    from gitreg.domain.review import Approved, Review
    from gitreg.registry.assigned import Assigned
    from gitreg.registry.store import Store

_Row = tuple[str, str, str, str, str]
_RULES = "the rules"


@click.command("approvals")
@click.argument("first", metavar="NAME/VERSION | BRANCH | NUMBER")
@click.argument("second", required=False, metavar="[STAGE]")
@click.option("--offline", is_flag=True, help="Ask no server: show what was fetched last.")
@json_option
def command(first: str, second: str | None, offline: bool, as_json: bool) -> int:
    """Show who has approved a proposal, who has not yet, and which approvals don't count.

    \b
    gitreg approvals churn/12 Production   of the proposal; once it is merged, as they counted then
    gitreg approvals churn/Production/3    of an assignment of the past, by its Git tag

    The proposal is fetched first. Exit code 0: enough; 1: some are missing.
    """  # noqa: D301 (click reads the backspace)
    from gitreg.registry.clock import utc_now
    from gitreg.registry.proposed import pair_of, refresh
    from gitreg.registry.reviewing import review

    store = current_store()
    if not offline and (said := refresh(store, first, second)):
        warning(said)
    try:
        pair = pair_of(store, first, second)
        found = review(store, pair.base, pair.head, now=utc_now(), branch=pair.branch)
    except GitregError:
        past = _past(store, first, second)
        if past is None:
            raise
        return _tell_past(past, as_json=as_json)
    past = _past(store, first, second) if found.empty else None
    if past is not None:
        return _tell_past(past, as_json=as_json)
    asked = list(_asked(found))
    if as_json:
        document([_document(subject, approved) for subject, approved in asked])
    elif not asked:
        line("no rule asks for approvals of this proposal")
    else:
        table(("for", "approver", "state", "at", "until"), (row for each in asked for row in _rows(*each)))
    enough = all(len(approved.given) >= approved.needed for _, approved in asked)
    if enough and found.merge and not as_json:
        hint(f"next: {found.merge}")
    if not enough and not as_json:
        named = [*filter(None, (first, second)), *(["--policy"] if asked[-1][0] == _RULES else [])]
        hint(f"next: {shlex.join(['gitreg', 'approve', *named])}")
    return 0 if enough else 1


def _past(store: Store, first: str, second: str | None) -> Assigned | None:
    """The assignment that is meant, where no open proposal is."""
    from gitreg.registry.assigned import assigned, by_tag
    from gitreg.registry.proposal_names import Promotion
    from gitreg.registry.proposed import newest_commit, promotion_of

    base = newest_commit(store)
    if second is None:
        told = promotion_of(store, first)
        return assigned(store, base, told) if told else by_tag(store, base, first)
    view = store.view(base)
    try:
        version, stage = view.version(first), view.settings.stage(second).name
    except GitregError:
        return None
    return assigned(store, base, Promotion(name=version.name, version=version.version, stage=stage))


def _tell_past(past: Assigned, *, as_json: bool) -> int:
    subject = f"{past.what.subject} {past.what.stage}"
    if as_json:
        found = [_document(subject, past.approved)] if past.approved else []
        document([each | _of_commit(past) for each in found])
        return 0
    line(past.said)
    if past.approved is None:
        line("no rule asked for approvals of it")
        return 0
    rows = [(*row, past.keys.get(row[1], "")) for row in _rows(subject, past.approved, past=True)]
    table(("for", "approver", "state", "at", "until", "key"), rows)
    return 0


def _of_commit(past: Assigned) -> dict[str, Any]:
    from gitreg.manifest.encode import time_text

    return {
        "number": past.number,
        "commit": past.commit,
        "at": time_text(past.when),
        "merged_by": {"name": past.merged_by.name, "email": past.merged_by.email},
        "keys": past.keys,
    }


def _asked(found: Review) -> Iterator[tuple[str, Approved]]:
    for move in found.moves:
        if move.approved is not None:
            yield f"{move.change.subject} {move.stage}", move.approved
    if found.rules is not None and found.rules.approved is not None:
        yield _RULES, found.rules.approved


def _rows(subject: str, approved: Approved, *, past: bool = False) -> Iterator[_Row]:
    for each in approved.given:
        at, until = (f"{one:%Y-%m-%d %H:%M}" if one else "" for one in (each.at, each.expires))
        state = f"approved, signed in at {each.attester}" if each.attester else "approved"
        yield subject, each.principal, state, at, until
    for each in approved.refused:
        not_counted = "did not count" if past else "does not count"
        yield subject, each.principal, f"{not_counted}: {each.refused}", "", ""
    missing = approved.needed - len(approved.given)
    if missing > 0 and past:
        yield subject, "", f"{missing} missing", "", ""
    elif missing > 0:
        given = {each.principal for each in approved.given}
        may = [each for each in approved.may if each not in given]
        yield subject, " or ".join(may) or "nobody may", f"{missing} missing", "", ""


def _document(subject: str, approved: Approved) -> dict[str, Any]:
    from gitreg.render.review_data import approvals_document

    return {"for": subject, **approvals_document(approved)}
