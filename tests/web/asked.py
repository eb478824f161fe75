"""Requests of MLflow's registry API, good and bad, that both servers are sent: one table.

Each conversation has a model of its own, so that they don't see each other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

API = "/api/2.0/mlflow/"
RUN = "0123456789abcdef0123456789abcdef"
JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request, and where our answer is meant to differ.

    Args:
        ours: Status and error code of our answer where it differs from MLflow's.
        why: The deviation in words.
        says: Whether the message is compared, too.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    content_type: str | None = None
    ours: tuple[int, str] | None = None
    why: str = ""
    says: bool = True

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query or (self.body or b'')[:60]!r}"


@dataclass(frozen=True, kw_only=True)
class Conversation:
    title: str
    asks: list[Ask] = field(default_factory=list)


def get(path: str, *pairs: tuple[str, str], **query: str) -> Ask:
    return Ask(method="GET", path=API + path, query=(*query.items(), *pairs))


def send(method: str, path: str, **fields: Any) -> Ask:
    return raw(method, path, json.dumps(fields).encode())


def raw(method: str, path: str, body: bytes, content_type: str | None = JSON) -> Ask:
    return Ask(method=method, path=API + path, body=body, content_type=content_type)


def post(path: str, **fields: Any) -> Ask:
    return send("POST", path, **fields)


def patch(path: str, **fields: Any) -> Ask:
    return send("PATCH", path, **fields)


def delete(path: str, **fields: Any) -> Ask:
    return send("DELETE", path, **fields)


def but(ask: Ask, status: int, code: str, why: str) -> Ask:
    """The answer differs on purpose."""
    return replace(ask, ours=(status, code), why=why, says=False)


def code_only(ask: Ask, why: str) -> Ask:
    """Status and code are the same, the sentence is not."""
    return replace(ask, says=False, why=why)


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


HALF = "MLflow carries on with what it read before the fault; ours refuses the request"
CRASH = "MLflow's handler raises: 500 without a document; ours says what is wrong"
SENTENCE = "MLflow's sentence tells how its parser cut the text, or the order of a set"
HOSTS = "MLflow's server would connect to a host that a source names; a registry connects to nothing"
RUNS = "MLflow asks its tracking store where the run's artifacts are; a registry reads it off the path"
INVALID = (400, "INVALID_PARAMETER_VALUE")
GONE = (404, "RESOURCE_DOES_NOT_EXIST")
DEEP = b"[" * 100_000

_MODEL = "registered-models/"
_VERSION = "model-versions/"

WORKFLOW = Conversation(
    title="the first workflow",
    asks=[
        post(_MODEL + "create", name="flow", tags=tags(team="growth"), description="Who opens letters"),
        post(_MODEL + "create", name="flow"),
        get(_MODEL + "get", name="flow"),
        post(_VERSION + "create", name="flow", source="s3://bucket/a", run_id=RUN, tags=tags(a="1", b="")),
        post(
            _VERSION + "create", name="flow", source=f"runs:/{RUN}/model", run_id=RUN, run_link="http://run"
        ),
        post(_VERSION + "create", name="flow", source="s3://bucket/c", description="third"),
        get(_VERSION + "get", name="flow", version="1"),
        get(_VERSION + "get-download-uri", name="flow", version="1"),
        post(_VERSION + "transition-stage", name="flow", version="1", stage="Staging"),
        post(
            _VERSION + "transition-stage",
            name="flow",
            version="2",
            stage="production",
            archive_existing_versions=False,
        ),
        get(_MODEL + "get-latest-versions", name="flow"),
        get(_MODEL + "get-latest-versions", ("stages", "Staging"), ("stages", "None"), name="flow"),
        post(_MODEL + "get-latest-versions", name="flow", stages=["Production"]),
        post(_MODEL + "get-latest-versions", name="flow"),
        post(
            _VERSION + "transition-stage",
            name="flow",
            version="3",
            stage="Production",
            archive_existing_versions=True,
        ),
        get(_VERSION + "get", name="flow", version="2"),
        post(_MODEL + "alias", name="flow", alias="champion", version="3"),
        get(_MODEL + "alias", name="flow", alias="champion"),
        get(_MODEL + "get", name="flow"),
        delete(_MODEL + "alias", name="flow", alias="champion"),
        delete(_MODEL + "alias", name="flow", alias="champion"),
        get(_MODEL + "alias", name="flow", alias="champion"),
        post(_MODEL + "set-tag", name="flow", key="task", value="classify"),
        delete(_MODEL + "delete-tag", name="flow", key="team"),
        delete(_MODEL + "delete-tag", name="flow", key="never"),
        post(_VERSION + "set-tag", name="flow", version="1", key="validated", value="yes"),
        delete(_VERSION + "delete-tag", name="flow", version="1", key="a"),
        get(_VERSION + "get", name="flow", version="1"),
        patch(_VERSION + "update", name="flow", version="1", description="The first"),
        patch(_MODEL + "update", name="flow", description="Better"),
        patch(_MODEL + "update", name="flow"),
        get(_VERSION + "search", filter="name = 'flow'", order_by="version_number ASC"),
        get(_MODEL + "search", filter="name = 'flow'"),
        delete(_VERSION + "delete", name="flow", version="1"),
        get(_VERSION + "get", name="flow", version="1"),
        post(_MODEL + "rename", name="flow", new_name="flow2"),
        get(_MODEL + "get", name="flow"),
        get(_VERSION + "get", name="flow2", version="2"),
        delete(_MODEL + "delete", name="flow2"),
        get(_MODEL + "get", name="flow2"),
    ],
)

MISSING = Conversation(
    title="what is required is missing",
    asks=[
        post(_MODEL + "create"),
        post(_MODEL + "create", name=""),
        post(_MODEL + "create", name=None),
        post(_MODEL + "create", name="   "),
        get(_MODEL + "get"),
        get(_MODEL + "get", name=""),
        get(_MODEL + "get", other="x"),
        post(_MODEL + "rename", name="gone"),
        patch(_MODEL + "update", description="x"),
        delete(_MODEL + "delete"),
        get(_MODEL + "get-latest-versions"),
        post(_MODEL + "get-latest-versions"),
        post(_MODEL + "set-tag", name="gone"),
        post(_MODEL + "set-tag", name="gone", key="k"),
        delete(_MODEL + "delete-tag", name="gone"),
        post(_MODEL + "alias", name="gone", alias="a"),
        get(_MODEL + "alias", name="gone"),
        delete(_MODEL + "alias", alias="a"),
        post(_VERSION + "create", name="gone"),
        post(_VERSION + "create", name="gone", source=""),
        patch(_VERSION + "update", name="gone"),
        post(_VERSION + "transition-stage", name="gone", version="1"),
        delete(_VERSION + "delete", name="gone"),
        get(_VERSION + "get", name="gone"),
        get(_VERSION + "get", version="1"),
        get(_VERSION + "get-download-uri"),
        get(_VERSION + "get-download-uri", name="gone"),
        post(_VERSION + "set-tag", name="gone", version="1"),
        delete(_VERSION + "delete-tag", name="gone", version="1"),
    ],
)

NOT_THERE = Conversation(
    title="what is named is not there",
    asks=[
        get(_MODEL + "get", name="gone"),
        post(_MODEL + "rename", name="gone", new_name="gone2"),
        patch(_MODEL + "update", name="gone", description="x"),
        delete(_MODEL + "delete", name="gone"),
        get(_MODEL + "get-latest-versions", name="gone"),
        post(_MODEL + "set-tag", name="gone", key="k", value="v"),
        delete(_MODEL + "delete-tag", name="gone", key="k"),
        post(_MODEL + "alias", name="gone", alias="a", version="1"),
        get(_MODEL + "alias", name="gone", alias="a"),
        delete(_MODEL + "alias", name="gone", alias="a"),
        post(_VERSION + "create", name="gone", source="s3://b/a"),
        patch(_VERSION + "update", name="gone", version="1", description="x"),
        post(_VERSION + "transition-stage", name="gone", version="1", stage="Staging"),
        delete(_VERSION + "delete", name="gone", version="1"),
        get(_VERSION + "get", name="gone", version="1"),
        get(_VERSION + "get-download-uri", name="gone", version="1"),
        post(_VERSION + "set-tag", name="gone", version="1", key="k", value="v"),
        delete(_VERSION + "delete-tag", name="gone", version="1", key="k"),
    ],
)

TYPES = Conversation(
    title="values of wrong types",
    asks=[
        post(_MODEL + "create", name="types"),
        post(_VERSION + "create", name="types", source="s3://b/a"),
        post(_MODEL + "create", name=5),
        post(_MODEL + "create", name=["a"]),
        post(_MODEL + "create", name={"a": 1}),
        post(_MODEL + "create", name=True),
        post(_MODEL + "create", name="types-a", description=5),
        post(_MODEL + "create", name="types-b", tags="x"),
        post(_MODEL + "create", name="types-c", tags={"key": "a", "value": "b"}),
        code_only(post(_MODEL + "create", name="types-d", tags=[5]), HALF),
        code_only(post(_MODEL + "create", name="types-e", tags=[{"key": 5, "value": "b"}]), HALF),
        code_only(post(_MODEL + "create", name="types-f", tags=["x"]), HALF),
        post(_MODEL + "create", name="types-g", tags=None, description=None),
        post(_MODEL + "create", name="types-h", tags=[{"key": "k"}]),
        post(_MODEL + "create", name="types-i", tags=[{"key": "k", "value": None, "more": 1}], more=[1]),
        post(_VERSION + "transition-stage", name="types", version=1, stage="Staging"),
        post(
            _VERSION + "transition-stage",
            name="types",
            version="1",
            stage="Staging",
            archive_existing_versions="true",
        ),
        post(
            _VERSION + "transition-stage",
            name="types",
            version="1",
            stage="Staging",
            archive_existing_versions=1,
        ),
        post(
            _VERSION + "transition-stage",
            name="types",
            version="1",
            stage="Staging",
            archiveExistingVersions=True,
        ),
        post(_VERSION + "transition-stage", name="types", version="x", stage="Staging"),
        post(_VERSION + "transition-stage", name="types", version="1", stage="Shelf"),
        post(
            _VERSION + "transition-stage",
            name="types",
            version="1",
            stage="None",
            archive_existing_versions=True,
        ),
        get(_VERSION + "get", name="types", version="x"),
        get(_VERSION + "get", name="types", version="-1"),
        get(_VERSION + "get", name="types", version="0"),
        get(_VERSION + "get", name="types", version=" 1 "),
        get(_VERSION + "get", name="types", version="1.0"),
        but(
            get(_VERSION + "get", name="types", version="9" * 20), *GONE, "SQLite's integers end, Git's don't"
        ),
        get(_VERSION + "get", ("name", "types"), ("name", "gone"), ("version", "1")),
        post(_MODEL + "get-latest-versions", name="types", stages="Staging"),
        post(_MODEL + "get-latest-versions", name="types", stages=[5]),
        post(_MODEL + "get-latest-versions", name="types", stages=[None]),
        get(_MODEL + "get-latest-versions", name="types", stages="Shelf"),
        code_only(raw("POST", _MODEL + "create", b'{"name": "types-\\ud800"}'), HALF),
        but(raw("PATCH", _MODEL + "update", b'{"name": "types", "description": "\\ud800"}'), *INVALID, HALF),
        post(_MODEL + "rename", name="types-a", newName="types-z"),
        post(_MODEL + "rename", name="types-a", newName="types-y", new_name="types-z"),
        post(_VERSION + "create", name="types", source="s3://b/b", runId=RUN, runLink="http://r"),
    ],
)

BODIES = Conversation(
    title="bodies that are no JSON objects",
    asks=[
        raw("POST", _MODEL + "create", b""),
        raw("POST", _MODEL + "create", b"{"),
        raw("POST", _MODEL + "create", b"null"),
        raw("POST", _MODEL + "create", b"\xff\xfe\x00"),
        raw("POST", _MODEL + "create", b'{"name": "bodies"}', None),
        raw("POST", _MODEL + "create", b'{"name": "bodies"}', "text/plain"),
        raw("POST", _MODEL + "create", b"name=bodies", "application/x-www-form-urlencoded"),
        raw("POST", _MODEL + "create", b'{"name": "bodies"}', "application/json; charset=utf-8"),
        raw("POST", _MODEL + "create", b'{"name": "bodies-a", "name": "bodies-b"}'),
        raw("POST", _MODEL + "create", b'"{\\"name\\": \\"bodies-c\\"}"'),
        raw("POST", _MODEL + "create", '{"name": "bodies-ü"}'.encode()),
        raw("POST", _MODEL + "create", '{"name": "bodies-utf16"}'.encode("utf-16")),
        raw("PATCH", _MODEL + "update", b'{"name": "bodies"}', None),
        raw("DELETE", _MODEL + "delete", b'{"name": "bodies"}', "text/plain"),
        raw("DELETE", _MODEL + "delete", b"", None),
        raw("GET", _MODEL + "get", b'{"name": "bodies-a"}', None),
        raw("GET", _MODEL + "get", b'{"name": "bodies-b"}'),
        but(raw("POST", _MODEL + "create", b"[]"), *INVALID, CRASH),
        but(raw("POST", _MODEL + "create", b"5"), *INVALID, CRASH),
        but(raw("POST", _MODEL + "create", b'["name"]'), *INVALID, CRASH),
        but(raw("POST", _MODEL + "create", b'"x"'), *INVALID, CRASH),
        but(raw("POST", _MODEL + "create", DEEP), *INVALID, CRASH),
    ],
)

SEARCH = Conversation(
    title="searches and their pages",
    asks=[
        *(post(_MODEL + "create", name=f"page-{number}") for number in range(5)),
        *(post(_VERSION + "create", name="page-0", source=f"s3://b/{number}") for number in range(5)),
        get(_MODEL + "search", filter="name LIKE 'page-%'", max_results="2"),
        get(_MODEL + "search", filter="name LIKE 'page-%'", order_by="name DESC"),
        get(
            _MODEL + "search",
            ("order_by", "name DESC"),
            ("order_by", "timestamp"),
            filter="name LIKE 'page-%'",
        ),
        get(_VERSION + "search", filter="name = 'page-0'", max_results="2", order_by="version_number DESC"),
        get(_VERSION + "search", filter="name = 'nobody'"),
        but(get(_MODEL + "search", max_results="-1"), *INVALID, "MLflow gives an empty page and a token"),
        get(_MODEL + "search", max_results="0"),
        get(_MODEL + "search", max_results="1001"),
        get(_MODEL + "search", max_results="1000000000"),
        get(_MODEL + "search", max_results="x"),
        get(_MODEL + "search", max_results=""),
        get(_MODEL + "search", max_results="9223372036854775808"),
        get(_MODEL + "search", max_results="1.5"),
        get(_VERSION + "search", max_results="-1"),
        get(_VERSION + "search", max_results="200001"),
        get(_VERSION + "search", max_results="1000000000"),
        get(_MODEL + "search", page_token="forged"),
        get(_MODEL + "search", filter="name LIKE 'page-%'", page_token="eyJvZmZzZXQiOiAtMX0="),
        get(_VERSION + "search", page_token="forged"),
        but(
            get(_VERSION + "search", filter="name = 'page-0'", page_token="eyJvZmZzZXQiOiAxZTk5fQ=="),
            200,
            "",
            "an offset that SQLite's integers can't hold: here a page behind the last",
        ),
        code_only(get(_MODEL + "search", filter="name = 'x' OR 1=1; DROP TABLE registered_models"), SENTENCE),
        code_only(get(_MODEL + "search", filter="colour = 'red'"), SENTENCE),
        code_only(get(_MODEL + "search", filter="name"), SENTENCE),
        code_only(get(_MODEL + "search", filter="name = 'page-1"), SENTENCE),
        code_only(get(_MODEL + "search", filter="(" * 10_000), SENTENCE),
        get(_MODEL + "search", filter="name LIKE '%_-1'"),
        get(_MODEL + "search", filter="name = 'it''s'"),
        code_only(get(_VERSION + "search", filter="current_stage = 'Staging'"), SENTENCE),
        code_only(get(_MODEL + "search", order_by="colour"), SENTENCE),
        code_only(get(_MODEL + "search", order_by="name; DROP"), SENTENCE),
        raw(
            "GET",
            _MODEL + "search",
            b'{"filter": "name = \'page-2\'", "max_results": 3, "order_by": []}',
            None,
        ),
        raw("GET", _MODEL + "search", b'{"max_results": 3.0, "filter": "name = \'page-2\'"}', None),
        raw("GET", _MODEL + "search", b'{"maxResults": "1", "filter": "name LIKE \'page-%\'"}', None),
        raw("GET", _MODEL + "search", b'{"order_by": "name"}', None),
        raw("GET", _MODEL + "search", b'{"order_by": [1]}', None),
        raw("GET", _MODEL + "search", b'{"filter": 5}', None),
        but(raw("GET", _MODEL + "search", b'{"max_results": true}', None), *INVALID, HALF),
        but(raw("GET", _MODEL + "search", b'{"max_results": 1.5}', None), *INVALID, HALF),
        but(raw("GET", _MODEL + "search", b'{"max_results": []}', None), *INVALID, CRASH),
    ],
)

SOURCES = Conversation(
    title="sources that are refused",
    asks=[
        post(_MODEL + "create", name="sources"),
        post(_MODEL + "create", name="more"),
        *(
            post(_VERSION + "create", name="sources", source=source)
            for source in (
                "file:///etc/passwd",
                "/etc/passwd",
                "etc/passwd",
                "\\..\\x",
                "%2e%2e%2f",
                "%2e%2e%2fetc",
                "..",
                "dbfs:/../etc",
                "s3://b/../x",
                "s3://b/%2e%2e/x",
                "s3://b/%252e%252e/x",
                "s3://b/a/./x",
                "s3://b/a%00",
                f"runs:/{RUN}/model",
                f"runs://host/{RUN}/model",
                f"models:/m-{RUN}",
                "mlflow-artifacts:/a/b",
                "models:/gone/1",
                "models:/gone@champion",
                "models:/",
                "models:/a/b/c",
            )
        ),
        code_only(post(_VERSION + "create", name="sources", source="http:///#/../../etc"), HOSTS),
        but(post(_VERSION + "create", name="more", source="https://host/m"), 200, "", HOSTS),
        code_only(post(_VERSION + "create", name="sources", source="file:///etc/passwd", run_id="etc"), RUNS),
        code_only(post(_VERSION + "create", name="sources", source="/etc/passwd", run_id=RUN), RUNS),
        code_only(
            post(_VERSION + "create", name="sources", source=f"file:///a/{RUN}/../../etc", run_id=RUN), RUNS
        ),
        but(
            post(_VERSION + "create", name="more", source=f"file:///a/{RUN}/artifacts/m", run_id=RUN),
            200,
            "",
            RUNS,
        ),
        post(_VERSION + "create", name="sources", source=f"runs:/{RUN}/m", run_id=RUN[::-1]),
        post(_VERSION + "create", name="sources", source="s3://bucket/a//b"),
        post(_VERSION + "create", name="sources", source="models:/sources/1"),
        post(_VERSION + "create", name="sources", source="models:/sources/latest"),
        post(_VERSION + "create", name="sources", source="models:/sources/1", run_id=RUN),
        post(
            _VERSION + "create",
            name="sources",
            source="s3://b/p",
            tags=tags(**{"mlflow.prompt.is_prompt": "true"}),
        ),
    ],
)

NAMES = Conversation(
    title="names, keys and aliases",
    asks=[
        *(
            post(_MODEL + "create", name=name)
            for name in ("a/b", "a:b", "..", ".", "names dot.", "names-€", "names %41", "names'quote")
        ),
        *(get(_MODEL + "get", name=name) for name in ("names dot.", "names-€", "names %41", "names'quote")),
        post(_MODEL + "create", name="names"),
        post(_VERSION + "create", name="names", source="s3://b/a"),
        *(
            post(_MODEL + "alias", name="names", alias=alias, version="1")
            for alias in ("latest", "LATEST", "v1", "V22", "a b", "ü", "a" * 256, "a" * 255, "-", "v1a")
        ),
        post(_MODEL + "alias", name="names", alias="a", version="2"),
        post(_MODEL + "alias", name="names", alias="a", version="x"),
        *(
            post(path, name="names", version="1", key=key, value="v")
            for path in (_MODEL + "set-tag", _VERSION + "set-tag")
            for key in ("a/b", "a b", "a:b", "..", "a" * 250, "a" * 251, "a?", "ü")
        ),
        post(_MODEL + "set-tag", name="names", key="big", value="x" * 100_001),
        post(_MODEL + "set-tag", name="names", key="big", value="x" * 100_000),
        post(_VERSION + "set-tag", name="names", version="1", key="big", value="x" * 100_001),
        post(_VERSION + "set-tag", name="names", version="1", key="five", value=5),
        post(_MODEL + "create", name="names-twice", tags=[*tags(a="1"), *tags(a="2")]),
    ],
)

CONVERSATIONS = [WORKFLOW, MISSING, NOT_THERE, TYPES, BODIES, SEARCH, SOURCES, NAMES]
