from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitreg.domain.model import Code, Dataset, ModelVersion
from gitreg.domain.settings import Settings
from gitreg.errors import AlreadyExists, Conflict, EnvironmentFailure, InvalidInput, NotFound, UsageError
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from tests.registry.conftest import Git


def tags(git: Git, place: Path) -> list[str]:
    return git(place, "tag").splitlines()


def test_a_registration_can_be_read_back_with_all_that_it_said(registry: Registry) -> None:
    made = registry.register(
        "churn",
        "s3://bucket/model",
        description="first\n\nsecond line",
        tags={"team": "growth"},
        aliases=["champion"],
        metrics={"auc": 0.91, "odd": float("nan")},
        params={"C": 1},
        datasets=[Dataset(name="train", uri="s3://d", digest="sha256:12")],
        code=Code(repository="ssh://example/x", commit="abc"),
    )
    read = registry.version("churn@champion")
    assert read == made
    assert read.metrics["auc"] == 0.91
    assert read.params == {"C": "1"}
    assert registry.aliases(read) == ("champion",)
    assert registry.resolve("models:/churn/latest") == "s3://bucket/model"


def test_a_write_is_one_commit_with_its_tags(registry: Registry, git: Git, place: Path) -> None:
    registry.register("churn", "s3://x", message="because")
    registry.transition("churn/1", "Staging")
    registry.transition("churn/1", "Production")
    registry.register("churn", "s3://y")
    registry.transition("churn/2", "Production", archive_existing=True)
    assert tags(git, place) == [
        "churn/Archived/1",
        "churn/Production/1",
        "churn/Production/2",
        "churn/Staging/1",
        "churn/v1",
        "churn/v2",
    ]
    assert git(place, "cat-file", "-t", "churn/v1") == "tag"
    assert git(place, "rev-parse", "churn/Production/2^{commit}") == git(place, "rev-parse", "main")
    assert git(place, "log", "--format=%s", "main").splitlines()[:5] == [
        "churn: transition version 2 to Production",
        "churn: register version 2",
        "churn: transition version 1 to Production (from Staging)",
        "churn: transition version 1 to Staging",
        "churn: register version 1",
    ]
    message = git(place, "log", "-1", "--format=%B", "churn/v1")
    assert "\nbecause\n" in message
    assert (
        git(place, "log", "-1", "--format=%(trailers:key=Gitreg-Event,valueonly)", "main~2") == "transition"
    )
    assert git(place, "fsck", "--strict") == ""


def test_a_transition_changes_its_own_lines_and_no_others(registry: Registry, git: Git, place: Path) -> None:
    registry.register("churn", "s3://x", metrics={"auc": 0.9}, tags={"a": "b"}, description="text")
    registry.transition("churn/1", "Staging")
    registry.transition("churn/1", "Production")
    diff = git(place, "diff", "-U0", "main~1", "main")
    changed = [line for line in diff.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    assert [line.split(":")[0].strip("+- ") for line in changed] == [
        "updated",
        "updated",
        "Staging",
        "Production",
    ]


def test_work_tree_and_index_follow(worktree: Path, git: Git) -> None:
    (worktree / "notes.txt").write_text("mine")
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://x")
        registry.rename("churn", "attrition")
        assert (worktree / "models/attrition/versions/1.yaml").exists()
        assert not (worktree / "models/churn/versions").exists()
        registry.delete("attrition")
    assert git(worktree, "status", "--porcelain") == "?? notes.txt"


def test_a_persons_edit_is_never_lost(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://x")
        manifest = worktree / "models/churn/versions/1.yaml"
        manifest.write_text(manifest.read_text() + "x-mine: 1\n")
        head = git(worktree, "rev-parse", "HEAD")
        with pytest.raises(Conflict) as caught:
            registry.transition("churn/1", "Staging")
        assert "versions/1.yaml" in str(caught.value) + caught.value.hint
        assert git(worktree, "rev-parse", "HEAD") == head
        assert manifest.read_text().endswith("x-mine: 1\n")
        git(worktree, "commit", "-qam", "by hand")
        registry.transition("churn/1", "Staging")
        assert "x-mine: 1" in manifest.read_text()


def test_comments_of_a_person_survive_and_the_log_shows_both(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://x")
        manifest = worktree / "models/churn/versions/1.yaml"
        text = manifest.read_text() + "# reviewed by Ada\ndescription: by hand  # really\n"
        manifest.write_text(text)
        git(worktree, "commit", "-qam", "describe it by hand")
        registry.update("churn/1", description="by command")
        after = manifest.read_text()
        assert "# reviewed by Ada" in after
        assert "# really" in after
        told = [(e.commit.subject, [c.event for c in e.changes]) for e in registry.log("churn")]
        assert told == [
            ("churn: update description of version 1", ["update"]),
            ("describe it by hand", ["update"]),
            ("churn: register version 1", ["register", "register"]),
        ]


def test_nothing_to_change_makes_no_commit(registry: Registry, git: Git, place: Path) -> None:
    registry.register("churn", "s3://x")
    registry.transition("churn/1", "Staging")
    head = git(place, "rev-parse", "main")
    assert registry.transition("churn/1", "Staging").stages.keys() == {"Staging"}
    registry.tag("churn", {})
    assert git(place, "rev-parse", "main") == head


def test_batch_is_one_commit_and_answers_inside(registry: Registry, git: Git, place: Path) -> None:
    registry.register("churn", "s3://0")
    before = int(git(place, "rev-list", "--count", "main"))
    with registry.batch("Weekly retraining") as batch:
        made = batch.register("churn", "s3://1")
        assert made.version == 2
        batch.register("fraud", "s3://2", parents=[f"churn/{made.version}"])
        assert batch.transition("churn/2", "Staging").stages.keys() == {"Staging"}
        batch.update("churn", owners=["ada"])
        assert int(git(place, "rev-list", "--count", "main")) == before
    assert int(git(place, "rev-list", "--count", "main")) == before + 1
    assert git(place, "log", "-1", "--format=%s", "main") == "Weekly retraining"
    assert registry.version("churn/Staging").version == 2
    assert registry.version("fraud/1").origin.parents == ("models:/churn/2",)
    assert "fraud/v1" in tags(git, place)


def test_a_batch_that_raises_writes_nothing(registry: Registry, git: Git, place: Path) -> None:
    head = git(place, "rev-parse", "main")
    with pytest.raises(NotFound), registry.batch("x") as batch:
        batch.register("churn", "s3://1")
        batch.transition("churn/9", "Staging")
    assert git(place, "rev-parse", "main") == head
    with pytest.raises(UsageError), registry.batch("x"), registry.batch("y"):
        pass


def test_a_batch_never_gives_out_a_number_that_another_took(registry: Registry, place: Path) -> None:
    with pytest.raises(Conflict), registry.batch("x") as batch:
        batch.register("churn", "s3://1")
        with open_registry(place) as other:
            other.register("churn", "s3://other")
    assert registry.resolve("churn/1") == "s3://other"


def test_delete_restore_and_numbers(registry: Registry) -> None:
    for n in range(3):
        registry.register("churn", f"s3://{n}", aliases=["newest"])
    registry.transition("churn/3", "Production")
    registry.delete("churn/3", reason="leak")
    with pytest.raises(NotFound):
        registry.version("churn/3")
    with pytest.raises(NotFound):
        registry.version("churn@newest")
    assert registry.register("churn", "s3://4").version == 4
    restored = registry.restore("churn/3")
    assert isinstance(restored, ModelVersion)
    assert restored.source == "s3://2"
    assert not restored.stages
    registry.delete("churn")
    assert registry.models() == []
    registry.restore("churn")
    assert [v.version for v in registry.versions("churn")] == [4, 3, 2, 1]
    with pytest.raises(Conflict):
        registry.restore("churn/4")
    with pytest.raises(NotFound):
        registry.restore("churn/9")


def test_the_log_follows_a_rename(registry: Registry) -> None:
    registry.register("old", "s3://1")
    registry.transition("old/1", "Staging")
    registry.rename("old", "new")
    registry.register("new", "s3://2")
    registry.register("old", "s3://another life")
    told = [[(c.event, c.subject) for c in e.changes] for e in registry.log("new")]
    assert told == [
        [("register", "new/2")],
        [("rename", "old")],
        [("transition", "old/1")],
        [("register", "old"), ("register", "old/1")],
    ]
    assert [e.commit.subject for e in registry.log("new/1")] == [
        "old: rename model to new",
        "old: transition version 1 to Staging",
        "old: register version 1",
    ]


def test_reading_the_past(registry: Registry, git: Git, place: Path) -> None:
    registry.register("churn", "s3://1")
    registry.transition("churn/1", "Production")
    then = git(place, "rev-parse", "main")
    registry.register("churn", "s3://2")
    registry.transition("churn/2", "Production", archive_existing=True)
    assert registry.at(then).version("churn/Production").version == 1
    assert registry.at("churn/v1").version("churn/1").stages == {}
    assert registry.at(datetime.now(UTC) + timedelta(minutes=1)).version("churn/Production").version == 2
    with pytest.raises(NotFound):
        registry.at("2001-01-01")
    for bad in ("--upload-pack=touch x", "no-such", "main\nupdate"):
        with pytest.raises((NotFound, InvalidInput)):
            registry.at(bad)


def test_hand_made_commits_get_their_tags_with_the_next_write(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://1")
        manifest = worktree / "models/churn/versions/1.yaml"
        stages = 'stages:\n  Production: "2026-01-01T00:00:00.000Z"\n'
        manifest.write_text(manifest.read_text() + stages)
        git(worktree, "commit", "-qam", "promote by hand")
        by_hand = git(worktree, "rev-parse", "HEAD")
        registry.register("churn", "s3://2")
        registry.transition("churn/2", "Production")
    assert git(worktree, "rev-parse", "churn/Production/1^{commit}") == by_hand
    assert git(worktree, "rev-parse", "churn/Production/2^{commit}") == git(worktree, "rev-parse", "main")


def test_tags_are_the_same_in_any_clone(worktree: Path, git: Git, tmp_path: Path) -> None:
    with open_registry(worktree) as registry:
        for n in range(3):
            registry.register("churn", f"s3://{n}")
            registry.transition(f"churn/{n + 1}", "Production", archive_existing=True)
    git(tmp_path, "clone", "-q", "--no-tags", str(worktree), "clone")
    clone = tmp_path / "clone"
    git(clone, "branch", "--unset-upstream")
    with open_registry(clone) as registry:
        registry.register("churn", "s3://new")
    wanted = set(git(worktree, "show-ref", "--tags").splitlines())
    assert wanted <= set(git(clone, "show-ref", "--tags").splitlines())


def test_no_tags_on_another_branch_or_one_that_follows_a_remote(
    worktree: Path, git: Git, tmp_path: Path
) -> None:
    git(worktree, "switch", "-qc", "proposal")
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://1")
        assert "proposal" in registry.warnings[0]
    assert tags(git, worktree) == []
    git(worktree, "switch", "-q", "main")
    git(tmp_path, "clone", "-q", str(worktree), "clone")
    with open_registry(tmp_path / "clone") as registry:
        registry.register("churn", "s3://1")
        assert "follows origin/main" in registry.warnings[0]
    assert tags(git, tmp_path / "clone") == []


def test_detached_and_unfinished_states_are_refused(worktree: Path, git: Git) -> None:
    git(worktree, "checkout", "-q", "--detach")
    with open_registry(worktree) as registry:
        with pytest.raises(Conflict):
            registry.register("churn", "s3://1")
        assert registry.models() == []


def test_twin_model(registry: Registry) -> None:
    registry.register("fraud", "s3://1")
    with pytest.raises(AlreadyExists):
        registry.register("Fraud", "s3://1")
    with pytest.raises(NotFound) as caught:
        registry.model("Fraud")
    assert "fraud" in caught.value.hint


def test_a_version_removed_by_hand_keeps_its_number(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://1")
        registry.register("churn", "s3://2")
        was = git(worktree, "rev-parse", "churn/v2")
        git(worktree, "rm", "-q", "models/churn/versions/2.yaml")
        git(worktree, "commit", "-qm", "remove by hand")
        assert registry.register("churn", "s3://3").version == 3
        registry.restore("churn/2")
        assert registry.resolve("churn/2") == "s3://2"
        assert git(worktree, "rev-parse", "churn/v2") == was
        assert registry.register("churn", "s3://4").version == 4
        assert git(worktree, "status", "--porcelain") == ""


def test_a_batch_refuses_what_one_commit_can_not_hold(registry: Registry, git: Git, place: Path) -> None:
    registry.register("x", "s3://1")
    head = git(place, "rev-parse", "main")
    for second in (
        lambda b: b.rename("y", "z"),
        lambda b: b.register("y", "s3://2"),
        lambda b: b.delete("y"),
    ):
        with pytest.raises(Conflict, match="together"), registry.batch("both") as batch:
            batch.rename("x", "y")
            second(batch)
    with pytest.raises(Conflict, match="together"), registry.batch("both") as batch:
        batch.transition("x/1", "Staging")
        batch.rename("x", "y")
    assert git(place, "rev-parse", "main") == head
    assert [v.version for v in registry.versions("x")] == [1]


def test_two_registries_in_one_repository_keep_their_tags_apart(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    for name in ("a", "b/c"):
        create(tmp_path / name, settings=Settings(), branch=None, env=os.environ, now=utc_now())
        with open_registry(tmp_path / name) as registry:
            assert registry.register("m", "s3://1").version == 1
            registry.transition("m/1", "Production")
    assert tags(git, tmp_path) == ["a/m/Production/1", "a/m/v1", "b/c/m/Production/1", "b/c/m/v1"]


def test_a_rename_by_hand_that_drops_a_version_is_seen(worktree: Path, git: Git) -> None:
    with open_registry(worktree) as registry:
        for n in range(3):
            registry.register("m", f"s3://{n}")
        registry.rename("m", "n")
        git(worktree, "rm", "-q", "models/n/versions/3.yaml")
        git(worktree, "commit", "-q", "--amend", "-m", "rename by hand")
        told = next(iter(registry.log()))
        assert [(c.event, c.subject) for c in told.changes] == [("rename", "m"), ("vanish", "n/3")]


def test_before_all_time_there_was_nothing(registry: Registry) -> None:
    for moment in ("1960-01-01", "0001-01-01", "1990-01-01"):
        with pytest.raises(NotFound):
            registry.at(moment)


def test_many_tags_that_can_not_be_made_leave_nothing_behind(
    registry: Registry, git: Git, place: Path
) -> None:
    git_dir = place / ".git" if (place / ".git").exists() else place
    (git_dir / "packed-refs.lock").touch()
    with pytest.raises(EnvironmentFailure), registry.batch("many") as batch:
        for n in range(70):
            batch.register("m", f"s3://{n}")
    (git_dir / "packed-refs.lock").unlink()
    assert list(git_dir.rglob("*.lock")) == [git_dir / "gitreg/write.lock"]
    assert tags(git, place) == []
    assert registry.register("m", "s3://1").version == 1


def test_a_new_model_under_an_old_name_is_told(registry: Registry) -> None:
    registry.register("churn", "s3://1")
    registry.delete("churn")
    assert registry.register("churn", "s3://2").version == 2
    assert "deleted before" in registry.warnings[-1]
    registry.rename("churn", "attrition")
    registry.register("churn", "s3://3")
    assert "renamed to attrition" in registry.warnings[-1]


def test_settings_of_a_newer_format_are_read_and_never_written(worktree: Path, git: Git) -> None:
    settings = worktree / "gitreg.yaml"
    settings.write_text(settings.read_text().replace("format: 1", "format: 2"))
    git(worktree, "commit", "-qam", "newer")
    with open_registry(worktree) as registry:
        assert registry.models() == []
        with pytest.raises(Exception) as caught:
            registry.register("churn", "s3://1")
        assert getattr(caught.value, "exit_code", 0) == 7
