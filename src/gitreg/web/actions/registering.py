"""Register a version: a source or a run, and a name from the list or a new one.

What is typed is taken as given. The server reads none of its own files and asks nobody for anything that a
form names: a page would be a way to make it look where only the server can.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gitreg.artifacts.origin import as_given, merge
from gitreg.artifacts.uris import has_scheme, without_secrets
from gitreg.domain.model import Origin
from gitreg.domain.names import check_model_name, shown
from gitreg.domain.requests import Register
from gitreg.errors import InvalidInput
from gitreg.index.schema import LIVE
from gitreg.registry.registry import Registry
from gitreg.web import identity
from gitreg.web.actions import lines
from gitreg.web.actions.act import Act, Form
from gitreg.web.actions.typed import Typed
from gitreg.web.identity import Denied, Role
from gitreg.web.pages.look import Look, Page

_MOST_NAMES = 1000
_RUN = re.compile(r"[A-Za-z0-9][\w-]{0,255}", re.ASCII)  # MLflow's rule for the ids of runs
_RUN_SOURCE = re.compile(r"runs:/([A-Za-z0-9][\w-]{0,255})(?:/.*)?", re.ASCII)
_SINGLE = frozenset(
    {"name", "source", "run_id", "run_link", "metrics", "params", "description", "tags", "alias", "parents"}
    | {"message"}
)


def show(look: Look, typed: Typed) -> Page:
    """The form."""
    if not _may_somewhere(look):
        identity.require(Role.WRITER)
        raise Denied(403, "This server can't be written.")
    names = look.part.rows(
        "SELECT m.name FROM model m WHERE m.state = ? AND $m ORDER BY m.name LIMIT ?", LIVE, _MOST_NAMES
    )
    return Page(
        template="register.html",
        title="Register a version",
        section="models",
        values={
            "typed": typed,
            "names": [name for (name,) in names if look.may(Role.WRITER, name)],
            "name": look.one("name"),
            "more": any(typed.one(field) for field in _SINGLE - {"name", "source", "run_id", "description"}),
        },
    )


def _may_somewhere(look: Look) -> bool:
    who = look.identity
    return look.may(Role.WRITER) or any(role >= Role.WRITER for role in who.models.values())


def register(act: Act, typed: Typed) -> str:
    """Make the version."""
    name = typed.one("name")
    check_model_name(name)
    identity.require(Role.WRITER, name)
    request = Register(
        name=name,
        origin=_origin(act.registry, typed),
        description=typed.raw("description"),
        tags=lines.pairs(typed.raw("tags"), "tags"),
        aliases=(typed.one("alias"),) if typed.one("alias") else (),
    )
    receipt = act.write(request, message=typed.one("message"))
    return act.links.version(name, max(receipt.versions(name)), committed=receipt.commit)


def _origin(registry: Registry, typed: Typed) -> Origin:
    run_id = typed.one("run_id")
    if run_id and not _RUN.fullmatch(run_id):
        raise InvalidInput(f"{shown(run_id)} is no run id", where="run_id", hint="letters, digits, _ and -")
    source = typed.one("source") or (f"runs:/{run_id}/model" if run_id else "")
    named = _RUN_SOURCE.fullmatch(source)
    if named and run_id and named[1] != run_id:
        raise InvalidInput(
            f"the source names the run {named[1]}", where="run_id", hint="leave one of the two out"
        )
    _check_source(source)
    parents = []
    for parent in lines.texts(typed.raw("parents")):
        try:
            parents.append(registry.parent_uri(parent))
        except InvalidInput as error:
            raise InvalidInput(
                f"{shown(parent)}: {error.message}", where="parents", hint=error.hint
            ) from error
    return merge(
        as_given(source).origin,
        run_id=run_id or (named[1] if named else None),
        run_link=_link(typed.one("run_link")),
        metrics=dict(lines.numbers(typed.raw("metrics"), "metrics")),
        params=dict(lines.pairs(typed.raw("params"), "params")),
        parents=parents,
    )


def _check_source(source: str) -> None:
    """Refuse what names a place on the machine of the one who typed it, or of the server.

    Raises:
        InvalidInput: It is no URI that others can read.
    """
    hint = "a URI, such as s3://models/churn/12 or runs:/RUN_ID/model"
    if not source:
        raise InvalidInput("the source is missing", where="source", hint=f"{hint}; or give the run’s id")
    scheme = source.partition(":")[0].lower()
    if not has_scheme(source) or scheme == "file":
        raise InvalidInput(
            f"{shown(source)} is a path: the server can't see your files, and shows nobody its own",
            where="source",
            hint=f"{hint}; a local model is registered where it lies: gitreg register NAME PATH",
        )
    if without_secrets(source) != source:
        raise InvalidInput("the source carried a user name or password", where="source", hint="leave it out")
    try:
        parts = urlsplit(source)
    except ValueError:
        raise InvalidInput(f"{shown(source)} is no URI", where="source", hint=hint) from None
    if scheme in ("http", "https", "s3", "gs") and not parts.netloc:
        raise InvalidInput(f"{shown(source)} names no host or bucket", where="source", hint=hint)


def _link(text: str) -> str | None:
    if not text:
        return None
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        scheme = ""
    if scheme not in ("http", "https") or without_secrets(text) != text:
        raise InvalidInput("the link is no plain http or https address", where="run_link")
    return text


FORMS = (
    Form(
        path="/register",
        show=show,
        carry_out=register,
        single=_SINGLE,
        places={field: field for field in _SINGLE}
        | {"version": "name", "aliases": "alias", "model": "name", "gaps": "name"},
    ),
)
