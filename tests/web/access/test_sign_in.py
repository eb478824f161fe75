"""Signing in with a browser: the form, the session, its end, and where it leads."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from datetime import timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from gitreg.registry.clock import utc_now
from gitreg.web.access import cookies, tokens
from gitreg.web.access.entries import decode, encode
from gitreg.web.access.sign_in import local_path
from gitreg.web.identity import Role
from tests.web.access.conftest import CREATE, ELSEWHERE, Keys, Make
from tests.web.browser.conftest import CHROMIUM, SWITCHES
from tests.web.conftest import Asking, Git
from tests.web.serving import served

PAGE = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


class Browser:
    """Keeps cookies, as a browser does, and fills in the form."""

    def __init__(self, ask: Asking, **headers: str) -> None:
        self.ask = ask
        self.headers = {**PAGE, **headers}
        self.cookies: dict[str, str] = {}

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        sent = {"Cookie": "; ".join(f"{key}={value}" for key, value in self.cookies.items())}
        headers = {**self.headers, **(sent if self.cookies else {}), **more.pop("headers", {})}
        said = self.ask(method, path, headers=headers, **more)
        for text in said.headers.get_list("set-cookie"):
            for key, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = morsel.value
        return said

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self("GET", "/sign-in").text)
        assert found
        return found[1]

    def sign_in(self, token: str, after: str = "/models") -> httpx.Response:
        return self("POST", "/sign-in", data={"token": token, "next": after, "csrf": self.csrf()})

    @property
    def session(self) -> str:
        return next(value for key, value in self.cookies.items() if "gitreg-session-" in key)


def test_a_session_begins_with_a_token(asking: Make, keys: Keys) -> None:
    text, ident = keys.token()
    browser = Browser(asking(**ELSEWHERE, sign_in=True))
    assert browser("GET", "/version").status_code == 401
    said = browser.sign_in(text, "/models?at=2026-01-01")
    assert (said.status_code, said.headers["location"]) == (303, "/models?at=2026-01-01")
    set_cookie = said.headers["set-cookie"]
    assert "HttpOnly" in set_cookie and "SameSite=Lax" in set_cookie and "Path=/" in set_cookie
    assert "Secure" not in set_cookie and text not in set_cookie
    assert browser("GET", "/version").status_code == 200
    keys.revoke(ident)
    said = browser("GET", "/version")
    assert said.status_code == 401 and "Max-Age=0" in said.headers["set-cookie"]
    assert browser("GET", "/version").status_code == 401


def test_signing_out(asking: Make, keys: Keys) -> None:
    browser = Browser(asking(**ELSEWHERE, sign_in=True))
    browser.sign_in(keys.token()[0])
    said = browser("POST", "/sign-out", data={"csrf": browser.csrf()})
    assert (said.status_code, said.headers["location"]) == (303, "/sign-in")
    assert not [key for key in browser.cookies if "session" in key]
    assert browser("GET", "/version").status_code == 401


def test_signing_out_ends_the_session_everywhere(asking: Make, keys: Keys, place: Path) -> None:
    """Its cookie is worth nothing any more, in no process; the user's other browsers stay signed in."""
    text, _ = keys.token()
    ask, elsewhere = (asking(**ELSEWHERE, sign_in=True) for _ in range(2))
    browser, other = Browser(ask), Browser(ask)
    browser.sign_in(text)
    other.sign_in(text)
    kept = dict(browser.cookies)
    assert browser("POST", "/sign-out", data={"csrf": browser.csrf()}).status_code == 303
    for server in (ask, elsewhere):
        thief = Browser(server)
        thief.cookies = dict(kept)
        assert thief("GET", "/version").status_code == 401
        thief.cookies = dict(other.cookies)
        assert thief("GET", "/version").status_code == 200
    assert kept.keys() - browser.cookies.keys()
    session = next(value for key, value in kept.items() if "gitreg-session-" in key)
    assert not any(part in keys.store.path.read_text() for part in session.split(".")[2:])
    browser.sign_in(text)
    assert browser("GET", "/version").status_code == 200


def test_what_has_ended_is_forgotten_when_nobody_can_use_it(keys: Keys) -> None:
    _, ident = keys.token()
    _, gone = keys.token()
    access, now = keys.store.read(), utc_now()
    for each in (ident, gone):
        access = cookies.ended(cookies.session_of(access.tokens[each], access, now), access, now)
    assert len(access.ended) == 2 and decode(encode(access)) == access
    access = replace(access, tokens={ident: access.tokens[ident]})
    access = cookies.ended("nonsense", access, now + timedelta(days=6))
    assert len(access.ended) == 1
    assert not cookies.ended("", access, now + timedelta(days=7, seconds=1)).ended


def test_many_sign_outs_fill_no_disk(keys: Keys) -> None:
    _, ident = keys.token()
    _, quiet = keys.token()
    access, now = keys.store.read(), utc_now()
    others = cookies.session_of(access.tokens[quiet], access, now)
    made = [cookies.session_of(access.tokens[ident], access, now) for _ in range(1003)]
    for session in made[:1002]:
        access = cookies.ended(session, access, now)
    assert len(access.ended) < 10
    assert not any(cookies.token_of_session(each, access, now) for each in made)
    later = now + timedelta(seconds=2)
    fresh = cookies.session_of(access.tokens[ident], access, later)
    assert cookies.token_of_session(fresh, access, later) and cookies.token_of_session(others, access, now)


@pytest.mark.parametrize("bad", ["", "grt_", "nonsense", pytest.param(tokens.new(), id="unknown"), " "])
def test_a_wrong_token(asking: Make, keys: Keys, bad: str) -> None:
    keys.token()
    browser = Browser(asking(**ELSEWHERE))
    said = browser.sign_in(bad)
    assert said.status_code == 401 and 'role="alert"' in said.text
    assert "www-authenticate" in said.headers and "session" not in str(browser.cookies)
    assert bad.strip() in ("", "grt_") or bad not in said.text


def test_an_expired_token_begins_none_and_ends_one(asking: Make, keys: Keys) -> None:
    over, _ = keys.token(expires=utc_now() - timedelta(seconds=1))
    browser = Browser(asking(**ELSEWHERE))
    assert browser.sign_in(over).status_code == 401
    lives, ident = keys.token(expires=utc_now() + timedelta(hours=1))
    access = keys.store.read()
    token, now = access.tokens[ident], utc_now()
    session = cookies.session_of(token, access, now)
    assert cookies.token_of_session(session, access, now) == token
    assert cookies.token_of_session(session, access, now + timedelta(hours=2)) is None
    assert lives not in session


def test_a_session_lasts_a_week_and_can_not_be_forged(keys: Keys) -> None:
    _, ident = keys.token()
    keys.token()
    access, now = keys.store.read(), utc_now()
    session = cookies.session_of(access.tokens[ident], access, now)
    assert cookies.token_of_session(session, access, now + timedelta(days=6, hours=23)) is not None
    assert cookies.token_of_session(session, access, now + timedelta(days=7, seconds=1)) is None
    other = next(key for key in access.tokens if key != ident)
    named, issued, own, signature = session.split(".")
    for forged in (
        f"{other}.{issued}.{own}.{signature}",
        f"{named}.{int(issued, 16) + 9:x}.{own}.{signature}",
        f"{named}.{issued}.{own[::-1]}.{signature}",
        f"{named}.{issued}.{own}.{signature[:-1]}",
        f"{named}.{issued}.{own}.",
        f"{named}.{issued}.{own}.é",
        f"{named}..{own}.{signature}",
        f"{named}.{issued}.{signature}",
        f"{session}.",
        f"{named}",
        "..",
        "",
        "." * 100,
    ):
        assert cookies.token_of_session(forged, access, now) is None, forged


def test_a_session_that_has_ended_writes_as_nobody_else(asking: Make, keys: Keys, git: Git) -> None:
    text, ident = keys.token()
    for settings in ({}, {**ELSEWHERE, "write": True}):
        browser, before = Browser(asking(**settings)), git("rev-parse", "HEAD")
        browser.sign_in(text)
        keys.revoke(ident)
        headers = {"Accept": "*/*"}
        said = browser("POST", CREATE, json={"name": "m"}, headers=headers)
        assert said.status_code == 401 and "sign in again" in said.text
        assert git("rev-parse", "HEAD") == before
        text, ident = keys.token()


def test_a_session_writes_in_its_users_name(asking: Make, keys: Keys, git: Git) -> None:
    browser = Browser(asking())
    browser.sign_in(keys.token()[0])
    said = browser("POST", CREATE, json={"name": "m"}, headers={"Origin": "http://localhost:8080"})
    assert said.status_code == 200
    assert git("log", "-1", "--format=%an <%ae>") == "Ann Lee <ann@example.com>"
    browser.sign_in(keys.token(Role.READER)[0])
    assert browser("POST", CREATE, json={"name": "n"}).status_code == 403


def test_behind_tls_the_cookies_are_for_tls_alone(asking: Make, keys: Keys) -> None:
    told = {"X-Forwarded-Proto": "https"}
    browser = Browser(asking(**ELSEWHERE), **told)
    said = browser.sign_in(keys.token()[0])
    assert "; Secure" in said.headers["set-cookie"]
    assert all(key.startswith("__Host-gitreg-") for key in browser.cookies) and len(browser.cookies) == 2
    stranger = Browser(asking(**ELSEWHERE), **told)
    said = stranger.ask("GET", "/sign-in", headers=stranger.headers, peer="192.0.2.1")
    assert "Secure" not in said.headers["set-cookie"]  # not a proxy that was named


def test_servers_on_one_host_keep_their_cookies_apart(asking: Make, keys: Keys) -> None:
    names = []
    for port in (8080, 8081):
        browser = Browser(asking(port=port))
        browser.sign_in(keys.token()[0])
        names.append(set(browser.cookies))
    assert len(names[0]) == 2 and not names[0] & names[1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/models", "/models"),
        ("/models/a%2Fb?at=2026-01-01&x=1", "/models/a%2Fb?at=2026-01-01&x=1"),
        ("/models/é x", "/models/%C3%A9%20x"),
        ("", "/"),
        ("models", "/"),
        ("//evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        (" //evil.example", "/"),
        ("/a\r\nSet-Cookie: x=1", "/"),
    ],
)
def test_where_it_leads(text: str, expected: str) -> None:
    assert local_path(text) == expected


# A real browser


@pytest.mark.xdist_group("browser")
@pytest.mark.skipif(not importlib.util.find_spec("playwright"), reason="needs Playwright for Python")
@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium (scripts/system-packages chromium)")
def test_in_a_browser(place: Path, keys: Keys) -> None:
    from playwright.sync_api import sync_playwright

    text, ident = keys.token()
    with served(place, "--sign-in") as server, sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        page = chromium.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        first = page.goto(f"{server.url}/models")
        assert first is not None and first.status == 401
        complaints.clear()  # that it was 401
        page.get_by_label("Token").fill(text)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.url}/models")
        assert page.evaluate("document.cookie") == ""
        page.goto(f"{server.url}/sign-in?next=//evil.example")
        assert "signed in as Ann Lee" in page.inner_text("main")
        page.goto(f"{server.url}/models")
        page.get_by_text("Ann Lee").click()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{server.url}/sign-in")
        assert complaints == []
        page.get_by_label("Token").fill(text)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{server.url}/models")  # by way of the first page
        keys.revoke(ident)
        last = page.goto(f"{server.url}/models")
        assert last is not None and last.status == 401
        chromium.close()
