"""Proposals where hosting services are told of them: by REST, by push options, by ``refs/for/``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.forge.hosted import serve_with
from tests.servers import plain
from tests.servers.people import Person
from tests.servers.shared import Shared

BRANCH = "gitreg/promote/churn/2/Production"
HEAD = f"refs/heads/{BRANCH}"

# Writes down what a push brought, and takes it.
RECORD = """\
#!/bin/sh
cat >pushed
i=0
while [ "$i" -lt "${GIT_PUSH_OPTION_COUNT:-0}" ]; do
    eval "printf '%s\\\\n' \\"\\$GIT_PUSH_OPTION_$i\\"" >>pushed
    i=$((i + 1))
done
"""

# To Gerrit refs/for/… is no ref: it is never there.
FORGET = """\
#!/bin/sh
git for-each-ref --format='delete %(refname)' refs/for | git update-ref --stdin
"""


def set_up(both: Shared, forge: str) -> None:
    """Say in the settings what kind of server it is, and have it take and record push options."""
    alice = both.alice
    settings = (alice.work / "gitreg.yaml").read_text()
    alice.write("gitreg.yaml", f"{settings}proposals:\n  forge: {forge}\n")
    alice.commit("the service")
    alice.git("push", "-q", "origin", "main")
    both.git("config", "receive.advertisePushOptions", "true")
    both.git("config", "http.receivepack", "true")
    for name, text in (("pre-receive", RECORD), ("post-receive", FORGET)):
        (both.bare / "hooks" / name).write_text(text)
        (both.bare / "hooks" / name).chmod(0o755)


def pushed(both: Shared) -> list[str]:
    """What the last push brought: old, new and ref, then its options."""
    return (both.bare / "pushed").read_text().splitlines()


def promoted(who: Person, *more: str) -> Any:
    return json.loads(who.gitreg("promote", "churn/2", "Production", "--json", *more).out)


@pytest.fixture(params=["github", "gitlab", "gitea"])
def hosted(
    request: pytest.FixtureRequest, both: Shared, tmp_path: Path
) -> Iterator[tuple[Shared, dict[str, Any], Person]]:
    """Alice with a token for the service that holds the registry."""
    set_up(both, request.param)
    with serve_with(both.bare, tmp_path / "served") as (web, store):
        both.alice.git("remote", "set-url", "origin", f"{web}/org/reg.git")
        token = {"GITREG_TOKEN": "good-secret", "GITREG_TOKEN_HOST": web.removeprefix("http://")}
        yield both, store, replace(both.alice, more=token)


def test_a_pull_request_from_start_to_end(hosted: tuple[Shared, dict[str, Any], Person]) -> None:
    both, store, alice = hosted
    said = promoted(alice, "-m", "Better")
    (pull,) = store["pulls"]
    assert pull["title"] == "churn: transition version 2 to Production"
    text = pull.get("body") or pull["description"]
    assert text.startswith("Better\n\n") and "Gitreg-" not in text
    assert said["proposal"]["number"] == 1
    assert said["proposal"]["url"] == "https://example.com/org/reg/1"
    assert both.refs()[HEAD] == said["commit"]
    assert pushed(both)[1:] == [], "the service is told by REST alone"

    assert promoted(alice)["commit"] == said["commit"]
    again = promoted(alice, "-m", "Much better")
    assert again["commit"] != said["commit"]
    assert len(store["pulls"]) == 1
    assert (pull.get("body") or pull["description"]).startswith("Much better")

    (listed,) = json.loads(alice.gitreg("proposals", "--json").out)["proposals"]
    assert (listed["number"], listed["url"]) == (1, "https://example.com/org/reg/1")
    for name in (["1"], [BRANCH], ["churn/2", "Production"]):
        refused = alice.gitreg("merge", *name, code=2).words
        assert "https://example.com/org/reg/1" in refused and "--direct" in refused
    alice.gitreg("withdraw", "1")
    assert pull["state"] == "closed"
    assert HEAD not in both.refs()
    assert "good-secret" not in json.dumps([said, again, listed]) + refused


def test_it_can_be_merged_with_git_all_the_same(hosted: tuple[Shared, dict[str, Any], Person]) -> None:
    both, _, alice = hosted
    said = promoted(alice)
    alice.gitreg("merge", "1", "--direct")
    assert both.git("rev-parse", "main^2") == said["commit"]
    assert HEAD not in both.refs()


def test_what_git_knows_is_listed_when_the_api_fails(hosted: tuple[Shared, dict[str, Any], Person]) -> None:
    both, store, alice = hosted
    promoted(alice)
    page = "https://example.com/org/reg/1"
    row = dict(zip(*(line.split("\t") for line in alice.gitreg("proposals").out.splitlines()), strict=True))
    assert (row["proposal"], row["url"]) == (BRANCH, page)
    store["fail"] = (401, {"message": "Bad credentials"})
    said = alice.gitreg("proposals")
    assert BRANCH in said.out
    assert "pull requests are not shown" in said.err and "check the token from GITREG_TOKEN" in said.err
    assert "GITREG_TOKEN" in alice.gitreg("withdraw", "churn/2", "Production", code=5).err
    assert HEAD in both.refs()
    alice.gitreg("merge", "churn/2", "Production", "--direct")  # asks no service
    assert HEAD not in both.refs()


def test_the_api_fails_after_the_push(hosted: tuple[Shared, dict[str, Any], Person]) -> None:
    both, store, alice = hosted
    store["fail"] = (403, {"message": "Resource not accessible by this token"})
    said = promoted(alice)
    assert both.refs()[HEAD] == said["commit"]
    (warning,) = said["warnings"]
    assert "no pull request was opened" in warning and "not accessible" in warning
    assert "check the token from GITREG_TOKEN" in warning
    assert "/org/reg/" in said["proposal"]["url"]
    del store["fail"]
    assert promoted(alice)["proposal"]["number"] == 1


def test_without_a_token_the_page_is_told(both: Shared, tmp_path: Path) -> None:
    set_up(both, "github")
    with serve_with(both.bare, tmp_path / "served") as (web, store):
        both.alice.git("remote", "set-url", "origin", f"{web}/org/reg.git")
        alice = replace(both.alice, more={"GITREG_TOKEN": "good-secret"})  # of another host, for all we know
        said = alice.gitreg("promote", "churn/2", "Production")
    assert f"{web}/org/reg/compare/main...{BRANCH}?expand=1" in said.out
    host = web.removeprefix("http://")
    assert f"GITREG_TOKEN is not sent to {host}: set GITREG_TOKEN_HOST={host}" in said.err
    assert not store["seen"]


def test_gitlab_is_told_by_push_options(both: Shared, tmp_path: Path) -> None:
    set_up(both, "gitlab")
    with serve_with(both.bare, tmp_path / "served") as (web, _):
        both.alice.git("remote", "set-url", "origin", f"{web}/org/reg.git")
        both.alice.gitreg("promote", "churn/2", "Production", "-m", "Better\n\nand faster", "--draft")
    update, *options = pushed(both)
    assert update.split()[2] == HEAD
    assert options[:3] == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=churn: transition version 2 to Production",
    ]
    assert options[3].startswith("merge_request.description=Better\\n\\nand faster\\n\\n")
    assert options[4:] == ["merge_request.draft"]


def test_gerrit_knows_it_by_its_change_id(both: Shared) -> None:
    set_up(both, "gerrit")
    said = promoted(both.alice, "-m", "Better")
    (update,) = pushed(both)
    assert update.split()[2] == "refs/for/main%topic=gitreg%2Fpromote%2Fchurn%2F2%2FProduction"
    ids = [
        re.findall(r"^Change-Id: (I[0-9a-f]{40})$", both.git("log", "-1", "--format=%B", oid), re.M)
        for oid in (said["commit"], promoted(both.alice, "-m", "Much better")["commit"])
    ]
    assert ids[0] == ids[1] and len(ids[0]) == 1
    trailers = both.git("log", "-1", "--format=%(trailers:only)", said["commit"])
    assert trailers.splitlines()[-1] == f"Change-Id: {ids[0][0]}"
    (both.bare / "pushed").unlink()
    assert not promoted(both.alice)["proposal"]["made"]
    assert not (both.bare / "pushed").exists(), "Gerrit refuses what it has"


def test_a_server_of_ours_without_the_hook_is_told(both: Shared) -> None:
    set_up(both, "gitreg")
    (warning,) = promoted(both.alice)["warnings"]
    assert "gitreg hooks install --server --proposals" in warning


def test_what_was_pushed_for_review_is_not_here_alone(both: Shared) -> None:
    set_up(both, "gerrit")
    promoted(both.alice)
    assert "here only" not in both.alice.gitreg("proposals").out
    said = both.alice.gitreg("withdraw", "churn/2", "Production")
    assert "stays open on" in said.err and "close it there" in said.err


def test_a_forge_that_has_no_such_repository(both: Shared) -> None:
    set_up(both, "github")
    before = both.refs()
    said = both.alice.gitreg("promote", "churn/2", "Production", code=3).words
    assert "names no repository on a hosting service" in said
    assert both.refs() == before


@pytest.fixture
def numbered(tmp_path: Path) -> Iterator[tuple[Any, Person, Person]]:
    """A plain server with our hooks, which gives numbers to what is pushed to refs/for/main."""
    with plain.plain(tmp_path, ("alice", "bob")) as server:
        alice, bob = server.people["alice"], server.people["bob"]
        alice.work.mkdir()
        alice.gitreg("init", ".")
        settings = (alice.work / "gitreg.yaml").read_text()
        alice.write("gitreg.yaml", f"{settings}proposals:\n  forge: gitreg\n")
        alice.commit("the service")
        for version in (1, 2):
            alice.gitreg("register", "churn", f"s3://models/{version}")
        alice.git("remote", "add", "origin", alice.url)
        alice.git("push", "-q", "-u", "origin", "main")
        yield server, alice, bob.clone()


def test_a_server_of_ours_numbers_it(numbered: tuple[Any, Person, Person]) -> None:
    server, alice, bob = numbered
    said = promoted(alice, "-m", "Better")
    assert said["proposal"]["number"] == 1
    assert any("proposal 1 is made" in line for line in said["proposal"]["words"])
    assert server.git("rev-parse", "refs/proposals/1/head") == said["commit"]
    assert promoted(bob)["commit"] == said["commit"]
    again = promoted(bob, "-m", "Much better")
    assert (again["proposal"]["number"], again["proposal"]["made"]) == (1, True)
    assert server.git("rev-parse", "refs/proposals/1/head") == again["commit"]
    (listed,) = json.loads(alice.gitreg("proposals", "--json").out)["proposals"]
    assert (listed["number"], listed["branch"], listed["head"]) == (1, BRANCH, again["commit"])
    bob.gitreg("tag", "churn/1", "a=b", "--propose")
    alice.gitreg("merge", "churn/2", "Production", "--mode", "squash")
    assert "merged already" in alice.gitreg("merge", "1", code=3).words
    assert bob.gitreg("withdraw", "2").code == 0
    assert json.loads(server.git("cat-file", "blob", "refs/proposals/2/meta"))["state"] == "withdrawn"
    assert json.loads(bob.gitreg("proposals", "--json").out)["proposals"] == []
    assert "withdrawn already" in alice.gitreg("withdraw", "2", code=3).words
