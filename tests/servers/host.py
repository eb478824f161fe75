"""The machine that serves a repository, seen by its administrator."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.people import GITREG, Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A Git server with gitreg's hooks.

    Attributes:
        bare: The repository, as it lies on the server.
        people: Who may log in, by name.
        env: Environment in which the server's own administrator works.
    """

    bare: Path
    people: Mapping[str, Person]
    env: Mapping[str, str]

    def git(self, *args: str) -> str:
        """What Git says on the server."""
        return asked(["git", "-C", str(self.bare), *args], self.env).strip()

    def gitreg(self, *args: str) -> str:
        """What gitreg says on the server."""
        return asked([str(GITREG), "--registry", str(self.bare), *args], self.env)


def host_env(home: Path) -> dict[str, str]:
    """The environment of the server: nothing of the one in which the tests run."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def with_hooks(server: Server) -> Server:
    """Have the empty repository begin with ``main``, and take pushes by gitreg's rules."""
    server.git("symbolic-ref", "HEAD", "refs/heads/main")
    server.gitreg("hooks", "install", "--server", "--proposals")
    return server


def asked(argv: Sequence[str], env: Mapping[str, str]) -> str:
    """Run a command that must succeed; what it printed."""
    done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout
