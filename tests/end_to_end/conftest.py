"""Each server is started once a worker, and put back to its first state for every test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.world import NAMES, Original, World
from tests.servers import gitolite, web
from tests.servers.programs import missing


@pytest.fixture(scope="session")
def by_ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    """sshd and gitolite."""
    _skip_without(*gitolite.PROGRAMS)
    folder: Path = tmp_path_factory.mktemp("gitolite")
    with gitolite.gitolite(folder, NAMES) as server:
        yield Original.of(server, folder)


@pytest.fixture(scope="session")
def by_http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Original]:
    """nginx and git http-backend."""
    _skip_without(*web.PROGRAMS)
    folder: Path = tmp_path_factory.mktemp("web")
    with web.web(folder, NAMES) as server:
        yield Original.of(server, folder)


@pytest.fixture
def world(by_ssh: Original) -> World:
    """A registry behind gitolite."""
    return by_ssh.world()


@pytest.fixture
def web_world(by_http: Original) -> World:
    """A registry behind nginx."""
    return by_http.world()


def _skip_without(*programs: str) -> None:
    if reason := missing(*programs):
        pytest.skip(reason)
