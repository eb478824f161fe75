"""A repository on which a history is played: Git, gitreg, and a clock that stands still in between."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gitreg.domain.settings import Settings, Stage, TagSettings
from gitreg.errors import GitregError
from gitreg.gitstore.repository import Repository
from gitreg.manifest.layout import Layout
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store

BEGIN = datetime(2024, 3, 1, 12, tzinfo=UTC)
NAMES = ("churn", "fraud", "naïve modèle", "a@b", "50% off?", "CON", ".hidden..", "日本語")
STAGES = ("Staging", "Production", "Archived", "None")
ALIASES = ("champion", "shadow")

MESSAGES: dict[str, bytes] = {
    "plain": b"Edit by hand\n",
    "forged": b"Edit\n\nbody\n\nGitreg-Event: delete\nGitreg-Model: churn\n",
    "latin-1": "Modèle changé\n\nraison: été\n".encode("latin-1"),
    "empty": b"",
    "blank lines": b"\n\n  \nFolded\nsubject  \n\n\n\nbody\n\n",
    "odd blanks": "a\x0bb\x0c\r\n\r\nc\x85d\u2028e\r\n".encode(),
    "escapes": b"\x1b[31mred\x07\n\n\x1b]52;c;\x07",
    "long": b"x" * 5000 + b"\n\n" + b"y" * 5000,
}
AUTHORS = ("Grace Hopper <grace@example.com>", "Ünï Cödé <u@e>", "a\tb <c@d>")


def template(place: Path, *, prefix: str = "", algorithm: str = "sha1") -> None:
    """A fresh registry on a branch ``main``, whose first commit is not the registry's."""
    place.mkdir(parents=True)
    env = os.environ | {"GIT_AUTHOR_DATE": f"{BEGIN.timestamp():.0f} +0000"}
    env["GIT_COMMITTER_DATE"] = env["GIT_AUTHOR_DATE"]

    def run(*args: str) -> None:
        subprocess.run(["git", *args], cwd=place, env=env, check=True, capture_output=True)

    run("init", "-q", "-b", "main", f"--object-format={algorithm}")
    (place / "README.md").write_text("A repository\n")
    run("add", ".")
    run("commit", "-q", "-m", "Begin")
    stages = (Stage(name="Staging"), Stage(name="Production", exclusive=True), Stage(name="Archived"))
    create(
        place / prefix,
        settings=Settings(stages=stages, tags=TagSettings(made_for="none")),
        branch=None,
        env=os.environ,
        now=BEGIN,
    )


@dataclass
class World:
    """A repository on which a history is played, with a clock of its own.

    Attributes:
        place: The repository's root.
        prefix: The registry's folder in it.
        now: What its clock shows.
        log: What was played, with the commit that it led to.
        refused: What Git or gitreg would not do.
    """

    place: Path
    prefix: str = ""
    now: datetime = BEGIN
    log: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.registry = self.opened()

    @property
    def folder(self) -> Path:
        return self.place / self.prefix

    def opened(self) -> Registry:
        """The registry, opened anew."""
        return Registry(Store(Repository.discover(self.folder)), clock=self.tick)

    def tick(self) -> datetime:
        self.now += timedelta(seconds=61)
        return self.now

    def git(self, *args: str, check: bool = True, data: bytes | None = None, **env: str) -> str:
        """Plain Git at the clock's time; ``""`` where it refuses and ``check`` is off."""
        stamp = f"{self.now.timestamp():.0f} +0130"
        full = {**os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp, "GIT_EDITOR": "true"}
        done = subprocess.run(
            ["git", *args], cwd=self.place, env=full | env, input=data, capture_output=True, check=False
        )
        if done.returncode and check:
            raise Refused(done.stderr.decode(errors="replace"))
        return "" if done.returncode else done.stdout.decode(errors="replace").strip()

    def play(self, steps: Sequence[Step]) -> None:
        """Play one step after the other."""
        for step in steps:
            self.do(step)

    def do(self, step: Step) -> None:
        """Play a step; what is not possible leaves all as it was."""
        self.tick()
        try:
            step.on(self)
        except Refused as error:
            self.refused.append(f"{step}: {error}")
            self.settle()
        self.log.append(f"{step} → {self.git('rev-parse', '--short', 'HEAD')}")

    def settle(self) -> None:
        """Leave whatever stopped halfway, with a clean work tree."""
        for word in ("merge", "rebase", "revert", "cherry-pick"):
            self.git(word, "--abort", check=False)
        self.git("reset", "-q", "--hard")
        self.git("clean", "-qfdx")

    def tried(self, *args: str) -> bool:
        """Whether Git does it."""
        try:
            self.git(*args)
        except Refused:
            return False
        return True

    def resolved(self, word: str, *args: str) -> None:
        """Merge, rebase or revert; what conflicts is decided by adding whatever lies there."""
        done = self.tried(word, *args)
        for _ in range(20):
            if done or not self.busy():
                return
            self.git("add", "-A")
            done = self.tried(word, "--continue") or self.tried(word, "--skip")
        raise Refused(f"{word} does not come to an end")

    def busy(self) -> bool:
        """Whether something stopped halfway."""
        marks = ("MERGE_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
        unmerged = self.git("ls-files", "--unmerged")
        return bool(unmerged) or any((self.place / ".git" / mark).exists() for mark in marks)

    def commit(self, message: str = "plain", author: str = "", *args: str) -> None:
        """Commit whatever stands in the work tree."""
        self.git("add", "-A")
        more = [f"--author={author}"] if author else []
        self.git(
            *("commit", "-q", "--allow-empty", "--allow-empty-message", "--cleanup=verbatim", "-F", "-"),
            *(*more, *args),
            data=MESSAGES.get(message, message.encode()),
        )

    # What there is to be changed

    def models(self) -> list[str]:
        with refusal():
            return [model.name for model in self.registry.models()]
        return []

    def file(self, name: str, number: int = 0) -> Path:
        with refusal():
            layout = Layout(self.registry.settings.layout)
        return self.folder / (layout.version_file(name, number) if number else layout.model_file(name))

    def manifests(self) -> list[Path]:
        """Every manifest of a version or model that lies in the work tree."""
        found = [path for path in self.folder.glob("models/**/*.yaml") if path.is_file()]
        return sorted(found, key=lambda path: (path.name != "model.yaml", path))


class Refused(Exception):
    """Git or gitreg did not do it."""


@contextmanager
def refusal() -> Iterator[None]:
    """Turns gitreg's own refusals into ``Refused``; every other exception is a defect."""
    try:
        yield
    except GitregError as error:
        raise Refused(str(error)) from error


class Step:
    """One step of a history."""

    def on(self, world: World) -> None:
        raise NotImplementedError


def pick(items: Sequence[str], at: int) -> str:
    if not items:
        raise Refused("there is none")
    return items[at % len(items)]
