"""All jobs of the workflows, one after the other, against a service that asks each for its password."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.forge.hosted import Hosted
from tests.registry.runner import Ran
from tests.registry.test_ci import ZEROS, World, build

READERS = {("x-access-token", "good"), ("gitlab-ci-token", "good"), ("gitreg", "good-to-push")}
WRITERS = READERS - {("gitlab-ci-token", "good")}


class Guarded(Hosted):
    """Git's part asks for a name and a password."""

    def backend(self) -> None:
        """Answer whom it may concern."""
        given = self.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, password = base64.b64decode(given).decode().partition(":")
        allowed = WRITERS if "git-receive-pack" in self.path else READERS
        if (name, password) in allowed:
            super().backend()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="git"')
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def service(world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """Serve the world's repository as ``org/reg``."""
    world.git("config", "http.receivepack", "true", at=world.remote)
    store: dict[str, Any] = {"pulls": [], "comments": [], "seen": []}
    handler = type("Own", (Guarded,), {"store": store, "root": world.remote.parent.parent})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", store
        httpd.shutdown()


@pytest.mark.parametrize("name", ["github", "gitea"])
def test_jobs_of_github_and_gitea(name: str, tmp_path: Path) -> None:
    world, at = build(tmp_path, name), tmp_path / "workspace"
    head = world.propose("Staging")
    with service(world) as (base, store):
        place = {"github_server_url": base, "github_repository": "org/reg.git"}
        known = {"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": base, "GITHUB_REF": "refs/pull/1/merge"}
        known |= {"GITEA_ACTIONS": "true"} if name == "gitea" else {}

        def run(job: str, **context: str) -> Ran:
            ran = world.job(job, at, env=known, **place, **context)
            assert ran.code == 0, (job, ran)
            return ran

        pull = {
            "github_event_name": "pull_request",
            "github_event_pull_request_number": "1",
            "github_event_pull_request_head_sha": head,
        }
        run("verify", **pull)
        run("comment", **pull)
        assert [each["body"].partition("\n")[0] for each in store["comments"]] == ["<!-- gitreg-review -->"]
        before, after = world.merge()
        world.git("push", "-q", "origin", "main")
        run("verify", github_event_before=before, github_sha=after)
        assert run("reconcile").outputs == {"refs": "churn/Staging/1"}
        assert world.git("cat-file", "-t", "churn/Staging/1", at=world.remote) == "tag"
        ran = run("deploy", needs_reconcile_outputs_refs="churn/Staging/1 churn/Production/1")
        assert ran.said.count("deploy ") == 1 and "deploy churn/1 from s3://models/churn/1" in ran.said
        refused = world.job("verify", at, env=known, **place, github_token="stolen", **pull)
        assert refused.code and "Authentication failed" in refused.said


def test_jobs_of_gitlab(tmp_path: Path) -> None:
    world, at = build(tmp_path, "gitlab"), tmp_path / "workspace"
    head = world.propose("Staging")
    with service(world) as (base, store):
        store["pulls"] = [{"number": 1, "web_url": f"{base}/1", "state": "opened"}]
        host, port = base.removeprefix("http://").split(":")
        known = {
            "GITLAB_CI": "true",
            "CI_PROJECT_URL": f"{base}/org/reg",
            "CI_SERVER_URL": base,
            "CI_SERVER_HOST": host,
            "CI_SERVER_PORT": port,
            "CI_SERVER_PROTOCOL": "http",
        }

        def run(job: str, **env: str) -> str:
            ran = world.pipeline(f"gitreg:{job}", at, **{**known, **env})
            assert ran.code == 0, (job, ran)
            return ran.said

        pull = {"CI_COMMIT_SHA": head, "CI_MERGE_REQUEST_IID": "1", "CI_COMMIT_BEFORE_SHA": ZEROS}
        run("verify", **pull)
        run("comment", **pull, GITLAB_TOKEN="good")
        assert [each["body"].partition("\n")[0] for each in store["comments"]] == ["<!-- gitreg-review -->"]
        before, after = world.merge()
        world.git("push", "-q", "origin", "main")
        run("verify", CI_COMMIT_SHA=after, CI_COMMIT_BEFORE_SHA=before)
        assert "pushed 1 tag to origin" in run("reconcile", GITREG_PUSH_TOKEN="good-to-push")
        assert world.git("cat-file", "-t", "churn/Staging/1", at=world.remote) == "tag"
        assert "deploy churn/1 from s3://models/churn/1" in run("deploy", CI_COMMIT_TAG="churn/Production/1")
        refused = world.pipeline("gitreg:verify", at, **{**known, **pull, "CI_JOB_TOKEN": "stolen"})
        assert refused.code and "Authentication failed" in refused.said
