"""Whom a request is from: the author of the commit that it makes."""

from __future__ import annotations

import base64
import binascii
from contextvars import ContextVar
from ipaddress import ip_address
from typing import TYPE_CHECKING

from gitreg.gitstore.objects import Person
from gitreg.mlflow.caller import person_of

if TYPE_CHECKING:
    from gitreg.web.settings import Network

_CALLER: ContextVar[Person | None] = ContextVar("gitreg_caller", default=None)


def current() -> Person | None:
    """The user of the request that is being answered; None: whom Git's configuration names."""
    return _CALLER.get()


def remember(user: str) -> None:
    """Keep whom this request is from.

    Args:
        user: The user's name; empty where nobody told one.

    Raises:
        MlflowError: It can't be an author's name.
    """
    _CALLER.set(person_of(user) if user else None)


def of_basic_auth(header: bytes) -> str:
    """The user name in an Authorization header of the scheme Basic; empty where it is none."""
    scheme, _, given = header.partition(b" ")
    if scheme.lower() != b"basic":
        return ""
    try:
        return decoded(base64.b64decode(given.strip(), validate=True).partition(b":")[0])
    except binascii.Error:
        return ""


def decoded(name: bytes) -> str:
    """A name as it came in a header: UTF-8 most often, else Latin-1."""
    try:
        return name.strip().decode()
    except UnicodeDecodeError:
        return name.strip().decode("latin-1")


def within(peer: str, networks: tuple[Network, ...]) -> bool:
    """Whether an address is in one of these networks."""
    try:
        found = ip_address(peer.partition("%")[0])
    except ValueError:
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in networks)
