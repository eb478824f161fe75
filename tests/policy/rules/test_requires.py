"""What a stage requires is there."""

from __future__ import annotations

from typing import Any

import pytest

from gitreg.domain.model import Artifact, Code, Dataset
from gitreg.domain.settings import Requirement, Stage
from gitreg.policy.context import Judgement
from gitreg.policy.rules.requires import judge
from tests.policy.making import entering, material, version

RUN = {"run_id": "4f2a"}
CODE = {"code": Code(commit="abc")}
DATA = {"datasets": (Dataset(name="customers"),)}


def said(what: Requirement, *, card: bool = False, **origin: Any) -> Judgement:
    stage = Stage(name="Production", requires=(what,))
    (found,) = judge(entering(version(**origin), stage), material(card=card))
    return found


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        (RUN, "run is known"),
        (CODE, "code is known"),
        (DATA, "data sets are known"),
        (RUN | DATA, "run and data sets are known"),
        (RUN | CODE | DATA, "run, code and data sets are known"),
    ],
)
def test_lineage(origin: dict[str, Any], message: str) -> None:
    found = said("lineage", **origin)
    assert (found.passed, found.message) == (True, message)


@pytest.mark.parametrize("origin", [{}, {"code": Code()}, {"code": Code(dirty=True)}, {"run_id": ""}])
def test_no_lineage(origin: dict[str, Any]) -> None:
    found = said("lineage", **origin)
    assert (found.passed, found.code, found.rule) == (False, "GR205", "requires")
    assert found.message == "neither run nor code nor data sets are known"
    assert found.path == "models/churn/versions/12.yaml"
    assert found.help.startswith("gitreg register churn")


def test_card() -> None:
    assert said("card", card=True).passed
    found = said("card")
    assert (found.passed, found.code, found.path) == (False, "GR205", "models/churn/README.md")
    assert found.help == "write models/churn/README.md, and commit it"


def test_digest() -> None:
    digest = "sha256:" + "ab" * 32
    assert (
        said("digest", artifact=Artifact(digest=digest)).message
        == "the artifact's digest is sha256:abababababab…"
    )
    for origin in ({}, {"artifact": Artifact(uri="s3://x")}):
        found = said("digest", **origin)
        assert (found.passed, found.message) == (False, "the artifact's digest is not known")


def test_one_judgement_for_each() -> None:
    stage = Stage(name="Production", requires=("card", "lineage", "digest"))
    found = list(judge(entering(version(), stage), material(card=True)))
    assert [(each.detail["requires"], each.passed) for each in found] == [
        ("card", True),
        ("lineage", False),
        ("digest", False),
    ]
