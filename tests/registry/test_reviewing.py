"""What a verdict means to a reviewer, which commits a person means, and for which pull request a job runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gitreg.cli.review import command
from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.errors import InvalidInput, NotFound
from gitreg.gitstore.repository import Repository
from gitreg.policy.context import Entering, Judgement
from gitreg.registry.history import commits_between
from gitreg.registry.proposed import branch_at, is_open, pair_of
from gitreg.registry.pull_request import number_from
from gitreg.registry.reviewing import review, review_of
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged, Step, Verdict
from gitreg.render.review_markdown import markdown

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "gitreg/promote/churn/8/Production"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's registry, with churn/8 proposed for Production."""
    place = tmp_path_factory.mktemp("demo") / "registry"
    subprocess.run([sys.executable, str(ROOT / "demo/proposal.py"), str(place)], check=True)
    return place


def git(place: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def verdict(store: Store, base: str, head: str, rulings: tuple[Judgement, ...] = (), **more: Any) -> Verdict:
    """As judging gives it: what Git says of the changes, with rulings and findings of the test's own."""
    before, after = store.view(base), store.view(head)
    changes = tuple(change for _, each in commits_between(store, base, head) for change in each)
    judged = [
        Judged(
            entering=_entering(change, before, after),
            judgements=rulings if change.stage == "Production" else (),
        )
        for change in changes
        if change.event == "transition" and change.stage
    ]
    findings = more.get("findings", ())
    step = Step(
        commit=head, changes=changes, judged=tuple(judged), policy=more.get("policy", ()), findings=findings
    )
    return Verdict(base=base, head=head, steps=(step,), findings=findings)


def _entering(change: Change, before: Any, after: Any) -> Entering:
    assert change.stage and change.version
    old, new = before.state(change.model), after.state(change.model)
    version = new.live(change.version)
    assert version is not None
    holders = [each for each in old.holders(change.stage) if each.version != change.version]
    return Entering(
        change=change,
        version=version,
        stage=before.settings.stage(change.stage),
        number=lambda: 1,
        before=old,
        after=new,
        incumbent=max(holders, key=lambda each: each.version, default=None),
    )


APPROVALS = Judgement(
    rule="approvals",
    passed=False,
    code="GR206",
    message="1 of 2 approvals",
    detail={
        "needed": 2,
        "present": [
            {
                "approver": "grace@example.com",
                "at": datetime(2025, 7, 30, 11, tzinfo=UTC),
                "expires": datetime(2025, 8, 29, 11, tzinfo=UTC),
            }
        ],
        "refused": [{"approver": "ada@example.com", "reason": "an author can't approve"}],
    },
)
GATE = Judgement(rule="gate", passed=True, message="gates/production.json is satisfied")


def test_the_promotion(made: Path) -> None:
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, "churn/8", "Production")
        assert pair.base == git(made, "rev-parse", "main")
        assert pair.head == git(made, "rev-parse", BRANCH)
        short = Finding(code="GR206", message="1 of 2 approvals")
        found = review_of(
            store,
            verdict(store, pair.base, pair.head, (GATE, APPROVALS), findings=(short,)),
            branch=pair.branch,
        )
    (move,) = found.moves
    assert (move.version.version, move.incumbent and move.incumbent.version) == (8, 7)
    assert move.better == {"auc": "higher", "log_loss": "lower"}
    assert move.approved is not None
    assert [each.principal for each in move.approved.given] == ["grace@example.com"]
    assert [each.refused for each in move.approved.refused] == ["an author can't approve"]
    assert move.approved.may == ("grace@example.com", "alan@example.com")
    assert move.undo == "gitreg rollback churn Production --to 7 --propose"
    assert [change.subject for change in found.others] == ["churn/7"], (
        "it makes room, and nothing asks about it"
    )
    assert found.approve == "gitreg approve churn/8 Production"
    assert found.merge == "gitreg merge churn/8 Production"
    assert found.contrast is None, "only stages move"
    assert not found.clean


def test_the_markdown_that_is_kept(made: Path) -> None:
    """The picture in the README shows this page."""
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, "churn/8", "Production")
        found = markdown(review(store, pair.base, pair.head, branch=pair.branch))
    # Commits are told by ids that change with every file that a fresh registry gets.
    for name, oid in (("BASE", pair.base), ("HEAD", pair.head)):
        found = found.replace(oid[:12], name)
    kept = ROOT / "tests/render/golden/review.md"
    if os.environ.get("WRITE_GOLDEN"):
        kept.write_text(found, encoding="utf-8")
    assert found == kept.read_text(encoding="utf-8"), (
        "make it anew: WRITE_GOLDEN=1, then pictures.py --review"
    )


def test_what_is_not_merged_yet_is_judged_as_of_now(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An approval that has run out counts for nobody, whatever it was worth when it was signed."""
    monkeypatch.setenv("GITREG_REGISTRY", str(made))
    late = datetime(2049, 1, 1, tzinfo=UTC)
    monkeypatch.setattr("gitreg.registry.clock.utc_now", lambda: late)
    said = CliRunner().invoke(command, ["churn/8", "Production", "--json"], standalone_mode=False)
    (move,) = json.loads(said.output)["moves"]
    assert move["approvals"]["given"] == []
    assert "it was good until" in move["approvals"]["refused"][0]["reason"]
    with Store(Repository.discover(made)) as store:
        assert not is_open(store, git(made, "rev-parse", "main~1"))


def test_where_nobody_is_missing_nobody_is_asked_to_approve(made: Path) -> None:
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, BRANCH)
        assert pair_of(store, "churn/latest", "production") == pair
        found = review_of(store, verdict(store, pair.base, pair.head, (GATE,)), branch=pair.branch)
    (move,) = found.moves
    assert found.clean
    assert move.approved is not None and move.approved.given == (), "of approvals nothing was said"
    assert found.merge == "gitreg merge churn/8 Production"


def test_two_commits_may_be_named(made: Path) -> None:
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, "main~2", "main")
        assert (pair.base, pair.head) == (git(made, "rev-parse", "main~2"), git(made, "rev-parse", "main"))
        found = review_of(store, verdict(store, pair.base, pair.head))
        assert found.moves == ()
        assert found.contrast is not None
        assert {each.event for each in found.others} == {"alias", "policy"}
        assert found.rules is not None
        told = {each.subject for each in found.rules.changes}
        assert {"Production", "gates/production.json", "keys/allowed_signers"} <= told
        assert pair_of(store, "main~2...main") == pair_of(store, "main~2..main") == pair
        assert pair_of(store, "main~2..") == pair, "HEAD is main"
        assert pair_of(store, "2025-07-29", BRANCH).base == git(made, "rev-parse", "main")
        assert pair_of(store, "2025-07-28", "main").base != pair.head


@pytest.mark.parametrize(
    "asked",
    [
        ("churn/7", "Staging"),
        ("no-such-branch",),
        ("main", "no-such-branch"),
        ("77",),
        ("main..no-such-branch",),
        ("..",),
        ("2020-01-01", "main"),
        ("churn/99", "Stging"),
    ],
)
def test_what_nobody_proposes(made: Path, asked: tuple[str, ...]) -> None:
    with Store(Repository.discover(made)) as store, pytest.raises(NotFound) as caught:
        pair_of(store, *asked)
    assert caught.value.hint
    assert not caught.value.where.startswith("--"), "no option was given"


def test_a_stage_with_a_slip_of_the_pen(made: Path) -> None:
    with Store(Repository.discover(made)) as store, pytest.raises(InvalidInput) as caught:
        pair_of(store, "churn/8", "Prodction")
    assert "Production" in caught.value.hint


def test_commands_name_the_proposal_by_what_finds_it(made: Path) -> None:
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, "churn/8", "Production")
        for branch, asked in (
            (BRANCH, "churn/8 Production"),
            ("by-hand", "by-hand"),
            ("-odd", "-- -odd"),
            ("7", "7"),
        ):
            found = review(store, pair.base, pair.head, branch=branch)
            assert (found.approve, found.merge) == (f"gitreg approve {asked}", f"gitreg merge {asked}")
        found = review(store, pair.base, pair.head)
        assert (found.approve, found.merge) == ("", ""), "nobody knows where it is"


def test_the_branch_of_a_commit(made: Path, tmp_path: Path) -> None:
    """A job of CI knows the commit alone."""
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(made), str(clone))
    head = git(made, "rev-parse", BRANCH)
    git(clone, "branch", "a-copy", head)
    git(clone, "update-ref", "refs/remotes/request/head", head)
    with Store(Repository.discover(clone)) as store:
        assert branch_at(store, head) == branch_at(store, head, named=head) == BRANCH
        assert branch_at(store, head, named="a-copy") == "a-copy"
        assert branch_at(store, head, named=f"origin/{BRANCH}") == BRANCH
        assert branch_at(store, git(made, "rev-parse", "main")) == "", (
            "the registry's own branch is no proposal"
        )


def test_a_numbered_proposal_and_one_that_the_remote_holds(made: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "-q", str(made), str(clone))
    with Store(Repository.discover(clone)) as store:
        assert pair_of(store, "churn/8", "Production").head == git(made, "rev-parse", BRANCH)
    git(clone, "update-ref", "refs/proposals/3/head", f"origin/{BRANCH}")
    (tmp_path / "meta").write_text('{"topic": "tidy", "target": "main", "state": "open"}')
    meta = git(clone, "hash-object", "-w", str(tmp_path / "meta"))
    git(clone, "update-ref", "refs/proposals/3/meta", meta)
    with Store(Repository.discover(clone)) as store:
        found = pair_of(store, "3")
    assert found.head == git(made, "rev-parse", BRANCH)
    assert found.branch == "3"


def test_the_pull_request_of_a_job(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 12}}))
    odd = tmp_path / "odd.json"
    odd.write_text("[" * 100_000)
    assert number_from({"GITHUB_REF": "refs/pull/7/merge"}) == 7
    assert number_from({"CI_MERGE_REQUEST_IID": "5"}) == 5
    assert number_from({"GITHUB_REF": "refs/heads/main", "GITHUB_EVENT_PATH": str(event)}) == 12
    for environment in (
        {},
        {"GITHUB_REF": "refs/heads/main"},
        {"GITHUB_REF": "refs/pull/0/merge"},
        {"CI_MERGE_REQUEST_IID": "5; rm -rf"},
        {"GITHUB_EVENT_PATH": str(tmp_path / "none")},
        {"GITHUB_EVENT_PATH": str(odd)},
    ):
        assert number_from(environment) is None


def test_a_version_alone_finds_its_only_proposal(made: Path) -> None:
    with Store(Repository.discover(made)) as store:
        assert pair_of(store, "churn/8") == pair_of(store, "churn/8", "Production")
        with pytest.raises(NotFound, match="nobody proposes churn/7") as caught:
            pair_of(store, "churn/7")
        assert caught.value.hint.startswith("gitreg review churn/7 STAGE")
        git(made, "branch", "gitreg/promote/churn/8/Archived", BRANCH)
        try:
            with pytest.raises(NotFound, match="churn/8 is proposed for Production and for Archived"):
                pair_of(store, "churn/8")
        finally:
            git(made, "branch", "-D", "gitreg/promote/churn/8/Archived")


def test_a_commit_is_no_branch(made: Path) -> None:
    head = git(made, "rev-parse", BRANCH)
    with Store(Repository.discover(made)) as store:
        pair = pair_of(store, head)
        assert (pair.head, pair.branch, pair.proposal) == (head, "", True)
        assert not pair_of(store, "main", head).proposal
