"""``gitreg proposals``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import current_store, json_option, remote_option

if TYPE_CHECKING:
    from gitreg.registry.open_proposals import Listed
    from gitreg.registry.remote_branch import Upstream
    from gitreg.registry.store import Store

_COLUMNS = ("proposal", "what", "by", "age", "state")
_ASKED_FOR = ("gitea", "gerrit")  # these keep what is proposed without a branch that would tell


@click.command("proposals")
@click.option("--offline", is_flag=True, help="Ask no server: show what was fetched last.")
@remote_option
@json_option
def command(offline: bool, remote: str | None, as_json: bool) -> None:
    """List the open proposals, and what each lacks by the rules of the registry's branch.

    They are the branches gitreg/… on the remote and here, and the numbered proposals of a server with our
    hooks; of a branch the pull request, too, where a token for its service is at hand. When the server is
    not reached what was fetched last is shown.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.open_proposals import list_open

    store = current_store()
    up, online = _upstream(store, remote, online=not offline)
    listed = list_open(store, up)
    if online:
        listed = _with_requests(store, up, listed)
    if as_json:
        from gitreg.registry.documents import listed_proposal_document

        documents = [listed_proposal_document(each) for each in listed]
        output.document({"remote": up.remote, "base": up.base, "fetched": online, "proposals": documents})
        return
    now = utc_now()
    urls = any(each.proposal.url for each in listed)
    kept = up.service in _ASKED_FOR
    rows = [(*_row(each, now, kept=kept), *([each.proposal.url] if urls else [])) for each in listed]
    output.table((*_COLUMNS, *(["url"] if urls else [])), rows)
    if not listed:
        output.note("no proposal is open")


def _upstream(store: Store, remote: str | None, *, online: bool) -> tuple[Upstream, bool]:
    from gitreg.errors import EnvironmentFailure
    from gitreg.registry.remote_branch import upstream

    if online:
        try:
            return upstream(store, remote), True
        except EnvironmentFailure as error:
            output.warning(f"the server was not asked, this was fetched last: {error.message}")
    return upstream(store, remote, online=False), False


def _with_requests(store: Store, up: Upstream, listed: list[Listed]) -> list[Listed]:
    from gitreg.errors import GitregError
    from gitreg.registry.open_proposals import with_requests

    try:
        return with_requests(store, up, listed)
    except GitregError as error:  # what Git tells is all there without them
        mend = f" ({error.hint})" if error.hint else ""
        output.warning(f"pull requests are not shown: {error.message}{mend}")
    return listed


def _row(one: Listed, now: datetime, *, kept: bool) -> tuple[str, str, str, str, str]:
    proposal = one.proposal
    # A pull request's number says nothing to commands that ask no service; its branch does.
    name = f"{proposal.number}" if proposal.number and not proposal.url else proposal.branch
    state = one.state if proposal.shared or kept else f"{one.state} (here only)"
    return name, one.subject, proposal.by or one.author.name, age(now, one.when), state


def age(now: datetime, then: datetime) -> str:
    """``5 minutes``, ``2 days``; never less than a minute."""
    from gitreg.render.text import plural

    minutes = max(int((now - then).total_seconds() // 60), 1)
    if minutes < 60:
        return plural(minutes, "minute")
    return plural(minutes // 60, "hour") if minutes < 48 * 60 else plural(minutes // (24 * 60), "day")
