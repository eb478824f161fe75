"""``gitreg review``: what a proposal would do, for its reviewer."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import current_store, dry_run_option
from gitreg.cli.output import document, line, note, on_terminal, warning
from gitreg.errors import GitregError, UsageError

if TYPE_CHECKING:
    from gitreg.domain.review import Review
    from gitreg.registry.pull_request import Thread
    from gitreg.registry.store import Store

_FORMATS = ("text", "markdown", "json", "github")


@click.command("review")
@click.argument("first", metavar="[BASE | NAME/V | PROPOSAL]")
@click.argument("second", required=False, metavar="[HEAD | STAGE]")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="text, unless --json says else.")
@click.option("--json", "as_json", is_flag=True, help="The same as --format json.")
@click.option("--all", "everything", is_flag=True, help="In text: every difference, too.")
@click.option(
    "--proposal/--no-proposal",
    default=True,
    show_default=True,
    help="Judge HEAD as it would be merged, or each commit between.",
)
@click.option("--post", is_flag=True, help="Create or update the one comment of the job's pull request.")
@click.option("--offline", is_flag=True, help="Ask no server for a proposal: show what was fetched last.")
@click.option("--number", type=click.IntRange(1), metavar="N", help="With --post: of this pull request.")
@dry_run_option
def command(
    first: str,
    second: str | None,
    form: str | None,
    as_json: bool,
    everything: bool,
    proposal: bool,
    post: bool,
    offline: bool,
    number: int | None,
    dry_run: bool,
) -> None:
    """Show what a proposal would do: the stages that move, metrics, rules, approvals, lineage.

    \b
    gitreg review churn/12 Production   what gitreg promote has proposed; churn/12 alone finds it, too
    gitreg review 7                     proposal 7 of a server of ours
    gitreg review origin/main HEAD      two commits, as a job of CI has them; origin/main...HEAD, too
    gitreg review 2026-01-15 HEAD       what has changed since that day
    gitreg review --post BASE HEAD      as the comment on the pull request that the job runs for

    A proposal is fetched first; two commits are not.
    """  # noqa: D301 (click reads the backspace)
    if as_json and form not in (None, "json"):
        raise UsageError("--json and --format exclude each other")
    _refuse_odd(form, as_json=as_json, post=post, alone=number is not None or dry_run)
    form = "json" if as_json else form or "text"
    from gitreg.registry.clock import utc_now
    from gitreg.registry.proposed import branch_at, is_open, pair_of, refresh
    from gitreg.registry.reviewing import review

    store = current_store()
    at = _thread(store, number) if post else None
    if not (offline or post) and (said := refresh(store, first, second)):
        warning(said)
    pair = pair_of(store, first, second)
    branch = pair.branch or branch_at(store, pair.head, named=second or first) or (_source(at) if at else "")
    # As gitreg verify does: an approval may have run out since it was signed.
    now = utc_now() if proposal and is_open(store, pair.head) else None
    found = review(store, pair.base, pair.head, now=now, proposal=proposal, branch=branch)
    if found.empty:
        _tell_why_empty(store, found, pair.branch)
    if at is not None:
        _post(store, found, at, dry_run=dry_run)
    else:
        _print(store, found, form, everything=everything)


def _refuse_odd(form: str | None, *, as_json: bool, post: bool, alone: bool) -> None:
    if post and (as_json or form not in (None, "markdown")):
        raise UsageError("the comment is Markdown: --post excludes other formats")
    if alone and not post:
        raise UsageError("--number and --dry-run are about --post", hint="gitreg review --post BASE HEAD")


def _tell_why_empty(store: Store, found: Review, branch: str) -> None:
    from gitreg.gitstore.log import is_ancestor
    from gitreg.registry.assigned import assigned
    from gitreg.registry.proposed import promotion_of

    told = promotion_of(store, branch)
    given = None
    with suppress(GitregError):  # a shallow clone does not tell
        given = assigned(store, found.base, told) if told and found.base != found.head else None
    if given is not None:
        left = store.reader.ref(f"refs/heads/{branch}")
        note(f"it was merged: {given.said}")
        if left:
            note(f"its branch is still here; to remove it: {shlex.join(['git', 'branch', '-D', branch])}")
    elif found.base != found.head and is_ancestor(store.repository, found.head, found.base):
        base, head = found.base[:10], found.head[:10]
        note(f"{head} is merged into {base} already; the other way round: gitreg review {head} {base}")


def _thread(store: Store, number: int | None) -> Thread:
    from gitreg.registry.pull_request import number_from, thread

    told = number or number_from(os.environ)
    if told is None:
        raise UsageError(
            "this job runs for no pull request, or its environment does not tell",
            where="--number",
            hint="gitreg review --post --number N BASE HEAD",
        )
    return thread(store, told, os.environ)


def _source(at: Thread) -> str:
    """The branch that the job's pull request asks to merge: a job may have fetched its commit alone."""
    variable = "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME" if at.service == "gitlab" else "GITHUB_HEAD_REF"
    return os.environ.get(variable, "")


def _post(store: Store, found: Review, at: Thread, *, dry_run: bool) -> None:
    from dataclasses import replace

    from gitreg.registry.pull_request import post
    from gitreg.render.review_markdown import markdown, marker_of

    # It is merged where the comment stands.
    body = markdown(replace(found, merge=""), prefix=store.prefix)
    if dry_run:
        note(f"would be the comment on {at}")
        sys.stdout.write(body)
        return
    line(post(store, at, body, marker=marker_of(store.prefix), environment=os.environ))


def _print(store: Store, found: Review, form: str, *, everything: bool) -> None:
    if form == "json":
        from gitreg.render.review_data import review_document

        document(review_document(found))
    elif form == "markdown":
        from gitreg.render.review_markdown import markdown

        sys.stdout.write(markdown(found, prefix=store.prefix))
    elif form == "github":
        from dataclasses import replace

        from gitreg.render.findings import render

        findings = [replace(one, path=store.prefix + one.path) for one in found.findings]
        sys.stdout.write(render(findings, "github"))
    else:
        from gitreg.render.review_text import text

        columns = shutil.get_terminal_size().columns if on_terminal() else 100
        sys.stdout.write(text(found, columns=columns, everything=everything))
