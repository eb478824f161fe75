"""What a person asks of the past, made exact: names looked up, days made moments."""

from __future__ import annotations

from datetime import UTC, datetime

from gitreg.errors import InvalidInput
from gitreg.index.reading import Slice
from gitreg.registry.dates import parse_moment, refuse_future
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.log import Wanted
from gitreg.registry.store import Store
from gitreg.registry.view import View


def view_of(store: Store, part: Slice) -> View:
    """The registry at the commit of a slice, answered from the index."""
    return View(commit=part.commit, states=IndexedStates(store, part))


def wanted_of(
    store: Store,
    part: Slice,
    uri: str | None,
    *,
    stage: str | None = None,
    alias: str | None = None,
    author: str | None = None,
    since: str | datetime | None = None,
    until: str | datetime | None = None,
) -> Wanted:
    """The events that a person asks for; arguments are those of ``Registry.log``.

    Raises:
        NotFound: There never was such a model or version.
        InvalidInput: A stage or date is none.
    """
    view = view_of(store, part)
    name = number = None
    if uri is not None:
        found = view.reference(uri)
        name, selector = found.name, found.selector
        # A number is taken as it stands: the history of a deleted version is worth telling, too.
        number = None if selector is None else selector.version or view.version(uri).version
        if not _known(part, name):
            view.model(name)  # raises: there never was such a model
        if number is not None and not _was_there(part, name, number):
            view.version(f"{name}/{number}")  # raises
    return Wanted(
        name=name,
        version=number,
        stage=None if stage is None else _stage(part, view, stage),
        alias=alias,
        author=author,
        since=moment(part, since, "--since", day_begins=True),
        until=moment(part, until, "--until"),
    )


def moment(
    part: Slice, given: str | datetime | None, where: str, *, day_begins: bool = False
) -> datetime | None:
    """A date as a person gives it; a day alone means its end, or its beginning.

    Args:
        part: What is known.
        given: The date; UTC where it has no zone.
        where: The option, for messages.
        day_begins: Whether a day alone means its beginning.

    Raises:
        InvalidInput: It is no date, or lies in the future.
    """
    if given is None:
        return None
    if isinstance(given, datetime):
        found = given if given.tzinfo else given.replace(tzinfo=UTC)
    else:
        try:
            found = parse_moment(given)
        except InvalidInput as error:
            error.where = where
            raise
        if day_begins and len(given.strip()) == 10:
            found = found.replace(hour=0, minute=0, second=0, microsecond=0)
    refuse_future(found, lambda: part.link(part.seq).time, said=str(given), where=where)
    return found


def _known(part: Slice, name: str) -> bool:
    ever = (
        "SELECT 1 FROM model WHERE name = ? AND since <= ? "
        "UNION SELECT 1 FROM event WHERE name = ? AND seq <= ? LIMIT 1"
    )
    return bool(part.rows(ever, name, part.seq, name, part.seq))


def _was_there(part: Slice, name: str, number: int) -> bool:
    ever = "SELECT 1 FROM version WHERE name = ? AND number = ? AND since <= ? LIMIT 1"
    return any(part.rows(ever, span.name, number, part.seq) for span in part.names(name))


def _stage(part: Slice, view: View, text: str) -> str:
    """The exact name of a stage of the settings, or of one that a version ever held."""
    try:
        return view.settings.stage(text).name
    except InvalidInput:
        rows = part.rows("SELECT stage FROM holding WHERE stage = ? COLLATE NOCASE LIMIT 1", text)
        if not rows:
            raise
        return str(rows[0][0])
