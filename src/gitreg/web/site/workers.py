"""Processes that share the work of a site; each opens the registry for itself."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import EnvironmentFailure
from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from gitreg.web.site.folder import Folder
from gitreg.web.site.making import Choice, Site
from gitreg.web.site.units import Done, Unit, carry_out

_FEW = 24
"""Units that one process has done before others have started."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    repository: Repository
    commit: str
    choice: Choice
    out: Path


@contextmanager
def started(site: Site, folder: Folder, jobs: int, units: Sequence[Unit]) -> Iterator[Iterable[Done]]:
    """The outcomes of all units, in whatever order they come; other processes are at it meanwhile.

    Args:
        site: What is made.
        folder: Where to.
        jobs: How many processes there are.
        units: The work.
    """
    if jobs < 2 or len(units) <= _FEW:
        yield (carry_out(site, folder, unit) for unit in units)
        return
    task = _Task(
        repository=site.registry.store.repository,
        commit=site.part.commit,
        choice=site.choice,
        out=folder.path,
    )
    # Not forked: what is open here (Git's pipe, the index) is not for two.
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(units)), spawn, _begin, (task,))
    try:
        pending = [pool.submit(_work, unit) for unit in units]
        yield (done.result() for done in as_completed(pending))
    except BrokenProcessPool:
        raise EnvironmentFailure(
            "a process that made pages ended before its work was done", hint="try again, or with --jobs 1"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_STATE: list[tuple[Site, Folder]] = []


def _begin(task: _Task) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    registry = Registry(Store(task.repository))
    _STATE.append((Site(registry, task.commit, task.choice), Folder(task.out)))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(unit: Unit) -> Done:
    site, folder = _STATE[0]
    return carry_out(site, folder, unit)
