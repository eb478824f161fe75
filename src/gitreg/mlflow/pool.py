"""Open registries, lent to one call at a time: a server has many threads, a registry is for one."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import Lock

from gitreg.errors import GitregError, NotARegistry
from gitreg.gitstore.repository import Repository
from gitreg.mlflow.errors import MlflowError
from gitreg.registry.registry import Registry
from gitreg.registry.service import ServiceStore

_MOST_IDLE = 8


class Pool:
    """Lends registries of one place; the last that came back goes first, for what it has read is warm.

    Args:
        place: A folder of the registry, or a bare repository.
        clock: Gives the time of writes.
    """

    def __init__(self, place: str | os.PathLike[str], clock: Callable[[], datetime]) -> None:
        self.place = Path(place)
        self._clock = clock
        self._idle: list[Registry] = []
        self._lock = Lock()
        self._process = os.getpid()

    @contextmanager
    def lend(self) -> Iterator[Registry]:
        """An open registry, for the ``with`` block alone.

        Raises:
            NotARegistry: There is none at the place.
        """
        registry = self._take()
        try:
            yield registry
        except (GitregError, MlflowError):  # it has said no, and is as before
            self._put_back(registry)
            raise
        except BaseException:
            registry.close()  # whatever it was in the middle of, nobody else meets it
            raise
        self._put_back(registry)

    def close(self) -> None:
        """Close those that nobody has."""
        with self._lock:
            idle, self._idle = self._idle, []
        for registry in idle:
            registry.close()

    def _take(self) -> Registry:
        with self._lock:
            if self._process != os.getpid():  # a forked child shares neither pipes nor connections
                self._process, self._idle = os.getpid(), []
            if self._idle:
                return self._idle.pop()
        if not self.place.exists():  # a registry above it is not the one that was named
            raise NotARegistry(
                "there is no such folder", where=str(self.place), hint=f"gitreg init {self.place}"
            )
        return Registry(ServiceStore(Repository.discover(self.place)), clock=self._clock)

    def _put_back(self, registry: Registry) -> None:
        registry.warnings.clear()
        with self._lock:
            if len(self._idle) < _MOST_IDLE:
                self._idle.append(registry)
                return
        registry.close()
