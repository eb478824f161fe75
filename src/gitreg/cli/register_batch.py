"""``gitreg register --batch``: many registrations, all of them or none."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from gitreg.cli import output
from gitreg.cli.batch_lines import Line, read
from gitreg.cli.origins import Look
from gitreg.cli.progress import Progress
from gitreg.cli.sentences import would
from gitreg.cli.writing import How
from gitreg.domain.requests import Register
from gitreg.errors import EnvironmentFailure, GitregError
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.render.text import plural
from gitreg.render.values import change_document

_MOST_WARNINGS = 20


def run(registry: Registry, path: str, how: How, *, look: Look, commit: Commit, progress: Progress) -> None:
    """Register one version for each JSON line of a file.

    Args:
        registry: Where.
        path: The file; ``-`` is stdin.
        how: The options of the command.
        look: How a source becomes an origin.
        commit: ``each`` or ``together``.
        progress: Told how far it is.

    Raises:
        GitregError: Some line can't be registered; then none is.
    """
    # All lines are read before the lock is taken: a slow producer keeps no other writer waiting.
    lines = []
    with nullcontext(sys.stdin.buffer) if path == "-" else Path(path).open("rb") as stream:
        for line in read(stream, look):
            lines.append(_with_parents(line, registry))
            progress.show(f"reading: {len(lines):,} lines")
    requests = Requests(lines)
    written = Written()
    try:
        if how.dry_run:
            written.add(registry.preview(*requests, message=how.message))
        elif lines:
            commit(registry, requests, how, written, progress)
    except GitregError as error:
        requests.blame(error)
        raise
    progress.clear()
    if how.propose and lines and not how.dry_run:
        _answer_proposed(registry, written, how)
        return
    _answer(lines, written, how)


def _answer_proposed(registry: Registry, written: Written, how: How) -> None:
    from gitreg.cli import proposing

    if how.as_json:
        warnings = [*written.warnings, *registry.warnings]
        output.document({**_document(written, warnings, how), **proposing.document(registry)})
        return
    for text in registry.warnings:
        output.warning(text)
    for text in proposing.told(registry)(written.receipt):
        output.line(text)


class Requests(list[Register]):
    """The requests of some lines; they remember which was asked for last, the one an error is about."""

    def __init__(self, lines: Iterable[Line]) -> None:
        lines = list(lines)
        super().__init__(line.request for line in lines)
        self._numbers = [line.number for line in lines]
        self._at = 0
        self.models = len({line.request.name for line in lines})

    def __iter__(self) -> Iterator[Register]:
        for number, request in zip(self._numbers, super().__iter__(), strict=True):
            self._at = number
            yield request
        self._at = 0

    def blame(self, error: GitregError) -> None:
        """Write into ``error`` which line it is about."""
        if self._at:
            error.where = f"line {self._at}" + (f", {error.where}" if error.where else "")


@dataclass(slots=True, kw_only=True)
class Written:
    """What has been written so far."""

    commits: list[str] = field(default_factory=list)
    branch: str = ""
    versions: list[dict[str, Any]] = field(default_factory=list)
    receipt: Receipt = field(default_factory=Receipt)
    warnings: dict[str, None] = field(default_factory=dict)

    def add(self, receipt: Receipt) -> None:
        """Take in one commit."""
        self.receipt = receipt
        self.branch = receipt.branch
        self.warnings |= dict.fromkeys(receipt.warnings)
        if receipt.commit:
            self.commits.append(receipt.commit)
        self.versions += [
            {"name": change.model, "version": change.version, "commit": receipt.commit}
            for change in receipt.changes
            if change.event == "register" and change.version is not None
        ]


def _with_parents(line: Line, registry: Registry) -> Line:
    parents = line.request.origin.parents
    if not parents:
        return line
    view = registry.at()
    try:
        pinned = tuple(_pinned(uri, view) for uri in parents)
    except GitregError as error:
        error.where = f"line {line.number}, parents"
        raise
    origin = replace(line.request.origin, parents=pinned)
    return replace(line, request=replace(line.request, origin=origin))


def _pinned(uri: str, view: View) -> str:
    """A parent with its number; one that is given by its number may be registered by a line before."""
    if "://" in uri:
        return uri
    found = view.reference(uri)
    if found.selector is not None and found.selector.kind == "version":
        return f"models:/{found}"
    version = view.version(uri)
    return f"models:/{version.name}/{version.version}"


def together(registry: Registry, requests: Requests, how: How, written: Written, progress: Progress) -> None:
    """Make one commit of all requests."""
    title = f"register {plural(len(requests), 'version')} of {plural(requests.models, 'model')}"
    progress.show(f"registering: {len(requests):,}")
    asked = registry.asked(requests, message=how.message, title=title)
    written.add(registry.carry_out(asked))


def each(registry: Registry, requests: Requests, how: How, written: Written, progress: Progress) -> None:
    """Make one commit of each request, all of them published together."""
    from gitreg.registry import write

    def done(receipt: Receipt) -> None:
        written.add(receipt)
        progress.show(f"registering: {len(written.commits):,} of {len(requests):,}")

    asks = (registry.asked([request], message=how.message) for request in requests)
    write.apply_each(registry.store, asks, done)


Commit = Callable[[Registry, Requests, How, Written, Progress], None]
"""How the requests of a batch become commits: ``each`` or ``together``."""


def _answer(lines: list[Line], written: Written, how: How) -> None:
    warnings = [f"line {line.number}: {text}" for line in lines for text in line.warnings]
    warnings += written.warnings
    if how.as_json:
        output.document(_document(written, warnings, how))
    else:
        for text in warnings[:_MOST_WARNINGS]:
            output.warning(text)
        if len(warnings) > _MOST_WARNINGS:
            output.note(f"and {len(warnings) - _MOST_WARNINGS:,} more warnings; --json lists them all")
        _say(lines, written, how)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if not written.commits:
            raise
        raise EnvironmentFailure(
            f"the versions are registered (up to commit {written.commits[-1][:10]}), "
            f"but the answer could not be written: {error.strerror}",
            where="stdout",
        ) from error


def _say(lines: list[Line], written: Written, how: How) -> None:
    if not lines:
        output.line("nothing to register: there are no lines")
        return
    if how.dry_run:
        for text in would(written.receipt.changes):
            output.line(text)
        output.note("dry run: nothing was written")
        return
    models = len({each["name"] for each in written.versions})
    output.line(
        f"Registered {plural(len(written.versions), 'version')} of {plural(models, 'model')} "
        f"in {plural(len(written.commits), 'commit')} (up to {written.commits[-1][:10]})"
    )


def _document(written: Written, warnings: list[str], how: How) -> dict[str, Any]:
    document: dict[str, Any] = {
        "commit": written.commits[-1] if written.commits else None,
        "branch": written.branch,
        "commits": len(written.commits),
        "versions": written.versions,
        "warnings": warnings,
    }
    if how.dry_run:
        document["dry_run"] = True
        document["changes"] = [change_document(change) for change in written.receipt.changes]
    return document
