"""``gitreg init``: make a registry."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gitreg.cli.options import json_option
from gitreg.cli.output import document, hint, line


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
@json_option
def command(
    path: Path,
    bare: bool,
    branch: str | None,
    name: str | None,
    stages: tuple[str, ...],
    layout: str,
    tag_prefix: str,
    as_json: bool,
) -> None:
    """Make a registry at PATH: in the repository there, in a folder of it, or in a new one."""
    from gitreg.domain.settings import DEFAULT_STAGES, Settings, TagSettings
    from gitreg.registry import create as creation
    from gitreg.registry.clock import utc_now
    from gitreg.registry.configure import stage_of

    here = Path(os.path.abspath(path))
    settings = Settings(
        name=here.name.removesuffix(".git") if name is None else name,
        layout="sharded" if layout == "sharded" else "flat",
        stages=tuple(map(stage_of, stages)) or DEFAULT_STAGES,
        tags=TagSettings(prefix=tag_prefix),
    )
    make = creation.create_bare if bare else creation.create
    made = make(here, settings=settings, branch=branch, env=os.environ, now=utc_now())
    if as_json:
        found = {"path": str(made.root), "prefix": made.prefix, "branch": made.branch, "commit": made.commit}
        document(found)
        return
    where = os.path.relpath(made.root)
    if made.prefix:
        where = f"{where}, a folder of a larger repository"
    line(f"Made a registry in {where} (branch {made.branch}, commit {made.commit[:10]})")
    if made.prefix:
        line(f"In a bare clone of this repository: git config gitreg.prefix {made.prefix.rstrip('/')}")
    hint("next: gitreg register NAME SOURCE")
