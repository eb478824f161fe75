"""Which service an address belongs to, what a push tells it, and which token it gets."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from gitreg.errors import InvalidInput
from gitreg.forge.proposal import Proposal
from gitreg.forge.pushing import change_id, compare_url, push_plan
from gitreg.forge.services import Place, Service, detect, repository_of
from gitreg.forge.token import token_for, withheld

P = Proposal(branch="gitreg/m-1", target="main", title="Promote\nm", body="a\nb\r\nc", draft=True)


@pytest.mark.parametrize(
    ("url", "service", "page"),
    [
        ("https://u:p@github.com/a/b.git", "github", "https://github.com/a/b"),
        ("git@github.com:a/b.git", "github", "https://github.com/a/b"),
        ("ssh://git@ssh.github.com:443/a/b.git", "github", "https://github.com/a/b"),
        ("https://gitlab.example.com:8443/g/s/b", "gitlab", "https://gitlab.example.com:8443/g/s/b"),
        ("ssh://git@forgejo.example:2222/a/b.git", "gitea", "https://forgejo.example/a/b"),
        ("https://codeberg.org/a/b", "gitea", "https://codeberg.org/a/b"),
        ("ssh://me@gerrit.example:29418/reg", "gerrit", "https://gerrit.example/reg"),
        ("git@git.example.com:reg.git", "plain", "https://git.example.com/reg"),
        ("https://example.com/github.com/a", "plain", "https://example.com/github.com/a"),
        ("https://github.com@evil.example/a/b", "plain", "https://evil.example/a/b"),
    ],
)
def test_detect(url: str, service: Service, page: str) -> None:
    assert detect(url) == service
    assert repository_of(url).page == page
    assert detect(url, "gitreg") == "gitreg"
    assert detect(url, "none") == "plain"


@pytest.mark.parametrize(
    "url", ["/srv/reg.git", "file:///srv/reg.git", "https://h/../x", "https://h/", "a b:c"]
)
def test_no_service(url: str) -> None:
    assert detect(url) == "plain"
    with pytest.raises(InvalidInput):
        repository_of(url)


def test_push_plans() -> None:
    gitlab = push_plan("gitlab", P)
    assert gitlab.target == "refs/heads/gitreg/m-1"
    assert gitlab.options == (
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Promote m",
        "merge_request.description=a\\nb\\nc",
        "merge_request.draft",
    )
    gitea = push_plan("gitea", P)
    assert (gitea.target, gitea.lease) == ("refs/for/main", False)
    assert "topic=gitreg/m-1" in gitea.options
    assert "force-push=true" in gitea.options
    assert push_plan("gitreg", P).options[0] == "topic=gitreg/m-1"
    assert push_plan("gerrit", P).target == "refs/for/main%topic=gitreg%2Fm-1,wip"
    assert push_plan("github", P).options == ()
    with pytest.raises(InvalidInput):
        push_plan("gitlab", Proposal(branch="a b", target="main", title="", body=""))


def test_change_id() -> None:
    assert change_id("a", root="1") == change_id("a", root="1")
    assert len({change_id("a"), change_id("b"), change_id("a", root="1")}) == 3
    assert len(change_id("a")) == 41


def test_compare_urls() -> None:
    url = "git@x:o/r.git"
    assert compare_url("github", url, "main", "g/m") == "https://x/o/r/compare/main...g/m?expand=1"
    assert compare_url("gitea", url, "main", "g/m") == "https://x/o/r/compare/main...g/m"
    assert "source_branch%5D=g%2Fm&" in (compare_url("gitlab", url, "main", "g/m") or "")
    assert compare_url("plain", url, "main", "g/m") is None


GITHUB = Place(web="https://github.com", path="a/b")
EVIL = Place(web="https://github.evil.example", path="a/b")


def test_a_token_stays_with_its_host() -> None:
    for name in ("GITREG_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"):
        env = {name: "t"}
        found = token_for("github", GITHUB, env=env)
        assert found is not None
        assert found.source == name
        assert "'t'" not in repr(found)
        assert token_for("github", EVIL, env=env) is None
    own = {"GITREG_TOKEN": "t", "GITREG_TOKEN_HOST": "github.evil.example"}
    assert token_for("github", EVIL, env=own) is not None
    assert token_for("github", GITHUB, env=own) is None


def test_a_token_that_is_for_another_host_is_told_of() -> None:
    own = Place(web="https://git.example:8443", path="a/b")
    for service, name, tells in (
        ("github", "GITREG_TOKEN", "GITREG_TOKEN_HOST"),
        ("github", "GH_ENTERPRISE_TOKEN", "GH_HOST"),
        ("gitlab", "GITLAB_TOKEN", "GITLAB_HOST"),
        ("gitea", "GITEA_TOKEN", "GITEA_HOST"),
    ):
        kind = cast("Service", service)
        said = withheld(kind, own, env={name: "t"})
        assert said == f"{name} is not sent to git.example:8443: set {tells}=git.example:8443"
        for given in ("git.example:8443", "https://Git.example:8443/"):
            env = {name: "t", tells: given}
            assert withheld(kind, own, env=env) == ""
            assert token_for(kind, own, env=env) is not None
    assert withheld("github", own, env={}) == withheld("github", own, env={"GH_TOKEN": "t"}) == ""


def test_a_job_token_is_told_apart() -> None:
    place = Place(web="https://gitlab.example", path="a/b")
    env = {"CI_JOB_TOKEN": "t", "CI_SERVER_HOST": "gitlab.example", "CI_SERVER_PORT": "443"}
    found = token_for("gitlab", place, env=env)
    assert found is not None
    assert found.job
    better = token_for("gitlab", place, env={**env, "GITLAB_TOKEN": "u"})
    assert better is not None
    assert (better.value, better.job) == ("u", False)


def test_gh_and_git_credential(tmp_path: Path) -> None:
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$*" = "auth token --hostname github.com" ] && echo "from-gh$GH_TOKEN"\n')
    gh.chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    found = token_for("github", GITHUB, env=env)
    assert found is not None
    assert found.value == "from-gh"
    assert token_for("github", EVIL, env={**env, "GH_TOKEN": "other"}) is None
    asked: list[tuple[str, str]] = []

    def fill(scheme: str, host: str) -> tuple[str, str] | None:
        asked.append((scheme, host))
        return "ada", "pass"

    by_git = token_for("gitea", Place(web="https://h:3000", path="a/b"), env={}, fill=fill)
    assert by_git is not None
    assert by_git.value == "pass"
    assert asked == [("https", "h:3000")]
