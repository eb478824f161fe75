"""Whom a request is from: the author of the commit that it makes, and the names that headers carry."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from gitreg.web import identity

if TYPE_CHECKING:
    from gitreg.gitstore.objects import Person


def current() -> Person | None:
    """The user of the request that is being answered; None: whom Git's configuration names."""
    return identity.current().person


def of_basic_auth(header: bytes) -> tuple[str, str]:
    """User name and password in an Authorization header of the scheme Basic; both empty where it is none."""
    scheme, _, given = header.partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        name, _, password = base64.b64decode(given.strip(), validate=True).partition(b":")
    except binascii.Error:
        return "", ""
    return decoded(name), decoded(password)


def of_bearer(header: bytes) -> str:
    """The token in an Authorization header of the scheme Bearer (RFC 6750); empty where it is none."""
    scheme, _, given = header.partition(b" ")
    return decoded(given) if scheme.lower() == b"bearer" else ""


def decoded(name: bytes) -> str:
    """A name as it came in a header: UTF-8 most often, else Latin-1."""
    try:
        return name.strip().decode()
    except UnicodeDecodeError:
        return name.strip().decode("latin-1")
