"""Edit what is said of a model or of a version: description, owners, tags."""

from __future__ import annotations

from gitreg.domain.references import version_selector
from gitreg.domain.requests import Request, Tag, UpdateModel, UpdateVersion
from gitreg.registry.view import View
from gitreg.web.actions import lines, tag_rows
from gitreg.web.actions.act import SEEN, Act, Form, Witness, view_at
from gitreg.web.actions.since import seen_now, since
from gitreg.web.actions.subjects import model_in, version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_SINGLE = frozenset({"description", "message"})
_PLACES = {"tags": "tags", "description": "description", "owners": "owners", "message": "message"}


def show_model(look: Look, typed: Typed, name: str) -> Page:
    """The form for a model."""
    _, model = model_in(look.view, name)
    return Page(
        template="forms/edit.html",
        title=f"Edit {name}",
        section="models",
        values={
            "name": name,
            "number": None,
            "typed": typed,
            "seen": seen_now(look, typed),
            "since": since(look, typed, name),
            "description": model.description,
            "owners": "\n".join(model.owners),
            "rows": tag_rows.rows(typed, model.tags),
        },
    )


def show_version(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The form for a version."""
    _, version = version_in(look.view, name, number)
    return Page(
        template="forms/edit.html",
        title=f"Edit {name}/{number}",
        section="models",
        values={
            "name": name,
            "number": number,
            "typed": typed,
            "seen": seen_now(look, typed),
            "since": since(look, typed, name),
            "description": version.description,
            "owners": None,
            "rows": tag_rows.rows(typed, version.tags),
        },
    )


def edit_model(act: Act, typed: Typed, name: str) -> str:
    """Set what was edited of a model, in one commit."""
    seen = typed.one(SEEN) or act.registry.at().commit
    _, model = model_in(view_at(act.registry, seen), name)
    owners = lines.texts(typed.raw("owners"))
    update = UpdateModel(
        name=name,
        description=typed.edited("description", model.description),
        owners=None if owners == model.owners else owners,
    )
    put, remove = tag_rows.changes(typed, model.tags)
    wanted: list[Request] = [update] if (update.description, update.owners) != (None, None) else []
    if put or remove:
        wanted.append(Tag(name=name, put=put, remove=remove))

    def witness(view: View) -> object:
        present = model_in(view, name)[1]
        return present.description, present.owners, dict(present.tags)

    return _written(act, typed, wanted, seen, witness, name)


def edit_version(act: Act, typed: Typed, name: str, number: int) -> str:
    """Set what was edited of a version, in one commit."""
    seen = typed.one(SEEN) or act.registry.at().commit
    _, version = version_in(view_at(act.registry, seen), name, number)
    selector = version_selector(number)
    description = typed.edited("description", version.description)
    put, remove = tag_rows.changes(typed, version.tags)
    wanted: list[Request] = []
    if description is not None:
        wanted.append(UpdateVersion(name=name, selector=selector, description=description))
    if put or remove:
        wanted.append(Tag(name=name, selector=selector, put=put, remove=remove))

    def witness(view: View) -> object:
        present = version_in(view, name, number)[1]
        return present.description, dict(present.tags)

    return _written(act, typed, wanted, seen, witness, name, number)


def _written(
    act: Act,
    typed: Typed,
    wanted: list[Request],
    seen: str,
    witness: Witness,
    name: str,
    number: int | None = None,
) -> str:
    commit = None
    if wanted:
        message = typed.one("message")
        commit = act.write(*wanted, message=message, seen=seen, witness=witness).commit
    if number is None:
        return act.links.model(name, committed=commit)
    return act.links.version(name, number, committed=commit)


FORMS = (
    Form(
        path="/models/{name}/update",
        show=show_model,
        carry_out=edit_model,
        single=_SINGLE | {"owners"},
        several=tag_rows.FIELDS,
        places=_PLACES,
    ),
    Form(
        path="/models/{name}/{number:int}/update",
        show=show_version,
        carry_out=edit_version,
        single=_SINGLE,
        several=tag_rows.FIELDS,
        places=_PLACES,
    ),
)
