"""Rollback and revert on real repositories: there and back, by meaning, in one commit each."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from gitreg.domain.model import Origin
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Register, Tag, Transition
from gitreg.errors import AlreadyExists, Conflict, EnvironmentFailure, InvalidInput, NotFound, UsageError
from gitreg.registry.configure import Wish, configure
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from gitreg.render.values import model_document, version_document
from tests.registry.conftest import Git

V1, MODEL = "models/churn/versions/1.yaml", "models/churn/model.yaml"


def living(registry: Registry) -> dict[str, Any]:
    """What stands: manifests as data, without tombstones and the times of changes."""
    view = registry.at()
    found: dict[str, Any] = {"settings": view.settings}
    for state in view.models():
        assert state.model
        found[state.name] = {**model_document(state.model), "updated": None, "last_version": None}
        for version in state.newest_first():
            document = {**version_document(version), "updated": None}
            found[f"{state.name}/{version.version}"] = {**document, "stages": sorted(version.stages)}
    return found


@pytest.fixture
def churn(registry: Registry) -> Registry:
    """The model churn with three versions, the second in Production and the first archived for it."""
    for number in (1, 2, 3):
        registry.register(
            "churn", f"s3://m/{number}", description=f"number {number}", tags={"n": str(number)}
        )
    registry.transition("churn/1", "Production")
    registry.transition("churn/2", "Staging")
    registry.transition("churn/2", "Production", archive_existing=True)
    registry.alias("churn/2", "champion")
    return registry


def head(registry: Registry) -> str:
    return registry.store.head()


Act = Callable[[Registry], Any]
ACTS: dict[str, Act] = {
    "transition": lambda r: r.transition("churn/3", "Production", archive_existing=True),
    "to none": lambda r: r.transition("churn/2", "None"),
    "assign": lambda r: r.assign("churn/2", "Staging"),
    "unassign": lambda r: r.unassign("churn/2", "Production"),
    "alias": lambda r: r.alias("churn/3", "champion"),
    "new alias": lambda r: r.alias("churn/3", "challenger"),
    "unalias": lambda r: r.unalias("churn", "champion"),
    "tag": lambda r: r.tag("churn/1", {"n": "one", "k": "v"}),
    "untag": lambda r: r.untag("churn/1", "n"),
    "model tag": lambda r: r.tag("churn", {"a.b": "c"}),
    "description": lambda r: r.update("churn/1", description="another"),
    "status": lambda r: r.update("churn/1", status="FAILED_REGISTRATION", status_message="no"),
    "owners": lambda r: r.update("churn", owners=["ann"], description="a model"),
    "deprecate": lambda r: r.deprecate("churn/1", reason="leaks"),
    "register": lambda r: r.register("churn", "s3://m/4", aliases=["newest"]),
    "new model": lambda r: r.register("fraud", "s3://f"),
    "empty model": lambda r: r.create_model("fraud", tags={"a": "b"}),
    "delete version": lambda r: r.delete("churn/2", reason="why not"),
    "delete model": lambda r: r.delete("churn"),
    "rename": lambda r: r.rename("churn", "churn rate"),
}


@pytest.mark.parametrize("what", ACTS)
def test_there_and_back_and_there_again(churn: Registry, what: str, git: Git) -> None:
    was = living(churn)
    ACTS[what](churn)
    there, commit = living(churn), head(churn)
    assert there != was
    receipt = churn.revert(commit)
    assert living(churn) == was
    assert churn.store.reader.commit(head(churn)).parents == (commit,), "one commit"
    assert git(churn.store.repository.root, "log", "-1", "--format=%s").startswith('Revert "')
    assert f"\n\nThis reverts commit {commit}.\n" in git(
        churn.store.repository.root, "log", "-1", "--format=%B"
    )
    assert receipt.commit == head(churn)
    assert not churn.revert(commit).changes, "it is taken back already"
    assert head(churn) == receipt.commit
    churn.revert("HEAD")
    assert living(churn) == there
    assert git(churn.store.repository.root, "fsck", "--strict") == ""


@pytest.mark.parametrize("what", ["churn/1", "churn"])
def test_a_restored_version_or_model_is_deleted_again(churn: Registry, what: str) -> None:
    churn.delete(what, reason="it leaks")
    was = living(churn)
    churn.restore(what)
    there = living(churn)
    churn.revert("HEAD")
    assert living(churn) == was
    state = churn.at().state("churn")
    stone: Any = state.model if what == "churn" else state.versions[1]
    assert stone.deleted.reason == "it leaks"
    churn.revert("HEAD")
    assert living(churn) == there


def test_undeprecating_is_taken_back_with_the_reason(churn: Registry) -> None:
    mark = churn.deprecate("churn/1", reason="leaks").deprecated
    churn.undeprecate("churn/1")
    churn.revert("HEAD")
    assert churn.version("churn/1").deprecated == mark


def test_an_evaluation_stays(churn: Registry) -> None:
    churn.evaluate("churn/1", "holdout", {"auc": 0.9})
    before = head(churn)
    with pytest.raises(Conflict, match="evaluations are only ever added to") as caught:
        churn.revert("HEAD")
    assert caught.value.where == "churn/1" and head(churn) == before


def test_numbers_are_not_used_again(churn: Registry) -> None:
    churn.register("churn", "s3://m/4")
    commit = head(churn)
    churn.revert(commit)
    assert churn.register("churn", "s3://m/5").version == 5
    stone: Any = churn.at().state("churn").versions[4]
    assert stone.deleted.reason == f"revert of {commit[:10]}"


def test_what_was_changed_since_is_told_with_the_commit(churn: Registry) -> None:
    churn.update("churn/1", description="one")
    first = head(churn)
    churn.update("churn/1", description="two")
    second = head(churn)
    churn.tag("churn/1", {"k": "v"})
    before = head(churn)
    with pytest.raises(Conflict) as caught:
        churn.revert(first)
    assert caught.value.message == (
        f"description of churn/1 was changed since, by commit {second[:10]} "
        "(churn: update description of version 1)"
    )
    assert caught.value.hint == f"take that back first: gitreg revert {second[:10]}"
    assert head(churn) == before
    churn.revert(second)
    churn.revert(first)
    assert churn.version("churn/1").description == "number 1"
    assert churn.version("churn/1").tags["k"] == "v"


def test_a_registration_that_was_built_on_is_not_taken_back(churn: Registry) -> None:
    with pytest.raises(Conflict, match="churn/2 was changed since, by commit") as caught:
        churn.revert("churn/v2")
    assert "(churn: transition version 2 to Production (from Staging))" in caught.value.message
    assert caught.value.hint.endswith("; or gitreg delete churn/2")
    churn.alias("churn/3", "newest")
    with pytest.raises(Conflict, match="churn@newest points to version 3 by now, by commit") as caught:
        churn.revert("churn/v3")
    assert head(churn)[:10] in caught.value.message
    churn.unalias("churn", "newest")
    churn.revert("churn/v3")
    assert [version.version for version in churn.versions("churn")] == [2, 1]


def test_tags_and_short_ids_and_revisions_name_commits(churn: Registry) -> None:
    assert [c.event for c in churn.revert("churn/Production/2").changes] == ["transition", "transition"]
    assert churn.version("churn/1").stages.keys() == {"Production"}
    commit = head(churn)
    churn.revert(commit[:9])
    churn.revert("HEAD~0")
    assert churn.version("churn/Production").version == 1


@pytest.mark.parametrize("text", ["nothing", "HEAD:0", "HEAD:9", "HEAD~99", "-x", "HEAD:x", "", ":1", "a\nb"])
def test_what_is_no_commit_is_refused(churn: Registry, text: str) -> None:
    before = head(churn)
    with pytest.raises(InvalidInput):
        churn.revert(text)
    assert head(churn) == before


def test_one_change_of_many(churn: Registry) -> None:
    with churn.batch("a lot"):
        churn.transition("churn/3", "Production")
        churn.update("churn/1", description="another")
        churn.tag("churn/1", {"k": "v"})
        churn.register("fraud", "s3://f")
    commit = head(churn)
    found = churn.revert(f"{commit}:4")
    assert [(c.event, c.field) for c in found.changes] == [("update", "description")]
    assert churn.version("churn/1").tags["k"] == "v"
    with pytest.raises(Conflict, match="registered versions of it too"):
        churn.revert(f"{commit}:2")
    found = churn.revert(commit)
    assert {c.event for c in found.changes} == {"unassign", "tag", "delete"}
    assert "fraud" not in [model.name for model in churn.models()]


def test_a_commit_with_an_evaluation_is_taken_back_in_part(churn: Registry) -> None:
    with churn.batch("two things"):
        churn.evaluate("churn/1", "holdout", {"auc": 0.9})
        churn.update("churn/1", description="another")
    with pytest.raises(Conflict) as caught:
        churn.revert("HEAD")
    short = head(churn)[:10]
    assert caught.value.hint.endswith(f"one by one: gitreg revert {short}:2"), "the first has no way back"
    churn.revert("HEAD:2")
    assert churn.version("churn/1").description == "number 1"


def test_a_model_is_found_under_its_new_name(churn: Registry) -> None:
    churn.update("churn/1", description="another")
    commit = head(churn)
    churn.rename("churn", "attrition")
    churn.revert(commit)
    assert churn.version("attrition/1").description == "number 1"
    churn.rename("attrition", "leavers")
    churn.revert("HEAD~1")
    assert churn.version("leavers/1").description == "another"


def test_a_name_that_was_taken_again_is_another_model(churn: Registry) -> None:
    churn.update("churn", description="the old one")
    commit = head(churn)
    churn.delete("churn")
    deleted = head(churn)
    churn.create_model("churn", description="the old one")
    created = head(churn)[:10]
    with pytest.raises(Conflict, match=f"there is another model called churn by now, by commit {created}"):
        churn.revert(commit)
    with pytest.raises(Conflict, match=f"there is another model called churn by now, by commit {created}"):
        churn.revert(deleted)


def test_the_old_name_is_taken(churn: Registry) -> None:
    churn.rename("churn", "attrition")
    commit = head(churn)
    churn.create_model("churn")
    with pytest.raises((Conflict, AlreadyExists), match="there is another model called churn by now"):
        churn.revert(commit)


def people(registry: Registry) -> dict[str, Any]:
    asked = registry.asked(())
    return {"author": asked.author, "committer": asked.committer, "when": asked.clock()}


def test_settings(churn: Registry, git: Git) -> None:
    was = living(churn)
    configure(churn.store, Wish(key="stages", value="QA,Staging,Production!,Archived", **people(churn)))
    commit = head(churn)
    churn.transition("churn/3", "QA")
    with pytest.raises(Conflict, match="churn/3 holds the stage QA"):
        churn.revert(commit)
    churn.revert("HEAD")
    found = churn.revert(commit, message="not yet")
    assert [(c.event, c.field) for c in found.changes] == [("policy", "stages")]
    assert living(churn) == was
    said = git(churn.store.repository.root, "log", "-1", "--format=%B")
    assert said.startswith(
        'Revert "registry: change stages of the registry"\n\nnot yet\n\nThis reverts commit'
    )
    configure(churn.store, Wish(key="name", value="a", **people(churn)))
    configure(churn.store, Wish(key="name", value="b", **people(churn)))
    with pytest.raises(Conflict, match="the setting name was changed since, by commit"):
        churn.revert("HEAD~1")
    assert churn.revert("HEAD").changes
    assert churn.settings.name == "a"


def test_the_first_commit_and_one_without_changes(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        first = head(registry)
        assert not registry.revert(first).changes
        (worktree / "README.md").write_text("hello\n")
        git(worktree, "add", ".")
        git(worktree, "commit", "-qm", "a file of mine")
        assert not registry.revert("HEAD").changes
        assert head(registry) != first


def test_hand_edits_keep_their_comments(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://m/1", description="one")
        file = worktree / V1
        file.write_text("# mine\n" + file.read_text().replace("description: one", "description: two  # why"))
        git(worktree, "commit", "-qam", "by \x1bhand")
        registry.revert("HEAD")
        assert file.read_text().startswith("# mine\n")
        assert registry.version("churn/1").description == "one"
        said = git(worktree, "log", "-1", "--format=%s")
        assert said == 'Revert "by \\x1bhand"'
        registry.delete("churn/1")
        registry.tag("churn", {"k": "v"})
        registry.revert("HEAD~1")
        assert file.read_text().startswith("# mine\n")
        assert git(worktree, "status", "--porcelain") == ""


def test_texts_come_from_where_each_version_was(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        for number in (1, 2):
            registry.register("churn", f"s3://m/{number}")
        with registry.batch("both"):
            registry.delete("churn/1")
            registry.transition("churn/2", "Production")
        second = worktree / "models/churn/versions/2.yaml"
        second.write_text("# a remark\n" + second.read_text())
        git(worktree, "commit", "-qam", "remark")
        registry.revert("HEAD~1")
        assert second.read_text().startswith("# a remark\n")
        assert registry.version("churn/1").source == "s3://m/1"


@pytest.mark.parametrize("how", ["--no-ff", "--squash"])
def test_a_merge_is_one_commit(worktree: Path, git: Git, how: str) -> None:
    with open_registry(worktree) as registry:
        for number in (1, 2):
            registry.register("churn", f"s3://m/{number}")
        was = living(registry)
        git(worktree, "switch", "-qc", "work")
        registry.transition("churn/1", "Production")
        inner = head(registry)
        registry.update("churn/2", description="two")
        git(worktree, "switch", "-q", "main")
        registry.tag("churn", {"k": "v"})
        git(worktree, "merge", "-q", how, "-m", "Merge the work", "work")
        if how == "--squash":
            git(worktree, "commit", "-qm", "Merge the work")
        with pytest.raises(NotFound, match="is not on the first-parent history") as caught:
            registry.revert(inner)
        assert "the merge that brought it" in caught.value.hint
        found = registry.revert("HEAD", message="too early")
        assert {(c.event, c.version) for c in found.changes} == {("unassign", 1), ("update", 2)}
        now = living(registry)
        assert now.pop("churn")["tags"] == {"k": "v"}
        was.pop("churn")
        assert now == was


def test_a_file_that_can_not_be_read_is_left_to_git(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://m/1")
        good = (worktree / V1).read_text()
        (worktree / V1).write_text("[")
        git(worktree, "commit", "-qam", "broken")
        (worktree / V1).write_text(good)
        git(worktree, "commit", "-qam", "mended")
        with pytest.raises(Conflict, match="can't be read") as caught:
            registry.revert("HEAD~1")
        assert caught.value.where == V1 and caught.value.hint.startswith("git revert ")


def test_what_was_edited_against_the_rules_is_left_to_git(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://m/1")
        (worktree / V1).write_text((worktree / V1).read_text().replace("s3://m/1", "s3://m/2"))
        git(worktree, "commit", "-qam", "rewritten")
        with pytest.raises(Conflict, match="what never changes after registration") as caught:
            registry.revert("HEAD")
        assert caught.value.hint.startswith("git revert ")


def test_a_folder_that_was_removed_by_hand_is_left_to_git(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://m/1")
        registry.register("churn", "s3://m/2")
        git(worktree, "rm", "-rq", "models/churn")
        git(worktree, "commit", "-qm", "away with it")
        with pytest.raises(Conflict, match="without a tombstone") as caught:
            registry.revert("HEAD")
        assert caught.value.hint.startswith(f"git revert {head(registry)[:10]}, ")
        git(worktree, "revert", "--no-edit", "HEAD")
        assert len(registry.versions("churn")) == 2


def test_neither_fits_into_a_batch(churn: Registry) -> None:
    with pytest.raises(UsageError), churn.batch("all"):
        churn.revert("HEAD")
    with pytest.raises(UsageError), churn.batch("all"):
        churn.rollback("churn", "Production")


def test_rollback_and_its_revert(churn: Registry, git: Git) -> None:
    was = living(churn)
    found = churn.rollback("churn", "production", message="it burns")
    assert [(v.version, set(v.stages)) for v in found] == [(1, {"Production"})]
    assert set(churn.version("churn/2").stages) == {"Staging"}
    said = git(churn.store.repository.root, "log", "-1", "--format=%B")
    assert said.startswith("churn: roll Production back to version 1\n\nit burns\n")
    assert (
        "Gitreg-Event: transition\nGitreg-Model: churn\nGitreg-Version: 1\nGitreg-Stage: Production" in said
    )
    assert "churn/Production/3" in git(churn.store.repository.root, "tag").split()
    churn.revert("HEAD")
    assert living(churn) == was
    churn.rollback("churn", "Production")
    with pytest.raises(Conflict, match="no version held Production before churn/1 did"):
        churn.rollback("churn", "Production")
    assert [v.version for v in churn.rollback("churn", "Production", to=2)] == [2]


def test_rollback_follows_renames(churn: Registry) -> None:
    churn.rename("churn", "attrition")
    churn.transition("attrition/3", "Production", archive_existing=True)
    churn.rename("attrition", "leavers")
    assert [v.version for v in churn.rollback("leavers", "Production")] == [2]
    assert [v.version for v in churn.rollback("leavers", "Production")] == [1]
    assert set(churn.version("leavers/2").stages) == {"Staging"}


def test_rollback_goes_by_history_and_not_by_the_clock(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        for number in (1, 2, 3):
            registry.register("churn", f"s3://m/{number}")
            registry.transition(f"churn/{number}", "Production", archive_existing=True)
        env = {"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z", "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z"}
        git(worktree, "tag", "-d", *git(worktree, "tag").split())
        subprocess.run(
            ["git", "commit", "-q", "--amend", "--no-edit"], cwd=worktree, check=True,
            env={**os.environ, **env},
        )  # fmt: skip
        assert [v.version for v in registry.rollback("churn", "Production")] == [2]
        assert [v.version for v in registry.rollback("churn", "Production")] == [1]


def test_a_shallow_clone_says_what_it_can_not_know(worktree: Path, tmp_path: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        for number in (1, 2):
            registry.register("churn", f"s3://m/{number}")
            registry.transition(f"churn/{number}", "Production", archive_existing=True)
        registry.tag("churn", {"k": "v"})
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{worktree}", "shallow")
    with open_registry(tmp_path / "shallow") as registry:
        before = head(registry)
        with pytest.raises(
            EnvironmentFailure, match="the clone is shallow: what held Production before"
        ) as no:
            registry.rollback("churn", "Production")
        assert "--to NUMBER" in no.value.hint
        with pytest.raises(EnvironmentFailure, match="the clone is shallow: what commit"):
            registry.revert("HEAD~1")
        assert head(registry) == before
        registry.revert("HEAD")
        assert registry.model("churn").tags == {}


def test_rollback_of_what_is_not_there(churn: Registry) -> None:
    with pytest.raises(NotFound, match="there is no registered model"):
        churn.rollback("nothing", "Production")
    with pytest.raises(InvalidInput, match="is not a stage of this registry"):
        churn.rollback("churn", "Prodction")
    churn.rename("churn", "attrition")
    with pytest.raises(NotFound, match="is now called"):
        churn.rollback("churn", "Production")
    with pytest.raises(Conflict, match="no version ever held Staging"):
        churn.create_model("empty")
        churn.rollback("empty", "Staging")


@pytest.fixture
def five(worktree: Path) -> Path:
    """A registry whose model churn has five versions, each of which took Production from the one before."""
    with open_registry(worktree) as registry:
        for number in range(1, 6):
            registry.apply(
                Register(name="churn", origin=Origin(source=f"s3://{number}")),
                Tag(name="churn", selector=version_selector(number), put={"n": str(number)}),
                Transition(
                    name="churn", selector=version_selector(number), stage="Production", archive_existing=True
                ),
            )
    return worktree


class Beaten(Registry):
    """A registry in which another writer is always first at the lock."""

    meanwhile: Act

    def apply(self, *requests: Any, message: str = "", title: str = "") -> Any:
        with open_registry(self.store.repository.root) as other:
            self.meanwhile(other)
        return super().apply(*requests, message=message, title=title)


def beaten(place: Path, meanwhile: Act) -> Conflict:
    """How a rollback ends when ``meanwhile`` comes between its plan and its lock."""
    with open_registry(place) as opened:
        registry = Beaten(opened.store)
        registry.meanwhile = staticmethod(meanwhile)  # type: ignore[method-assign, assignment]
        with pytest.raises(Conflict) as caught:
            registry.rollback("churn", "Production")
    assert caught.value.exit_code == 4
    return caught.value


def test_a_rollback_that_comes_second_takes_nothing_back(five: Path, git: Git) -> None:
    found = beaten(five, lambda other: other.rollback("churn", "Production"))
    assert found.message == (
        "the holder of Production changed while the rollback was being made: now version 4"
    )
    assert found.where == "churn"
    assert found.hint == "look, then run it again: gitreg timeline churn --stage Production"
    assert git(five, "log", "-1", "--format=%s") == "churn: roll Production back to version 4"
    with open_registry(five) as registry:
        assert [v.version for v in registry.versions("churn") if "Production" in v.stages] == [4]


@pytest.mark.parametrize(
    ("meanwhile", "said"),
    [
        (lambda r: r.transition("churn/5", "None"), "now no version"),
        (lambda r: r.assign("churn/2", "Production"), "now versions 2 and 5"),
        (lambda r: r.assign("churn/4", "Staging"), "another writer changed its stages while the rollback"),
        (lambda r: r.delete("churn/4"), "another writer changed its stages while the rollback"),
    ],
)
def test_a_rollback_says_what_came_between(five: Path, meanwhile: Act, said: str) -> None:
    assert said in beaten(five, meanwhile).message


def test_rollbacks_at_once_never_go_further_back_than_one_was_asked_for(five: Path) -> None:
    ready = Barrier(4)

    def roll(_: int) -> int | None:
        with open_registry(five) as own:
            own.store.index.slice()
            ready.wait()
            try:
                return own.rollback("churn", "Production")[0].version
            except Conflict as error:
                assert "changed while the rollback was being made: now version" in error.message
                return None

    with ThreadPoolExecutor(4) as pool:
        done = sorted(found for found in pool.map(roll, range(4)) if found)
    assert done and done == list(range(5 - len(done), 5)), "each that was done went one back from what it saw"
    with open_registry(five) as registry:
        assert [v.version for v in registry.versions("churn") if "Production" in v.stages] == done[:1]
