"""Reading a registry with a long history: commands, the index that they read from, and the API."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from pathlib import Path
from statistics import median

from fixtures import PARAMS, TAGS, Shape, metrics, model_name, source
from history import TEAMS, middle
from pairs import Row, at_most, interleave, milliseconds
from programs import GITREG, peak_memory, run, weigh
from workshop import HISTORY, Workshop

import gitreg
from gitreg.registry.indexing import slice_of
from gitreg.registry.registry import Registry

_TIMES = 2.5  # what `python -c "import click"` takes
_MEMORY = 60  # MB
_COMMON = f"tags.team = '{TEAMS[0]}'"
_PAGE = 100
_MB = 1_000_000

Act = Callable[[], object]


def commands(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """Every reading command from process start to end, at all sizes in turns with a start of Python."""
    click = [sys.executable, "-c", "import click"]
    asked = [(words, shape) for shape in shapes for words in _questions(shape)]
    places = {shape: _indexed(workshop, shape) for shape in shapes}
    sides: dict[str, Act] = {"click": partial(run, click, workshop.folder)}
    for words, shape in asked:
        sides[_called(words, shape)] = partial(run, [GITREG, *words], places[shape])
    times = interleave(sides, rounds=rounds, warmup=2)
    rows = []
    for words, shape in asked:
        what, argv, place = _called(words, shape), [GITREG, *words], places[shape]
        count = run(argv, place).count(b"\n")
        told = f"{what}: {count:,} {'line' if count == 1 else 'lines'}"
        rows.append(at_most(told, _TIMES, times[what], times["click"], against="import click"))
        peak = peak_memory(argv, place) / _MB
        rows.append(_figure(f"{what}: memory", f"< {_MEMORY} MB", f"{peak:.0f} MB", met=peak < _MEMORY))
    return rows


def _called(words: list[str], shape: Shape) -> str:
    quoted = [f'"{word}"' if " " in word else word for word in words]
    return f"`gitreg {' '.join(quoted)}`, {shape}"


def _questions(shape: Shape) -> list[list[str]]:
    name = model_name(shape.models // 2)
    return [
        ["show", f"{name}/{shape.versions // 2}"],
        ["list", name],
        ["resolve", f"{name}/Production"],
        ["log", name],
        ["list", "--stage", "Production", "--at", f"{middle(shape):%Y-%m-%d}"],
        ["search", _COMMON],
    ]


def index(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """The index itself: asked when nothing changed, brought up to date, made anew; and how large it is."""
    rows = []
    for shape in shapes:
        place = workshop.copy(_indexed(workshop, shape))
        checks, steps = _kept_up(place, shape, rounds)
        rows += [
            _within(f"nothing changed, {shape}", 1, checks),
            _within(f"one commit more, {shape}", 15, steps),
            *_made_anew(place, shape),
        ]
    return rows


def _kept_up(place: Path, shape: Shape, rounds: int) -> tuple[list[float], list[float]]:
    checks, steps = [], []
    with gitreg.open(place) as writer, gitreg.open(place) as reader:
        slice_of(reader.store)
        for number in range(rounds):
            name = model_name(number % shape.models)
            writer.register(name, source(name, number), params=PARAMS, metrics=metrics(number), tags=TAGS)
            before = time.perf_counter()
            part = slice_of(reader.store)
            between = time.perf_counter()
            slice_of(reader.store)
            after = time.perf_counter()
            if part.commit != writer.store.head():
                raise SystemExit(f"the index of {place} is not up to date")
            steps.append(between - before)
            checks.append(after - between)
    return checks, steps


def _made_anew(place: Path, shape: Shape) -> Iterator[Row]:
    weight = weigh([GITREG, "index", "--rebuild"], place)
    size = sum(file.stat().st_size for file in (place / "gitreg").glob("index*/*")) / _MB
    yield _figure(f"cold build, {shape}", "< 90 s", f"{weight.seconds:.1f} s", met=weight.seconds < 90)
    for what, held in (("largest process", weight.largest), ("all, private", weight.private)):
        if held is not None:
            told = f"{held / _MB:.0f} MB"
            yield _figure(f"cold build: {what}, {shape}", "< 500 MB", told, met=held < 500 * _MB)
    yield _figure(f"size of the index, {shape}", "", f"{size:.0f} MB")


def in_process(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """The API on an open registry; every call asks for something else, where there is something else."""
    rows: list[Row] = []
    for shape in shapes:
        with gitreg.open(_indexed(workshop, shape)) as registry:
            slice_of(registry.store)
            rows += _answers(registry, shape, rounds)
    return rows


def _answers(registry: Registry, shape: Shape, rounds: int) -> Iterator[Row]:
    client = gitreg.Client(registry)
    names = cycle([model_name(number) for number in range(shape.models)])
    # 37 shares no factor with the sizes: every version comes up before one comes up again.
    numbers = cycle([1 + 37 * turn % shape.versions for turn in range(shape.versions)])
    last, pages = _last_page(registry)
    calls: list[tuple[str, float, Act]] = [
        ("one version by its number", 0.1, lambda: registry.version(f"{next(names)}/{next(numbers)}")),
        ("latest in Production", 2, lambda: registry.version(f"{next(names)}/Production")),
        ("first page of a search", 5, lambda: registry.search(_COMMON, max_results=_PAGE)),
        (
            f"its last page, number {pages:,}",
            10,
            lambda: registry.search(_COMMON, max_results=_PAGE, page_token=last),
        ),
        ("Registry.model", 2, lambda: registry.model(next(names))),
        ("Client.get_registered_model", 2, lambda: client.get_registered_model(next(names))),
    ]
    for what, limit, act in calls:  # one after the other: there is no rival to share a disk's moods with
        times = interleave({what: act}, rounds=rounds, warmup=3)
        yield _within(f"{what}, {shape}", limit, times[what])


def _last_page(registry: Registry) -> tuple[str, int]:
    """The token of the search's last page, and how many pages there are."""
    token, pages = "", 1
    while following := registry.search(_COMMON, max_results=_PAGE, page_token=token or None).next_page_token:
        token, pages = following, pages + 1
    return token, pages


def _indexed(workshop: Workshop, shape: Shape) -> Path:
    """The original of that shape, its index up to date: made by this version of gitreg, if need be."""
    place = workshop.original(shape, HISTORY)
    run([GITREG, "index"], place)
    return place


def _within(what: str, limit: float, times: list[float]) -> Row:
    """The row for "takes at most ``limit`` milliseconds": its median counts."""
    return _figure(what, f"< {limit:g} ms", milliseconds(times), met=1000 * median(times) < limit)


def _figure(what: str, target: str, ours: str, *, met: bool | None = None) -> Row:
    return Row(what=what, target=target, ours=ours, met=met)
