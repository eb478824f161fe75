"""Register a version: a source or a run, and a name from the list or a new one.

What is typed is taken as given. The server reads none of its own files and asks nobody for anything that a
form names: a page would be a way to make it look where only the server can.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from gitreg.artifacts.origin import as_given, merge
from gitreg.artifacts.uris import has_scheme, without_secrets
from gitreg.domain.model import Origin
from gitreg.domain.names import check_alias, check_model_name, shown
from gitreg.domain.requests import Register
from gitreg.errors import Conflict, InvalidInput
from gitreg.index.schema import LIVE
from gitreg.registry.messages import check_reason
from gitreg.registry.registry import Registry
from gitreg.web import identity
from gitreg.web.actions import lines
from gitreg.web.actions.act import SEEN, Act, Form, view_at
from gitreg.web.actions.since import seen_now
from gitreg.web.actions.typed import Slips, Typed
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
            "seen": seen_now(look, typed),
            "names": [name for (name,) in names if look.may(Role.WRITER, name)],
            "name": look.one("name"),
            "more": any(typed.one(field) for field in _SINGLE - {"name", "source", "run_id", "description"}),
        },
    )


def _may_somewhere(look: Look) -> bool:
    who = look.identity
    return look.may(Role.WRITER) or any(role >= Role.WRITER for role in who.models.values())


def register(act: Act, typed: Typed) -> str:
    """Make the version; where the same form was sent before, give the one that it made."""
    request = _request(act.registry, typed)
    name, seen = request.name, typed.one(SEEN)
    last = view_at(act.registry, seen).state(name).last_version if seen else None
    asked = act.registry.asked([request], message=typed.one("message"))
    if last is not None:
        asked = replace(asked, check=lambda edit: _refuse_twin(act.registry, request, last))
    try:
        receipt = act.registry.carry_out(asked)
    except _Twin as twin:
        return act.links.version(name, twin.number, done="registered")
    return act.links.version(name, max(receipt.versions(name)), committed=receipt.commit)


class _Twin(Conflict):
    """The version was registered already."""

    def __init__(self, number: int) -> None:
        super().__init__("it is registered already")
        self.number = number


def _refuse_twin(registry: Registry, request: Register, last: int) -> None:
    """Refuse a version that is the same as one that came after the form was loaded: it was sent twice."""
    state = registry.at().state(request.name)
    for number in range(last + 1, state.last_version + 1):
        there = state.live(number)
        if there is not None and _alike(there.origin, request.origin) and there.tags == request.tags:
            raise _Twin(number)


def _alike(one: Origin, other: Origin) -> bool:
    """Whether two versions came from the same; ``nan`` is like ``nan``."""

    def told(origin: Origin) -> object:
        metrics = {key: repr(float(value)) for key, value in origin.metrics.items()}
        where = (origin.source, origin.run_id, origin.run_link, origin.parents)
        return where, metrics, dict(origin.params)

    return told(one) == told(other)


@contextmanager
def _noted(slips: list[InvalidInput]) -> Iterator[None]:
    """Write down what is wrong, and go on."""
    try:
        yield
    except InvalidInput as error:
        slips.append(error)


def _request(registry: Registry, typed: Typed) -> Register:
    """What is asked for.

    Raises:
        Slips: All that is wrong with it.
        Denied: They may not register versions of that model.
    """
    name, alias = typed.one("name"), typed.one("alias")
    slips: list[InvalidInput] = []
    tags: Mapping[str, str] = {}
    with _noted(slips):
        check_model_name(name)
    if slips:
        identity.require_somewhere(Role.WRITER)
    else:
        identity.require(Role.WRITER, name)
    origin = _origin(registry, typed, slips)
    with _noted(slips):
        tags = lines.pairs(typed.raw("tags"), "tags")
    with _noted(slips):
        check_alias(alias or "none")
    with _noted(slips):
        check_reason(typed.one("message"))
    if slips:
        raise Slips(slips)
    return Register(
        name=name,
        origin=origin,
        description=typed.raw("description"),
        tags=tags,
        aliases=(alias,) if alias else (),
    )


def _origin(registry: Registry, typed: Typed, slips: list[InvalidInput]) -> Origin:
    """Where it came from, as far as that is right; what is wrong goes to ``slips``."""
    run_id = typed.one("run_id")
    source = typed.one("source") or (f"runs:/{run_id}/model" if run_id else "")
    named = _RUN_SOURCE.fullmatch(source)
    with _noted(slips):
        _check_run(run_id, named[1] if named else "")
    with _noted(slips):
        _check_source(source)
    metrics: Mapping[str, float] = {}
    params: Mapping[str, str] = {}
    parents: list[str] = []
    link = None
    with _noted(slips):
        metrics = lines.numbers(typed.raw("metrics"), "metrics")
    with _noted(slips):
        params = lines.pairs(typed.raw("params"), "params")
    with _noted(slips):
        parents = [_parent(registry, each) for each in lines.texts(typed.raw("parents"))]
    with _noted(slips):
        link = _link(typed.one("run_link"))
    return merge(
        Origin(source=source) if slips else as_given(source).origin,
        run_id=run_id or (named[1] if named else None),
        run_link=link,
        metrics=dict(metrics),
        params=dict(params),
        parents=parents,
    )


def _check_run(run_id: str, named: str) -> None:
    if run_id and not _RUN.fullmatch(run_id):
        raise InvalidInput(f"{shown(run_id)} is no run id", where="run_id", hint="letters, digits, _ and -")
    if named and run_id and named != run_id:
        raise InvalidInput(
            f"the source names the run {named}", where="run_id", hint="leave one of the two out"
        )


def _parent(registry: Registry, parent: str) -> str:
    try:
        return registry.parent_uri(parent)
    except InvalidInput as error:
        raise InvalidInput(f"{shown(parent)}: {error.message}", where="parents", hint=error.hint) from error


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
