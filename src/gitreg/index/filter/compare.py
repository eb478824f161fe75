"""One comparison → SQL: which operators a field takes, and what the values become."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from gitreg.domain.model import STATUSES
from gitreg.domain.references import PREFIX
from gitreg.domain.settings import NO_STAGE, did_you_mean
from gitreg.index.filter.fields import Field, Type
from gitreg.index.filter.grammar import COMPARISONS, Clause
from gitreg.index.filter.source import Source, Token
from gitreg.index.filter.sql import Sql, joined

MAX_PATTERN = 1_000

_TEXTS = ("=", "!=", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "IN", "NOT IN")
_NUMBERS = (*COMPARISONS, "IN", "NOT IN")
_NULLS = ("IS NULL", "IS NOT NULL")
_OPERATORS: dict[Type, tuple[str, ...]] = {
    "text": _TEXTS,
    "number": _NUMBERS,
    "whole": _NUMBERS,
    "time": COMPARISONS,
    "stage": _TEXTS,
    "status": _TEXTS,
    "uri": _TEXTS,
    "mark": (),
}
_WHAT: dict[Type, str] = {"number": "a number", "whole": "a whole number", "time": "a time"}
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:[Zz]|[+-]\d\d:?\d\d)?)?")
_DIGITS = re.compile(r"-?\d{1,19}")
_DAY = 86_400_000  # milliseconds
_MOST = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparer:
    """Makes SQL of clauses.

    Args:
        source: The filter, for messages.
        stages: Asked once for the stages that exist, when a clause names one.
    """

    source: Source
    stages: Callable[[], Sequence[str]]
    _known: list[Sequence[str]] = field(default_factory=list)

    def check(self, clause: Clause, known: Field) -> None:
        """See that ``known`` can be compared as the clause does it.

        Raises:
            InvalidFilter: It can't; the hint says how it can.
        """
        operators = _OPERATORS[known.type]
        if clause.operator in operators or clause.operator in _NULLS:
            return
        name = clause.field.text
        listed = ", ".join([*(one for one in operators if not one.startswith("NOT ")), "IS NULL"])
        what = _WHAT.get(known.type, "a text" if operators else "there or not")
        raise self.source.fault(
            f"{name} is {what}: it can't be compared with {clause.operator}",
            clause.sign.at,
            len(clause.sign.text),
            f"{name} takes {listed}" if operators else f"{name} IS NULL or {name} IS NOT NULL",
        )

    def condition(self, clause: Clause, known: Field, *, plain: bool = False) -> Sql:
        """SQL that is true where a value of ``known`` fits; never for a negative operator of a ``many``.

        Args:
            clause: What is asked.
            known: Its field.
            plain: Let SQLite take an index over a column.
        """
        operator = clause.operator
        if known.many:
            operator = positive(operator)
        columns = [column.removeprefix("+") if plain else column for column in known.values]
        return joined("OR", [self._one(clause, known, operator, column) for column in columns])

    def _one(self, clause: Clause, known: Field, operator: str, column: str) -> Sql:
        if operator.endswith("LIKE"):
            (token,) = clause.values
            pattern = self._pattern(token)
            found = (_ilike if operator.endswith("ILIKE") else _like)(column, pattern)
            return Sql(f"NOT ({found.text})", found.params) if operator.startswith("NOT ") else found
        if known.type == "time":
            return self._time(column, operator, clause.values[0])
        values = [value for token in clause.values for value in self._values(token, known, clause)]
        if operator in ("=", "!=") and len(values) > 1:
            operator = "IN" if operator == "=" else "NOT IN"
        if operator.endswith("IN"):
            found = Sql(f"{column} {operator} ({', '.join('?' * len(values))})", tuple(values))
        else:
            found = Sql(f"{column} {operator} ?", tuple(values))
        # NaN is the text 'NaN', which SQLite sorts behind every number.
        return Sql(f"{found.text} AND {column} < ''", found.params) if known.type == "number" else found

    def _values(self, token: Token, known: Field, clause: Clause) -> Sequence[object]:
        if known.type in ("number", "whole"):
            return [self._number(token, whole=known.type == "whole")]
        if token.kind == "number":
            hint = f"put it into quotes: '{token.text}'"
            raise self.source.fault(f"{clause.field.text} is a text", token.at, len(token.text), hint)
        if known.type == "stage":
            return [self._stage(token)]
        if known.type == "status":
            return [self._chosen(token, STATUSES, "a status")]
        if known.type == "uri":
            bare = token.value.removeprefix(PREFIX)
            return [bare, PREFIX + bare]
        return [token.value]

    def _stage(self, token: Token) -> str:
        if token.value.casefold() == NO_STAGE.casefold():
            return NO_STAGE
        if not self._known:
            self._known.append(self.stages())
        return self._chosen(token, self._known[0], "a stage of this registry")

    def _chosen(self, token: Token, known: Sequence[str], what: str) -> str:
        for name in known:
            if name.casefold() == token.value.casefold():
                return name
        hint = did_you_mean(token.value, list(known)) or f"there are: {', '.join(known)}"
        raise self.source.fault(f"{token.text} is not {what}", token.at, len(token.text), hint)

    def _number(self, token: Token, *, whole: bool) -> int | float:
        try:
            number = float(token.value)
            if _DIGITS.fullmatch(token.value.strip()) and abs(int(token.value)) < _MOST:
                return int(token.value)
        except ValueError:
            number = None
        if number is not None and number == number and (not whole or abs(number) >= _MOST):  # noqa: PLR0124 (NaN)
            return number
        what = "a whole number" if whole else "a number"
        hint = "NaN fits no comparison; IS NOT NULL finds it" if number is not None and not whole else ""
        raise self.source.fault(f"{token.text} is not {what}", token.at, len(token.text), hint)

    def _pattern(self, token: Token) -> str:
        if token.kind != "text":
            raise self.source.fault(
                "LIKE takes a text", token.at, len(token.text), f"put it into quotes: '{token.text}%'"
            )
        if len(token.value) > MAX_PATTERN:
            message = f"the pattern has {len(token.value):,} characters: {MAX_PATTERN:,} are allowed"
            raise self.source.fault(message, token.at, len(token.text))
        return re.sub("%+", "%", token.value)

    def _time(self, column: str, operator: str, token: Token) -> Sql:
        first, last = self._span(token)
        if operator in ("=", "!="):
            sign = "NOT " if operator == "!=" else ""
            return Sql(f"{column} {sign}BETWEEN ? AND ?", (first, last))
        return Sql(f"{column} {operator} ?", (first if operator in ("<", ">=") else last,))

    def _span(self, token: Token) -> tuple[int, int]:
        """The first and last millisecond that a time means: of a whole day, where it is one."""
        text = token.value.strip()
        if _DIGITS.fullmatch(text) and (token.kind == "number" or len(text) > 4):
            number = max(min(int(text), _MOST - 1), -_MOST)
            return number, number
        try:
            if not _DATE.fullmatch(text):
                raise ValueError
            moment = datetime.fromisoformat(text.upper())
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            first = _milliseconds(moment)
            return first, first + (_DAY - 1 if len(text) == 10 else 0)
        except (ValueError, OverflowError):
            hint = "'2026-01-15', '2026-01-15T10:30:00+01:00' or milliseconds since 1970"
            raise self.source.fault(f"{token.text} is no time", token.at, len(token.text), hint) from None


def positive(operator: str) -> str:
    """The operator that ``operator`` is the opposite of, or ``operator`` itself."""
    return "=" if operator == "!=" else operator.removeprefix("NOT ")


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _like(column: str, pattern: str) -> Sql:
    """Case counts, as MLflow sets SQLite up; GLOB is SQLite's match in which it does."""
    glob = re.sub(r"[*?\[]", lambda match: f"[{match[0]}]", pattern).replace("%", "*").replace("_", "?")
    found = Sql(f"{column} GLOB ?", (glob,))
    literal = re.split("[%_]", pattern, maxsplit=1)[0]
    if not literal:
        return found
    if literal == pattern:
        return Sql(f"{column} = ?", (pattern,))
    behind = _behind(literal)
    if behind is None:
        return Sql(f"{found.text} AND {column} >= ?", (glob, literal))
    return Sql(f"{found.text} AND {column} >= ? AND {column} < ?", (glob, literal, behind))


def _ilike(column: str, pattern: str) -> Sql:
    return Sql(f"{column} LIKE ?", (pattern,))


def _behind(literal: str) -> str | None:
    """The least text that sorts behind every one that begins with ``literal``; None: there is none."""
    last = ord(literal[-1]) + 1
    if last > 0x10FFFF:
        return None
    return literal[:-1] + chr(0xE000 if 0xD800 <= last <= 0xDFFF else last)
