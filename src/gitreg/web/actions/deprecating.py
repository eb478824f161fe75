"""Mark a version as not to be used any more, or take the mark off."""

from __future__ import annotations

from gitreg.domain.references import version_selector
from gitreg.domain.requests import Deprecate, Undeprecate
from gitreg.errors import Conflict
from gitreg.web.actions.act import Act, Form
from gitreg.web.actions.confirming import MESSAGE, Text, confirmation
from gitreg.web.actions.subjects import version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_PLACES = {"reason": "reason", "message": "message"}
_REASON = Text(name="reason", label="Reason", help="Those who use it read this: say what to use instead.")


def show_deprecate(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The page that asks for the reason."""
    _, version = version_in(look.view, name, number)
    holds = ", ".join(version.stages)
    return confirmation(
        look,
        typed,
        title=f"Deprecate {name}/{number}",
        subject=(name, number),
        about="The version stays, with a mark that says not to use it any more.",
        facts=(f"It holds {holds}, and keeps it: move another version there first.",) if holds else (),
        label="Deprecate",
        action=look.links.action("deprecate", name, number),
        texts=(_REASON,),
    )


def deprecate(act: Act, typed: Typed, name: str, number: int) -> str:
    """Mark it."""
    request = Deprecate(name=name, selector=version_selector(number), reason=typed.one("reason"))
    return act.links.version(name, number, committed=act.write(request).commit)


def show_undeprecate(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The page that asks before the mark is taken off."""
    _, version = version_in(look.view, name, number)
    if version.deprecated is None:
        raise Conflict("the version is not deprecated", where=f"{name}/{number}")
    return confirmation(
        look,
        typed,
        title=f"Take {name}/{number} back into use",
        subject=(name, number),
        about="The mark that says not to use it any more is taken off.",
        label="Take back into use",
        action=look.links.action("undeprecate", name, number),
        texts=(MESSAGE,),
    )


def undeprecate(act: Act, typed: Typed, name: str, number: int) -> str:
    """Take the mark off."""
    request = Undeprecate(name=name, selector=version_selector(number))
    commit = act.write(request, message=typed.one("message")).commit
    return act.links.version(name, number, committed=commit)


FORMS = (
    Form(
        path="/models/{name}/{number:version}/deprecate",
        show=show_deprecate,
        carry_out=deprecate,
        single=frozenset({"reason"}),
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/{number:version}/undeprecate",
        show=show_undeprecate,
        carry_out=undeprecate,
        single=frozenset({"message"}),
        places=_PLACES,
    ),
)
