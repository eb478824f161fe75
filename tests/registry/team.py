"""A registry whose Production asks for approvals, on a plain server with our hooks, and a proposal in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.servers import plain
from tests.servers.host import Server
from tests.servers.people import Person

NAMES = ("ann", "bob", "carol")
BRANCH = "gitreg/promote/churn/2/Production"
FOLDER = "approvals/churn/2/Production/1"
RULES = """\
stages:
  - name: Staging
  - name: Production
    exclusive: true
    approvals:
      count: {count}
      approvers: [bob@example.com, carol@example.com, "@ml/reviewers"]
      valid_days: 30
  - name: Archived
"""


@dataclass(frozen=True)
class Team:
    """Ann has registered churn/1 and churn/2, and proposes the second; Bob and Carol may approve."""

    server: Server
    ann: Person
    bob: Person
    carol: Person

    def verdict(self, who: Person | None = None, ref: str = f"origin/{BRANCH}") -> list[str]:
        """What the rules have against a proposal as it is on the server now."""
        who = who or self.bob
        who.git("fetch", "-q", "--prune")
        said = who.gitreg("verify", "--proposal", "origin/main", ref, "--json", code=None)
        return [each["message"] for each in json.loads(said.out)["findings"]]


@dataclass(frozen=True)
class Original:
    """A team as it was when it was made: each test begins with that."""

    team: Team
    folder: Path
    copy: Path

    @classmethod
    def of(cls, folder: Path, count: int) -> Original:
        """Make it, and keep a copy."""
        made = cls(team=built(folder / "team", count), folder=folder / "team", copy=folder / "copy")
        shutil.copytree(made.folder, made.copy, symlinks=True)
        return made

    def again(self) -> Team:
        """The same once more, whatever was done to it."""
        shutil.rmtree(self.folder)
        shutil.copytree(self.copy, self.folder, symlinks=True)
        return self.team


def with_rules(settings: str, rules: str) -> str:
    """``gitreg.yaml`` with other stages."""
    before, _, after = settings.partition("stages:\n")
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith((" ", "-")):
        rest.pop(0)
    return before + "".join(rest) + rules


def built(folder: Path, count: int, keys: str = "") -> Team:
    """Make a team of which ``count`` must approve; ``keys``: the signers' file, with ``{bob}`` for his key and so on."""
    with plain.plain(folder, NAMES) as server:
        people = server.people
        ann = people["ann"]
        ann.work.mkdir()
        ann.gitreg("init", ".")
        for version in (1, 2):
            ann.gitreg("register", "churn", f"s3://models/churn/{version}", "--metric", f"auc=0.9{version}")
        settings = (ann.work / "gitreg.yaml").read_text()
        ann.write("gitreg.yaml", with_rules(settings, RULES.format(count=count)))
        known = {name: who.public_key for name, who in people.items()}
        lines = "".join(f"{who.email} {who.public_key}\n" for who in people.values())
        ann.write("keys/allowed_signers", keys.format(**known) or lines)
        ann.commit("rules")
        ann.git("remote", "add", "origin", ann.url)
        ann.git("push", "-q", "-u", "origin", "main")
        for name in ("bob", "carol"):
            people[name].clone()
        ann.gitreg("promote", "churn/2", "Production", "-m", "better")
        return Team(server=server, ann=ann, bob=people["bob"], carol=people["carol"])
