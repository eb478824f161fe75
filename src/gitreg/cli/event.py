"""``gitreg event``: what a tag stands for, for programs that deploy."""

from __future__ import annotations

import click

from gitreg.cli.options import current_store
from gitreg.cli.output import document


@click.command("event")
@click.argument("ref")
@click.option("--json", is_flag=True, expose_value=False, help="Nothing else is printed anyway.")
def command(ref: str) -> None:
    """Print what the tag REF stands for, as JSON: event, model, version, stage, source, who and when.

    REF is a tag of the registry, with or without refs/tags/: churn/Production/3, churn/v12. It is checked
    against the history: exit code 6 where the history makes no such tag.
    """
    from gitreg.registry.event import event_of

    document(event_of(current_store(), ref))
