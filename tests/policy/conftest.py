"""A world of rules: changes, and the material around them, with real keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Stage
from gitreg.policy.codeowners import Dialect
from gitreg.policy.context import ApprovalFile, Authors, CommitSignature, Entering, Material
from tests.policy import making
from tests.policy.making import NOW as NOON
from tests.policy.making import ROOT
from tests.signing.conftest import key_of, public

__all__ = ["NOON", "ROOT", "World", "approval", "entering", "file_of", "key_of", "version"]


@dataclass(kw_only=True)
class World:
    """What a registry holds beside the change."""

    signers: bytes = b""
    files: Sequence[ApprovalFile] = ()
    authors: Authors = field(default_factory=Authors)
    owners: tuple[Dialect, bytes] | None = None
    gates: Mapping[str, bytes] = field(default_factory=dict)
    signatures: Sequence[CommitSignature] = ()
    card: bool = False
    now: datetime = NOON
    prefix: str = ""

    @property
    def material(self) -> Material:
        return making.material(
            signers=self.signers,
            approvals=self.files,
            authors=self.authors,
            codeowners=self.owners,
            gates=self.gates,
            signatures=self.signatures,
            card=self.card,
            now=self.now,
            prefix=self.prefix,
        )


def version(number: int = 2, **origin: Any) -> ModelVersion:
    return making.version(number, **origin)


def entering(
    stage: Stage,
    candidate: ModelVersion,
    incumbent: ModelVersion | None = None,
    *,
    left: bool = True,
    origin: tuple[str, ...] = (),
) -> Entering:
    """The candidate enters the stage for the first time; ``left``: the incumbent holds it no more."""
    held = making.holding(incumbent, stage) if incumbent else None
    others = [held] if held and not left else []
    return making.entering(candidate, stage, origin=origin, incumbent=held, others=others, number=1)


def approval(case: Entering, **other: Any) -> Approval:
    """Ann's, but for what is other."""
    return making.consent(case, **({"by": "ann@example.com"} | _by(other)))


def _by(other: dict[str, Any]) -> dict[str, Any]:
    told = dict(other)
    return {"by": told.pop("approver"), **told} if "approver" in told else told


def file_of(one: Approval | PolicyApproval, key: Path, **options: Any) -> ApprovalFile:
    return making.signed(one, key, **options)


@pytest.fixture(scope="session")
def ann(key_of: Callable[[str], Path]) -> Path:
    return key_of("ed25519:ann")


@pytest.fixture(scope="session")
def keys(key_of: Callable[[str], Path]) -> bytes:
    """``keys/allowed_signers``."""
    people = ("ann", "bob", "eve")
    return "".join(f"{each}@example.com {public(key_of(f'ed25519:{each}'))}\n" for each in people).encode()
