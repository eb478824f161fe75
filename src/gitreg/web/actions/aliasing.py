"""Point an alias at a version, or take it away."""

from __future__ import annotations

from gitreg.domain.references import version_selector
from gitreg.domain.requests import RemoveAlias, SetAlias
from gitreg.errors import InvalidInput, NotFound
from gitreg.registry.view import View
from gitreg.web.actions.act import SEEN, Act, Form, Witness
from gitreg.web.actions.confirming import confirmation
from gitreg.web.actions.since import seen_now, since
from gitreg.web.actions.subjects import model_in, version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_PLACES = {"alias": "alias", "message": "message"}


def show_set(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The form that points an alias at a version."""
    version_in(look.view, name, number)
    _, model = model_in(look.view, name)
    return Page(
        template="forms/alias.html",
        title=f"Alias for {name}/{number}",
        section="models",
        values={
            "name": name,
            "number": number,
            "typed": typed,
            "seen": seen_now(look, typed),
            "since": since(look, typed, name),
            "aliases": dict(sorted(model.aliases.items())),
        },
    )


def set_alias(act: Act, typed: Typed, name: str, number: int) -> str:
    """Point it there."""
    alias = typed.one("alias")
    if not alias:
        raise InvalidInput("the alias is missing", where="alias", hint="such as champion")
    request = SetAlias(name=name, alias=alias, selector=version_selector(number))
    receipt = act.write(request, message=typed.one("message"), seen=typed.one(SEEN), witness=_of(name, alias))
    return act.links.version(name, number, committed=receipt.commit)


def show_remove(look: Look, typed: Typed, name: str) -> Page:
    """The page that asks before an alias is taken away."""
    _, model = model_in(look.view, name)
    alias = typed.one("alias") if typed.sent else look.one("alias")
    if alias not in model.aliases:
        raise NotFound(f"{name} has no alias {alias}" if alias else "say which alias", where="alias")
    return confirmation(
        look,
        typed,
        title=f"Remove alias {alias}",
        subject=(name, None),
        about=f"@{alias} points at version {model.aliases[alias]}. Who asks for it finds nothing afterwards.",
        label="Remove alias",
        danger=True,
        action=look.links.action("unalias", name),
        hidden={"alias": alias},
    )


def remove_alias(act: Act, typed: Typed, name: str) -> str:
    """Take it away."""
    alias = typed.one("alias")
    request = RemoveAlias(name=name, alias=alias)
    receipt = act.write(request, message=typed.one("message"), seen=typed.one(SEEN), witness=_of(name, alias))
    return act.links.model(name, committed=receipt.commit)


def _of(name: str, alias: str) -> Witness:
    def pointed_at(view: View) -> object:
        return model_in(view, name)[1].aliases.get(alias)

    return pointed_at


FORMS = (
    Form(
        path="/models/{name}/{number:version}/alias",
        show=show_set,
        carry_out=set_alias,
        single=frozenset({"alias", "message"}),
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/unalias",
        show=show_remove,
        carry_out=remove_alias,
        single=frozenset({"alias", "message"}),
        places=_PLACES,
    ),
)
