"""``gitreg reconcile``: make the tags of what was merged, and tell where tags and history disagree."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import current_store, dry_run_option, json_option
from gitreg.cli.output import document, line
from gitreg.errors import IntegrityError, UsageError

if TYPE_CHECKING:
    from gitreg.registry.store import Store
    from gitreg.registry.tag_exchange import Exchanged


@click.command("reconcile")
@click.option(
    "--push/--no-push",
    default=None,
    help="Push the tags to the remote of the registry's branch.  [default: where that follows a remote one]",
)
@click.option("--check", is_flag=True, help="As --dry-run, and end with 1 where there is anything to do.")
@dry_run_option
@json_option
def command(push: bool | None, check: bool, dry_run: bool, as_json: bool) -> int:
    """Make the tags of what was merged, and push those that the remote lacks.

    Merge commits, squashes and rebases arrive without tags: they are made from the history of the
    registry's own branch, as it is on the remote that it follows. A second run finds nothing to do.
    What is there and wrong is told, and never moved.

    Exit code 0: done; 6: a tag is not what the history makes; 7: a shallow clone can't tell.
    """
    from gitreg.registry.tag_exchange import exchange, plan

    store = current_store()
    remote = None if push is False else _remote(store, wanted=push is True)
    looking = check or dry_run
    done = plan(store, remote) if looking else exchange(store, remote)
    if as_json:
        document(_document(done, dry_run=looking))
    else:
        _tell(done, dry_run=looking)
    if done.drift:
        return IntegrityError.exit_code
    return 1 if check and (done.made or done.pushed) else 0


def _remote(store: Store, *, wanted: bool) -> str | None:
    from gitreg.registry.reconcile import follow
    from gitreg.registry.tag_exchange import remote_of

    followed = follow(store)
    remote = remote_of(store, followed)
    if remote is None and wanted:
        raise UsageError(
            f"the branch {followed.name} follows no branch of a remote: there is nowhere to push to",
            where="--push",
            hint=f"git push -u origin {followed.name}, or gitreg reconcile --no-push",
        )
    return remote


def _document(done: Exchanged, *, dry_run: bool) -> dict[str, Any]:
    from gitreg.render.findings import document as finding_document

    return {
        "branch": done.followed.name,
        "ref": done.followed.ref,
        "commit": done.followed.head,
        "dry_run": dry_run,
        "made": list(done.made),
        "taken": list(done.taken),
        "remote": done.remote,
        "pushed": list(done.pushed),
        "findings": [finding_document(one) for one in done.drift],
    }


def _tell(done: Exchanged, *, dry_run: bool) -> None:
    from gitreg.render.findings import text
    from gitreg.render.text import plural

    for name in done.made:
        how = f"taken from {done.remote}" if name in done.taken else "made"
        line(f"would be {how}: {name}" if dry_run else f"{how}: {name}")
    if done.pushed:
        told = f"{plural(len(done.pushed), 'tag')} to {done.remote}"
        line(f"would push {told}" if dry_run else f"pushed {told}")
    sys.stdout.write(text(done.drift))
    if not (done.made or done.pushed or done.drift):
        line("nothing to do")
