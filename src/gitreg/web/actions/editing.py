"""Edit what is said of a model or of a version: description, owners, tags."""

from __future__ import annotations

from dataclasses import replace

from gitreg.domain.references import version_selector
from gitreg.domain.requests import Request, Tag, UpdateModel, UpdateVersion
from gitreg.registry.view import View
from gitreg.web.actions import meanwhile, tag_rows
from gitreg.web.actions.act import SEEN, Act, Form, view_at
from gitreg.web.actions.meanwhile import Edits, Other, Told
from gitreg.web.actions.since import seen_now, since
from gitreg.web.actions.subjects import model_in, version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_SINGLE = frozenset({"description", "message"})
_PLACES = {"tags": "tags", "description": "description", "owners": "owners", "message": "message"}


def show_model(look: Look, typed: Typed, name: str) -> Page:
    """The form for a model."""
    return _shown(look, typed, name, None)


def show_version(look: Look, typed: Typed, name: str, number: int) -> Page:
    """The form for a version."""
    return _shown(look, typed, name, number)


def _shown(look: Look, typed: Typed, name: str, number: int | None) -> Page:
    now, seen = _told(look.view, name, number), seen_now(look, typed)
    entries = since(look, typed, name)
    others: dict[str, Other] = {}
    problem = typed.problem
    if problem is not None and problem.code == 409 and typed.one(SEEN):
        before = _told(view_at(look.registry, typed.one(SEEN)), name, number)
        wanted = meanwhile.edits(typed, before)
        others = meanwhile.others(look, wanted, before, now, (name, number), entries)
        typed = meanwhile.merged(typed, before, now)
        if others:
            hint = "What you typed is kept, with what it says now below it. Saving puts yours in its place."
            typed = typed.refused(replace(problem, hint=hint))
    return Page(
        template="forms/edit.html",
        title=f"Edit {name}" if number is None else f"Edit {name}/{number}",
        section="models",
        values={
            "name": name,
            "number": number,
            "typed": typed,
            "seen": seen,
            "since": () if others else entries,
            "others": others,
            "description": now.description,
            "owners": None if now.owners is None else "\n".join(now.owners),
            "rows": tag_rows.rows(typed, now.tags),
        },
    )


def _told(view: View, name: str, number: int | None) -> Told:
    return Told.of(model_in(view, name)[1] if number is None else version_in(view, name, number)[1])


def edit_model(act: Act, typed: Typed, name: str) -> str:
    """Set what was edited of a model, in one commit."""
    return _edited(act, typed, name, None)


def edit_version(act: Act, typed: Typed, name: str, number: int) -> str:
    """Set what was edited of a version, in one commit."""
    return _edited(act, typed, name, number)


def _edited(act: Act, typed: Typed, name: str, number: int | None) -> str:
    now = act.registry.at()
    seen = typed.one(SEEN) or now.commit
    typed_in = meanwhile.edits(typed, _told(view_at(act.registry, seen), name, number))
    wanted = typed_in.left(_told(now, name, number))
    query: dict[str, str | None] = {"done": "already" if typed_in else "unchanged"}
    if wanted:

        def witness(view: View) -> object:
            return wanted.touched(_told(view, name, number))

        requests = _requests(wanted, name, number)
        message, title = typed.one("message"), _title(wanted, name, number)
        done = act.write(*requests, message=message, title=title, seen=seen, witness=witness)
        query = {"committed": done.commit}
    if number is None:
        return act.links.model(name, **query)
    return act.links.version(name, number, **query)


def _requests(wanted: Edits, name: str, number: int | None) -> list[Request]:
    selector = None if number is None else version_selector(number)
    requests: list[Request] = []
    if selector is None and (wanted.description, wanted.owners) != (None, None):
        requests.append(UpdateModel(name=name, description=wanted.description, owners=wanted.owners))
    elif selector is not None and wanted.description is not None:
        requests.append(UpdateVersion(name=name, selector=selector, description=wanted.description))
    if wanted.put or wanted.remove:
        requests.append(Tag(name=name, selector=selector, put=wanted.put, remove=wanted.remove))
    return requests


def _title(wanted: Edits, name: str, number: int | None) -> str:
    """The commit's subject where several fields are changed; ``""``: the usual one."""
    if len(wanted.fields) < 2:
        return ""
    *first, last = wanted.fields
    what = "model" if number is None else f"version {number}"
    return f"{name}: update {', '.join(first)} and {last} of {what}"


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
        path="/models/{name}/{number:version}/update",
        show=show_version,
        carry_out=edit_version,
        single=_SINGLE,
        several=tag_rows.FIELDS,
        places=_PLACES,
    ),
)
