"""The order of a search, and what comes after a place in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gitreg.index.filter.fields import VERSIONS, Field, Fields
from gitreg.index.filter.grammar import field_of
from gitreg.index.filter.source import Source, Token, tokens
from gitreg.index.filter.sql import FALSE, Sql, joined

MAX_KEYS = 10
Place = tuple[str | int | float | None, ...]
"""The values of the keys of an order for one row."""

_EXAMPLE = "metrics.auc DESC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of an order.

    Attributes:
        name: What it orders by; equal for two names of the same thing.
        value: SQL of the value.
        descending: Whether the greatest comes first.
        join: ``LEFT JOIN`` that ``value`` needs; ``""`` for a column.
        attribute: Kind and key of an attribute: rows without it come last, whatever the direction.
    """

    name: str
    value: str
    descending: bool = False
    join: str = ""
    attribute: tuple[str, str] | None = None
    nullable: bool = False

    @property
    def text(self) -> str:
        """SQL for ``ORDER BY``."""
        direction = " DESC" if self.descending else ""
        return f"{self.value}{direction} NULLS LAST" if self.nullable else f"{self.value}{direction}"

    def after(self, value: object) -> Sql:
        """True for what comes behind ``value`` by this key."""
        if value is None:
            return FALSE  # nothing comes behind those that lack it
        found = Sql(f"{self.value} {'<' if self.descending else '>'} ?", (value,))
        return Sql(f"{found.text} OR {self.value} IS NULL", found.params) if self.nullable else found

    def equal(self, value: object) -> Sql:
        """True for what has the same value."""
        return Sql(f"{self.value} IS NULL") if value is None else Sql(f"{self.value} = ?", (value,))


_NAME = Key(name="v.name", value="v.name")
_NUMBER = Key(name="v.number", value="v.number", descending=True)
DEFAULT = (Key(name="v.updated", value="v.updated", descending=True), _NAME, _NUMBER)
"""MLflow's default order of versions."""
MODEL_DEFAULT = (Key(name="m.name", value="m.name"),)
"""MLflow's default order of models."""


def compile_order(texts: Sequence[str], fields: Fields) -> tuple[Key, ...]:
    """Compile an order; keys that make it total are added.

    Args:
        texts: Such as ``metrics.auc DESC``; commas may stand between several.
        fields: What it may name.

    Raises:
        InvalidFilter: With the place of the fault.
    """
    tail: tuple[Key, ...] = (_NAME, _NUMBER) if fields is VERSIONS else MODEL_DEFAULT
    found: list[Key] = []
    for text in texts:
        for key in _keys(Source(text=text, label="order"), fields, found):
            found.append(key)
    if not found:
        return DEFAULT if fields is VERSIONS else MODEL_DEFAULT
    named = {key.name for key in found}
    return (*found, *(key for key in tail if key.name not in named))


def behind(keys: Sequence[Key], place: Place) -> list[Sql]:
    """The stretches of the order behind ``place``, in their order; together they are all that follows."""
    stretches = []
    for count in reversed(range(len(keys))):
        after = keys[count].after(place[count])
        if after is not FALSE:
            same = [key.equal(value) for key, value in zip(keys[:count], place[:count], strict=True)]
            stretches.append(joined("AND", [*same, after]))
    return stretches


def _keys(source: Source, fields: Fields, before: list[Key]) -> Iterable[Key]:
    rest = tokens(source)
    seen = [key.name for key in before]
    while True:
        token = field_of(source, next(rest), _EXAMPLE)
        known, attribute = fields.find(source, token)
        separator = next(rest)
        descending = separator.says("DESC")
        if separator.says("ASC", "DESC"):
            separator = next(rest)
        key = _key(source, token, known, attribute, len(seen), descending=descending)
        if key.name in seen:
            raise source.fault(f"{token.text} is in the order twice", token.at, len(token.text))
        if len(seen) >= MAX_KEYS:
            raise source.fault(f"an order has at most {MAX_KEYS} keys", token.at, len(token.text))
        seen.append(key.name)
        yield key
        if separator.kind == "end":
            return
        if not separator.says(","):
            hint = f"ASC, DESC, or a comma and the next key: {_EXAMPLE}, name"
            raise source.fault("the key should end here", separator.at, len(separator.text), hint)


def _key(
    source: Source, token: Token, known: Field, attribute: str | None, place: int, *, descending: bool
) -> Key:
    if attribute is not None and known.table == "attribute a":
        alias = f"o{place}"
        number = f" AND {alias}.value < ''" if known.type == "number" else ""  # NaN is a text
        join = (
            f"LEFT JOIN attribute {alias} ON {alias}.row = v.row AND {alias}.kind = '{known.kind}' "
            f"AND {alias}.key = ?{number}"
        )
        return Key(
            name=f"{known.kind}.{attribute}",
            value=f"{alias}.value",
            descending=descending,
            join=join,
            attribute=(known.kind, attribute),
            nullable=True,
        )
    if not known.order:
        hint = "name, version, created, updated, metrics.KEY, params.KEY"
        raise source.fault(f"nothing is ordered by {token.text}", token.at, len(token.text), hint)
    nullable = known.order == "v.run_id"
    return Key(name=known.order, value=known.order, descending=descending, nullable=nullable)
