"""Where a registry lies: its Git folder, work tree and prefix, found without starting a process."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from gitreg.errors import EnvironmentFailure, NotARegistry
from gitreg.gitstore.objects import Person, clean_ident
from gitreg.gitstore.refs import Refs

SETTINGS_FILE = "gitreg.yaml"

_IN_PROGRESS = (
    ("MERGE_HEAD", "merge"),
    ("rebase-merge", "rebase"),
    ("rebase-apply", "rebase"),
    ("CHERRY_PICK_HEAD", "cherry-pick"),
    ("REVERT_HEAD", "revert"),
    ("BISECT_LOG", "bisect"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What HEAD is: ``branch`` None when detached, ``oid`` None when no commit was made yet."""

    branch: str | None
    oid: str | None


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository that holds a registry.

    Attributes:
        git_dir: This work tree's own Git folder (HEAD, index).
        common_dir: The Git folder that linked work trees share (objects, refs).
        work_tree: The work tree's root, None when bare.
        prefix: The registry's folder in it, ``"sub/folder/"`` or ``""``.
    """

    git_dir: Path
    common_dir: Path
    work_tree: Path | None
    prefix: str = ""
    _config: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def discover(cls, start: Path) -> Repository:
        """The registry that ``start`` lies in: the nearest folder upwards with its settings, or that is bare.

        Raises:
            NotARegistry: There is none.
            EnvironmentFailure: It belongs to another user.
        """
        here = start.absolute()
        for folder in (here, *here.parents):
            if folder.name != ".git" and (folder / SETTINGS_FILE).exists():
                return _checked(cls._in_work_tree(folder), folder)
            if folder.name != ".git" and _is_git_dir(folder):
                found = cls(git_dir=folder, common_dir=folder, work_tree=None)
                return _checked(cls._with_prefix(found), folder)
        raise NotARegistry(
            "no registry here or in any folder above", where=str(start), hint="make one with: gitreg init"
        )

    @classmethod
    def at(cls, root: Path, *, prefix: str = "") -> Repository:
        """The repository whose work tree or bare Git folder is exactly ``root``, registry or not."""
        if _is_git_dir(root):
            return _checked(cls(git_dir=root, common_dir=root, work_tree=None, prefix=prefix), root)
        git_dir = _git_dir_of(root)
        if git_dir is None:
            raise NotARegistry("no Git repository here", where=str(root), hint="make one with: gitreg init")
        common = _common_dir_of(git_dir)
        return _checked(cls(git_dir=git_dir, common_dir=common, work_tree=root, prefix=prefix), root)

    @classmethod
    def of_work_tree(cls, root: Path, *, git_dir: Path) -> Repository | None:
        """The repository of a work tree; None when it is gone or has another Git folder by now."""
        if _git_dir_of(root) != git_dir:
            return None
        return cls(git_dir=git_dir, common_dir=_common_dir_of(git_dir), work_tree=root)

    @classmethod
    def _in_work_tree(cls, folder: Path) -> Repository:
        for root in (folder, *folder.parents):
            git_dir = _git_dir_of(root)
            if git_dir is not None:
                prefix = "" if root == folder else folder.relative_to(root).as_posix() + "/"
                return cls(git_dir=git_dir, common_dir=_common_dir_of(git_dir), work_tree=root, prefix=prefix)
        raise NotARegistry(
            f"{SETTINGS_FILE} is here, but no Git repository",
            where=str(folder),
            hint="make one with: git init",
        )

    @classmethod
    def _with_prefix(cls, bare: Repository) -> Repository:
        try:
            text = (bare.git_dir / "config").read_bytes()
        except OSError:
            text = b""
        if b"[gitreg" not in text.lower():  # saves the process in nearly every bare registry
            return bare
        prefix = bare.setting("gitreg.prefix").strip("/")
        if not prefix:
            return bare
        return cls(git_dir=bare.git_dir, common_dir=bare.common_dir, work_tree=None, prefix=prefix + "/")

    @property
    def bare(self) -> bool:
        """Whether there is no work tree."""
        return self.work_tree is None

    @property
    def root(self) -> Path:
        """The folder in which Git is run."""
        return self.work_tree or self.git_dir

    @property
    def state_dir(self) -> Path:
        """Where lock, journal and index live; made on the first write only."""
        return self.common_dir / "gitreg"

    @cached_property
    def refs(self) -> Refs:
        """The refs, read from their files."""
        return Refs(git_dir=self.git_dir, common_dir=self.common_dir, at=self.root)

    @property
    def config(self) -> Mapping[str, tuple[str, ...]]:
        """Git's configuration: lower-case key → its values, the last one counts; asked for once."""
        if not self._config:
            self._config.update(_read_config(self.root))
        return self._config

    def setting(self, key: str, default: str = "") -> str:
        """The value of one setting of Git's configuration.

        Args:
            key: ``section.name`` or ``section.subsection.name``; section and name in lower case.
        """
        values = self.config.get(key)
        return values[-1] if values else default

    @property
    def algorithm(self) -> str:
        """The hash algorithm of object ids: ``sha1`` or ``sha256``."""
        return self.setting("extensions.objectformat", "sha1")

    @property
    def filters_off(self) -> dict[str, str]:
        """Environment that switches off every filter of the configuration, for commands that could run one.

        Git runs a filter to see whether a file that was written in the same second as the index has
        changed, even when it is asked to change another entry. There is no wildcard: each is named.
        """
        keys = [key for key in self.config if key.startswith("filter.")]
        settings = [(key, "false" if key.endswith(".required") else "") for key in keys]
        env = {"GIT_CONFIG_COUNT": str(len(settings))}
        for number, (key, value) in enumerate(settings):
            env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = key, value
        return env

    @property
    def partial(self) -> bool:
        """Whether objects may be missing on purpose (a partial clone)."""
        return "extensions.partialclone" in self.config or any(
            key.startswith("remote.") and key.endswith(".promisor") for key in self.config
        )

    def identity(self, env: Mapping[str, str], role: str) -> Person:
        """Who acts, as Git would find it: ``GIT_AUTHOR_*`` or ``GIT_COMMITTER_*``, else the configuration.

        Args:
            env: The environment, most often ``os.environ``.
            role: ``"author"`` or ``"committer"``.

        Raises:
            EnvironmentFailure: No name or no e-mail is known.
        """
        found = {}
        for part in ("name", "email"):
            text = env.get(f"GIT_{role.upper()}_{part.upper()}") or self.setting(f"{role}.{part}")
            found[part] = clean_ident(text or self.setting(f"user.{part}"))
        if not found["email"] and env.get("EMAIL"):
            found["email"] = clean_ident(env["EMAIL"])  # git-commit(1): the last place that Git looks at
        if not found["name"] or not found["email"]:
            missing = "name" if not found["name"] else "e-mail address"
            raise EnvironmentFailure(
                f"Git does not know your {missing}",
                hint="git config --global user.name 'Your Name'; "
                "git config --global user.email you@example.com",
            )
        return Person(name=found["name"], email=found["email"])

    def upstream(self, branch: str) -> str | None:
        """The ref that ``branch`` follows (``refs/remotes/origin/main``), None when it follows none."""
        remote, merge = self.setting(f"branch.{branch}.remote"), self.setting(f"branch.{branch}.merge")
        if not remote or not merge.startswith("refs/heads/"):
            return None
        if remote == ".":
            return merge
        return f"refs/remotes/{remote}/{merge.removeprefix('refs/heads/')}"

    def head(self) -> Head:
        """What HEAD is right now."""
        branch = self.refs.symbolic("HEAD")
        if branch is None:
            return Head(branch=None, oid=self.refs.read("HEAD"))
        return Head(branch=branch, oid=self.refs.read(branch))

    def shallow(self) -> frozenset[str]:
        """The commits whose parents were not fetched (a shallow clone); empty where all are there."""
        try:
            text = (self.common_dir / "shallow").read_text(encoding="ascii")
        except (FileNotFoundError, UnicodeDecodeError):
            return frozenset()
        return frozenset(text.split())

    def in_progress(self) -> str:
        """What is unfinished: merge, rebase, cherry-pick, revert or bisect; ``""``: nothing."""
        return next((name for mark, name in _IN_PROGRESS if (self.git_dir / mark).exists()), "")

    def _main_work_tree(self) -> Path | None:
        if self.git_dir == self.common_dir:
            return self.work_tree
        if self.setting("core.bare") == "true":
            return None
        named = self.setting("core.worktree")
        if named:
            return Path(os.path.normpath(self.common_dir / named))
        # A Git folder elsewhere (--separate-git-dir) does not tell its work tree; that it has one is enough.
        return self.common_dir.parent if self.common_dir.name == ".git" else self.common_dir

    def checked_out_elsewhere(self, ref: str) -> Path | None:
        """The other work tree that has ``ref`` checked out, None when there is none."""
        places = {self.common_dir: self._main_work_tree()}
        for folder in (self.common_dir / "worktrees").glob("*"):
            try:
                dot = _text_of(folder / "gitdir").strip()
            except OSError:  # being made or removed at this moment
                continue
            places[folder] = Path(os.path.normpath(folder / dot)).parent  # relative since Git 2.48, if asked
        for git_dir, root in places.items():
            if git_dir == self.git_dir or root is None or not root.exists():
                continue
            if Refs(git_dir=git_dir, common_dir=self.common_dir, at=self.root).symbolic("HEAD") == ref:
                return root
        return None


def _read_config(at: Path) -> dict[str, tuple[str, ...]]:
    from gitreg.gitstore.process import garbage, run  # most reads need none of Git's configuration

    args = ["config", "--list", "-z"]
    answer = run(args, at=at)
    found: dict[str, tuple[str, ...]] = {}
    for line in answer.stdout.split(b"\0")[:-1]:
        key, has_value, value = line.decode("utf-8", "surrogateescape").partition("\n")
        found[key] = (*found.get(key, ()), value if has_value else "true")
    if not any(key.startswith("core.") for key in found):
        raise garbage(args, at, answer.stdout)
    return found


def _is_git_dir(folder: Path) -> bool:
    return (folder / "HEAD").exists() and (folder / "objects").is_dir() and (folder / "refs").is_dir()


def _text_of(path: Path) -> str:
    return os.fsdecode(path.read_bytes())  # a path, in whatever bytes its folder is called


def _git_dir_of(root: Path) -> Path | None:
    dot = root / ".git"
    if dot.is_dir():
        return dot if _is_git_dir(dot) else None
    try:
        text = _text_of(dot)
    except OSError:
        return None
    if not text.startswith("gitdir: "):
        return None
    return Path(os.path.normpath(root / text.removeprefix("gitdir: ").rstrip("\r\n")))


def _common_dir_of(git_dir: Path) -> Path:
    try:
        text = _text_of(git_dir / "commondir").strip()
    except OSError:
        return git_dir
    return Path(os.path.normpath(git_dir / text))


def _checked(found: Repository, folder: Path) -> Repository:
    # Git refuses a repository of another user (safe.directory). What is read here without Git must
    # not be easier to get at; Git decides, but is asked only where the owner is not the caller.
    owned = {found.root, found.git_dir, found.root / ".git" if found.work_tree else found.git_dir}
    if any(path.lstat().st_uid != os.geteuid() for path in owned):
        from gitreg.gitstore.process import run

        run(["rev-parse", "--git-dir"], at=folder)
    if (found.common_dir / "reftable").is_dir():  # refs are read from their files
        raise EnvironmentFailure(
            "the repository keeps its refs as reftable, which gitreg can't read",
            where=str(found.common_dir),
            hint="git refs migrate --ref-format=files",
        )
    return found
