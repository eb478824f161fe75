"""``gitreg token``: makes, lists and revokes the bearer tokens of ``gitreg serve``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.granting import ROLES, current_access, documents, patterns, until, words
from gitreg.cli.options import json_option
from gitreg.cli.output import document, line, note, table
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.clock import utc_now

if TYPE_CHECKING:
    from gitreg.web.access.entries import Access, Token

_LONGEST_NOTE = 200
_COLUMNS = ("id", "user", "role", "models", "created", "expires", "note")


@click.group("token")
def command() -> None:
    """Make, list and revoke tokens: what programs and people sign in with where gitreg serve runs.

    Tokens are kept as SHA-256 in the Git folder, never in a commit. A server that runs sees each change
    with the next request.
    """


@command.command("create")
@click.option("--user", metavar="PERSON", required=True, help='The author: "Ann Lee <ann@example.com>".')
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default="reader",
    show_default=True,
    help="What it may do with every model.",
)
@click.option(
    "--model",
    "models",
    metavar="PATTERN=ROLE",
    multiple=True,
    help="What it may do with some models, where that is more: 'churn*=approver'. May be repeated.",
)
@click.option("--expires", metavar="TIME", help="How long it lasts (90d, 12h, 2w) or its last day.")
@click.option("--note", "about", metavar="TEXT", default="", help="What it is for.")
@json_option
def create(
    user: str, role: str, models: tuple[str, ...], expires: str | None, about: str, as_json: bool
) -> None:
    """Make a token and print it, once: it can't be had again."""
    from gitreg.web.access import people, tokens
    from gitreg.web.access.entries import Token, role_of

    store, now = current_access(), utc_now()
    if not about.isprintable() or len(about) > _LONGEST_NOTE:
        raise InvalidInput(
            f"{shown(about)} is no note", where="--note", hint=f"one line of up to {_LONGEST_NOTE} characters"
        )
    text = tokens.new()
    made = Token(
        digest=tokens.digest(text),
        person=people.typed(user, "--user"),
        role=role_of(role, "--role"),
        models=patterns(models),
        created=now,
        expires=until(expires, now) if expires is not None else None,
        note=about,
    )
    store.change(lambda access: _with(access, made))
    if as_json:
        document({"token": text, **_document(made, now)})
        return
    line(text)
    note(f"token {made.id} of {made.person.name}, {_lasting(made)}: it is not shown again")


@command.command("list")
@json_option
def listing(as_json: bool) -> None:
    """List the tokens, without what they open."""
    found, now = current_access().read().tokens.values(), utc_now()
    if as_json:
        document({"tokens": [_document(token, now) for token in found]})
        return
    table(_COLUMNS, [_row(token, now) for token in found], spare=2)


@command.command("revoke")
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@json_option
def revoke(ids: tuple[str, ...], as_json: bool) -> None:
    """Revoke tokens, and end the sessions that were begun with them."""
    from dataclasses import replace

    def without(access: Access) -> Access:
        for ident in ids:
            if ident not in access.tokens:
                raise NotFound(f"there is no token {shown(ident)}", where="ID", hint="gitreg token list")
        kept = {ident: token for ident, token in access.tokens.items() if ident not in ids}
        return replace(access, tokens=kept)

    current_access().change(without)
    if as_json:
        document({"revoked": list(dict.fromkeys(ids))})
        return
    for ident in dict.fromkeys(ids):
        line(f"revoked {ident}")


def _with(access: Access, made: Token) -> Access:
    from dataclasses import replace

    return replace(access, tokens={**access.tokens, made.id: made})


def _lasting(token: Token) -> str:
    return "which does not expire" if token.expires is None else f"which lasts until {_time(token.expires)}"


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _row(token: Token, now: datetime) -> tuple[str, ...]:
    ends = "" if token.expires is None else _time(token.expires)
    return (
        token.id,
        f"{token.person.name} <{token.person.email}>",
        token.role.word,
        words(token.models),
        _time(token.created),
        ends if token.lives(now) else f"{ends} (over)",
        token.note,
    )


def _document(token: Token, now: datetime) -> dict[str, Any]:
    return {
        "id": token.id,
        "user": {"name": token.person.name, "email": token.person.email},
        "role": token.role.word,
        "models": documents(token.models),
        "created": _time(token.created),
        "expires": None if token.expires is None else _time(token.expires),
        "expired": not token.lives(now),
        "note": token.note,
    }
