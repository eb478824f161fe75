"""RESULTS.md: a head that says where it was measured, and one table for each benchmark."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from pairs import Row
from programs import git

_HEAD = """\
# Benchmarks

Made by `make bench`, which is `python benchmarks/run.py --write`. `--only NAME --write` measures one table
anew, `--quick` tries all on small sizes and writes nothing, `--keep DIR` keeps the large registries.

Both sides run in turns (A B A B …) after a warm-up. A time is the median, with the smallest and largest
in brackets; a ratio is the median of the ratios of neighbours, because the price of an fsync drifts.
Registries are made by `fixtures.py`: every version has four params, four metrics and two tags, and every
model one version in Production; all objects are packed, all tags are there. Those of `history.py` have a
commit for each registration, and a tenth as many between them that change stages, aliases, tags and texts.
"""


def section(name: str, title: str, note: str, rows: list[Row]) -> str:
    """One table as Markdown, headed by the name that ``--only`` takes."""
    load = os.getloadavg()[0]
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [
        f"## {name}: {title}",
        "",
        *([note, ""] if note else []),
        f"Measured {when}, load average {load:.1f} at the end.",
        "",
        "| what | target | gitreg | rival | ratio | verdict |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        verdict = {True: "met", False: "**missed**", None: "–"}[row.met]
        lines.append(f"| {row.what} | {row.target} | {row.ours} | {row.rival} | {row.ratio} | {verdict} |")
    return "\n".join(lines) + "\n"


def machine(folder: Path) -> str:
    """What the figures depend on: processors, system, versions and the file system of ``folder``."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    version = git(folder, "version").removeprefix("git version ")
    release = platform.release().partition("-")[0]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {release} {platform.machine()}"
    return f"Machine: {cpus} CPUs, {system}, {_file_system(folder)}; Git {version}, {python}.\n"


def _file_system(folder: Path) -> str:
    try:
        done = subprocess.run(
            ["findmnt", "-no", "FSTYPE", "-T", str(folder)], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):  # not on macOS
        return "file system unknown"
    return done.stdout.strip()


def merged(old: str, new: dict[str, str], names: list[str], where: str) -> str:
    """The whole page: the tables in ``new``, and those of ``old`` that were not measured this time.

    Args:
        old: The page so far; ``""`` for none.
        new: Name of a benchmark → its table.
        names: All benchmarks, in order.
        where: What ``machine`` says.
    """
    kept = {part.partition(":")[0]: f"## {part}" for part in ("\n" + old).split("\n## ")[1:]}
    parts = [{**kept, **new}[name].rstrip() + "\n" for name in names if name in kept or name in new]
    return "\n".join([_HEAD, where, *parts])
