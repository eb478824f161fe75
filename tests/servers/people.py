"""People with a home, a key and clones, each of whom runs the installed ``gitreg`` and plain Git."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

GITREG = Path(sys.executable).with_name("gitreg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a command gave."""

    code: int
    out: str
    err: str

    @property
    def words(self) -> str:
        """All of it, without the prefix of a server's lines."""
        lines = (self.out + self.err).splitlines()
        return "\n".join(line.removeprefix("remote: ").rstrip() for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody at a machine of their own.

    Attributes:
        name: As the server calls them.
        home: Their ``HOME``, with ``.gitconfig``, ``key`` and ``key.pub``.
        work: The folder in which their commands run.
        url: The server's repository, as they name it.
    """

    name: str
    home: Path
    work: Path
    url: str = ""
    more: Mapping[str, str] = field(default_factory=dict)

    @property
    def email(self) -> str:
        return f"{self.name}@example.com"

    @property
    def public_key(self) -> str:
        """The key in OpenSSH's form, without a comment."""
        return " ".join((self.home / "key.pub").read_text().split()[:2])

    @property
    def env(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LANG", "TMPDIR", "TERM")}
        kept["PATH"] = f"{GITREG.parent}{os.pathsep}{kept.get('PATH', os.defpath)}"
        config = str(self.home / ".gitconfig")
        own = {"HOME": str(self.home), "GIT_CONFIG_GLOBAL": config, "GIT_CONFIG_NOSYSTEM": "1"}
        return {**kept, **own, **self.more}

    def run(self, *argv: str, code: int | None = 0, at: Path | None = None, stdin: str = "") -> Said:
        """Run a command in their clone; ``code``: what it must end with, None for anything."""
        done = subprocess.run(
            argv,
            cwd=at or self.work,
            env=self.env,
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=120,
            check=False,
        )
        said = Said(code=done.returncode, out=done.stdout, err=done.stderr)
        assert code is None or said.code == code, f"{argv} ended with {said.code}:\n{said.out}{said.err}"
        return said

    def git(self, *args: str, code: int | None = 0) -> str:
        return self.run("git", *args, code=code).out.strip()

    def gitreg(self, *args: str, code: int | None = 0) -> Said:
        return self.run(str(GITREG), *args, code=code)

    def clone(self) -> Person:
        """Take a fresh clone of the server's repository."""
        self.run("git", "clone", "-q", self.url, str(self.work), at=self.home)
        return self

    def configure(self, *settings: tuple[str, str]) -> None:
        """Write settings into their own ``.gitconfig``."""
        for key, value in settings:
            self.run("git", "config", "--global", key, value, at=self.home)

    def write(self, path: str, text: str) -> None:
        (self.work / path).parent.mkdir(parents=True, exist_ok=True)
        (self.work / path).write_text(text, encoding="utf-8")

    def edit(self, path: str, old: str, new: str) -> None:
        text = (self.work / path).read_text(encoding="utf-8")
        assert old in text, text
        self.write(path, text.replace(old, new))

    def commit(self, subject: str) -> str:
        """Commit all that stands in the clone; the new head."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", subject)
        return self.git("rev-parse", "HEAD")


def person(name: str, folder: Path, *, url: str = "") -> Person:
    """Make somebody, with a new key that signs and logs in, below ``folder``."""
    home = folder / name
    home.mkdir()
    made = Person(name=name, home=home, work=home / "registry", url=url)
    made.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(home / "key"), at=home)
    made.configure(
        ("user.name", name.capitalize()),
        ("user.email", made.email),
        ("init.defaultBranch", "main"),
        ("gpg.format", "ssh"),
        ("user.signingKey", str(home / "key.pub")),
        ("advice.detachedHead", "false"),
    )
    return made
