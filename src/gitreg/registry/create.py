"""Make a registry: a new repository, or a folder of one that exists, in one commit."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.domain.settings import Settings
from gitreg.errors import AlreadyExists, Conflict, InvalidInput, NotARegistry
from gitreg.gitstore.listing import ignored
from gitreg.gitstore.refs import check_ref_name
from gitreg.gitstore.repository import Repository
from gitreg.manifest import codec, rendering
from gitreg.manifest.layout import SCHEMAS_DIR, SETTINGS_FILE
from gitreg.manifest.schema import file_name, schema_names, schema_text
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook

if TYPE_CHECKING:
    from gitreg.registry.ci import Pipeline

DEFAULT_BRANCH = "main"

_ATTRIBUTES = "*.yaml text eol=lf"
_MESSAGE = "registry: set up the model registry\n\nGitreg-Event: policy\n"

# A line above each key of the new gitreg.yaml, for those who open it before they read any documentation.
_COMMENTS = {
    "format": "Settings of this model registry; gitreg config shows them, gitreg check checks them.",
    "branch": "The branch that is the registry: Git tags are made for its commits alone.",
    "layout": "flat: models/NAME, for up to some thousand models; sharded: models/HH/NAME, for more.",
    "stages": "In order: a name, or {name: …, exclusive: true}: one version of a model holds it at a time.",
    "tags": "Git tags. for: all, stages or none; prefix: text before every name; style: gitreg or gto.",
}

_README = """\
# {name}

A model registry kept by gitreg: every change is a commit.

- `models/NAME/model.yaml`: a registered model; `models/NAME/versions/N.yaml`: its versions
- `gitreg.yaml`: stages and settings

`gitreg list` shows the models, `gitreg log` what happened, `gitreg check` whether all is in order.
`git log` and `git tag` tell the same.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """A registry that was made.

    Attributes:
        root: The registry's folder, or the bare repository.
        prefix: That folder in its repository: ``""`` or ``sub/folder/``.
        branch: The registry's branch.
        commit: The commit that made it.
    """

    root: Path
    prefix: str
    branch: str
    commit: str


def create(
    path: Path,
    *,
    settings: Settings,
    branch: str | None,
    env: Mapping[str, str],
    now: datetime,
    ci: Pipeline | None = None,
) -> Created:
    """Make a registry at ``path``: in the repository that it lies in, or else in a new one.

    Args:
        path: Folder of the registry; made when it is not there.
        settings: Its settings; the branch in them counts for nothing.
        branch: The registry's branch. None: the one that is checked out, in a new repository ``main``.
        env: The environment, for the identity of the author.
        now: Time of the commit.
        ci: The workflow that the commit shall hold, too.

    Raises:
        AlreadyExists: There is a registry, or another file in the place of the workflow.
        Conflict: HEAD is detached or another branch is checked out, or files of a person stand in the way.
        EnvironmentFailure: Git knows no author, or the disk fails. Nothing is left behind.
    """
    here = Path(os.path.abspath(path))
    home = _enclosing(here)
    if home is None:
        ready = _on(settings, branch or DEFAULT_BRANCH)
        return _fresh(here, bare=False, settings=ready, env=env, now=now, ci=ci)
    if home.prefix and ignored(home, home.prefix):
        raise Conflict(
            "the repository around this folder ignores it (.gitignore)",
            where=str(here),
            hint=f"for a repository of its own: git init {here}; gitreg init {here}",
        )
    head = home.head()
    if head.branch is None:
        raise Conflict("HEAD is detached: there is no branch to commit to", hint="git switch BRANCH")
    current = head.branch.removeprefix("refs/heads/")
    if branch not in (None, current):
        raise Conflict(
            f"the branch {current} is checked out, not {branch}",
            where=str(home.root),
            hint=f"git switch -c {branch}" if head.oid else f"git switch --orphan {branch}",
        )
    return _commit(home, _on(_apart(settings, home.prefix), current), env, now, ci)


def _apart(settings: Settings, prefix: str) -> Settings:
    """Keep the tags of a registry in a sub-folder apart from those of the repository and of its siblings."""
    if not prefix or settings.tags.prefix or settings.tags.style == "gto":
        return settings
    try:
        check_ref_name(f"refs/tags/{prefix}m/v1")
    except Conflict:  # the folder's name is none that a ref can have
        return settings
    return replace(settings, tags=replace(settings.tags, prefix=prefix))


def create_bare(
    path: Path,
    *,
    settings: Settings,
    branch: str | None,
    env: Mapping[str, str],
    now: datetime,
    ci: Pipeline | None = None,
) -> Created:
    """Make a registry in a new bare repository at ``path``; see ``create``.

    Raises:
        Conflict: The folder is not empty.
    """
    here = Path(os.path.abspath(path))
    if here.exists() and any(here.iterdir()):
        if _repository_at(here):
            return create(here, settings=settings, branch=branch, env=env, now=now, ci=ci)
        raise Conflict("the folder is not empty", where=str(here), hint="gitreg init --bare NEW_FOLDER")
    ready = _on(settings, branch or DEFAULT_BRANCH)
    return _fresh(here, bare=True, settings=ready, env=env, now=now, ci=ci)


def _on(settings: Settings, branch: str) -> Settings:
    for name, what in (
        (f"refs/heads/{branch}", "branch"),
        (f"refs/tags/{settings.tags.prefix}m/v1", "tag prefix"),
    ):
        try:
            check_ref_name(name)
        except Conflict:
            given = branch if what == "branch" else settings.tags.prefix
            raise InvalidInput(
                f"Git allows no {what} called {given!r}", hint="see: git help check-ref-format"
            ) from None
    if branch.startswith("-"):
        raise InvalidInput(f"Git allows no branch called {branch!r}", hint="see: git help check-ref-format")
    return replace(settings, branch=branch)


def _repository_at(folder: Path) -> Repository | None:
    try:
        return Repository.at(folder)
    except NotARegistry:
        return None


def _enclosing(here: Path) -> Repository | None:
    """The repository that ``here`` is or lies in, with ``here`` as prefix; None where there is none."""
    for folder in (here, *here.parents):
        found = _repository_at(folder)
        if found is None:
            continue
        if found.bare and folder != here:
            raise Conflict(
                "the folder lies inside of a Git folder", where=str(here), hint="choose another one"
            )
        prefix = "" if folder == here else here.relative_to(folder).as_posix() + "/"
        return replace(found, prefix=prefix)
    return None


def _fresh(
    here: Path,
    *,
    bare: bool,
    settings: Settings,
    env: Mapping[str, str],
    now: datetime,
    ci: Pipeline | None,
) -> Created:
    from gitreg.gitstore import porcelain

    with _undone_on_failure(here):
        here.mkdir(parents=True, exist_ok=True)
        porcelain.init(here, bare=bare, branch=settings.branch)
        return _commit(Repository.at(here), settings, env, now, ci)


@contextmanager
def _undone_on_failure(here: Path) -> Iterator[None]:
    """Take away what the block made in the file system when it fails."""
    missing = [folder for folder in (here, *here.parents) if not folder.exists()]
    before = set() if missing else set(here.iterdir())
    try:
        yield
    except BaseException:
        made = [missing[-1]] if missing else [item for item in here.iterdir() if item not in before]
        for item in made:
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item, ignore_errors=True)
            else:
                item.unlink(missing_ok=True)
        raise


def _commit(
    repository: Repository,
    settings: Settings,
    env: Mapping[str, str],
    now: datetime,
    ci: Pipeline | None,
) -> Created:
    _refuse_existing(repository)
    author, committer = repository.identity(env, "author"), repository.identity(env, "committer")
    with Store(repository) as store:
        ref = f"refs/heads/{settings.branch}"
        with session_of(store, ref) as session:
            files = _files(store, settings, session.base)
            changes = {f"{repository.prefix}{path}": data for path, data in files.items()}
            commit = session.commit(
                parent=session.base,
                changes=changes | (_workflow(store, settings, ci, session.base) if ci else {}),
                message=_MESSAGE,
                author=author,
                committer=committer,
                when=now,
            )
            session.publish()
        TagBook(store, settings).completed(commit)
    root = repository.root / repository.prefix
    return Created(root=root, prefix=repository.prefix, branch=settings.branch, commit=commit)


def _refuse_existing(repository: Repository) -> None:
    if repository.work_tree is None:
        return
    here = repository.work_tree / repository.prefix
    for folder in (here, *here.parents):
        if (folder / SETTINGS_FILE).exists():
            if folder == here:
                raise _exists(str(folder))
            raise Conflict(
                "the folder lies inside of another registry", where=str(folder), hint="gitreg list"
            )
        if folder == repository.work_tree:
            return


def _exists(where: str) -> AlreadyExists:
    return AlreadyExists(
        "there is a registry already", where=where, hint="gitreg list shows it, gitreg check checks it"
    )


def _files(store: Store, settings: Settings, base: str | None) -> dict[str, bytes]:
    """Path below the registry's root → content."""
    files = {SETTINGS_FILE: settings_text(settings)}
    files |= {f"{SCHEMAS_DIR}/{file_name(name)}": schema_text(name).encode() for name in schema_names()}
    attributes = _present(store, base, ".gitattributes") or b""
    if _ATTRIBUTES.encode() not in attributes.splitlines():
        gap = b"" if not attributes or attributes.endswith(b"\n") else b"\n"
        files[".gitattributes"] = attributes + gap + _ATTRIBUTES.encode() + b"\n"
    if _present(store, base, SETTINGS_FILE) is not None:
        raise _exists(f"{settings.branch}:{store.prefix}{SETTINGS_FILE}")
    if _present(store, base, "README.md") is None and not _on_disk(store, "README.md"):
        files["README.md"] = _README.format(name=settings.name or "Model registry").encode()
    return files


def _workflow(store: Store, settings: Settings, ci: Pipeline, base: str | None) -> dict[str, bytes]:
    """Path from the repository's root → content."""
    from gitreg.registry import beside
    from gitreg.registry.ci import workflow

    empty = store.repository.bare and base is None
    path, data = workflow(
        ci, settings, store.prefix, lambda name: None if empty else beside.read(store, name)
    )
    return {path: data}


def _present(store: Store, base: str | None, path: str) -> bytes | None:
    entry = store.reader.entry(store.reader.commit(base).tree, store.prefix + path) if base else None
    return store.reader.blob(entry.oid) if entry else None


def _on_disk(store: Store, path: str) -> bool:
    tree = store.repository.work_tree
    return tree is not None and os.path.lexists(tree / store.prefix / path)


def settings_text(settings: Settings) -> bytes:
    """A new ``gitreg.yaml`` with a comment above each key.

    Raises:
        InvalidInput: A setting breaks the schema; InvalidManifests: two stages differ in case alone.
    """
    lines: list[str] = []
    for line in rendering.render_settings(settings, None).decode().splitlines():
        key = line.partition(":")[0]
        if key in _COMMENTS:
            lines += [f"# {_COMMENTS[key]}"]
        lines.append(line)
    data = ("\n".join(lines) + "\n").encode()
    codec.decode_settings(data)
    return data
