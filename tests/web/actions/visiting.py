"""Somebody at a browser without scripts: loads pages, fills in their forms and sends them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.web import looping

Fields = dict[str, list[str]]


@dataclass
class Form:
    """A form of a page: where it is sent, and what its fields hold."""

    action: str
    fields: Fields = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[Form] = []
        self._area: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {key: value or "" for key, value in attrs}
        if tag == "form" and told.get("method") == "post":
            self.found.append(Form(told["action"]))
        elif tag == "form":
            self.found.append(Form("(get)"))
        if not self.found:
            return
        fields, name = self.found[-1].fields, told.get("name")
        if tag == "input" and name and (told.get("type") != "checkbox" or "checked" in told):
            fields.setdefault(name, []).append(told.get("value", ""))
        elif tag == "textarea" and name:
            self._area = name
            fields.setdefault(name, []).append("")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in told or self._select not in fields):
            fields[self._select] = [told.get("value", "")]
        elif tag == "button" and name:
            self.found[-1].buttons.append((name, told.get("value", "")))

    def handle_data(self, data: str) -> None:
        if self._area is not None:
            self.found[-1].fields[self._area][-1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._area is not None:
            values = self.found[-1].fields[self._area]
            values[-1] = values[-1].removeprefix("\n").replace("\n", "\r\n")
            self._area = None
        elif tag == "select":
            self._select = None


def forms(html: str) -> list[Form]:
    """The forms of a page that change something."""
    parser = _Forms()
    parser.feed(html)
    parser.close()
    return [form for form in parser.found if form.action not in ("(get)", "/sign-out")]


class Visitor:
    """One browser.

    Args:
        app: The application.
        user: Whom the proxy names; ``""``: nobody.
        email: Their address, as the proxy tells it.
        peer: Where the requests come from.
    """

    def __init__(self, app: Any, user: str = "", *, email: str = "", peer: str = "127.0.0.1") -> None:
        self.app = app
        self.peer = peer
        self.headers = {"X-Forwarded-User": user, "X-Forwarded-Email": email} if user else {}
        self.cookies = httpx.Cookies()

    def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request, with the browser's cookies."""

        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, client=(self.peer, 50_000))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost:8080", cookies=self.cookies
            ) as client:
                headers = self.headers | more.pop("headers", {})
                found = await client.request(method, path, headers=headers, **more)
                self.cookies.update(client.cookies)
                return found

        return looping.run(once)

    def get(self, path: str) -> httpx.Response:
        """A page."""
        return self.ask("GET", path)

    def load(self, path: str) -> Form:
        """The form of a page."""
        page = self.get(path)
        assert page.status_code == 200, (page.status_code, page.text)
        (form,) = forms(page.text)
        return form

    def send(self, form: Form, **typed: str | Sequence[str] | None) -> httpx.Response:
        """Fill in a form and send it; None leaves a field out."""
        fields: dict[str, Sequence[str]] = dict(form.fields)
        for key, value in typed.items():
            if value is None:
                fields.pop(key, None)
            else:
                fields[key] = [value] if isinstance(value, str) else value
        return self.post(form.action, fields)

    def post(self, path: str, fields: Mapping[str, Any]) -> httpx.Response:
        """Send what a form would."""
        body = urlencode(fields, doseq=True)
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://localhost:8080"}
        return self.ask("POST", path, content=body, headers=kind)

    def fill(self, path: str, **typed: str | Sequence[str] | None) -> httpx.Response:
        """Load a page, fill in its form, press its first button."""
        form = self.load(path)
        for name, value in form.buttons[:1]:
            typed.setdefault(name, value)
        return self.send(form, **typed)
