"""How long commands take that only read: process start and one look into a large registry."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from fixtures import PRODUCTION, Shape, model_name
from pairs import Row, at_most, interleave, milliseconds
from programs import GITREG, run
from workshop import Workshop

_OVER = 20  # ms


def commands(workshop: Workshop, shape: Shape, rounds: int) -> list[Row]:
    """``gitreg --version``, ``show`` and ``resolve`` against a bare start of Python, in turns."""
    place = workshop.bare(shape)
    name = model_name(shape.models // 2)
    sides: dict[str, Callable[[], object]] = {
        "pass": _started([sys.executable, "-c", "pass"], place),
        "version": _started([GITREG, "--version"], place),
        "click": _started([sys.executable, "-c", "import click"], place),
        "show": _started([GITREG, "show", f"{name}/{PRODUCTION}"], place),
        "resolve": _started([GITREG, "resolve", f"{name}/Production"], place),
    }
    times = interleave(sides, rounds=rounds, warmup=3)
    over = 1000 * median(a - b for a, b in zip(times["version"], times["pass"], strict=True))
    against = "import click"
    return [
        Row(
            what="gitreg --version",
            target=f"≤ {_OVER} ms over",
            ours=milliseconds(times["version"]),
            rival=f"pass {milliseconds(times['pass'])}",
            ratio=f"+{over:.1f} ms",
            met=over <= _OVER,
        ),
        at_most("gitreg show NAME/N", 2.5, times["show"], times["click"], against=against),
        at_most("gitreg resolve NAME/Production", 2.5, times["resolve"], times["click"], against=against),
    ]


def _started(argv: list[str], at: Path) -> Callable[[], object]:
    return partial(run, argv, at)
