"""The routes of the API, of its description and of the page that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route

from gitreg.web import identity
from gitreg.web.api_v1 import openapi
from gitreg.web.api_v1.answering import Api, denied, dumped
from gitreg.web.api_v1.asgi import Endpoint
from gitreg.web.api_v1.operation import PREFIX
from gitreg.web.api_v1.problem import CONTENT_TYPE
from gitreg.web.api_v1.streaming import PATH, EventStream

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

    from gitreg.web.registries import Registries
    from gitreg.web.settings import Settings


class _Below(Mount):
    """Everything below a prefix, whatever it holds: Starlette's own pattern ends where a line does."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a request is for what is below."""
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self.path}/"):
            return Match.FULL, {"endpoint": self.app}
        return Match.NONE, {}


def routes(registries: Registries, settings: Settings) -> list[BaseRoute]:
    """Everything below ``/api/v1``, and the page ``/api``.

    Args:
        registries: Lends the registry.
        settings: What the server was told.
    """
    endpoint = Endpoint(Api(registries, at=settings.at, key=settings.signing_key), settings)
    return [
        Route(f"{PREFIX}/openapi.json", _description),
        Route(PATH, EventStream(registries, at=settings.at, patience=settings.patience)),
        _Below(PREFIX, app=endpoint),
    ]


async def _description(request: Request) -> Response:
    try:
        identity.require(identity.Role.READER)
    except identity.Denied as error:
        found = denied(error)
        return Response(
            dumped(found.document), found.status, headers=dict(found.headers), media_type=CONTENT_TYPE
        )
    headers = {"etag": openapi.tag(), "cache-control": "private, no-cache"}
    if request.headers.get("if-none-match") == openapi.tag():
        return Response(status_code=304, headers=headers)
    return Response(openapi.text(), media_type="application/json", headers=headers)
