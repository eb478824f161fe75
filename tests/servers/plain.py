"""A bare repository with server hooks, pushed to through the file system: where no server can be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.servers.host import Server, asked, host_env, with_hooks
from tests.servers.people import person


@contextmanager
def plain(folder: Path, names: Sequence[str]) -> Iterator[Server]:
    """An empty repository; whoever can write the folder can write it."""
    host = folder / "server"
    host.mkdir(parents=True)
    env = host_env(host)
    bare = host / "registry.git"
    asked(["git", "init", "-q", "--bare", str(bare)], env)
    people = {name: person(name, folder, url=f"file://{bare}") for name in names}
    yield with_hooks(Server(bare=bare, people=people, env=env))
