"""``gitreg policy``: the rules in words, and what they would say of a promotion."""

from __future__ import annotations

import os
from collections.abc import Sequence
from shlex import join
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import STAGE, URI, at_option, current_store, json_option
from gitreg.cli.output import document, hint, line, warning
from gitreg.errors import EnvironmentFailure

if TYPE_CHECKING:
    from gitreg.domain.settings import Settings
    from gitreg.gitstore.objects import Person
    from gitreg.registry.store import Store
    from gitreg.registry.verdict import Judged
    from gitreg.render.policy_words import Sentence


@click.group("policy")
def command() -> None:
    """Show the rules of the registry, or try them on a version.

    The rules stand in gitreg.yaml, gates/, keys/ and CODEOWNERS of the registry's branch.
    """


@command.command("show")
@at_option
@json_option
def show(at: str | None, as_json: bool) -> int:
    """Show what a version must satisfy to enter each stage, and what a change of the rules needs.

    Rules that nobody could satisfy are told as warnings.
    """
    store = current_store()
    view = store.look(at)
    if as_json:
        from gitreg.registry.documents import policy_document

        document(policy_document(view.settings))
    else:
        _show(view.settings)
    _warn(store, view.commit)
    return 0


def _show(settings: Settings) -> None:
    from gitreg.policy.enforce import asked_of_policy
    from gitreg.render.policy_words import of_rules, of_stage

    for stage in settings.stages:
        _say(stage.name, of_stage(stage))
    _say("Changes of the rules", of_rules(settings, asked_of_policy(settings)))


def _say(head: str, sentences: Sequence[Sentence]) -> None:
    line(head if sentences else f"{head}: no rules")
    for each in sentences:
        line(f"  {each.rule}: {each.text}")


def _warn(store: Store, commit: str) -> None:
    from gitreg.registry.content import rules_in_commit
    from gitreg.registry.rules_check import check_rules

    rules = rules_in_commit(store, commit)
    for each in check_rules(rules.modes, rules.one):
        warning(f"{each.location}: {each.message}")


@command.command("test")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@at_option
@json_option
def test(uri: str, stage: str, at: str | None, as_json: bool) -> int:
    """Tell what each rule would say if a version entered a stage now; nothing is written.

    Exit code 0: it could be committed directly, or is there already; 1: a rule is not met, or
    approvals are needed first.
    """
    from gitreg.registry.clock import utc_now
    from gitreg.registry.trying import try_promotion

    store = current_store()
    commit = store.commit_for(at) if at is not None else store.head()
    judged = try_promotion(store, uri, stage, now=utc_now(), commit=commit, author=_author(store))
    if judged is None:
        _held(store, commit, uri, stage, as_json=as_json)
        return 0
    if as_json:
        from gitreg.registry.documents import judged_document

        document(judged_document(judged))
    else:
        _tell(judged)
    return 0 if judged.passed else 1


def _author(store: Store) -> Person | None:
    """Who would move it; None where Git does not know: for a question nobody need say who they are."""
    try:
        return store.repository.identity(os.environ, "author")
    except EnvironmentFailure:
        return None


def _held(store: Store, commit: str, uri: str, stage: str, *, as_json: bool) -> None:
    view = store.view(commit)
    version, name = view.version(uri), view.settings.stage(stage).name
    if as_json:
        from gitreg.registry.documents import held_document

        document(held_document(version, name))
    else:
        line(f"nothing to test: {version.name}/{version.version} is in {name} already")


def _tell(judged: Judged) -> None:
    entering = judged.entering
    subject = f"{entering.version.name}/{entering.version.version}"
    holder = entering.incumbent
    where = f", where {holder.name}/{holder.version} is now" if holder else ""
    line(f"{subject} → {entering.stage.name}{where}")
    if not judged.judgements:
        line("  no rules: it can be moved directly")
    propose = join(["gitreg", "promote", subject, entering.stage.name])
    for each in judged.judgements:
        line(f"  {'pass' if each.passed else 'FAIL'}  {each.rule}: {each.message}")
        if not each.passed and each.help:
            line(
                f"        {propose}; then {each.help}" if each.rule == "approvals" else f"        {each.help}"
            )
    if judged.passed:
        hint(f"next: {join(['gitreg', 'transition', subject, entering.stage.name])}")
    elif all(each.passed or each.rule == "approvals" for each in judged.judgements):
        hint(f"next: {propose}")
