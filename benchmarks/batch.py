"""``gitreg register --batch``: versions a second, from the file of JSON lines to the last fsync."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median

from fixtures import PARAMS, TAGS, Shape, metrics, model_name, source
from pairs import Row, interleave
from programs import GITREG, git, run
from workshop import Workshop

_EACH = 500  # versions a second
_TOGETHER = 2000


def bulk(workshop: Workshop, shapes: list[Shape], rounds: int) -> list[Row]:
    """The command from start to end into an empty bare registry, one commit each and one for all."""
    rows = []
    for shape, (what, options, least) in product(
        shapes, (("one commit each", (), _EACH), ("one commit for all", ("--one-commit",), _TOGETHER))
    ):
        lines = workshop.folder / f"{shape.models}x{shape.versions}.jsonl"
        lines.write_text("".join(json.dumps(each) + "\n" for each in _lines(shape)))
        places = [workshop.empty() for _ in range(rounds)]
        act = partial(_register, iter(places), lines, options)
        times = interleave({"ours": act}, rounds=rounds, warmup=0)["ours"]
        for place in places:
            _check(place, shape)
        rates = [shape.total / each for each in times]
        rows.append(
            Row(
                what=f"{what}, {shape}",
                target=f"≥ {least:,}/s",
                ours=f"{median(rates):,.0f}/s ({min(rates):,.0f}–{max(rates):,.0f})",
                met=median(rates) >= least,
            )
        )
    return rows


def _lines(shape: Shape) -> list[dict[str, object]]:
    # Version by version: neighbouring lines are of different models, which is the harder order.
    return [
        {
            "name": name,
            "source": source(name, number),
            "params": PARAMS,
            "metrics": metrics(number),
            "tags": TAGS,
        }
        for number, name in product(range(1, shape.versions + 1), map(model_name, range(shape.models)))
    ]


def _register(places: Iterator[Path], lines: Path, options: Sequence[str]) -> None:
    run([GITREG, "register", "--batch", str(lines), *options], next(places))


def _check(place: Path, shape: Shape) -> None:
    made = git(place, "for-each-ref", "--count=0", "--format=x", "refs/tags/").count("x")
    if made != shape.total:
        raise SystemExit(f"register --batch made {made:,} tags of {shape.total:,}")
