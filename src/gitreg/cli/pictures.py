"""What commands that draw share: the terminal's looks, and where a picture is written."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gitreg.cli.output import note
from gitreg.errors import EnvironmentFailure, UsageError
from gitreg.render.canvas import Look

F = TypeVar("F", bound=Callable[..., Any])

_WIDTH = 100  # columns, where the terminal doesn't say


def svg_option(command: F) -> F:
    """``--svg`` → ``svg: str | None``."""
    return click.option("--svg", metavar="FILE", help="Write the picture as SVG; - is stdout.")(command)


def look() -> Look:
    """What the terminal behind stdout can show."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    columns = shutil.get_terminal_size((_WIDTH, 24)).columns
    return Look(width=max(columns, 20), unicode=_has("█│─┬▐░⣿▲●"), colours=not plain)


def _has(signs: str) -> bool:
    try:
        signs.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def draw(lines: list[str]) -> None:
    """Print lines of a picture; what came from the registry is safe in them already."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def write_picture(made: str, target: str) -> None:
    """Write an SVG picture to a file, or to stdout where ``target`` is ``-``.

    Raises:
        EnvironmentFailure: The file can't be written.
    """
    if target == "-":
        encoded = made.encode("utf-8" if _has("é—日") else "ascii", "xmlcharrefreplace")
        sys.stdout.write(encoded.decode("utf-8"))
        return
    try:
        Path(target).write_text(made, encoding="utf-8", newline="\n")
    except OSError as error:
        raise EnvironmentFailure(
            f"can't write the picture: {error.strerror or error}",
            where=target,
            hint="give another --svg FILE",
        ) from error
    note(f"wrote {target}")


def one_form(*, svg: str | None, as_json: bool) -> None:
    """Refuse two forms of one answer.

    Raises:
        UsageError: Both were asked for.
    """
    if svg is not None and as_json:
        raise UsageError("--svg and --json exclude each other", hint="give one of them")
