"""From proposal to tag: who asks, who decides, and what the server lets through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.world import BRANCH, VERSION, World, codes, verify
from tests.servers.people import Person

pytestmark = pytest.mark.xdist_group("end_to_end")

PROPOSED = BRANCH.format(2)
REMOTE = f"origin/{PROPOSED}"
ALL_THREE = (["alice@example.com"], ["bob@example.com"], "carol@example.com")
RULE = """\
    approvals:
      count: 1
      approvers: [bob@example.com, carol@example.com]
"""


def merge(who: Person) -> None:
    who.git("merge", "-q", "--no-ff", "-m", "Merge the promotion of churn/2", REMOTE)


def squash(who: Person) -> None:
    who.git("merge", "-q", "--squash", REMOTE)
    who.git("commit", "-q", "-m", "Promote churn/2 (#1)")


def rebase(who: Person) -> None:
    # As services rebase: main went on meanwhile, and every commit of the proposal is made anew.
    who.gitreg("tag", "churn/3", "reviewed=yes")
    who.git("cherry-pick", f"main..{REMOTE}")


def approved(world: World, version: int = 2) -> None:
    """Alice proposes churn/2, and Bob approves."""
    world.alice.gitreg("promote", f"churn/{version}", "Production", "-m", "Better on new customers")
    world.bob.gitreg("approve", f"churn/{version}", "Production", "--yes", "-m", "Looks right")


def told(world: World) -> Any:
    """What the log says of the promotion of churn/2 to somebody with a fresh clone."""
    who = world.alice
    who.git("fetch", "-q", "origin")
    who.git("checkout", "-q", "main")
    who.git("reset", "-q", "--hard", "origin/main")
    changes = [change for entry in json.loads(who.gitreg("log", "--json").out) for change in entry["changes"]]
    return next(
        change
        for change in changes
        if (change["event"], change.get("version"), change.get("stage")) == ("transition", 2, "Production")
    )


def hands(world: World) -> tuple[list[str], list[str], str]:
    """Who proposed, approved and merged the promotion, as the log has it."""
    found = told(world)
    return found["proposed_by"], found["approved_by"], found["merged_by"]


@pytest.mark.parametrize("way", [merge, squash, rebase])
def test_a_promotion_goes_its_way(way: Callable[[Person], None], world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    before = world.main
    said = alice.gitreg("promote", "churn/2", "Production", "-m", "Better on new customers").words
    assert "bob@example.com" in said  # who may approve
    assert world.main == before and PROPOSED in world.refs("refs/heads")

    bob.git("fetch", "-q")
    assert codes(verify(bob, "origin/main", REMOTE, code=1)) == ["GR206"]
    bob.gitreg("approve", "churn/2", "Production", "--yes", "-m", "Looks right")
    assert verify(bob, "origin/main", REMOTE, code=0)["findings"] == []

    carol.git("fetch", "-q")
    way(carol)
    carol.git("push", "-q", "origin", "main")
    assert world.main == carol.git("rev-parse", "HEAD")
    assert verify(carol, before, "HEAD", code=0)["findings"] == []
    tag = world.server.git("cat-file", "tag", "churn/Production/2")
    assert tag.startswith(f"object {world.main}\n") or way is rebase
    assert world.server.git("ls-tree", "main", "approvals/churn/2/Production/2/")
    world.server.gitreg("verify", "--all")

    assert hands(world) == ALL_THREE


@pytest.mark.parametrize("mode", ["merge", "squash", "rebase"])
def test_gitreg_merges_the_same(mode: str, web_world: World) -> None:
    world = web_world
    before = world.main
    world.alice.gitreg("promote", "churn/2", "Production", "-m", "Better on new customers")
    refused = world.carol.gitreg("merge", "churn/2", "Production", "--mode", mode, code=5)
    assert "GR206" in refused.words and world.main == before
    world.bob.gitreg("approve", "churn/2", "Production", "--yes")
    world.carol.gitreg("merge", "churn/2", "Production", "--mode", mode)
    assert world.main != before
    assert "churn/Production/2" in world.refs()
    assert PROPOSED not in world.refs("refs/heads")
    assert verify(world.carol, before, world.main, code=0)["findings"] == []
    world.server.gitreg("verify", "--all")
    assert hands(world) == ALL_THREE


@pytest.mark.parametrize("way", [merge, squash, rebase])
def test_without_approval_every_way_is_shut(way: Callable[[Person], None], world: World) -> None:
    before = world.main
    world.alice.gitreg("promote", "churn/2", "Production")
    world.carol.git("fetch", "-q")
    way(world.carol)
    said = world.refused(world.carol, "origin", "main")
    assert "refs/heads/main is refused" in said and "GR206" in said
    assert "gitreg promote churn/2 Production" in said
    assert codes(verify(world.carol, before, "HEAD", code=1)) == ["GR206"]


def test_a_direct_push_is_refused(world: World) -> None:
    alice = world.alice
    said = alice.gitreg("transition", "churn/2", "Production", code=5).words
    assert "gitreg promote churn/2 Production" in said
    # What the command refuses, an editor does not.
    held = (alice.work / VERSION.format(1)).read_text()
    found = re.search(r"^stages:\n  Production: .*\n", held, re.MULTILINE)
    assert found
    alice.edit(VERSION.format(1), found[0], "")
    alice.write(VERSION.format(2), (alice.work / VERSION.format(2)).read_text() + found[0])
    alice.commit("quickly")
    said = world.refused(alice, "origin", "main")
    assert "GR206" in said and "gitreg promote churn/2 Production" in said


def test_two_promotions_that_merge_cleanly_as_text(world: World) -> None:
    # Where somebody holds the stage both take it from him, and Git itself would see that they meet.
    world.alice.gitreg("unassign", "churn/1", "Production")
    world.alice.git("push", "-q", "origin", "main")
    before = world.main
    world.carol.git("pull", "-q", "--ff-only")
    for version in (2, 3):
        approved(world, version)
    carol = world.carol
    carol.git("fetch", "-q")
    carol.git("merge", "-q", "--no-ff", "-m", "first", f"origin/{BRANCH.format(2)}")
    carol.git("push", "-q", "origin", "main")
    between = world.main
    merged = carol.run("git", "merge", "--no-ff", "-m", "second", f"origin/{BRANCH.format(3)}", code=None)
    assert merged.code == 0, merged  # Git sees nothing wrong
    said = world.refused(carol, "origin", "main")
    assert "GR201" in said
    assert "GR201" in codes(verify(carol, between, "HEAD", code=1))
    assert "GR201" in codes(verify(carol, before, "HEAD", code=1))
    proposed = f"origin/{BRANCH.format(3)}"
    said = carol.gitreg("verify", "--proposal", "origin/main", proposed, "--json", code=1).out
    assert "GR201" in codes(json.loads(said))
    carol.git("reset", "-q", "--hard", "origin/main")
    carol.gitreg("merge", "churn/3", "Production", code=None)
    assert world.main == between
    # The mend that is told: propose it anew, on what is there now.
    world.alice.git("pull", "-q", "--ff-only")
    approved(world, 3)
    carol.gitreg("merge", "churn/3", "Production")
    assert {"churn/Production/2", "churn/Production/3"} <= set(world.refs())


def test_a_promotion_lowers_its_own_bar(world: World) -> None:
    alice = world.alice
    alice.gitreg("promote", "churn/2", "Production")
    alice.git("checkout", "-q", PROPOSED)
    alice.edit("gitreg.yaml", f"{RULE}  - name: Archived", "  - name: Archived")
    alice.git("commit", "-q", "-a", "--amend", "-m", "promote, and nobody need approve")
    alice.git("checkout", "-q", "main")
    alice.git("merge", "-q", "--no-ff", "-m", "in one step", PROPOSED)
    said = world.refused(alice, "origin", "main")
    assert "GR208" in said and "GR206" in said


def test_the_bar_is_lowered_in_an_earlier_commit_of_the_same_push(world: World) -> None:
    alice = world.alice
    alice.edit("gitreg.yaml", f"{RULE}  - name: Archived", "  - name: Archived")
    alice.commit("nobody need approve")
    assert "GR208" in world.refused(alice, "origin", "main")
    alice.gitreg("transition", "churn/2", "Production", code=None)
    said = world.refused(alice, "origin", "main")
    assert "GR208" in said


def test_new_rules_are_proposed_and_approved_like_a_promotion(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    alice.git("checkout", "-q", "-b", "gitreg/policy/fewer")
    alice.edit("gitreg.yaml", f"{RULE}  - name: Archived", "  - name: Archived")
    alice.commit("nobody need approve")
    alice.git("push", "-q", "origin", "gitreg/policy/fewer")
    bob.git("fetch", "-q")
    assert codes(verify(bob, "origin/main", "origin/gitreg/policy/fewer", code=1)) == ["GR208"]
    bob.gitreg("approve", "gitreg/policy/fewer", "--policy", "--yes")
    carol.gitreg("merge", "gitreg/policy/fewer")
    carol.git("pull", "-q", "--ff-only")
    carol.gitreg("transition", "churn/2", "Production")
    carol.git("push", "-q", "origin", "main")
    assert "churn/Production/2" in world.refs()


def test_an_approval_is_played_again_after_a_rollback(world: World) -> None:
    alice, bob, carol = world.alice, world.bob, world.carol
    approved(world)
    carol.gitreg("merge", "churn/2", "Production")
    alice.git("pull", "-q", "--ff-only")
    said = alice.gitreg("rollback", "churn", "Production", "--propose", "--json").out
    branch = json.loads(said)["branch"]
    bob.gitreg("approve", branch, "--yes")
    carol.gitreg("merge", branch)
    assert "churn/Production/3" in world.refs()

    alice.git("pull", "-q", "--ff-only")
    alice.gitreg("promote", "churn/2", "Production")
    alice.git("checkout", "-q", PROPOSED)
    played = alice.work / "approvals/churn/2/Production/4"
    played.mkdir(parents=True)
    for old in (alice.work / "approvals/churn/2/Production/2").iterdir():
        (played / old.name).write_bytes(old.read_bytes())
    alice.commit("approved already")
    found = codes(verify(alice, "origin/main", "HEAD", code=1))
    assert "GR206" in found or "GR209" in found
    alice.git("checkout", "-q", "main")
    alice.git("merge", "-q", "--no-ff", "-m", "as before", PROPOSED)
    assert re.search("GR206|GR209", world.refused(alice, "origin", "main"))


@pytest.mark.parametrize("served", ["world", "web_world"])
def test_proposals_of_a_server_without_a_forge(served: str, request: pytest.FixtureRequest) -> None:
    world: World = request.getfixturevalue(served)
    alice, bob, carol = world.alice, world.bob, world.carol
    alice.git("checkout", "-q", "-b", "mine")
    alice.gitreg("tag", "churn/2", "reviewed=yes")
    push = ("git", "push", "origin", "-o", "topic=reviewed", "HEAD:refs/for/main")
    assert "proposal 1 is made" in alice.run(*push).words
    assert "proposal 1 is as it was" in alice.run(*push).words
    meta = json.loads(world.server.git("cat-file", "blob", "refs/proposals/1/meta"))
    assert (meta["by"], meta["state"]) == ("alice", "open")  # who logged in, not who the commit names
    proposed = json.loads(bob.gitreg("proposals", "--json").out)
    assert "refs/proposals/1/head" in json.dumps(proposed) or '"number": 1' in json.dumps(proposed)
    carol.gitreg("merge", "1")
    assert world.server.git("merge-base", "main", "refs/proposals/1/head") == alice.git("rev-parse", "HEAD")
    meta = json.loads(world.server.git("cat-file", "blob", "refs/proposals/1/meta"))
    assert meta["state"] == "merged"
