"""Registries to play the cases on; one template a session, copied for each case."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.standard import Site

_IDENTITY = "[user]\n\tname = Ada Lovelace\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n"


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The model fraud with two versions, the second in Production and called champion."""
    root = tmp_path_factory.mktemp("template")
    home = root / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(_IDENTITY)
    env = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "XDG_", "GITREG_"))}
    with pytest.MonkeyPatch.context() as patch:
        for key in os.environ.keys() - env.keys():
            patch.delenv(key)
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        Site(root=root).does("init", "registry")
        site = Site(root=root / "registry")
        site.does("register", "fraud", "s3://models/fraud/1", "--metric", "auc=0.91")
        site.does("register", "fraud", "s3://models/fraud/2", "--metric", "auc=0.93", "--alias", "champion")
        site.does("transition", "fraud/2", "Production")
    return site


@pytest.fixture
def site(template: Site, tmp_path: Path) -> Site:
    """A registry with a work tree."""
    return template.copy(tmp_path / "registry")


@pytest.fixture
def bare(template: Site, tmp_path: Path) -> Site:
    """The same registry as a bare repository."""
    root = tmp_path / "registry.git"
    shutil.copytree(template.root / ".git", root)
    (root / "index").unlink()
    subprocess.run(["git", "config", "core.bare", "true"], cwd=root, check=True)
    return Site(root=root)


@pytest.fixture(params=["plain", "bare"])
def either(request: pytest.FixtureRequest) -> Site:
    """The registry in both forms, one after the other."""
    found: Site = request.getfixturevalue("site" if request.param == "plain" else "bare")
    return found
