"""``gitreg proposals``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import current_store, json_option

if TYPE_CHECKING:
    from gitreg.registry.open_proposals import Listed
    from gitreg.registry.remote_branch import Upstream
    from gitreg.registry.store import Store

_COLUMNS = ("proposal", "what", "by", "age", "state")


@click.command("proposals")
@click.option("--offline", is_flag=True, help="Ask no server: show what was fetched last.")
@json_option
def command(offline: bool, as_json: bool) -> None:
    """List the open proposals, and what each lacks by the rules of the registry's branch.

    They are the branches gitreg/… on the remote and here, the numbered proposals of a server with our
    hooks, and pull requests, where a token for their service is at hand. When the server is not reached
    what was fetched last is shown.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.open_proposals import list_open

    store = current_store()
    up, online = _upstream(store, online=not offline)
    listed = list_open(store, up, online=online)
    if as_json:
        from gitreg.registry.documents import listed_proposal_document

        documents = [listed_proposal_document(each) for each in listed]
        output.document({"remote": up.remote, "base": up.base, "fetched": online, "proposals": documents})
        return
    now = utc_now()
    output.table(_COLUMNS, [_row(each, now) for each in listed])
    if not listed:
        output.note("no proposal is open")


def _upstream(store: Store, *, online: bool) -> tuple[Upstream, bool]:
    from gitreg.errors import EnvironmentFailure
    from gitreg.registry.remote_branch import upstream

    if online:
        try:
            return upstream(store), True
        except EnvironmentFailure as error:
            output.warning(f"the server was not asked, this was fetched last: {error.message}")
    return upstream(store, online=False), False


def _row(one: Listed, now: datetime) -> tuple[str, str, str, str, str]:
    proposal = one.proposal
    name = f"{proposal.number}" if proposal.number else proposal.branch
    state = one.state if proposal.shared else f"{one.state} (here only)"
    return name, one.subject, proposal.by or one.author.name, age(now, one.when), state


def age(now: datetime, then: datetime) -> str:
    """``5 minutes``, ``2 days``; never less than a minute."""
    from gitreg.render.text import plural

    minutes = max(int((now - then).total_seconds() // 60), 1)
    if minutes < 60:
        return plural(minutes, "minute")
    return plural(minutes // 60, "hour") if minutes < 48 * 60 else plural(minutes // (24 * 60), "day")
