"""What somebody typed into a form, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from gitreg.errors import GitregError, InvalidInput
from gitreg.render.text import safe

CSRF = "csrf"
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """Why a form was not carried out.

    Attributes:
        message: What is wrong.
        field: The field that it is about; ``""``: the form as a whole.
        hint: What would help.
        code: HTTP status.
        more: What else is wrong, each at a field of its own.
    """

    message: str
    field: str = ""
    hint: str = ""
    code: int = 400
    more: tuple[Problem, ...] = ()


class Slips(InvalidInput):
    """Several things that are wrong with a form.

    Args:
        errors: What is wrong, at least one.
    """

    def __init__(self, errors: Sequence[InvalidInput]) -> None:
        first = errors[0]
        super().__init__(first.message, where=first.where, hint=first.hint)
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The fields of a form, by name.

    Attributes:
        values: Name → what was typed into the fields so called, in their order.
        sent: Whether the form was sent; otherwise it is shown for the first time.
        problem: Why it was not carried out.
    """

    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sent: bool = False
    problem: Problem | None = None

    def one(self, name: str) -> str:
        """What stands in one field, without blanks around it."""
        return self.raw(name).strip()

    def raw(self, name: str) -> str:
        """What stands in one field, as it was typed."""
        values = self.values.get(name)
        return values[-1] if values else ""

    def many(self, name: str) -> tuple[str, ...]:
        """What stands in the fields that share a name."""
        return self.values.get(name, ())

    def ticked(self, name: str, value: str = "yes") -> bool:
        """Whether a box is ticked."""
        return value in self.many(name)

    def shown(self, name: str, present: str) -> str:
        """What a field shows: what was typed, or at first what is there."""
        return self.raw(name) if self.sent else plain(present)

    def edited(self, name: str, present: str) -> str | None:
        """A text that was changed in its field; None where it is as it was shown."""
        typed = self.raw(name)
        return None if same_text(typed, present) else typed

    def fault(self, name: str) -> Problem | None:
        """What is wrong with one field."""
        return next((each for each in self.problems if each.field == name), None)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that is wrong with it."""
        return () if self.problem is None else (self.problem, *self.problem.more)

    def refused(self, problem: Problem) -> Typed:
        """The same with what is wrong."""
        return replace(self, problem=problem)


def same_text(typed: str, present: str) -> bool:
    """Whether a field holds what it was shown with: browsers and pages write line ends and escapes anew."""
    return typed in (plain(present), as_shown(present))


def plain(text: str) -> str:
    """``text`` with one kind of line ends."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def as_shown(text: str) -> str:
    """``text`` as fields show it: what can't be seen is written as an escape."""
    return "\n".join(map(safe, plain(text).split("\n")))


def read(body: bytes, content_type: str, *, single: Collection[str], several: Collection[str]) -> Typed:
    """Read the body of a form.

    Args:
        body: As it was sent.
        content_type: Its header.
        single: The fields that stand once at most.
        several: Those that may be repeated.

    Raises:
        InvalidInput: It is no form, no UTF-8, or has fields that the page has not.
    """
    if content_type.partition(";")[0].strip().lower() != _FORM:
        raise InvalidInput("a form is sent as application/x-www-form-urlencoded", where="Content-Type")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError:
        raise InvalidInput(
            "the form can't be read", hint="load its page again, and send it from there"
        ) from None
    found: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        if name == CSRF:
            continue
        if name not in single and name not in several:
            raise InvalidInput("the form has no such field", where=as_shown(name)[:80])
        if name in single and name in found:
            raise InvalidInput("the field stands twice", where=name)
        found[name] = (*found.get(name, ()), plain(value))
    return Typed(values=found, sent=True)


def problem_of(error: GitregError, status: int, places: Mapping[str, str]) -> Problem:
    """An error of the registry as one of a form.

    Args:
        error: What was raised.
        status: HTTP status.
        places: What errors call the things that they are about → the form's field.
    """
    where = error.where or ""
    field_ = places.get(where) or places.get(where.partition(".")[0], "")
    named = f"{where}: " if where and not field_ else ""
    rest = where.partition(".")[2]
    if field_ and rest:
        named = f"{rest}: "
    rest_of = error.errors[1:] if isinstance(error, Slips) else ()
    return Problem(
        message=f"{named}{error.message}",
        field=field_,
        hint=error.hint or "",
        code=status,
        more=tuple(problem_of(each, status, places) for each in rest_of),
    )
