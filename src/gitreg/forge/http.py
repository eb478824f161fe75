"""JSON over HTTP for the services' APIs: bounded, without redirects, and with no token in any message."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from gitreg.errors import EnvironmentFailure, GitregError, InvalidInput, NotAllowed, NotFound, OutcomeUnknown

TIMEOUT = 20.0  # seconds without a byte
PATIENCE = 60.0  # seconds for a whole answer
MAX_BYTES = 8 << 20
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_NEXT = re.compile(r'<([^>]+)>\s*;[^,]*rel="?next"?')


class _NoRedirect(HTTPRedirectHandler):
    # A redirect would carry the token to wherever it points.
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the service answered: decoded JSON (None: no content) and headers in lower case."""

    data: Any
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """One service's API.

    Attributes:
        base: Its address, without a slash at the end.
        auth: Headers that hold the token; never shown.
        name: How messages call the service.
        token: Where the token came from, for hints.
    """

    base: str
    auth: Mapping[str, str]
    name: str
    token: str = ""
    timeout: float = TIMEOUT
    patience: float = PATIENCE

    def __repr__(self) -> str:
        return f"Api(base={self.base!r}, name={self.name!r})"

    def ask(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: Any = None
    ) -> Reply:
        """Send one request.

        Args:
            path: Below ``base``, or a full address on the same host (a next page).

        Raises:
            NotAllowed: 401 or 403. NotFound: 404. InvalidInput: 422 and others that blame the request.
            EnvironmentFailure: The service was not reached or is out of order.
            OutcomeUnknown: A change was sent, and its answer was lost.
        """
        request = self._request(method, path, query, body)
        try:
            with build_opener(_NoRedirect).open(request, timeout=self.timeout) as answer:
                raw = self._read(answer)
                headers = {key.lower(): value for key, value in answer.headers.items()}
        except HTTPError as error:
            with error:
                raise self._refused(method, error) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._lost(method, error) from None
        if len(raw) > MAX_BYTES:
            raise EnvironmentFailure(f"{self.name} answered more than {MAX_BYTES} bytes", where=self.base)
        try:
            return Reply(data=json.loads(raw) if raw.strip() else None, headers=headers)
        except (ValueError, RecursionError):
            raise EnvironmentFailure(
                f"{self.name} answered something that is no JSON",
                where=self.base,
                hint="is this the address of its API? see: git remote -v",
            ) from None

    def _read(self, answer: http.client.HTTPResponse | HTTPError) -> bytes:
        parts, size, end = [], 0, time.monotonic() + self.patience
        while size <= MAX_BYTES and (part := answer.read1(1 << 16)):
            parts.append(part)
            size += len(part)
            if time.monotonic() > end:
                raise TimeoutError(f"it took more than {self.patience:.0f} seconds")
        return b"".join(parts)

    def next_page(self, reply: Reply) -> str | None:
        """The address in a ``Link: …; rel="next"`` header, when it is on the same host."""
        found = _NEXT.search(reply.headers.get("link", ""))
        return found[1] if found and found[1].startswith(f"{self.base}/") else None

    def _request(self, method: str, path: str, query: Mapping[str, str] | None, body: Any) -> Request:
        url = path if path.startswith(f"{self.base}/") else self.base + path
        if query:
            url += ("&" if "?" in url else "?") + urlencode(query)
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise NotAllowed(
                f"a token is sent by https only, not to {parts.netloc}", hint="use an https:// remote"
            )
        headers = {"Accept": "application/json", "User-Agent": "gitreg", **self.auth}
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        return Request(url, data=data, headers=headers, method=method)  # noqa: S310 - checked above

    def _refused(self, method: str, error: HTTPError) -> GitregError:
        code, words = error.code, self._words(error)
        said = f"{self.name} answered {code}{': ' + words if words else ''}"
        if code == 429 or (code == 403 and _rationed(error)):
            return EnvironmentFailure(said, where=self.base, hint=f"try again {_later(error)}")
        if code in (401, 403):
            hint = f"check the token from {self.token}" if self.token else "set GITREG_TOKEN"
            return NotAllowed(said, where=self.base, hint=f"{hint}: it may be expired or lack a permission")
        if code == 404:
            hint = "check the repository's address and that the token may see it"
            return NotFound(said, where=self.base, hint=hint)
        if code in (502, 504) and method != "GET":
            return OutcomeUnknown(said, where=self.base, hint="look at the service, then repeat")
        if code >= 500 or code == 408:
            return EnvironmentFailure(said, where=self.base, hint=f"try again {_later(error)}")
        if 300 <= code < 400:
            hint = "has the repository moved? git remote set-url REMOTE URL"
            return EnvironmentFailure(f"{said}: a redirect is not followed", where=self.base, hint=hint)
        return InvalidInput(said, where=self.base)

    def _words(self, error: HTTPError) -> str:
        try:
            data = json.loads(self._read(error))
        except (OSError, ValueError, RecursionError, http.client.HTTPException):
            return ""
        words = list(_texts(data))
        text = "; ".join(dict.fromkeys(words))[:500]
        for secret in self.auth.values():
            text = text.replace(secret.rpartition(" ")[2], "…")
        return "".join(char if char.isprintable() else " " for char in text)

    def _lost(self, method: str, error: Exception) -> GitregError:
        reason = error.reason if isinstance(error, URLError) else error
        words = f"{self.name} was not reached: {getattr(reason, 'strerror', None) or reason}"
        # urllib wraps what goes wrong until the request is sent; a time-out may come after it.
        unsent = isinstance(error, URLError) and not isinstance(reason, TimeoutError | ConnectionResetError)
        if method == "GET" or unsent:
            return EnvironmentFailure(words, where=self.base, hint="check the network and proxy")
        return OutcomeUnknown(
            f"the answer of {self.name} was lost: {reason}", where=self.base, hint="it is safe to repeat"
        )


def _rationed(error: HTTPError) -> bool:
    # GitHub answers 403 to who asks too often: docs.github.com/rest, "Rate limits for the REST API".
    return "Retry-After" in error.headers or error.headers.get("X-RateLimit-Remaining", "").strip() == "0"


def _later(error: HTTPError) -> str:
    told = error.headers.get("Retry-After", "").strip()
    return f"in {told} seconds" if told.isdecimal() and len(told) < 6 else "later"


def _texts(data: Any) -> list[str]:
    # GitHub: message, errors[].message; GitLab: message (text, list or dict of lists), error; Gitea: message.
    if isinstance(data, str):
        return [data]
    if isinstance(data, list):
        return [text for item in data for text in _texts(item)]
    if isinstance(data, dict):
        known = [data[key] for key in ("message", "error", "errors", "error_description") if key in data]
        return [text for item in known or data.values() for text in _texts(item)]
    return []
