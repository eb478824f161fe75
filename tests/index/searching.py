"""Random registries and random filters, and an evaluator that reads decoded values one by one."""

from __future__ import annotations

import math
import os
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gitreg.domain.model import Artifact, Code, Dataset, ModelVersion, Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import Settings
from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store

BEGIN = datetime(2026, 1, 14, 22, 0, tzinfo=UTC)
NAMES = ("churn", "Churn-2", "100%_[a]*", "naïve?")
PEOPLE = (Person(name="Ada Lovelace", email="ada@x.org"), Person(name="bob", email="BOB@x.org"))
TEXTS = ("growth", "Growth", "100%", "a_b", "axb", "it's", 'say "hi"', "[a]*", "ünïcode", "", "3")
KEYS = ("team", "my key", "x`y", "val/auc")
METRICS = ("auc", "val/auc", "n")
NUMBERS = (0.5, 0.91, 0.9100000001, 1, 3, -2.5, math.nan, math.inf, -math.inf)
STAGES = ("Staging", "Production", "Archived")


@dataclass(frozen=True)
class Row:
    """A version with what is not in its manifest."""

    version: ModelVersion
    aliases: tuple[str, ...]
    author: Person


@dataclass
class World:
    """A registry, the commits to look at, and who registered what."""

    registry: Registry
    commits: list[str]
    authors: dict[tuple[str, int], Person]

    def rows(self, commit: str) -> list[Row]:
        """What the trees of a commit hold."""
        view = self.registry.store.view(commit)
        return [
            Row(version, view.aliases(version), self.authors[version.name, version.version])
            for state in view.models()
            for version in state.newest_first()
        ]


def make_world(folder: Path, seed: int, steps: int) -> World:
    """A registry of ``steps`` random commits; its clock goes on by hours."""
    create(folder, settings=Settings(), branch=None, env=os.environ, now=BEGIN)
    r = random.Random(seed)
    time = [BEGIN]

    def clock() -> datetime:
        time[0] += timedelta(minutes=r.choice((0, 17, 240)), milliseconds=r.randrange(1000))
        return time[0]

    store = Store(Repository.discover(folder))
    world = World(Registry(store, clock=clock), [], {})
    for _ in range(steps):
        author = r.choice(PEOPLE)
        with_author = Registry(store, author=author, clock=clock)
        _step(world, with_author, author, r)
        world.commits.append(store.head())
    return world


def _step(world: World, registry: Registry, author: Person, r: random.Random) -> None:
    live = sorted((v.name, v.version) for state in registry.at().models() for v in state.newest_first())
    if len(live) < 4 or r.random() < 0.5:
        made = registry.apply(_registration(r))
        for change in made.changes:
            if change.event == "register" and change.version:
                world.authors[change.model, change.version] = author
        return
    name, number = r.choice(live)
    uri = f"models:/{name}/{number}"
    match r.randrange(8):
        case 0:
            registry.transition(uri, r.choice(STAGES))
        case 1:
            registry.assign(uri, r.choice(STAGES))
        case 2:
            registry.alias(uri, r.choice(("champion", "best")))
        case 3:
            registry.tag(uri, {r.choice(KEYS): r.choice(TEXTS)})
        case 4:
            registry.update(uri, description=r.choice(TEXTS))
        case 5:
            registry.deprecate(uri, reason="old")
        case 6 if r.random() < 0.3:
            registry.delete(uri)
        case _:
            registry.untag(uri, r.choice(KEYS))


def _registration(r: random.Random) -> Register:
    def some(keys: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
        return {key: r.choice(values) for key in keys if r.random() < 0.6}

    origin = Origin(
        source=f"s3://b/{r.randrange(4)}",
        run_id=r.choice((None, "r1", "r2")),
        experiment=r.choice((None, "tuning", "Tuning")),
        metrics=some(METRICS, NUMBERS),
        params=some(KEYS, TEXTS),
        datasets=tuple(
            Dataset(name=name, uri=r.choice((None, "s3://d/telco")))
            for name in r.sample(("telco", "d2"), r.randrange(3))
        ),
        code=r.choice((None, Code(repository="g", commit="1a2b3c"), Code(commit="1a2fff"))),
        parents=r.choice(((), ("models:/churn/1",), ("models:/churn/1", "models:/up/2"))),
        artifact=r.choice(
            (None, Artifact(digest="sha256:" + "0" * 64, flavors=some(("sklearn", "onnx"), ("1.5",))))
        ),
    )
    return Register(
        name=r.choice(NAMES),
        origin=origin,
        tags=some(KEYS, TEXTS),
        description=r.choice(("", "First try", "ünï")),
        status=r.choice(("READY", "READY", "PENDING_REGISTRATION")),
    )


# The fields as plain Python. Texts → what a version has of them; one value, or several.

ONE: dict[str, Callable[[Row], str | None]] = {
    "name": lambda row: row.version.name,
    "run_id": lambda row: row.version.run_id,
    "source": lambda row: row.version.source,
    "source_path": lambda row: row.version.source,
    "status": lambda row: row.version.status,
    "description": lambda row: row.version.description or None,
    "experiment": lambda row: row.version.origin.experiment,
    "commit": lambda row: row.version.origin.code.commit if row.version.origin.code else None,
    "repository": lambda row: row.version.origin.code.repository if row.version.origin.code else None,
    "digest": lambda row: row.version.origin.artifact.digest if row.version.origin.artifact else None,
}
MANY: dict[str, Callable[[Row], list[str]]] = {
    "stage": lambda row: list(row.version.stages) or ["None"],
    "alias": lambda row: list(row.aliases),
    "author": lambda row: [row.author.name, row.author.email],
    "flavor": lambda row: list(row.version.origin.artifact.flavors) if row.version.origin.artifact else [],
    "dataset": lambda row: [text for d in row.version.origin.datasets for text in (d.name, d.uri) if text],
    "dataset.name": lambda row: [d.name for d in row.version.origin.datasets],
    "parent": lambda row: list(row.version.origin.parents),
}
TIMES: dict[str, Callable[[Row], datetime]] = {
    "created": lambda row: row.version.created,
    "creation_timestamp": lambda row: row.version.created,
    "updated": lambda row: row.version.updated,
    "last_updated_timestamp": lambda row: row.version.updated,
}
KEYED: dict[str, Callable[[Row], Any]] = {
    "tags": lambda row: row.version.tags,
    "tag": lambda row: row.version.tags,
    "params": lambda row: row.version.params,
    "metrics": lambda row: row.version.metrics,
}

Tree = tuple[Any, ...]
"""``("and", a, b …)``, ``("or", …)``, ``("not", a)`` or ``("clause", field, key, operator, values)``."""


def random_tree(r: random.Random, depth: int = 3) -> Tree:
    """A filter as data."""
    if depth and r.random() < 0.6:
        kind = r.choice(("and", "and", "or", "not"))
        return (kind, *(random_tree(r, depth - 1) for _ in range(1 if kind == "not" else r.randint(2, 3))))
    field = r.choice((*ONE, *MANY, *TIMES, "version_number", *(k for k in KEYED for _ in range(4))))
    key = r.choice(METRICS) if field == "metrics" else r.choice(KEYS) if field in KEYED else None
    if r.random() < 0.12 and field != "author":
        return ("clause", field, key, r.choice(("IS NULL", "IS NOT NULL")), ())
    if field in ("metrics", "version_number"):
        values = tuple(
            r.choice([n for n in NUMBERS if math.isfinite(n)] if field == "metrics" else [1, 2, 3, 5])
            for _ in range(r.randint(1, 3))
        )
        operator = r.choice(("=", "!=", "<", "<=", ">", ">=", "IN", "NOT IN"))
    elif field in TIMES:
        hours = r.randrange(200)
        day = (BEGIN + timedelta(hours=hours)).date().isoformat()
        values = (r.choice((day, day, (BEGIN + timedelta(hours=hours)).isoformat(timespec="milliseconds"))),)
        operator = r.choice(("=", "!=", "<", "<=", ">", ">="))
    else:
        operator = r.choice(("=", "!=", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE", "IN", "NOT IN"))
        values = tuple(_text(r, field, pattern="LIKE" in operator) for _ in range(r.randint(1, 3)))
    return ("clause", field, key, operator, values if operator.endswith("IN") else values[:1])


def _text(r: random.Random, field: str, *, pattern: bool) -> str:
    known = {
        "name": NAMES,
        "run_id": ("r1", "r2", "R1"),
        "source": ("s3://b/1", "s3://b/3"),
        "source_path": ("s3://b/1",),
        "status": ("READY", "PENDING_REGISTRATION"),
        "experiment": ("tuning",),
        "commit": ("1a2b3c",),
        "repository": ("g",),
        "stage": (*STAGES, "None"),
        "alias": ("champion", "best"),
        "author": ("Ada Lovelace", "bob", "BOB@x.org"),
        "flavor": ("sklearn", "onnx"),
        "dataset": ("telco", "s3://d/telco", "d2"),
        "dataset.name": ("telco", "d2"),
        "parent": ("models:/churn/1", "models:/up/2"),
    }.get(field, TEXTS)
    text = r.choice(known)
    if not pattern:
        return text
    at = r.randrange(len(text) + 1)
    return r.choice(
        (text, text[:at] + "%", "%" + text[at:], text[:at] + "_" + text[at + 1 :], text.upper(), "%")
    )


def written(tree: Tree, r: random.Random) -> str:
    """The filter as a person could write it."""
    kind, *rest = tree
    if kind == "not":
        return f"NOT ({written(rest[0], r)})"
    if kind in ("and", "or"):
        word = r.choice((kind, kind.upper()))
        return f" {word} ".join(f"({written(part, r)})" for part in rest)
    field, key, operator, values = rest
    name = field if key is None else f"{field}.{_quoted_key(key, r)}"
    said = operator if r.random() < 0.7 else operator.lower()
    if not values:
        return f"{name} {said}"
    texts = [_quoted(value, r) if isinstance(value, str) else repr(value) for value in values]
    return f"{name} {said} ({', '.join(texts)})" if operator.endswith("IN") else f"{name} {said} {texts[0]}"


def _quoted(text: str, r: random.Random) -> str:
    mark = r.choice("'\"")
    return mark + text.replace(mark, mark * 2) + mark


def _quoted_key(key: str, r: random.Random) -> str:
    if re.fullmatch(r"\w+", key) and r.random() < 0.5:
        return key
    mark = r.choice("'\"`")
    return mark + key.replace(mark, mark * 2) + mark


def fits(tree: Tree, row: Row) -> bool:
    """Whether a version is what the filter asks for: the slow, plain way."""
    kind, *rest = tree
    match kind:
        case "not":
            return not fits(rest[0], row)
        case "and":
            return all(fits(part, row) for part in rest)
        case "or":
            return any(fits(part, row) for part in rest)
    field, key, operator, values = rest
    if field in MANY:
        return _fits_many(field, MANY[field](row), operator, values)
    if field == "version_number":
        value: Any = row.version.version
    elif field in TIMES:
        return operator == "IS NOT NULL" or (
            operator != "IS NULL" and _fits_time(TIMES[field](row), operator, values[0])
        )
    elif field in KEYED:
        value = KEYED[field](row).get(key)
    else:
        value = ONE[field](row)
    if operator in ("IS NULL", "IS NOT NULL"):
        return (value is None) == (operator == "IS NULL")
    if value is None or value != value:
        return False
    return _compared(value, operator, values)


def _fits_many(field: str, held: list[str], operator: str, values: tuple[str, ...]) -> bool:
    if operator in ("IS NULL", "IS NOT NULL"):
        return (held in ([], ["None"])) == (operator == "IS NULL")
    positive = {"!=": "="}.get(operator, operator.removeprefix("NOT "))
    if field == "stage" and positive.endswith("LIKE"):
        held = [one for one in held if one != "None"]
    return any(_compared(one, positive, values) for one in held) == (positive == operator)


def _compared(value: Any, operator: str, values: tuple[Any, ...]) -> bool:
    first = values[0]
    match operator:
        case "=":
            return bool(value == first)
        case "!=":
            return bool(value != first)
        case "<":
            return bool(value < first)
        case "<=":
            return bool(value <= first)
        case ">":
            return bool(value > first)
        case ">=":
            return bool(value >= first)
        case "IN":
            return value in values
        case "NOT IN":
            return value not in values
    negated = operator.startswith("NOT ")
    if operator.endswith("ILIKE"):
        value, first = _lower(value), _lower(first)
    pattern = "".join({"%": ".*", "_": "."}.get(char, re.escape(char)) for char in first)
    return bool(re.fullmatch(pattern, value, re.DOTALL)) != negated


def _lower(text: str) -> str:
    return re.sub("[A-Z]", lambda match: match[0].lower(), text)


def _fits_time(value: datetime, operator: str, text: str) -> bool:
    first = last = (
        datetime.fromisoformat(text) if len(text) > 10 else datetime.fromisoformat(text).replace(tzinfo=UTC)
    )
    if len(text) == 10:
        last = first + timedelta(days=1) - timedelta(milliseconds=1)
    return {
        "=": first <= value <= last,
        "!=": not first <= value <= last,
        "<": value < first,
        "<=": value <= last,
        ">": value > last,
        ">=": value >= first,
    }[operator]


ORDERS: dict[str, Callable[[Row], Any]] = {
    "name": lambda row: row.version.name,
    "version_number": lambda row: row.version.version,
    "created": lambda row: row.version.created,
    "timestamp": lambda row: row.version.updated,
    "run_id": lambda row: row.version.run_id,
    "status": lambda row: row.version.status,
    "metrics.auc": lambda row: row.version.metrics.get("auc"),
    "metrics.`val/auc`": lambda row: row.version.metrics.get("val/auc"),
    "params.team": lambda row: row.version.params.get("team"),
    "tags.'my key'": lambda row: row.version.tags.get("my key"),
}


def in_order(rows: list[Row], order: Sequence[tuple[str, bool]]) -> list[Row]:
    """``rows`` sorted; ``order`` is names with whether they descend. What lacks a value comes last."""
    tail = [("name", False), ("version_number", True)]
    keys = [*(order or [("timestamp", True)])]
    keys += [key for key in tail if key[0] not in {name for name, _ in keys}]
    for name, descending in reversed(keys):
        value = ORDERS[name]
        has = [row for row in rows if value(row) is not None and value(row) == value(row)]
        lacks = [row for row in rows if row not in has]
        rows = sorted(has, key=value, reverse=descending) + lacks
    return rows
