"""``make bench``: measures everything that gitreg promises about speed, and writes RESULTS.md."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import batch
import beside_gto
import mlflow_http
import mlflow_import
import mlflow_store
import promotion
import reads
import register
import results
import start
import static_site
import web
from fixtures import LARGE, MIDDLE, PERSON, SMALL, Shape
from pairs import Row
from workshop import HISTORY, Workshop

RESULTS = Path(__file__).with_name("RESULTS.md")
_TINY = Shape(models=1, versions=10)
_DEEP = Shape(models=1, versions=10_000)
_QUICK = [Shape(models=20, versions=100), Shape(models=1, versions=1000)]
_HUNDRED = Shape(models=10, versions=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One table: its title, what is to be known about it, and how it is measured in full and quickly."""

    title: str
    note: str
    full: Callable[[Workshop], list[Row]]
    quick: Callable[[Workshop], list[Row]]


_BENCHMARKS = {
    "process": Benchmark(
        title="`register` in one process, bare registry",
        note="Commit and tag, durable at the return. The rival is `bare_loop.py`: the same objects and "
        "fsyncs and one `git update-ref`, without checks, lock or recovery.",
        full=lambda shop: register.in_one_process(shop, [SMALL, MIDDLE, LARGE], rounds=200),
        quick=lambda shop: register.in_one_process(shop, [_TINY, SMALL], rounds=20),
    ),
    "worktree": Benchmark(
        title="`register` with a work tree",
        note="The rival is `git add FILE`, `git commit -m`, `git tag -a`: with Git's defaults, which sync "
        "nothing, and with `-c core.fsync=all`, which syncs files but no folder (gitreg syncs both).",
        full=lambda shop: register.with_work_tree(shop, [SMALL, MIDDLE, LARGE], rounds=40),
        quick=lambda shop: register.with_work_tree(shop, [_TINY, SMALL], rounds=5),
    ),
    "start": Benchmark(
        title="commands that read, from start to end",
        note="A bare registry of 100,000 versions; the rivals do nothing but start Python.",
        full=lambda shop: start.commands(shop, LARGE, rounds=40),
        quick=lambda shop: start.commands(shop, SMALL, rounds=10),
    ),
    "batch": Benchmark(
        title="`gitreg register --batch` of 10,000 versions",
        note="The command from start to end, on an empty bare registry; durable at the end.",
        full=lambda shop: batch.bulk(shop, [MIDDLE, _DEEP], rounds=3),
        quick=lambda shop: batch.bulk(shop, [Shape(models=10, versions=50)], rounds=2),
    ),
    "reads": Benchmark(
        title="commands that read a long history, from start to end",
        note="Registries of `history.py`; the index is current. The rival starts Python and imports click, "
        "which every command needs. Memory is the largest resident set (`getrusage`) of one run.",
        full=lambda shop: reads.commands(shop, [LARGE, _DEEP], rounds=20),
        quick=lambda shop: reads.commands(shop, _QUICK, rounds=3),
    ),
    "index": Benchmark(
        title="the index",
        note="The first two in process: what a reader pays that asks again, and that asks after another "
        "process made a commit. The cold build is `gitreg index --rebuild`; the largest process is a Git, "
        "most of it packs that it has mapped; private is what gitreg and every Git that it runs have to "
        "themselves, all together, looked at ten times a second.",
        full=lambda shop: reads.index(shop, [LARGE, _DEEP], rounds=50),
        quick=lambda shop: reads.index(shop, _QUICK, rounds=10),
    ),
    "inprocess": Benchmark(
        title="questions to an open registry",
        note="In one process, the same registries. The search is for a tag that every second version has.",
        full=lambda shop: reads.in_process(shop, [LARGE, _DEEP], rounds=200),
        quick=lambda shop: reads.in_process(shop, _QUICK, rounds=20),
    ),
    "validate": Benchmark(
        title="the hook at every commit",
        note="The script that pre-commit runs, from start to end; all files in one process.",
        full=lambda shop: promotion.validating(shop, MIDDLE, rounds=30),
        quick=lambda shop: promotion.validating(shop, SMALL, rounds=3),
    ),
    "push": Benchmark(
        title="a push of one change, and verdicts",
        note="Over the file system, to a server with gitreg's hooks and to one without; the index is there. "
        "The tags of all versions are on the server, and the registry has rules for Production.",
        full=lambda shop: (
            promotion.pushing(shop, MIDDLE, rounds=15)
            + promotion.pushing(shop, _DEEP, rounds=15)
            + promotion.histories(shop, [MIDDLE, _DEEP])
        ),
        quick=lambda shop: promotion.pushing(shop, SMALL, rounds=2) + promotion.histories(shop, [SMALL]),
    ),
    "approvals": Benchmark(
        title="approvals",
        note="From the bytes of the file to the person whose key signed it.",
        full=lambda shop: promotion.approvals(shop, rounds=200),
        quick=lambda shop: promotion.approvals(shop, rounds=10),
    ),
    "gto": Benchmark(
        title="the same work with GTO",
        note=beside_gto.NOTE,
        full=lambda shop: beside_gto.beside(shop, {10: 15, 1000: 3}),
        quick=lambda shop: beside_gto.beside(shop, {10: 2, 50: 1}),
    ),
    "mlflow-store": Benchmark(
        title="the plugin beside MLflow's SQLite store",
        note=mlflow_store.NOTE,
        full=lambda shop: (
            mlflow_store.reads(shop, [_HUNDRED, MIDDLE, LARGE, _DEEP], seconds=3)
            + mlflow_store.writes(shop, [_HUNDRED, MIDDLE, LARGE, _DEEP], rounds=40)
            + mlflow_store.floor(shop, _HUNDRED, rounds=2000)
        ),
        quick=lambda shop: (
            mlflow_store.reads(shop, [_HUNDRED, Shape(models=1, versions=1000)], seconds=0.3)
            + mlflow_store.writes(shop, [_HUNDRED], rounds=3)
            + mlflow_store.floor(shop, _HUNDRED, rounds=50)
        ),
    ),
    "mlflow-http": Benchmark(
        title="`gitreg serve` beside `mlflow server`",
        note=mlflow_http.NOTE,
        full=lambda shop: mlflow_http.servers(shop, [MIDDLE, LARGE], rounds=5, seconds=2),
        quick=lambda shop: mlflow_http.servers(shop, [_HUNDRED], rounds=2, seconds=0.5),
    ),
    "web": Benchmark(
        title="the pages of `gitreg serve`",
        note=web.NOTE,
        full=lambda shop: web.pages(shop, [LARGE, _DEEP], turns=100, rounds=5, seconds=2),
        quick=lambda shop: web.pages(shop, [_HUNDRED], turns=5, rounds=2, seconds=0.3),
    ),
    "mlflow-import": Benchmark(
        title="`gitreg import mlflow` from an SQLite store",
        note=mlflow_import.NOTE,
        full=lambda shop: mlflow_import.importing(shop, [MIDDLE, LARGE]),
        quick=lambda shop: mlflow_import.importing(shop, [_HUNDRED]),
    ),
    "site": Benchmark(
        title="`gitreg site`",
        note=static_site.NOTE,
        full=lambda shop: (
            static_site.building(shop, LARGE, rounds=10)
            + static_site.building(shop, MIDDLE, rounds=5, recipe=HISTORY)
        ),
        quick=lambda shop: static_site.building(shop, _HUNDRED, rounds=2),
    ),
}


def main() -> int:
    """Run the benchmarks that the command line names."""
    options = _options()
    with _workshop(options.keep) as workshop:
        _isolate(workshop.folder)
        tables = {}
        for name in options.only or _BENCHMARKS:
            table = _BENCHMARKS[name]
            workshop.clear()
            rows = (table.quick if options.quick else table.full)(workshop)
            tables[name] = results.section(name, table.title, table.note, rows)
            print(tables[name], flush=True)
        if options.write:
            old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else ""
            page = results.merged(old, tables, list(_BENCHMARKS), results.machine(workshop.folder))
            RESULTS.write_text(page, encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=_BENCHMARKS, help=", ".join(_BENCHMARKS))
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds; writes nothing")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md (the default without --only)")
    parser.add_argument(
        "--keep", metavar="DIR", type=Path, help="where to make the registries, and keep them"
    )
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("--quick measures too little to be written down")
    options.write = options.write or not (options.quick or options.only)
    return options


@contextmanager
def _workshop(keep: Path | None) -> Iterator[Workshop]:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        workshop = Workshop(keep.absolute())
        try:
            yield workshop
        finally:
            workshop.clear()
        return
    with tempfile.TemporaryDirectory(prefix="gitreg-bench-") as folder:
        yield Workshop(Path(folder))


def _isolate(folder: Path) -> None:
    """Git with its defaults and a name, and Python with its cache, whoever runs the benchmarks."""
    odd = ("GIT_", "GITREG_", "MLFLOW_", "PYTHONDONTWRITEBYTECODE")
    for key in [key for key in os.environ if key.startswith(odd)]:
        del os.environ[key]
    os.environ["HOME"] = os.environ["XDG_CONFIG_HOME"] = str(folder)
    (folder / ".gitconfig").write_text(
        f"[user]\n\tname = {PERSON.name}\n\temail = {PERSON.email}\n[init]\n\tdefaultBranch = main\n"
    )


if __name__ == "__main__":
    sys.exit(main())
