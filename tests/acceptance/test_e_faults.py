"""E09–E12: a disk that is read-only or full, locks that somebody left, and a git that does not work."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.acceptance.standard import (
    ENVIRONMENT,
    INVALID,
    Outcome,
    Site,
    clean,
    differences,
    gitreg_command,
    snapshot,
    told,
    unchanged,
)

V1 = "models/fraud/versions/1.yaml"
WRITES = (
    ["register", "fraud", "s3://b/3"],
    ["transition", "fraud/1", "Staging"],
    ["delete", "--yes", "fraud/1"],
)


def _namespaces() -> bool:
    if not sys.platform.startswith("linux") or os.geteuid() != 0 or not shutil.which("nsenter"):
        return False
    return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


MOUNTS = pytest.mark.skipif(not _namespaces(), reason="needs root and mount namespaces of Linux")


class Mounted:
    """A mount namespace of its own in which a folder is mounted otherwise; seen from outside through /proc."""

    def __init__(self, script: str, folder: Path) -> None:
        words = ["unshare", "-m", "sh", "-c", f"{script}; echo ready; exec sleep 600", "sh", str(folder)]
        self._holder = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self._enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt", "--"]
        self._folder = folder

    def seen(self, path: Path) -> Path:
        """``path`` inside, as it can be read from outside."""
        return Path(f"/proc/{self._holder.pid}/root{path}")

    def run(self, *args: str, at: Path) -> Outcome:
        """Run gitreg inside, in the folder ``at``."""
        wrapped = [*self._enter, "env", "-C", str(at)]
        return clean(gitreg_command(*args, at=at.parents[len(at.parents) - 1], wrapped=wrapped))

    def git(self, *args: str, at: Path) -> str:
        """What plain Git says inside."""
        words = [*self._enter, "env", "-C", str(at), "git", *args]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def end(self) -> None:
        """Kill the holder; the mounts go with it."""
        self._holder.send_signal(signal.SIGKILL)
        self._holder.wait()


@pytest.fixture
def mounted() -> Iterator[Callable[[str, Path], Mounted]]:
    """Makes ``Mounted`` and ends it."""
    made: list[Mounted] = []

    def make(script: str, folder: Path) -> Mounted:
        made.append(Mounted(script, folder))
        return made[-1]

    yield make
    for each in made:
        each.end()


@MOUNTS
@pytest.mark.parametrize("form", ["plain", "bare"])
def test_E09_read_only_mount(
    site: Site, bare: Site, mounted: Callable[[str, Path], Mounted], form: str
) -> None:
    root = (site if form == "plain" else bare).root
    inside = mounted('mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"', root)
    with unchanged(inside.seen(root)):
        for args in WRITES:
            outcome = told(inside.run(*args, at=root), ENVIRONMENT, "read-only")
            assert str(root) in outcome.err, outcome
        for args in (["list"], ["show", "fraud/1"], ["log"], ["check"], ["resolve", "fraud@champion"]):
            assert inside.run(*args, at=root).code == 0
        told(inside.run("init", "new", at=root), (4, ENVIRONMENT))


def _fill(folder: Path, left: int) -> None:
    """Leave ``left`` kB on the disk of ``folder``."""
    info = os.statvfs(folder)
    free = info.f_bavail * info.f_frsize
    with open(folder / "filler", "wb") as file:
        file.write(b"\0" * max(0, free - left * 1024))


@MOUNTS
@pytest.mark.parametrize("form", ["plain", "bare"])
@pytest.mark.parametrize("resource", ["space", "inodes"])
def test_E10_disk_full(
    template: Site,
    bare: Site,
    tmp_path: Path,
    mounted: Callable[[str, Path], Mounted],
    form: str,
    resource: str,
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    source = template.root if form == "plain" else bare.root
    limit = "size=8m" if resource == "space" else "size=8m,nr_inodes=600"
    inside = mounted(f'mount -t tmpfs -o {limit} none "$1" && cp -a {source} "$1"/registry', disk)
    root, seen = disk / "registry", inside.seen(disk / "registry")
    done = 0
    for left in range(0, 120, 4) if resource == "space" else range(40):
        before = _kept(seen)
        _block(inside.seen(disk), left, resource)
        outcome = inside.run("register", "fraud", f"s3://b/{left}", at=root)
        _unblock(inside.seen(disk))
        if outcome.code == 0:
            done += 1
            if done == 2:
                break
            continue
        told(outcome, ENVIRONMENT)
        assert not differences(before, _kept(seen)), outcome
    assert done == 2, "no amount of space was enough"
    assert inside.run("register", "fraud", "s3://b/last", at=root).code == 0
    inside.git("fsck", "--strict", "--no-dangling", at=root)
    if form == "plain":
        assert inside.git("status", "--porcelain", at=root) == ""
    numbers = inside.run("list", "fraud", at=root).out.count("s3://")
    assert numbers == 2 + done + 1


def _kept(root: Path) -> dict[str, str]:
    """All but objects that no ref holds: those may be left when the disk was full."""
    return {
        path: what
        for path, what in snapshot(root).items()
        if not path.removeprefix(".git/").startswith("objects/")
    }


def _block(disk: Path, left: int, resource: str) -> None:
    if resource == "space":
        _fill(disk, left)
        return
    (disk / "many").mkdir()
    for number in range(max(0, os.statvfs(disk).f_favail - left)):
        (disk / "many" / str(number)).touch()


def _unblock(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)
    shutil.rmtree(disk / "many", ignore_errors=True)


LOCKS = [
    "index.lock",
    "HEAD.lock",
    "refs/heads/main.lock",
    "refs/tags/fraud/v3.lock",
    "packed-refs.lock",
    "gc.pid.lock",
]


@pytest.mark.parametrize("name", LOCKS)
def test_E11_stale_lock(site: Site, name: str) -> None:
    lock = site.root / ".git" / name
    lock.touch()
    then = time.time() - 3 * 86_400
    os.utime(lock, (then, then))
    idle = site.does("list").seconds
    with unchanged(site.root):
        outcome = clean(gitreg_command("register", "fraud", "s3://b/3", "--dry-run", at=site.root))
    assert outcome.code == 0, outcome
    before = snapshot(site.root)
    outcome = clean(gitreg_command("register", "fraud", "s3://b/3", at=site.root))
    assert outcome.seconds - idle < 2.0, outcome
    if name in ("packed-refs.lock", "gc.pid.lock") and outcome.code == 0:
        site.sound()  # it stood in nobody's way
        return
    told(outcome, ENVIRONMENT, name, "gitreg doctor")
    assert "3 days" in outcome.err or "259" in outcome.err, outcome  # 259,200 s
    assert not differences(before, snapshot(site.root))
    _doctor(site, lock)


def _doctor(site: Site, lock: Path) -> None:
    outcome = site.does("doctor")
    assert lock.name in outcome.out + outcome.err, outcome
    assert not lock.exists(), outcome
    site.does("register", "fraud", "s3://b/3")
    site.sound()


def test_E11_lock_of_a_living_git_that_goes_away(site: Site) -> None:
    lock = site.root / ".git" / "index.lock"
    lock.touch()
    with subprocess.Popen(["sh", "-c", f"sleep 0.7; rm {lock}"]):
        site.does("register", "fraud", "s3://b/3")
    site.sound()


def test_E11_bare_branch_lock(bare: Site) -> None:
    (bare.root / "refs" / "heads" / "main.lock").touch()
    bare.refuses(
        "register", "fraud", "s3://b/3", code=ENVIRONMENT, says=["main.lock", "gitreg doctor", "old"]
    )


REAL = shutil.which("git") or "git"
SHORT = "2"  # seconds for each run of git, see GITREG_GIT_TIMEOUT

GITS = {
    "too old": f'if [ "$*" = version ] || [ "$*" = --version ] || echo " $* " | grep -q " version "; '
    f'then echo "git version 1.8.3"; else exec {REAL} "$@"; fi',
    "hanging": "exec sleep 300",
    "hanging with its mouth open": "echo; exec sleep 300",
    "garbage": "echo garbage; exit 0",
    "nothing": "exit 0",
    "zeros": "head -c 4096 /dev/zero; exit 0",
    "endless": "exec yes garbage",
    "failing": "echo 'fatal: \033[31mbroken' >&2; exit 128",
    "killed": "kill -9 $$",
    "no program": None,
}


def _path_with(tmp_path: Path, script: str | None) -> str:
    folder = tmp_path / "bin"
    folder.mkdir()
    fake = folder / "git"
    fake.write_text(f"#!/bin/sh\n{script}\n" if script else "\x7fELF no program")
    fake.chmod(0o755)
    return f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin"


@pytest.mark.parametrize("kind", GITS)
@pytest.mark.parametrize(
    "args", [["show", "fraud/1"], ["register", "fraud", "s3://b/3"]], ids=["read", "write"]
)
def test_E12_git_that_does_not_work(site: Site, tmp_path: Path, kind: str, args: list[str]) -> None:
    env = {"PATH": _path_with(tmp_path, GITS[kind]), "GITREG_GIT_TIMEOUT": SHORT}
    says = ["git", "1.8.3"] if kind == "too old" else ["git"]
    outcome = site.refuses(*args, code=ENVIRONMENT, says=says, env=env, mend=kind != "failing")
    assert outcome.seconds < 30, outcome


# ls-files and update-index rightly say nothing when all is well: that can't be told from a fault.
FAULTS = [
    (verb, kind)
    for verb in ("cat-file", "update-ref", "config")
    for kind in ("garbage", "hanging", "nothing")
]
FAULTS += [("ls-files", "garbage"), ("ls-files", "hanging"), ("update-index", "hanging")]


@pytest.mark.parametrize(("verb", "kind"), FAULTS)
def test_E12_one_command_of_git_does_not_work(site: Site, tmp_path: Path, verb: str, kind: str) -> None:
    asked = tmp_path / "asked"
    script = (
        f'for word; do case "$word" in {verb}) touch {asked}; {GITS[kind]};; esac; done; exec {REAL} "$@"'
    )
    env = {"PATH": _path_with(tmp_path, script), "GITREG_GIT_TIMEOUT": SHORT}
    if verb == "update-ref":  # few refs move in process, but not where Git sets their modes
        site.git("config", "core.sharedRepository", "group")
    before = _kept(site.root)
    outcome = clean(gitreg_command("register", "fraud", "s3://b/3", at=site.root, env=env))
    if not asked.exists():  # a registration can do without this one
        assert outcome.code == 0 and verb not in ("cat-file", "update-ref"), outcome
        return
    told(outcome, ENVIRONMENT, f"git {verb}")
    # As on a full disk: what was written before Git failed stays as objects that no ref holds.
    assert not differences(before, _kept(site.root))
    assert outcome.seconds < 15, outcome
    site.does("register", "fraud", "s3://b/3")
    site.sound()


@pytest.mark.parametrize("path", ["/nonexistent", ""])
def test_E12_git_is_missing(site: Site, tmp_path: Path, path: str) -> None:
    env = {"PATH": path}
    for args in (["show", "fraud/1"], ["register", "fraud", "s3://b/3"], ["check"], ["doctor"]):
        site.refuses(*args, code=ENVIRONMENT, says=["git was not found"], env=env)
    told(
        gitreg_command("init", str(tmp_path / "new"), at=tmp_path, env=env), ENVIRONMENT, "git was not found"
    )
    assert not (tmp_path / "new").exists()
    assert site.run("explain", "GR012", env=env).code == 0  # needs no Git
    assert site.run("show", "a/b", env=env).code in (INVALID, ENVIRONMENT)
