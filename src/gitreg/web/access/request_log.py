"""One line on stderr for each request: when, from where, who, what, and how it ended. Never a secret."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from gitreg.web.access import addresses
from gitreg.web.identity import Identity

if TYPE_CHECKING:
    from starlette.types import Scope

    from gitreg.web.settings import Settings

_LONGEST = 500  # characters of a path
_PLAIN = "!#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def line(scope: Scope, settings: Settings, who: Identity, status: int, seconds: float) -> str:
    """What is written of a request: seven fields with a blank between them, none of which holds one.

    The query stays away: it can hold what nobody else shall read.

    Args:
        scope: The request (ASGI).
        settings: Of the server.
        who: Who sent it.
        status: HTTP status of the answer; 0: the client left before there was one.
        seconds: How long it took.
    """
    person = who.person
    user = f"{who.kind}:{person.email}" if person else who.kind
    raw = scope.get("raw_path") or scope["path"].encode()
    fields = (
        f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        addresses.client(scope, settings) or "-",
        user,
        scope["method"][:20],
        raw.partition(b"?")[0].decode("latin-1")[:_LONGEST],
        str(status or "-"),
        f"{seconds * 1000:.1f}ms",
    )
    return " ".join(quote(field, safe=_PLAIN) for field in fields)


def write(text: str) -> None:
    """Write one line in one piece: several processes share the file."""
    with suppress(OSError, ValueError):  # whoever read it has gone; the answer matters more
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
