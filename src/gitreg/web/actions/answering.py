"""The forms over HTTP: shown, carried out in a thread, shown again with what was typed where that fails."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from gitreg.errors import GitregError, InvalidInput
from gitreg.web import identity, refusals
from gitreg.web.access import addresses, csrf
from gitreg.web.actions import typed as typing_
from gitreg.web.actions.act import SEEN, Act, Form
from gitreg.web.actions.typed import Problem, Typed
from gitreg.web.body import TooLong, TooSlow, read_body
from gitreg.web.browsing import query_of
from gitreg.web.identity import Denied, Role
from gitreg.web.links import Links
from gitreg.web.pages import look as looking
from gitreg.web.pages.look import Look
from gitreg.web.registries import Registries
from gitreg.web.settings import Settings
from gitreg.web.statuses import status_of
from gitreg.web.threads import Threads

if TYPE_CHECKING:
    from starlette.requests import Request

    from gitreg.registry.registry import Registry

_LOG = logging.getLogger("gitreg.web")
_NO_STORE = {"Cache-Control": "no-store"}


class Actions:
    """Answers for forms.

    Args:
        registries: Lends the registry.
        settings: Of the server.
    """

    def __init__(self, registries: Registries, settings: Settings) -> None:
        self._registries = registries
        self._settings = settings
        self._threads = Threads()

    def routes(self, forms: Iterable[Form]) -> list[BaseRoute]:
        """Where forms are shown and sent."""
        return [Route(form.path, self.endpoint(form), methods=["GET", "POST"]) for form in forms]

    def endpoint(self, form: Form) -> Callable[[Request], Any]:
        """What answers requests for one form."""

        async def answer(request: Request) -> Response:
            if request.method != "POST":
                return await self._threads.run(partial(self.show, form, request))
            try:
                body = await read_body(
                    request.scope,
                    request.receive,
                    most=self._settings.most_bytes,
                    patience=self._settings.patience,
                )
            except TooLong:
                most = self._settings.most_bytes
                return refusals.page(request, 413, f"The form is longer than {most:,} bytes.")
            except TooSlow:
                return refusals.page(request, 408, "The form did not come in time.")
            return await self._threads.run(partial(self.take, form, request, body))

        return answer

    def show(self, form: Form, request: Request) -> Response:
        """The page with the form, or why there is none."""
        try:
            self._check(form, request)
            return self._shown(form, request, Typed())
        except Denied as denied:
            return refusals.page(request, denied.status, denied.message)
        except GitregError as error:
            return refusals.of_error(request, error)

    def take(self, form: Form, request: Request, body: bytes) -> Response:
        """Carry out a form that was sent."""
        typed = Typed(sent=True)
        try:
            self._check(form, request)
            content_type = request.headers.get("content-type", "")
            typed = typing_.read(body, content_type, single=form.single | {SEEN}, several=form.several)
        except Denied as denied:
            return refusals.page(request, denied.status, denied.message)
        except GitregError as error:
            return refusals.of_error(request, error)
        try:
            return RedirectResponse(self._carried_out(form, request, typed), status_code=303)
        except Denied as denied:
            problem = Problem(message=denied.message, code=denied.status)
        except GitregError as error:
            status = status_of(error)
            if status >= 500:
                _LOG.error("POST %s: %s", request.url.path, error)
            problem = typing_.problem_of(error, status, form.places)
        return self._again(form, request, typed.refused(problem))

    def _check(self, form: Form, request: Request) -> None:
        if not self._settings.writable:
            at = self._settings.at
            raise Denied(403, f"This server shows the registry as it was at {at}: it can't be written.")
        identity.require(Role.READER)
        if "name" in request.path_params:
            identity.require(form.role, request.path_params["name"])
        else:  # before it is told whether there is such a thing
            identity.require_somewhere(form.role)

    def _carried_out(self, form: Form, request: Request, typed: Typed) -> str:
        person = identity.current().person
        with self._registries.writing(person) as registry:
            act = Act(registry=registry, person=person, place=self._registries.place, links=Links())
            return form.carry_out(act, typed, **request.path_params)

    def _again(self, form: Form, request: Request, typed: Typed) -> Response:
        """The page once more with what was typed; only what is wrong, where there is no such page now."""
        assert typed.problem is not None
        try:
            return self._shown(form, request, typed)
        except (GitregError, Denied):
            problem = typed.problem
            return refusals.page(
                request, problem.code, problem.message, where=problem.field, hint=problem.hint
            )

    def _shown(self, form: Form, request: Request, typed: Typed) -> Response:
        with self._registries.reading() as registry:
            look = self._look(request, registry)
            page = form.show(look, typed, **request.path_params)
            if typed.problem is not None:
                page = replace(page, status=typed.problem.code)
            return HTMLResponse(looking.html(page, look), status_code=page.status, headers=_NO_STORE)

    def _look(self, request: Request, registry: Registry) -> Look:
        query = query_of(request)
        if query.get("at"):
            raise InvalidInput("the past can't be changed", where="at", hint="leave ?at= out")
        return Look(
            registry=registry,
            view=registry.at(),
            links=Links(),
            query=query,
            identity=identity.current(),
            writable=self._settings.writable,
            csrf=csrf.token_for(request.scope),
            path=request.url.path,
            origin=addresses.origin(request.scope, self._settings),
        )
