"""Sets up a webhook: checks what was asked for, and decides where it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from gitreg.errors import EnvironmentFailure, GitregError, InvalidInput, NotFound
from gitreg.registry.dates import is_date
from gitreg.registry.looking import moment
from gitreg.registry.root import root_of
from gitreg.registry.store import Store
from gitreg.subscribers import proposals
from gitreg.subscribers.destination import parse
from gitreg.subscribers.kinds import check_names
from gitreg.subscribers.ledger import Ledger
from gitreg.subscribers.webhook import Cursor, Interest, Mode, Webhook, check_name, free_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody asks for; texts as they were given.

    Attributes:
        url: Where deliveries go.
        secret: From ``signature``.
        name: ``""``: it is called after its host.
        events: Names of events; none: all.
        models: Patterns of model names; none: all.
        stages: Names of stages; none: all.
        mode: How an event is put into a request.
        source: A URI; ``""``: one made of the registry's first commit.
        since: A revision or date to begin after; ``""``: now.
        allow_private: Whether the address may be of a private network, or this machine's.
        allow_http: Whether it may do without TLS.
    """

    url: str
    secret: str
    name: str = ""
    events: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    mode: Mode = "structured"
    source: str = ""
    since: str = ""
    allow_private: bool = False
    allow_http: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A webhook that was set up, and what a person should know of it."""

    webhook: Webhook
    warnings: tuple[str, ...]


def add(store: Store, wish: Wish, now: datetime) -> Added:
    """Set up a webhook; it is told of what happens from now on, or after ``wish.since``.

    Args:
        store: The registry, on its own branch.
        wish: What is asked for.
        now: The time.

    Raises:
        InvalidInput: A part of it makes no sense.
        NotAllowed: The address is not public, or has no TLS.
        AlreadyExists: Another webhook is called so.
    """
    ledger = Ledger.of(store.repository)
    destination = parse(wish.url, allow_http=wish.allow_http)
    warnings = []
    try:
        destination.addresses(allow_private=wish.allow_private)
    except EnvironmentFailure as error:
        warnings.append(f"{error.message}; it is looked up again at each delivery")
    settings = store.view(store.head()).settings
    interest = Interest(
        events=check_names(wish.events),
        models=_patterns(wish.models),
        stages=tuple(dict.fromkeys(settings.stage(name).name for name in wish.stages)),
    )
    taken = [one.name for one in ledger.webhooks()]
    name = check_name(wish.name) if wish.name else free_name(destination.host, taken)
    source = _source(wish.source) if wish.source else default_source(store)
    commit = _begin(store, wish.since) if wish.since else store.index.slice().commit
    cursor = Cursor(commit=commit, announced=proposals.begin(store, ledger, now))
    webhook = Webhook(
        id=0,
        name=name,
        url=wish.url,
        secret=wish.secret,
        interest=interest,
        mode=wish.mode,
        source=source,
        allow_private=wish.allow_private,
        allow_http=wish.allow_http,
        created=now,
        cursor=cursor,
    )
    return Added(webhook=ledger.add(webhook), warnings=tuple(warnings))


def default_source(store: Store) -> str:
    """What tells a registry from others wherever it lies: the commit that set it up."""
    return f"urn:gitreg:registry:{root_of(store, store.head())}"


def _patterns(given: Sequence[str]) -> tuple[str, ...]:
    if any(not one.strip() for one in given):
        raise InvalidInput("a pattern of model names is empty", where="--model", hint="such as 'churn*'")
    return tuple(dict.fromkeys(given))


def _source(text: str) -> str:
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        scheme = ""
    if not scheme or not text.isascii() or not text.isprintable() or " " in text or len(text) > 500:
        raise InvalidInput(
            "the source of events is no URI", where="--source", hint="such as https://models.example.com"
        )
    if "@" in urlsplit(text).netloc:
        raise InvalidInput("the URI holds a user name or password: it is sent to others", where="--source")
    return text


def _begin(store: Store, since: str) -> str:
    """The commit after which a webhook begins; ``""``: before the first."""
    part = store.index.slice()
    if is_date(since):
        when = moment(part, since, "--since", day_begins=True)
        rows = part.rows(
            "SELECT oid FROM chain WHERE seq < coalesce((SELECT min(seq) FROM chain WHERE time >= ?), ?) "
            "AND seq <= ? ORDER BY seq DESC LIMIT 1",
            when.timestamp() if when else 0,
            part.seq + 1,
            part.seq,
        )
        return str(rows[0][0]) if rows else ""
    try:
        commit = store.commit_for(since)
    except GitregError as error:
        error.where = "--since"
        raise
    if part.index.place_of(commit) is None:
        raise NotFound(
            f"the commit {commit[:10]} is not on the branch's first-parent history",
            where="--since",
            hint="gitreg log --oneline",
        )
    return commit
