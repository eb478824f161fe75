"""The application: its routes in a list, the guard in front of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from gitreg import __version__
from gitreg.mlflow import rest
from gitreg.mlflow.facade import Facade
from gitreg.web import browsing, caller, health, refusals
from gitreg.web.access import sign_in
from gitreg.web.actions.routes import routes as actions
from gitreg.web.api import MlflowApi
from gitreg.web.api_v1 import routes as api_v1
from gitreg.web.delivering import Delivering
from gitreg.web.guard import Guard
from gitreg.web.metrics import Counting, Metrics
from gitreg.web.metrics import routes as metrics_routes
from gitreg.web.registries import Registries
from gitreg.web.responses import wants_page

if TYPE_CHECKING:
    from starlette.requests import Request

    from gitreg.web.settings import Settings

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def create(settings: Settings) -> Starlette:
    """The application for one registry.

    Args:
        settings: The registry, and who may do what.
    """
    facade = Facade(settings.place, at=settings.at, propose=settings.propose, caller=caller.current)
    registries = Registries(settings.place)
    metrics = Metrics(registries, at=settings.at)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        delivering = Delivering(settings)
        delivering.start()
        yield
        delivering.stop()
        facade.close()
        registries.close()

    middleware = [
        Middleware(Counting, metrics=metrics),
        Middleware(GZipMiddleware, minimum_size=1400, compresslevel=5),
        Middleware(Guard, settings=settings),
    ]
    if settings.allowed_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=list(settings.allowed_origins),
                allow_methods=list(_METHODS),
                allow_headers=["Authorization", "Content-Type", "If-Match", "If-None-Match", "Last-Event-ID"],
                expose_headers=["ETag", "Location", "Content-Location"],
            )
        )
    made = Starlette(
        routes=[*routes(facade, registries, settings), *metrics_routes(metrics)],
        middleware=middleware,
        exception_handlers={HTTPException: _refused, Exception: _failed},
        lifespan=lifespan,
    )
    made.router.redirect_slashes = False  # as MLflow's server: a path is there or not
    return made


def routes(facade: Facade, registries: Registries, settings: Settings) -> list[BaseRoute]:
    """Every route that the application has."""
    api = MlflowApi(facade, settings)
    return [
        *(Mount(prefix.rstrip("/"), app=api) for prefix in rest.PREFIXES),
        *health.routes(registries, settings),
        Route("/version", _version),
        *sign_in.routes(settings),
        *actions(registries, settings),
        *api_v1.routes(registries, settings),
        *browsing.routes(registries, settings),
    ]


async def _version(request: Request) -> Response:
    return PlainTextResponse(__version__)


async def _refused(request: Request, problem: Exception) -> Response:
    """What the router itself refuses: a page to a browser, else in the form of MLflow's errors."""
    assert isinstance(problem, HTTPException)
    if problem.status_code == 405:
        message = f"{request.url.path} has no {request.method}."
    else:
        message = f"There is nothing at {request.url.path}."
    if wants_page(request.scope):
        return refusals.page(request, problem.status_code, message)
    found = rest.error(problem.status_code, "ENDPOINT_NOT_FOUND", message)
    return JSONResponse(found.document, status_code=found.status, headers=problem.headers)


async def _failed(request: Request, problem: Exception) -> Response:
    """A bug: told in the log, to which the server adds the traceback, and not to the client."""
    found = rest.error(500, "INTERNAL_ERROR", "gitreg met a bug; the server's log has the details.")
    return JSONResponse(found.document, status_code=found.status)
