"""The JSON Schemas of what the API answers and takes, as components of its OpenAPI document.

Manifests keep to ``schemas/*.json``: those are taken over, their references rewritten.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, get_args

from gitreg.domain.changes import Event
from gitreg.manifest.fields import Kind
from gitreg.manifest.schema import schema_text
from gitreg.web.api_v1.shapes import (
    ANY,
    COMMIT,
    FLAG,
    NUMBER,
    TEXT,
    Schema,
    keyed,
    many,
    nullable,
    record,
    ref,
)

_MANIFESTS: tuple[tuple[Kind, str], ...] = (
    ("model-version.v1", "Manifest"),
    ("registered-model.v1", "ModelManifest"),
    ("registry.v1", "SettingsManifest"),
)
_ABOUT_FILES = ("$schema", "$id", "$defs")


@cache
def components() -> Mapping[str, Schema]:
    """All of them, by name."""
    found: dict[str, Schema] = {}
    for kind, name in _MANIFESTS:
        found |= _manifest(kind, name)
    return found | _states() | _history() | _writes() | _proposals() | {"Problem": _problem()}


def _manifest(kind: Kind, name: str) -> dict[str, Schema]:
    """A manifest's schema and its parts, the parts as components of their own."""
    whole = json.loads(schema_text(kind))
    parts = whole.get("$defs", {})

    def moved(value: Any) -> Any:
        if isinstance(value, list):
            return [moved(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {key: _moved_ref(one, name) if key == "$ref" else moved(one) for key, one in value.items()}

    main = moved({key: value for key, value in whole.items() if key not in _ABOUT_FILES})
    return {name: main} | {f"{name}.{part}": moved(schema) for part, schema in parts.items()}


def _moved_ref(text: str, name: str) -> str:
    if text == "#":
        return f"#/components/schemas/{name}"
    return f"#/components/schemas/{name}.{text.removeprefix('#/$defs/')}"


def field(manifest: str, name: str) -> Schema:
    """One field of a manifest, as the schema of the manifest has it."""
    return dict(components_of_manifests()[manifest]["properties"][name])


@cache
def components_of_manifests() -> Mapping[str, Schema]:
    """Those of the manifests alone."""
    return {name: schema for kind, title in _MANIFESTS for name, schema in _manifest(kind, title).items()}


def fields(manifest: str, *names: str) -> Schema:
    """Several fields of a manifest."""
    return {name: field(manifest, name) for name in names}


def _open_fields(manifest: str) -> Schema:
    found = dict(components_of_manifests()[manifest]["properties"])
    found.pop("deleted", None)
    found.pop("renamed_to", None)
    return found


_PERSON = record({"name": TEXT, "email": TEXT}, about="A person as Git knows them.")


def _states() -> dict[str, Schema]:
    model = _open_fields("ModelManifest")
    version = _open_fields("Manifest")
    stages = keyed(many(NUMBER))
    extras = {"patternProperties": {"^x-": True}}
    known = ("name", "created", "updated", "aliases")
    model_record = record(model, optional=tuple(key for key in model if key not in known)) | extras
    listed = {**model, "version_count": {"type": "integer", "minimum": 0}, "latest_version": nullable(NUMBER)}
    listed["stages"] = stages
    more = {"name": TEXT, **version, "aliases": many(TEXT), "uri": TEXT, "registered": ref("Registration")}
    must = ("name", "version", "created", "updated", "source", "stages", "status", "aliases")
    return {
        "Person": _PERSON,
        "RegisteredModel": model_record | {"description": "A registered model."},
        "ModelTombstone": ref("ModelManifest") | {"description": "What a deleted or renamed model leaves."},
        "ListedModel": record(
            listed,
            optional=tuple(k for k in model if k not in known),
            about="A registered model at a glance.",
        )
        | extras,
        "ModelVersion": record(
            more, optional=tuple(key for key in more if key not in must), about="A model version."
        )
        | extras,
        "Registration": record({"commit": COMMIT, "author": ref("Person")}, about="Who registered it."),
        "ModelPage": record(
            {"models": many(ref("ListedModel")), "next_page_token": nullable(TEXT), "commit": COMMIT}
        ),
        "VersionPage": record(
            {"versions": many(ref("ModelVersion")), "next_page_token": nullable(TEXT), "commit": COMMIT}
        ),
        "Resolution": record(
            {"name": TEXT, "version": NUMBER, "source": TEXT, "digest": TEXT, "uri": TEXT, "commit": COMMIT},
            optional=("digest",),
            about="Where a version's model lies.",
        ),
        "Registry": record(
            {
                "name": TEXT,
                "commit": COMMIT,
                "time": TEXT,
                "branch": TEXT,
                "models": {"type": "integer", "minimum": 0},
                "versions": {"type": "integer", "minimum": 0},
                "settings": ref("SettingsManifest"),
                "gitreg": TEXT,
            },
            about="The registry as a whole.",
        ),
        "Policy": record(
            {**fields("SettingsManifest", "stages", "policy", "merge_keys"), "commit": COMMIT},
            optional=("policy", "merge_keys"),
            about="What a version must satisfy to enter each stage.",
        ),
        "Judgement": record(
            {
                "model": TEXT,
                "version": NUMBER,
                "stage": TEXT,
                "incumbent": nullable(NUMBER),
                "passed": FLAG,
                "rules": many(
                    record({"rule": TEXT, "passed": FLAG, "message": TEXT, "help": TEXT}, optional=("help",))
                ),
            },
            about="What each rule says of a version that would enter a stage.",
        ),
    }


def _history() -> dict[str, Schema]:
    change = {
        "event": {"type": "string", "enum": list(get_args(Event))},
        "model": TEXT,
        "version": NUMBER,
        "stage": TEXT,
        "from": many(TEXT),
        "field": TEXT,
        "before": ANY,
        "after": ANY,
        "summary": TEXT,
        "proposed_by": many(TEXT),
        "approved_by": many(TEXT),
        "not_counted": many(record({"approver": TEXT, "reason": TEXT})),
        "signed_in": many(record({"approver": TEXT, "attester": TEXT})),
        "approvals_not_judged": record({"signed_by": many(TEXT), "reason": TEXT}),
        "merged_by": nullable(TEXT),
    }
    entry = {
        "commit": COMMIT,
        "parents": many(COMMIT),
        "time": TEXT,
        "author": ref("Person"),
        "committer": ref("Person"),
        "subject": TEXT,
        "message": TEXT,
        "changes": many(ref("Change")),
        "unread": many(TEXT),
    }
    bar = {
        "version": NUMBER,
        "since": nullable(TEXT),
        "until": nullable(TEXT),
        "commit_since": nullable(COMMIT),
        "commit_until": nullable(COMMIT),
        "given_by": nullable(TEXT),
        "ended_by": nullable(TEXT),
        "began_before": FLAG,
    }
    credit = {
        "field": TEXT,
        "key": TEXT,
        "value": ANY,
        "commit": COMMIT,
        "author": ref("Person"),
        "time": TEXT,
        "subject": TEXT,
        "event": {"type": "string", "enum": ["register", "restore", "change"]},
        "boundary": FLAG,
    }
    point = {
        "version": NUMBER,
        "metrics": keyed({"type": ["number", "string"]}),
        "stages": many(TEXT),
        "promoted": nullable(FLAG),
        "deprecated": FLAG,
    }
    side = {"asked": TEXT, "commit": COMMIT, "time": TEXT, "name": TEXT, "version": NUMBER}
    lane = record({"stage": TEXT, "bars": many(record(bar, optional=("began_before",)))})
    return {
        "Change": record(
            change,
            optional=tuple(key for key in change if key not in ("event", "summary")),
            about="One thing that happened.",
        ),
        "Entry": record(entry, optional=("unread",), about="One commit and what it changed."),
        "Log": record({"entries": many(ref("Entry")), "next_page_token": nullable(TEXT), "commit": COMMIT}),
        "Timeline": record(
            {"name": TEXT, "commit": COMMIT, "time": TEXT, "lanes": many(lane)},
            about="Which version held each stage, from when to when.",
        ),
        "Blame": record(
            {
                "name": TEXT,
                "version": NUMBER,
                "commit": COMMIT,
                "fields": many(record(credit, optional=("key", "boundary"))),
            },
            optional=("version",),
            about="Which commit set each field.",
        ),
        "Series": record(
            {
                "name": TEXT,
                "commit": COMMIT,
                "evaluation": nullable(TEXT),
                "stage": TEXT,
                "versions": many(record(point)),
            },
            about="Metrics over the versions of a model.",
        ),
        "Lineage": {"type": "object", "description": "A graph: nodes, edges, and what was left out."},
        "Difference": record(
            {
                "before": record(side, optional=("asked", "name", "version")),
                "after": record(side, optional=("asked", "name", "version")),
                "equal": FLAG,
                "version": keyed(ANY),
                "model": keyed(ANY),
                "registry": keyed(ANY),
            },
            optional=("version", "model", "registry"),
            about="What differs between two sides, by meaning.",
        ),
    }


def _writes() -> dict[str, Schema]:
    written = {
        "commit": nullable(COMMIT),
        "branch": TEXT,
        "tags": many(TEXT),
        "changes": many(ref("Change")),
        "warnings": many(TEXT),
        "model": {"anyOf": [ref("RegisteredModel"), ref("ModelTombstone")]},
        "version": {"anyOf": [ref("ModelVersion"), ref("VersionTombstone")]},
        "rollback": keyed(ANY),
        "proposal": keyed(ANY),
    }
    return {
        "VersionTombstone": record(
            {"name": TEXT, "version": NUMBER, "deleted": ref("Manifest.mark")},
            about="What a deleted version leaves.",
        ),
        "Written": record(
            written,
            optional=("model", "version", "rollback", "proposal"),
            about="What a write did: commit is null where everything was so already.",
        ),
    }


def _proposals() -> dict[str, Schema]:
    proposal = {
        "number": nullable(NUMBER),
        "branch": nullable(TEXT),
        "ref": TEXT,
        "head": COMMIT,
        "target": TEXT,
        "url": nullable(TEXT),
        "shared": FLAG,
    }
    listed = {
        **proposal,
        "subject": TEXT,
        "by": TEXT,
        "when": TEXT,
        "state": TEXT,
        "passes": FLAG,
        "findings": many(keyed(ANY)),
    }
    told = {"words": many(TEXT), "warnings": many(TEXT)}
    return {
        "Proposal": record(proposal, about="A proposal."),
        "ListedProposal": record(listed, about="A proposal, what it does and what it lacks."),
        "Proposals": record(
            {"remote": nullable(TEXT), "base": COMMIT, "proposals": many(ref("ListedProposal"))}
        ),
        "ReviewedProposal": record(
            {**listed, "base": COMMIT, "when": nullable(TEXT), "review": nullable(keyed(ANY))},
            about="A proposal with its review; base is the commit that it was judged on.",
        ),
        "Approved": record(
            {
                "branch": TEXT,
                "commit": nullable(COMMIT),
                "changes": many(ref("Change")),
                "approvals": many(keyed(ANY)),
                "already": many(TEXT),
                **told,
            },
            about="What was signed: commit is null where the caller has approved all of it before.",
        ),
        "Merged": record(
            {
                "commit": nullable(COMMIT),
                "branch": TEXT,
                "base": COMMIT,
                "proposal": ref("Proposal"),
                "changes": many(ref("Change")),
                "followed": FLAG,
                **told,
            },
            about="What a merge did.",
        ),
        "Withdrawn": record({"proposal": ref("Proposal"), **told}, about="What a withdrawal did."),
    }


def _problem() -> Schema:
    return {
        "type": "object",
        "description": "What went wrong, and what to do next (RFC 9457).",
        "properties": {
            "type": {"type": "string", "description": "A URN that names the kind of problem."},
            "title": TEXT,
            "status": {"type": "integer"},
            "code": {"type": "string", "description": "The kind in one word: not-found, conflict …"},
            "detail": TEXT,
            "where": {"type": "string", "description": "The parameter, field or file that it concerns."},
            "hint": {"type": "string", "description": "What to do next."},
            "errors": many(record({"where": TEXT, "message": TEXT})),
            "findings": many(keyed(ANY)),
            "column": {"type": "integer", "description": "Where in a filter the fault begins, from 1."},
            "length": {"type": "integer"},
        },
        "required": ["type", "title", "status", "code", "detail"],
    }
