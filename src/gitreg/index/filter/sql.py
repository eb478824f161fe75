"""Pieces of SQL with what their question marks are bound to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Sql(NamedTuple):
    """A piece of SQL; no part of ``text`` ever comes from outside."""

    text: str
    params: tuple[object, ...] = ()

    def negated(self) -> Sql:
        """True where this is false or NULL."""
        return Sql(f"({self.text}) IS NOT TRUE", self.params)


TRUE = Sql("1")
FALSE = Sql("0")


def joined(word: str, parts: Iterable[Sql]) -> Sql:
    """``(a AND b AND c)``; one part stands alone."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    text = f" {word} ".join(f"({part.text})" for part in found)
    return Sql(text, tuple(param for part in found for param in part.params))
