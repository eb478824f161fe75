"""Domain values → the plain data of their files, in canonical order, without what is empty."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from gitreg.domain.model import (
    READY,
    AnyModel,
    AnyVersion,
    Artifact,
    Code,
    Dataset,
    Evaluation,
    Mark,
    ModelTombstone,
    Origin,
    VersionTombstone,
)
from gitreg.domain.settings import VALID_DAYS, Approvals, NoWorse, ProposalSettings, Settings, Stage
from gitreg.errors import InvalidInput
from gitreg.manifest.fields import VERSION, sort_keys

Data = dict[str, Any]


def time_text(value: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-11-23T10:00:00.123Z``.

    Raises:
        InvalidInput: The time has no zone.
    """
    if value.tzinfo is not UTC:
        if value.tzinfo is None:
            raise InvalidInput(f"the time {value.isoformat()} has no zone")
        value = value.astimezone(UTC)
    return f"{value.isoformat(timespec='milliseconds')[:-6]}Z"


def encode_settings(value: Settings) -> Data:
    """The data of ``gitreg.yaml``."""
    out: Data = {"format": value.format}
    _put(out, "name", value.name)
    _put(out, "description", value.description)
    out["branch"] = value.branch
    out["layout"] = value.layout
    out["stages"] = [_stage(stage) for stage in value.stages]
    tags: Data = {}
    _put(tags, "prefix", value.tags.prefix)
    tags["for"] = value.tags.made_for
    if value.tags.style != "gitreg":
        tags["style"] = value.tags.style
    out["tags"] = tags
    policy: Data = {}
    _put(policy, "approvals", _approvals(value.policy.approvals))
    _put(policy, "signed", value.policy.signed)
    _put(out, "policy", policy)
    _put(out, "merge_keys", list(value.merge_keys))
    if value.proposals != ProposalSettings():
        out["proposals"] = {"remote": value.proposals.remote, "forge": value.proposals.forge}
    return out | _extra(value.extra)


def _stage(stage: Stage) -> str | Data:
    if stage.plain:
        return stage.name
    out: Data = {"name": stage.name}
    _put(out, "exclusive", stage.exclusive)
    _put(out, "description", stage.description)
    if stage.allowed_from is not None:
        out["from"] = list(stage.allowed_from)
    _put(out, "gate", stage.gate)
    _put(out, "no_worse", [_no_worse(one) for one in stage.no_worse])
    _put(out, "requires", list(stage.requires))
    _put(out, "approvals", _approvals(stage.approvals))
    if stage.rollback_approvals is not None:
        out["rollback_approvals"] = stage.rollback_approvals
    _put(out, "signed", stage.signed)
    return out


def _no_worse(rule: NoWorse) -> Data:
    out: Data = {"metric": rule.metric, "direction": rule.direction}
    _put(out, "tolerance", f"{rule.percent:.10g}%" if rule.percent else rule.tolerance)
    _put(out, "evaluation", rule.evaluation)
    return out


def _approvals(rule: Approvals | None) -> Data | None:
    if rule is None:
        return None
    out: Data = {"count": rule.count}
    _put(out, "approvers", list(rule.approvers))
    _put(out, "codeowners", rule.codeowners)
    if rule.valid_days != VALID_DAYS:
        out["valid_days"] = rule.valid_days
    _put(out, "signed_in", list(rule.signed_in))
    return out


def encode_model(value: AnyModel) -> Data:
    """The data of a ``model.yaml``."""
    if isinstance(value, ModelTombstone):
        out: Data = {"name": value.name, "last_version": value.last_version}
        if value.renamed_to is not None:
            out["renamed_to"] = value.renamed_to
        if value.deleted is not None:
            out["deleted"] = _mark(value.deleted)
        return out
    out = {"name": value.name, "created": time_text(value.created), "updated": time_text(value.updated)}
    _put(out, "description", value.description)
    _put(out, "tags", _sorted(value.tags))
    _put(out, "aliases", _sorted(value.aliases))
    _put(out, "owners", list(value.owners))
    _put(out, "last_version", value.last_version)
    return out | _extra(value.extra)


def encode_version(value: AnyVersion) -> Data:
    """The data of a version manifest."""
    out: Data = {"version": value.version}
    if isinstance(value, VersionTombstone):
        out["deleted"] = _mark(value.deleted)
        return out
    out["created"] = time_text(value.created)
    out["updated"] = time_text(value.updated)
    _origin(value.origin, out)
    _put(out, "evaluations", [_evaluation(one) for one in value.evaluations])
    _put(out, "stages", {stage: time_text(value.stages[stage]) for stage in sorted(value.stages)})
    if value.status != READY:
        out["status"] = value.status
    _put(out, "status_message", value.status_message)
    _put(out, "description", value.description)
    _put(out, "tags", _sorted(value.tags))
    if value.deprecated is not None:
        out["deprecated"] = _mark(value.deprecated)
    return out | _extra(value.extra)


def _origin(origin: Origin, out: Data) -> None:
    out["source"] = origin.source
    _put_known(out, "run_id", origin.run_id)
    _put_known(out, "run_link", origin.run_link)
    _put_known(out, "experiment", origin.experiment)
    _put_known(out, "model_id", origin.model_id)
    if origin.code is not None:
        out["code"] = _code(origin.code)
    _put(out, "datasets", [_dataset(one) for one in origin.datasets])
    _put(out, "parents", list(origin.parents))
    if origin.artifact is not None:
        out["artifact"] = _artifact(origin.artifact)
    _put(out, "params", _sorted(origin.params))
    _put(out, "metrics", _metrics(origin.metrics))


def _code(code: Code) -> Data:
    out: Data = {}
    _put_known(out, "repository", code.repository)
    _put_known(out, "commit", code.commit)
    _put_known(out, "path", code.path)
    _put_known(out, "dirty", code.dirty)
    return out


def _dataset(dataset: Dataset) -> Data:
    out: Data = {"name": dataset.name}
    _put_known(out, "uri", dataset.uri)
    _put_known(out, "digest", dataset.digest)
    return out


def _artifact(artifact: Artifact) -> Data:
    out: Data = {}
    _put_known(out, "uri", artifact.uri)
    _put_known(out, "digest", artifact.digest)
    _put_known(out, "size", artifact.size)
    _put(out, "files", _sorted(artifact.files))
    _put(out, "flavors", _sorted(artifact.flavors))
    signature = artifact.signature
    fields = sort_keys(VERSION, ("artifact", "signature"), signature)
    _put(out, "signature", {field: _in_order(signature[field]) for field in fields})
    return out


def _evaluation(evaluation: Evaluation) -> Data:
    out: Data = {"name": evaluation.name, "at": time_text(evaluation.at)}
    _put_known(out, "run_id", evaluation.run_id)
    if evaluation.dataset is not None:
        out["dataset"] = _dataset(evaluation.dataset)
    _put(out, "metrics", _metrics(evaluation.metrics))
    return out


def _mark(mark: Mark) -> Data:
    out: Data = {"at": time_text(mark.at)}
    _put(out, "reason", mark.reason)
    return out


def _metrics(metrics: Mapping[str, float]) -> Data:
    return {key: _metric(metrics[key]) for key in sorted(metrics)}


def _metric(value: float) -> float | str:
    if isinstance(value, int) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _sorted(values: Mapping[str, Any]) -> Data:
    return {key: values[key] for key in sorted(values)}


def _extra(extra: Mapping[str, Any]) -> Data:
    return {key: _in_order(extra[key]) for key in sorted(extra)}


def _in_order(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_in_order(item) for item in value]
    return value


def _put(out: Data, key: str, value: Any) -> None:
    if value:
        out[key] = value


def _put_known(out: Data, key: str, value: Any) -> None:
    if value is not None:
        out[key] = value
