"""Tokens → syntax tree.

::

    filter  = either
    either  = both { OR both }
    both    = single { AND single }
    single  = NOT single | "(" either ")" | clause
    clause  = field sign value | field [NOT] (LIKE | ILIKE) text
            | field [NOT] IN "(" value { "," value } [ "," ] ")" | field IS [NOT] NULL

MLflow's grammar (its search syntax) is the part with AND alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitreg.index.filter.source import Source, Token, tokens

MAX_DEPTH = 20
MAX_CLAUSES = 200
MAX_VALUES = 5_000

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_OTHER_SIGNS = {"==": "=", "<>": "!="}
_WORDS = ("AND", "OR", "NOT", "IN", "LIKE", "ILIKE", "IS", "NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One comparison.

    Attributes:
        field: The token that names the field.
        operator: A sign of ``COMPARISONS``, ``LIKE``, ``ILIKE``, ``IN``, each also after ``NOT ``,
            ``IS NULL`` or ``IS NOT NULL``.
        sign: The token that the operator begins with.
        values: The tokens of texts and numbers that it is compared with.
    """

    field: Token
    operator: str
    sign: Token
    values: tuple[Token, ...] = ()


@dataclass(frozen=True, slots=True)
class And:
    """All of ``parts``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of ``parts``."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite of ``part``."""

    part: Node


Node = Clause | And | Or | Not


def parse(source: Source) -> Node | None:
    """The tree of a filter; None for an empty one.

    Raises:
        InvalidFilter: It does not follow the grammar, or is beyond its limits.
    """
    parser = _Parser(source, tokens(source))
    return None if parser.next.kind == "end" else parser.filter()


def field_of(source: Source, token: Token, example: str) -> Token:
    """``token`` when it can name a field.

    Raises:
        InvalidFilter: It can't.
    """
    if token.kind == "word" and not (token.key is None and token.text.upper() in _WORDS):
        return token
    said = f"a field is missing before {token.text}" if token.kind != "end" else "a field is missing here"
    raise source.fault(said, token.at, len(token.text), f"for instance {example}")


class _Parser:
    def __init__(self, source: Source, found: Iterator[Token]) -> None:
        self.source = source
        self.rest = found
        self.next = next(found)
        self.depth = 0
        self.clauses = 0
        self.values = 0

    def take(self) -> Token:
        token = self.next
        self.next = next(self.rest, token)  # behind the end is the end
        return token

    def taken(self, *words: str) -> bool:
        if self.next.says(*words):
            self.take()
            return True
        return False

    def filter(self) -> Node:
        found = self.either()
        rest = self.next
        if rest.kind == "end":
            return found
        if rest.says(")"):
            raise self.source.fault("there is no ( for this )", rest.at)
        hint = "clauses are joined by AND or OR"
        raise self.source.fault("the filter should end here", rest.at, len(rest.text), hint)

    def either(self) -> Node:
        parts = self._joined(self.both, "OR")
        return parts[0] if len(parts) == 1 else Or(parts)

    def both(self) -> Node:
        parts = self._joined(self.single, "AND")
        return parts[0] if len(parts) == 1 else And(parts)

    def _joined(self, part: Callable[[], Node], word: str) -> tuple[Node, ...]:
        parts = [part()]
        while self.taken(word):
            parts.append(part())
        return tuple(parts)

    def single(self) -> Node:
        begin = self.next
        if not begin.says("(", "NOT"):
            return self.clause()
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.source.fault(f"this is nested more than {MAX_DEPTH} deep", begin.at)
        self.take()
        if begin.says("NOT"):
            found: Node = Not(self.single())
        else:
            found = self.either()
            if not self.taken(")"):
                raise self.source.fault("this ( is never closed", begin.at)
        self.depth -= 1
        return found

    def clause(self) -> Clause:
        field = field_of(self.source, self.next, "name = 'churn' AND metrics.auc > 0.9")
        self.take()
        self.clauses += 1
        if self.clauses > MAX_CLAUSES:
            raise self.source.fault(
                f"there are more than {MAX_CLAUSES} clauses", field.at, len(field.text), "IN (…) takes a list"
            )
        sign = self.take()
        if sign.says("IS"):
            negated = self.taken("NOT")
            self._demand("NULL", "NULL or NOT NULL is missing behind IS")
            return Clause(field=field, operator="IS NOT NULL" if negated else "IS NULL", sign=sign)
        negated = sign.says("NOT")
        word = self.take() if negated else sign
        if word.says("IN"):
            values = self._list()
        elif word.says("LIKE", "ILIKE") or (not negated and word.says(*COMPARISONS)):
            if self.next.says("NULL"):
                raise self._null(field, word, negated=negated)
            values = (self._value(),)
        else:
            raise self._no_operator(field, word)
        operator = ("NOT " if negated else "") + word.text.upper()
        return Clause(field=field, operator=operator, sign=sign, values=values)

    def _null(self, field: Token, operator: Token, *, negated: bool) -> Exception:
        hint = f"{field.text} IS NOT NULL" if negated or operator.says("!=") else f"{field.text} IS NULL"
        return self.source.fault("nothing compares with NULL", self.next.at, len(self.next.text), hint)

    def _no_operator(self, field: Token, found: Token) -> Exception:
        known = _OTHER_SIGNS.get(found.text)
        hint = (
            f'did you mean "{known}"?' if known else f"{', '.join(COMPARISONS)}, LIKE, ILIKE, IN or IS NULL"
        )
        said = f"a comparison is missing behind {field.text}"
        return self.source.fault(
            f"{found.text} compares nothing" if known else said, found.at, len(found.text), hint
        )

    def _list(self) -> tuple[Token, ...]:
        self._demand("(", "a list in parentheses is missing behind IN")
        values = [self._value()]
        while self.taken(",") and not self.next.says(")"):  # Python writes a tuple of one as ('x',)
            values.append(self._value())
        self._demand(")", "the list is never closed")
        return tuple(values)

    def _value(self) -> Token:
        token = self.next
        if token.kind not in ("text", "number"):
            hint = (
                f"put texts into quotes: '{token.text}'" if token.kind == "word" else "'a text' or a number"
            )
            raise self.source.fault("a value is missing here", token.at, len(token.text), hint)
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.source.fault(f"there are more than {MAX_VALUES:,} values", token.at, len(token.text))
        return self.take()

    def _demand(self, word: str, otherwise: str) -> None:
        if not self.taken(word):
            raise self.source.fault(otherwise, self.next.at, len(self.next.text))
