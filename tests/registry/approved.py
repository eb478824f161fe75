"""A registry whose Production asks for approvals, in one folder: branches, real keys and real signatures."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.settings import Approvals, Settings, Stage
from gitreg.policy.context import ApprovalFile
from gitreg.policy.digests import origin_digest, policy_digest, rule_digest
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.root import root_of
from gitreg.registry.rulebook import RuleBook
from tests.policy import making

SERVER = "models@example.com"
PEOPLE = {name: f"{name.lower()}@example.com" for name in ("Ann", "Bob", "Alice", "Dave", "Carol")}
APPROVERS = (PEOPLE["Alice"], PEOPLE["Dave"])


@contextmanager
def person(name: str) -> Iterator[None]:
    """What Git is told of who is at work."""
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", name)
            patch.setenv(f"GIT_{role}_EMAIL", PEOPLE[name])
        yield


def rules(count: int = 1, *, exclusive: bool = False, approvers: Sequence[str] = APPROVERS) -> Settings:
    """Settings whose Production asks for so many approvals; 0: for none."""
    asked = Approvals(count=count, approvers=tuple(approvers), signed_in=(SERVER,)) if count else None
    production = Stage(name="Production", exclusive=exclusive, approvals=asked)
    return Settings(stages=(Stage(name="Staging"), production, Stage(name="Archived")))


class Place:
    """Ann has registered churn/1 and churn/2; Alice and Dave may approve, each with a key.

    Args:
        folder: Where the registry lies.
        keys: Private keys of Alice, Dave and the server.
        settings: The rules.
    """

    def __init__(self, folder: Path, keys: Mapping[str, Path], settings: Settings) -> None:
        self.folder = folder
        self.keys = {PEOPLE["Alice"]: keys["alice"], PEOPLE["Dave"]: keys["dave"], SERVER: keys["server"]}
        with person("Ann"):
            create(folder, settings=settings, branch=None, env=os.environ, now=utc_now())
            for number in (1, 2):
                with open_registry(folder) as registry:
                    registry.register("churn", f"s3://bucket/{number}")
            self.write("keys/allowed_signers", self.signers(*self.keys))
            self.commit("Keys")
        for name in ("Alice", "Bob", "Dave"):  # else the history would know only their addresses
            with person(name):
                self.write(f"notes/{name}.md", "hello\n")
                self.commit("Hello")

    def signers(self, *people: str) -> str:
        """The text of ``keys/allowed_signers``; the server may only vouch for others."""
        options = {SERVER: 'namespaces="gitreg-attestation@v1"'}
        return "".join(making.line(who, self.keys[who], options.get(who, "")) for who in people)

    def git(self, *args: str) -> str:
        """What Git prints."""
        done = subprocess.run(["git", *args], cwd=self.folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, path: str, text: str | bytes) -> None:
        """Put a file into the work tree."""
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self, message: str) -> str:
        """Commit everything; the commit's id."""
        self.git("add", "--all", ".")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def move(self, version: int, stage: str, message: str = "move") -> None:
        """Whoever is at work gives a version a stage, by hand: commands refuse what has no approvals yet."""
        path = f"models/churn/versions/{version}.yaml"
        text = (self.folder / path).read_text().partition("stages:")[0]
        self.write(
            path, f'{text}stages:\n  {stage}: "{utc_now():%Y-%m-%dT%H:%M:%S.000Z}"\n' if stage else text
        )
        self.commit(message)

    def propose(self, version: int, *approvers: str, branch: str = "proposal", number: int = 1) -> None:
        """Bob proposes a version for Production on a branch, and some approve it there."""
        self.git("switch", "-q", "-c", branch, "main")
        with person("Bob"):
            self.move(version, "Production")
        for who in approvers:
            self.approve(version, who, number)
        self.git("switch", "-q", "main")

    def approve(
        self, version: int, who: str, number: int = 1, *, attester: str = "", **other: object
    ) -> None:
        """One person's approval of an assignment of Production, on the branch that is checked out."""
        with open_registry(self.folder) as registry:
            view = registry.store.view(self.git("rev-parse", "HEAD"))
            found = view.version(f"churn/{version}")
            stage = view.settings.stage("Production")
            now = utc_now()
            told = {
                "registry": root_of(registry.store, view.commit),
                "model": "churn",
                "version": version,
                "stage": "Production",
                "number": number,
                "origin": origin_digest(found),
                "rule": rule_digest(stage, None),
                "proposed_by": (PEOPLE["Bob"],),
                "approver": PEOPLE[who],
                "at": now - timedelta(minutes=1),
                "expires": now + timedelta(days=9),
                "attester": attester,
            }
        approval = Approval(**(told | other))  # type: ignore[arg-type]
        self._add(who, approval, attester, f"churn: approve version {version} for Production")

    def approve_rules(self, who: str, base: str = "main") -> None:
        """One person's approval of the rules that the branch sets up which is checked out."""
        with open_registry(self.folder) as registry:
            old, new = (RuleBook(registry.store, self.git("rev-parse", rev)) for rev in (base, "HEAD"))
            before, after = (policy_digest(each.files(codeowners=False)) for each in (old, new))
            now = utc_now()
            approval = PolicyApproval(
                registry=root_of(registry.store, new.commit),
                before=before,
                after=after,
                proposed_by=(PEOPLE["Bob"],),
                approver=PEOPLE[who],
                at=now - timedelta(minutes=1),
                expires=now + timedelta(days=9),
            )
        self._add(who, approval, "", "registry: approve a change of the rules")

    def _add(self, who: str, approval: Approval | PolicyApproval, attester: str, message: str) -> None:
        space = {"namespace": "gitreg-attestation@v1"} if attester else {}
        file: ApprovalFile = making.signed(approval, self.keys[attester or PEOPLE[who]], **space)
        self.write(file.path, file.data)
        with person(who):
            self.commit(message)

    def merge(self, how: str, branch: str = "proposal") -> None:
        """Carol brings a branch to main, which has gone on meanwhile: nothing is a fast-forward."""
        with person("Ann"), open_registry(self.folder) as registry:
            registry.register("fraud", f"s3://bucket/{branch}")
        with person("Carol"):
            match how:
                case "merge":
                    self.git("merge", "-q", "--no-ff", "--no-edit", branch)
                case "squash":
                    self.git("merge", "-q", "--squash", branch)
                    self.git("commit", "-q", "-m", "Promote churn")
                case "rebase":
                    self.git("switch", "-q", branch)
                    self.git("rebase", "-q", "main")
                    self.git("switch", "-q", "main")
                    self.git("merge", "-q", "--ff-only", branch)
