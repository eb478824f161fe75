"""MLflow's model registry REST API over a ``Facade``: a request's parts in, a status and a JSON document out.

Free of any web framework. Source of paths, methods and fields: MLflow's REST API, version 2.0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitreg.mlflow.document import Document, model_document, version_document
from gitreg.mlflow.errors import MlflowError
from gitreg.mlflow.request import JSON_TYPE, Field, Fields, Message, read
from gitreg.mlflow.sources import checked

if TYPE_CHECKING:
    from gitreg.mlflow.facade import Facade

PREFIXES = ("/api/2.0/mlflow/", "/ajax-api/2.0/mlflow/")
"""Where clients and MLflow's own page look for the same endpoints."""
MOST_MODELS = 1000
MOST_VERSIONS = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What to send back.

    Args:
        status: HTTP status.
        document: JSON.
        allowed: The methods that the path has, where the status is 405.
    """

    status: int
    document: Document
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of a path.

    Args:
        fields: The parameters, in MLflow's order.
        call: Carries the request out.
        writes: Whether it changes the registry.
    """

    fields: Fields
    call: Callable[[Facade, Message], Document]
    writes: bool = False


def answer(
    facade: Facade,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    *,
    content_type: str | None = JSON_TYPE,
    permit: Callable[[Endpoint, Message], None] | None = None,
) -> Answer:
    """Answer one request.

    Args:
        facade: The registry.
        method: In capitals.
        path: Decoded, from the root of the server.
        query: Names and values, decoded.
        body: What was sent.
        content_type: The header, None where there is none.
        permit: Is asked before the request is carried out, and raises what it likes where it may not be.
    """
    methods = _methods(path)
    if methods is None:
        return error(404, "ENDPOINT_NOT_FOUND", f"There is no endpoint {path}.")
    endpoint = methods.get(method)
    if endpoint is None:
        allowed = tuple(methods)
        why = f"The endpoint {path} has no {method}, but {', '.join(allowed)}."
        refused = error(405, "ENDPOINT_NOT_FOUND", why)
        return Answer(status=405, document=refused.document, allowed=allowed)
    try:
        message = read(endpoint.fields, method, query, body, content_type)
        if permit is not None:
            permit(endpoint, message)
        return Answer(status=200, document=endpoint.call(facade, message))
    except MlflowError as problem:
        return error(problem.status, problem.code, problem.message)


def error(status: int, code: str, message: str) -> Answer:
    """An answer that says what went wrong, in MLflow's form."""
    return Answer(status=status, document={"error_code": code, "message": message})


def writes(method: str, path: str) -> bool:
    """Whether a request may change the registry; an endpoint that is not there may not."""
    endpoint = (_methods(path) or {}).get(method)
    return endpoint is not None and endpoint.writes


def _methods(path: str) -> Mapping[str, Endpoint] | None:
    for prefix in PREFIXES:
        if path.startswith(prefix):
            return ENDPOINTS.get(path[len(prefix) :])
    return None


# Registered models


def _model(found: Any) -> Document:
    return {"registered_model": model_document(found)}


def _create_model(facade: Facade, asked: Message) -> Document:
    made = facade.create_registered_model(asked["name"], asked.get("tags", ()), asked.get("description", ""))
    return _model(made)


def _rename_model(facade: Facade, asked: Message) -> Document:
    return _model(facade.rename_registered_model(asked["name"], asked["new_name"]))


def _update_model(facade: Facade, asked: Message) -> Document:
    return _model(facade.update_registered_model(asked["name"], asked.get("description", "")))


def _delete_model(facade: Facade, asked: Message) -> Document:
    facade.delete_registered_model(asked["name"])
    return {}


def _get_model(facade: Facade, asked: Message) -> Document:
    return _model(facade.get_registered_model(asked["name"]))


def _search_models(facade: Facade, asked: Message) -> Document:
    page = facade.search_registered_models(
        asked.get("filter", ""),
        asked.get("max_results", 100),
        asked.get("order_by", []),
        asked.get("page_token") or None,
    )
    return _page("registered_models", [model_document(model) for model in page], page.token)


def _get_latest(facade: Facade, asked: Message) -> Document:
    found = facade.get_latest_versions(asked["name"], asked.get("stages", []))
    return _page("model_versions", [version_document(version) for version in found], None)


def _set_model_tag(facade: Facade, asked: Message) -> Document:
    facade.set_registered_model_tag(asked["name"], asked["key"], asked.get("value", ""))
    return {}


def _delete_model_tag(facade: Facade, asked: Message) -> Document:
    facade.delete_registered_model_tag(asked["name"], asked["key"])
    return {}


def _set_alias(facade: Facade, asked: Message) -> Document:
    facade.set_registered_model_alias(asked["name"], asked["alias"], asked["version"])
    return {}


def _delete_alias(facade: Facade, asked: Message) -> Document:
    facade.delete_registered_model_alias(asked["name"], asked["alias"])
    return {}


def _get_by_alias(facade: Facade, asked: Message) -> Document:
    return _version(facade.get_model_version_by_alias(asked["name"], asked["alias"]))


# Model versions


def _version(found: Any) -> Document:
    return {"model_version": version_document(found)}


def _create_version(facade: Facade, asked: Message) -> Document:
    source = checked(facade, asked)
    made = facade.create_model_version(
        asked["name"],
        source.uri,
        source.run_id,
        asked.get("tags", ()),
        asked.get("run_link", ""),
        asked.get("description", ""),
        source.model_id,
    )
    return _version(made)


def _update_version(facade: Facade, asked: Message) -> Document:
    return _version(facade.update_model_version(asked["name"], asked["version"], asked.get("description")))


def _transition(facade: Facade, asked: Message) -> Document:
    moved = facade.transition_model_version_stage(
        asked["name"], asked["version"], asked["stage"], asked.get("archive_existing_versions", False)
    )
    return _version(moved)


def _delete_version(facade: Facade, asked: Message) -> Document:
    facade.delete_model_version(asked["name"], asked["version"])
    return {}


def _get_version(facade: Facade, asked: Message) -> Document:
    return _version(facade.get_model_version(asked["name"], asked["version"]))


def _search_versions(facade: Facade, asked: Message) -> Document:
    page = facade.search_model_versions(
        asked.get("filter", ""),
        asked.get("max_results", MOST_VERSIONS),
        asked.get("order_by", []),
        asked.get("page_token") or None,
    )
    return _page("model_versions", [version_document(version) for version in page], page.token)


def _get_download_uri(facade: Facade, asked: Message) -> Document:
    found = facade.get_model_version_download_uri(asked.get("name", ""), asked.get("version", ""))
    return {"artifact_uri": found}


def _set_version_tag(facade: Facade, asked: Message) -> Document:
    facade.set_model_version_tag(asked["name"], asked["version"], asked["key"], asked.get("value", ""))
    return {}


def _delete_version_tag(facade: Facade, asked: Message) -> Document:
    facade.delete_model_version_tag(asked["name"], asked["version"], asked["key"])
    return {}


def _page(name: str, items: list[Document], token: str | None) -> Document:
    found: Document = {name: items} if items else {}
    if token:
        found["next_page_token"] = token
    return found


# The endpoints


def _needed(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name=name, required=True) for name in names)


def _text(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name=name) for name in names)


def _searched(most: int) -> tuple[Field, ...]:
    return (
        Field(name="filter"),
        Field(name="max_results", kind="integer", most=most),
        Field(name="order_by", kind="texts"),
        Field(name="page_token"),
    )


_TAGS = (Field(name="tags", kind="tags"),)
_NAME = _needed("name")
_NUMBERED = _needed("name", "version")


def _reading(fields: tuple[Field, ...], call: Callable[[Facade, Message], Document]) -> Endpoint:
    return Endpoint(fields=Fields(fields), call=call)


def _writing(fields: tuple[Field, ...], call: Callable[[Facade, Message], Document]) -> Endpoint:
    return Endpoint(fields=Fields(fields), call=call, writes=True)


_LATEST = _reading((*_NAME, Field(name="stages", kind="texts")), _get_latest)
_SEARCH_MODELS = _reading(_searched(MOST_MODELS), _search_models)


ENDPOINTS: Mapping[str, Mapping[str, Endpoint]] = {
    "registered-models/create": {"POST": _writing((*_NAME, *_TAGS, *_text("description")), _create_model)},
    "registered-models/rename": {"POST": _writing(_needed("name", "new_name"), _rename_model)},
    "registered-models/update": {"PATCH": _writing((*_NAME, *_text("description")), _update_model)},
    "registered-models/delete": {"DELETE": _writing(_NAME, _delete_model)},
    "registered-models/get": {"GET": _reading(_NAME, _get_model)},
    # MLflow's server has no POST here, but its R client sends one.
    "registered-models/search": {"GET": _SEARCH_MODELS, "POST": _SEARCH_MODELS},
    "registered-models/get-latest-versions": {"POST": _LATEST, "GET": _LATEST},
    "registered-models/set-tag": {
        "POST": _writing((*_needed("name", "key"), *_text("value")), _set_model_tag)
    },
    "registered-models/delete-tag": {"DELETE": _writing(_needed("name", "key"), _delete_model_tag)},
    "registered-models/alias": {
        "POST": _writing(_needed("name", "alias", "version"), _set_alias),
        "DELETE": _writing(_needed("name", "alias"), _delete_alias),
        "GET": _reading(_needed("name", "alias"), _get_by_alias),
    },
    "model-versions/create": {
        "POST": _writing(
            (
                *_needed("name", "source"),
                *_text("run_id"),
                *_TAGS,
                *_text("run_link", "description", "model_id"),
            ),
            _create_version,
        )
    },
    "model-versions/update": {"PATCH": _writing((*_NUMBERED, *_text("description")), _update_version)},
    "model-versions/transition-stage": {
        "POST": _writing(
            (*_needed("name", "version", "stage"), Field(name="archive_existing_versions", kind="flag")),
            _transition,
        )
    },
    "model-versions/delete": {"DELETE": _writing(_NUMBERED, _delete_version)},
    "model-versions/get": {"GET": _reading(_NUMBERED, _get_version)},
    "model-versions/search": {"GET": _reading(_searched(MOST_VERSIONS), _search_versions)},
    "model-versions/get-download-uri": {"GET": _reading(_text("name", "version"), _get_download_uri)},
    "model-versions/set-tag": {
        "POST": _writing((*_needed("name", "version", "key"), *_text("value")), _set_version_tag)
    },
    "model-versions/delete-tag": {"DELETE": _writing(_needed("name", "version", "key"), _delete_version_tag)},
}
"""Path behind the prefix → method → endpoint."""
