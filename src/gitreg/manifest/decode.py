"""Plain data that keeps to its schema → domain values."""

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
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.domain.settings import (
    VALID_DAYS,
    Approvals,
    NoWorse,
    PolicySettings,
    ProposalSettings,
    Settings,
    Stage,
    TagSettings,
)

Data = Mapping[str, Any]
_METRIC_TEXTS = {"NaN": math.nan, "Infinity": float("inf"), "-Infinity": float("-inf")}


class BadTime(ValueError):
    """A time that has the form of one but never was: month 13, 61 minutes."""


def time(text: str) -> datetime:
    """RFC 3339 text → UTC, cut to milliseconds.

    Raises:
        BadTime: No clock ever shows it.
    """
    try:
        value = datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadTime(text) from None
    micro = value.microsecond
    return value.replace(microsecond=micro - micro % 1000) if micro % 1000 else value


def settings(data: Data) -> Settings:
    """The value of ``gitreg.yaml``'s data; what is absent takes its default."""
    given: dict[str, Any] = {
        key: data[key] for key in ("name", "description", "branch", "layout") if key in data
    }
    if "stages" in data:
        given["stages"] = tuple(_stage(one) for one in data["stages"])
    if "tags" in data:
        tags = data["tags"]
        given["tags"] = TagSettings(
            prefix=tags.get("prefix", ""),
            made_for=tags.get("for", "all"),
            style=tags.get("style", "gitreg"),
        )
    if "policy" in data:
        rules = data["policy"]
        given["policy"] = PolicySettings(
            approvals=_approvals(rules.get("approvals")), signed=rules.get("signed", False)
        )
    if "merge_keys" in data:
        given["merge_keys"] = tuple(data["merge_keys"])
    if "proposals" in data:
        given["proposals"] = ProposalSettings(**data["proposals"])
    return Settings(format=int(data["format"]), extra=_extra(data), **given)


def _stage(data: str | Data) -> Stage:
    if isinstance(data, str):
        return Stage(name=data)
    return Stage(
        name=data["name"],
        exclusive=data.get("exclusive", False),
        description=data.get("description", ""),
        allowed_from=tuple(data["from"]) if "from" in data else None,
        gate=data.get("gate"),
        no_worse=tuple(_no_worse(one) for one in data.get("no_worse", ())),
        requires=tuple(data.get("requires", ())),
        approvals=_approvals(data.get("approvals")),
        rollback_approvals=int(data["rollback_approvals"]) if "rollback_approvals" in data else None,
        signed=data.get("signed", False),
    )


def _no_worse(data: Data) -> NoWorse:
    tolerance = data.get("tolerance", 0.0)
    share = isinstance(tolerance, str)
    return NoWorse(
        metric=data["metric"],
        direction=data["direction"],
        tolerance=0.0 if share else float(tolerance),
        percent=float(tolerance.removesuffix("%")) if share else 0.0,
        evaluation=data.get("evaluation"),
    )


def _approvals(data: Data | None) -> Approvals | None:
    if data is None:
        return None
    return Approvals(
        count=int(data.get("count", 1)),
        approvers=tuple(data.get("approvers", ())),
        codeowners=data.get("codeowners", False),
        valid_days=int(data.get("valid_days", VALID_DAYS)),
        signed_in=tuple(data.get("signed_in", ())),
    )


def model(data: Data) -> AnyModel:
    """The value of a ``model.yaml``'s data.

    Raises:
        BadTime: One of its times is none.
    """
    last = int(data.get("last_version", 0))
    if "deleted" in data or "renamed_to" in data:
        deleted = _mark(data["deleted"]) if "deleted" in data else None
        return ModelTombstone(
            name=data["name"], last_version=last, deleted=deleted, renamed_to=data.get("renamed_to")
        )
    aliases = data.get("aliases")
    return RegisteredModel(
        name=data["name"],
        created=time(data["created"]),
        updated=time(data["updated"]),
        description=data.get("description", ""),
        tags=data.get("tags", {}),
        aliases={alias: int(number) for alias, number in aliases.items()} if aliases else {},
        owners=tuple(data.get("owners", ())),
        last_version=last,
        extra=_extra(data),
    )


def version(data: Data, name: str) -> AnyVersion:
    """The value of a version manifest's data; ``name`` is the model's.

    Raises:
        BadTime: One of its times is none.
    """
    get = data.get
    if "deleted" in data:
        return VersionTombstone(name=name, version=int(data["version"]), deleted=_mark(data["deleted"]))
    created, updated = data["created"], data["updated"]
    made = time(created)
    stages = get("stages")
    evaluations = get("evaluations")
    deprecated = get("deprecated")
    return ModelVersion(
        name=name,
        version=int(data["version"]),
        created=made,
        updated=made if updated == created else time(updated),
        origin=origin(data),
        evaluations=tuple(_evaluation(one) for one in evaluations) if evaluations else (),
        stages={stage: time(since) for stage, since in stages.items()} if stages else {},
        status=get("status", READY),
        status_message=get("status_message", ""),
        description=get("description", ""),
        tags=get("tags", {}),
        deprecated=_mark(deprecated) if deprecated else None,
        extra=_extra(data),
    )


def origin(data: Data) -> Origin:
    """The immutable part of a version manifest's data."""
    get = data.get
    code, artifact, datasets = get("code"), get("artifact"), get("datasets")
    return Origin(
        source=data["source"],
        run_id=get("run_id"),
        run_link=get("run_link"),
        experiment=get("experiment"),
        model_id=get("model_id"),
        code=None if code is None else Code(**code),
        datasets=tuple(Dataset(**one) for one in datasets) if datasets else (),
        parents=tuple(get("parents", ())),
        artifact=None if artifact is None else _artifact(artifact),
        params=get("params", {}),
        metrics=metrics(get("metrics")),
    )


def _artifact(data: Data) -> Artifact:
    size = data.get("size")
    return Artifact(**{**data, "size": None if size is None else int(size)})


def _evaluation(data: Data) -> Evaluation:
    dataset = data.get("dataset")
    return Evaluation(
        name=data["name"],
        at=time(data["at"]),
        run_id=data.get("run_id"),
        dataset=None if dataset is None else Dataset(**dataset),
        metrics=metrics(data.get("metrics")),
    )


def _mark(data: Data) -> Mark:
    return Mark(at=time(data["at"]), reason=data.get("reason", ""))


def metrics(data: Data | None) -> dict[str, float]:
    """Metrics as a manifest holds them → numbers; the texts NaN, Infinity and -Infinity are some."""
    if not data:
        return {}
    return {key: _METRIC_TEXTS[value] if type(value) is str else value for key, value in data.items()}


def _extra(data: Data) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key.startswith("x-")}
