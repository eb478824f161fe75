"""The grammar of filters and orders, its limits, and where its messages point."""

from __future__ import annotations

import pytest

from gitreg.errors import InvalidFilter
from gitreg.index.filter.compile import compile_filter
from gitreg.index.filter.fields import MODELS, VERSIONS
from gitreg.index.filter.grammar import And, Clause, Node, Not, Or, parse
from gitreg.index.filter.order import DEFAULT, behind, compile_order
from gitreg.index.filter.source import Source

STAGES = ("Staging", "Production", "Archived")


def _told(node: Node | None) -> str:
    match node:
        case And(parts):
            return "(" + " & ".join(map(_told, parts)) + ")"
        case Or(parts):
            return "(" + " | ".join(map(_told, parts)) + ")"
        case Not(part):
            return "!" + _told(part)
        case Clause():
            values = ",".join(token.value for token in node.values)
            key = "" if node.field.key is None else f".{node.field.key}"
            return f"{node.field.value}{key} {node.operator} {values}".rstrip()
    return "-"


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", "-"),
        ("  \n ", "-"),
        ("name='x'", "name = x"),
        ("a = '1' AND b = '2' OR c = '3'", "((a = 1 & b = 2) | c = 3)"),
        ("a = '1' and (b = '2' or c = '3')", "(a = 1 & (b = 2 | c = 3))"),
        ("NOT a = '1' AND b = '2'", "(!a = 1 & b = 2)"),
        ("not not (a = '1')", "!!a = 1"),
        ("a IS NULL AND b is not null", "(a IS NULL & b IS NOT NULL)"),
        ("a not in ('x', \"y\") and b NOT LIKE 'z'", "(a NOT IN x,y & b NOT LIKE z)"),
        ('a=\'it\'\'s\' and b="say ""hi"""', '(a = it\'s & b = say "hi")'),
        (
            "tags.`my key`='x' and tags.'a.b'='x' and tags.\"c d\"='x'",
            "(tags.my key = x & tags.a.b = x & tags.c d = x)",
        ),
        ("tags.mlflow.source.name = 'x'", "tags.mlflow.source.name = x"),
        ("metrics.val/auc>=-1.5e-3", "metrics.val/auc >= -1.5e-3"),
        ("metrics.a<.5 and metrics.b<+1.", "(metrics.a < .5 & metrics.b < +1.)"),
        ("tags.größe = 'ü'", "tags.größe = ü"),
    ],
)
def test_trees(text: str, tree: str) -> None:
    assert _told(parse(Source(text=text))) == tree


@pytest.mark.parametrize(
    ("text", "column", "message", "hint"),
    [
        ("name = 'x' AND metric.auc > 0.9", 16, '"metric.auc" is not a field', 'did you mean "metrics.auc"?'),
        ("nmae = 'x'", 1, '"nmae" is not a field', 'did you mean "name"?'),
        ("zzz = 'x'", 1, '"zzz" is not a field', "fields: name, version, stage"),
        ("metrics > 1", 1, '"metrics" is not a field', "metrics takes a key: metrics.KEY"),
        ("name.x = 'y'", 1, '"name.x" is not a field', 'did you mean "name"?'),
        ("stage = 'Prodction'", 9, "'Prodction' is not a stage of this registry", 'did you mean "Production"?'),
        ("stage IN ('None', 'x')", 19, "'x' is not a stage of this registry", "there are: Staging, Production"),
        ("status = 'REDY'", 10, "'REDY' is not a status", 'did you mean "READY"?'),
        ("name = churn", 8, "a value is missing here", "put texts into quotes: 'churn'"),
        ("name =", 7, "a value is missing here", "'a text' or a number"),
        ("name", 5, "a comparison is missing behind name", "=, !="),
        ("name == 'x'", 6, "== compares nothing", 'did you mean "="?'),
        ("name <> 'x'", 6, "<> compares nothing", 'did you mean "!="?'),
        ("name IN 'x'", 9, "a list in parentheses is missing behind IN", ""),
        ("name IN ()", 10, "a value is missing here", ""),
        ("name IN ('x'", 13, "the list is never closed", ""),
        ("name IS x", 9, "NULL or NOT NULL is missing behind IS", ""),
        ("name NOT = 'x'", 10, "a comparison is missing behind name", ""),
        ("name = 'x", 8, "the quote ' is never closed", "written twice: ''"),
        ("name = 'x' OR 1=1; DROP", 15, "a field is missing before 1", "for instance"),
        ("name = 'x'; DROP", 11, "';' has no meaning here", "semicolon"),
        ("name = 'x' name = 'y'", 12, "the filter should end here", "AND or OR"),
        ("(name = 'x'", 1, "this ( is never closed", ""),
        ("name = 'x')", 11, "there is no ( for this )", ""),
        ("AND name = 'x'", 1, "a field is missing before AND", ""),
        ("name = 'x' AND", 15, "a field is missing here", ""),
        ("tags. = 'x'", 5, "a key is missing behind tags.", ""),
        ("`name` = 'x'", 1, "no field begins with a backtick", ""),
        ("name > 'x'", 6, "name is a text: it can't be compared with >", "name takes =, !=, LIKE"),
        ("name = 3", 8, "name is a text", "put it into quotes: '3'"),
        ("version LIKE '1%'", 9, "version is a whole number: it can't be compared with LIKE", "version takes ="),
        ("version = 1.5", 11, "1.5 is not a whole number", ""),
        ("version = 'one'", 11, "'one' is not a whole number", ""),
        ("metrics.auc = 'NaN'", 15, "'NaN' is not a number", "IS NOT NULL finds it"),
        ("created > '2026-13-01'", 11, "'2026-13-01' is no time", "'2026-01-15'"),
        ("created > '01/02/2026'", 11, "'01/02/2026' is no time", "'2026-01-15'"),
        ("created > 1.5", 11, "1.5 is no time", ""),
        ("created IN ('2026-01-01')", 9, "created is a time: it can't be compared with IN", ""),
        ("deprecated = 'x'", 12, "deprecated is there or not: it can't be compared with =", "deprecated IS NULL or"),
        ("name LIKE 3", 11, "LIKE takes a text", ""),
        ("name LIKE '" + "a" * 1001 + "'", 11, "the pattern has 1,001 characters: 1,000 are allowed", ""),
        ("(" * 21 + "name = 'x'", 21, "this is nested more than 20 deep", ""),
        ("x" * 20_001, 20_001, "the filter has 20,001 characters: 20,000 are allowed", ""),
        (" or ".join(["name='x'"] * 201), 2401, "there are more than 200 clauses", "IN (…)"),
        ("version IN (" + ",".join("1" * 5001) + ")", 10_013, "there are more than 5,000 values", ""),
        ("name = '\udc80'", 9, "this is not UTF-8", ""),
    ],
)  # fmt: skip
def test_faults(text: str, column: int, message: str, hint: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_filter(text, VERSIONS, stages=lambda: STAGES)
    error = caught.value
    assert error.message == message
    assert hint in error.hint
    assert (error.where, error.at + 1, error.text) == (f"filter, column {column}", column, text)


def test_models_have_fields_of_their_own() -> None:
    compile_filter("name LIKE 'a%' AND tags.x = 'y' AND owner = 'ada'", MODELS, stages=lambda: STAGES)
    with pytest.raises(InvalidFilter, match='"run_id" is not a field'):
        compile_filter("run_id = 'x'", MODELS, stages=lambda: STAGES)


def test_nothing_that_is_asked_for_gets_into_the_sql() -> None:
    text = (
        "name = 'zq1' AND tags.zq2 LIKE 'zq3%' AND metrics.zq4 > 77771 AND params.`zq5` IN ('zq6', 'zq7') "
        "AND stage != 'staging' AND created > 1234567 AND version = 88882 AND NOT author ILIKE 'zq8'"
    )
    made = compile_filter(text, VERSIONS, stages=lambda: STAGES)
    order = compile_order(["metrics.zq9 DESC"], VERSIONS)
    place = ("zq", "zq", 1)
    pieces = [made.where, *made.drivers, *made.metrics.values(), *behind(order, place)]
    written = " ".join([*(piece.text for piece in pieces), *(key.text + key.join for key in order)])
    for part in ("zq", "77771", "1234567", "88882", "taging"):
        assert part not in written
    for piece in pieces:
        assert piece.text.count("?") == len(piece.params), piece
    assert {"zq1", "zq4", 77771, "Staging"} <= set(made.where.params)


def test_orders() -> None:
    keys = compile_order(["metrics.auc DESC, name", "timestamp asc"], VERSIONS)
    assert [(key.name, key.descending) for key in keys] == [
        ("metric.auc", True),
        ("v.name", False),
        ("v.updated", False),
        ("v.number", True),
    ]
    assert compile_order([], VERSIONS) == DEFAULT
    assert [key.name for key in compile_order([], MODELS)] == ["m.name"]


@pytest.mark.parametrize(
    ("text", "column", "message"),
    [
        ("", 1, "a field is missing here"),
        ("name,", 6, "a field is missing here"),
        ("name DOWN", 6, "the key should end here"),
        ("stage", 1, "nothing is ordered by stage"),
        ("nmae", 1, '"nmae" is not a field'),
        ("updated, timestamp DESC", 10, "timestamp is in the order twice"),
        (", ".join(f"metrics.k{n}" for n in range(11)), 121, "an order has at most 10 keys"),
    ],
)
def test_faults_of_orders(text: str, column: int, message: str) -> None:
    with pytest.raises(InvalidFilter) as caught:
        compile_order([text], VERSIONS)
    assert (caught.value.message, caught.value.where) == (message, f"order, column {column}")
