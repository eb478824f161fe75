"""``gitreg approve``."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from gitreg.cli import output
from gitreg.cli.options import (
    current_store,
    dry_run_option,
    json_option,
    message_option,
    remote_option,
    yes_option,
)
from gitreg.cli.output import on_terminal
from gitreg.cli.writing import confirm
from gitreg.registry.commands import command as next_command

if TYPE_CHECKING:
    from gitreg.registry.approval_commit import Added
    from gitreg.registry.approving import Plan
    from gitreg.registry.store import Store


@click.command("approve")
@click.argument("first", metavar="NAME/VERSION | BRANCH | NUMBER")
@click.argument("second", required=False, metavar="[STAGE]")
@click.option("--policy", "rules", is_flag=True, help="Approve the change of the rules that it makes.")
@click.option("--key", default="", metavar="FILE", help="A private SSH key  [default: Git's, or the agent's]")
@click.option(
    "--as", "approver", default="", metavar="NAME", help="Another of your names in keys/allowed_signers."
)
@click.option("--valid-days", type=click.IntRange(1, 3660), help="Good for fewer days than the rules allow.")
@remote_option
@message_option
@yes_option
@dry_run_option
@json_option
def command(
    first: str,
    second: str | None,
    rules: bool,
    key: str,
    approver: str,
    valid_days: int | None,
    remote: str | None,
    message: str,
    yes: bool,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Sign your approval of a proposal, and add it to the proposal's branch.

    The review is shown, and you are asked. Nobody approves what they wrote themselves.
    """
    from gitreg.registry.approval_commit import add
    from gitreg.registry.approver_key import key_for
    from gitreg.registry.approving import Wish, plan, sign, verdict_with
    from gitreg.registry.clock import utc_now
    from gitreg.signing import keygen

    store = current_store()
    wish = Wish(
        first=first,
        second=second,
        rules=rules,
        approver=approver,
        valid_days=valid_days,
        remote=remote,
        reason=message,
        committer=store.repository.identity(os.environ, "committer"),
        clock=utc_now,
    )
    wanted = plan(store, wish)
    if not wanted.statements:
        _tell_already(wanted, as_json=as_json)
        return 0
    if not as_json and not yes:
        _show(store, wanted)
    if not dry_run:
        confirm(f"approve {_told(wanted)} as {_who(wanted)}", yes=yes)
    key = key_for(store, wanted.upstream, wanted.statements.values(), given=key)
    if keygen.wants_touch(key):
        output.note("touch your security key when it blinks")
    files = sign(store, wanted, key=key)
    added = None if dry_run else add(store, wish, wanted, files)
    _answer(wanted, added, as_json=as_json)
    if on_terminal() and not as_json:
        verb = "merge" if added and verdict_with(store, wanted, files).clean else "approvals"
        output.hint(f"next: {next_command(verb, *filter(None, (wish.first, wish.second)))}")
    return 0


def _show(store: Store, wanted: Plan) -> None:
    from gitreg.registry.reviewing import review_of
    from gitreg.render.review_text import text

    columns = shutil.get_terminal_size().columns if sys.stderr.isatty() else 100
    sys.stderr.write(
        text(review_of(store, wanted.verdict, branch=wanted.proposal.branch), columns=columns) + "\n"
    )


def _told(wanted: Plan) -> str:
    from gitreg.domain.approval import Approval

    return ", ".join(
        f"{each.model}/{each.version} for {each.stage}"
        if isinstance(each, Approval)
        else "the change of the rules"
        for each in wanted.statements.values()
    )


def _who(wanted: Plan) -> str:
    return next(iter(wanted.statements.values())).approver


def _tell_already(wanted: Plan, *, as_json: bool) -> None:
    told = f"you have approved {', '.join(wanted.already)} already"
    if as_json:
        output.document({"branch": wanted.proposal.branch, "commit": None, "approvals": [], "message": told})
    else:
        output.line(f"nothing to sign: {told}")


def _answer(wanted: Plan, added: Added | None, *, as_json: bool) -> None:
    expires = min(each.expires for each in wanted.statements.values())
    if as_json:
        from gitreg.registry.documents import approved_document

        output.document(approved_document(wanted, added))
        return
    did = "Approved" if added else "Would approve"
    at = f"commit {added.commit[:10]}, " if added else ""
    output.line(f"{did} {_told(wanted)} as {_who(wanted)} ({at}good until {expires:%Y-%m-%d})")
    for text in added.words if added else ():
        output.line(f"remote: {text}")
    for text in added.notes if added else ():
        output.warning(text)
    if added is None:
        output.note("dry run: nothing was written")
