"""What can be read of the history: the log, timelines, lineage, metrics, blame, differences."""

from __future__ import annotations

from gitreg.domain import names
from gitreg.errors import InvalidInput, UsageError
from gitreg.registry import documents_past, listing
from gitreg.registry.looking import moment, wanted_of
from gitreg.registry.searching import PAGE
from gitreg.web.api_v1 import meant
from gitreg.web.api_v1.operation import Found, Look, Operation, Parameter, Values
from gitreg.web.api_v1.parameters import (
    AT,
    FLAG,
    LIMIT,
    NAME,
    PAGE_TOKEN,
    SINCE,
    SOME_TEXT,
    STAGE,
    TEXT,
    TEXTS,
    UNTIL,
    VERSION,
)
from gitreg.web.api_v1.shapes import ref

_ASKED = ("stage", "alias", "author", "since", "until")


def _log(look: Look, asked: Values) -> Found:
    uri = asked.get("uri")
    if "model" in asked:
        if uri is not None:
            raise InvalidInput("uri and model exclude each other", where="query.model", hint="give one")
        uri = f"models:/{names.check_model_name(asked['model'])}"
        if "version" in asked:
            uri += f"/{asked['version']}"
    elif "version" in asked:
        raise InvalidInput("a version of which model?", where="query.version", hint="model=NAME")
    told = {key: asked.get(key) for key in _ASKED}
    wanted = wanted_of(look.store, look.part, uri, **told)
    page = listing.log_page(
        look.part,
        wanted,
        limit=asked.get("limit", PAGE),
        token=asked.get("page_token"),
        asked=[uri or "", *(f"{key}={told[key] or ''}" for key in _ASKED)],
    )
    from gitreg.registry.hands import hands

    entries = [documents_past.entry_document(*each) for each in hands(look.store, look.part, page.entries)]
    return Found(
        document={"entries": entries, "next_page_token": page.next_page_token, "commit": look.commit}
    )


def _timeline(look: Look, asked: Values) -> Found:
    from dataclasses import replace

    from gitreg.registry.timeline import timeline

    begin = moment(look.part, asked.get("since"), "since", day_begins=True)
    end = moment(look.part, asked.get("until"), "until")
    if begin and end and end < begin:
        raise UsageError("until lies before since", where="query.until", hint="exchange the two")
    found = timeline(look.store, look.part, _model_uri(asked)).within(begin, end)
    if "stage" in asked:
        wanted = asked["stage"].casefold()
        lanes = tuple(lane for lane in found.lanes if lane.stage.casefold() == wanted)
        if not lanes:
            look.view.settings.stage(asked["stage"])  # says which stages there are
        found = replace(found, lanes=lanes)
    return Found(document=documents_past.timeline_document(found))


def _model_uri(asked: Values) -> str:
    return names.check_model_name(asked["name"])


def _series(look: Look, asked: Values) -> Found:
    from gitreg.registry.series import main_metrics, series

    name, evaluation = _model_uri(asked), asked.get("evaluation")
    metrics = tuple(dict.fromkeys(asked.get("metric", ())))
    metrics = metrics or main_metrics(look.store, look.part, name, evaluation)
    found = series(look.store, look.part, name, metrics, evaluation=evaluation, stage=asked.get("stage"))
    return Found(document=documents_past.series_document(found, look.commit))


def _lineage(look: Look, asked: Values) -> Found:
    from gitreg.registry.lineage import Limits, lineage_of
    from gitreg.render.lineage import lineage_document

    version = meant.version(look.view, asked["name"], asked["version"])
    side = asked.get("direction", "both")
    graph = lineage_of(
        look.store,
        look.part,
        f"{version.name}/{version.version}",
        upstream=side != "downstream",
        downstream=side != "upstream",
        limits=Limits(depth=asked.get("depth", 5)),
    )
    return Found(document=lineage_document(graph))


def _blame_model(look: Look, asked: Values) -> Found:
    name = _model_uri(asked)
    look.view.model(name)
    return _blamed(look, name)


def _blame_version(look: Look, asked: Values) -> Found:
    version = meant.version(look.view, asked["name"], asked["version"])
    return _blamed(look, f"{version.name}/{version.version}")


def _blamed(look: Look, uri: str) -> Found:
    from gitreg.registry.blame import blame

    return Found(document=documents_past.blame_document(blame(look.store, look.part, uri)))


def _compare(look: Look, asked: Values) -> Found:
    from gitreg.registry.contrasting import diff

    sides = asked.get("version", [])
    since = asked.get("from")
    if not sides and since is None:
        raise UsageError(
            "there is nothing to compare",
            where="query.version",
            hint="version=NAME/1&version=NAME/2, or since when: from=2026-01-15",
        )
    before = None if since is None else look.at(since)
    first, second = (*sides, None, None)[:2]
    found = diff(before, look.view, first, second)
    return Found(document=documents_past.difference_document(found, everything=asked.get("all", False)))


OPERATIONS = (
    Operation(
        id="getLog",
        method="GET",
        path="/log",
        group="History",
        summary="What happened, the newest first",
        description="Told is what each commit changed, whoever made it: a command, a hand edit or a merge.",
        parameters=(
            Parameter(name="uri", schema=SOME_TEXT, description="Only of this model or version: churn/12."),
            Parameter(name="model", schema=SOME_TEXT, description="Only of this model."),
            Parameter(
                name="version", schema=SOME_TEXT, description="With model: only of this version, such as 12."
            ),
            STAGE,
            Parameter(name="alias", schema=SOME_TEXT, description="Only what moved this alias."),
            Parameter(
                name="author",
                schema=SOME_TEXT,
                description="Only by this person: part of a name or e-mail address.",
            ),
            SINCE,
            UNTIL,
            LIMIT,
            PAGE_TOKEN,
            AT,
        ),
        answer=ref("Log"),
        failures=(404,),
        read=_log,
    ),
    Operation(
        id="getTimeline",
        method="GET",
        path="/models/{name}/timeline",
        group="History",
        summary="Which version of a model held each stage, from when to when",
        parameters=(NAME, STAGE, SINCE, UNTIL, AT),
        answer=ref("Timeline"),
        failures=(404,),
        read=_timeline,
    ),
    Operation(
        id="getSeries",
        method="GET",
        path="/models/{name}/series",
        group="History",
        summary="Metrics over the versions of a model",
        parameters=(
            NAME,
            Parameter(
                name="metric",
                schema=TEXTS,
                description="A metric; may be repeated. The main ones where none is given.",
            ),
            Parameter(
                name="evaluation",
                schema=SOME_TEXT,
                description="Metrics of this evaluation instead of the registration's.",
            ),
            STAGE,
            AT,
        ),
        answer=ref("Series"),
        failures=(404,),
        read=_series,
    ),
    Operation(
        id="getLineage",
        method="GET",
        path="/models/{name}/versions/{version}/lineage",
        group="History",
        summary="What a version came from, and what came from it",
        parameters=(
            NAME,
            VERSION,
            Parameter(
                name="direction",
                schema={**TEXT, "enum": ["both", "upstream", "downstream"], "default": "both"},
                description="Which side.",
            ),
            Parameter(
                name="depth",
                schema={"type": "integer", "minimum": 0, "maximum": 100, "default": 5},
                description="Generations of versions on either side.",
            ),
            AT,
        ),
        answer=ref("Lineage"),
        failures=(404,),
        read=_lineage,
    ),
    Operation(
        id="blameModel",
        method="GET",
        path="/models/{name}/blame",
        group="History",
        summary="Which commit set each field of a model",
        parameters=(NAME, AT),
        answer=ref("Blame"),
        failures=(404,),
        read=_blame_model,
    ),
    Operation(
        id="blameVersion",
        method="GET",
        path="/models/{name}/versions/{version}/blame",
        group="History",
        summary="Which commit set each field of a version",
        parameters=(NAME, VERSION, AT),
        answer=ref("Blame"),
        failures=(404,),
        read=_blame_version,
    ),
    Operation(
        id="compare",
        method="GET",
        path="/compare",
        group="History",
        summary="What differs, by meaning: between two versions, or in one thing between two times",
        parameters=(
            Parameter(
                name="version",
                schema={**TEXTS, "maxItems": 2},
                description=(
                    "A version (churn/3, churn/Production, churn@champion) or, with from, a model; given "
                    "twice: the two to compare. Without any: the whole registry."
                ),
            ),
            Parameter(
                name="from",
                schema=SOME_TEXT,
                description="The first side as it was then: a date, commit, branch or tag.",
            ),
            Parameter(name="all", schema=FLAG, description="Of two versions, equal rows too."),
            AT,
        ),
        answer=ref("Difference"),
        failures=(404,),
        read=_compare,
    ),
)
