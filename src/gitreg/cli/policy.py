"""``gitreg policy``: the rules in words, and what they would say of a promotion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import STAGE, URI, at_option, current_store, json_option
from gitreg.cli.output import document, hint, line

if TYPE_CHECKING:
    from gitreg.domain.settings import Approvals, Settings, Stage
    from gitreg.registry.verdict import Judged


@click.group("policy")
def command() -> None:
    """Show the rules of the registry, or try them on a version.

    The rules stand in gitreg.yaml, gates/, keys/ and CODEOWNERS of the registry's branch.
    """


@command.command("show")
@at_option
@json_option
def show(at: str | None, as_json: bool) -> int:
    """Show what a version must satisfy to enter each stage, and what a change of the rules needs."""
    settings = current_store().look(at).settings
    if as_json:
        from gitreg.registry.documents import policy_document

        document(policy_document(settings))
        return 0
    for stage in settings.stages:
        line(f"{stage.name}: {', '.join(_asked_of(stage)) or 'no rules'}")
        for text in _rules(stage):
            line(f"  {text}")
    line(f"Changes of the rules: {_of_policy(settings)}")
    return 0


@command.command("test")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@at_option
@json_option
def test(uri: str, stage: str, at: str | None, as_json: bool) -> int:
    """Tell what each rule would say if a version entered a stage now; nothing is written.

    Exit code 0: it could be committed directly; 1: a rule is not met, or approvals are needed first.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.trying import try_promotion

    store = current_store()
    judged = try_promotion(
        store, uri, stage, now=utc_now(), commit=store.commit_for(at) if at is not None else None
    )
    if judged is None:
        line(f"nothing to test: {uri} is in {stage} already")
        return 0
    if as_json:
        from gitreg.registry.documents import judged_document

        document(judged_document(judged))
    else:
        _tell(judged)
    return 0 if judged.passed else 1


def _tell(judged: Judged) -> None:
    entering = judged.entering
    subject = f"{entering.version.name}/{entering.version.version}"
    holder = entering.incumbent
    line(
        f"{subject} → {entering.stage.name}"
        + (f", where {holder.name}/{holder.version} is now" if holder else "")
    )
    if not judged.judgements:
        line("  no rules: it can be moved directly")
    for each in judged.judgements:
        line(f"  {'pass' if each.passed else 'FAIL'}  {each.rule}: {each.message}")
        if not each.passed and each.help:
            line(f"        {each.help}")
    if judged.passed:
        hint(f"next: gitreg transition {subject} {entering.stage.name}")
    elif all(each.passed or each.rule == "approvals" for each in judged.judgements):
        hint(f"next: gitreg promote {subject} {entering.stage.name}")


def _asked_of(stage: Stage) -> Iterator[str]:
    if stage.exclusive:
        yield "one version at a time"
    if stage.signed:
        yield "signed commits"


def _rules(stage: Stage) -> Iterator[str]:
    if stage.allowed_from:
        yield f"from: {', '.join(stage.allowed_from)}"
    if stage.gate:
        yield f"gate: {stage.gate}"
    for rule in stage.no_worse:
        slack = f", by {rule.tolerance:g} at most" if rule.tolerance else ""
        where = f" of evaluation {rule.evaluation}" if rule.evaluation else ""
        yield f"no worse: {rule.metric}{where} ({rule.direction} is better{slack})"
    if stage.requires:
        yield f"requires: {', '.join(stage.requires)}"
    if stage.approvals:
        yield f"approvals: {_approvals(stage.approvals)}"


def _approvals(asked: Approvals) -> str:
    who = [*asked.approvers, *(["the owners in CODEOWNERS"] if asked.codeowners else [])]
    signed_in = f", or signed in at {', '.join(asked.signed_in)}" if asked.signed_in else ""
    return f"{asked.count} of {', '.join(who) or 'nobody'}, good for {asked.valid_days} days{signed_in}"


def _of_policy(settings: Settings) -> str:
    from gitreg.policy.enforce import asked_of_policy

    asked = asked_of_policy(settings)
    signed = ", signed commits" if settings.policy.signed else ""
    if asked is None:
        return f"nobody need approve{signed}"
    return f"{_approvals(asked)}{signed}"
