"""The servers of these tests are real: rights, passwords, hooks of others, and nothing left behind."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.servers import gitolite, web
from tests.servers.host import Server
from tests.servers.people import Person
from tests.servers.programs import missing

Served = Callable[[Path, Sequence[str]], AbstractContextManager[Server]]

needs_gitolite = pytest.mark.skipif(bool(missing(*gitolite.PROGRAMS)), reason=missing(*gitolite.PROGRAMS))
needs_web = pytest.mark.skipif(bool(missing(*web.PROGRAMS)), reason=missing(*web.PROGRAMS))


def say(server: Server, who: Person) -> None:
    """Push one file that has nothing to do with models."""
    who.work.mkdir()
    who.git("init", "-q")
    who.git("remote", "add", "origin", who.url)
    who.write("README.md", "hello\n")
    who.commit("say hello")


@needs_gitolite
def test_gitolite_lets_each_do_what_is_theirs(tmp_path: Path) -> None:
    with gitolite.gitolite(tmp_path, ["alice", "bob"], readers=["carol"]) as server:
        alice, carol = server.people["alice"], server.people["carol"]
        info = alice.run("ssh", "-F", str(alice.home / "ssh_config"), "server", "info", at=alice.home).out
        assert "hello alice" in info
        say(server, alice)
        alice.git("push", "-q", "origin", "HEAD:gitreg/hello")
        assert server.git("log", "--format=%an <%ae>", "gitreg/hello") == "Alice <alice@example.com>"
        refused = alice.run("git", "push", "origin", "HEAD:elsewhere", code=1).err
        assert "DENIED by fallthru" in refused  # gitolite's own update hook stands beside ours
        say(server, carol)
        refused = carol.run("git", "push", "origin", "HEAD:gitreg/mine", code=128).err
        assert "W any registry carol DENIED" in refused
        hooks = {path.name for path in (server.bare / "hooks").iterdir()}
        assert {"update", "pre-receive", "post-receive", "proc-receive"} <= hooks
        assert (server.bare / "hooks/update").is_symlink()


@needs_web
def test_http_asks_for_the_password(tmp_path: Path) -> None:
    with web.web(tmp_path, ["alice", "bob"]) as server:
        alice = server.people["alice"]
        say(server, alice)
        alice.git("push", "-q", "origin", "HEAD:gitreg/hello")
        assert server.git("log", "--format=%an", "gitreg/hello") == "Alice"
        (alice.home / "passwords").write_text("")
        said = alice.run("git", "-c", "core.askPass=", "ls-remote", "origin", code=128).err
        assert "could not read Password" in said or "Authentication failed" in said


@pytest.mark.parametrize(
    "served",
    [pytest.param(gitolite.gitolite, marks=needs_gitolite), pytest.param(web.web, marks=needs_web)],
)
def test_nothing_stays_behind(served: Served, tmp_path: Path) -> None:
    with served(tmp_path, ["alice"]) as server:
        url = server.people["alice"].url
        assert mine(tmp_path)
    assert not mine(tmp_path)
    if url.startswith("http"):
        port = int(url.split(":")[-1].split("/")[0])
        with pytest.raises(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            pass


def mine(folder: Path) -> list[str]:
    """Processes whose command line names the folder."""
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = each.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in words and int(each.parent.name) != os.getpid():
            found.append(words.decode("utf-8", "replace"))
    return found
