"""What happens to a registry: commands of ours, hands in an editor, and all that Git can do to a branch.

A step is a small frozen value, so that hypothesis can draw, print and shrink it. One that is not
possible where it comes (nothing to rename, a branch that is not there) is refused by gitreg or Git
and leaves all as it was; the next step goes on from there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from gitreg.domain.names import folder
from gitreg.manifest.layout import Layout
from tests.index.world import ALIASES, NAMES, STAGES, Refused, Step, World, pick, refusal

# Commands of ours


@dataclass(frozen=True)
class Register(Step):
    name: int
    metric: float = 0.5

    def on(self, world: World) -> None:
        with refusal():
            world.registry.register(
                NAMES[self.name % len(NAMES)],
                f"s3://bucket/{len(world.log)}",
                run_id=f"r{self.name}",
                metrics={"auc": self.metric, "odd": float("nan")},
                params={"depth": "3"},
                tags={"team": "grün"},
                description=f"at {len(world.log)}",
                aliases=["newest"],
            )


@dataclass(frozen=True)
class Ask(Step):
    """One of our verbs on a model or version that may be there."""

    verb: str
    name: int = 0
    number: int = 1
    word: int = 0

    def on(self, world: World) -> None:
        registry = world.registry
        name = pick(world.models() or list(NAMES), self.name)
        if self.verb == "restore":
            name = NAMES[self.name % len(NAMES)]
        uri = f"{name}/{self.number}"
        stage, alias = STAGES[self.word % 4], ALIASES[self.word % 2]
        verbs: dict[str, Callable[[], object]] = {
            "transition": lambda: registry.transition(uri, stage, archive_existing=self.word > 4),
            "assign": lambda: registry.assign(uri, stage),
            "unassign": lambda: registry.unassign(uri, stage),
            "alias": lambda: registry.alias(uri, alias),
            "unalias": lambda: registry.unalias(name, alias),
            "tag": lambda: registry.tag(uri, {"k": str(self.word), "owner": "ö"}),
            "untag": lambda: registry.untag(uri, "k"),
            "tag model": lambda: registry.tag(name, {"k": str(self.word)}),
            "describe": lambda: registry.update(uri, description=f"now {len(world.log)}"),
            "own": lambda: registry.update(name, owners=[f"team {self.word}"]),
            "evaluate": lambda: registry.evaluate(uri, "later", {"auc": 0.1 * self.word}),
            "deprecate": lambda: registry.deprecate(uri, reason="old"),
            "undeprecate": lambda: registry.undeprecate(uri),
            "delete": lambda: registry.delete(uri, reason="gone"),
            "delete model": lambda: registry.delete(name),
            "restore": lambda: registry.restore(uri),
            "restore model": lambda: registry.restore(NAMES[self.name % len(NAMES)]),
            "rename": lambda: registry.rename(name, NAMES[self.word % len(NAMES)]),
        }
        with refusal():
            verbs[self.verb]()


VERBS = (
    *("transition", "transition", "assign", "unassign", "alias", "unalias", "tag", "untag", "tag model"),
    *("describe", "own", "evaluate", "deprecate", "undeprecate", "delete", "delete model", "restore"),
    *("restore model", "rename", "rename"),
)


@dataclass(frozen=True)
class Batch(Step):
    """Several changes in one commit."""

    asks: tuple[Step, ...]

    def on(self, world: World) -> None:
        with refusal(), world.registry.batch("Several at once"):
            for one in self.asks:
                with suppress(Refused):
                    one.on(world)


# Hands in an editor


@dataclass(frozen=True)
class Write(Step):
    """A version's manifest written anew by hand: other stages, another origin, whatever comes."""

    name: int
    number: int
    stages: tuple[str, ...] = ()
    message: str = "plain"
    author: str = ""

    def on(self, world: World) -> None:
        path = world.file(pick(world.models(), self.name), self.number)
        lines = [f"version: {self.number}", 'created: "2026-01-02T03:04:05.678Z"']
        lines += ['updated: "2026-01-02T03:04:05.678Z"', f"source: s3://by-hand/{len(world.log) % 3}"]
        lines += ["parents: [models:/churn/1]", "datasets: [{name: telco, uri: s3://telco}]"]
        if self.stages:
            lines += ["stages:", *(f'  {stage}: "2026-01-03T00:00:00Z"' for stage in sorted({*self.stages}))]
        path.parent.mkdir(exist_ok=True)
        remove(path)
        path.write_text("\n".join([*lines, ""]))
        world.commit(self.message, self.author)


def remove(path: Path) -> None:
    """Whatever stands there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@dataclass(frozen=True)
class Spoil(Step):
    """A manifest is damaged, removed, or replaced by what is none."""

    how: str
    file: int = 0
    message: str = "plain"

    def on(self, world: World) -> None:
        path = Path(pick([str(one) for one in world.manifests()], self.file))
        text = path.read_bytes() if path.is_file() else b""
        if self.how != "comment":
            remove(path)
        match self.how:
            case "broken":
                path.write_text("stages: [\n")
            case "latin":
                path.write_bytes(text + b"description: caf\xe9\n")
            case "empty":
                path.write_text("")
            case "unknown field":
                path.write_bytes(text + b"stage: Production\n")
            case "duplicate key":
                path.write_bytes(text + text)
            case "link":
                path.symlink_to("elsewhere.yaml")
            case "executable":
                path.write_bytes(text)
                path.chmod(0o755)
            case "folder":
                path.mkdir()
                (path / "1.yaml").write_bytes(text)
            case "submodule":
                path.mkdir()
                head = world.git("rev-parse", "HEAD")
                place = path.relative_to(world.place)
                world.git("update-index", "--add", "--cacheinfo", f"160000,{head},{place}")
            case "other number":
                path.write_bytes(text.replace(b"version: ", b"version: 9"))
            case "comment":
                path.write_bytes(b"# a remark\n" + text)
            case "gone":
                pass
        world.commit(self.message)


SPOILS = (
    *("broken", "latin", "empty", "unknown field", "duplicate key", "link", "executable", "folder"),
    *("submodule", "other number", "comment", "gone", "gone"),
)


@dataclass(frozen=True)
class Stray(Step):
    """Files change that are no manifests, or nothing does."""

    how: str
    message: str = "plain"
    author: str = ""

    def on(self, world: World) -> None:
        text = f"{len(world.log)}\n"
        places = {
            "readme": "README.md",
            "card": f"{world.prefix}models/churn/README.md",
            "stray": f"{world.prefix}models/churn/notes.txt",
            "odd number": f"{world.prefix}models/churn/versions/01.yaml",
            "no name": f"{world.prefix}models/%zz/model.yaml",
            "bytes": os.fsdecode(f"{world.prefix}models/caf".encode() + b"\xe9"),
            "elsewhere": "other/models/churn/model.yaml",
        }
        if self.how in places:
            path = world.place / places[self.how]
            path.parent.mkdir(parents=True, exist_ok=True)
            remove(path)
            path.write_text(text)
        world.commit(self.message, self.author)


@dataclass(frozen=True)
class Approve(Step):
    """Files come, change or go below ``approvals/``, whether a person could have signed them or not."""

    how: str
    name: int = 0

    def on(self, world: World) -> None:
        name = folder(NAMES[self.name % len(NAMES)])
        signed = "\n-----BEGIN SSH SIGNATURE-----\nabc\n-----END SSH SIGNATURE-----\n"
        told = '{"predicate": {"proposed_by": ["bob@example.com", "ünï@example.com"]}}'
        places = {
            "plain": (f"{name}/1/Production/1/alice%40example.com.sig", told + signed),
            "again": (f"{name}/1/Production/1/alice%40example.com.sig", told + signed + "\n"),
            "second": (f"{name}/1/Production/1/carol%40example.com.sig", told + signed),
            "garbage": (f"{name}/2/Staging/3/alice%40example.com.sig", "\x00[[["),
            "deep": (f"{name}/2/Staging/4/alice%40example.com.sig", "[" * 60_000),
            "policy": (".policy/0123456789abcdef/alice%40example.com.sig", told + signed),
            "stray": (f"{name}/01/Production/1/alice.sig", told + signed),
            "no principal": (f"{name}/1/Production/1/%zz.sig", told + signed),
        }
        if self.how in places:
            at, text = places[self.how]
            path = world.folder / "approvals" / at
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif self.how == "gone":
            world.git("rm", "-rq", f"{world.prefix}approvals")
        elif self.how == "link":
            path = world.folder / f"approvals/{name}/1/Staging/1/eve.sig"
            path.parent.mkdir(parents=True, exist_ok=True)
            remove(path)
            path.symlink_to("elsewhere")
        world.commit()


@dataclass(frozen=True)
class Rules(Step):
    """A file of rules beside ``gitreg.yaml`` comes, changes or goes."""

    how: str

    def on(self, world: World) -> None:
        places = {
            "gate": f"{world.prefix}gates/production.json",
            "keys": f"{world.prefix}keys/allowed_signers",
            "bytes": os.fsdecode(f"{world.prefix}gates/caf".encode() + b"\xe9"),
            "owners": "CODEOWNERS",
            "other owners": ".github/CODEOWNERS",
            "elsewhere": "other/gates/production.json",
        }
        if self.how in places:
            path = world.place / places[self.how]
            if path.parent.is_file():
                path.parent.unlink()
            path.parent.mkdir(parents=True, exist_ok=True)
            remove(path)
            path.write_text(f"{len(world.log)}\n")
        elif self.how == "gone":
            remove(world.folder / "gates/production.json")
        elif self.how == "file":
            remove(world.folder / "keys")
            (world.folder / "keys").write_text("no folder\n")
        elif self.how == "link":
            path = world.folder / "gates/link.json"
            path.parent.mkdir(exist_ok=True)
            remove(path)
            path.symlink_to(f"elsewhere{len(world.log)}")
        world.commit()


RULES = ("gate", "keys", "bytes", "owners", "other owners", "elsewhere", "gone", "file", "link")
APPROVALS = ("plain", "again", "second", "garbage", "deep", "policy", "stray", "no principal", "link", "gone")


@dataclass(frozen=True)
class Configure(Step):
    """``gitreg.yaml`` is edited; what is broken there is mended by the next commit."""

    how: str

    def on(self, world: World) -> None:
        path = world.folder / "gitreg.yaml"
        was = path.read_text()
        match self.how:
            case "owners":
                asked = "policy: {approvals: {count: 1, codeowners: true}}\n"
                path.write_text(was.replace(asked, "") if asked in was else was + asked)
            case "stages":
                now = was.replace("  - Canary\n", "")
                path.write_text(
                    now if now != was else was.replace("  - Staging\n", "  - Staging\n  - Canary\n")
                )
            case "name":
                path.write_text(was + f'x-note-{len(world.log)}: "odd"\n')
            case "broken":
                path.write_text("format: [\n")
            case "gone":
                path.unlink()
            case "layout":
                self._move(world, path, was)
            case "layout alone":
                path.write_text(_other_layout(was))
            case "all gone":
                world.git("rm", "-rq", f"{world.prefix}gitreg.yaml", f"{world.prefix}models", check=False)
        world.commit()
        if self.how in ("broken", "gone", "all gone", "layout alone"):
            world.tick()
            world.git("revert", "--no-edit", "HEAD")

    def _move(self, world: World, path: Path, was: str) -> None:
        """Every model to where the other layout has it, in the commit that changes the layout."""
        flat = "layout: flat" in was
        old, new = (Layout("flat"), Layout("sharded")) if flat else (Layout("sharded"), Layout("flat"))
        with refusal():
            names = [name for name, _ in world.registry.at().states.folders()]
        for name in names:
            target = world.folder / new.model_dir(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            (world.folder / old.model_dir(name)).rename(target)
        path.write_text(_other_layout(was))


def _other_layout(text: str) -> str:
    old, new = ("flat", "sharded") if "layout: flat" in text else ("sharded", "flat")
    return text.replace(f"layout: {old}", f"layout: {new}")


# What Git can do to a branch


@dataclass(frozen=True)
class Branch(Step):
    """Go to a branch; it is made where it is not there."""

    name: str

    def on(self, world: World) -> None:
        if not world.git("switch", "-q", self.name, check=False):
            known = world.git("rev-parse", "--verify", "-q", f"refs/heads/{self.name}", check=False)
            if not known:
                world.git("switch", "-q", "-c", self.name)


@dataclass(frozen=True)
class Merge(Step):
    """Bring another branch to this one: ``commit``, ``squash``, ``rebase`` or ``foxtrot``."""

    how: str
    name: str

    def on(self, world: World) -> None:
        git = world.git
        here = git("branch", "--show-current")
        git("rev-parse", "--verify", f"refs/heads/{self.name}")
        if here == self.name:
            raise Refused("the branch itself")
        match self.how:
            case "commit":
                world.resolved("merge", "--no-ff", "--no-edit", "-X", "theirs", self.name)
            case "squash":
                world.resolved("merge", "--squash", "-X", "theirs", self.name)
                world.commit()
            case "rebase":
                git("switch", "-q", self.name)
                world.resolved("rebase", "-X", "theirs", here)
                git("switch", "-q", here)
                git("merge", "-q", "--ff-only", self.name)
            case "foxtrot":  # the old head becomes the second parent
                git("switch", "-q", self.name)
                world.resolved("merge", "--no-ff", "--no-edit", "-X", "ours", here)
                git("switch", "-q", here)
                git("merge", "-q", "--ff-only", self.name)


@dataclass(frozen=True)
class Back(Step):
    """Take back or rewrite the newest commits: ``revert``, ``amend``, ``reword``, ``reset``, ``drop``, ``pick``."""

    how: str
    count: int = 1

    def on(self, world: World) -> None:
        git = world.git
        rev = git("rev-parse", "--verify", f"HEAD~{self.count}")
        if "[" in git("show", f"{rev}:{world.prefix}gitreg.yaml"):
            raise Refused("a branch whose head is no registry has nothing to read")
        match self.how:
            case "revert":
                parents = git("rev-list", "--parents", "-1", f"HEAD~{self.count - 1}").split()
                mainline = ["-m", "1"] if len(parents) > 2 else []
                world.resolved("revert", "--no-edit", "-X", "theirs", *mainline, f"HEAD~{self.count - 1}")
            case "reword":
                git("commit", "-q", "--amend", "--allow-empty", "-m", f"Said otherwise {len(world.log)}")
            case "amend":
                (world.place / "README.md").write_text(f"amended {len(world.log)}\n")
                git("commit", "-q", "--amend", "--allow-empty", "--no-edit", "-a")
            case "reset":
                git("reset", "-q", "--hard", rev)
            case "squash":  # a force-push of the same tree in one commit
                git("reset", "-q", "--soft", rev)
                world.commit()
            case "orphan":  # the same tree without any history
                tree = git("rev-parse", "HEAD^{tree}")
                git("reset", "-q", "--hard", git("commit-tree", "-m", "Anew", tree))
        if world.git("status", "--porcelain"):
            raise Refused("half done")


@dataclass(frozen=True)
class Gc(Step):
    """Objects are packed, and those that no branch holds any more are lost."""

    def on(self, world: World) -> None:
        world.git("reflog", "expire", "--expire=now", "--all")
        world.git("-c", "gc.writeCommitGraph=true", "gc", "-q", "--prune=now")


@dataclass(frozen=True)
class Clock(Step):
    """The clock is set: hours forwards or backwards."""

    hours: int

    def on(self, world: World) -> None:
        world.now += timedelta(hours=self.hours)


@dataclass(frozen=True)
class Raw(Step):
    """A commit on the same tree made byte by byte, as odd as programs make them."""

    how: str

    def on(self, world: World) -> None:
        tree, head = world.git("rev-parse", "HEAD^{tree}", "HEAD").split()
        stamp = f"{world.now.timestamp():.0f} +0000"
        lines = [f"tree {tree}".encode(), f"parent {head}".encode()]
        who = {
            "latin author": "Jos\xe9 <jose@e>".encode("latin-1"),
            "no name": b" <nobody@e>",
            "newline escape": b"a\x1b[31m b <c@d>",
        }.get(self.how, b"Raw <raw@example.com>")
        when = {"zone": b"1700000000 -1145", "early": b"100 +0000", "late": b"4000000000 +0000"}.get(
            self.how, stamp.encode()
        )
        lines += [b"author " + who + b" " + when, b"committer " + who + b" " + when]
        if self.how == "encoding":
            lines += [b"encoding ISO-8859-1", b"", "Schön\n\nWörter\n".encode("latin-1")]
        elif self.how == "signed":
            lines += [b"gpgsig -----BEGIN SSH SIGNATURE-----", b" abc", b" -----END SSH SIGNATURE-----"]
            lines += [b"", b"Signed\n\nparent 0000\n"]
        else:
            lines += [b"", b"Raw: " + self.how.encode() + b"\n"]
        oid = world.git("hash-object", "-t", "commit", "-w", "--stdin", "--literally", data=b"\n".join(lines))
        world.git("reset", "-q", "--hard", oid)


RAWS = ("latin author", "no name", "newline escape", "zone", "early", "late", "encoding", "signed")
