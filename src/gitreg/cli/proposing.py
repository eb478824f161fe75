"""What the command line says of proposals: the answer of ``promote`` and of writes with ``--propose``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import Proposal, open_store, propose_all
from gitreg.domain.changes import subject
from gitreg.errors import GitregError, NotFound
from gitreg.registry.commands import command

if TYPE_CHECKING:
    from gitreg.registry.proposing import Proposed
    from gitreg.registry.receipt import Receipt
    from gitreg.registry.registry import Registry
    from gitreg.registry.shortage import Shortage
    from gitreg.registry.store import Store


@contextmanager
def proposing(about: str | None, wish: Proposal | None = None) -> Iterator[None]:
    """Propose what is written inside.

    Args:
        about: The version or model that the command is about.
        wish: How.

    Raises:
        NotFound: What is named is known here, and not where proposals begin.
    """
    propose_all(wish or Proposal())
    try:
        yield
    except NotFound as error:
        where = _elsewhere(about) if about is not None else None
        if where is None:
            raise
        if where:
            raise NotFound(
                f"{error.message} yet: {where} proposes it",
                where=error.where,
                hint=f"merge that first: {command('merge', where)}",
            ) from error
        raise NotFound(
            f"{error.message}, where proposals begin: it is on no branch but yours",
            where=error.where,
            hint="push it first: git push; or propose it: gitreg register … --propose",
        ) from error


def named(registry: Registry, branch: str) -> None:
    """Have what is proposed next go on this branch."""
    from gitreg.registry.proposing import Proposing

    assert isinstance(registry, Proposing)
    registry.branch = branch


def _elsewhere(uri: str) -> str | None:
    """The proposal that holds what is named; ``""``: only the branch here does, None: nothing is known to."""
    from gitreg.registry.open_proposals import candidates
    from gitreg.registry.remote_branch import upstream

    try:
        with open_store(click.get_current_context()) as store:
            for each in candidates(store, upstream(store, online=False)):
                if _holds(store, each.head, uri):
                    return each.name
            return "" if _holds(store, store.head(), uri) else None
    except GitregError:
        return None


def _holds(store: Store, commit: str, uri: str) -> bool:
    try:
        view = store.view(commit)
        found = view.reference(uri)
        if found.selector is None:
            view.model(found.name)
        else:
            view.version(uri)
    except GitregError:
        return False
    return True


def told(registry: Registry) -> Callable[[Receipt], list[str]]:
    """What was proposed, in words."""

    def words(receipt: Receipt) -> list[str]:
        found = _proposed(registry)
        return _words(found, subject(receipt.changes)) if found else []

    return words


def _proposed(registry: Registry) -> Proposed | None:
    from gitreg.registry.proposing import Proposing

    return registry.proposed if isinstance(registry, Proposing) else None


def _words(found: Proposed, what: str) -> list[str]:
    commit = (found.commit or "")[:10]
    verb = "Proposed" if found.made and not found.anew else "Proposed anew" if found.made else ""
    first = f"{verb}: {what} (commit {commit})" if verb else f"{what} is proposed already (commit {commit})"
    lines = [first, f"  branch: {found.branch}", f"  {_whereabouts(found)}"]
    lines += [f"  {_needs(each)}" for each in _asked(found)]
    lines += [f"  lacks: {text}" for text in _lacks(found)]
    lines.append(f"  review: {_review(found)}")
    lines += [f"remote: {line}" for line in found.words]
    return lines


def _whereabouts(found: Proposed) -> str:
    up = found.upstream
    if found.opened:
        return f"proposal {found.opened.number}: {found.opened.url}"
    if found.page:
        return f"open the pull request: {found.page}"
    if up.remote is None:
        name = found.rules.proposals.remote if found.rules else "origin"
        return f"it stays here: there is no remote {name}, and {up.branch} follows no other one"
    number = f", as proposal {found.number}" if found.number else ""
    return f"on {up.remote}, {up.address}{number}"


def _asked(found: Proposed) -> tuple[Shortage, ...]:
    from gitreg.registry.shortage import approvals_asked

    return approvals_asked(found.verdict, found.rules) if found.verdict and found.rules else ()


def _needs(one: Shortage) -> str:
    about = f"{one.subject} in {one.stage}" if one.stage else "new rules"
    who = f"; {', '.join(one.may)} may approve" if one.may and not one.met else ""
    return f"approvals for {about}: {one.words}{who}"


def _lacks(found: Proposed) -> list[str]:
    from gitreg.registry.shortage import APPROVALS

    findings = found.verdict.findings if found.verdict else ()
    return [each.message for each in findings if each.severity == "error" and each.code not in APPROVALS]


def _review(found: Proposed) -> str:
    from gitreg.registry.proposal_names import promoted

    told = promoted(found.branch)
    return command("review", told.subject, told.stage) if told else command("review", found.branch)


def passes(registry: Registry) -> bool:
    """Whether what was proposed can be merged by a command at once."""
    found = _proposed(registry)
    return found is not None and found.opened is None and found.verdict is not None and found.verdict.clean


def document(registry: Registry) -> dict[str, Any]:
    """What ``--json`` says besides."""
    found = _proposed(registry)
    if found is None:
        return {}
    number = found.opened.number if found.opened else found.number
    proposal: dict[str, Any] = {
        "number": number,
        "url": found.opened.url if found.opened else found.page or None,
        "remote": found.upstream.remote,
        "base": found.upstream.base,
        "made": found.made,
        "words": list(found.words),
        "approvals": [
            {
                "subject": each.subject or None,
                "stage": each.stage or None,
                "needed": each.needed,
                "given": each.given,
                "may": list(each.may),
            }
            for each in _asked(found)
        ],
        "lacks": _lacks(found),
    }
    return {"branch": found.branch, "proposal": proposal}
