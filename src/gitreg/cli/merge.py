"""``gitreg merge``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import current_store, json_option, message_option, remote_option

if TYPE_CHECKING:
    from gitreg.registry.merge_proposal import Merged, Mode

_MODES = ("merge", "squash", "rebase")


@click.command("merge")
@click.argument("first", metavar="PROPOSAL | BRANCH | NAME/VERSION")
@click.argument("second", required=False, metavar="[STAGE]")
@click.option(
    "--mode",
    type=click.Choice(_MODES),
    default="merge",
    show_default=True,
    help="One commit with two parents, one commit for all, or each commit anew.",
)
@click.option("--direct", is_flag=True, help="With Git, although a hosting service keeps the proposal.")
@remote_option
@message_option
@json_option
def command(
    first: str,
    second: str | None,
    mode: Mode,
    direct: bool,
    remote: str | None,
    message: str,
    as_json: bool,
) -> None:
    """Merge a proposal that passes, by a push to the remote's own branch.

    It is judged on what that branch holds now, as gitreg verify --proposal does, and the server may
    judge it once more. The proposal's branch is removed there and here; the branch of this clone comes
    along where nothing of its own is lost. Without a remote all of that happens here, tags included.

    A proposal that was opened on GitHub, GitLab or Gitea is merged there.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.merge_proposal import Wish, merge

    store = current_store()
    wish = Wish(
        first=first,
        second=second,
        mode=mode,
        reason=message,
        direct=direct,
        remote=remote,
        committer=store.repository.identity(os.environ, "committer"),
        clock=utc_now,
    )
    done = merge(store, wish)
    if as_json:
        from gitreg.registry.documents import merged_document

        output.document(merged_document(done))
        return
    for text in done.notes:
        output.warning(text)
    _say(done)


def _say(done: Merged) -> None:
    up, name = done.upstream, done.proposal.name
    if done.commit is None:
        output.line(f"nothing to merge: {up.branch} holds {name} already")
        return
    from gitreg.cli.sentences import each

    where = f"{up.branch} of {up.remote}" if up.remote else up.branch
    output.line(f"Merged {name} into {where} (commit {done.commit[:10]})")
    for text in each(done.changes):
        output.line(f"  {text}")
    for text in done.words:
        output.line(f"remote: {text}")
