"""Persons as they are typed or as a proxy names them."""

from __future__ import annotations

import re

from gitreg.domain.approval import address_key
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput
from gitreg.gitstore.objects import Person, clean_ident
from gitreg.mlflow.caller import MAX_USER_NAME, person_of
from gitreg.mlflow.errors import MlflowError

_WHOLE = re.compile(r"\s*(?P<name>[^<>]*[^<>\s])\s*<(?P<email>[^<>\s@]+@[^<>\s@]+)>\s*")


def typed(text: str, where: str) -> Person:
    """``Ann Lee <ann@example.com>``, ``ann@example.com`` or a user's name.

    Args:
        text: As it was typed.
        where: The option, for messages.

    Raises:
        InvalidInput: Git can't have it as an author.
    """
    whole = _WHOLE.fullmatch(text)
    if whole:
        return _checked(whole["name"], whole["email"], text, where)
    try:
        return person_of(text.strip())
    except MlflowError:
        raise _no_author(text, where) from None


def named(user: str, email: str) -> Person:
    """Whom a proxy names.

    Args:
        user: The user's name.
        email: Their address; ``""``: the proxy tells none.

    Raises:
        MlflowError: It can't be an author's.
    """
    if not email:
        return person_of(user)
    address = person_of(email).email
    return Person(name=person_of(user or email).name, email=address)


def key(text: str) -> str:
    """What a person's grant is found by: an address as of ``address_key``, or a name.

    A name is taken as it is: two users may differ by their case alone.
    """
    text = text.strip()
    return address_key(text) if "@" in text else text


def _checked(name: str, email: str, text: str, where: str) -> Person:
    clean = clean_ident(name) == name and clean_ident(email) == email
    if not clean or not text.isprintable() or max(len(name), len(email)) > MAX_USER_NAME:
        raise _no_author(text, where)
    return Person(name=name, email=email)


def _no_author(text: str, where: str) -> InvalidInput:
    return InvalidInput(
        f"{shown(text)} can't be an author", where=where, hint='"Ann Lee <ann@example.com>", or a user name'
    )
