"""Open an MLflow store for reading: by its tables where that can be, else through MLflow's client."""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from gitreg.importers.mlflow.client import ClientListing, ClientRuns, client_of
from gitreg.importers.mlflow.place import Place, check_installed, check_there, quiet, telling
from gitreg.importers.mlflow.table_runs import TableRuns
from gitreg.importers.mlflow.tables import TableListing, Unlike, connected
from gitreg.importers.mlflow.values import Listing, Tracking


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An MLflow store that is open for reading.

    Attributes:
        listing: Its registry.
        tracking: Its runs; None where they are not to be asked.
    """

    listing: Listing
    tracking: Tracking | None


@contextlib.contextmanager
def open_source(
    registry: Place,
    tracking: Place | None,
    *,
    wanted: Callable[[str], bool] = lambda name: True,
    by_client: bool = False,
) -> Iterator[Source]:
    """Open a store; nothing is created or changed there.

    Args:
        registry: Where the models are.
        tracking: Where the runs are; None: no run is asked for.
        wanted: Which models to read, by name.
        by_client: Ask MLflow's client even where there are tables to read.

    Raises:
        NotFound: There is no such store.
        EnvironmentFailure: MLflow is not installed, or the store can't be read; the text holds no secret.
    """
    places = (registry, *([tracking] if tracking else []))
    for place in places:
        check_there(place)
    with contextlib.ExitStack() as stack:
        stack.enter_context(telling(*places))
        listing = None if by_client else _table_listing(stack, registry, wanted)
        runs: Tracking | None = None
        if tracking and not by_client:
            runs = _table_runs(stack, tracking)
        if listing is None or (tracking and runs is None):
            check_installed()
            stack.enter_context(quiet(tracking or registry))
            client = client_of(registry, tracking or registry)
            listing = listing or ClientListing(client, registry, wanted)
            runs = runs or (ClientRuns(client, tracking) if tracking else None)
        yield Source(listing=listing, tracking=runs)


def _table_listing(
    stack: contextlib.ExitStack, place: Place, wanted: Callable[[str], bool]
) -> Listing | None:
    if not place.database or importlib.util.find_spec("sqlalchemy") is None:
        return None
    with contextlib.suppress(Unlike):
        return TableListing(stack.enter_context(connected(place)), place, wanted)
    return None


def _table_runs(stack: contextlib.ExitStack, place: Place) -> Tracking | None:
    if not place.database or importlib.util.find_spec("sqlalchemy") is None:
        return None
    with contextlib.suppress(Unlike):
        return TableRuns(stack.enter_context(connected(place)))
    return None
