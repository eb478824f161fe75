"""Sends one request to an address that was looked at, and reads no more of the answer than is needed."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from gitreg import __version__
from gitreg.errors import GitregError
from gitreg.subscribers.destination import Destination

_EXCERPT = 2048  # bytes of an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds that a receiver has.

    Attributes:
        connect: For each of its addresses.
        whole: From the look-up of its name to the head of its answer.
    """

    connect: float = 5.0
    whole: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a receiver said.

    Attributes:
        status: Of the answer; None where none came.
        fault: Why the delivery does not count, ``""`` where it does.
        retry_after: The header Retry-After; None where it is missing.
        excerpt: The first bytes of the body.
        seconds: How long it took.
    """

    status: int | None
    fault: str
    retry_after: str | None = None
    excerpt: bytes = b""
    seconds: float

    @property
    def taken(self) -> bool:
        """Whether the receiver has it now."""
        return not self.fault


def post(
    destination: Destination,
    headers: Mapping[str, str],
    body: bytes,
    *,
    allow_private: bool,
    patience: Patience,
) -> Answer:
    """Send a request. Redirects are not followed, proxies are not asked, and nothing is raised.

    Args:
        destination: Where to.
        headers: All but Host, Content-Length, User-Agent and Connection.
        body: What to send.
        allow_private: Whether the address may be of a private network, or this machine's.
        patience: After which there is no answer.
    """
    begun = time.monotonic()

    def answer(status: int | None, fault: str, **more: Any) -> Answer:
        return Answer(status=status, fault=fault, seconds=time.monotonic() - begun, **more)

    try:
        addresses = destination.addresses(
            allow_private=allow_private, patience=min(patience.connect, patience.whole)
        )
        with _connected(destination, addresses, patience, begun) as connection:
            connection.request("POST", destination.target, body, {**_own(destination), **headers})
            reply = connection.getresponse()
            excerpt = b""
            with suppress(OSError, http.client.HTTPException, ValueError):
                excerpt = reply.read(_EXCERPT)
            return answer(
                reply.status,
                _fault(reply.status),
                retry_after=reply.getheader("retry-after"),
                excerpt=excerpt,
            )
    except GitregError as error:
        return answer(None, error.message)
    except ssl.SSLCertVerificationError as error:
        return answer(None, f"its certificate is not trusted: {error.verify_message}")
    except (OSError, http.client.HTTPException, ValueError) as error:
        if time.monotonic() - begun >= patience.whole:
            return answer(None, f"no answer within {patience.whole:g} s")
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return answer(None, f"no answer: {said}")


def _fault(status: int) -> str:
    if 200 <= status < 300:
        return ""
    if 300 <= status < 400:
        return f"answered {status}: a redirect is not followed"
    return f"answered {status}"


def _own(destination: Destination) -> dict[str, str]:
    return {
        "Host": destination.authority,
        "User-Agent": f"gitreg/{__version__}",
        "Accept": "*/*",
        "Connection": "close",
    }


class _Connection(http.client.HTTPConnection):
    """A connection over a socket that is connected already: the name is not looked up once more."""

    def __init__(self, destination: Destination, connected: socket.socket) -> None:
        super().__init__(destination.host, destination.port)
        self.sock = connected

    def connect(self) -> None:
        raise http.client.NotConnected("the receiver closed the connection")


@contextmanager
def _connected(
    destination: Destination, addresses: list[tuple[int, Any]], patience: Patience, begun: float
) -> Iterator[http.client.HTTPConnection]:
    left = patience.whole - (time.monotonic() - begun)
    plain = _socket(addresses, min(patience.connect, left), begun + patience.whole)
    # A receiver that sends a byte now and then would stretch every time-out of the socket.
    end = threading.Timer(max(0.0, begun + patience.whole - time.monotonic()), _hang_up, (plain,))
    end.daemon = True
    end.start()
    used = plain
    try:
        plain.settimeout(patience.whole)
        if destination.tls:
            # Not closed with the plain one's object: wrapping takes its descriptor over.
            used = _context().wrap_socket(
                plain, server_hostname=destination.host, do_handshake_on_connect=False
            )
            end.args = (used,)
            used.do_handshake()
        yield _Connection(destination, used)
    finally:
        end.cancel()
        used.close()
        plain.close()


def _hang_up(connected: socket.socket) -> None:
    with suppress(OSError):
        # The plain socket's own way: that of TLS would wait for the other side.
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _socket(addresses: list[tuple[int, Any]], each: float, until: float) -> socket.socket:
    problem: OSError = OSError("it has no address")
    for family, address in addresses:
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            made.settimeout(min(each, left))
            made.connect(address)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return made
        except OSError as error:
            made.close()
            problem = error
    raise problem


@lru_cache(maxsize=1)
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()
