"""Which version gets a stage back, found in the history of who held it: order, never time.

A stage's history is read as a stack. A commit that gives the stage to a version puts a point on it; a
commit after which exactly the versions hold it that held it at an earlier point goes back to that
point. So a rollback after a rollback goes one further back, and never to the version that was left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gitreg.domain.model import ModelState
from gitreg.domain.requests import Rollback
from gitreg.domain.settings import ARCHIVED, Settings
from gitreg.errors import Conflict, InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """That a version held a stage from commit ``since`` up to, not including, ``until`` (None: up to now).

    Commits are numbered along the first parents.
    """

    number: int
    stage: str
    since: int
    until: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a rollback comes to.

    Attributes:
        request: What is to be written; nothing where the stage is held as asked already.
        back: The versions that hold the stage afterwards, lowest first.
        held: The last time that each of them held it.
        left: The versions that lose it, lowest first.
        passed_over: Versions that held it between and are deleted, newest first.
        later: The last other version that lost it after those of ``back`` did: an earlier rollback left it.
        further: Where nothing holds the stage now, the version that held it before those of ``back`` did.
        vacated: Other stages that nothing holds afterwards → the versions that leave them, lowest first.
    """

    request: Rollback
    back: tuple[int, ...]
    held: Mapping[int, Hold]
    left: tuple[int, ...] = ()
    passed_over: tuple[int, ...] = ()
    later: Hold | None = None
    further: int | None = None
    vacated: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def plan(
    holds: Iterable[Hold], stage: str, *, state: ModelState, settings: Settings, to: int | None = None
) -> Plan:
    """Find the version that gets ``stage`` back and what the others hold then.

    Args:
        holds: The history of all stages of the model, under all of its names.
        stage: The stage's exact name.
        state: The model as it is.
        settings: The registry's settings.
        to: The version to go back to, whatever held the stage between.

    Raises:
        Conflict: Nothing held the stage before, or a version that did is deleted or deprecated.
        InvalidInput: ``to`` never held it, or is deleted.
    """
    past = _Past(_joined(holds))
    line = _Line(past.of_stage(stage))
    holding = line.now
    passed: list[int] = []
    if to is not None:
        back = {_checked(to, line, stage, state)}
    else:
        back = _previous(line, state, stage, passed)
        _refuse_deprecated(back, stage, state)
        _refuse_several(back, stage, state, settings)
    following = {number: past.given_back(line.last(number), settings) for number in sorted(back - holding)}
    following |= {
        number: past.put_back(line.last(number), line.given(number)) for number in sorted(holding - back)
    }
    expected = {number: past.held(number) for number in sorted(back | holding)}
    following = _possible(following, expected, stage, past, settings)
    return Plan(
        request=Rollback(name=state.name, stage=stage, expected=expected, following=following),
        back=tuple(sorted(back)),
        held={number: line.last(number) for number in back},
        left=tuple(sorted(holding - back)),
        passed_over=tuple(passed),
        later=_later(line, back | holding, state, after=min(line.last(number).since for number in back)),
        further=_further(line, back, state) if to is None and not holding else None,
        vacated=_vacated(following, expected, stage, past),
    )


def _previous(line: _Line, state: ModelState, stage: str, passed: list[int]) -> set[int]:
    for numbers in line.earlier():
        found = {number for number in numbers if state.live(number)}
        passed += sorted(numbers - found - set(passed), reverse=True)
        if found:
            return found
    raise _all_gone(line, state, stage, passed) if passed else _nothing_before(line, state, stage)


def _all_gone(line: _Line, state: ModelState, stage: str, passed: Sequence[int]) -> Conflict:
    """Every version that held the stage before is gone; ``passed``: the one that held it last first."""
    named = [f"{state.name}/{number}" for number in passed]
    held = " and ".join(f"{state.name}/{number}" for number in sorted(line.now))
    before = f"before {held} did" if held else "last"
    gone = "deleted" if all(number in state.versions for number in passed) else "gone"
    hint = f"gitreg restore {named[0]}, then roll back"
    last = _later(line, line.now, state, after=min(map(line.first, line.now), default=0))
    if last:
        hint += f"; version {last.number} held it later: --to {last.number}"
    return Conflict(
        f"{' and '.join(named)}, which held {stage} {before}, {'is' if len(named) == 1 else 'are'} {gone}",
        where=state.name,
        hint=hint,
    )


def _nothing_before(line: _Line, state: ModelState, stage: str) -> Conflict:
    last = _later(line, line.now, state, after=min(map(line.first, line.now), default=0))
    held = " and ".join(f"{state.name}/{number}" for number in sorted(line.now))
    what = f"no version held {stage} before {held} did" if held else f"no version ever held {stage}"
    hint = f"gitreg transition {state.name}/VERSION {stage}"
    if last:
        hint = f"version {last.number} held it later: gitreg rollback {state.name} {stage} --to {last.number}"
    elif held:
        hint = f"gitreg unassign {state.name}/{max(line.now)} {stage}"
    return Conflict(what, where=state.name, hint=hint)


def _refuse_deprecated(back: Collection[int], stage: str, state: ModelState) -> None:
    for number in sorted(back):
        version = state.live(number)
        if version and version.deprecated:
            why = f": {version.deprecated.reason}" if version.deprecated.reason else ""
            raise Conflict(
                f"version {number}, which held {stage} before, is deprecated{why}",
                where=f"{state.name}/{number}",
                hint=f"to go back to it all the same: gitreg rollback {state.name} {stage} --to {number}",
            )


def _refuse_several(back: Collection[int], stage: str, state: ModelState, settings: Settings) -> None:
    if len(back) > 1 and settings.stage(stage).exclusive:
        numbers = " and ".join(str(number) for number in sorted(back))
        raise Conflict(
            f"versions {numbers} held {stage} before, which is a stage for one version",
            where=state.name,
            hint=f"say which gets it back: gitreg rollback {state.name} {stage} --to {max(back)}",
        )


def _checked(number: int, line: _Line, stage: str, state: ModelState) -> int:
    where = f"{state.name}/{number}"
    if not line.knows(number):
        known = number in state.versions
        raise InvalidInput(
            f"version {number} never held {stage}" if known else f"there is no version {number}",
            where=where,
            hint=f"gitreg transition {where} {stage}" if known else f"gitreg list {state.name}",
        )
    if state.live(number) is None:
        raise InvalidInput(f"version {number} is deleted", where=where, hint=f"gitreg restore {where}")
    return number


def _later(line: _Line, but: Collection[int], state: ModelState, *, after: int) -> Hold | None:
    """The last hold that ended and began after a commit, of a version that is there and not in ``but``."""
    ended = [hold for hold in line.holds if hold.until and hold.number not in but and state.live(hold.number)]
    last = max(ended, key=lambda hold: hold.until or 0, default=None)
    return last if last and last.since > after else None


def _further(line: _Line, back: Collection[int], state: ModelState) -> int | None:
    """The highest version that held the stage before those of ``back`` did."""
    for numbers in line.earlier():
        found = [number for number in numbers if number not in back and state.live(number)]
        if found:
            return max(found)
    return None


def _possible(
    following: Mapping[int, frozenset[str]],
    expected: Mapping[int, frozenset[str]],
    stage: str,
    past: _Past,
    settings: Settings,
) -> dict[int, frozenset[str]]:
    """``following`` without stages that are gone, or that others hold by now and one alone may."""
    taken = {
        (name, other)
        for name in {name for held in following.values() for name in held}
        if settings.has_stage(name) and settings.stage(name).exclusive and name != stage
        for other in past.holders(name)
    }
    found = {}
    for number, held in following.items():
        kept = {
            name
            for name in held
            if name in expected[number]
            or (settings.has_stage(name) and not any(n == name and other != number for n, other in taken))
        }
        found[number] = frozenset(kept)
    return found


def _vacated(
    following: Mapping[int, frozenset[str]], expected: Mapping[int, frozenset[str]], stage: str, past: _Past
) -> dict[str, tuple[int, ...]]:
    """The other stages that lose all who hold them; nothing relies on a version in Archived."""
    left = {name for number, held in following.items() for name in expected[number] - held}
    kept = {name for held in following.values() for name in held}
    found = {}
    for name in sorted(left - kept - {stage, ARCHIVED}):
        holders = past.holders(name)
        if all(number in following for number in holders):
            found[name] = tuple(sorted(holders))
    return found


def _joined(holds: Iterable[Hold]) -> list[Hold]:
    """One hold for each time, where a rename or an edited date parted it in two."""
    found: list[Hold] = []
    for hold in sorted(holds, key=lambda h: (h.number, h.stage, h.since)):
        last = found[-1] if found else None
        if last and (last.number, last.stage, last.until) == (hold.number, hold.stage, hold.since):
            found[-1] = Hold(number=hold.number, stage=hold.stage, since=last.since, until=hold.until)
        else:
            found.append(hold)
    return found


class _Past:
    """All stages that the versions of a model held."""

    def __init__(self, holds: Sequence[Hold]) -> None:
        self._holds = holds
        self._by_number: dict[int, list[Hold]] = defaultdict(list)
        for hold in holds:
            self._by_number[hold.number].append(hold)

    def of_stage(self, stage: str) -> list[Hold]:
        return [hold for hold in self._holds if hold.stage == stage]

    def holders(self, stage: str) -> set[int]:
        return {hold.number for hold in self.of_stage(stage) if hold.until is None}

    def held(self, number: int, seq: int | None = None) -> frozenset[str]:
        """The stages of a version just after commit ``seq``; None: now."""
        return frozenset(
            hold.stage
            for hold in self._by_number[number]
            if (hold.until is None if seq is None else hold.since <= seq and not _over(hold, seq))
        )

    def put_back(self, hold: Hold, given: int) -> frozenset[str]:
        """What a version gets that loses the stage: what it held before, unless it was moved since.

        ``given`` is the commit that gave it the stage first, where a rollback gave it again.
        """
        now = self.held(hold.number)
        untouched = now == self.held(hold.number, hold.since)
        return self.held(hold.number, given - 1) if untouched else now - {hold.stage}

    def given_back(self, hold: Hold, settings: Settings) -> frozenset[str]:
        """What a version gets that has the stage again: what it held with it, unless it was moved since."""
        assert hold.until is not None  # it does not hold it now
        now, before = self.held(hold.number), self.held(hold.number, hold.until - 1)
        lost = self.held(hold.number, hold.until)
        if now == lost:
            return before
        archived = ARCHIVED in lost - before or now == {ARCHIVED}
        return (now - {ARCHIVED} if archived else now) | {hold.stage}


def _over(hold: Hold, seq: int) -> bool:
    return hold.until is not None and hold.until <= seq


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """The stage was given in commit ``seq``; sets of versions are numbers with a bit for each version."""

    seq: int
    gained: int
    holding: int


@dataclass(slots=True)
class _Turn:
    gained: int = 0
    lost: int = 0
    numbers: list[int] = field(default_factory=list)


class _Line:
    """Who held one stage, from the first commit on."""

    def __init__(self, holds: Sequence[Hold]) -> None:
        self.holds = holds
        self.now = {hold.number for hold in holds if hold.until is None}
        by_age = sorted(holds, key=lambda hold: hold.since)
        self._last = {hold.number: hold for hold in by_age}
        self._first = {hold.number: hold.since for hold in reversed(by_age)}
        self._steps: list[tuple[int, int]] = []
        self._points: list[_Point] = []
        turns: dict[int, _Turn] = defaultdict(_Turn)
        for hold in holds:
            turns[hold.since].gained |= 1 << hold.number
            if hold.until is not None:
                turns[hold.until].lost |= 1 << hold.number
        holding = 0
        places: dict[int, int] = {}
        for seq in sorted(turns):
            turn = turns[seq]
            holding = holding & ~turn.lost | turn.gained
            self._steps.append((seq, holding))
            if turn.gained:
                self._point(_Point(seq=seq, gained=turn.gained, holding=holding), places)

    def _point(self, point: _Point, places: dict[int, int]) -> None:
        again = places.get(point.holding)
        if again is None:
            places[point.holding] = len(self._points)
            self._points.append(point)
            return
        for gone in self._points[again + 1 :]:
            del places[gone.holding]
        del self._points[again + 1 :]

    def earlier(self) -> Iterator[set[int]]:
        """The versions that held the stage before those that do now, further and further back."""
        now = sum(1 << number for number in self.now)
        places = range(len(self._points) - 1, -1, -1)
        seqs = [self._points[at].seq for at in places]
        if now:
            present = next(at for at in places if self._points[at].gained & now)
            seqs = seqs[len(self._points) - 1 - present :]
        else:
            seqs = [self._steps[-1][0] + 1, *seqs] if self._steps else []
        for seq in seqs:
            found = self._before(seq)
            if found:
                yield found

    def _before(self, seq: int) -> set[int]:
        at = bisect_left(self._steps, (seq,))
        for _, holding in reversed(self._steps[:at]):
            if holding:
                return {hold.number for hold in self.holds if holding >> hold.number & 1}
        return set()

    def knows(self, number: int) -> bool:
        """Whether the version ever held the stage."""
        return number in self._last

    def last(self, number: int) -> Hold:
        """The last time that the version held the stage."""
        return self._last[number]

    def given(self, number: int) -> int:
        """The commit that gave the version the stage, on the line that leads to who holds it now."""
        return next(point.seq for point in reversed(self._points) if point.gained >> number & 1)

    def first(self, number: int) -> int:
        """The commit that gave it the stage for the first time."""
        return self._first[number]
