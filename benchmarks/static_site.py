"""How long ``gitreg site`` takes: for everything, after one commit, and when nothing has changed."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

from fixtures import Shape, model_name
from pairs import Row
from programs import GITREG, Weight, run, weigh
from workshop import SNAPSHOT, Recipe, Workshop

NOTE = (
    "The command from start to end, by as many processes as there are processors. The first run's rival "
    "is `cp -r` of the finished site. One commit registers a version of one model; the index has read it. "
    "Memory is what gitreg, its processes and the Git that each runs have to themselves, looked at ten times "
    "a second."
)
_FULL, _AGAIN = 120.0, 2.0  # seconds, at 1,000 models of 100 versions
_PROMISED = Shape(models=1000, versions=100)


def building(workshop: Workshop, shape: Shape, *, rounds: int, recipe: Recipe = SNAPSHOT) -> list[Row]:
    """A whole site of a registry, and the runs after it.

    Args:
        workshop: Where registries come from.
        shape: How large it is.
        rounds: Runs after one commit each.
        recipe: Whether it has one commit or one for each registration.
    """
    place = workshop.copy(workshop.original(shape, recipe))
    run([GITREG, "index"], place)
    out = place.with_name(f"{place.name}-site")
    weight = weigh([GITREG, "site", str(out)], place)
    first = weight.seconds
    copied = _seconds(["cp", "-r", str(out), f"{out}-copy"], place)
    files = sum(1 for path in out.rglob("*") if path.is_file())
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    again = [_after_a_commit(place, out, shape, number) for number in range(rounds)]
    idle = [_seconds([GITREG, "site", str(out)], place) for _ in range(rounds)]
    _equal(place, out)
    for folder in (out, Path(f"{out}-copy")):
        shutil.rmtree(folder)
    promised = shape == _PROMISED and recipe is SNAPSHOT
    what = f"{shape}, {recipe.name}"
    return [
        Row(
            what=f"{what}: everything, {files:,} files, {size / 1e9:.1f} GB",
            target=f"≤ {_FULL:g} s" if promised else "",
            ours=f"{first:.1f} s",
            rival=f"{copied:.1f} s",
            ratio=f"{first / copied:.1f} ×",
            met=first <= _FULL if promised else None,
        ),
        Row(
            what=f"{what}: after one commit",
            target=f"≤ {_AGAIN:g} s" if promised else "",
            ours=_spread(again),
            met=median(again) <= _AGAIN if promised else None,
        ),
        Row(what=f"{what}: nothing has changed", target="", ours=_spread(idle)),
        Row(what=f"{what}: memory, all processes together", target="", ours=_memory(weight)),
    ]


def _memory(weight: Weight) -> str:
    """What a run had at its largest; where that is not told, the largest process."""
    found = weight.largest if weight.private is None else weight.private
    return f"{found / 1e6:.0f} MB"


def _after_a_commit(place: Path, out: Path, shape: Shape, number: int) -> float:
    name = model_name(shape.models // 2)
    run([GITREG, "register", name, f"s3://models/{name}/new-{number}", "--metric", "auc=0.9"], place)
    run([GITREG, "index"], place)
    began = time.perf_counter()
    done = subprocess.run([GITREG, "site", str(out), "--json"], cwd=place, capture_output=True, check=True)
    took = time.perf_counter() - began
    told = json.loads(done.stdout)
    if told["since"] is None or told["remade"] != 1:
        raise RuntimeError(f"all was made anew: {told}")
    return took


def _equal(place: Path, out: Path) -> None:
    """Look at a few pages: what was brought up to date is what a new site of that model holds."""
    name = model_name(0)
    alone = out.with_name(f"{out.name}-alone")
    run([GITREG, "site", str(alone), "--models", name], place)
    path = f"api/v1/models/{name}/index.json"
    if (out / path).read_bytes() != (alone / path).read_bytes():
        raise RuntimeError(f"{path} differs")
    shutil.rmtree(alone)


def _seconds(argv: list[str], at: Path) -> float:
    began = time.perf_counter()
    run(argv, at)
    return time.perf_counter() - began


def _spread(times: list[float]) -> str:
    return f"{median(times):.2f} s ({min(times):.2f}–{max(times):.2f})"
