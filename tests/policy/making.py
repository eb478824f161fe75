"""Changes and material for the rules, as the registry lays them before them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.changes import Change
from gitreg.domain.model import ModelState, ModelVersion, Origin, RegisteredModel, versions_of
from gitreg.domain.settings import Stage
from gitreg.manifest.layout import Layout, approval_file, policy_approval_file
from gitreg.policy.codeowners import Dialect
from gitreg.policy.context import ApprovalFile, Authors, CommitSignature, Entering, Material
from gitreg.policy.digests import origin_digest, rule_digest
from gitreg.signing.signers import Signers
from gitreg.signing.statement import encode, encode_file
from tests.signing.conftest import public, sign

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
ROOT = "1" * 40
DAY = timedelta(days=1)


def version(number: int = 12, *, stages: Iterable[str] = (), **fields: Any) -> ModelVersion:
    """A version of ``churn``; what is not one of its own fields is its origin's."""
    own = {key: fields.pop(key) for key in ("evaluations", "description", "tags") if key in fields}
    return ModelVersion(
        name="churn",
        version=number,
        created=NOW - 9 * DAY,
        updated=NOW - 9 * DAY,
        origin=Origin(**({"source": "s3://models/churn"} | fields)),
        stages=dict.fromkeys(stages, NOW),
        **own,
    )


def holding(one: ModelVersion, stage: Stage) -> ModelVersion:
    """The version in a stage."""
    return replace(one, stages={**one.stages, stage.name: NOW})


def state(*versions: ModelVersion) -> ModelState:
    """The model with these versions."""
    model = RegisteredModel(name="churn", created=NOW, updated=NOW)
    return ModelState(
        name="churn", model=model, versions=versions_of({each.version: each for each in versions})
    )


def entering(
    candidate: ModelVersion,
    stage: Stage,
    *,
    origin: tuple[str, ...] = ("Staging",),
    incumbent: ModelVersion | None = None,
    others: Iterable[ModelVersion] = (),
    number: int = 3,
    **more: Any,
) -> Entering:
    """The candidate enters the stage; ``others`` are there afterwards."""
    return Entering(
        change=Change(
            event="transition",
            model=candidate.name,
            version=candidate.version,
            stage=stage.name,
            origin=origin,
        ),
        version=candidate,
        stage=stage,
        number=lambda: number,
        before=state(*([incumbent] if incumbent else [])),
        after=state(candidate, *others),
        incumbent=incumbent,
        **more,
    )


def material(
    *,
    signers: str | bytes = "",
    gates: Mapping[str, bytes] | None = None,
    codeowners: tuple[Dialect, bytes] | None = None,
    approvals: Iterable[ApprovalFile] = (),
    authors: Authors | None = None,
    signatures: Iterable[CommitSignature] = (),
    card: bool = False,
    now: datetime = NOW,
    prefix: str = "",
) -> Material:
    """What a registry holds; ``signers`` is the text of ``keys/allowed_signers``."""
    text = signers.encode() if isinstance(signers, str) else signers
    layout = Layout("flat")
    return Material(
        root=ROOT,
        now=now,
        gate=(gates or {}).get,
        codeowners=lambda: codeowners,
        signers=lambda: Signers.parse(text),
        card=lambda _: card,
        approvals=lambda *_: list(approvals),
        authors=lambda *_: authors or Authors(version=frozenset({"ada@example.com"})),
        signatures=lambda: list(signatures),
        path=lambda name, number: (
            layout.model_file(name) if number is None else layout.version_file(name, number)
        ),
        prefix=prefix,
    )


def consent(one: Entering, by: str, **other: Any) -> Approval:
    """What somebody signs who approves this; ``other`` differs from it."""
    told: dict[str, Any] = {
        "registry": ROOT,
        "model": one.version.name,
        "version": one.version.version,
        "stage": one.stage.name,
        "number": one.number(),
        "origin": origin_digest(one.version),
        "rule": rule_digest(one.stage, None),
        "proposed_by": ("ada@example.com",),
        "approver": by,
        "at": NOW - DAY,
        "expires": NOW + 9 * DAY,
    }
    return Approval(**(told | other))


def signed(approval: Approval | PolicyApproval, key: Path, *, path: str = "", **options: Any) -> ApprovalFile:
    """The file that ``gitreg approve`` would add, signed by ssh-keygen."""
    text = encode(approval)
    if not path and isinstance(approval, Approval):
        path = approval_file(
            approval.model, approval.version, approval.stage, approval.number, approval.approver
        )
    elif not path and isinstance(approval, PolicyApproval):
        path = policy_approval_file(approval.after, approval.approver)
    return ApprovalFile(path=path, data=encode_file(text, sign(key, text, **options)))


def line(principals: str, key: Path, options: str = "") -> str:
    """A line of ``keys/allowed_signers``."""
    return " ".join(filter(None, [principals, options, public(key)])) + "\n"
