"""``gitreg access``: what persons may do whom a proxy in front of ``gitreg serve`` names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.granting import ROLES, current_access, documents, words
from gitreg.cli.options import json_option
from gitreg.cli.output import document, line, note, table
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput, NotFound, UsageError

if TYPE_CHECKING:
    from gitreg.web.access.entries import Access, Grant

_LONGEST = 250


@click.group("access")
def command() -> None:
    """Say what users may do whom a proxy names to gitreg serve.

    A user is named as the proxy does: by the address of --email-header where that is given, else by the
    name of --user-header. Whoever is not listed has the role of --user-role. A server that runs sees
    each change with the next request.
    """


@command.command("grant")
@click.argument("user")
@click.argument("role", metavar="ROLE", type=click.Choice((*ROLES, "none")))
@click.option(
    "--model",
    "models",
    metavar="PATTERN",
    multiple=True,
    help="For these models alone, where it is more: 'churn*'. May be repeated.",
)
@json_option
def grant(user: str, role: str, models: tuple[str, ...], as_json: bool) -> None:
    """Let a user do what ROLE may, with every model or with those of --model.

    ROLE is reader, writer, approver or admin; none keeps them out.
    """
    from gitreg.web.access.entries import Grant, check_pattern, role_of

    user, given = _user(user), role_of(role, "ROLE")
    if models and not given:
        raise UsageError(
            "with some models a user can do more than with all, never less",
            where="--model",
            hint="gitreg access revoke USER --model PATTERN takes a grant back",
        )
    chosen = {check_pattern(pattern, "--model"): given for pattern in models}

    def with_it(access: Access) -> Access:
        before = access.grants.get(user, Grant(user=user))
        after = replace(before, models={**before.models, **chosen}) if chosen else replace(before, role=given)
        return replace(access, grants={**access.grants, user: after})

    after = current_access().change(with_it).grants[user]
    if as_json:
        document(_document(after))
        return
    line(_sentence(after))


@command.command("list")
@json_option
def listing(as_json: bool) -> None:
    """List what was granted."""
    found = current_access().read().grants.values()
    if as_json:
        document({"grants": [_document(each) for each in found]})
        return
    table(("user", "role", "models"), [(each.user, _role(each), words(each.models)) for each in found])


@command.command("revoke")
@click.argument("user")
@click.option(
    "--model", "models", metavar="PATTERN", multiple=True, help="This pattern alone. May be repeated."
)
@json_option
def revoke(user: str, models: tuple[str, ...], as_json: bool) -> None:
    """Take back what was granted to a user, who has the role of --user-role again."""
    user = _user(user)

    def without(access: Access) -> Access:
        before = access.grants.get(user)
        if before is None:
            raise NotFound(f"nothing was granted to {shown(user)}", where="USER", hint="gitreg access list")
        if models:
            return replace(access, grants={**access.grants, user: _without(before, models)})
        kept = {each: grant for each, grant in access.grants.items() if each != user}
        return replace(access, grants=kept)

    after = current_access().change(without).grants.get(user)
    if as_json:
        document({"user": user, "granted": None if after is None else _document(after)})
        return
    line(_sentence(after) if after else f"{user}: nothing granted")
    if after is None:
        note("the user has the role of --user-role now; gitreg access grant USER none keeps them out")


def _without(grant: Grant, models: tuple[str, ...]) -> Grant:
    for pattern in models:
        if pattern not in grant.models:
            raise NotFound(
                f"{shown(grant.user)} has no grant for {shown(pattern)}",
                where="--model",
                hint="gitreg access list",
            )
    return replace(grant, models={key: role for key, role in grant.models.items() if key not in models})


def _user(text: str) -> str:
    from gitreg.web.access import people

    user = people.key(text)
    if not user or not user.isprintable() or len(user) > _LONGEST:
        raise InvalidInput(f"{shown(text)} is no user", where="USER", hint="as the proxy names them")
    return user


def _role(grant: Grant) -> str:
    return "default" if grant.role is None else grant.role.word


def _sentence(grant: Grant) -> str:
    return f"{grant.user}: {_role(grant)}" + (f", {words(grant.models)}" if grant.models else "")


def _document(grant: Grant) -> dict[str, Any]:
    return {
        "user": grant.user,
        "role": None if grant.role is None else grant.role.word,
        "models": documents(grant.models),
    }
