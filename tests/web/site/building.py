"""Builds sites in the test's own process, or as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from gitreg.web.site.build import Built, Wish
from gitreg.web.site.build import build as built
from gitreg.web.site.making import Choice


def build(place: Path, out: Path, *, at: str | None = None, **more: Any) -> Built:
    """The site of the registry at ``place``, by one process unless ``jobs`` says otherwise."""
    choice = Choice(**{key: more.pop(key) for key in ("title", "base_url", "models") if key in more})
    with Store(Repository.discover(place)) as store:
        commit = store.index.slice(None if at is None else store.commit_for(at)).commit
        return built(Registry(store), Wish(out=out, commit=commit, choice=choice, **more))


def gitreg(*args: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """The command itself."""
    return subprocess.run(
        [sys.executable, "-m", "gitreg", *args],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
