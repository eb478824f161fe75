"""Where a webhook goes: a URL that may be told to anybody, and the addresses behind it that may be asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from gitreg.errors import EnvironmentFailure, InvalidInput, NotAllowed
from gitreg.subscribers.addresses import PATIENCE, is_public, looked_up

_LONGEST = 2000
_PATH = "!#$%&'()*+,/:;=?@[]~"  # what a path or query may hold as it stands; a % is one already
_WHERE = "URL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL in its parts.

    Attributes:
        tls: Whether it is ``https``.
        host: In ASCII, without brackets.
        port: The port.
        target: Path and query, as a request has them.
        authority: Host and port as they stand in the URL, for the header Host and for people.
    """

    tls: bool
    host: str
    port: int
    target: str
    authority: str

    @property
    def shown(self) -> str:
        """The URL without its query, which may hold a secret."""
        path, mark, _ = self.target.partition("?")
        return f"{'https' if self.tls else 'http'}://{self.authority}{path}{'?…' if mark else ''}"

    def addresses(self, *, allow_private: bool, patience: float = PATIENCE) -> list[tuple[int, Any]]:
        """The addresses to connect to, and to nothing else: a name may mean another one in a moment.

        Args:
            allow_private: Whether they may be of a private network, or this machine's.
            patience: Seconds for a name server.

        Raises:
            NotAllowed: One of them may not be asked.
            EnvironmentFailure: The name can't be looked up.
        """
        try:
            found = looked_up(self.host, self.port, patience=patience)
        except OSError as error:
            said = error.strerror or str(error)
            raise EnvironmentFailure(f"{self.host} was not found: {said}", where=self.shown) from None
        private = [address[0] for _, address in found if not is_public(str(address[0]))]
        if private and not allow_private:
            named = "" if private[0] == self.host else f" ({self.host})"
            raise NotAllowed(
                f"{private[0]}{named} is an address of this machine or of a private network",
                where=self.shown,
                hint="where that is meant: gitreg webhooks add … --allow-private",
            )
        return found


def parse(url: str, *, allow_http: bool) -> Destination:
    """Read a URL. No message repeats what may be a password.

    Args:
        url: As it was given.
        allow_http: Whether it may do without TLS.

    Raises:
        InvalidInput: It is no URL that a webhook can have.
        NotAllowed: It has no TLS.
    """
    if len(url) > _LONGEST or not url.isprintable() or " " in url:
        raise InvalidInput(f"a URL has no spaces, and {_LONGEST} characters at most", where=_WHERE)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise InvalidInput("this can't be read as a URL", where=_WHERE, hint="https://HOST/PATH") from None
    if parts.scheme not in ("https", "http") or not host:
        raise InvalidInput("a webhook has a URL of the form https://HOST/PATH", where=_WHERE)
    if "@" in parts.netloc:
        raise InvalidInput(
            "the URL holds a user name or password: others would read it",
            where=_WHERE,
            hint="leave it out; the receiver knows us by the signature",
        )
    if parts.fragment:
        raise InvalidInput('what follows "#" is never sent', where=_WHERE, hint="leave it out")
    if parts.scheme == "http" and not allow_http:
        raise NotAllowed(
            "without TLS everybody on the way can read what is sent",
            where=_WHERE,
            hint="https://…, or where the way is safe: --allow-http",
        )
    ascii_host = _ascii(host)
    wrapped = f"[{ascii_host}]" if ":" in ascii_host else ascii_host
    query = f"?{parts.query}" if parts.query else ""
    return Destination(
        tls=parts.scheme == "https",
        host=ascii_host,
        port=port or (443 if parts.scheme == "https" else 80),
        target=quote((parts.path or "/") + query, safe=_PATH),
        authority=wrapped if port is None else f"{wrapped}:{port}",
    )


def _ascii(host: str) -> str:
    try:
        found = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        found = ""
    if not re.fullmatch(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?", found):
        raise InvalidInput("the URL's host is no name and no address", where=_WHERE)
    return found
