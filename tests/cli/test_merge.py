"""``gitreg merge`` over a shared repository: its three ways, and what stands in their way."""

from __future__ import annotations

import json

import pytest

from tests.servers.shared import Shared

BRANCH = "gitreg/promote/churn/2/Production"
HEAD = f"refs/heads/{BRANCH}"
NO_WORSE = """\
  - name: Production
    exclusive: true
    no_worse:
      - metric: auc
        direction: lower
"""


@pytest.fixture(autouse=True)
def proposal(both: Shared) -> None:
    """Alice proposes churn/2."""
    both.alice.gitreg("promote", "churn/2", "Production", "-m", "Better on new customers")


@pytest.fixture
def two_commits(both: Shared) -> Shared:
    """The same, with a second commit by Bob."""
    bob = both.bob
    bob.git("fetch", "-q")
    bob.git("checkout", "-q", BRANCH)
    bob.write("models/churn/README.md", "a card\n")
    bob.commit("add the card")
    bob.git("push", "-q", "origin", BRANCH)
    bob.git("checkout", "-q", "main")
    return both


def ahead(both: Shared, *command: str) -> str:
    """Main goes on by a write of Alice's; its head."""
    alice = both.alice
    alice.git("checkout", "-q", "main")
    alice.gitreg(*command)
    alice.git("push", "-q", "origin", "main")
    return both.main


@pytest.mark.parametrize("mode", ["merge", "squash", "rebase"])
def test_the_three_ways(two_commits: Shared, mode: str) -> None:
    both = two_commits
    proposed = both.refs()[HEAD]
    before = ahead(both, "tag", "churn/3", "reviewed=yes")
    said = json.loads(both.bob.gitreg("merge", "churn/2", "Production", "--mode", mode, "--json").out)
    assert said["commit"] == both.main and said["followed"]
    new = both.git("log", "--first-parent", "--format=%an|%cn|%s", f"{before}..main").splitlines()
    title = "churn: transition version 2 to Production"
    assert (
        new
        == {
            "merge": ["Bob|Bob|Promote churn/2 to Production"],
            "squash": ["Alice|Bob|Promote churn/2 to Production"],
            "rebase": ["Bob|Bob|add the card", f"Alice|Bob|{title}"],
        }[mode]
    )
    parents = both.git("log", "-1", "--format=%P", "main").split()
    assert parents == {"merge": [before, proposed], "squash": [before]}.get(mode, parents)
    tree = both.git("ls-tree", "-r", "--name-only", "main").split()
    assert "models/churn/README.md" in tree
    assert "reviewed" in both.git("show", "main:models/churn/versions/3.yaml")
    assert "Production" in both.git("show", "main:models/churn/versions/2.yaml")
    assert list(both.refs("refs/heads")) == ["refs/heads/main"]
    assert both.bob.git("rev-parse", "main", "HEAD", "origin/main").split() == [both.main] * 3
    assert both.bob.git("status", "--porcelain") == ""
    assert both.bob.git("for-each-ref", "refs/gitreg", BRANCH) == ""
    both.bob.gitreg("verify", "--all", "--no-tags")


def test_a_rebased_commit_keeps_its_time(two_commits: Shared) -> None:
    both = two_commits
    times = both.git("log", "--format=%at", f"main..{BRANCH}").split()
    ahead(both, "tag", "churn/3", "reviewed=yes")
    both.bob.gitreg("merge", BRANCH, "--mode", "rebase")
    assert both.git("log", "-2", "--format=%at", "main").split() == times


def test_a_squash_says_why_and_what(both: Shared) -> None:
    both.bob.gitreg("merge", "churn/2", "Production", "--mode", "squash")
    message = both.git("log", "-1", "--format=%B", "main")
    assert message.split("\n\n")[1] == "Better on new customers"
    assert "Gitreg-Event: transition\nGitreg-Model: churn\nGitreg-Version: 2\n" in message
    assert "- " not in message


def test_the_rules_refuse_it(both: Shared) -> None:
    alice = both.alice
    settings = (alice.work / "gitreg.yaml").read_text()
    alice.write("gitreg.yaml", settings.replace("  - name: Production\n    exclusive: true\n", NO_WORSE))
    alice.commit("rules")
    alice.git("push", "-q", "origin", "main")
    before = both.refs()
    said = both.bob.gitreg("merge", "churn/2", "Production", code=5).words
    assert "GR204" in said or "auc" in said
    assert both.refs() == before
    assert both.bob.git("rev-parse", "main") != both.main
    assert "auc" in both.bob.gitreg("proposals").out


def test_both_sides_changed_the_same(both: Shared) -> None:
    ahead(both, "transition", "churn/3", "Production")
    before = both.refs()
    for mode in ("merge", "squash", "rebase"):
        said = both.bob.gitreg("merge", "churn/2", "Production", "--mode", mode, code=4).words
        assert "churn/3 took Production meanwhile" in said
        assert "gitreg promote churn/2 Production" in said
    assert both.refs() == before
    told = "churn/3 took Production meanwhile: gitreg promote churn/2 Production makes it anew"
    assert told in both.bob.gitreg("proposals").out
    for judge in ("review", "verify"):
        said = both.bob.gitreg(judge, "churn/2", "Production", code=4).words
        assert "churn/3 took Production meanwhile" in said and "gitreg promote churn/2 Production" in said
    both.alice.gitreg("promote", "churn/2", "Production")
    both.bob.gitreg("merge", "churn/2", "Production")


@pytest.mark.parametrize("mode", ["squash", "rebase"])
def test_what_was_merged_by_plain_git_is_not_open_any_more(both: Shared, mode: str) -> None:
    alice, bob = both.alice, both.bob
    ahead(both, "tag", "churn/3", "reviewed=yes")
    bob.git("pull", "-q")
    bob.git("merge", "-q", "--squash", f"origin/{BRANCH}") if mode == "squash" else bob.git(
        "cherry-pick", f"origin/{BRANCH}"
    )
    bob.git("commit", "-q", "-m", "Merge it (#7)", code=0 if mode == "squash" else None)
    bob.git("push", "-q", "origin", "main")
    assert "no proposal is open" in alice.gitreg("proposals").err
    alice.git("pull", "-q")
    ahead(both, "tag", "churn/2", "seen=yes")
    ahead(both, "rollback", "churn", "Production")
    assert "no proposal is open" in alice.gitreg("proposals").err, "whatever came later"
    assert "nothing to merge" in bob.gitreg("merge", "churn/2", "Production").out
    assert "Production" not in both.git("show", "main:models/churn/versions/2.yaml")
    again = alice.gitreg("promote", "churn/2", "Production")
    assert "Proposed anew" in again.out
    assert "Merged" in bob.gitreg("merge", "churn/2", "Production").out


def test_it_is_merged_already(both: Shared) -> None:
    bob = both.bob
    bob.git("fetch", "-q")
    bob.git("merge", "-q", "--squash", f"origin/{BRANCH}")
    bob.git("commit", "-q", "-m", "by hand")
    bob.git("push", "-q", "origin", "main")
    before = both.refs()
    assert "nothing to merge" in bob.gitreg("merge", "churn/2", "Production").out
    assert both.refs() == before


def test_the_server_has_the_last_word(both: Shared) -> None:
    hook = both.bare / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho not on Fridays >&2\nexit 1\n")
    hook.chmod(0o755)
    before, local = both.refs(), both.bob.git("for-each-ref", "refs/heads", "refs/gitreg")
    assert "not on Fridays" in both.bob.gitreg("merge", "churn/2", "Production", code=5).words
    assert both.refs() == before
    assert both.bob.git("for-each-ref", "refs/heads", "refs/gitreg") == local


def test_main_moves_while_it_is_merged(both: Shared) -> None:
    # The server itself moves main before it takes the first push: as another one that was faster.
    other = ahead(both, "tag", "churn/3", "reviewed=yes")
    both.git("update-ref", "refs/heads/main", f"{other}~1")
    hook = both.bare / "hooks/pre-receive"
    hook.write_text(
        f"#!/bin/sh\nunset GIT_QUARANTINE_PATH\ngit update-ref refs/heads/main {other}\nrm -f hooks/pre-receive\n"
    )
    hook.chmod(0o755)
    both.bob.gitreg("merge", "churn/2", "Production")
    assert not hook.exists()
    assert both.git("rev-parse", "main^1") == other


def test_edits_here_are_left_alone(both: Shared) -> None:
    bob = both.bob
    bob.edit("models/churn/versions/2.yaml", "auc: 0.92", "auc: 0.99")
    before = bob.git("rev-parse", "main")
    said = bob.gitreg("merge", "churn/2", "Production")
    assert "git pull" in said.err and "models/churn/versions/2.yaml" in said.err
    assert bob.git("rev-parse", "main") == before != both.main
    assert "auc: 0.99" in (bob.work / "models/churn/versions/2.yaml").read_text()


def test_commits_here_are_left_alone(both: Shared) -> None:
    bob = both.bob
    bob.gitreg("tag", "churn/3", "mine=yes")
    own = bob.git("rev-parse", "main")
    said = bob.gitreg("merge", "churn/2", "Production")
    assert "git pull --rebase" in said.err
    assert bob.git("rev-parse", "main") == own
    assert "mine" not in both.git("show", "main:models/churn/versions/3.yaml")


def test_a_branch_of_ones_own_stays(both: Shared) -> None:
    bob = both.bob
    bob.git("checkout", "-q", "-b", "feature")
    bob.gitreg("tag", "churn/3", "mine=yes")
    bob.git("push", "-q", "origin", "feature")
    both.alice.gitreg("merge", "feature")
    assert "mine" in both.git("show", "main:models/churn/versions/3.yaml")
    assert "refs/heads/feature" in both.refs()


@pytest.mark.parametrize("name", ["nosuch", "99", "--upload-pack=touch x", "churn/2", ""])
def test_no_such_proposal(both: Shared, name: str) -> None:
    before = both.refs()
    assert "gitreg proposals" in both.bob.gitreg("merge", "--", name, code=3).words
    assert both.refs() == before


@pytest.mark.parametrize("mode", ["merge", "squash"])
def test_a_merge_keeps_the_reasons(two_commits: Shared, mode: str) -> None:
    bob = two_commits.bob
    bob.gitreg("merge", "churn/2", "Production", "-m", "Looked at with the team", "--mode", mode)
    title, *rest = two_commits.git("log", "-1", "--format=%B", "main").split("\n\n")
    assert title == "Promote churn/2 to Production"
    assert rest[:2] == ["Looked at with the team", "Better on new customers"]
    assert rest[2].startswith("Gitreg-Event: transition\n")
    assert "Better on new customers" in bob.gitreg("log", "churn", "--json").out
