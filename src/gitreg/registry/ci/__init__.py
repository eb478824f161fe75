"""The workflows that a hosting service runs: verify, comment, reconcile, and an example that deploys.

They are files of this package with words in the place of what differs from registry to registry. Every
step is a script of ours: nothing of anybody else's is run but what pip installs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from gitreg.domain.settings import ARCHIVED, Settings
from gitreg.domain.tagging import style_of
from gitreg.errors import AlreadyExists, InvalidInput
from gitreg.registry import beside
from gitreg.registry.codeowners import codeowners
from gitreg.registry.store import Store

Service = Literal["github", "gitlab", "gitea"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Whose workflow is asked for.

    Attributes:
        service: The hosting service.
        package: What pip shall install where no variable says it; ``""``: a variable must. Variables
            reach no pull request from a fork.
    """

    service: Service
    package: str = ""


_PATHS: dict[Service, str] = {
    "github": ".github/workflows/gitreg.yml",
    "gitea": ".gitea/workflows/gitreg.yml",
    "gitlab": ".gitlab-ci.yml",
}
_INCLUDED = "gitreg.gitlab-ci.yml"
_BRANCH = re.compile(r"[A-Za-z0-9._/@+=%-]+")
_FOLDER = re.compile(r"[^$\"'\\{}\x00-\x1f\x7f]*")
_PACKAGE = re.compile(r"[^-$\"'\\{}\x00-\x20\x7f][^$\"'\\{}\x00-\x1f\x7f]*")

_INSTALL = """\
- name: Install gitreg
  run: |
    package="${GITREG_PACKAGE:?is not set: what shall pip install?}"
    python3 -I -m venv "$RUNNER_TEMP/gitreg"
    "$RUNNER_TEMP/gitreg/bin/pip" install --quiet --disable-pip-version-check "$package"
    echo "$RUNNER_TEMP/gitreg/bin" >>"$GITHUB_PATH"
"""
# What a proposal holds is fetched, and never checked out: only the branch that it is for is.
_FETCH = """\
- name: Fetch the registry
  env:
    TOKEN: ${{ github.token }}
    REPOSITORY: ${{ github.server_url }}/${{ github.repository }}
    NUMBER: ${{ github.event.pull_request.number }}
  run: |
    rm -rf registry
    helper='!f() { echo username=x-access-token; echo "password=$TOKEN"; }; f'
    fetch() { git -c credential.helper= -c credential.helper="$helper" "$@"; }
    fetch clone --quiet --no-checkout "$REPOSITORY" registry
    if [ -n "$NUMBER" ]; then
      fetch -C registry fetch --quiet origin "+refs/pull/$NUMBER/head:refs/remotes/request/head"
    fi
    git -C registry checkout --quiet --detach "origin/$BRANCH"
"""
_RUNS_ON: dict[Service, str] = {
    "github": "runs-on: ubuntu-latest\n",
    "gitea": "runs-on: ubuntu-latest\ncontainer:\n  image: python:3.12\n",
}
_WORDS: dict[Service, dict[str, str]] = {
    "github": {
        "NAME": "GitHub",
        "WHERE": "Settings, Secrets and variables, Actions, Variables",
        "TOKEN": "GH_TOKEN",
        "FORMAT": "github",
    },
    "gitea": {
        "NAME": "Gitea",
        "WHERE": "Settings, Actions, Variables",
        "TOKEN": "GITEA_TOKEN",
        "FORMAT": "text",
    },
    "gitlab": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What ``add`` did, with paths from the repository's root.

    Attributes:
        written: New files, and CODEOWNERS where it got new lines.
        present: What was there already, and as it must be.
        include: A file that an existing pipeline must include; ``""``: none.
    """

    written: tuple[str, ...]
    present: tuple[str, ...]
    include: str = ""


def add(store: Store, pipeline: Pipeline) -> Added:
    """Put workflow and CODEOWNERS beside a registry that is there, in the work tree.

    Raises:
        AlreadyExists: Another file stands in the place of one. Nothing was written.
        UsageError: A bare repository has no files.
        InvalidInput: The branch, the registry's folder or the package can't be written in a workflow.
    """
    beside.work_tree(store)
    settings = store.view(store.head()).settings
    path, data = workflow(pipeline, settings, store.prefix, lambda name: beside.read(store, name))
    owners = codeowners(store, pipeline.service)
    wanted = {path: data} | ({owners.path: owners.after} if owners.owned else {})
    new = {name: text for name, text in wanted.items() if beside.read(store, name) != text}
    for name, text in new.items():
        beside.write(store, name, text)
    present = tuple(name for name in wanted if name not in new)
    return Added(written=tuple(new), present=present, include=path if path == _INCLUDED else "")


def workflow(
    pipeline: Pipeline, settings: Settings, prefix: str, read: Callable[[str], bytes | None]
) -> tuple[str, bytes]:
    """The workflow's path from the repository's root, and its text.

    Args:
        pipeline: Whose.
        settings: Of the registry: its branch, stages and tags.
        prefix: The registry's folder in the repository, ``""`` or ``sub/folder/``.
        read: Gives what stands at a path, None where nothing does.

    Raises:
        AlreadyExists: Another file stands there.
        InvalidInput: The branch, the registry's folder or the package can't be written in a workflow.
    """
    service = pipeline.service
    data = _text(pipeline, settings, prefix).encode()
    path = _PATHS[service]
    if service == "gitlab" and read(path) not in (None, data):
        path = _INCLUDED  # a pipeline of theirs, which can include ours
    if read(path) not in (None, data):
        hint = f"to see what differs: git mv {path} {path}.old; gitreg init --ci {service}"
        raise AlreadyExists("there is another file already", where=path, hint=hint)
    return path, data


def _text(pipeline: Pipeline, settings: Settings, prefix: str) -> str:
    service = pipeline.service
    if not _BRANCH.fullmatch(settings.branch):
        raise InvalidInput("a workflow can't name such a branch", where=f"branch: {settings.branch}")
    if not _FOLDER.fullmatch(prefix):
        raise InvalidInput("a workflow can't name such a folder", where=prefix)
    if pipeline.package and not _PACKAGE.fullmatch(pipeline.package):
        raise InvalidInput("a workflow can't name such a package", where=pipeline.package)
    name = "gitlab.yml" if service == "gitlab" else "actions.yml"
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    stage = _stage(settings)
    glob, expression = style_of(settings.tags).stage_patterns(stage)
    words = {
        **_WORDS[service],
        "SERVICE": service,
        "BRANCH": json.dumps(settings.branch),
        "BRANCHES": json.dumps(settings.branch.replace("+", "\\+")),  # a pattern: + would mean several
        "FOLDER": json.dumps(f"registry/{prefix}".rstrip("/"), ensure_ascii=False),
        "DEPLOYED": glob.removeprefix(settings.tags.prefix),
        "TAGS": json.dumps(glob),
        "TAG_EXPRESSION": expression,
    }
    text = re.sub(r"^ *@PACKAGE@\n", lambda m: _package(pipeline, m[0]), text, flags=re.MULTILINE)
    if service != "gitlab":
        if service == "gitea":  # it has no merge queue
            text = re.sub(r"  merge_group:\n    branches: .*\n", "", text)
        blocks = {"INSTALL": _INSTALL, "FETCH": _FETCH, "RUNS_ON": _RUNS_ON[service]}
        text = re.sub(r"( *)@(INSTALL|FETCH|RUNS_ON)@\n", lambda m: _indented(blocks[m[2]], m[1]), text)
    return re.sub(r"@([A-Z_]+)@", lambda match: words[match[1]], text)


def _package(pipeline: Pipeline, line: str) -> str:
    """The line that says what pip shall install, with the indentation of the one in its place."""
    given = pipeline.package
    if pipeline.service == "gitlab":  # the project's variables go before those of a job
        said = f"GITREG_PACKAGE: {json.dumps(given, ensure_ascii=False)}" if given else ""
    else:
        said = "${{ vars.GITREG_PACKAGE }}"
        if given:
            said = json.dumps(f"${{{{ vars.GITREG_PACKAGE || '{given}' }}}}", ensure_ascii=False)
        said = f"GITREG_PACKAGE: {said}"
    return line.replace("@PACKAGE@", said) if said else ""


def _indented(text: str, by: str) -> str:
    return "".join(f"{by}{line}" for line in text.splitlines(keepends=True))


def _stage(settings: Settings) -> str:
    """The stage that the example deploys: Production, else the last one that is no archive."""
    names = [stage.name for stage in settings.stages]
    if "Production" in names:
        return "Production"
    return next((name for name in reversed(names) if name != ARCHIVED), names[-1])
