"""The hooks of a clone: pre-commit, commit-msg and pre-push, run by Git itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.cli import app
from tests.githooks.conftest import VERSION, Clone


@pytest.fixture
def hooked(alice: Clone) -> Clone:
    alice.gitreg("hooks", "install")
    return alice


class TestPreCommit:
    def test_a_good_edit_passes(self, hooked: Clone) -> None:
        hooked.edit(VERSION.format(2), "metrics:", "description: better\nmetrics:")
        hooked.git("commit", "-q", "-am", "say more")

    def test_a_faulty_manifest_is_refused_with_its_place(self, hooked: Clone) -> None:
        hooked.edit(VERSION.format(2), "version: 2", "version: 3")
        said = hooked.git("commit", "-q", "-am", "x", code=1)
        assert f"{VERSION.format(2)}:2:10: error[GR016]" in said.out + said.err

    def test_what_is_not_staged_does_not_count(self, hooked: Clone) -> None:
        hooked.edit(VERSION.format(2), "version: 2", "version: 3")
        hooked.write("NOTES.md", "x")
        hooked.git("add", "NOTES.md")
        hooked.git("commit", "-q", "-m", "notes")

    def test_a_removed_manifest_is_refused(self, hooked: Clone) -> None:
        hooked.git("rm", "-q", VERSION.format(2))
        said = hooked.git("commit", "-m", "x", code=1)
        assert "error[GR103]" in said.out + said.err

    def test_removed_settings_are_refused(self, hooked: Clone) -> None:
        hooked.git("rm", "-q", "gitreg.yaml")
        said = hooked.git("commit", "-m", "x", code=1)
        assert "error[GR103]" in said.out + said.err

    def test_a_commit_of_some_files_alone_is_judged_by_its_own_index(self, hooked: Clone) -> None:
        hooked.edit(VERSION.format(2), "version: 2", "version: 3")
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-q", "-m", "notes", "--", "NOTES.md")
        said = hooked.git("commit", "-q", "-m", "x", "--", VERSION.format(2), code=1)
        assert "error[GR016]" in said.out + said.err

    def test_an_untouched_holder_of_an_exclusive_stage_is_seen(self, hooked: Clone) -> None:
        hooked.edit("gitreg.yaml", "- Production\n", "- {name: Production, exclusive: true}\n")
        hooked.git("commit", "-q", "-am", "exclusive", "--no-verify")
        text = hooked.read(VERSION.format(1))
        stages = text[text.index("stages:") :]
        hooked.write(VERSION.format(2), hooked.read(VERSION.format(2)) + stages)
        said = hooked.git("commit", "-q", "-am", "second holder", code=1)
        assert "error[GR109]" in said.out + said.err

    def test_a_merge_that_makes_a_second_holder_is_refused(self, hooked: Clone) -> None:
        """Each branch is right alone, and they merge cleanly as text."""
        hooked.edit("gitreg.yaml", "- Staging\n", "- {name: Staging, exclusive: true}\n")
        hooked.git("commit", "-q", "-am", "exclusive")
        hooked.git("branch", "other")
        for branch, number in (("other", 1), ("main", 2)):
            hooked.git("switch", "-q", branch)
            hooked.gitreg("transition", f"churn/{number}", "Staging")
        said = hooked.git("merge", "--no-edit", "other", code=None)
        assert said.code != 0 and "error[GR109]" in said.out + said.err, said
        hooked.git("merge", "--abort")

    def test_a_registry_in_a_folder(self, own_home: Path, tmp_path: Path) -> None:
        big = Clone(tmp_path / "big")
        big.folder.mkdir()
        big.git("init", "-q", "-b", "main")
        big.git("commit", "-q", "--allow-empty", "-m", "code")
        (big.folder / "ml").mkdir()
        assert app.run(["init", str(big.folder / "ml")]) == 0
        assert app.run(["--registry", str(big.folder / "ml"), "register", "churn", "s3://m/1"]) == 0
        big.gitreg("hooks", "install")
        big.git("rm", "-q", f"ml/{VERSION.format(1)}")
        said = big.git("commit", "-m", "x", code=1)
        assert f"help: git checkout HEAD -- ml/{VERSION.format(1)}," in said.out + said.err

    def test_the_registry_of_this_repository_is_meant(self, hooked: Clone, tmp_path: Path) -> None:
        hooked.edit(VERSION.format(2), "version: 2", "version: 3")
        said = hooked.git("commit", "-q", "-am", "x", code=1, GITREG_REGISTRY=str(tmp_path / "nowhere"))
        assert "error[GR016]" in said.out + said.err

    def test_an_index_elsewhere_is_refused(self, hooked: Clone, tmp_path: Path) -> None:
        said = subprocess.run(
            [sys.executable, "-m", "gitreg", "hook", "pre-commit"], cwd=hooked.folder, capture_output=True, text=True,
            env={**os.environ, "GIT_INDEX_FILE": str(tmp_path / "index")}, check=False,
        )  # fmt: skip
        assert said.returncode == 2 and "the index lies outside of the repository" in said.stderr

    def test_a_repository_without_a_registry_is_left_alone(self, own_home: Path, tmp_path: Path) -> None:
        other = Clone(tmp_path)
        other.git("init", "-q")
        other.gitreg("hooks", "install")
        other.write("models/README.txt", "x")
        other.git("add", "-A")
        other.git("commit", "-q", "-m", "x")


class TestCommitMsg:
    TRUE = (
        "mine\n\nGitreg-Event: transition\nGitreg-Model: churn\nGitreg-Version: 2\nGitreg-Stage: Production\n"
    )

    def promote(self, clone: Clone) -> None:
        text = clone.read(VERSION.format(1))
        clone.write(VERSION.format(2), clone.read(VERSION.format(2)) + text[text.index("stages:") :])
        clone.git("add", "-A")

    def test_no_trailers_are_fine(self, hooked: Clone) -> None:
        self.promote(hooked)
        hooked.git("commit", "-q", "-m", "promote by hand")

    def test_true_ones_are_fine_and_so_is_an_amended_commit(self, hooked: Clone) -> None:
        self.promote(hooked)
        hooked.git("commit", "-q", "-m", self.TRUE)
        hooked.git("commit", "-q", "--amend", "--no-edit")

    @pytest.mark.parametrize(
        ("true", "false"),
        [("Version: 2", "Version: 1"), ("Stage: Production", "Stage: Staging"), ("transition", "register")],
    )
    def test_forged_ones_are_refused(self, hooked: Clone, true: str, false: str) -> None:
        self.promote(hooked)
        said = hooked.git("commit", "-q", "-m", self.TRUE.replace(true, false), code=1)
        assert "the message is refused: its trailers tell of what the commit does not do" in said.err

    def test_stale_ones_are_refused(self, hooked: Clone) -> None:
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-m", self.TRUE, code=1)

    def test_a_part_of_what_the_last_commit_did_is_no_amendment(self, hooked: Clone) -> None:
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-m", "mine\n\nGitreg-Event: transition\nGitreg-Model: churn", code=1)

    def test_the_words_of_a_person_are_no_trailers(self, hooked: Clone) -> None:
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-q", "-m", "mine\n\nWhy not?\nGitreg-Event: register is a trailer")

    def test_a_commented_line_is_no_trailer(self, hooked: Clone) -> None:
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.write(".git/message", "mine\n\n# Gitreg-Event: register\n")
        hooked.git("commit", "-q", "-F", ".git/message", "--cleanup=strip")

    @pytest.mark.parametrize(
        "message",
        [
            "mine\n\n\nGitreg-Event: register",
            "mine\n\nGitreg-Event: register\nTicket:",
            "mine\n\nwords\nSigned-off-by: A <a@example.com>\nGitreg-Event: register",
            "mine\n\nGitreg-Event:\n register",
            "mine\n\nGitreg-Event: register\n\n# -------- >8 --------",
            "mine\n\nGitreg-Event: register\n\nConflicts:\n\tNOTES.md",
        ],
        ids=["gap", "empty", "signed off", "folded", "scissors", "conflicts"],
    )
    def test_what_git_takes_for_a_trailer_is_one(self, hooked: Clone, message: str) -> None:
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        said = hooked.git("commit", "-q", "-m", message, code=None)
        shown = hooked.git(
            "log", "-1", "--format=%(trailers:key=Gitreg-Event,valueonly,separator=)"
        ).out.strip()
        assert shown == "" or (said.code == 1 and shown == "transition"), (said, shown)

    def test_commits_that_melt_into_others_keep_their_words(self, hooked: Clone) -> None:
        self.promote(hooked)
        hooked.git("commit", "-q", "-m", self.TRUE)
        hooked.write("NOTES.md", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-q", "-m", "notes")
        hooked.git("commit", "-q", "--allow-empty", "--fixup=amend:HEAD~1", GIT_EDITOR="true")
        hooked.git(
            "rebase", "-q", "-i", "--autosquash", "HEAD~3", GIT_SEQUENCE_EDITOR="true", GIT_EDITOR="true"
        )
        assert hooked.git("log", "--format=%s", "-2").out == "notes\nmine\n"

    def test_an_approval_is_nothing_that_manifests_tell(self, hooked: Clone) -> None:
        hooked.write("approvals/churn/2/Production/2/bob.sig", "x")
        hooked.git("add", "-A")
        hooked.git("commit", "-q", "-m", "approve\n\nGitreg-Event: approve\nGitreg-Model: churn", code=0)


class TestPrePush:
    def test_a_good_push_goes_through(self, hooked: Clone) -> None:
        hooked.gitreg("register", "churn", "s3://models/churn/3")
        hooked.push()

    def refused(self, clone: Clone, *refs: str) -> str:
        said = clone.push(*refs, code=1)
        assert "remote:" not in said.err, "the server was not asked"
        return said.err

    def test_an_immutable_edit_never_leaves(self, hooked: Clone) -> None:
        hooked.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
        hooked.commit()
        assert "error[GR104]" in self.refused(hooked, "main")

    def test_other_branches_are_judged_too(self, hooked: Clone) -> None:
        hooked.git("switch", "-q", "-c", "topic")
        hooked.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
        hooked.commit()
        assert "refs/heads/topic is refused" in self.refused(hooked, "topic")

    def test_tags_are_judged(self, hooked: Clone) -> None:
        hooked.git("tag", "-f", "-a", "-m", "moved", "churn/v1", "HEAD")
        assert "error[GR303]" in self.refused(hooked, "+refs/tags/churn/v1")
        assert "error[GR304]" in self.refused(hooked, ":refs/tags/churn/v2")

    def test_a_rewritten_branch_never_leaves(self, hooked: Clone) -> None:
        hooked.git("reset", "-q", "--hard", "HEAD~1")
        assert "error[GR301]" in self.refused(hooked, "+main")

    def test_a_remote_that_moved_on_is_fetched_first(self, hooked: Clone, clone) -> None:  # type: ignore[no-untyped-def]
        bob = clone("bob")
        bob.gitreg("register", "churn", "s3://models/churn/3")
        bob.push()
        hooked.write("NOTES.md", "x")
        hooked.commit()
        typed = self.refused(hooked, "+main").partition("help: ")[2].splitlines()[0]
        assert typed == "git pull --rebase origin main"  # a merge would be refused
        hooked.git(*typed.split()[1:])
        hooked.push()

    def test_the_first_push_to_an_empty_remote(self, hooked: Clone, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "empty.git")], check=True)
        hooked.git("remote", "add", "other", str(tmp_path / "empty.git"))
        hooked.git("push", "-q", "other", "--all")
        hooked.git("push", "-q", "other", "--tags")
