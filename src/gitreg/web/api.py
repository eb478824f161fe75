"""MLflow's registry REST API as a part of the application."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from gitreg.mlflow import rest
from gitreg.mlflow.request import Message
from gitreg.web import identity
from gitreg.web.body import Gone, TooLong, TooSlow, read_body
from gitreg.web.identity import Denied, Role
from gitreg.web.responses import respond
from gitreg.web.settings import Settings
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from gitreg.mlflow.facade import Facade

_LOG = logging.getLogger("gitreg.web")


class MlflowApi:
    """The endpoints below ``rest.PREFIXES``: each request is answered in a thread, never in the event loop.

    Args:
        facade: The registry.
        settings: Bounds for bodies.
    """

    def __init__(self, facade: Facade, settings: Settings) -> None:
        self._facade = facade
        self._settings = settings
        self._threads = Threads()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI).

        Raises:
            Denied: Whoever asks may not.
        """
        identity.require(Role.READER)
        if rest.writes(scope["method"], scope["path"]):
            identity.require_somewhere(Role.WRITER)  # before the body is read, which names the model
        try:
            body = await read_body(
                scope, receive, most=self._settings.most_bytes, patience=self._settings.patience
            )
        except Gone:
            return
        except TooLong:
            message = f"The request's body is longer than {self._settings.most_bytes} bytes."
            await respond(send, rest.error(413, "INVALID_PARAMETER_VALUE", message), close=True)
            return
        except TooSlow:
            message = f"The request's body did not come within {self._settings.patience:g} seconds."
            await respond(send, rest.error(408, "DEADLINE_EXCEEDED", message), close=True)
            return
        method: str = scope["method"]
        work = partial(self._answer, "GET" if method == "HEAD" else method, scope, body)
        await respond(send, await self._threads.run(work), empty=method == "HEAD")

    def _answer(self, method: str, scope: Scope, body: bytes) -> rest.Answer:
        path: str = scope["path"]
        content_type = next((value for key, value in scope["headers"] if key == b"content-type"), None)
        try:
            found = rest.answer(
                self._facade,
                method,
                path,
                parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True),
                body,
                content_type=None if content_type is None else content_type.decode("latin-1"),
                permit=_permit,
            )
        except Denied:
            raise
        except Exception:  # noqa: BLE001 (a bug ends this request, not the server)
            _LOG.exception("%s %s met a bug", method, path)
            return rest.error(500, "INTERNAL_ERROR", "gitreg met a bug; the server's log has the details.")
        if found.status >= 500:
            _LOG.error("%s %s: %s", method, path, found.document["message"])
        return found


def _permit(endpoint: rest.Endpoint, asked: Message) -> None:
    """Refuse a request that writes to a model which its sender may not write; a new name counts, too."""
    if endpoint.writes:
        for name in (asked["name"], asked.get("new_name")):
            if name is not None:
                identity.require(Role.WRITER, name)
