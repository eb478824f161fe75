"""``register`` against its rivals: a bare loop, and a person who types git add, git commit, git tag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from bare_loop import BareLoop
from fixtures import PARAMS, TAGS, Shape, manifest, metrics, model_name, source
from pairs import Row, at_most, interleave, milliseconds, ratio
from programs import GITREG, git, run
from workshop import Workshop

import gitreg
from gitreg.registry.registry import Registry

_ROUND_ROBIN = 10  # models that take turns
_WARMUP = 3

Act = Callable[[], None]
Text = tuple[str, int, bytes]
"""Model, version, manifest."""


def in_one_process(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """Bare registries: ``registry.register`` against ``BareLoop``, all sizes in turns."""
    sides: dict[str, Act] = {}
    with ExitStack() as stack:
        for shape in shapes:
            registry = stack.enter_context(gitreg.open(workshop.bare(shape)))
            sides[f"ours {shape}"] = _ours(registry, shape)
            for storage in ("pack", "loose"):
                loop = BareLoop(workshop.bare(shape), _models(shape), storage)
                sides[f"{storage} {shape}"] = _bare_loop(loop, _texts(shape, rounds + _ROUND_ROBIN))
        times = interleave(sides, rounds=rounds, warmup=_ROUND_ROBIN)
    rows = [
        at_most(f"at {shape}", 1.5, times[f"ours {shape}"], times[f"{storage} {shape}"], against=against)
        for shape in shapes
        for storage, against in (("pack", "bare loop"), ("loose", "bare loop, loose objects"))
    ]
    return [*rows, _growth(shapes, times)]


def _growth(shapes: list[Shape], times: dict[str, list[float]]) -> Row:
    small, large = (times[f"ours {shape}"] for shape in (shapes[0], shapes[-1]))
    found = ratio(large, small)
    return Row(
        what=f"growth from {shapes[0].total:,} to {shapes[-1].total:,}",
        target="≤ 1.3 ×",
        ours=milliseconds(large),
        rival=f"ours, small {milliseconds(small)}",
        ratio=f"{found:.2f} ×",
        met=found <= 1.3,
    )


def with_work_tree(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """Work trees: gitreg in process and as a command against three git commands, all sizes in turns."""
    sides: dict[str, Act] = {}
    with ExitStack() as stack:
        for shape in shapes:
            place, other = workshop.work_tree(shape), workshop.work_tree(shape)
            registry = stack.enter_context(gitreg.open(place))
            texts = _texts(shape, 2 * (rounds + _WARMUP))
            sides[f"process {shape}"] = _ours(registry, shape)
            sides[f"git {shape}"] = _typed(other, texts, ())
            sides[f"command {shape}"] = _command(place, shape)
            sides[f"durable {shape}"] = _typed(other, texts, ("core.fsync=all",))
        times = interleave(sides, rounds=rounds, warmup=_WARMUP)
    rows = []
    for shape in shapes:
        plain, durable = times[f"git {shape}"], times[f"durable {shape}"]
        for what, ours in (("in process", "process"), ("command", "command")):
            took = times[f"{ours} {shape}"]
            rows.append(at_most(f"{what}, at {shape}", 1.2, took, plain, against="git"))
            rows.append(at_most(f"{what}, at {shape}", 1.2, took, durable, against="git, core.fsync=all"))
    return rows


def _models(shape: Shape) -> list[str]:
    # Evenly from the whole registry, so that no side profits from neighbours.
    count = min(shape.models, _ROUND_ROBIN)
    return [model_name(number * shape.models // count) for number in range(count)]


def _numbers(shape: Shape) -> Iterator[tuple[str, int]]:
    names = _models(shape)
    for turn, name in enumerate(cycle(names)):
        yield name, shape.versions + 1 + turn // len(names)


def _ours(registry: Registry, shape: Shape) -> Act:
    numbers = _numbers(shape)

    def act() -> None:
        name, number = next(numbers)
        uri = source(name, number)
        registry.register(name, uri, metrics=metrics(number), params=PARAMS, tags=TAGS)

    return act


def _texts(shape: Shape, count: int) -> Iterator[Text]:
    # Rendered ahead: a rival of ours must not wait for our code.
    made = [(name, number, manifest(name, number)) for name, number in islice(_numbers(shape), count)]
    return iter(made)


def _bare_loop(loop: BareLoop, texts: Iterator[Text]) -> Act:
    def act() -> None:
        loop.register(*next(texts))

    return act


def _command(place: Path, shape: Shape) -> Act:
    names = cycle(_models(shape))
    options = [word for key, value in PARAMS.items() for word in ("--param", f"{key}={value}")]
    options += [word for key, value in TAGS.items() for word in ("--tag", f"{key}={value}")]
    options += [word for key, value in metrics(1).items() for word in ("--metric", f"{key}={value}")]

    def act() -> None:
        name = next(names)
        run([GITREG, "register", name, source(name, 1), *options], place)

    return act


def _typed(place: Path, texts: Iterator[Text], settings: tuple[str, ...]) -> Act:
    def act() -> None:
        name, number, text = next(texts)
        path = f"models/{name}/versions/{number}.yaml"
        (place / path).write_bytes(text)
        git(place, "add", path, settings=settings)
        message = f"{name}: register version {number}"
        git(place, "commit", "--quiet", "-m", message, settings=settings)
        tag = f"{name}/v{number}"
        git(place, "tag", "-a", "-m", f"{name} version {number}", tag, settings=settings)

    return act
