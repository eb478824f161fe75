"""The server's hook on real pushes: what is refused, what the pusher reads, and that nothing moves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.githooks.conftest import VERSION, Clone


def refs(server: Clone) -> str:
    return server.git("for-each-ref").out


def test_the_first_push_of_everything_is_accepted(alice: Clone, server: Clone) -> None:
    assert server.git("rev-parse", "main").out.strip() == alice.head
    assert server.git("tag", "--list").out.split() == ["churn/Production/1", "churn/v1", "churn/v2"]


def test_a_first_push_that_is_not_sound_is_refused(first: Clone, server: Clone) -> None:
    first.git("remote", "add", "origin", f"file://{server.folder}")
    first.edit(VERSION.format(2), "version: 2", "version: 3")
    first.commit()
    assert "error[GR016]" in first.refused()
    assert refs(server) == ""


def test_a_registration_is_accepted_and_tagged_by_the_server(alice: Clone, server: Clone) -> None:
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    assert "churn/v3" in server.git("tag", "--list").out


def test_a_faulty_manifest_is_refused_with_its_place_and_the_ref(alice: Clone, server: Clone) -> None:
    before = refs(server)
    alice.edit(VERSION.format(2), "source:", "source: x\nsource:")
    alice.commit()
    said = alice.refused()
    assert "gitreg: refs/heads/main is refused: 1 finding" in said
    assert f"{VERSION.format(2)}:6:1: error[GR005]" in said  # B01
    assert "help: " in said
    assert refs(server) == before


def test_an_immutable_part_stays(alice: Clone) -> None:
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    alice.commit()
    said = alice.refused()
    assert "error[GR104]" in said and "git checkout" in said  # B21


def test_an_immutable_part_stays_on_other_branches_too(alice: Clone) -> None:
    alice.git("switch", "-q", "-c", "topic")
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    alice.commit()
    said = alice.refused("topic")
    assert "refs/heads/topic is refused" in said and "error[GR104]" in said


def test_a_manifest_removed_by_hand_is_refused_and_a_tombstone_passes(alice: Clone) -> None:
    alice.git("rm", "-q", VERSION.format(2))
    alice.commit()
    assert "error[GR103]" in alice.refused()  # F21
    alice.git("reset", "-q", "--hard", "HEAD~1")
    alice.gitreg("delete", "churn/2", "--yes")
    alice.push()


def test_a_branch_may_hold_a_proposal(alice: Clone, server: Clone) -> None:
    alice.git("switch", "-q", "-c", "gitreg/promote/churn/2/Production")
    alice.gitreg("transition", "churn/2", "Production")
    alice.push("gitreg/promote/churn/2/Production")
    alice.git("commit", "-q", "--amend", "-m", "again", "--no-verify")
    alice.push("+gitreg/promote/churn/2/Production")
    alice.push(":gitreg/promote/churn/2/Production")
    assert "promote" not in refs(server)


def test_a_branch_without_a_registry_is_nobodys_business(alice: Clone) -> None:
    alice.git("switch", "-q", "--orphan", "pages")
    alice.write("index.html", "<p>")
    alice.write("models/notes.txt", "not ours: there is no gitreg.yaml")
    alice.commit()
    alice.push("pages")


def test_rewriting_the_registrys_branch_is_refused(alice: Clone, server: Clone) -> None:
    before = refs(server)
    alice.git("reset", "-q", "--hard", "HEAD~1")
    assert "error[GR301]" in alice.refused("+main")  # F05
    assert refs(server) == before


def test_removing_the_registrys_branch_is_refused(alice: Clone, server: Clone) -> None:
    server.git("config", "receive.denyDeleteCurrent", "ignore")
    said = alice.refused(":main")
    assert "refs/heads/main is refused" in said and "would be removed" in said


def test_a_symbolic_name_of_the_branch_is_the_branch(alice: Clone, server: Clone) -> None:
    server.git("symbolic-ref", "refs/heads/alias", "refs/heads/main")
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    alice.commit()
    assert "error[GR104]" in alice.refused("main:alias")


def test_pull_then_push_is_refused_with_the_mend(alice: Clone, clone: Callable[[str], Clone]) -> None:
    bob = clone("bob")
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    bob.write("NOTES.md", "mine")
    bob.commit()
    bob.git("pull", "-q", "--no-rebase", "--no-edit")
    said = bob.refused()
    assert "error[GR302]" in said and "git reset --keep" in said  # F19


def test_the_same_number_registered_by_two_clones(alice: Clone, clone: Callable[[str], Clone]) -> None:
    bob = clone("bob")
    alice.gitreg("register", "churn", "s3://models/churn/a")
    alice.push()
    bob.gitreg("register", "churn", "s3://models/churn/b")
    said = bob.push(code=1)  # F18: Git itself asks to fetch first
    assert "rejected" in said.err
    bob.git("fetch", "-q")
    assert bob.git("rebase", "-q", "origin/main", code=None).code != 0


class TestTags:
    def test_moved(self, alice: Clone, server: Clone) -> None:
        before = refs(server)
        alice.git("tag", "-f", "-a", "-m", "moved", "churn/v1", "HEAD")
        said = alice.refused("+refs/tags/churn/v1")  # F01, F07
        assert "refs/tags/churn/v1 is refused" in said and "error[GR303]" in said
        assert "gitreg reconcile" in said
        assert refs(server) == before

    def test_removed(self, alice: Clone, server: Clone) -> None:
        before = refs(server)
        assert "error[GR304]" in alice.refused(":refs/tags/churn/Production/1")  # F02, F07
        assert refs(server) == before

    def test_lightweight(self, alice: Clone, server: Clone) -> None:
        server.git("tag", "-d", "churn/v1")
        alice.git("tag", "-d", "churn/v1")
        target = alice.git("rev-list", "-1", "churn/v2~1").out.strip()
        alice.git("tag", "churn/v1", target)
        assert "error[GR306]" in alice.refused("refs/tags/churn/v1")  # F06

    @pytest.mark.parametrize("name", ["churn/v9", "churn/Production/2", "unknown/v1"])
    def test_without_what_it_names(self, alice: Clone, name: str) -> None:
        alice.git("tag", "-a", "-m", "x", name)
        assert "error[GR305]" in alice.refused(f"refs/tags/{name}")  # F04

    def test_of_the_right_name_and_text_on_another_commit(self, alice: Clone, server: Clone) -> None:
        server.git("tag", "-d", "churn/v1")
        text = alice.git("cat-file", "tag", "churn/v1").out
        moved = alice.git("rev-parse", "HEAD").out.strip()
        alice.git("tag", "-d", "churn/v1")
        forged = "\n".join([f"object {moved}", *text.splitlines()[1:]]) + "\n"
        made = subprocess.run(
            ["git", "mktag"], cwd=alice.folder, input=forged, capture_output=True, text=True, check=True
        )
        alice.git("update-ref", "refs/tags/churn/v1", made.stdout.strip())
        assert "error[GR303]" in alice.refused("refs/tags/churn/v1")

    def test_the_right_one_may_come_alone_or_with_its_commit(self, alice: Clone, server: Clone) -> None:
        server.git("tag", "-d", "churn/v1")
        alice.push("refs/tags/churn/v1")
        alice.git("branch", "--unset-upstream")
        alice.gitreg("register", "churn", "s3://models/churn/3")
        alice.gitreg("transition", "churn/3", "Production")
        alice.push("--atomic", "main", "refs/tags/churn/v3", "refs/tags/churn/Production/2")
        assert "churn/Production/2" in server.git("tag", "--list").out

    def test_a_wrong_one_can_be_cleared_away(self, alice: Clone, server: Clone) -> None:
        server.git("tag", "-a", "-m", "made by hand", "churn/v7", "main")
        alice.push(":refs/tags/churn/v7")
        assert "churn/v7" not in server.git("tag", "--list").out

    def test_other_tags_are_free(self, alice: Clone) -> None:
        alice.git("tag", "release-1")
        alice.git("tag", "-a", "-m", "x", "service/v1.2.3")
        alice.push("release-1", "service/v1.2.3")
        alice.push("+HEAD:refs/tags/release-1", ":refs/tags/service/v1.2.3")

    def test_all_of_many_models_at_once(self, alice: Clone, server: Clone) -> None:
        alice.git("branch", "--unset-upstream")
        for number in range(6):
            alice.gitreg("register", f"m{number}", f"s3://models/{number}")
        alice.git("tag", "-a", "-m", "x", "m0/v2")
        tags = [f"refs/tags/m{number}/v1" for number in range(6)]
        said = alice.refused("main", *tags, "refs/tags/m0/v2")
        assert said.count("is refused") == 1 and "refs/tags/m0/v2 is refused" in said
        alice.push("main", *tags)


def test_all_refs_are_judged_and_none_moves(alice: Clone, server: Clone) -> None:
    before = refs(server)
    alice.git("tag", "-a", "-m", "x", "churn/v9")
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    alice.commit()
    alice.git("branch", "good", "HEAD~1")
    said = alice.refused("main", "good", "refs/tags/churn/v9")
    assert "refs/heads/main is refused" in said and "refs/tags/churn/v9 is refused" in said
    assert refs(server) == before


def test_nothing_of_a_refused_push_is_kept(alice: Clone, server: Clone) -> None:
    kept = {path.name: path.read_bytes() for path in state(server)}
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    refused = alice.commit()
    alice.refused()
    assert server.git("cat-file", "-e", refused, code=None).code != 0
    assert {path.name: path.read_bytes() for path in state(server)} == kept


def state(server: Clone) -> list[Path]:
    return sorted(path for path in (server.folder / "gitreg").rglob("*") if path.is_file())


def test_gitlab_is_told_in_its_own_way(alice: Clone, server: Clone) -> None:
    hook = server.folder / "hooks" / "pre-receive"
    hook.write_text(hook.read_text().replace("#!/bin/sh\n", "#!/bin/sh\nexport GL_ID=user-1\n"))
    alice.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    alice.commit()
    said = alice.refused()
    assert "GL-HOOK-ERR: gitreg: refs/heads/main is refused" in said
    assert "GL-HOOK-ERR: models/churn/versions/1.yaml" in said


def test_what_a_manifest_says_never_steers_the_terminal(alice: Clone) -> None:
    alice.edit(VERSION.format(2), "source: s3://models/churn/2", 'source: "x\\e[31m"\nsource: "y"')
    alice.commit()
    said = alice.push(code=1)
    assert "\x1b[31m" not in said.err


def test_gc_and_pack_refs_work_with_the_hooks_on(alice: Clone, server: Clone) -> None:
    server.git("pack-refs", "--all", "--prune")
    server.git("gc", "-q", "--prune=now")  # F08
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    assert "error[GR304]" in alice.refused(":refs/tags/churn/v1")


def test_a_registry_in_a_folder_of_the_repository(first: Clone, server: Clone, tmp_path: Path) -> None:
    big = Clone(tmp_path / "big")
    shutil.copytree(first.folder, big.folder / "ml", ignore=shutil.ignore_patterns(".git"))
    big.write("README.md", "a larger repository")
    subprocess.run(["git", "init", "-q", "-b", "main", str(big.folder)], check=True)
    big.commit()
    server.git("config", "gitreg.prefix", "ml")
    big.git("remote", "add", "origin", f"file://{server.folder}")
    big.push()
    big.edit("ml/" + VERSION.format(1), "auc: 0.9", "auc: 0.99")
    big.commit()
    assert "error[GR104]" in big.refused()


def test_the_former_hook_runs_first_with_the_same_input(alice: Clone, server: Clone) -> None:
    hooks = server.folder / "hooks"
    (hooks / "pre-receive").unlink()
    (hooks / "pre-receive").write_text('#!/bin/sh\ncat >"$GIT_DIR/seen"\ntest ! -e "$GIT_DIR/closed"\n')
    (hooks / "pre-receive").chmod(0o755)
    server.gitreg("hooks", "install", "--server", "--proposals")
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    assert (server.folder / "seen").read_text().split()[1:] == [alice.head, "refs/heads/main"]
    (server.folder / "closed").touch()
    alice.gitreg("register", "churn", "s3://models/churn/4")
    assert "is refused" not in alice.refused()
