"""E01–E04: repositories, folders and environments that name programs; no verb of gitreg runs one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from gitreg.errors import UsageError
from gitreg.gitstore import porcelain
from gitreg.gitstore.repository import Repository
from tests.acceptance.standard import ENVIRONMENT, Site, gitreg_command, told, unchanged
from tests.acceptance.verbs import every_verb

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")

_CONFIG = """
[core]
\tfsmonitor = {x}
\thooksPath = {hooks}
\tpager = {x}
\teditor = {x}
\taskPass = {x}
\tsshCommand = {x}
\tgitProxy = {x}
\talternateRefsCommand = {x}
\tattributesFile = {attributes}
[gpg]
\tprogram = {x}
\tformat = ssh
[gpg "ssh"]
\tprogram = {x}
\tdefaultKeyCommand = {x}
[gpg "x509"]
\tprogram = {x}
[commit]
\tgpgSign = true
[tag]
\tgpgSign = true
\tforceSignAnnotated = true
[log]
\tshowSignature = true
[diff]
\texternal = {x}
[diff "evil"]
\ttextconv = {x}
\tcommand = {x}
[filter "evil"]
\tclean = {x}
\tsmudge = {x}
\tprocess = {x}
\trequired = true
[merge "evil"]
\tdriver = {x}
[merge]
\ttool = evil
[mergetool "evil"]
\tcmd = {x}
[pager]
\tlog = {x}
\tlist = {x}
\tshow = {x}
\tconfig = {x}
[alias]
\tupdate-ref = !{x}
\tcat-file = !{x}
\treg = !{x}
\tlist = !{x}
[credential]
\thelper = {x}
[protocol "ext"]
\tallow = always
[remote "origin"]
\turl = ext::{x}
\tfetch = +refs/heads/*:refs/remotes/origin/*
\tuploadpack = {x}
\treceivepack = {x}
\tvcs = evil
[uploadpack]
\tpackObjectsHook = {x}
[trailer "evil"]
\tcommand = {x}
\tcmd = {x}
[sequence]
\teditor = {x}
[interactive]
\tdiffFilter = {x}
[gc]
\trecentObjectsHook = {x}
\tauto = 1
\tautoDetach = false
[maintenance]
\tauto = true
[receive]
\tprocReceiveRefs = refs
[browser "evil"]
\tcmd = {x}
[init]
\ttemplateDir = {template}
[submodule "x"]
\tupdate = !{x}
[include]
\tpath = {include}
"""
_HOOKS = (
    "applypatch-msg", "pre-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg", "commit-msg", "post-commit",
    "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update", "proc-receive", "post-receive",
    "post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc", "post-rewrite", "fsmonitor-watchman",
    "post-index-change", "sendemail-validate",
)  # fmt: skip


def booby_trap(site: Site, git_dir: Path, marker: Path) -> Site:
    """Let everything in the repository that can name a program name one that touches ``marker``."""
    away = marker.parent / "traps"
    hooks = away / "hooks"
    hooks.mkdir(parents=True)
    trap = away / "trap"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> {marker}\ncat\n')
    trap.chmod(0o755)
    (git_dir / "hooks").mkdir(exist_ok=True)
    for folder in (hooks, git_dir / "hooks"):
        for name in _HOOKS:
            shutil.copy(trap, folder / name)
    attributes = "* filter=evil diff=evil merge=evil\n"
    (away / "attributes").write_text(attributes)
    (away / "include").write_text(f"[core]\n\tfsmonitor = {trap}\n")
    shutil.copytree(hooks, away / "template" / "hooks")
    (git_dir / "info").mkdir(exist_ok=True)
    (git_dir / "info" / "attributes").write_text(attributes)
    other = away / "other.git"
    site.git("init", "--quiet", "--bare", str(other))
    (git_dir / "objects" / "info").mkdir(exist_ok=True)
    (git_dir / "objects" / "info" / "alternates").write_text(f"{other}/objects\n")
    text = _CONFIG.format(
        x=trap,
        hooks=hooks,
        attributes=away / "attributes",
        include=away / "include",
        template=away / "template",
    )
    with open(git_dir / "config", "a") as config:
        config.write(text)
    return site


@pytest.mark.parametrize("form", ["plain", "bare"])
def test_E01_no_verb_runs_a_program_of_the_clone(site: Site, bare: Site, tmp_path: Path, form: str) -> None:
    here = site if form == "plain" else bare
    git_dir = here.root / ".git" if form == "plain" else here.root
    if form == "plain":
        here.file(".gitattributes").write_text("*.yaml text eol=lf\n* filter=evil diff=evil merge=evil\n")
        here.commits_by_hand()
    marker = tmp_path / "executed"
    booby_trap(here, git_dir, marker)
    for args, _ in every_verb(here, bare=form == "bare"):
        assert not marker.exists(), (args, marker.read_text())
    # Completion runs behind the user's back at every key.
    env = {"_GITREG_COMPLETE": "bash_complete", "COMP_WORDS": "gitreg show ", "COMP_CWORD": "2"}
    gitreg_command(at=here.root, env=env)
    assert not marker.exists(), marker.read_text()
    here.git("diff", "HEAD~1", "HEAD", check=False)
    assert marker.exists()  # plain Git does run them: the traps are armed


def test_E01_init_in_a_trapped_repository(tmp_path: Path) -> None:
    there = tmp_path / "code"
    there.mkdir()
    site = Site(root=there)
    site.git("init", "--quiet")
    marker = tmp_path / "executed"
    booby_trap(site, there / ".git", marker)
    site.does("init", "registry")
    site.does("register", "fraud", "s3://b/1", "--registry", "registry")
    site.does("init", str(tmp_path / "new"))  # the current folder's repository must have no say in it
    assert not marker.exists(), marker.read_text()


def test_E01_GitPython_runs_no_program_of_the_clone(site: Site, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    booby_trap(site, site.root / ".git", marker)
    porcelain.configure(Repository.at(site.root), "gitreg.test", "yes")
    cloned = porcelain.clone(str(site.root), tmp_path / "clone", progress=lambda *_: None)
    assert cloned.head().oid == Repository.at(site.root).head().oid
    with pytest.raises(UsageError):
        porcelain.clone(f"ext::touch {marker}", tmp_path / "other")
    assert site.git("config", "gitreg.test") == "yes\n"
    assert not marker.exists(), marker.read_text()


def test_E01_promisor_remote_that_is_a_program(bare: Site, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    bare.git("config", "uploadpack.allowFilter", "true")
    hollow = Site(root=tmp_path / "hollow.git")
    bare.git("clone", "-q", "--bare", "--filter=blob:none", f"file://{bare.root}", str(hollow.root))
    blob = hollow.git("rev-parse", "main:models/fraud/versions/1.yaml").strip()
    hollow.git("config", "remote.origin.url", f"ext::touch {marker}")
    hollow.git("config", "protocol.ext.allow", "always")
    for args in (
        ["show", "fraud/1"],
        ["list"],
        ["check"],
        ["transition", "fraud/1", "Staging"],
        ["register", "x", "s3://b"],
    ):
        told(gitreg_command(*args, at=hollow.root), ENVIRONMENT, "partial clone")
        assert not marker.exists(), args
    hollow.git("cat-file", "-p", blob, check=False)
    assert marker.exists()


@ROOT
@pytest.mark.parametrize("form", ["plain", "bare"])
def test_E02_owned_by_another_user(site: Site, bare: Site, form: str) -> None:
    here = site if form == "plain" else bare
    for folder, names, leaves in os.walk(here.root):
        for name in (".", *names, *leaves):
            os.chown(os.path.join(folder, name), 12345, 12345, follow_symlinks=False)
    home = Path(os.environ["HOME"])
    for args in (
        ["list"],
        ["show", "fraud/1"],
        ["register", "fraud", "s3://b/3"],
        ["check"],
        ["log"],
        ["doctor"],
    ):
        with unchanged(home):
            here.refuses(*args, code=ENVIRONMENT, says=["safe.directory", str(here.root)])
    here.git("config", "--global", "--add", "safe.directory", str(here.root))
    here.does("list")
    here.does("register", "fraud", "s3://b/3")


@ROOT
def test_E02_only_the_git_folder_is_of_another_user(site: Site) -> None:
    os.chown(site.root / ".git", 12345, 12345)
    for args in (["list"], ["register", "fraud", "s3://b/3"]):
        site.refuses(*args, code=ENVIRONMENT, says=["safe.directory"])


def _fake_git(folder: Path, marker: Path) -> Path:
    folder.mkdir(exist_ok=True)
    fake = folder / "git"
    fake.write_text(f"#!/bin/sh\ntouch {marker}\nexit 0\n")
    fake.chmod(0o755)
    return folder


@pytest.mark.parametrize("first", ["", ".", "./", "bin", "./bin", "..", "{root}", "{root}/"])
def test_E03_git_in_the_folder_is_not_run(site: Site, tmp_path: Path, first: str) -> None:
    marker = tmp_path / "executed"
    _fake_git(site.root, marker)
    _fake_git(site.root / "bin", marker)
    _fake_git(tmp_path, marker)
    path = first.replace("{root}", str(site.root)) + os.pathsep + os.environ["PATH"]
    site.does("show", "fraud/1", env={"PATH": path})
    if first in ("", "{root}"):
        site.does("register", "fraud", "s3://b/3", env={"PATH": path})
        site.does("init", str(tmp_path / "new"), env={"PATH": path})  # GitPython looks for git itself
    assert not marker.exists()


@pytest.mark.parametrize("path", ["", ".", "bin"])
def test_E03_when_no_other_git_is_on_the_path(site: Site, tmp_path: Path, path: str) -> None:
    marker = tmp_path / "executed"
    _fake_git(site.root, marker)
    _fake_git(site.root / "bin", marker)
    site.refuses("register", "fraud", "s3://b/3", code=ENVIRONMENT, says=["git"], env={"PATH": path})
    assert not marker.exists()


@pytest.mark.parametrize("start", [[], ["--registry", "."]])
def test_E04_GIT_variables_lead_nowhere_else(
    site: Site, template: Site, tmp_path: Path, start: list[str]
) -> None:
    other = template.copy(tmp_path / "other")
    marker = tmp_path / "executed"
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {marker}\n")
    trap.chmod(0o755)
    env = {
        "GIT_DIR": str(other.root / ".git"),
        "GIT_WORK_TREE": str(other.root),
        "GIT_COMMON_DIR": str(other.root / ".git"),
        "GIT_INDEX_FILE": str(other.root / ".git" / "index"),
        "GIT_OBJECT_DIRECTORY": str(other.root / ".git" / "objects"),
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(other.root / ".git" / "objects"),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_PREFIX": "models/",
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(trap),
        "GIT_CONFIG_KEY_1": "core.hooksPath",
        "GIT_CONFIG_VALUE_1": str(tmp_path),
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={trap}'",
        "GIT_EXTERNAL_DIFF": str(trap),
        "GIT_SSH_COMMAND": str(trap),
        "GIT_PAGER": str(trap),
        "GIT_EDITOR": str(trap),
        "GIT_ASKPASS": str(trap),
        "GIT_EXEC_PATH": str(tmp_path),
        "GIT_TEMPLATE_DIR": str(tmp_path),
        "GIT_TRACE": str(tmp_path / "trace"),
        "GIT_REDIRECT_STDOUT": str(tmp_path / "stdout"),
        "GIT_LITERAL_PATHSPECS": "0",
        "GIT_REPLACE_REF_BASE": "refs/heads/",
        "GIT_QUARANTINE_PATH": str(tmp_path),
    }
    with unchanged(other.root):
        site.does(*start, "register", "fraud", "s3://b/3", env=env)
        assert site.does(*start, "resolve", "fraud/3", env=env).out == "s3://b/3\n"
        site.does(*start, "check", "--staged", env=env)
        site.does("init", str(tmp_path / "new"), env=env)
    assert "fraud/v3" in site.tags() and not marker.exists() and not (tmp_path / "trace").exists()
    site.sound()


def test_E04_garbage_in_the_environment(site: Site) -> None:
    env = {
        "GIT_CONFIG_COUNT": "many",
        "GIT_INDEX_FILE": "/nowhere/x",
        "GIT_DIR": "/nowhere",
        "GIT_CONFIG": "/nowhere",
    }
    site.does("register", "fraud", "s3://b/3", env=env)
    site.sound()
