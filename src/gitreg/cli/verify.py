"""``gitreg verify``: judge commits by the rules of what they follow on, or the whole history."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import current_store
from gitreg.cli.output import document, note, warning
from gitreg.errors import UsageError
from gitreg.render.findings import formats

if TYPE_CHECKING:
    from gitreg.registry.store import Store
    from gitreg.registry.verdict import Judged, Step, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Two commits; as a proposal, or each commit between them."""

    base: str
    head: str
    proposal: bool


@click.command("verify")
@click.argument("first", required=False, metavar="[BASE | NAME/V | PROPOSAL]")
@click.argument("second", required=False, metavar="[HEAD | STAGE]")
@click.option(
    "--all", "whole", is_flag=True, help="The whole history, from the commit that set it up, and tags."
)
@click.option("--proposal", is_flag=True, help="HEAD as it would be merged into BASE.")
@click.option("--no-tags", is_flag=True, help="With --all: tags may be missing, as in a clone without them.")
@click.option("--format", "form", type=click.Choice(formats()), default="text", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="The same as --format json, with what each rule says.")
def command(
    first: str | None,
    second: str | None,
    whole: bool,
    proposal: bool,
    no_tags: bool,
    form: str,
    as_json: bool,
) -> int:
    """Judge commits by the rules of BASE: manifests, policy, approvals, signatures and history.

    \b
    gitreg verify                       what is not pushed yet
    gitreg verify OLD NEW               each commit after OLD, as a server judges a push
    gitreg verify --proposal BASE HEAD  HEAD as it would be merged into BASE
    gitreg verify churn/12 Production   what gitreg promote has proposed
    gitreg verify --all                 everything there ever was

    Exit code 0: clean; 1: findings; 6: the repository contradicts itself.
    """  # noqa: D301 (click reads the backspace)
    store = current_store()
    if whole:
        if first is not None or proposal:
            raise UsageError("--all takes no commits", hint="gitreg verify --all")
        verdict = _all(store, tags=not no_tags)
    else:
        asked = _asked(store, first, second, proposal=proposal)
        verdict = _judged(store, asked) if asked else _all(store, tags=not no_tags)
    _print(store, verdict, "json" if as_json else form)
    return verdict.exit_code


def _asked(store: Store, first: str | None, second: str | None, *, proposal: bool) -> _Asked | None:
    """The commits that are meant; None: the whole history, where nothing is pushed anywhere."""
    from gitreg.registry.proposed import pair_of, refresh

    if first is None:
        head = store.head()
        settings = store.view(head).settings
        remote = f"refs/remotes/{settings.proposals.remote}/{settings.branch}"
        base = store.reader.ref(store.repository.upstream(settings.branch) or remote)
        own = store.repository.head().branch == f"refs/heads/{settings.branch}"
        return _Asked(base=base, head=head, proposal=proposal or not own) if base else None
    if second is not None and (said := refresh(store, first, second)):
        warning(said)
    pair = pair_of(store, first, second)
    return _Asked(base=pair.base, head=pair.head, proposal=proposal or pair.proposal)


def _judged(store: Store, asked: _Asked) -> Verdict:
    from gitreg.registry.clock import utc_now
    from gitreg.registry.judging import judge

    # What is not merged yet is judged as of now: an approval may have run out since it was signed.
    now = utc_now() if asked.proposal else None
    return judge(store, asked.base, asked.head, now=now, proposal=asked.proposal)


def _all(store: Store, *, tags: bool) -> Verdict:
    from gitreg.cli.progress import Progress
    from gitreg.registry.verifying import verify_all

    with Progress() as shown:
        return verify_all(
            store, store.head(), tags=tags, progress=lambda count: shown.show(f"judged {count:,} commits")
        )


def _print(store: Store, verdict: Verdict, form: str) -> None:
    from gitreg.cli.check import placed
    from gitreg.render.findings import render

    findings = [
        placed(one, store, readable=form == "text") if _in_file(one.path) else one for one in verdict.findings
    ]
    if form == "json":
        document(_document(verdict, [*findings]))
        return
    sys.stdout.write(render(findings, form))
    note(_summary(verdict))


def _in_file(path: str) -> bool:
    """Whether a finding lies in a file: the names of tags have no ending."""
    return "." in path.rpartition("/")[2]


def _summary(verdict: Verdict) -> str:
    from gitreg.render.text import plural

    errors = sum(one.severity == "error" for one in verdict.findings)
    what = plural(len(verdict.steps), "commit") if verdict.steps else "the history"
    if verdict.base == verdict.head or not verdict.steps:
        what = (
            f"{verdict.base[:10]}..{verdict.head[:10]}" if verdict.base != verdict.head else verdict.head[:10]
        )
    warnings = sum(one.severity == "warning" for one in verdict.findings)
    found = plural(errors, "error") if errors else "no errors" if warnings else "no findings"
    found += f", {plural(warnings, 'warning')}" if warnings else ""
    return f"verified {what}{_looked_at(verdict)}: {found}"


def _looked_at(verdict: Verdict) -> str:
    """``, 38 commits, 9 promotions by rules with 18 approvals``."""
    from gitreg.render.text import plural

    tally = verdict.tally
    if tally is None:
        return ""
    told = f", {plural(tally.commits, 'commit')}"
    if tally.promotions:
        told += f", {plural(tally.promotions, 'promotion')} under rules"
        told += f" with {plural(tally.approvals, 'approval')}"
    return told


def _document(verdict: Verdict, findings: list[Any]) -> dict[str, Any]:
    from gitreg.render.findings import document as finding_document

    return {
        "base": verdict.base,
        "head": verdict.head,
        "clean": verdict.clean,
        "exit_code": verdict.exit_code,
        "findings": [finding_document(one) for one in findings],
        "steps": [_step(step) for step in verdict.steps],
    } | ({"tally": asdict(verdict.tally)} if verdict.tally else {})


def _step(step: Step) -> dict[str, Any]:
    from gitreg.render.values import change_document

    return {
        "commit": step.commit,
        "changes": [change_document(change) for change in step.changes],
        "judged": [_case(judged) for judged in step.judged],
        "policy": [_ruling(one) for one in step.policy],
    }


def _case(judged: Judged) -> dict[str, Any]:
    entering = judged.entering
    return {
        "model": entering.version.name,
        "version": entering.version.version,
        "stage": entering.stage.name,
        "passed": judged.passed,
        "rules": [_ruling(one) for one in judged.judgements],
    }


def _ruling(one: Any) -> dict[str, Any]:
    found = {"rule": one.rule, "passed": one.passed, "message": one.message}
    return found | ({"help": one.help} if one.help and not one.passed else {})
