"""What the history says of a version that enters a stage: how often, after whom, whether it is a rollback."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gitreg.domain.model import ModelState, ModelTombstone, ModelVersion
from gitreg.domain.returning import Return, held, rolled_back
from gitreg.domain.settings import Settings
from gitreg.errors import NotFound
from gitreg.registry.history import last_state_with
from gitreg.registry.holdings import holds_at, last_holder
from gitreg.registry.past import Past
from gitreg.registry.store import Store


@dataclass(slots=True, kw_only=True)
class Course:
    """What the steps that were judged so far have done, on top of what the history up to BASE tells.

    Attributes:
        past: The history up to BASE.
        given: Model and stage → how often versions entered it since.
        entered: Model, stage and version → ``given`` as it was when this version entered the stage.
        registered: Model and version → who registered it since.
        touched: Model → the versions whose manifests changed since.
    """

    past: Past
    given: Counter[tuple[str, str]] = field(default_factory=Counter)
    entered: dict[tuple[str, str, int], int] = field(default_factory=dict)
    registered: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    touched: dict[str, set[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """A model before and after a step.

    Attributes:
        before: The model before.
        after: The model afterwards.
        settings: The registry's settings before.
        gains: The versions that enter stages, and which.
        touched: The versions whose manifests differ.
    """

    before: ModelState
    after: ModelState
    settings: Settings
    gains: tuple[tuple[int, str], ...]
    touched: frozenset[int]


class Precedent:
    """What came before one step.

    Args:
        store: The registry: its history.
        before: Full hex id of the commit before the step.
        course: What the steps did that were judged before it.
        sides: Shows a model before and after; None where the commit before is itself not made yet, of
            which no history tells.
    """

    def __init__(
        self, store: Store, before: str, course: Course, sides: Callable[[str], Sides] | None
    ) -> None:
        self._store = store
        self._before = before
        self._course = course
        self._sides = sides
        self._found: dict[str, Mapping[tuple[int, str], Return]] = {}

    def entered(self, name: str, stage: str, version: int) -> int:
        """The highest number that an assignment of a stage to a version may have had; 0: it never held it."""
        here = self._course.entered.get((name, stage, version))
        if here is None:
            return self._course.past.entered(name, stage, version)
        return self._course.past.given(name, stage) + here

    def predecessor(
        self, name: str, stage: str, version: int, incumbent: ModelVersion | None
    ) -> ModelVersion | None:
        """Of a stage that nobody holds, another version that held it last."""
        if incumbent is not None or self._sides is None:
            return None
        return last_holder(self._store, self._before, name, stage, but=version)

    def returning(self, name: str, stage: str, version: int) -> Return:
        """Whether the step is a rollback, and what it is for a version that enters a stage."""
        if name not in self._found:
            self._found[name] = self._rolled_back(name)
        return self._found[name].get((version, stage), "")

    def _restored(self, name: str, sides: Sides) -> Mapping[tuple[int, str], Return]:
        """A model that is restored: its versions hold again what they held when it was deleted."""
        try:
            past = last_state_with(self._store, self._before, name, None).state
        except NotFound:
            return {}
        return {
            (number, stage): "back"
            for number, stage in sides.gains
            if stage in held(past, number) and held(sides.after, number) == held(past, number)
        }

    def _rolled_back(self, name: str) -> Mapping[tuple[int, str], Return]:
        if self._sides is None:
            return {}
        sides = self._sides(name)
        if isinstance(sides.before.model, ModelTombstone):
            return self._restored(name, sides)
        holds = holds_at(self._store, self._before, name) or ()
        for number, stage in sides.gains:
            plan = rolled_back(
                holds,
                sides.before,
                sides.after,
                stage=stage,
                number=number,
                settings=sides.settings,
                touched=sides.touched,
            )
            if plan is not None:
                found: dict[tuple[int, str], Return] = dict.fromkeys(sides.gains, "aside")
                return found | {(back, stage): "back" for back in plan.back}
        return {}
