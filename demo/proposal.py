"""Propose a promotion in the registry of ``example.py``: ``python demo/proposal.py FOLDER``.

The registry gets rules for Production and the keys of those who may approve; then churn/8 is proposed on a
branch of its own, and Grace, one of the two who must, approves it. Keys come from fixed seeds, so that
commits and signatures are the same on any machine: they guard nothing.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import example
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry.approval_commit import add
from gitreg.registry.approving import Wish, plan, sign
from gitreg.registry.store import Store

APPROVERS = (example.GRACE, example.ALAN)
BRANCH = "gitreg/promote/churn/8/Production"
RULES = """\
  - name: Production
    exclusive: true
    from: [Staging]
    gate: gates/production.json
    no_worse:
      - metric: auc
        direction: higher
      - metric: log_loss
        direction: lower
        tolerance: 0.01
    requires: [lineage, digest]
    approvals:
      count: 2
      approvers: [grace@example.com, alan@example.com]
      valid_days: 3650
"""
GATE = """\
{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "What serves customers",
  "properties": {
    "metrics": {
      "properties": {"auc": {"type": "number", "minimum": 0.85}},
      "required": ["auc"]
    },
    "params": {"required": ["algorithm", "learning_rate"]}
  },
  "required": ["metrics", "params"]
}
"""


def key(who: Person) -> Ed25519PrivateKey:
    """The key of somebody in this story; everybody can make it."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(who.email.encode()).digest())


def key_file(who: Person, folder: Path) -> Path:
    """The same as the file that ``ssh-keygen`` and ``gitreg approve --key`` take."""
    path = folder / who.email.partition("@")[0]
    path.touch(mode=0o600)
    path.write_bytes(key(who).private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    return path


def signers() -> str:
    """``keys/allowed_signers``."""
    public = [key(who).public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH) for who in APPROVERS]
    return "".join(f"{who.email} {line.decode()}\n" for who, line in zip(APPROVERS, public, strict=True))


def propose(folder: Path) -> None:
    """Make the registry in ``folder``, which must not be there, with the rules and the proposal."""
    example.make(folder)
    story = example.Story(folder)
    rule(story, "2025-07-29T09:00:00")
    ask(story, "2025-07-30T10:00", "2025-07-30T11:00")


def rule(story: example.Story, when: str, rules: str = RULES) -> None:
    """Give the registry its rules, and the keys of those who may approve."""
    folder = story.folder
    (folder / "gates").mkdir()
    (folder / "keys").mkdir()
    (folder / "gates/production.json").write_text(GATE, encoding="utf-8")
    (folder / "keys/allowed_signers").write_text(signers(), encoding="utf-8")
    subprocess.run(["git", "add", "gates", "keys"], cwd=folder, check=True)
    old = "  - name: Production\n    exclusive: true\n"
    story.edits(when, example.GRACE, "gitreg.yaml", old, rules, "Rules for Production")


def ask(story: example.Story, when: str, approved: str) -> None:
    """Propose churn/8 on a branch of its own, and let Grace approve it."""
    subprocess.run(["git", "switch", "--quiet", "--create", BRANCH], cwd=story.folder, check=True)
    why = "Finds the customers whom we lost in May"
    story.moves(when, example.ADA, "churn/8", "Production", why)
    subprocess.run(["git", "switch", "--quiet", "main"], cwd=story.folder, check=True)
    approve(story.folder, example.GRACE, datetime.fromisoformat(approved).replace(tzinfo=UTC))


def approve(folder: Path, who: Person, when: datetime) -> None:
    """Sign the proposal as one of the approvers, and add the approval to its branch."""
    example.be(who)
    wish = Wish(first=BRANCH, second=None, committer=who, clock=lambda: when, reason="Better for all regions")
    with Store(Repository.discover(folder)) as store, tempfile.TemporaryDirectory() as keys:
        wanted = plan(store, wish)
        add(store, wish, wanted, sign(store, wanted, key=str(key_file(who, Path(keys)))))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python demo/proposal.py FOLDER")
    propose(Path(sys.argv[1]))
    print(f"Proposed churn/8 for Production: cd {sys.argv[1]} && gitreg review churn/8 Production")
