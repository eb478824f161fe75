"""The order of fields in each kind of file, as the schemas list them.

Objects with fixed fields keep this order; free maps (tags, metrics, files …) are sorted by key.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

Kind = Literal["registry.v1", "registered-model.v1", "model-version.v1"]

SETTINGS: Kind = "registry.v1"
MODEL: Kind = "registered-model.v1"
VERSION: Kind = "model-version.v1"

_MARK = ("at", "reason")
_DATASET = ("name", "uri", "digest")
_APPROVALS = ("count", "approvers", "codeowners", "valid_days", "signed_in")

# Field path without list positions → the fields there, in canonical order.
ORDER: dict[Kind, dict[tuple[str, ...], tuple[str, ...]]] = {
    SETTINGS: {
        (): (
            "format", "name", "description", "branch", "layout", "stages", "tags", "policy", "merge_keys",
            "proposals",
        ),
        ("stages",): (
            "name", "exclusive", "description", "from", "gate", "no_worse", "requires", "approvals",
            "rollback_approvals", "signed",
        ),
        ("stages", "no_worse"): ("metric", "direction", "tolerance", "evaluation"),
        ("stages", "approvals"): _APPROVALS,
        ("tags",): ("prefix", "for", "style"),
        ("policy",): ("approvals", "signed"),
        ("policy", "approvals"): _APPROVALS,
        ("proposals",): ("remote", "forge"),
    },
    MODEL: {
        (): (
            "name", "created", "updated", "description", "tags", "aliases", "owners", "last_version",
            "renamed_to", "deleted",
        ),
        ("deleted",): _MARK,
    },
    VERSION: {
        (): (
            "version", "created", "updated", "source", "run_id", "run_link", "experiment", "model_id", "code",
            "datasets", "parents", "artifact", "params", "metrics", "evaluations", "stages", "status",
            "status_message", "description", "tags", "deprecated", "deleted",
        ),
        ("code",): ("repository", "commit", "path", "dirty"),
        ("datasets",): _DATASET,
        ("artifact",): ("uri", "digest", "size", "files", "flavors", "signature"),
        ("artifact", "signature"): ("inputs", "outputs", "params"),
        ("evaluations",): ("name", "at", "run_id", "dataset", "metrics"),
        ("evaluations", "dataset"): _DATASET,
        ("deprecated",): _MARK,
        ("deleted",): _MARK,
    },
}  # fmt: skip


def sort_keys(kind: Kind, path: tuple[str, ...], keys: Iterable[str]) -> list[str]:
    """``keys`` of the mapping at ``path`` (list positions left out) in canonical order.

    Known fields come first in the schema's order, then all others (``x-`` keys) sorted.
    """
    known = ORDER[kind].get(path, ())
    rank = {name: at for at, name in enumerate(known)}
    return sorted(keys, key=lambda key: (rank.get(key, len(known)), key))
