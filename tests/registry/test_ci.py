"""The workflows that ``gitreg init --ci`` writes: what linters say of them, and what their scripts do."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gitreg.cli import app
from gitreg.domain.settings import Settings, Stage, TagSettings
from gitreg.errors import AlreadyExists, InvalidInput
from gitreg.registry.ci import Pipeline, Service, workflow
from tests.forge.server import serve
from tests.registry.runner import BIN, Ran, condition, filled, load, run_gitlab, run_job

ROOT = Path(__file__).resolve().parents[2]
PATHS = {
    "github": ".github/workflows/gitreg.yml",
    "gitea": ".gitea/workflows/gitreg.yml",
    "gitlab": ".gitlab-ci.yml",
}
ACTIONS = ["github", "gitea"]
ZEROS = "0" * 40
KEY = "AAAAC3NzaC1lZDI1NTE5AAAAIMPN+SsRvgckm4VfN50qgHZiAUJ9PCHqTudxzgOabbkM"
GITHUB, GITLAB = Pipeline(service="github"), Pipeline(service="gitlab")
ODD = [
    (Settings(), ""),
    (Settings(branch="release/1.x+y@2"), "ml/my registry/"),
    (
        Settings(
            stages=(Stage(name="Dev"), Stage(name="Live-2"), Stage(name="Archived")),
            tags=TagSettings(prefix="m.l/"),
        ),
        "modèles/",
    ),
]


def text_of(service: Service, settings: Settings = ODD[0][0], prefix: str = "", package: str = "") -> str:
    asked = Pipeline(service=service, package=package)
    return workflow(asked, settings, prefix, lambda path: None)[1].decode()


@pytest.mark.parametrize(("settings", "prefix"), ODD)
@pytest.mark.parametrize("service", ACTIONS)
def test_zizmor_finds_nothing(service: Service, settings: Settings, prefix: str, tmp_path: Path) -> None:
    path = tmp_path / PATHS[service]
    path.parent.mkdir(parents=True)
    path.write_text(text_of(service, settings, prefix))
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "No findings to report" in done.stdout + done.stderr, done
    # It would have seen what must not be.
    path.write_text(
        path.read_text().replace('gitreg review --post "origin/$BRANCH"', "echo ${{ github.head_ref }}")
    )
    done = subprocess.run(
        [BIN / "zizmor", "--offline", "--no-progress", path], capture_output=True, text=True, check=False
    )
    assert "template-injection" in done.stdout


@pytest.mark.parametrize(("settings", "prefix"), ODD)
@pytest.mark.parametrize("service", PATHS)
def test_the_schema_of_the_service_takes_it(
    service: Service, settings: Settings, prefix: str, tmp_path: Path
) -> None:
    path = tmp_path / "w.yml"
    path.write_text(text_of(service, settings, prefix))
    kind = (
        ["vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
        if service == "gitlab"
        else ["vendor.github-workflows"]
    )
    argv = [BIN / "check-jsonschema", "--builtin-schema", *kind, path]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert not re.search(r"@[A-Z_]+@", path.read_text())
    found = load(path)
    variables = found[".gitreg"]["variables"] if service == "gitlab" else found["env"]
    assert variables["BRANCH"] == settings.branch
    assert variables["GITREG_REGISTRY"] == f"registry/{prefix}".rstrip("/")


@pytest.mark.parametrize("service", PATHS)
def test_every_script_is_bash(service: Service) -> None:
    for script in re.findall(r"(?m)^( +)(?:run: \||- \|)\n((?:\1 +.*\n|\n)+)", text_of(service)):
        done = subprocess.run(["bash", "-n"], input=script[1], text=True, capture_output=True, check=False)
        assert done.returncode == 0 and not done.stderr, (script[1], done.stderr)


def test_what_a_workflow_cannot_name() -> None:
    for service in PATHS:
        with pytest.raises(InvalidInput):
            text_of(service, Settings(branch='a"b'))  # type: ignore[arg-type]
        with pytest.raises(InvalidInput):
            text_of(service, Settings(), "a${{ x }}/")  # type: ignore[arg-type]


PACKAGE = "gitreg-models[mlflow] @ git+https://git.example.com/ml/gitreg.git@0123abc"


@pytest.mark.parametrize("service", PATHS)
def test_the_package_is_written_where_no_variable_need_say_it(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "w.yml"
    path.write_text(text_of(service, package=PACKAGE))
    found = load(path)
    if service == "gitlab":
        assert found[".gitreg"]["variables"]["GITREG_PACKAGE"] == PACKAGE
        return
    for variable, wanted in (("", PACKAGE), ("mine==1", "mine==1")):
        assert filled(found["env"]["GITREG_PACKAGE"], {"vars.GITREG_PACKAGE": variable}) == wanted


@pytest.mark.parametrize("package", ["-r x", "a'b", "${{ x }}", "a\nb", "$(id)", " a"])
def test_a_package_that_would_be_more_than_a_text(package: str) -> None:
    for service in PATHS:
        with pytest.raises(InvalidInput):
            text_of(service, package=package)  # type: ignore[arg-type]


def test_init_writes_the_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run(["init", str(tmp_path / "r"), "--ci", "github", "--package", PACKAGE]) == 0
    assert PACKAGE in (tmp_path / "r" / PATHS["github"]).read_text()
    assert "GITREG_PACKAGE" not in capsys.readouterr().out
    assert app.run(["init", str(tmp_path / "q"), "--package", PACKAGE]) == 2


def test_which_tags_start_a_deployment_on_gitlab() -> None:
    settings = Settings(tags=TagSettings(prefix="m.l/"))
    expression = re.search(r"=~ /(.*)/\n", text_of("gitlab", settings))
    assert expression
    found = re.compile(expression[1].replace(r"\/", "/"))
    assert found.search("m.l/a%20b/Production/12")
    for other in ("m.l/churn/v1", "mxl/churn/Production/1", "m.l/churn/Staging/1", "x/m.l/a/Production/1"):
        assert not found.search(other)


class TestFiles:
    def test_one_that_is_there_already(self) -> None:
        data = text_of("github").encode()
        assert workflow(GITHUB, Settings(), "", lambda path: data)[1] == data
        with pytest.raises(AlreadyExists) as raised:
            workflow(GITHUB, Settings(), "", lambda path: b"mine")
        assert raised.value.where == PATHS["github"]

    def test_a_pipeline_of_theirs(self) -> None:
        there = {".gitlab-ci.yml": b"mine"}
        path, data = workflow(GITLAB, Settings(), "", there.get)
        assert path == "gitreg.gitlab-ci.yml"
        there[path] = data
        assert workflow(GITLAB, Settings(), "", there.get) == (path, data)
        there[path] = b"mine, too"
        with pytest.raises(AlreadyExists):
            workflow(GITLAB, Settings(), "", there.get)


@dataclass(frozen=True)
class World:
    """A clone, and the server's bare repository; churn/1 and churn/2, and Production asks for an approval."""

    work: Path
    remote: Path
    service: str

    def git(self, *args: str, at: Path | None = None, code: int = 0) -> str:
        argv = ["git", *args]
        done = subprocess.run(argv, cwd=at or self.work, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def gitreg(self, *args: str) -> None:
        assert app.run(["--registry", str(self.work), *args]) == 0

    def propose(self, stage: str) -> str:
        """On a branch, as pull request 1: its head."""
        self.git("switch", "-q", "-c", "mine")
        self.gitreg("transition", "churn/2", stage)
        head = self.git("rev-parse", "HEAD")
        self.git("switch", "-q", "main")
        refs = ("refs/pull/1/head", "refs/merge-requests/1/head")
        self.git("push", "-q", "origin", *(f"{head}:{ref}" for ref in refs))
        return head

    def merge(self) -> tuple[str, str]:
        """The proposal on top of main, not pushed: main before and after."""
        before = self.git("rev-parse", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", "mine")
        return before, self.git("rev-parse", "main")

    @property
    def workflow(self) -> Any:
        return load(self.work / PATHS[self.service])

    def job(
        self, name: str, at: Path, *, install: bool = False, env: dict[str, str] | None = None, **context: str
    ) -> Ran:
        """Run a job of GitHub's or Gitea's; ``github_ref_type`` stands for ``github.ref_type``."""
        known = {
            "vars.GITREG_PACKAGE": str(ROOT),
            "github.token": "good",
            "github.server_url": f"file://{self.remote.parent.parent}",
            "github.repository": "org/reg.git",
            "github.event_name": "push",
            "github.ref_type": "branch",
            "github.ref": "refs/heads/main",
            "github.event.pull_request.number": "",
            "github.event.pull_request.head.sha": "",
            "github.event.merge_group.base_sha": "",
            "github.event.merge_group.head_sha": "",
            "github.event.before": "",
            "github.sha": "",
            "needs.reconcile.outputs.refs": "",
        }
        names = {key.replace(".", "_"): key for key in known}
        known |= {names[key]: text for key, text in context.items()}
        return run_job(self.workflow, name, known, at=at, install=install, **(env or {}))

    def pull_request(self, name: str, head: str, at: Path, env: dict[str, str] | None = None) -> Ran:
        return self.job(
            name, at, env=env, github_event_name="pull_request", github_event_pull_request_number="1",
            github_event_pull_request_head_sha=head,
        )  # fmt: skip

    def pipeline(self, name: str, at: Path, *, install: bool = False, **env: str) -> Ran:
        """Run a job of GitLab's."""
        known = {
            "CI_PROJECT_URL": f"file://{self.remote}".removesuffix(".git"),
            "CI_JOB_TOKEN": "good",
            "CI_SERVER_URL": "https://git.example.com",
            "GITREG_PACKAGE": str(ROOT),
        }
        return run_gitlab(self.workflow, name, known | env, at=at, install=install)


def build(tmp_path: Path, service: str) -> World:
    world = World(tmp_path / "work", tmp_path / "org" / "reg.git", service)
    assert app.run(["init", str(world.work), "--ci", service]) == 0
    world.gitreg("register", "churn", "s3://models/churn/1")
    world.gitreg("register", "churn", "s3://models/churn/2")
    world.gitreg("transition", "churn/1", "Production")
    path = world.work / "gitreg.yaml"
    before, _, after = path.read_text().partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    rules = (
        "stages:\n  - name: Staging\n  - name: Production\n    exclusive: true\n"
        "    approvals: {approvers: [grace@example.com]}\n"
    )
    path.write_text(before + rules + "".join(rest))
    (world.work / "keys").mkdir()
    (world.work / "keys/allowed_signers").write_text(f"grace@example.com ssh-ed25519 {KEY}\n")
    world.git("add", "-A")
    world.git("commit", "-q", "-m", "rules")
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(world.remote)], check=True)
    world.git("remote", "add", "origin", str(world.remote))
    world.git("push", "-q", "-u", "origin", "main", "--tags")
    return world


@pytest.fixture(params=ACTIONS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    return build(tmp_path, request.param)


@pytest.fixture
def gitlab(tmp_path: Path) -> World:
    return build(tmp_path, "gitlab")


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / "workspace"


class TestVerify:
    """GitHub's and Gitea's."""

    def test_a_pull_request_without_approval(self, world: World, at: Path) -> None:
        ran = world.pull_request("verify", world.propose("Production"), at)
        assert ran.code == 1 and "GR206" in ran.said
        assert ("::error " in ran.said) == (world.service == "github")
        assert not list((at / "registry").rglob("versions/3.yaml"))

    def test_one_that_needs_none(self, world: World, at: Path) -> None:
        head = world.propose("Staging")
        ran = world.pull_request("verify", head, at)
        assert ran.code == 0, ran
        held = (at / "registry/models/churn/versions/2.yaml").read_text()
        assert "Staging" not in held  # it was judged, and never checked out

    def test_it_lowers_its_own_bar(self, world: World, at: Path) -> None:
        world.git("switch", "-q", "-c", "low")
        path = world.work / "gitreg.yaml"
        path.write_text(path.read_text().replace("    approvals: {approvers: [grace@example.com]}\n", ""))
        world.git("commit", "-q", "-a", "-m", "no rules")
        head = world.propose("Production")
        ran = world.pull_request("verify", head, at)
        assert ran.code == 1 and "GR206" in ran.said

    @pytest.mark.parametrize(("stage", "code"), [("Staging", 0), ("Production", 1)])
    def test_the_merge_queue(self, tmp_path: Path, at: Path, stage: str, code: int) -> None:
        world = build(tmp_path, "github")
        world.propose(stage)
        base, head = world.merge()
        world.git("push", "-q", "origin", f"{head}:refs/heads/gh-readonly-queue/main/pr-1-{base}")
        ran = world.job(
            "verify", at, github_event_name="merge_group", github_event_merge_group_base_sha=base,
            github_event_merge_group_head_sha=head,
        )  # fmt: skip
        assert ran.code == code, ran

    @pytest.mark.parametrize(("stage", "code"), [("Staging", 0), ("Production", 1)])
    def test_a_push(self, world: World, at: Path, stage: str, code: int) -> None:
        world.propose(stage)
        before, after = world.merge()
        world.git("push", "-q", "origin", "main")
        assert world.job("verify", at, github_event_before=before, github_sha=after).code == code

    def test_a_rewritten_branch(self, world: World, at: Path) -> None:
        world.propose("Staging")
        before, after = world.merge()
        world.git("push", "-q", "origin", "main")
        world.git("push", "-q", "-f", "origin", "main~1:main", f"{after}:refs/heads/kept")
        ran = world.job("verify", at, github_event_before=after, github_sha=before)
        assert ran.code == 6 and "GR301" in ran.said

    def test_a_new_branch(self, world: World, at: Path) -> None:
        head = world.git("rev-parse", "main")
        ran = world.job("verify", at, github_event_before=ZEROS, github_sha=head)
        assert ran.code == 0 and "verified" in ran.said

    def test_the_pull_request_that_brings_the_registry(self, world: World, at: Path, tmp_path: Path) -> None:
        empty = tmp_path / "empty"
        subprocess.run(["git", "init", "-q", str(empty)], check=True)
        world.git("commit", "-q", "--allow-empty", "-m", "code", at=empty)
        subprocess.run(["rm", "-r", str(world.remote)], check=True)
        subprocess.run(["git", "clone", "-q", "--bare", str(empty), str(world.remote)], check=True)
        world.git("push", "-q", "origin", "main:refs/pull/1/head")
        assert world.pull_request("verify", world.git("rev-parse", "main"), at).code == 0

    def test_for_which_events(self, world: World) -> None:
        jobs = world.workflow["jobs"]
        tag = {"github.ref_type": "tag", "github.event_name": "push", "needs.reconcile.outputs.refs": ""}
        push = {**tag, "github.ref_type": "branch"}
        own = {"github.event.pull_request.head.repo.full_name": "org/reg", "github.repository": "org/reg"}
        pull = {**push, "github.event_name": "pull_request", **own}
        fork = {**pull, "github.event.pull_request.head.repo.full_name": "eve/reg"}
        run = {
            name: [condition(job, event) for event in (pull, {**fork}, {**push, **own}, {**tag, **own})]
            for name, job in jobs.items()
        }
        assert run == {
            "verify": [True, True, True, False],
            "comment": [True, False, False, False],
            "reconcile": [False, False, True, False],
            "deploy": [False, False, False, True],
        }
        assert condition(jobs["deploy"], {**push, "needs.reconcile.outputs.refs": "churn/v3"})


def test_the_comment(world: World, at: Path, own_home: Path) -> None:
    head = world.propose("Production")
    with serve() as (base, store):
        # What is fetched from the folder would be pushed to the service.
        place = f"file://{world.remote.parent.parent}/"
        world.git("config", "--global", f"url.{base}/.pushInsteadOf", place)
        env = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": base, "GITHUB_REF": "refs/pull/1/merge"}
        env |= {"GITEA_ACTIONS": "true"} if world.service == "gitea" else {}
        store["comments"] = []
        for _ in range(2):
            ran = world.pull_request("comment", head, at, env)
            assert ran.code == 0, ran
        (made,) = store["comments"]
        assert made["body"].startswith("<!-- gitreg-review -->\n") and "churn/2" in made["body"]


class TestReconcile:
    def test_tags_are_made_and_handed_on(self, world: World, at: Path) -> None:
        world.propose("Staging")
        world.merge()
        world.git("push", "-q", "origin", "main")
        ran = world.job("reconcile", at)
        assert ran.code == 0, ran
        assert ran.outputs == {"refs": "churn/Staging/1"}
        assert world.git("cat-file", "-t", "churn/Staging/1", at=world.remote) == "tag"
        assert world.job("reconcile", at).outputs == {"refs": ""}

    def test_drift_is_red_and_what_is_right_goes_on(self, world: World, at: Path) -> None:
        world.propose("Staging")
        world.merge()
        world.git("push", "-q", "origin", "main")
        world.git("tag", "-f", "-a", "-m", "x", "churn/v1", "main", at=world.remote)
        ran = world.job("reconcile", at)
        assert ran.code == 6 and "GR303" in ran.said
        assert ran.outputs == {"refs": "churn/Staging/1"}

    def test_the_password_is_the_jobs_token(self, world: World, at: Path) -> None:
        step = next(each for each in world.workflow["jobs"]["reconcile"]["steps"] if each.get("id") == "tags")
        assert step["env"]["TOKEN"] == "${{ github.token }}"
        world.job("reconcile", at, env={"SERVER": "https://git.example.com"})
        asked = "protocol=https\nhost=git.example.com\n\n"
        env = {**os.environ, "HOME": f"{at}.temp", "TOKEN": "secret", "GIT_TERMINAL_PROMPT": "0"}
        env.pop("GIT_CONFIG_GLOBAL")
        done = subprocess.run(
            ["git", "credential", "fill"], input=asked, env=env, capture_output=True, text=True, check=True
        )
        assert "password=secret" in done.stdout
        other = asked.replace("git.example.com", "evil.example.com")
        done = subprocess.run(
            ["git", "credential", "fill"], input=other, env=env, capture_output=True, text=True, check=False
        )
        assert "secret" not in done.stdout


class TestDeploy:
    def test_what_the_job_before_made(self, world: World, at: Path) -> None:
        ran = world.job("deploy", at, needs_reconcile_outputs_refs="churn/v1 churn/Production/1")
        assert ran.code == 0 and "deploy churn/1 from s3://models/churn/1\n" in ran.said
        assert ran.said.count("deploy ") == 1

    def test_a_tag_that_was_pushed(self, world: World, at: Path) -> None:
        ran = world.job("deploy", at, github_ref_type="tag", github_ref="refs/tags/churn/Production/1")
        assert ran.code == 0 and "deploy churn/1 from s3://models/churn/1\n" in ran.said

    def test_a_tag_that_the_history_does_not_make(self, world: World, at: Path) -> None:
        world.git("tag", "-a", "-m", "x", "churn/Production/2")
        world.git("push", "-q", "origin", "churn/Production/2")
        ran = world.job("deploy", at, github_ref_type="tag", github_ref="refs/tags/churn/Production/2")
        assert ran.code == 6 and "GR305" in ran.said and "deploy " not in ran.said

    def test_tags_in_the_form_of_gto(self, tmp_path: Path, at: Path) -> None:
        work = tmp_path / "work"
        assert app.run(["init", str(work), "--ci", "github", "--tags-style", "gto"]) == 0
        world = World(work, tmp_path / "org" / "reg.git", "github")
        world.gitreg("register", "churn", "s3://models/churn/1")
        world.gitreg("transition", "churn/1", "Production")
        subprocess.run(["git", "clone", "-q", "--bare", str(work), str(world.remote)], check=True)
        for ref in ("churn#Production#1", "refs/tags/churn#Production#1"):
            ran = world.job("deploy", at, needs_reconcile_outputs_refs=f"churn@v1.0.0 {ref}")
            assert ran.code == 0 and ran.said.count("deploy churn/1 from s3://models/churn/1\n") == 1, ran


MERGE = {"CI_MERGE_REQUEST_IID": "1", "CI_COMMIT_BEFORE_SHA": ZEROS}


class TestGitLab:
    @pytest.mark.parametrize(("stage", "code"), [("Staging", 0), ("Production", 1)])
    def test_a_merge_request(self, gitlab: World, at: Path, stage: str, code: int) -> None:
        head = gitlab.propose(stage)
        ran = gitlab.pipeline("gitreg:verify", at, CI_COMMIT_SHA=head, **MERGE)
        assert ran.code == code, ran
        assert ("GR206" in ran.said) == (code == 1)

    @pytest.mark.parametrize(("stage", "code"), [("Staging", 0), ("Production", 1)])
    @pytest.mark.parametrize("event", ["merged_result", "merge_train"])
    def test_what_would_be_merged(self, gitlab: World, at: Path, stage: str, code: int, event: str) -> None:
        head = gitlab.propose(stage)
        _, merged = gitlab.merge()
        gitlab.git("push", "-q", "origin", f"{merged}:refs/merge-requests/1/train")
        ran = gitlab.pipeline(
            "gitreg:verify", at, CI_COMMIT_SHA=merged, CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=head,
            CI_MERGE_REQUEST_EVENT_TYPE=event, **MERGE,
        )  # fmt: skip
        assert ran.code == code, ran

    @pytest.mark.parametrize(("stage", "code"), [("Staging", 0), ("Production", 1)])
    def test_a_push(self, gitlab: World, at: Path, stage: str, code: int) -> None:
        gitlab.propose(stage)
        before, after = gitlab.merge()
        gitlab.git("push", "-q", "origin", "main")
        ran = gitlab.pipeline("gitreg:verify", at, CI_COMMIT_SHA=after, CI_COMMIT_BEFORE_SHA=before)
        assert ran.code == code, ran

    def test_a_new_branch(self, gitlab: World, at: Path) -> None:
        head = gitlab.git("rev-parse", "main")
        assert gitlab.pipeline("gitreg:verify", at, CI_COMMIT_SHA=head, CI_COMMIT_BEFORE_SHA=ZEROS).code == 0

    def test_the_comment(self, gitlab: World, at: Path) -> None:
        head = gitlab.propose("Production")
        with serve() as (base, store):
            gitlab.git(
                "config", "--global", f"url.{base}/.pushInsteadOf", f"file://{gitlab.remote.parent.parent}/"
            )
            store["pulls"] = [{"number": 1, "web_url": f"{base}/1", "state": "opened"}]
            host, port = base.removeprefix("http://").split(":")
            env = {
                "GITLAB_CI": "true",
                "GITLAB_TOKEN": "good",
                "CI_SERVER_HOST": host,
                "CI_SERVER_PORT": port,
            }
            for _ in range(2):
                ran = gitlab.pipeline("gitreg:comment", at, CI_COMMIT_SHA=head, **env, **MERGE)
                assert ran.code == 0, ran
            (made,) = store["comments"]
            assert "churn/2" in made["body"]

    def test_reconcile(self, gitlab: World, at: Path) -> None:
        gitlab.propose("Staging")
        gitlab.merge()
        gitlab.git("push", "-q", "origin", "main")
        ran = gitlab.pipeline("gitreg:reconcile", at, GITREG_PUSH_TOKEN="secret")
        assert ran.code == 0 and "pushed 1 tag to origin" in ran.said, ran
        assert gitlab.git("cat-file", "-t", "churn/Staging/1", at=gitlab.remote) == "tag"

    def test_deploy(self, gitlab: World, at: Path) -> None:
        ran = gitlab.pipeline("gitreg:deploy", at, CI_COMMIT_TAG="churn/Production/1")
        assert ran.code == 0 and "deploy churn/1 from s3://models/churn/1\n" in ran.said
        assert gitlab.pipeline("gitreg:deploy", at, CI_COMMIT_TAG="churn/Production/9").code == 3


def test_without_the_variable(gitlab: World, tmp_path: Path, at: Path) -> None:
    ran = gitlab.pipeline("gitreg:verify", at, install=True, GITREG_PACKAGE="")
    assert ran.code != 0 and "GITREG_PACKAGE: is not set: what shall pip install?" in ran.said


@pytest.mark.packages
@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_gitreg_is_installed(service: str, tmp_path: Path, at: Path) -> None:
    world = build(tmp_path, service)
    head = world.git("rev-parse", "main")
    if service == "gitlab":
        ran = world.pipeline(
            "gitreg:verify", at, install=True, CI_COMMIT_SHA=head, CI_COMMIT_BEFORE_SHA=ZEROS
        )
    else:
        ran = world.job("verify", at, install=True, github_event_before=ZEROS, github_sha=head)
        # The package itself holds the files that it writes.
        installed = at.with_name(f"{at.name}.temp") / "gitreg/bin/gitreg"
        for each, path in PATHS.items():
            subprocess.run([installed, "init", tmp_path / each, "--ci", each], check=True)
            assert (tmp_path / each / path).read_text() == text_of(each)  # type: ignore[arg-type]
    assert ran.code == 0, ran
