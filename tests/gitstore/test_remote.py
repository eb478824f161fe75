"""Fetch and push against real servers on loopback, with hostile configuration and lost connections."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from gitreg.errors import (
    EnvironmentFailure,
    InvalidInput,
    MovedRef,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
)
from gitreg.gitstore.remote import ANY, PushRef, default_remote, fetch, ls_remote, push, url_of
from gitreg.gitstore.remote_credential import credential
from gitreg.gitstore.remote_urls import check_address, without_password
from gitreg.gitstore.repository import Repository
from tests.gitstore.conftest import MAIN, git

TOPIC = "refs/heads/topic"


@pytest.fixture
def server(plain: Repository, tmp_path: Path) -> Path:
    """A bare repository that has the plain one's main, as its origin."""
    path = tmp_path / "server.git"
    git("clone", "-q", "--bare", str(plain.root), str(path), at=tmp_path)
    git("config", "receive.advertisePushOptions", "true", at=path)
    git("config", "http.receivepack", "true", at=path)
    git("remote", "add", "origin", path.as_uri(), at=plain.root)
    return path


def commit(repository: Repository) -> str:
    git("commit", "-q", "--allow-empty", "-m", "more", at=repository.root)
    return git("rev-parse", "HEAD", at=repository.root)


def hook(server: Path, name: str, text: str) -> None:
    path = server / "hooks" / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def new(oid: str | None, target: str = TOPIC) -> PushRef:
    return PushRef(source=oid, target=target, expected=None)


class Backend(BaseHTTPRequestHandler):
    """git http-backend; where ``drop`` is set, the answer to a pack is lost on its way."""

    root = ""
    drop = False
    only_user = ""

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        if self.only_user and self.headers.get("Authorization") != self.only_user:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="registry"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": self.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_USER": "ada",
        }
        if version := self.headers.get("Git-Protocol"):
            env["GIT_PROTOCOL"] = version
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True)
        if self.drop and path.endswith("/git-receive-pack"):
            self.close_connection = True
            return
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for key, value in fields.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)


@pytest.fixture
def http(server: Path, plain: Repository) -> Iterator[type[Backend]]:
    """The same server by HTTP; origin points to it."""
    handler = type("Own", (Backend,), {"root": str(server.parent)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        url = f"http://ada:sesame@127.0.0.1:{httpd.server_port}/server.git"
        git("remote", "set-url", "origin", url, at=plain.root)
        yield handler
        httpd.shutdown()


def test_push_and_fetch(server: Path, plain: Repository) -> None:
    start, oid = git("rev-parse", "HEAD", at=plain.root), commit(plain)
    answer = push(
        plain, "origin", [PushRef(source=oid, target=MAIN, expected=start), new(oid)], options=["topic=a b"]
    )
    assert {name: ref.status for name, ref in answer.refs.items()} == {MAIN: "ok", TOPIC: "ok"}
    assert ls_remote(plain, "origin") == {MAIN: oid, TOPIC: oid}
    fetch(plain, "origin", ["+refs/heads/*:refs/remotes/origin/*"])
    assert plain.refs.read("refs/remotes/origin/topic") == oid
    push(plain, "origin", [PushRef(source=None, target=TOPIC, expected=oid)])
    fetch(plain, "origin", ["+refs/heads/*:refs/remotes/origin/*"], prune=True)
    assert git("for-each-ref", "--format=%(refname)", "refs/remotes", at=plain.root) == (
        "refs/remotes/origin/main"
    )


def test_a_lost_lease_is_a_conflict_and_atomic(server: Path, plain: Repository) -> None:
    start, oid = git("rev-parse", "HEAD", at=plain.root), commit(plain)
    stale = PushRef(source=oid, target=MAIN, expected=oid)
    with pytest.raises(MovedRef, match="moved on the server") as caught:
        push(plain, "origin", [new(oid), stale])
    assert caught.value.where == MAIN
    assert ls_remote(plain, "origin") == {MAIN: start}
    with pytest.raises(MovedRef):
        push(plain, "origin", [new(oid, MAIN)])
    answer = push(plain, "origin", [new(oid), stale], atomic=False)
    assert [answer.refs[name].status for name in (TOPIC, MAIN)] == ["ok", "rejected"]


def test_without_a_lease_only_fast_forwards(server: Path, plain: Repository) -> None:
    start, oid = git("rev-parse", "HEAD", at=plain.root), commit(plain)
    push(plain, "origin", [PushRef(source=oid, target=MAIN, expected=ANY)])
    with pytest.raises(MovedRef):
        push(plain, "origin", [PushRef(source=start, target=MAIN, expected=ANY)])


def test_the_hook_sees_options_and_its_words_come_back(server: Path, plain: Repository) -> None:
    hook(
        server, "pre-receive", 'echo "$GIT_PUSH_OPTION_0" "$GIT_PUSH_OPTION_COUNT"; printf "\\033[2J"; exit 1'
    )
    git("config", "push.pushOption", "smuggled=1", at=plain.root)
    oid = commit(plain)
    with pytest.raises(NotAllowed) as caught:
        push(plain, "origin", [new(oid)], options=["title=Let it in"])
    assert "title=Let it in 1" in caught.value.message
    assert "\033" not in caught.value.message
    with pytest.raises(NotAllowed):
        push(plain, "origin", [new(oid)])
    with pytest.raises(InvalidInput, match="one line"):
        push(plain, "origin", [new(oid)], options=["a\nb"])


def test_words_of_an_accepted_push_and_progress(server: Path, plain: Repository) -> None:
    hook(server, "pre-receive", "echo welcome")
    seen: list[str] = []
    answer = push(plain, "origin", [new(commit(plain))], progress=seen.append)
    assert answer.words == ("welcome",)
    assert any("welcome" in line for line in seen)


def test_http(http: type[Backend], plain: Repository, server: Path) -> None:
    oid = commit(plain)
    push(plain, "origin", [new(oid)])
    assert ls_remote(plain, "origin", [TOPIC]) == {TOPIC: oid}
    fetch(plain, "origin", [f"{TOPIC}:refs/remotes/origin/topic"])
    assert plain.refs.read("refs/remotes/origin/topic") == oid


def test_a_lost_answer_is_looked_up(http: type[Backend], plain: Repository, server: Path) -> None:
    http.drop = True
    oid = commit(plain)
    assert push(plain, "origin", [new(oid)]).refs[TOPIC].status == "ok"
    hook(server, "pre-receive", "exit 1")
    with pytest.raises(EnvironmentFailure, match="was not done"):
        push(plain, "origin", [new(oid, "refs/heads/other")])
    with pytest.raises(OutcomeUnknown):
        push(plain, "origin", [PushRef(source=oid, target="refs/for/main", expected=ANY)])


def test_a_refused_login_names_no_password(http: type[Backend], plain: Repository) -> None:
    http.only_user = "Basic nobody"
    with pytest.raises(EnvironmentFailure, match="let you in") as caught:
        push(plain, "origin", [new(commit(plain))])
    assert "sesame" not in str(caught.value) + caught.value.hint


def test_nobody_listens(server: Path, plain: Repository) -> None:
    git("remote", "set-url", "origin", "http://u:sesame@127.0.0.1:1/x.git", at=plain.root)
    with pytest.raises(EnvironmentFailure, match="did not reach") as caught:
        push(plain, "origin", [new(commit(plain))])
    assert "sesame" not in str(caught.value)


def test_a_server_that_hangs(server: Path, plain: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as silent:  # listens, and nobody accepts
        url = f"http://127.0.0.1:{silent.server_port}/x.git"
        git("remote", "set-url", "origin", url, at=plain.root)
        monkeypatch.setenv("GITREG_GIT_TIMEOUT", "0.5")
        with pytest.raises(EnvironmentFailure, match="no answer within"):
            ls_remote(plain, "origin")


TRAPS = {
    "core.sshCommand": "ssh://127.0.0.1:1/x.git",
    "core.gitProxy": "git://127.0.0.1:1/x.git",
    "core.askPass": "http",
    "credential.helper": "http",
    "credential.http://127.0.0.1:PORT.helper": "http",
    "remote.origin.uploadpack": "file",
    "remote.origin.receivepack": "file",
    "core.hooksPath": "file",
}


@pytest.mark.parametrize("key", TRAPS)
def test_no_program_of_the_repository_runs(
    key: str, http: type[Backend], server: Path, plain: Repository, tmp_path: Path
) -> None:
    trap, sprung = tmp_path / "trap", tmp_path / "sprung"
    trap.mkdir()
    script = trap / "pre-push"
    script.write_text(f"#!/bin/sh\ntouch {sprung}\nexit 1\n")
    script.chmod(0o755)
    url = TRAPS[key]
    if url == "http":
        http.only_user = "Basic nobody"
        url = url_of(plain, "origin").replace("ada:sesame@", "")
    git("remote", "set-url", "origin", server.as_uri() if url == "file" else url, at=plain.root)
    value = trap if key == "core.hooksPath" else f"!{script}" if key.endswith("helper") else script
    git("config", key.replace("PORT", url.split(":")[-1].split("/")[0]), str(value), at=plain.root)
    oid = commit(plain)
    verb = "fetch" if key.endswith("uploadpack") else "push"
    by_git = subprocess.run(
        ["git", verb, "-q", "origin", f"{oid}:refs/heads/trial" if verb == "push" else MAIN],
        cwd=plain.root,
        capture_output=True,
        check=False,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0"},
    )
    assert by_git.returncode and sprung.exists(), "the trap would not have worked at all"
    sprung.unlink()
    for act in (lambda: ls_remote(plain, "origin"), lambda: push(plain, "origin", [new(oid)])):
        try:
            act()
        except EnvironmentFailure:
            assert TRAPS[key] != "file"
    assert not sprung.exists()


def test_the_users_own_helper_stays(
    http: type[Backend], plain: Repository, own_home: Path, tmp_path: Path
) -> None:
    http.only_user = "Basic YWRhOnNlc2FtZQ=="  # ada:sesame
    git("remote", "set-url", "origin", url_of(plain, "origin").replace("ada:sesame@", ""), at=plain.root)
    git("config", "credential.helper", "!false", at=plain.root)
    helper = "!f() { echo username=ada; echo password=sesame; }; f"
    git("config", "--global", "credential.helper", helper, at=plain.root)
    assert MAIN in ls_remote(plain, "origin")


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c 'touch OUCH'",
        "ssh://-oProxyCommand=touch%20OUCH/x",
        "-oProxyCommand=touch OUCH:x",
        "me@-oProxyCommand=x:y",
        "fd::17",
        "gopher://example.com/x",
        "",
    ],
)
def test_addresses_that_run_programs(url: str, server: Path, plain: Repository) -> None:
    with pytest.raises(InvalidInput):
        check_address(url)
    if url:
        git("config", "remote.origin.url", url, at=plain.root)
        with pytest.raises(InvalidInput):
            fetch(plain, "origin", ["refs/heads/main"])
        git("config", f"url.{url}.insteadOf", "https://safe.example/", at=plain.root)
        git("config", "remote.origin.url", "https://safe.example/", at=plain.root)
        with pytest.raises(InvalidInput):
            push(plain, "origin", [new(commit(plain))])
    assert not list(plain.root.glob("OUCH*"))


def test_good_addresses() -> None:
    for url in ("git@example.com:a/b.git", "ssh://git@example.com:2222/a", "../server.git", "https://h/x"):
        check_address(url)


def test_a_server_within_the_clone(server: Path, plain: Repository) -> None:
    git("remote", "set-url", "origin", "./inner.git", at=plain.root)
    with pytest.raises(InvalidInput, match="inside"):
        push(plain, "origin", [new(commit(plain))])


def test_which_remote(plain: Repository) -> None:
    with pytest.raises(NotFound, match="no remote"):
        default_remote(plain)
    with pytest.raises(NotFound):
        url_of(plain, "origin")
    git("remote", "add", "upstream", "https://example.com/a.git", at=plain.root)
    assert default_remote(plain) == "upstream"
    git("remote", "set-url", "--push", "upstream", "https://example.com/b.git", at=plain.root)
    assert url_of(plain, "upstream", push=True).endswith("b.git")
    assert url_of(plain, "upstream").endswith("a.git")
    git("remote", "add", "other", "https://example.com/c.git", at=plain.root)
    git("config", "remote.pushDefault", "other", at=plain.root)
    assert default_remote(Repository.discover(plain.root)) == "other"


def test_passwords_are_taken_out() -> None:
    assert without_password("fatal: 'https://u:p@h/x' and https://tok@h/y") == (
        "fatal: 'https://h/x' and https://h/y"
    )
    assert without_password("ssh://git:p@h/x") == "ssh://git@h/x"


def test_a_credential_of_the_users_helper_alone(plain: Repository) -> None:
    git("config", "credential.helper", "!f() { echo password=theirs; }; f", at=plain.root)
    assert credential(plain, scheme="https", host="example.com") is None
    helper = "!f() { echo username=ada; echo password=sesame; }; f"
    git("config", "--global", "credential.https://example.com.helper", helper, at=plain.root)
    assert credential(plain, scheme="https", host="example.com") == ("ada", "sesame")
    assert credential(plain, scheme="https", host="other.com") is None
    assert credential(plain, scheme="https", host="a\nhost=example.com") is None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "ssh: Could not resolve hostname x: Name or service not known\r",
            "hostname x: Name",
        ),
        (
            "git@x: Permission denied (publickey).",
            "not let you in: git@x: Permission denied",
        ),
        ("ERROR: Repository not found.", "ERROR: Repository not found."),
    ],
)
def test_what_ssh_said_is_told(
    said: str,
    told: str,
    plain: Repository,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ssh = tmp_path / "ssh"
    ssh.write_text(f"#!/bin/sh\nprintf '%s\\n' '{said}' >&2\nexit 255\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("GIT_SSH_COMMAND", str(ssh))
    git("remote", "add", "far", "git@x:org/reg.git", at=plain.root)
    with pytest.raises(EnvironmentFailure) as caught:
        ls_remote(plain, "far")
    assert told in str(caught.value)
    assert "?" not in str(caught.value) and "Could not read from" not in str(caught.value)


def test_a_server_without_push_options(server: Path, plain: Repository) -> None:
    git("config", "receive.advertisePushOptions", "false", at=server)
    with pytest.raises(EnvironmentFailure, match="takes no push options: nothing was pushed") as caught:
        push(plain, "origin", [new(commit(plain), "refs/for/main")], options=["topic=x"])
    assert "receive.advertisePushOptions" in caught.value.hint
