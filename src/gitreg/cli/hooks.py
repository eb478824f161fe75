"""``gitreg hooks``: put Git hooks in place, on a laptop or a server, and take them away again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import chosen_place, dry_run_option, json_option
from gitreg.cli.output import document, line, note, table

if TYPE_CHECKING:
    from gitreg.gitstore.repository import Repository


@click.group("hooks")
def command() -> None:
    """Put Git hooks in place, show them, or take them away.

    On a laptop: pre-commit, pre-merge-commit, commit-msg and pre-push. On a server: pre-receive and
    post-receive. A hook that stands there is kept and runs first.
    """


@command.command("install")
@click.option("--server", is_flag=True, help="The hooks of a repository that others push to.")
@click.option("--proposals", is_flag=True, help="With --server: pushes to refs/for/BRANCH make proposals.")
@click.option("--force-path", is_flag=True, help="Also into a folder that others use, too.")
@dry_run_option
@json_option
def install(server: bool, proposals: bool, force_path: bool, dry_run: bool, as_json: bool) -> int:
    """Put the hooks in place. What stands there is chained, never overwritten; twice is as good as once."""
    from gitreg.errors import UsageError
    from gitreg.githooks.install import carry_out, plan, told
    from gitreg.githooks.place import refuse_shared, refuse_switched_off

    if proposals and not server:
        raise UsageError("proposals are taken by a server", hint="gitreg hooks install --server --proposals")
    repository = _repository()
    refuse_switched_off(repository)
    if not force_path:
        refuse_shared(repository)
    steps = plan(repository, server=server, proposals=proposals)
    if not dry_run:
        carry_out(repository, steps)
    _tell(told(steps), dry_run=dry_run, as_json=as_json, nothing="the hooks are in place already")
    return 0


@command.command("status")
@click.option("--server", is_flag=True, help="The hooks of a server alone.")
@json_option
def status(server: bool, as_json: bool) -> int:
    """Show what stands in the place of each hook."""
    from gitreg.githooks.install import hooks_of

    found = hooks_of(_repository(), server=True if server else None)
    rows = [(each.name, each.state, str(each.path)) for each in found]
    if as_json:
        document({"hooks": [{"name": name, "state": state, "path": path} for name, state, path in rows]})
    else:
        table(("hook", "state", "path"), rows)
    return 0


@command.command("uninstall")
@dry_run_option
@json_option
def uninstall(dry_run: bool, as_json: bool) -> int:
    """Take the hooks away; former ones come back. Settings of a server stay as they are."""
    from gitreg.githooks.install import remove

    done = remove(_repository(), dry_run=dry_run)
    _tell(done, dry_run=dry_run, as_json=as_json, nothing="there are no hooks of gitreg here")
    return 0


def _tell(done: list[str], *, dry_run: bool, as_json: bool, nothing: str) -> None:
    if as_json:
        document({"dry_run": dry_run, "done": done})
        return
    for words in done:
        line(f"would do: {words}" if dry_run else words)
    if not done:
        note(nothing)


def _repository() -> Repository:
    """The repository that is meant; on a server it may be empty still."""
    from gitreg.errors import NotARegistry
    from gitreg.gitstore.repository import Repository
    from gitreg.gitstore.roots import work_tree_of

    place: Path = chosen_place(click.get_current_context())
    try:
        return Repository.discover(place)
    except NotARegistry:
        return work_tree_of(place)
