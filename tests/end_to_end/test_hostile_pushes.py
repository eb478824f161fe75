"""What a server refuses, whoever pushes it (CASES.md, F)."""

from __future__ import annotations

import pytest

from tests.end_to_end.world import VERSION, World

pytestmark = pytest.mark.xdist_group("end_to_end")


def test_F01_a_version_tag_is_moved(world: World) -> None:
    world.bob.git("tag", "-f", "-a", "-m", "moved", "churn/v1", "HEAD")
    assert "GR303" in world.refused(world.bob, "--force", "origin", "refs/tags/churn/v1")


@pytest.mark.parametrize("tag", ["churn/v1", "churn/Production/1"])
def test_F02_F07_a_tag_is_deleted(tag: str, world: World) -> None:
    assert f"refs/tags/{tag} is refused" in world.refused(world.bob, "origin", f":refs/tags/{tag}")
    assert tag in world.refs()


def test_F05_a_version_is_forced_away(world: World) -> None:
    bob = world.bob
    bob.git("rm", "-q", VERSION.format(3))
    bob.git("reset", "-q", "--soft", "origin/main~1")
    bob.git("commit", "-q", "-m", "there never was a third")
    assert "GR301" in world.refused(world.bob, "--force", "origin", "main")


@pytest.mark.parametrize("tag", ["churn/v4", "churn/Production/2", "churn/v1"])
def test_F06_a_lightweight_tag(tag: str, world: World) -> None:
    world.bob.git("tag", "-f", tag)
    said = world.refused(world.bob, "--force", "origin", f"refs/tags/{tag}")
    assert f"refs/tags/{tag} is refused" in said


def test_F19_git_pull_then_push(world: World) -> None:
    alice, bob = world.alice, world.bob
    bob.gitreg("tag", "churn/2", "reviewed=yes")
    bob.git("push", "-q", "origin", "main")
    alice.gitreg("tag", "churn/3", "reviewed=no")
    alice.git("pull", "-q", "--no-rebase", "--no-edit")
    assert alice.git("rev-parse", "HEAD^2") == world.main
    said = world.refused(alice, "origin", "main")
    assert "GR302" in said and "git pull --rebase" in said
    alice.git("reset", "-q", "--hard", "HEAD^")
    alice.git("pull", "-q", "--rebase")
    alice.git("push", "-q", "origin", "main")
    assert world.main == alice.git("rev-parse", "HEAD")


def test_F21_a_manifest_is_removed_by_hand(world: World) -> None:
    bob = world.bob
    bob.git("rm", "-q", VERSION.format(3))
    bob.commit("clean up")
    said = world.refused(bob, "origin", "main")
    assert VERSION.format(3) in said and "gitreg delete" in said
    bob.git("reset", "-q", "--hard", "origin/main")
    bob.gitreg("delete", "churn/3", "--reason", "never used", "--yes", code=None)
    bob.git("push", "-q", "origin", "main")
    assert "deleted:" in world.server.git("show", f"main:{VERSION.format(3)}")


def test_B21_what_cannot_change_is_changed(world: World) -> None:
    world.bob.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    world.bob.commit("a better figure")
    assert VERSION.format(1) in world.refused(world.bob, "origin", "main")
    said = world.refused(world.bob, "origin", "HEAD:gitreg/better")
    assert VERSION.format(1) in said


def test_the_branch_is_not_removed(world: World) -> None:
    assert "GR301" in world.refused(world.bob, "origin", ":main")


def test_one_bad_ref_takes_the_good_ones_along(world: World) -> None:
    bob = world.bob
    bob.gitreg("tag", "churn/2", "reviewed=yes")
    bob.git("tag", "churn/v9")
    said = world.refused(bob, "origin", "main", "refs/tags/churn/v9")
    assert "refs/tags/churn/v9 is refused" in said
    bob.git("push", "-q", "origin", "main")
