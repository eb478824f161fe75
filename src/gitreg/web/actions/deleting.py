"""Delete a model or a version after its name was typed, and bring either back."""

from __future__ import annotations

from gitreg.domain.model import ModelTombstone, RegisteredModel
from gitreg.domain.references import version_selector
from gitreg.domain.requests import DeleteModel, DeleteVersion
from gitreg.errors import Conflict, InvalidInput, NotFound
from gitreg.registry.view import View
from gitreg.web.actions.act import SEEN, Act, Form, Witness
from gitreg.web.actions.confirming import MESSAGE, Text, confirmation
from gitreg.web.actions.subjects import model_in, version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_PLACES = {"reason": "reason", "message": "message", "confirm": "confirm"}
_REASON = Text(name="reason", label="Reason", help="It is kept in the place of what is deleted.")
_SINGLE = frozenset({"reason", "confirm"})


def _confirm(said: str) -> Text:
    return Text(name="confirm", label=f"Type {said} to confirm", needed=True)


def _check(typed: Typed, said: str) -> None:
    if typed.one("confirm") != said:
        raise InvalidInput(f"this is not {said}", where="confirm", hint="type it as it stands, or go back")


def show_delete_model(look: Look, typed: Typed, name: str) -> Page:
    """The page that asks for a model's name before it is deleted."""
    state, _ = model_in(look.view, name)
    count = sum(1 for number in state.versions if state.live(number))
    held = [stage.name for stage in look.settings.stages if any(True for _ in state.holders(stage.name))]
    return confirmation(
        look,
        typed,
        title=f"Delete {name}",
        subject=(name, None),
        about=f"The model and its {count:,} versions are deleted. It can be brought back from the history.",
        facts=(f"Versions of it hold {', '.join(held)}.",) if held else (),
        label="Delete model",
        danger=True,
        action=look.links.action("delete", name),
        texts=(_REASON, _confirm(name)),
    )


def delete_model(act: Act, typed: Typed, name: str) -> str:
    """Delete it."""
    _check(typed, name)
    request = DeleteModel(name=name, reason=typed.one("reason"))
    receipt = act.write(request, seen=typed.one(SEEN), witness=_whole(name))
    return act.links.models(committed=receipt.commit)


def show_delete_version(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The page that asks for a version's name before it is deleted."""
    _, version = version_in(look.view, name, number)
    facts = []
    if version.stages:
        facts.append(f"It holds {', '.join(version.stages)}; nothing takes its place there.")
    aliases = look.view.aliases(version)
    if aliases:
        facts.append(f"Aliases that point at it go, too: {', '.join(f'@{each}' for each in aliases)}.")
    return confirmation(
        look,
        typed,
        title=f"Delete {name}/{number}",
        subject=(name, number),
        about="The version is deleted, and its number never used again. The history can bring it back.",
        facts=tuple(facts),
        label="Delete version",
        danger=True,
        action=look.links.action("delete", name, number),
        texts=(_REASON, _confirm(f"{name}/{number}")),
    )


def delete_version(act: Act, typed: Typed, name: str, number: int) -> str:
    """Delete it."""
    _check(typed, f"{name}/{number}")
    request = DeleteVersion(name=name, selector=version_selector(number), reason=typed.one("reason"))
    receipt = act.write(request, seen=typed.one(SEEN), witness=_holding(name, number))
    return act.links.model(name, committed=receipt.commit)


def _whole(name: str) -> Witness:
    def held(view: View) -> object:
        state, _ = model_in(view, name)
        stages = view.settings.stages
        return len(state.versions), [[v.version for v in state.holders(stage.name)] for stage in stages]

    return held


def _holding(name: str, number: int) -> Witness:
    def held(view: View) -> object:
        _, version = version_in(view, name, number)
        return dict(version.stages), view.aliases(version)

    return held


def show_restore_model(look: Look, typed: Typed, name: str) -> Page:
    """The page that asks before a model is brought back."""
    model = look.view.state(name).model
    if isinstance(model, RegisteredModel):
        raise Conflict(f"{name} is not deleted", where=name)
    if not isinstance(model, ModelTombstone) or model.renamed_to:
        raise NotFound(f"no deleted model is called {name}", where=name)
    return confirmation(
        look,
        typed,
        title=f"Restore {name}",
        subject=(name, None),
        about="The model comes back as it was when it was deleted: its versions, tags, aliases and stages.",
        label="Restore model",
        action=look.links.action("restore", name),
        texts=(MESSAGE,),
    )


def restore_model(act: Act, typed: Typed, name: str) -> str:
    """Bring it back."""
    receipt = act.write(act.registry.restoration(f"models:/{name}"), message=typed.one("message"))
    return act.links.model(name, committed=receipt.commit)


def show_restore_version(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The page that asks before a version is brought back."""
    state, _ = model_in(look.view, name)
    if state.live(number):
        raise Conflict(f"{name}/{number} is not deleted", where=name)
    if number not in state.versions:
        raise NotFound(f"there never was a version {number} of {name}", where=name)
    return confirmation(
        look,
        typed,
        title=f"Restore {name}/{number}",
        subject=(name, number),
        about="The version comes back as it was, but for stages and aliases: others may have them by now.",
        label="Restore version",
        action=look.links.action("restore", name, number),
        texts=(MESSAGE,),
    )


def restore_version(act: Act, typed: Typed, name: str, number: int) -> str:
    """Bring it back."""
    request = act.registry.restoration(f"models:/{name}/{number}")
    receipt = act.write(request, message=typed.one("message"))
    return act.links.version(name, number, committed=receipt.commit)


_MESSAGE = frozenset({"message"})

FORMS = (
    Form(
        path="/models/{name}/delete",
        show=show_delete_model,
        carry_out=delete_model,
        single=_SINGLE,
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/{number:version}/delete",
        show=show_delete_version,
        carry_out=delete_version,
        single=_SINGLE,
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/restore",
        show=show_restore_model,
        carry_out=restore_model,
        single=_MESSAGE,
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/{number:version}/restore",
        show=show_restore_version,
        carry_out=restore_version,
        single=_MESSAGE,
        places=_PLACES,
    ),
)
