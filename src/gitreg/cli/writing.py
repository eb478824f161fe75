"""How every writing command ends: preview or commit, then say what happened."""

from __future__ import annotations

import difflib
import functools
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from gitreg.cli import output, sentences
from gitreg.cli.options import write_options
from gitreg.domain.model import ModelVersion
from gitreg.domain.requests import Request
from gitreg.errors import EnvironmentFailure, InvalidInput, UsageError
from gitreg.registry.documents import receipt_document, registered_number, written_document
from gitreg.registry.receipt import FileChange, Receipt
from gitreg.registry.registry import Registry
from gitreg.render.text import safe


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """The options of a write: why, whether to write at all, how to answer, and where it goes."""

    message: str
    dry_run: bool
    as_json: bool
    propose: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a write is about: a model, or one version of it."""

    name: str
    version: int | None = None

    def __str__(self) -> str:
        return self.name if self.version is None else f"{self.name}/{self.version}"


def writes(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command ``-m``, ``--propose``, ``--dry-run`` and ``--json``, passed on as ``how: How``."""

    @functools.wraps(command)
    def wrapped(*, message: str, propose: bool, dry_run: bool, as_json: bool, **given: Any) -> Any:
        how = How(message=message, dry_run=dry_run, as_json=as_json, propose=propose)
        if not propose:
            return command(how=how, **given)
        from gitreg.cli.proposing import proposing

        with proposing(given.get("uri") or given.get("name")):
            return command(how=how, **given)

    return write_options(wrapped)


def target_of(registry: Registry, uri: str) -> Target:
    """The model or version that ``uri`` names, which must be there; a version by its number."""
    view = registry.at()
    found = view.reference(uri)
    if found.selector is None:
        return Target(name=view.model(found.name).name)
    return Target(name=found.name, version=view.version(uri).version)


def version_of(registry: Registry, uri: str) -> ModelVersion:
    """The version that ``uri`` names.

    Raises:
        InvalidInput: It names a model alone.
    """
    return registry.at().version(uri)


def warn_of_empty(registry: Registry, version: ModelVersion, stages: Iterable[str]) -> None:
    """Warn where a version leaves stages with rules, and no other one holds them."""
    state = registry.at().state(version.name)
    for stage in stages:
        known = registry.settings.has_stage(stage) and registry.settings.stage(stage)
        holders = {each.version for each in state.holders(stage)}
        if known and known.guarded and holders == {version.version}:
            subject = f"{version.name}/{version.version}"
            registry.warnings.append(f"{subject} holds {stage}: no version will after this")


def no_selector(registry: Registry, uri: str, what: str) -> str:
    """The name in ``uri``, which must be a model's.

    Raises:
        InvalidInput: It names a version.
    """
    found = registry.at().reference(uri)
    if found.selector is not None:
        raise InvalidInput(f"{found} is a version: only a model {what}", hint=f"use {found.name}")
    return found.name


def write(
    registry: Registry, requests: Sequence[Request], target: Target, how: How, *, unchanged: str
) -> Receipt:
    """Carry out ``requests`` as one commit, or show what they would do, and print the answer.

    Args:
        registry: Where.
        requests: What is asked for.
        target: What ``--json`` shows as it is afterwards; a version None that was registered is found.
        how: The options of the command.
        unchanged: What is already so, when nothing changes: ``churn/3 is in Production already``.
    """
    act = registry.preview if how.dry_run else registry.apply
    receipt = act(*requests, message=how.message)
    report(registry, receipt, target, how, unchanged=unchanged)
    return receipt


def report(
    registry: Registry,
    receipt: Receipt,
    target: Target | None,
    how: How,
    *,
    unchanged: str,
    told: Callable[[Receipt], list[str]] = sentences.done,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Print what came of a write, or would come of it.

    Args:
        registry: Where.
        receipt: The outcome.
        target: What ``--json`` shows as it is afterwards; None where that is not one model.
        how: The options of the command.
        unchanged: What is already so, when nothing changes.
        told: What was done, in words.
        more: What ``--json`` says besides.
    """
    more = more or {}
    if how.propose:
        from gitreg.cli import proposing

        told, more = proposing.told(registry), {**more, **proposing.document(registry)}
    try:
        _answer(registry, receipt, target, how, unchanged, told, more)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if receipt.commit is None:
            raise
        raise EnvironmentFailure(
            f"the change is made (commit {receipt.commit[:10]}), but the answer could not be written: "
            f"{error.strerror}",
            where="stdout",
        ) from error


def _answer(
    registry: Registry,
    receipt: Receipt,
    target: Target | None,
    how: How,
    unchanged: str,
    told: Callable[[Receipt], list[str]],
    more: Mapping[str, Any],
) -> None:
    warnings = tuple(dict.fromkeys((*registry.warnings, *receipt.warnings)))
    if how.as_json:
        output.document({**_document(registry, receipt, target, how, warnings), **more})
        return
    for text in warnings:
        output.warning(text)
    if not receipt.changes:
        output.line(f"nothing to change: {unchanged}")
    elif how.dry_run:
        for text in sentences.would(receipt.changes):
            output.line(text)
        for file in receipt.files:
            _print_diff(file)
        output.note("dry run: nothing was written")
    else:
        for text in told(receipt):
            output.line(text)


def _document(
    registry: Registry, receipt: Receipt, target: Target | None, how: How, warnings: Sequence[str]
) -> dict[str, Any]:
    document = receipt_document(receipt, warnings)
    if how.dry_run:
        document["dry_run"] = True
        document["diff"] = "\n".join(line for file in receipt.files for line in diff_lines(file))
    if target is None:
        return document
    part = receipt.edit.get(target.name)
    state = part.after if part else registry.at().state(target.name)
    return document | written_document(state, target.version or registered_number(receipt))


def _print_diff(file: FileChange) -> None:
    for text in diff_lines(file):
        output.line(text)


def diff_lines(file: FileChange) -> list[str]:
    """The unified diff of one file; empty for a folder that moves as a whole."""
    before, after = (
        None if data is None else data.decode("utf-8", "backslashreplace").splitlines()
        for data in (file.before, file.after)
    )
    return list(
        difflib.unified_diff(
            before or [],
            after or [],
            "/dev/null" if before is None else f"a/{file.path}",
            "/dev/null" if after is None else f"b/{file.path}",
            lineterm="",
        )
    )


def confirm(action: str, *, yes: bool) -> None:
    """Go on only when the user agrees to ``action``: by ``--yes``, or a ``y`` on the terminal.

    Raises:
        UsageError: Nobody can be asked.
        click.Abort: The answer was no.
    """
    if yes:
        return
    if not (sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(f"nobody is here to be asked: {action}?", hint="to go ahead, add --yes")
    click.confirm(f"{safe(action[:1].upper() + action[1:])}?", abort=True, err=True)
