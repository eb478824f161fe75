"""``gitreg withdraw``."""

from __future__ import annotations

import click

from gitreg.cli import output
from gitreg.cli.options import current_store, json_option


@click.command("withdraw")
@click.argument("first", metavar="PROPOSAL | BRANCH | NAME/VERSION")
@click.argument("second", required=False, metavar="[STAGE]")
@json_option
def command(first: str, second: str | None, as_json: bool) -> None:
    """Take a proposal back: close its pull request, and remove its branch on the remote and here."""
    from gitreg.registry.withdrawing import withdraw

    done = withdraw(current_store(), first, second)
    if as_json:
        from gitreg.registry.documents import withdrawn_document

        output.document(withdrawn_document(done))
        return
    for text in done.notes:
        output.warning(text)
    output.line(f"Withdrew {done.proposal.name} (commit {done.proposal.head[:10]})")
    for text in done.words:
        output.line(f"remote: {text}")
