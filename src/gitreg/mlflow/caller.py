"""Who is asking: the user of the web request that MLflow's server is answering.

Whom the server does not know, nobody is: then the commit is by whoever runs the process, as in every command.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any
from urllib.parse import quote

from gitreg.gitstore.objects import Person, clean_ident
from gitreg.mlflow.errors import MlflowError, invalid

HEADER_VARIABLE = "GITREG_USER_HEADER"
"""Names the header in which a proxy in front of the server tells the user whom it has let in."""
DOMAIN_VARIABLE = "GITREG_USER_DOMAIN"
"""What follows the ``@`` in the address of a user whose name is no address."""
DEFAULT_DOMAIN = "users.noreply.invalid"
"""``invalid`` is reserved (RFC 2606): no such address belongs to anybody."""
MAX_USER_NAME = 250

_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


def caller() -> Person | None:
    """The user of the Flask request that this thread answers; None outside of one, or where it names nobody.

    In this order: the header named by ``GITREG_USER_HEADER``; whom MLflow's own ``basic-auth`` app has let
    in; the user name of HTTP basic authentication, where ``GITREG_USER_HEADER`` is not set.

    Raises:
        MlflowError: The user's name can't be that of an author.
    """
    flask: Any = sys.modules.get("flask")
    if flask is None or not flask.has_request_context():
        return None
    name = _user(flask.request, flask.g)
    return None if name is None else person_of(name)


def person_of(user: str) -> Person:
    """The author whom a user name stands for. Two user names are never one address.

    Raises:
        MlflowError: It is blank or too long, holds what Git takes out of a name, or the domain is not one.
    """
    if not user.isprintable() or any(char in "<>" for char in user):
        raise invalid(f"The user name {user!r} holds a control character, '<' or '>'.")
    if not clean_ident(user) or len(user) > MAX_USER_NAME:
        raise invalid(f"The user name {user[:50]!r} is blank or longer than {MAX_USER_NAME} characters.")
    if not _ADDRESS.fullmatch(user):
        return Person(name=user, email=f"{_local_part(user)}@{_domain()}")
    if clean_ident(user) != user:  # without the dot at its end it may be another user's
        raise invalid(f"The user name {user!r} begins or ends with a character that Git takes away.")
    return Person(name=user, email=user)


def _user(request: Any, context: Any) -> str | None:
    header = os.environ.get(HEADER_VARIABLE, "").strip()
    if header and (told := request.headers.get(header, "").strip()):
        return _utf8(told)
    if let_in := getattr(context, "mlflow_authenticated_user", None):
        return str(let_in)
    given = request.authorization
    if header or given is None or given.type != "basic":
        return None
    return str(given.username) if given.username else None


def _utf8(told: str) -> str:
    """A header as it was sent: WSGI hands bytes on as Latin-1."""
    try:
        return told.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return told


def _local_part(user: str) -> str:
    # A dot at the beginning is taken away by Git as well.
    kept = quote(user, safe="+")
    return f"%2E{kept[1:]}" if kept.startswith(".") else kept


def _domain() -> str:
    domain = os.environ.get(DOMAIN_VARIABLE, "").strip() or DEFAULT_DOMAIN
    if not _DOMAIN.fullmatch(domain):
        raise MlflowError(f"{DOMAIN_VARIABLE} is not the name of a domain: {domain!r}.")
    return domain
