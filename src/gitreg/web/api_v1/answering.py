"""The API without a web framework: a request's parts in, a status, headers and bytes out."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from gitreg import __version__
from gitreg.errors import GitregError
from gitreg.registry.counting import Counts
from gitreg.registry.listing import page_commit
from gitreg.web import identity
from gitreg.web.api_v1 import problem, table
from gitreg.web.api_v1.cache import Cache
from gitreg.web.api_v1.operation import PREFIX, Act, Document, Found, Look, Operation, Values
from gitreg.web.api_v1.problem import Problem
from gitreg.web.api_v1.request import read
from gitreg.web.asof import refuse_later
from gitreg.web.identity import Denied

if TYPE_CHECKING:
    from gitreg.registry.registry import Registry
    from gitreg.registry.store import Store
    from gitreg.web.registries import Registries

_LOG = logging.getLogger("gitreg.web")
_JSON = "application/json"
_FULL = frozenset({40, 64})
_HEX = frozenset("0123456789abcdef")
_ALWAYS = "private, no-cache"
_FOR_EVER = "private, max-age=31536000, immutable"
# The form of answers is this version's: another one's tags are others.
_FORM = __version__

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request.

    Attributes:
        method: In capitals.
        path: Below the prefix, percent-encoded.
        query: Names and values, decoded, as they came.
        headers: Name in small letters → value.
        body: What was sent.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer; ``route`` is the template of the path that was asked for, ``""`` where there is none."""

    status: int
    headers: Headers = ()
    content: bytes = b""
    route: str = ""


class Api:
    """Answers requests.

    Args:
        registries: Lends the registry.
        at: The date or revision that the whole server shows; then nothing is written. None: the newest.
        key: The private key with which the server vouches for approvers; ``""``: it has none.
    """

    def __init__(self, registries: Registries, *, at: str | None = None, key: str = "") -> None:
        self._registries = registries
        self._at = at
        self._key = key
        self._cache = Cache()
        self._counts = Counts()

    def answer(self, asked: Asked) -> Reply:
        """Answer one request; it may take as long as Git takes."""
        matches = table.match(asked.path)
        route = PREFIX + matches[0].template if matches else ""
        method = "GET" if asked.method == "HEAD" else asked.method
        try:
            for each in matches:
                if method in each.methods:
                    operation = each.methods[method]
                    values = self._admitted(operation, each.path, asked)
                    return replace(self._carried_out(operation, values, asked), route=PREFIX + each.template)
            return _refused(_no_such(matches, asked), route)
        except Denied as error:
            return _refused(denied(error), route)
        except GitregError as error:
            found = problem.of_error(error)
            if found.status >= 500:
                _LOG.error("%s %s: %s", asked.method, asked.path, error)
            return _refused(found, route)
        except Exception:  # noqa: BLE001 (a bug ends this request, not the server)
            _LOG.exception("%s %s met a bug", asked.method, asked.path)
            return _refused(problem.bug(), route)

    def _admitted(self, operation: Operation, path: Mapping[str, str], asked: Asked) -> Values:
        """What was asked for, by somebody who may."""
        # Who may nothing hears nothing of what else is wrong.
        least = operation.role if operation.read is not None else identity.Role.READER
        identity.require(least)
        if operation.write is not None:
            identity.require_somewhere(max(operation.role, operation.somewhere))
            if "name" in path:
                identity.require(operation.role, path["name"])
        if operation.write is not None and self._at is not None:
            raise Denied(403, f"This server shows the registry as it was at {self._at}: it can't be written.")
        if operation.body is not None and asked.body.strip():
            _check_type(asked.headers)
        values = read(operation, path, asked.query, asked.body)
        if operation.write is not None:
            for name in tuple(operation.models(values)) or (None,):
                identity.require(operation.role, name)
        return values

    def _carried_out(self, operation: Operation, values: Values, asked: Asked) -> Reply:
        if operation.read is None:
            return self._written(operation, values, asked)
        with self._registries.reading() as registry:
            commit, head = self._commit(registry, values)
            if not operation.steady:
                look = self._look(registry, commit, head=head)
                return _reply(operation.read(look, values), (("cache-control", "private, no-store"),))
            headers: Headers = (("etag", tag(commit)), ("cache-control", _lasting(values, commit)))
            if _has(asked.headers.get("if-none-match"), commit):
                return Reply(status=304, headers=headers)
            key = (commit, asked.path, asked.query)
            known = self._cache.get(key)
            if known is None:
                look = self._look(registry, commit, head=head)
                made = _reply(operation.read(look, values))
                known = (made.headers, made.content)
                self._cache.put(key, known)
            return Reply(status=200, headers=(*known[0], *headers), content=known[1])

    def _look(self, registry: Registry, commit: str, *, head: bool) -> Look:
        newest = registry.store.commit_for(self._at) if self._at is not None else None
        return Look(registry, commit, head=head, counts=self._counts, newest=newest)

    def _commit(self, registry: Registry, values: Values) -> tuple[str, bool]:
        """The commit that is asked for, and whether that is just the newest."""
        store = registry.store
        at = values.get("at") or (page_commit(values.get("page_token")) if "page_token" in values else None)
        if self._at is None and at is None:
            return store.head(), True
        commit = _full(store, at) if at is not None else None
        if self._at is None:
            assert commit is not None
            return commit, False
        newest = store.commit_for(self._at)
        if commit is not None:
            refuse_later(store, commit, newest)
        return commit or newest, False

    def _written(self, operation: Operation, values: Values, asked: Asked) -> Reply:
        assert operation.write is not None
        person = identity.current().person
        with self._registries.writing(person) as registry:
            act = Act(
                registry=registry,
                registries=self._registries,
                person=person,
                match=_commits(asked.headers.get("if-match"), registry.store),
                key=self._key,
            )
            found = operation.write(act, values)
        headers: Headers = (("cache-control", "no-store"),)
        if found.commit:
            headers = (("etag", tag(found.commit)), *headers)
        return _reply(found, headers)


def tag(commit: str) -> str:
    """The entity tag of every answer that is made of the registry at one commit."""
    return f'"{commit}.{_FORM}"'


def _reply(found: Found, headers: Headers = ()) -> Reply:
    more: Headers = (("content-type", _JSON),)
    if found.location:
        kind = "location" if found.status == 201 else "content-location"
        more = (*more, (kind, PREFIX + found.location))
    return Reply(status=found.status, headers=(*more, *headers), content=dumped(found.document))


def dumped(document: Document) -> bytes:
    """JSON data as bytes."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _refused(found: Problem, route: str) -> Reply:
    headers = (("content-type", problem.CONTENT_TYPE), ("cache-control", "no-store"), *found.headers)
    return Reply(status=found.status, headers=headers, content=dumped(found.document), route=route)


def denied(error: Denied) -> Problem:
    """The answer to somebody who may not."""
    code = "unauthenticated" if error.status == 401 else "permission-denied"
    found = problem.problem(error.status, code, error.message)
    if error.status == 401:
        return replace(found, headers=(("www-authenticate", 'Bearer realm="gitreg"'),))
    return found


def _no_such(matches: list[table.Match], asked: Asked) -> Problem:
    identity.require(identity.Role.READER)
    if not matches:
        return problem.problem(
            404, "no-such-path", f"there is nothing at {PREFIX}{asked.path}", hint="see /api"
        )
    methods = sorted({method for each in matches for method in each.methods})
    if "GET" in methods:
        methods.append("HEAD")
    found = problem.problem(
        405, "no-such-method", f"this path has no {asked.method}", hint=f"it has {', '.join(methods)}"
    )
    return replace(found, headers=(("allow", ", ".join(methods)),))


def _check_type(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        raise problem.WrongType(
            f"the body is {kind or 'of no type'}", where="Content-Type", hint=f"send {_JSON}"
        )


def _lasting(values: Mapping[str, Any], commit: str) -> str:
    return _FOR_EVER if values.get("at") == commit and len(commit) in _FULL else _ALWAYS


def _has(header: str | None, commit: str) -> bool:
    """Whether ``If-None-Match`` names this commit's tag; weak ones count (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    return header.strip() == "*" or tag(commit) in _tags(header, weak=True)


def _tags(header: str, *, weak: bool) -> list[str]:
    found = [each.strip() for each in header.split(",")]
    return [each.removeprefix("W/") if weak else each for each in found]


def _commits(header: str | None, store: Store) -> tuple[str, ...] | None:
    """The commits that ``If-Match`` names; None where there is none, or any will do."""
    if header is None or header.strip() == "*":
        return None
    return tuple(each.strip('"').partition(".")[0] for each in _tags(header, weak=False))


def _full(store: Store, at: str) -> str:
    """The commit that ``at`` means; a full id of one that the chain has needs no Git."""
    if len(at) in _FULL and set(at) <= _HEX:
        part = store.index.ready()
        if part is not None and part.index.place_of(at) is not None:
            return at
    return store.commit_for(at)
