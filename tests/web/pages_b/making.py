"""Small registries for single tests."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gitreg.domain.settings import Settings
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store


def made(folder: Path, *, versions: int) -> Path:
    """A registry whose last commit registers some versions of one model."""
    place = folder / "registry"
    create(place, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    with Store(Repository.discover(place)) as store:
        registry = Registry(store)
        with registry.batch("many at once"):
            for number in range(1, versions + 1):
                registry.register("churn", f"s3://models/{number}", metrics={"auc": number / 1000})
    return place


def signed_commit(place: Path) -> None:
    """Name Ann's key, then let her sign a commit that changes a manifest."""
    key = place.parent / "ann"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ann", "-f", str(key)], check=True)
    (place / "keys").mkdir()
    public = key.with_suffix(".pub").read_text(encoding="utf-8")
    (place / "keys/allowed_signers").write_text(f"ann@example.com {public}", encoding="utf-8")
    _git(place, "add", "keys")
    _git(place, "commit", "-qm", "keys")
    file = place / "models/churn/versions/1.yaml"
    file.write_text(file.read_text(encoding="utf-8") + "x-note: 1\n", encoding="utf-8")
    ann = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "gpg.format=ssh")
    _git(place, *ann, "-c", f"user.signingKey={key}", "commit", "-qaS", "-m", "note")


def _git(place: Path, *args: str) -> None:
    subprocess.run(["git", *args], cwd=place, check=True, capture_output=True)
