"""What approvals are bound to, as SHA-256 (hex): a version's origin, a stage's rule, all the rules."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Stage
from gitreg.manifest.encode import encode_version

_STATE = frozenset({"updated", "stages", "status", "status_message", "description", "tags", "deprecated"})


def origin_digest(version: ModelVersion) -> str:
    """Of what never changes after registration, and the evaluations: a promotion itself changes neither."""
    data = encode_version(version)
    kept = {key: value for key, value in data.items() if key not in _STATE and not key.startswith("x-")}
    return _digest(kept)


def rule_digest(stage: Stage, gate: bytes | None) -> str:
    """Of what a version must satisfy to enter a stage.

    Args:
        stage: With its rules; the description is no part of them.
        gate: The bytes of its gate; None where it has none, or it is not there.
    """
    rule = asdict(stage)
    del rule["description"]
    if stage.approvals is not None and not stage.approvals.signed_in:
        del rule["approvals"]["signed_in"]  # approvals given before there was such a rule stay good
    for each in rule["no_worse"]:
        if not each["percent"]:
            del each["percent"]  # the same
    if stage.rollback_approvals is None:  # the same
        del rule["rollback_approvals"]
    rule["gate"] = None if gate is None else hashlib.sha256(gate).hexdigest()
    rule["gate_file"] = stage.gate
    return _digest(rule)


def policy_digest(files: Mapping[str, bytes]) -> str:
    """Of the files that hold the rules, by path."""
    return _digest({path: hashlib.sha256(data).hexdigest() for path, data in files.items()})


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
