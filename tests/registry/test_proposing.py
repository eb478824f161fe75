"""Proposing in process: races, and names of branches."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from gitreg.domain import requests as ask
from gitreg.domain.model import Origin
from gitreg.domain.references import version_selector
from gitreg.domain.settings import Settings
from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.gitstore.repository import Repository
from gitreg.registry import write
from gitreg.registry.clock import utc_now
from gitreg.registry.proposal_names import branch_of, promotion
from gitreg.registry.proposing import ProposalStore, Proposing
from gitreg.registry.remote_branch import upstream
from gitreg.registry.store import Store
from tests.servers.shared import Shared, shared

TWO = version_selector(2)


@pytest.fixture
def both(tmp_path: Path) -> Shared:
    return shared(tmp_path)


def test_somebody_else_is_faster(both: Shared) -> None:
    alice, bob = both.alice, both.bob
    promote = ask.Transition(name="churn", selector=TWO, stage="Production")
    branch = promotion("churn", 2, "Production", prefix="")
    repository = Repository.discover(alice.work)
    with Store(repository) as store:
        up = upstream(store)

    def meanwhile() -> datetime:  # what is fetched is fetched; nothing is pushed yet
        if f"refs/heads/{branch}" not in both.refs():
            bob.gitreg("promote", "churn/2", "Production", "-m", "Bob's")
        return utc_now()

    with (
        Proposing(ProposalStore(repository, up.base), up, branch=branch, clock=meanwhile) as registry,
        pytest.raises(Conflict, match="somebody else changed the proposal"),
    ):
        registry.apply(promote, message="Alice's")
    assert "Bob's" in both.git("log", "-1", "--format=%B", branch)
    assert alice.run("git", "rev-parse", "--verify", "-q", branch, code=None).code, "as before"


def test_nothing_is_written_past_the_proposal(both: Shared) -> None:
    repository = Repository.discover(both.alice.work)
    with Store(repository) as store:
        up = upstream(store)
    before = both.alice.git("for-each-ref")
    with Proposing(ProposalStore(repository, up.base), up) as registry:
        asked = registry.asked([ask.Transition(name="churn", selector=TWO, stage="Staging")])
        with pytest.raises(EnvironmentFailure):
            write.apply(registry.store, asked)
    assert both.alice.git("for-each-ref") == before


def test_a_branch_is_no_folder_of_another() -> None:
    asked: list[list[ask.Request]] = [
        [ask.Register(name="m", origin=Origin(source="s3://x"))],
        [ask.CreateModel(name="m")],
        [ask.Rename(name="m", new_name="n")],
        [ask.Rollback(name="m", stage="Production", expected={}, following={})],
        [ask.RemoveAlias(name="m", alias="best")],
    ]
    for selector in (None, TWO):
        asked.append([ask.Tag(name="m", selector=selector, put={"a": "b"})])
    asked += [[ask.UpdateModel(name="m")], [ask.UpdateVersion(name="m", selector=TWO)]]
    asked += [[ask.DeleteModel(name="m")], [ask.DeleteVersion(name="m", selector=TWO)]]
    for stage in ("Production", "staging", "None"):
        asked.append([ask.Transition(name="m", selector=TWO, stage=stage)])
        asked.append([ask.Assign(name="m", selector=TWO, stage=stage)])
    names = [branch_of(each, Settings(), prefix="") for each in asked]
    assert len(set(names)) == len(names)
    assert not any(one.startswith(f"{other}/") for one in names for other in names)
    assert "gitreg/transition/m/2/Staging" in names


def test_a_branch_tells_what_is_asked_and_no_more() -> None:
    one, other = (
        ask.Register(name="m", origin=Origin(source="s3://x"), version=version) for version in (None, 7)
    )
    assert branch_of([one], Settings(), prefix="") == branch_of([other], Settings(), prefix="")
    assert branch_of([one, other], Settings(), prefix="") == branch_of([one, other], Settings(), prefix="")
    assert branch_of([one, other], Settings(), prefix="") != branch_of([other], Settings(), prefix="")
