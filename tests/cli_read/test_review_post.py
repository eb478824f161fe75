"""``gitreg review --post`` against services on loopback, and the annotations of a red verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli_read.conftest import Git, Run
from tests.forge.server import comment, serve

BRANCH = "gitreg/promote/churn/3/Production"
MARKER = "<!-- gitreg-review -->"
ASKED = ("review", "--post", "churn/3", "Production")
JOBS = {
    "github": {"GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/merge"},
    "gitea": {"GITHUB_ACTIONS": "true", "GITEA_ACTIONS": "true", "GITHUB_REF": "refs/pull/7/merge"},
    "gitlab": {"GITLAB_CI": "true", "CI_MERGE_REQUEST_IID": "7"},
}
API = {
    "github": "/api/v3/repos/org/reg/issues/7/comments",
    "gitea": "/api/v1/repos/org/reg/issues/7/comments",
    "gitlab": "/api/v4/projects/org%2Freg/merge_requests/7/notes",
}
Store = dict[str, Any]


@pytest.fixture(autouse=True)
def no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever service this suite itself runs on."""
    for key in (*JOBS["gitea"], "FORGEJO_ACTIONS", *JOBS["gitlab"], "GITHUB_EVENT_PATH", "GITHUB_SERVER_URL"):
        monkeypatch.delenv(key, raising=False)
    for key in ("GITHUB_HEAD_REF", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"):
        monkeypatch.delenv(key, raising=False)
    for key in ("GH_TOKEN", "GITHUB_TOKEN", "GITLAB_TOKEN", "GITEA_TOKEN", "CI_JOB_TOKEN", "CI_SERVER_HOST"):
        monkeypatch.delenv(key, raising=False)


@pytest.fixture
def proposed(filled: Path, run: Run, git: Git) -> Path:
    git("switch", "-q", "-c", BRANCH)
    run("transition", "churn/3", "Production", "--archive-existing")
    git("switch", "-q", "main")
    return filled


@pytest.fixture
def service(proposed: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A service that is the remote, with a merge request that others have commented on; and a token."""
    with serve() as (base, store):
        git("remote", "add", "origin", f"{base}/org/reg.git")
        monkeypatch.setenv("GITREG_TOKEN", "good")
        monkeypatch.setenv("GITREG_TOKEN_HOST", base.removeprefix("http://"))
        url = f"{base}/org/reg/-/merge_requests/7"
        store["pulls"] = [{"number": each, "web_url": url, "state": "open"} for each in range(1, 8)]
        store["comments"] = [comment(each, f"reader{each}", f"{MARKER} forged") for each in (1, 2, 3)]
        yield store


@pytest.mark.parametrize("kind", JOBS)
def test_one_comment_is_kept_up_to_date(
    service: Store, run: Run, git: Git, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in JOBS[kind].items():
        monkeypatch.setenv(key, value)
    said = run(*ASKED).out
    assert said.startswith("http") and said.count("\n") == 1
    (made,) = service["comments"][3:]
    assert made["body"] == as_comment(run)
    assert ("POST", API[kind]) in service["seen"]
    git("switch", "-q", BRANCH)
    run("evaluate", "churn/3", "holdout", "--metric", "auc=0.5")
    git("switch", "-q", "main")
    assert run(*ASKED).out == said
    (now,) = service["comments"][3:]
    assert now["id"] == made["id"] and "holdout" in now["body"]
    assert [each["body"] for each in service["comments"][:3]] == [f"{MARKER} forged"] * 3  # other people's


@pytest.mark.parametrize("kind", JOBS)
def test_a_job_that_has_only_the_commit_is_told_the_branch(
    service: Store, run: Run, git: Git, filled: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in JOBS[kind].items():
        monkeypatch.setenv(key, value)
    path = filled / "gitreg.yaml"
    rules = "policy:\n  approvals: {approvers: [grace@example.com]}\n"
    path.write_text(path.read_text() + rules)
    git("commit", "-q", "-a", "-m", "rules")
    git("switch", "-q", "-c", "other")
    path.write_text(path.read_text().replace("grace", "alan"))
    git("commit", "-q", "-a", "-m", "others approve")
    head = git("rev-parse", "HEAD")
    git("switch", "-q", "main")
    git("branch", "-q", "-D", "other")
    variable = "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" if kind == "gitlab" else "GITHUB_HEAD_REF"
    monkeypatch.setenv(variable, "other")
    run("review", "--post", "main", head)
    assert "- to approve it: `gitreg approve other --policy`" in service["comments"][-1]["body"]


def as_comment(run: Run) -> str:
    """What the review says, but for the command that merges: the service does that."""
    found = run("review", "churn/3", "Production", "--format", "markdown").out
    merge = "- to merge it: `gitreg merge churn/3 Production`\n"
    assert merge in found
    return found.replace(merge, "")


def test_the_number_can_be_told(service: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    run(*ASKED, "--number", 7)
    assert ("POST", API["github"]) in service["seen"]


def test_the_settings_say_what_the_service_is(service: Store, run: Run, filled: Path, git: Git) -> None:
    path = filled / "gitreg.yaml"
    path.write_text(path.read_text() + "proposals: {forge: gitea}\n")
    git("commit", "-q", "-a", "-m", "gitea")
    run(*ASKED, "--number", 7)
    assert ("POST", API["gitea"]) in service["seen"]


def test_each_registry_of_a_repository_keeps_its_own_comment(
    service: Store, run: Run, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in JOBS["github"].items():
        monkeypatch.setenv(key, value)
    url = git("remote", "get-url", "origin")
    both = tmp_path / "both"
    git("init", "-q", "-b", "main", both)
    git("remote", "add", "origin", url, at=both)
    marker = {folder: f"<!-- gitreg-review {folder} -->" for folder in ("eu", "us")}
    for folder in marker:
        (both / folder).mkdir()
        monkeypatch.chdir(both / folder)
        run("init")
        run("register", "fraud", f"s3://{folder}/1", "--tag", f"quotes={marker['us']}")
    git("switch", "-q", "-c", "change")
    for folder in marker:
        monkeypatch.chdir(both / folder)
        run("tag", "fraud/1", f"said={marker['us']}")
        run("alias", "fraud/1", f"best-{folder}")
    for folder in (*marker, *marker):
        monkeypatch.chdir(both / folder)
        run("review", "--post", "main", "change")
    for folder, each in zip(marker, service["comments"][3:], strict=True):
        assert each["body"].startswith(f"{marker[folder]}\n") and f"best-{folder}" in each["body"]
        assert f"<sub>`{folder}`: gitreg review" in each["body"]


def test_dry_run_prints_it(service: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in JOBS["github"].items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("GITREG_TOKEN")
    said = run(*ASKED, "--dry-run")
    assert service["seen"] == []
    assert said.out == as_comment(run)
    assert "/org/reg, pull request 7" in said.err


class TestErrors:
    def test_no_number(self, service: Store, run: Run) -> None:
        told = run(*ASKED, code=2).err
        assert "this job runs for no pull request" in told and "--number N" in told

    def test_no_token(self, service: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.delenv("GITREG_TOKEN")
        told = run(*ASKED, "--number", 7, code=5).err
        assert "there is no token" in told and "GH_TOKEN: ${{ github.token }}" in told
        assert service["seen"] == []

    def test_a_token_that_can_only_read(
        self, service: Store, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        host = (Path.cwd() / ".git" / "config").read_text().split("http://")[1].split("/")[0]
        monkeypatch.delenv("GITREG_TOKEN")
        monkeypatch.setenv("GITLAB_CI", "true")
        monkeypatch.setenv("CI_JOB_TOKEN", "good")
        monkeypatch.setenv("CI_SERVER_HOST", host.split(":")[0])
        monkeypatch.setenv("CI_SERVER_PORT", host.split(":")[1])
        told = run(*ASKED, "--number", 7, code=5).err
        assert "GITLAB_TOKEN" in told and "good" not in told
        assert service["seen"] == []

    def test_a_bad_token(self, service: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
        monkeypatch.setenv("GITREG_TOKEN", "secret-of-mine")
        told = run(*ASKED, "--number", 7, code=5).err
        assert "Bad credentials" in told and "secret-of-mine" not in told

    def test_a_service_without_comments(self, proposed: Path, run: Run, git: Git, tmp_path: Path) -> None:
        git("remote", "add", "origin", tmp_path / "hub.git")
        told = run(*ASKED, "--number", 7, code=7).err
        assert "has no comments" in told and "proposals.forge" in told

    def test_no_remote(self, proposed: Path, run: Run) -> None:
        assert "there is no remote origin" in run(*ASKED, "--number", 7, code=3).err

    @pytest.mark.parametrize("more", [("--json",), ("--format", "text"), ("--number", "0")])
    def test_what_makes_no_sense(self, service: Store, run: Run, more: tuple[str, ...]) -> None:
        run(*ASKED, *more, code=2)

    def test_dry_run_alone(self, proposed: Path, run: Run) -> None:
        run("review", "churn/3", "Production", "--dry-run", code=2)


def test_annotations_of_a_red_verdict(filled: Path, run: Run, git: Git) -> None:
    """GitHub's workflow commands: one a finding, with the file from the repository's root."""
    path = filled / "gitreg.yaml"
    rules = "    approvals: {approvers: [grace@example.com]}\n"
    text = path.read_text().replace("    exclusive: true\n", f"    exclusive: true\n{rules}")
    if rules not in text:
        text = text.replace(
            "- {name: Production, exclusive: true}", f"- name: Production\n    exclusive: true\n{rules}"
        )
    assert rules.strip() in text
    path.write_text(text)
    git("commit", "-q", "-a", "-m", "rules")
    git("switch", "-q", "-c", BRANCH)
    version = filled / "models/churn/versions/3.yaml"
    version.write_text(version.read_text() + 'stages: {Production: "2026-01-01T00:00:00.000Z"}\n')
    git("commit", "-q", "-a", "-m", "promote")
    git("switch", "-q", "main")
    found = json.loads(run("review", "main", BRANCH, "--json").out)["findings"]
    lines = run("review", "main", BRANCH, "--format", "github").out.splitlines()
    assert len(lines) == len(found) > 1
    (asked,) = (line for line in lines if "GR206" in line)
    assert asked.startswith("::error file=models/churn/versions/3.yaml,")
    assert "title=gitreg GR206::" in asked and "%0Ahelp: " in asked
