"""``gitreg withdraw``."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import current_store, json_option, remote_option

if TYPE_CHECKING:
    from gitreg.registry.store import Store
    from gitreg.registry.withdrawing import Withdrawn


@click.command("withdraw")
@click.argument("first", metavar="PROPOSAL | BRANCH | NAME/VERSION")
@click.argument("second", required=False, metavar="[STAGE]")
@remote_option
@json_option
def command(first: str, second: str | None, remote: str | None, as_json: bool) -> None:
    """Take a proposal back: close its pull request, and remove its branch on the remote and here."""
    from gitreg.registry.withdrawing import withdraw

    store = current_store()
    done = withdraw(store, first, second, remote=remote)
    done = replace(done, notes=(*_way_back(store, done), *done.notes))
    if as_json:
        from gitreg.registry.documents import withdrawn_document

        output.document(withdrawn_document(done))
        return
    for text in done.notes:
        output.warning(text)
    output.line(f"Withdrew {done.proposal.name} (commit {done.proposal.head[:10]})")
    for text in done.words:
        output.line(f"remote: {text}")


def _way_back(store: Store, done: Withdrawn) -> tuple[str, ...]:
    """Of what somebody else made: how it comes back."""
    from gitreg.errors import GitregError

    found = done.proposal
    who = store.reader.commit(found.head).author.person
    try:
        mine = store.repository.identity(os.environ, "author").email
    except GitregError:
        mine = ""
    if found.there is None or who.email == mine:
        return ()
    back = f"git push {done.upstream.remote} {found.head}:refs/heads/{found.branch}"
    return (f"its newest commit was made by {who.name}; to bring it back: {back}",)
