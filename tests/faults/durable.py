"""Show by a trace of system calls that everything a command wrote was on the disk before it answered.

python -m tests.faults.durable [--kind bare] [-- COMMAND …]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.harness import STORE, STRACE, Broken, arguments, environment, git, prepare

_TRACED = (
    "openat,open,creat,write,pwrite64,writev,rename,renameat,renameat2,link,linkat,mkdir,mkdirat,"
    "fsync,fdatasync,unlink,unlinkat"
)
_LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(.*)$")
_PATHS = re.compile(r'(?:(AT_FDCWD|\d+)(?:<([^>]*)>)?, )?"([^"]*)"')
_DESCRIPTOR = re.compile(r"\(\d+<([^>]*)>")


@dataclass(slots=True)
class Disk:
    """What of a repository would be lost if the power went: by path, kept up call by call."""

    root: str
    written: dict[str, int] = field(default_factory=dict)  # file → number of the last unsynced write
    named: dict[str, set[str]] = field(default_factory=dict)  # folder → names not yet synced
    syncs: int = 0
    unannounced: bool = False  # the branch moved before the journal was on the disk

    def take(self, call: str, rest: str) -> None:
        """Follow one system call."""
        if " = -1 " in rest or "resumed>" in rest:
            return
        if call in ("fsync", "fdatasync"):
            path = self._descriptor(rest)
            self.written.pop(path, None)
            self.named.pop(path, None)
            self.syncs += 1
        elif call in ("write", "pwrite64", "writev"):
            path = self._descriptor(rest)
            if path.startswith(self.root):
                self.written[path] = self.written.get(path, 0) + 1
        else:
            self._name(call, [self._absolute(match) for match in _PATHS.finditer(rest)], rest)

    def _name(self, call: str, paths: list[str], rest: str) -> None:
        if not paths or not paths[-1].startswith(self.root):
            return
        if call in ("openat", "open", "creat"):
            if "O_CREAT" in rest:
                self._add(paths[0])
                self.written.setdefault(paths[0], 0)
        elif call.startswith("rename"):
            self._forget(paths[0])
            self.written.pop(paths[1], None)
            if paths[0] in self.written:
                self.written[paths[1]] = self.written.pop(paths[0])
            self._add(paths[1])
            if paths[1].endswith("/refs/heads/main"):
                self.unannounced = f"{self.root}/gitreg/journal.json" in self.written
        elif call.startswith("unlink"):
            self._forget(paths[0])
            self.written.pop(paths[0], None)
        else:
            self._add(paths[-1])

    def _add(self, path: str) -> None:
        self.named.setdefault(str(Path(path).parent), set()).add(Path(path).name)

    def _forget(self, path: str) -> None:
        self.named.get(str(Path(path).parent), set()).discard(Path(path).name)

    def _absolute(self, match: re.Match[str]) -> str:
        return str(Path(match[2] or self.root, match[3]))

    @staticmethod
    def _descriptor(rest: str) -> str:
        found = _DESCRIPTOR.search(rest)
        return found[1] if found else ""


def trace(*, kind: str, command: Sequence[str] = STORE) -> Disk:
    """Trace one registration up to its answer, and give what was not on the disk by then.

    Raises:
        Broken: An object, a ref, or a folder that names one was not synced.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = prepare(Path(folder), kind, command)
        log = Path(folder) / "log"
        argv = [str(STRACE), "-f", "-y", "-qq", "-s", "4096", "-o", str(log), "-e", f"trace={_TRACED}"]
        subprocess.run(
            [*argv, *arguments(command, "register")],
            cwd=target,
            env=environment(),
            check=True,
            capture_output=True,
        )
        git_dir = git(target, "rev-parse", "--absolute-git-dir").strip()
        disk = Disk(root=git_dir)
        for call, rest in _until_answer(log.read_text(errors="replace").splitlines()):
            disk.take(call, rest)
        _assert_synced(disk, kind)
        return disk


def _until_answer(lines: list[str]) -> Iterator[tuple[str, str]]:
    started: dict[str, str] = {}
    for line in lines:
        found = _LINE.match(line)
        if not found:
            continue
        process, call, rest = found.groups()
        if rest.endswith("<unfinished ...>"):
            started[process] = rest.removesuffix("<unfinished ...>")
            continue
        if "resumed>" in rest:
            rest = started.pop(process, "") + rest.split("resumed>", 1)[1]
        if call == "write" and rest.startswith("(1<") and "v2" in rest:
            return
        yield call, rest
    raise Broken("no answer was found in the trace")


def _assert_synced(disk: Disk, kind: str) -> None:
    kept = ("objects", "refs", "packed-refs", *(["index"] if kind == "plain" else []))
    files = [path for path in disk.written if path.removeprefix(disk.root + "/").startswith(kept)]
    files = [path for path in files if not path.endswith(".lock")]
    folders = {path: names for path, names in disk.named.items() if names and "/logs" not in path}
    places = (f"{disk.root}/objects", f"{disk.root}/refs")
    folders = {path: names for path, names in folders.items() if path.startswith(places)}
    if files or folders:
        raise Broken(f"not synced before the answer: files {sorted(files)}, folders {folders}")
    if kind == "plain" and disk.unannounced:
        raise Broken("the branch moved before the journal was on the disk")
    if not disk.syncs:
        raise Broken("nothing was synced at all")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kind", default="bare", choices=["bare", "plain"])
    parser.add_argument("command", nargs="*", default=list(STORE))
    options = parser.parse_args()
    if STRACE is None:
        sys.exit("strace is missing: apt-get install strace")
    disk = trace(kind=options.kind, command=options.command)
    sys.stdout.write(f"{disk.syncs} syncs before the answer; nothing of objects and refs was left\n")


if __name__ == "__main__":
    main()
