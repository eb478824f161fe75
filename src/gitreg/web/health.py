"""``/health``: the process answers. ``/ready``: it can answer for the registry."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from gitreg.errors import GitregError
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from starlette.requests import Request

    from gitreg.web.registries import Registries
    from gitreg.web.settings import Settings

_LOG = logging.getLogger("gitreg.web")
_NO_STORE = {"cache-control": "no-store"}


class Readiness:
    """Whether the registry opens and its index answers at the newest commit.

    Args:
        registries: Lends the registry.
        at: The date or revision that the whole server shows.
    """

    def __init__(self, registries: Registries, *, at: str | None = None) -> None:
        self._registries = registries
        self._at = at
        self._making = threading.Lock()

    def look(self) -> tuple[int, dict[str, Any]]:
        """HTTP status, and what there is to say; nothing of the server's own files is told."""
        try:
            with self._registries.reading() as registry:
                store = registry.store
                commit = store.head() if self._at is None else store.commit_for(self._at)
                if store.index.ready(commit) is None:
                    self._make()
                    return 503, _unready("the index is being made")
        except GitregError as error:
            _LOG.warning("not ready: %s", error)
            return 503, _unready(f"the registry can't be read ({error.kind})")
        except OSError as error:
            _LOG.warning("not ready: %s", error)
            return 503, _unready("the registry's files can't be read")
        return 200, {"status": "ready", "commit": commit}

    def _make(self) -> None:
        """Have the index made, once, by a thread that nobody waits for."""
        if self._making.acquire(blocking=False):
            threading.Thread(target=self._made, daemon=True).start()

    def _made(self) -> None:
        try:
            with self._registries.reading() as registry:
                registry.store.index.slice()
        except (GitregError, OSError) as error:
            _LOG.warning("the index could not be made: %s", error)
        finally:
            self._making.release()


def _unready(reason: str) -> dict[str, Any]:
    return {"status": "unready", "reason": reason}


def routes(registries: Registries, settings: Settings) -> list[BaseRoute]:
    """``/health`` and ``/ready``.

    Args:
        registries: Lends the registry.
        settings: What the server was told.
    """
    readiness = Readiness(registries, at=settings.at)
    threads = Threads(1)

    async def health(request: Request) -> Response:
        return PlainTextResponse("OK", headers=_NO_STORE)  # in the words of MLflow's server

    async def ready(request: Request) -> Response:
        status, document = await threads.run(readiness.look)
        return JSONResponse(document, status, headers=_NO_STORE)

    return [Route("/health", health), Route("/ready", ready)]
