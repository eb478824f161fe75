"""Syntax tree → SQL in which every value is bound, and what of it could be looked up by an index."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gitreg.domain.settings import NO_STAGE
from gitreg.index.filter.compare import Comparer, positive
from gitreg.index.filter.fields import Field, Fields
from gitreg.index.filter.grammar import And, Clause, Node, Not, parse
from gitreg.index.filter.source import Source
from gitreg.index.filter.sql import FALSE, TRUE, Sql, joined

IS_PROMPT = "mlflow.prompt.is_prompt"
"""MLflow's tag of prompts: models without it count as ``'false'`` (its store does so)."""

_PRESENCE = ("IS NULL", "IS NOT NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A compiled filter.

    Attributes:
        where: True for what is wanted.
        drivers: ``SELECT`` of the rows of versions that one necessary clause leaves; any of them may
            stand in front of ``where``.
        metrics: Key of a metric that every match has → what its value (``a.value``) must fulfil.
        keys: Kind and key of each metric, param and tag that is named, in their order.
        history: Whether it asks for something that a shallow clone can't always tell.
    """

    where: Sql
    drivers: tuple[Sql, ...] = ()
    metrics: dict[str, Sql]
    keys: tuple[tuple[str, str], ...] = ()
    history: bool = False


def compile_filter(text: str, fields: Fields, *, stages: Callable[[], Sequence[str]]) -> Filter:
    """Compile a filter.

    Args:
        text: As the user gave it; ``""`` takes everything.
        fields: What it may name.
        stages: Gives the stages that exist; asked when the filter names one.

    Raises:
        InvalidFilter: With the place of the fault.
    """
    source = Source(text=text)
    tree = parse(source)
    if tree is None:
        return Filter(where=TRUE, metrics={})
    compiler = _Compiler(source, fields, stages)
    where = compiler.node(tree, negated=False)
    drivers: list[Sql] = []
    metrics: dict[str, Sql] = {}
    for clause in tree.parts if isinstance(tree, And) else (tree,):
        if isinstance(clause, Clause):
            compiler.narrow(clause, drivers, metrics)
    keys = tuple(dict.fromkeys(compiler.keys))
    return Filter(where=where, drivers=tuple(drivers), metrics=metrics, keys=keys, history=compiler.history)


def compile_clauses(clauses: Sequence[Clause], fields: Fields, *, also: Sequence[Sql] = ()) -> Filter:
    """Compile clauses that must all hold, as another grammar than ours read them.

    Args:
        clauses: The clauses; columns of their tokens mean nothing.
        fields: What they may name.
        also: What else must hold.

    Raises:
        InvalidFilter: A field, operator or value is none of ours.
    """
    compiler = _Compiler(Source(text=""), fields, list)
    drivers: list[Sql] = []
    metrics: dict[str, Sql] = {}
    parts = [compiler.clause(clause) for clause in clauses]
    for clause in clauses:
        compiler.narrow(clause, drivers, metrics)
    where = joined("AND", [*parts, *also]) if parts or also else TRUE
    return Filter(where=where, drivers=tuple(drivers), metrics=metrics, keys=tuple(compiler.keys))


class _Compiler:
    def __init__(self, source: Source, fields: Fields, stages: Callable[[], Sequence[str]]) -> None:
        self.source = source
        self.fields = fields
        self.comparer = Comparer(source=source, stages=stages)
        self.keys: list[tuple[str, str]] = []
        self.history = False

    def node(self, node: Node, *, negated: bool) -> Sql:
        """The SQL of a node or of its opposite.

        A clause about something that a version lacks is NULL, which counts as false; so NOT goes down
        to the clauses, where NULL becomes true.
        """
        if isinstance(node, Not):
            return self.node(node.part, negated=not negated)
        if isinstance(node, Clause):
            found = self.clause(node)
            return self._opposite(node, found) if negated else found
        word = "AND" if isinstance(node, And) != negated else "OR"
        return joined(word, [self.node(part, negated=negated) for part in node.parts])

    def clause(self, clause: Clause) -> Sql:
        known, key = self.fields.find(self.source, clause.field)
        self.comparer.check(clause, known)
        if key is not None and known.kind:
            self.keys.append((known.kind, key))
        self.history |= known.sure != "1"
        if clause.operator in _PRESENCE:
            return self._presence(known, key, clause.operator)
        condition = self.comparer.condition(clause, known)
        if key == IS_PROMPT and _is_plain(clause):
            prompt = self._exists(known, key, Sql(f"{known.values[0]} = 'true'"))
            return Sql(f"NOT {prompt.text}", prompt.params)
        if not known.table:
            return condition
        found = self._exists(known, key, condition)
        if known.type == "stage":
            found = self._with_none(clause, known, found)
        if known.many and positive(clause.operator) != clause.operator:
            return self._opposite(clause, found)
        return found

    def _opposite(self, clause: Clause, found: Sql) -> Sql:
        """True where ``found`` is false or NULL, unless nobody knows."""
        known, _ = self.fields.find(self.source, clause.field)
        if known.sure == "1" or clause.operator in _PRESENCE:
            return found.negated()
        return joined("AND", [Sql(known.sure), found.negated()])

    def narrow(self, clause: Clause, drivers: list[Sql], metrics: dict[str, Sql]) -> None:
        """Note what a clause that must hold says about rows that an index can find."""
        known, key = self.fields.find(self.source, clause.field)
        operator = clause.operator
        if operator in _PRESENCE or key == IS_PROMPT:
            return
        if known.kind == "metric" and key is not None:
            metrics[key] = self.comparer.condition(clause, known)
        none = known.type == "stage" and any(_is_none(token.value) for token in clause.values)
        ranged = operator != "ILIKE" and not (operator == "LIKE" and clause.values[0].value[:1] in ("%", "_"))
        if not known.driver or none or positive(operator) != operator or not ranged:
            return
        condition = self.comparer.condition(clause, known, plain=True)
        keys = () if key is None else (key,)
        only = known.only if known.table else "$v"
        text = f"SELECT {known.driver} WHERE {only} AND ({condition.text})"
        drivers.append(Sql(text, (*keys, *condition.params)))

    def _presence(self, known: Field, key: str | None, operator: str) -> Sql:
        if not known.table:
            return Sql(f"{known.values[0]} {operator}")
        found = self._exists(known, key, TRUE)
        return Sql(f"NOT {found.text}", found.params) if operator == "IS NULL" else found

    def _exists(self, known: Field, key: str | None, condition: Sql) -> Sql:
        keys = () if key is None else (key,)
        only = f" AND {known.only}" if known.only != "1" else ""
        text = f"EXISTS (SELECT 1 FROM {known.table} WHERE {known.link}{only} AND ({condition.text}))"
        return Sql(text, (*keys, *condition.params))

    def _with_none(self, clause: Clause, known: Field, found: Sql) -> Sql:
        """``stage = 'None'``: no stage is held."""
        if positive(clause.operator).endswith("LIKE") or not any(
            _is_none(one.value) for one in clause.values
        ):
            return found
        lacks = self._presence(known, None, "IS NULL")
        return joined("OR", [found if len(clause.values) > 1 else FALSE, lacks])


def _is_none(text: str) -> bool:
    return text.casefold() == NO_STAGE.casefold()


def _is_plain(clause: Clause) -> bool:
    return len(clause.values) == 1 and (clause.operator, clause.values[0].value) in (
        ("=", "false"),
        ("!=", "true"),
    )
