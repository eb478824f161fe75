"""A registry on a server, with rules for Production, and the people who work on it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.host import Server
from tests.servers.people import Person

NAMES = ("alice", "bob", "carol")
BRANCH = "gitreg/promote/churn/{}/Production"
VERSION = "models/churn/versions/{}.yaml"
RULES = """\
stages:
  - name: Staging
  - name: Production
    exclusive: true
    approvals:
      count: 1
      approvers: [bob@example.com, carol@example.com]
  - name: Archived
policy:
  approvals:
    count: 1
    approvers: [bob@example.com, carol@example.com]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The registry of churn/1 in Production, churn/2 and churn/3; everybody has a fresh clone.

    Alice registered all of them; Bob or Carol must approve what enters Production, and new rules.
    """

    server: Server
    alice: Person
    bob: Person
    carol: Person

    @property
    def main(self) -> str:
        return self.server.git("rev-parse", "main")

    def refs(self, folder: str = "refs/tags") -> dict[str, str]:
        """The refs on the server, with what they point at."""
        lines = self.server.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", folder)
        return dict(line.split() for line in lines.splitlines())

    def whole(self) -> dict[str, str]:
        """All refs on the server."""
        return self.refs("refs")

    def refused(self, who: Person, *push: str) -> str:
        """Push what the server must refuse, and leave as it is; its words."""
        before = self.whole()
        said = who.run("git", "push", *push, code=1)
        assert "pre-receive hook declined" in said.err, said
        assert self.whole() == before
        return said.words


def build(server: Server) -> None:
    """Make the registry as Alice would, and push it to the empty server."""
    alice = server.people["alice"]
    alice.work.mkdir()
    alice.gitreg("init", ".")
    for version, auc in ((1, 0.90), (2, 0.92), (3, 0.93)):
        alice.gitreg("register", "churn", f"s3://models/churn/{version}", "--metric", f"auc={auc}")
    alice.gitreg("transition", "churn/1", "Production")
    settings = (alice.work / "gitreg.yaml").read_text()
    alice.write("gitreg.yaml", without_stages(settings) + RULES)
    lines = [f"{who.email} {who.public_key}\n" for who in server.people.values()]
    alice.write("keys/allowed_signers", "".join(lines))
    alice.commit("set up the rules")
    alice.git("remote", "add", "origin", alice.url)
    alice.git("push", "-q", "-u", "origin", "main")  # the server makes the tags by itself
    assert "churn/Production/1" in server.git("tag").split()
    shutil.rmtree(alice.work)


def without_stages(settings: str) -> str:
    """``gitreg.yaml`` up to its stages."""
    before, _, after = settings.partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    return before + "".join(rest)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A server as it was when its registry was built: each test begins with that."""

    server: Server
    copy: Path

    @classmethod
    def of(cls, server: Server, folder: Path) -> Original:
        """Build the registry, and keep it with a clone of everybody's."""
        build(server)
        for each in server.people.values():
            each.clone()
        made = cls(server=server, copy=folder / "originals")
        for at, kept in made._places():
            shutil.copytree(at, kept, symlinks=True)
        return made

    def world(self) -> World:
        """The same once more, whatever was done to it."""
        for at, kept in self._places():
            shutil.rmtree(at, ignore_errors=True)
            shutil.copytree(kept, at, symlinks=True)
        people = self.server.people
        return World(server=self.server, **{name: people[name] for name in NAMES})

    def _places(self) -> list[tuple[Path, Path]]:
        clones = [(each.work, self.copy / each.name) for each in self.server.people.values()]
        return [(self.server.bare, self.copy / "server.git"), *clones]


def verify(who: Person, base: str, head: str, *, code: int) -> Any:
    """The verdict on BASE..HEAD as JSON; it must end with ``code``."""
    return json.loads(who.gitreg("verify", base, head, "--json", code=code).out)


def codes(verdict: Any) -> list[str]:
    """The codes of its findings."""
    return sorted(each["code"] for each in verdict["findings"])
