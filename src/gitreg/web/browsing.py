"""The pages over HTTP: each is built in a thread, and not at all where the browser has it already."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl

from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gitreg.errors import GitregError
from gitreg.registry.registry import Registry
from gitreg.web import assets, identity, refusals
from gitreg.web.access import addresses, csrf
from gitreg.web.api_v1.page import api
from gitreg.web.asof import look_at
from gitreg.web.identity import Denied, Role
from gitreg.web.kept import Kept
from gitreg.web.links import Links
from gitreg.web.pages import look as looking
from gitreg.web.pages.activity import activity
from gitreg.web.pages.commit import commit
from gitreg.web.pages.compare import compare
from gitreg.web.pages.look import Elsewhere, Look, Page
from gitreg.web.pages.models import models
from gitreg.web.pages.policy import policy
from gitreg.web.pages.proposals import proposal, proposals
from gitreg.web.pages.search import search
from gitreg.web.pages.version import model, version
from gitreg.web.registries import Registries
from gitreg.web.settings import Settings
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from starlette.requests import Request

Making = Callable[..., Page | Elsewhere]
"""Makes a page of a ``Look`` and of the parameters in its address, as keywords."""

_MOST_KEPT = 8_000_000
"""Bytes of pages that are kept: the first page of models is what everybody begins with."""
_YEAR = "public, max-age=31536000, immutable"


class Kind(NamedTuple):
    """One kind of page.

    Attributes:
        path: The pattern of its address.
        make: What makes it.
        lasting: Whether it is the same as long as the commit is: what proposals look like is not.
        forms: Whether it has forms that write: then each browser gets its own.
    """

    path: str
    make: Making
    lasting: bool = True
    forms: bool = False


def pages() -> list[Kind]:
    """Every kind of page."""
    return [
        Kind("/models", models),
        Kind("/models/{name}", model, forms=True),
        Kind("/models/{name}/{which}", version, forms=True),
        Kind("/compare", compare),
        Kind("/search", search),
        Kind("/activity", activity),
        Kind("/activity/{oid}", commit),
        Kind("/proposals", proposals, lasting=False),
        Kind("/proposals/{ref:path}", proposal, lasting=False),
        Kind("/policy", policy, lasting=False),
        Kind("/api", api),
    ]


def routes(registries: Registries, settings: Settings) -> list[BaseRoute]:
    """The routes of all pages, and of the files that they need."""
    pages_of = Browsing(registries, settings)
    return [
        Route("/", _home, methods=["GET"]),
        Route("/static/{file}", _static, methods=["GET"]),
        Route("/favicon.ico", _icon, methods=["GET"]),
        *(Route(kind.path, pages_of.endpoint(kind), methods=["GET"]) for kind in pages()),
    ]


class Browsing:
    """Answers for pages.

    Args:
        registries: Lends the registry.
        settings: Of the server.
    """

    def __init__(self, registries: Registries, settings: Settings) -> None:
        self._registries = registries
        self._settings = settings
        self._threads = Threads()
        self._kept: Kept[str, bytes] = Kept(most=_MOST_KEPT, longest=_MOST_KEPT // 8, weigh=_size)

    def endpoint(self, kind: Kind) -> Callable[[Request], Any]:
        """What answers requests for one kind of page."""

        async def answer(request: Request) -> Response:
            return await self._threads.run(partial(self.answer, kind, request))

        return answer

    def answer(self, kind: Kind, request: Request) -> Response:
        """The page, or why there is none."""
        try:
            identity.require(Role.READER)
            with self._registries.reading() as registry:
                try:
                    return self._answer(kind, request, registry)
                except GitregError as error:
                    return refusals.of_error(request, error, self._around(request, registry))
        except Denied as denied:
            return refusals.page(request, denied.status, denied.message)
        except GitregError as error:
            return refusals.of_error(request, error)

    def _around(self, request: Request, registry: Registry) -> Look | None:
        """What stands around a refusal: the registry as it was asked for, else as it is now."""
        asked = query_of(request).get("at", [""])[-1].strip() or None
        for at in dict.fromkeys((asked, None)):
            try:
                look = self._look(request, registry, at)
                if look.settings and look.when:  # it can be read
                    return look
            except GitregError:
                continue
        return None

    def _look(self, request: Request, registry: Registry, asked: str | None) -> Look:
        return Look(
            registry=registry,
            view=look_at(registry, asked, self._settings.at),
            links=Links(asked),
            query=query_of(request),
            at=asked or self._settings.at,
            identity=identity.current(),
            writable=self._settings.writable,
            csrf=csrf.token_for(request.scope),
            path=request.url.path,
            origin=addresses.origin(request.scope, self._settings),
            vouches=bool(self._settings.signing_key),
            typing=_is_typing(request),
        )

    def _answer(self, kind: Kind, request: Request, registry: Registry) -> Response:
        asked = query_of(request).get("at", [""])[-1].strip() or None
        look = self._look(request, registry, asked)
        if not (kind.forms or not kind.lasting or look.identity.kind == "session"):
            look = replace(look, csrf="")  # without it the page is the same for many, and is kept
        # After signing out the way back leads to no page of theirs.
        if not kind.lasting or look.identity.kind == "session":
            return _response(kind.make(look, **request.path_params), look, {"Cache-Control": "no-store"})
        tag = _tag(look, request)
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "HX-Request"}
        if tag in (each.strip() for each in request.headers.get("if-none-match", "").split(",")):
            return Response(status_code=304, headers=headers)
        kept = self._kept.get(tag)
        if kept is not None:
            return HTMLResponse(kept, headers=headers)
        made = _response(kind.make(look, **request.path_params), look, headers)
        if made.status_code == 200:
            self._kept.put(tag, bytes(made.body))
        return made


def _size(tag: str, page: bytes) -> int:
    return len(page)


def _response(made: Page | Elsewhere, look: Look, headers: Mapping[str, str]) -> Response:
    if isinstance(made, Elsewhere):
        return RedirectResponse(made.address, status_code=302)
    return HTMLResponse(looking.html(made, look), status_code=made.status, headers=headers)


def query_of(request: Request) -> Mapping[str, Sequence[str]]:
    """What was asked in the address: key → its values, in their order."""
    found: dict[str, list[str]] = {}
    for key, value in parse_qsl(request.url.query, keep_blank_values=True, errors="replace"):
        found.setdefault(key, []).append(value)
    return found


def _is_typing(request: Request) -> bool:
    """Whether a field asks while somebody types in it; going back asks in the same way for a whole page."""
    return "hx-request" in request.headers and "hx-history-restore-request" not in request.headers


def _tag(look: Look, request: Request) -> str:
    """What differs whenever the page would."""
    who = look.identity
    shown = (look.view.commit, assets.stamp(), str(request.url), look.origin, look.csrf, look.at or "")
    seen = (str(look.writable), str(look.typing))
    made = sha256("\0".join((*shown, repr(who), *seen)).encode("utf-8", "replace"))
    return f'W/"{made.hexdigest()[:24]}"'


async def _home(request: Request) -> Response:
    asked = request.url.query
    return RedirectResponse("/models" + (f"?{asked}" if asked else ""), status_code=302)


async def _icon(request: Request) -> Response:
    """Where browsers look for the icon of what is no page."""
    return RedirectResponse("/static/icon.svg", status_code=301)


async def _static(request: Request) -> Response:
    file = request.path_params["file"]
    try:
        content = assets.content(file)
    except KeyError:
        return PlainTextResponse("There is no such file.", status_code=404)
    kept = _YEAR if request.url.query else "public, max-age=300"
    kind = assets.TYPES[file.rpartition(".")[2]]
    return Response(content, media_type=kind, headers={"Cache-Control": kept})
