"""Which version held which stage from when to when, as a judge needs it: also past what the index knows."""

from __future__ import annotations

from collections.abc import Mapping

from gitreg.domain.model import ModelVersion
from gitreg.domain.returning import held
from gitreg.domain.rollback import Hold
from gitreg.errors import GitregError
from gitreg.gitstore.commits import HistoryCommit
from gitreg.index.reading import Slice
from gitreg.manifest.layout import Layout
from gitreg.registry.past import Past
from gitreg.registry.store import Store


def holds_in(part: Slice, name: str) -> list[Hold]:
    """The stages that a model's versions held up to a commit that the index knows, under former names too."""
    found = []
    for span in part.names(name):
        rows = part.rows(
            "SELECT number, stage, since, until FROM holding WHERE name = ? AND since < ? AND until > ?",
            *(span.name, span.until, span.since),
        )
        for number, stage, since, until in rows:
            end = min(until, span.until)
            hold = Hold(
                number=number,
                stage=stage,
                since=max(since, span.since),
                until=end if end <= part.seq else None,
            )
            if hold.since <= part.seq:
                found.append(hold)
    return found


def holds_at(store: Store, commit: str, name: str) -> list[Hold] | None:
    """The same at any commit of the registry's history, by its full hex id.

    Returns:
        None where it can't be known: the clone is shallow, or the model came by its name in commits that
        the index does not know yet.
    """
    if store.repository.shallow():
        return None
    part, rest = Past(store, commit).known
    holds = holds_in(part, name) if part is not None else []
    seq = part.seq if part is not None else 0
    for found, changes in rest:
        seq += 1
        if any(change.event == "rename" and name in (change.model, change.after) for change in changes):
            return None
        numbers = _numbers(store, found, name)
        if numbers:
            holds = _moved(holds, numbers, _held(store, found.oid, name, numbers), seq)
    return holds


def last_holder(store: Store, commit: str, name: str, stage: str, *, but: int) -> ModelVersion | None:
    """The version that held a stage last which nothing holds at a commit, as it is now or was last.

    Args:
        store: The registry.
        commit: Full hex id.
        name: The model.
        stage: The stage's exact name.
        but: A version that is not meant.
    """
    holds = holds_at(store, commit, name) or ()
    left = [hold for hold in holds if hold.stage == stage and hold.until is not None and hold.number != but]
    last = max(left, key=lambda hold: (hold.until or 0, hold.since, hold.number), default=None)
    if last is None:
        return None
    known = store.view(commit).state(name).live(last.number)
    return known or _as_it_was(store, commit, name, last.number)


def _as_it_was(store: Store, commit: str, name: str, number: int) -> ModelVersion | None:
    from gitreg.registry.history import last_state_with

    try:
        return last_state_with(store, commit, name, number).state.live(number)
    except GitregError:
        return None


def _numbers(store: Store, commit: HistoryCommit, name: str) -> set[int]:
    """The versions of a model whose manifests a commit touches, whichever layout it has."""
    places = (
        Layout(kind).parse(touched.path.removeprefix(store.prefix))
        for touched in commit.changes
        for kind in ("flat", "sharded")
    )
    return {
        place.version
        for place in places
        if place is not None and place.kind == "version" and place.name == name
    }


def _held(store: Store, commit: str, name: str, numbers: set[int]) -> Mapping[int, frozenset[str]]:
    state = store.view(commit).state(name)
    return {number: held(state, number) for number in numbers}


def _moved(holds: list[Hold], numbers: set[int], now: Mapping[int, frozenset[str]], seq: int) -> list[Hold]:
    """``holds`` after commit ``seq``, in which some versions came to hold some stages."""
    kept = []
    for hold in holds:
        goes = hold.until is None and hold.number in numbers and hold.stage not in now[hold.number]
        kept.append(Hold(number=hold.number, stage=hold.stage, since=hold.since, until=seq) if goes else hold)
    standing = {(hold.number, hold.stage) for hold in kept if hold.until is None}
    kept += [
        Hold(number=number, stage=stage, since=seq)
        for number in sorted(numbers)
        for stage in sorted(now[number])
        if (number, stage) not in standing
    ]
    return kept
