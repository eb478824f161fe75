"""A request's body, read with bounds on its length and on the time that it takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from gitreg.web.settings import MIB

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

# A client that is still sending hears no answer: so much is thrown away before it gets one.
_MOST_THROWN_AWAY = 256 * MIB


class TooLong(Exception):
    """The body has more bytes than are read."""


class TooSlow(Exception):
    """The body did not come in time."""


class Gone(Exception):
    """The client left before it had sent all."""


async def read_body(scope: Scope, receive: Receive, *, most: int, patience: float) -> bytes:
    """The whole body.

    Args:
        scope: The request (ASGI).
        receive: Gives its parts (ASGI).
        most: The longest body that is taken, in bytes.
        patience: Seconds until all must be there.

    Raises:
        TooLong: It has more bytes.
        TooSlow: It took longer.
        Gone: The client left.
    """
    headers = dict(scope["headers"])
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return b""
    if int(headers.get(b"content-length", b"0")) > most:
        if b"expect" in headers:
            raise TooLong  # it waits for a word before it sends
        most = -1
    try:
        async with asyncio.timeout(patience):
            return await _parts(receive, most)
    except TimeoutError:
        raise TooSlow from None


async def _parts(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            parts.clear()
            if size > _MOST_THROWN_AWAY:
                raise TooLong
        else:
            parts.append(part)
        if not message.get("more_body", False):
            break
    if size > most:
        raise TooLong
    return b"".join(parts)
