"""The registry that a server shows: open for reading, or in the name of somebody who writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gitreg.gitstore.objects import Person
from gitreg.mlflow.pool import Pool
from gitreg.registry.clock import utc_now
from gitreg.registry.registry import Registry


class Registries:
    """Lends the registry of one place to one thread at a time.

    Args:
        place: A folder of the registry, or a bare repository.
    """

    def __init__(self, place: Path) -> None:
        self.place = place
        self._pool = Pool(place, utc_now)

    @contextmanager
    def reading(self) -> Iterator[Registry]:
        """An open registry, for the ``with`` block alone.

        Raises:
            GitregError: There is none at the place.
        """
        with self._pool.lend() as registry:
            yield registry

    @contextmanager
    def writing(self, author: Person | None) -> Iterator[Registry]:
        """The same, whose commits are ``author``'s; None: of whom Git's configuration names."""
        with self._pool.lend() as registry:
            yield Registry(registry.store, author=author, clock=utc_now)

    def close(self) -> None:
        """Close what nobody has."""
        self._pool.close()
