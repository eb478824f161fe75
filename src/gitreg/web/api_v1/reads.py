"""What can be read of the registry as it stands: itself, its models, their versions, its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg import __version__
from gitreg.domain import names
from gitreg.manifest.encode import encode_settings, time_text
from gitreg.registry import documents, listing
from gitreg.registry.clock import utc_now
from gitreg.registry.overview import summary
from gitreg.registry.searching import PAGE, Question, find_versions
from gitreg.web.api_v1 import links, meant
from gitreg.web.api_v1.operation import Document, Found, Look, Operation, Parameter, Values
from gitreg.web.api_v1.parameters import (
    AT,
    FILTER,
    LIMIT,
    NAME,
    ORDER_BY,
    PAGE_TOKEN,
    SEARCH_LIMIT,
    SOME_TEXT,
    STAGE,
    TEXT,
    VERSION,
)
from gitreg.web.api_v1.shapes import ref

if TYPE_CHECKING:
    from gitreg.domain.model import ModelVersion


def _registry(look: Look, asked: Values) -> Found:
    settings = look.view.settings
    link = look.part.link(look.part.seq)
    return Found(
        document={
            "name": settings.name,
            "commit": look.commit,
            "time": time_text(link.time),
            "branch": settings.branch,
            "models": listing.model_count(look.part),
            "versions": sum(look.counts.values()),
            "settings": encode_settings(settings),
            "gitreg": __version__,
        }
    )


def _models(look: Look, asked: Values) -> Found:
    question = _question(asked)
    stage = look.view.stage_name(asked["stage"]) if "stage" in asked else ""
    page = listing.models(
        look.part, look.view, question, counts=look.counts, text=asked.get("q", ""), stage=stage
    )
    return _page(look, "models", [*map(documents.summary_document, page.summaries)], page.next_page_token)


def _question(asked: Values) -> Question:
    return Question(
        filter=asked.get("filter", ""),
        order_by=tuple(asked.get("order_by", ())),
        max_results=asked.get("limit", PAGE),
        page_token=asked.get("page_token"),
    )


def _page(look: Look, what: str, found: list[Document], token: str | None) -> Found:
    return Found(document={what: found, "next_page_token": token, "commit": look.commit})


def _model(look: Look, asked: Values) -> Found:
    name = names.check_model_name(asked["name"])
    return Found(document=documents.summary_document(summary(look.view, name)))


def _versions(look: Look, asked: Values) -> Found:
    name = names.check_model_name(asked["name"])
    aliases = look.view.model(name).aliases
    pointed: dict[tuple[str, int], list[str]] = {}
    for alias in sorted(aliases):
        pointed.setdefault((name, aliases[alias]), []).append(alias)
    page = listing.versions(
        look.part,
        name,
        stage=look.view.stage_name(asked["stage"]) if "stage" in asked else "",
        limit=asked.get("limit", PAGE),
        token=asked.get("page_token"),
    )
    found = [documents.listed_version_document(each, pointed) for each in page.versions]
    return _page(look, "versions", [*map(_with_uri, found)], page.next_page_token)


def _with_uri(found: Document) -> Document:
    return {**found, "uri": links.uri(found["name"], found["version"])}


def _version(look: Look, asked: Values) -> Found:
    version = meant.version(look.view, asked["name"], asked["version"])
    found = documents.shown_version_document(look.store, look.view, version)
    return Found(
        document=_with_uri(found),
        location=links.version_path(version.name, version.version),
    )


def _search(look: Look, asked: Values) -> Found:
    page = find_versions(look.part, _question(asked))
    found = documents.found_version_documents(page)
    return _page(look, "versions", [*map(_with_uri, found)], page.next_page_token)


def _resolved(look: Look, version: ModelVersion) -> Found:
    found = documents.resolution_document(version)
    return Found(
        document=_with_uri(found) | {"commit": look.commit},
        location=links.version_path(version.name, version.version),
    )


def _source(look: Look, asked: Values) -> Found:
    return _resolved(look, meant.version(look.view, asked["name"], asked["version"]))


def _resolve(look: Look, asked: Values) -> Found:
    return _resolved(look, look.view.version(asked["uri"]))


def _policy(look: Look, asked: Values) -> Found:
    return Found(document=documents.policy_document(look.view.settings) | {"commit": look.commit})


def _judgement(look: Look, asked: Values) -> Found:
    from gitreg.registry.trying import try_promotion

    version = meant.version(look.view, asked["name"], asked["version"])
    exact = look.view.settings.stage(asked["stage"]).name
    judged = try_promotion(
        look.store,
        f"{version.name}/{version.version}",
        exact,
        now=utc_now(),
        commit=look.commit,
    )
    if judged is None:
        incumbent = version.version
        told = {"model": version.name, "version": incumbent, "stage": exact, "incumbent": incumbent}
        return Found(document={**told, "passed": True, "rules": []})
    return Found(document=documents.judged_document(judged))


_PAGED = (LIMIT, PAGE_TOKEN, AT)
_SEARCHED = (FILTER, ORDER_BY)

OPERATIONS = (
    Operation(
        id="getRegistry",
        method="GET",
        path="/registry",
        group="Registry",
        summary="The registry: its name, its settings, where it stands",
        parameters=(AT,),
        answer=ref("Registry"),
        read=_registry,
    ),
    Operation(
        id="listModels",
        method="GET",
        path="/models",
        group="Models",
        summary="The registered models, by name",
        description="filter and order_by are those of gitreg search --models (docs/search.md).",
        parameters=(
            Parameter(
                name="q",
                schema=TEXT,
                description="Words that the name, description, an owner or a tag holds, whatever the case.",
            ),
            STAGE,
            *_SEARCHED,
            *_PAGED,
        ),
        answer=ref("ModelPage"),
        read=_models,
    ),
    Operation(
        id="getModel",
        method="GET",
        path="/models/{name}",
        group="Models",
        summary="A registered model at a glance",
        parameters=(NAME, AT),
        answer=ref("ListedModel"),
        failures=(404,),
        read=_model,
    ),
    Operation(
        id="listVersions",
        method="GET",
        path="/models/{name}/versions",
        group="Versions",
        summary="The versions of a model, the newest first",
        parameters=(NAME, STAGE, *_PAGED),
        answer=ref("VersionPage"),
        failures=(404,),
        read=_versions,
    ),
    Operation(
        id="getVersion",
        method="GET",
        path="/models/{name}/versions/{version}",
        group="Versions",
        summary="One version, by its number, stage or alias",
        description="Content-Location names the version by its number.",
        parameters=(NAME, VERSION, AT),
        answer=ref("ModelVersion"),
        failures=(404,),
        read=_version,
    ),
    Operation(
        id="getSource",
        method="GET",
        path="/models/{name}/versions/{version}/source",
        group="Versions",
        summary="Where a version's model lies",
        parameters=(NAME, VERSION, AT),
        answer=ref("Resolution"),
        failures=(404,),
        read=_source,
    ),
    Operation(
        id="resolve",
        method="GET",
        path="/resolve",
        group="Versions",
        summary="Where a version's model lies, by its model URI",
        parameters=(
            Parameter(
                name="uri",
                schema=SOME_TEXT,
                description="Such as models:/churn/Production or models:/churn@champion.",
                needed=True,
            ),
            AT,
        ),
        answer=ref("Resolution"),
        failures=(404,),
        read=_resolve,
    ),
    Operation(
        id="searchVersions",
        method="GET",
        path="/versions",
        group="Versions",
        summary="The versions of all models that a filter leaves, the last updated first",
        description="filter and order_by are those of gitreg search (docs/search.md).",
        parameters=(*_SEARCHED, SEARCH_LIMIT, PAGE_TOKEN, AT),
        answer=ref("VersionPage"),
        read=_search,
    ),
    Operation(
        id="getPolicy",
        method="GET",
        path="/policy",
        group="Registry",
        summary="The rules: what a version must satisfy to enter each stage",
        parameters=(AT,),
        answer=ref("Policy"),
        read=_policy,
    ),
    Operation(
        id="testPolicy",
        method="GET",
        path="/models/{name}/versions/{version}/policy/{stage}",
        group="Registry",
        summary="What each rule would say if a version entered a stage now",
        parameters=(
            NAME,
            VERSION,
            Parameter(name="stage", where="path", schema=SOME_TEXT, description="The stage."),
            AT,
        ),
        answer=ref("Judgement"),
        failures=(404,),
        read=_judgement,
        steady=False,
    ),
)
