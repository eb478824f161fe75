"""What the fault scripts share: a registry to hurt, the tracer, and the question whether all is well."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

STRACE = shutil.which("strace")
ROOT = Path(__file__).resolve().parents[2]
STORE = (sys.executable, "-m", "tests.faults.driver")

# Every system call that changes a file, a name or what is on the disk.
MUTATING = (
    "write,pwrite64,writev,rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,"
    "mkdir,mkdirat,rmdir,ftruncate,fsync,fdatasync,chmod,fchmod,fchmodat"
)


class Broken(AssertionError):
    """The registry is in a state that no kill may leave it in."""


def environment() -> dict[str, str]:
    """The caller's environment with the source folder on Python's path."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}


def git(at: Path, *args: str) -> str:
    """Plain Git; its output."""
    done = subprocess.run(["git", "-C", str(at), *args], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"git {' '.join(args)}: {done.stderr}{done.stdout}")
    return done.stdout


def prepare(place: Path, kind: str, command: Sequence[str]) -> Path:
    """A registry with one version of the model ``m``, registered by the command itself.

    Args:
        kind: ``"plain"`` or ``"bare"``.
    """
    source = place / "source"
    git(place, "init", "-q", "-b", "main", str(source))
    (source / "gitreg.yaml").write_text("format: 1\n")
    git(source, "add", ".")
    git(source, "commit", "-q", "-m", "start")
    found = source
    if kind == "bare":
        found = place / "bare.git"
        git(place, "clone", "-q", "--bare", str(source), str(found))
    perform(found, [*command, "register", "m", *extra(command)])
    return found


def extra(command: Sequence[str]) -> list[str]:
    """What `gitreg register` needs beyond the name, and the store's driver does not."""
    return [] if "tests.faults.driver" in command else ["s3://bucket/m"]


def arguments(command: Sequence[str], verb: str) -> list[str]:
    """The full command line of a verb for the store's driver or for gitreg itself."""
    if verb == "register":
        return [*command, "register", "m", *extra(command)]
    if "tests.faults.driver" in command:
        return [*command, verb, "m"]
    return [*command, verb, "m/latest", "Production"]


def perform(at: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command that must succeed."""
    done = subprocess.run(command, cwd=at, env=environment(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Broken(f"{' '.join(command)} failed with {done.returncode}: {done.stderr}")
    return done


def assert_sound(at: Path) -> None:
    """Objects, tags, locks and work tree are as they must be after any command.

    Raises:
        Broken: Saying what is not.
    """
    git(at, "fsck", "--full", "--strict")
    files = git(at, "ls-tree", "-r", "--name-only", "main").split()
    versions = {
        f"{match[1]}/v{match[2]}"
        for file in files
        if (match := re.search(r"models/(.+)/versions/(\d+)\.yaml$", file))
    }
    tags = git(at, "tag").split()
    if {tag for tag in tags if "/v" in tag} != versions:
        raise Broken(f"tags {sorted(tags)} do not stand for the versions {sorted(versions)}")
    chain = set(git(at, "rev-list", "--first-parent", "main").split())
    for line in git(at, "for-each-ref", "--format=%(refname) %(*objectname)", "refs/tags").splitlines():
        if line.split()[1] not in chain:
            raise Broken(f"{line} is not on the branch")
    common = Path(git(at, "rev-parse", "--absolute-git-dir").strip())
    left = [path.name for path in common.rglob("*.lock") if path.name != "write.lock"]
    left += [path.name for path in common.glob("gitreg-staging")]
    if left:
        raise Broken(f"left behind: {left}")
    if git(at, "rev-parse", "--is-bare-repository").strip() == "false":
        dirty = git(at, "status", "--porcelain")
        if dirty:
            raise Broken(f"the work tree is not clean:\n{dirty}")
