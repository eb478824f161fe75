"""``MlflowClient`` on MLflow's SQLite store and on gitreg's plugin: the same calls on both, in turns."""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, cycle
from typing import TYPE_CHECKING, Any

from fixtures import Shape, model_name, source
from mlflow_pair import PAIR, TEAM, copied, database, held, run_id
from pairs import Row, at_least, at_most, in_turns, interleave, milliseconds, timed
from programs import GITREG, run
from workshop import Workshop

if TYPE_CHECKING:
    from mlflow import MlflowClient

NOTE = (
    "`MlflowClient` in one process against `sqlite:///` and `gitreg+file://`, the same calls with the same "
    "answers, in turns; every call asks for another model, version or run, as long as there are others. "
    "Reads start from a current index. MLflow's SQLite commits with `synchronous=FULL` and a journal that it "
    "deletes: the folder is not synced, so that a power cut may take the last commit back. gitreg syncs "
    "objects, refs and their folders before it answers: SQLite promises as much with `synchronous=EXTRA`, "
    "which is measured beside it."
)
_FASTER = 5.0
_PAGE = 100

Call = Callable[["MlflowClient"], Any]


def reads(workshop: Workshop, shapes: list[Shape], *, seconds: float) -> list[Row]:
    """Every question that the registry's client asks, at all sizes; for each so many seconds."""
    rows: list[Row] = []
    for shape in shapes:
        place = workshop.original(shape, PAIR)
        run([GITREG, "index"], place)
        ours, theirs = client(f"gitreg+file://{place}"), client(f"sqlite:///{database(workshop, shape)}")
        for what, call in _questions(shape, ours, theirs):
            rows.append(_compared(f"{what}, {shape}", call, ours, theirs, seconds))
    return rows


def writes(workshop: Workshop, shapes: list[Shape], *, rounds: int) -> list[Row]:
    """What changes a registry: each call is a transaction there and a commit here."""
    rows: list[Row] = []
    for shape in shapes:
        place = workshop.bare(shape, PAIR)
        run([GITREG, "index"], place)
        ours = client(f"gitreg+file://{place}")
        plain = client(f"sqlite:///{copied(workshop, shape)}")
        with _synced():
            synced = client(f"sqlite:///{copied(workshop, shape)}")
        for what, call in _changes(shape).items():
            sides = {
                name: timed(partial(call, side, count(1)))
                for name, side in {"ours": ours, "plain": plain, "synced": synced}.items()
            }
            times = in_turns(sides, rounds=rounds, warmup=3)
            said = f"{what}, {shape}"
            rows.append(at_most(said, 1, times["ours"], times["synced"], against="EXTRA"))
            rows.append(at_most(said, 1, times["ours"], times["plain"], against="FULL"))
    return rows


def client(uri: str) -> MlflowClient:
    """A client of a registry; nothing is sent to MLflow's makers, and nothing is said about old stages."""
    os.environ |= {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    warnings.simplefilter("ignore", FutureWarning)
    from mlflow import MlflowClient  # slow to start: who measures nothing of MLflow does without

    made = MlflowClient(tracking_uri="sqlite:///:memory:", registry_uri=uri)
    made.search_registered_models(max_results=1)
    return made


@contextmanager
def _synced() -> Iterator[None]:
    """SQLite connections made within sync the folder of their journal, too."""
    from sqlalchemy import Engine, event

    def extra(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA synchronous = EXTRA")

    event.listen(Engine, "connect", extra)
    try:
        yield
    finally:
        event.remove(Engine, "connect", extra)


def _compared(what: str, call: Call, ours: MlflowClient, theirs: MlflowClient, seconds: float) -> Row:
    mine, other = _shown(call(ours)), _shown(call(theirs))
    if mine != other:
        raise SystemExit(f"{what}: the answers differ:\n{str(mine)[:400]}\n{str(other)[:400]}")
    sides = {"ours": partial(call, ours), "theirs": partial(call, theirs)}
    once = interleave(sides, rounds=1, warmup=0)
    rounds = max(5, min(100, int(seconds / sum(once["ours"] + once["theirs"]))))
    times = interleave(sides, rounds=rounds, warmup=1)
    return at_least(what, _FASTER, times["ours"], times["theirs"])


def _shown(answer: Any) -> Any:
    """What both sides must agree on: names and numbers, stages and tags; pages in order, too."""
    if isinstance(answer, list):
        shown = [_shown(each) for each in answer]
        return shown if hasattr(answer, "token") else sorted(shown)
    stage = getattr(answer, "current_stage", None)
    latest = getattr(answer, "latest_versions", None) or []
    return (
        answer.name,
        str(getattr(answer, "version", "")),
        stage,
        dict(answer.tags),
        answer.description,
        sorted(_shown(each) for each in latest) if latest else [],
    )


def _questions(shape: Shape, *sides: MlflowClient) -> Iterator[tuple[str, Call]]:
    """Name of a call, and what does it; a side that is asked in its turn is asked the same as the other."""
    common, rare = f"tags.team = '{TEAM}'", "tags.audit = 'yes'"

    def each(ask: Callable[[MlflowClient, int, int], Any]) -> Call:
        turns = {id(side): _numbers(shape) for side in sides}
        return lambda side: ask(side, *next(turns[id(side)]))

    yield "get_registered_model", each(lambda c, m, _: c.get_registered_model(model_name(m)))
    yield "get_model_version", each(lambda c, m, v: c.get_model_version(model_name(m), str(v)))
    yield "get_latest_versions", each(lambda c, m, _: c.get_latest_versions(model_name(m)))
    yield (
        'get_latest_versions(stages=["Production"])',
        each(lambda c, m, _: c.get_latest_versions(model_name(m), stages=["Production"])),
    )
    yield (
        "get_model_version_by_alias",
        each(lambda c, m, _: c.get_model_version_by_alias(model_name(m), "champion")),
    )
    yield "search_registered_models, first page", lambda c: c.search_registered_models(max_results=_PAGE)
    yield (
        "search_registered_models, name LIKE",
        lambda c: c.search_registered_models("name LIKE 'model-00%'", max_results=_PAGE),
    )
    yield (
        "search_model_versions by name",
        each(lambda c, m, _: c.search_model_versions(f"name = '{model_name(m)}'")),
    )
    yield (
        "search_model_versions by run_id",
        each(lambda c, m, v: c.search_model_versions(f"run_id = '{run_id(m, v)}'")),
    )
    yield "search_model_versions by a rare tag", lambda c: c.search_model_versions(rare)
    yield (
        "search_model_versions by a common tag, first page of 100",
        lambda c: c.search_model_versions(common, max_results=_PAGE),
    )
    if shape.total // 2 > _PAGE:
        pages = {id(side): _last(side, common, shape.total // 2 - _PAGE) for side in sides}
        yield (
            "its last page",
            lambda c: c.search_model_versions(common, max_results=_PAGE, page_token=pages[id(c)]),
        )
    yield (
        "search_model_versions by a common tag, max_results as it is by default",
        lambda c: c.search_model_versions(common),
    )
    yield "search_model_versions, first page of 100", lambda c: c.search_model_versions(max_results=_PAGE)


def _last(side: MlflowClient, wanted: str, before: int) -> Any:
    token = side.search_model_versions(wanted, max_results=before).token
    if not token:
        raise SystemExit(f"{wanted} finds no more than {before} versions")
    return token


def _numbers(shape: Shape) -> Iterator[tuple[int, int]]:
    """Models and versions in turn: all models come up, and every version before one comes up again."""
    models = cycle(range(shape.models))
    for turn in cycle(range(shape.total)):
        yield next(models), 1 + (37 * turn + turn // shape.versions) % shape.versions


def _changes(shape: Shape) -> dict[str, Callable[[MlflowClient, Iterator[int]], Any]]:
    """Name of a call → what does it; it is given a counter of its own for each side."""
    newest = held(shape)["Staging"]

    def name(turn: int) -> str:
        return model_name(turn % shape.models)

    def create(c: MlflowClient, turns: Iterator[int]) -> Any:
        turn = next(turns)
        tags = {"framework": "sklearn", "team": TEAM}
        return c.create_model_version(name(turn), source(name(turn), turn), run_id(9999, turn), tags=tags)

    def transition(c: MlflowClient, turns: Iterator[int]) -> Any:
        turn = next(turns)
        stage = ("Staging", "Production")[turn // shape.models % 2]
        number = 1 + turn % shape.versions
        return c.transition_model_version_stage(name(turn), str(number), stage)

    def tag(c: MlflowClient, turns: Iterator[int]) -> Any:
        turn = next(turns)
        return c.set_model_version_tag(name(turn), str(1 + turn % shape.versions), "round", str(turn))

    def alias(c: MlflowClient, turns: Iterator[int]) -> Any:
        turn = next(turns)
        return c.set_registered_model_alias(
            name(turn), "candidate", str(1 + (newest + turn) % shape.versions)
        )

    return {
        "create_model_version": create,
        "transition_model_version_stage": transition,
        "set_model_version_tag": tag,
        "set_registered_model_alias": alias,
    }


def floor(workshop: Workshop, shape: Shape, *, rounds: int) -> list[Row]:
    """What ``MlflowClient`` itself takes: with a store that has its answer at hand."""
    asked = client(f"gitreg+file://{workshop.original(shape, PAIR)}")
    found = asked.get_model_version(model_name(1), "1")
    store = asked._get_registry_client().store
    store.get_model_version = lambda name, version: found  # of this object alone
    try:
        times = interleave(
            {"ours": lambda: asked.get_model_version(model_name(1), "1")}, rounds=rounds, warmup=9
        )
    finally:
        del store.get_model_version
    told = milliseconds(times["ours"])
    return [Row(what="get_model_version of a store that has its answer at hand", target="", ours=told)]
