"""``gitreg init``: make a registry."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import join
from typing import TYPE_CHECKING, cast

import click

from gitreg.cli.options import json_option
from gitreg.cli.output import document, hint, line
from gitreg.errors import UsageError

if TYPE_CHECKING:
    from gitreg.gitstore.repository import Repository
    from gitreg.registry.ci import Pipeline, Service

SERVICES = ("github", "gitlab", "gitea")


@click.command("init")
@click.argument("path", default=".", type=click.Path(path_type=Path))
@click.option("--bare", is_flag=True, help="A repository without a work tree, for a server.")
@click.option("--branch", metavar="B", help="The registry's branch.  [default: the current one, or main]")
@click.option("--name", metavar="TEXT", help="Name of the registry.  [default: the folder's]")
@click.option(
    "--stage",
    "stages",
    multiple=True,
    metavar="S[!]",
    help="A stage, in order; with ! one version of a model holds it at a time. "
    "May be repeated.  [default: Staging, Production, Archived]",
)
@click.option("--layout", type=click.Choice(["flat", "sharded"]), default="flat", show_default=True)
@click.option("--tag-prefix", metavar="P", default="", help="Text before every Git tag, such as models/.")
@click.option(
    "--tags-style",
    type=click.Choice(["gitreg", "gto"]),
    default="gitreg",
    show_default=True,
    help="The form of the Git tags: gitreg's own, or the one that GTO reads.",
)
@click.option(
    "--ci",
    type=click.Choice(SERVICES),
    help="With the workflow of this service: verify, comment, reconcile. In a registry that is there it is "
    "added to the work tree, with CODEOWNERS.",
)
@click.option(
    "--package",
    metavar="SPEC",
    default="",
    help="With --ci: what pip shall install there. Without it a variable of the service must say it, "
    "which pull requests from forks do not see.",
)
@json_option
def command(
    path: Path,
    bare: bool,
    branch: str | None,
    name: str | None,
    stages: tuple[str, ...],
    layout: str,
    tag_prefix: str,
    tags_style: str,
    ci: str | None,
    package: str,
    as_json: bool,
) -> None:
    """Make a registry at PATH: in the repository there, in a folder of it, or in a new one."""
    from gitreg.domain.settings import DEFAULT_STAGES, Settings, TagSettings
    from gitreg.domain.tagging import check_settings
    from gitreg.registry import create as creation
    from gitreg.registry.clock import utc_now
    from gitreg.registry.configure import stage_of

    here = Path(os.path.abspath(path))
    pipeline = _pipeline(ci, package)
    there = _registry_at(here) if pipeline else None
    if pipeline and there:
        if bare or branch or name is not None or stages or tag_prefix or tags_style != "gitreg":
            raise UsageError("there is a registry already: --ci alone adds to it", where=str(here))
        _add(there, pipeline, as_json=as_json)
        return
    asked = Settings(
        name=here.name.removesuffix(".git") if name is None else name,
        layout="sharded" if layout == "sharded" else "flat",
        stages=tuple(map(stage_of, stages)) or DEFAULT_STAGES,
        tags=TagSettings(prefix=tag_prefix, style="gto" if tags_style == "gto" else "gitreg"),
    )
    settings = check_settings(asked)
    make = creation.create_bare if bare else creation.create
    made = make(here, settings=settings, branch=branch, env=os.environ, now=utc_now(), ci=pipeline)
    if as_json:
        found = {"path": str(made.root), "prefix": made.prefix, "branch": made.branch, "commit": made.commit}
        document(found)
        return
    where = os.path.relpath(made.root)
    if made.prefix:
        where = f"{where}, a folder of a larger repository"
    line(f"Made a registry in {where} (branch {made.branch}, commit {made.commit[:10]})")
    if made.prefix:
        placed = join(["git", "config", "gitreg.prefix", made.prefix.rstrip("/")])
        line(f"In a bare clone of this repository: {placed}")
    if bare:
        at = join(["gitreg", "--registry", where])
        hint(f"next: {at} hooks install --server --proposals; or, here: {at} register NAME SOURCE")
    else:
        hint("next: gitreg register NAME SOURCE")
    if pipeline:
        _next(pipeline, include="")


def _pipeline(service: str | None, package: str) -> Pipeline | None:
    if service is None:
        if package:
            raise UsageError(
                "--package belongs to --ci", hint=f"gitreg init --ci github --package '{package}'"
            )
        return None
    from gitreg.registry.ci import Pipeline

    return Pipeline(service=cast("Service", service), package=package)


def _registry_at(here: Path) -> Repository | None:
    """The registry that a folder is or lies in; None where one is still to be made."""
    from gitreg.errors import GitregError, NotARegistry
    from gitreg.gitstore.repository import Repository
    from gitreg.registry.store import Store

    try:
        found = Repository.discover(here)
    except NotARegistry:
        return None
    if not found.bare:
        return found
    try:
        with Store(found) as store:
            _ = store.view(store.head()).settings
    except GitregError:  # a bare repository that holds none yet
        return None
    return found


def _add(repository: Repository, pipeline: Pipeline, *, as_json: bool) -> None:
    from gitreg.registry.ci import add
    from gitreg.registry.store import Store

    with Store(repository) as store:
        added = add(store, pipeline)
    if as_json:
        document({"written": added.written, "present": added.present, "include": added.include or None})
        return
    for path in added.written:
        line(f"wrote {path}")
    for path in added.present:
        line(f"{path} is there already")
    _next(pipeline, include=added.include)


def _next(pipeline: Pipeline, *, include: str) -> None:
    if include:
        line(f"In .gitlab-ci.yml: include: [{{local: {include}}}]")
    on = f"On {_CALLED[pipeline.service]}:"
    if pipeline.package:
        line(f"{on} require the check verify before a merge")
        return
    line(f"{on} set the variable GITREG_PACKAGE to what pip shall install,")
    line("and require the check verify before a merge")


_CALLED = {"github": "GitHub", "gitlab": "GitLab", "gitea": "Gitea or Forgejo"}
