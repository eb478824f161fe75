"""A registry that two people share through a bare repository, without any hooks: what Git itself gives."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.servers.host import asked, host_env
from tests.servers.people import Person, person

NAMES = ("alice", "bob")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The bare repository, and who has a clone of it."""

    bare: Path
    alice: Person
    bob: Person

    def git(self, *args: str) -> str:
        """What Git says on the server."""
        return asked(["git", "-C", str(self.bare), *args], host_env(self.bare.parent)).strip()

    @property
    def main(self) -> str:
        return self.git("rev-parse", "main")

    def refs(self, folder: str = "refs") -> dict[str, str]:
        """The refs on the server below a folder, with what they point at."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)", folder)
        return dict(line.split() for line in lines.splitlines())


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Such a registry as it was when it was made: each test begins with that."""

    shared: Shared
    copy: Path

    @classmethod
    def of(cls, folder: Path) -> Original:
        """Make it, and keep a copy."""
        made = cls(shared=shared(folder), copy=folder / "originals")
        for at in made._places():
            shutil.copytree(at, made.copy / at.relative_to(folder), symlinks=True)
        return made

    def again(self) -> Shared:
        """The same once more, whatever was done to it."""
        for at in self._places():
            shutil.rmtree(at, ignore_errors=True)
            shutil.copytree(self.copy / at.relative_to(self.copy.parent), at, symlinks=True)
        return self.shared

    def _places(self) -> tuple[Path, ...]:
        return self.shared.bare, self.shared.alice.home, self.shared.bob.home


def shared(folder: Path, *, name: str = "churn") -> Shared:
    """A registry of one model with versions 1 (in Production), 2 and 3; Production is exclusive."""
    bare = folder / "registry.git"
    host = folder / "host"
    host.mkdir(parents=True)
    asked(["git", "init", "-q", "--bare", "-b", "main", str(bare)], host_env(host))
    alice, bob = (person(each, folder, url=f"file://{bare}") for each in NAMES)
    alice.work.mkdir()
    alice.gitreg("init", ".", "--stage", "Staging", "--stage", "Production!", "--stage", "Archived")
    for version in (1, 2, 3):
        alice.gitreg("register", name, f"s3://models/{version}", "--metric", f"auc=0.9{version}")
    alice.gitreg("transition", f"{name}/1", "Production")
    alice.git("remote", "add", "origin", alice.url)
    alice.git("push", "-q", "-u", "origin", "main")
    return Shared(bare=bare, alice=alice, bob=bob.clone())
