"""Forms: only those that this server made for this browser count, and programs need none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gitreg.web import identity
from gitreg.web.access import csrf
from gitreg.web.body import read_body
from gitreg.web.guard import Guard
from gitreg.web.identity import Role
from gitreg.web.settings import Settings
from tests.web import looping
from tests.web.access.conftest import CREATE, ELSEWHERE, Keys
from tests.web.access.conftest import Make as MakeAsking
from tests.web.conftest import Git

FORM = "application/x-www-form-urlencoded"
OURS = {"Origin": "http://localhost:8080", "Sec-Fetch-Site": "same-origin"}


class Forms:
    """An application with one form, behind the real guard."""

    def __init__(self, place: Path, **settings: Any) -> None:
        self.settings = Settings(place=place, **settings)
        self.sent: list[bytes] = []
        self.app = Starlette(
            routes=[
                Route("/form", self._show),
                Route("/form", self._take, methods=["POST", "DELETE"]),
                Route("/form", self._fail, methods=["PUT"]),
            ],
            middleware=[Middleware(Guard, settings=self.settings)],
        )

    async def _show(self, request: Request) -> Response:
        return HTMLResponse(csrf.token_for(request.scope))

    async def _take(self, request: Request) -> Response:
        who = identity.require(Role.WRITER)
        self.sent.append(await read_body(request.scope, request.receive, most=10**6, patience=5))
        return PlainTextResponse(who.name)

    async def _fail(self, request: Request) -> Response:
        raise RuntimeError("a bug")

    def ask(
        self, method: str, *, headers: Any = (), body: str = "", peer: str = "127.0.0.1"
    ) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(peer, 50_000))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
                return await client.request(method, "/form", headers=headers, content=body or None)

        return looping.run(once)

    def page(self, **more: Any) -> tuple[str, str]:
        """The token in the form, and the cookie that came with it."""
        said = self.ask("GET", **more)
        return said.text, said.headers.get("set-cookie", "").partition(";")[0]


Make = Callable[..., Forms]


@pytest.fixture
def forms(place: Path) -> Make:
    return lambda **settings: Forms(place, **settings)


def test_a_form_that_we_made_is_taken(forms: Make) -> None:
    site = forms()
    token, cookie = site.page()
    assert token and cookie.startswith("gitreg-csrf-")
    body = urlencode({"csrf": token, "stage": "Production"})
    said = site.ask("POST", headers={**OURS, "Cookie": cookie, "Content-Type": FORM}, body=body)
    assert said.status_code == 200 and site.sent == [body.encode()]
    again, none = site.page(headers={"Cookie": cookie})
    assert (again, none) == (token, "")  # pages that a browser keeps stay good
    for content_type in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        headers = {**OURS, "Cookie": cookie, "X-CSRF-Token": token, "Content-Type": content_type}
        assert site.ask("POST", headers=headers, body="x").status_code == 200
    assert site.ask("DELETE", headers={**OURS, "Cookie": cookie, "X-CSRF-Token": token}).status_code == 200


def test_G02_without_the_token_nothing_is_taken(forms: Make) -> None:
    site = forms()
    token, cookie = site.page()
    _, other = site.page()
    good = {**OURS, "Cookie": cookie, "Content-Type": FORM}
    body = urlencode({"csrf": token})
    for headers, sent in [
        (good, "stage=Production"),
        (good, ""),
        (good, "csrf="),
        (good, f"csrf={token[:-1]}"),
        (good, f"csrf={token}%00"),
        (good, f"xcsrf={token}"),
        (good, "csrf=%ff&" + body),
        (good, "&".join(["a=1"] * 5000) + f"&{body}"),
        ({**good, "Cookie": other}, body),
        ({**good, "Cookie": f"{cookie}x"}, body),
        ({key: value for key, value in good.items() if key != "Cookie"}, body),
        ({**good, "Content-Type": "text/plain"}, body),
        ({**good, "Content-Type": "multipart/form-data"}, body),
        ({**good, "X-CSRF-Token": ""}, body),
        ({**good, "X-CSRF-Token": "é".encode()}, body),
        ({**good, "Content-Type": "application/json"}, "{}"),
        ({"Content-Type": FORM}, "stage=Production"),  # not a browser, but what a browser could send
        ({}, ""),
        ({"Cookie": cookie}, ""),
    ]:
        said = site.ask("POST", headers=headers, body=sent)
        assert said.status_code == 403, (headers, sent)
        assert said.json()["error_code"] == "PERMISSION_DENIED"
    for foreign in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
    ):
        told = {key: value for key, value in good.items() if key not in OURS}
        assert site.ask("POST", headers={**told, **foreign}, body=body).status_code == 403
    assert site.sent == []


def test_a_program_needs_none(forms: Make, keys: Keys) -> None:
    site = forms()
    assert site.ask("POST", headers={"Content-Type": "application/json"}, body="{}").status_code == 200
    bearer = keys.bearer()
    for content_type in (FORM, "text/plain", "application/json"):
        said = site.ask("POST", headers={**bearer, **OURS, "Content-Type": content_type}, body="a=1")
        assert (said.status_code, said.text) == (200, "Ann Lee")


def test_each_way_of_being_known_has_its_own(forms: Make, keys: Keys, place: Path) -> None:
    from ipaddress import ip_network

    more: dict[str, Any] = {"user_header": "X-User", "trusted_proxies": (ip_network("10.0.0.1"),)}
    site = forms(**ELSEWHERE, **more)
    ann, bob = {"X-User": "ann"}, {"X-User": "bob"}
    token, cookie = site.page(headers=ann, peer="10.0.0.1")
    assert cookie == ""  # the proxy names the user: no cookie of ours is due
    form = {"Content-Type": FORM}
    body = urlencode({"csrf": token})
    assert site.ask("POST", headers={**ann, **form}, body=body, peer="10.0.0.1").status_code == 200
    assert site.ask("POST", headers={**bob, **form}, body=body, peer="10.0.0.1").status_code == 403
    assert site.ask("POST", headers={**ann, **form}, body=body, peer="10.0.0.2").status_code == 403


def test_a_page_outlives_the_first_token(forms: Make, keys: Keys) -> None:
    """The secret that is kept with tokens is made with the first: pages from before stay good."""
    site = forms()
    token, cookie = site.page()
    keys.token()
    headers = {**OURS, "Cookie": cookie, "Content-Type": FORM}
    assert site.ask("POST", headers=headers, body=urlencode({"csrf": token})).status_code == 200
    newer, _ = site.page(headers={"Cookie": cookie})
    assert newer != token
    assert site.ask("POST", headers=headers, body=urlencode({"csrf": newer})).status_code == 200


def test_workers_know_each_others_pages(place: Path) -> None:
    first = Forms(place)
    second = Forms(place, secret=first.settings.secret)
    token, cookie = first.page()
    headers = {**OURS, "Cookie": cookie, "Content-Type": FORM}
    assert second.ask("POST", headers=headers, body=urlencode({"csrf": token})).status_code == 200
    assert Forms(place).ask("POST", headers=headers, body=urlencode({"csrf": token})).status_code == 403


def test_a_long_form_is_refused(forms: Make) -> None:
    site = forms(most_bytes=1000)
    _, cookie = site.page()
    headers = {**OURS, "Cookie": cookie, "Content-Type": FORM}
    assert site.ask("POST", headers=headers, body="a=" + "x" * 2000).status_code == 413


def test_programs_pages_are_not_given_cookies(forms: Make, asking: MakeAsking) -> None:
    assert "set-cookie" not in asking()("GET", "/version").headers
    assert "set-cookie" not in asking().create().headers


@pytest.mark.parametrize("content_type", [None, FORM, "text/plain", "multipart/form-data"])
def test_the_api_takes_no_forms_from_browsers(asking: MakeAsking, git: Git, content_type: str | None) -> None:
    headers = {**OURS, **({"Content-Type": content_type} if content_type else {})}
    before = git("rev-parse", "HEAD")
    assert asking()("POST", CREATE, content='{"name": "m"}', headers=headers).status_code == 403
    assert git("rev-parse", "HEAD") == before
    assert asking().create(headers=OURS).status_code == 200


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_a_bug_is_answered_as_all_else(forms: Make, accept: str) -> None:
    said = forms().ask("PUT", headers={"Content-Type": "application/json", "Accept": accept}, body="{}")
    assert said.status_code == 500 and "a bug" in said.text and "RuntimeError" not in said.text
    assert said.headers["x-frame-options"] == "DENY"
    assert said.headers["content-type"].startswith(
        "text/html" if accept == "text/html" else "application/json"
    )
