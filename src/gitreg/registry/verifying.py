"""``gitreg verify --all``: the whole first-parent history from its root on, and the tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gitreg.domain.findings import Finding
from gitreg.errors import IntegrityError
from gitreg.registry.check import check
from gitreg.registry.content import in_commit
from gitreg.registry.judging import SHALLOW, line
from gitreg.registry.reconcile import survey
from gitreg.registry.root import pinned_root
from gitreg.registry.store import Store
from gitreg.registry.verdict import Tally, Verdict

Progress = Callable[[int], None]
_OF_RULES = frozenset({"GR211", "GR212", "GR213"})


def verify_all(store: Store, head: str, *, tags: bool = True, progress: Progress | None = None) -> Verdict:
    """Judge each commit by the rules of the one before it, and the tags by the history.

    Args:
        store: The registry.
        head: Full hex id of the commit at which the history ends.
        tags: Whether the registry's tags must be here and right; a clone may do without them.
        progress: Told how many commits were judged.

    Returns:
        The verdict; its steps are left out, for there may be a hundred thousand.
    """
    if store.repository.shallow():
        return Verdict(base=head, head=head, steps=(), findings=(SHALLOW,))
    try:
        root = pinned_root(store, head)
    except IntegrityError as error:
        fault = Finding(code="GR301", message=error.message, help=error.hint)
        return Verdict(base=head, head=head, steps=(), findings=(fault,))
    # Each finding, and the commit that has it first: what nobody mends is found again in every later one.
    found = dict.fromkeys(check(in_commit(store, root), None).findings, root)
    count = promotions = approvals = 0
    for count, step in enumerate(line(store, root, head, by_parent=True), start=1):
        for finding in step.findings:
            found.setdefault(finding, step.commit)
        for judged in step.judged:
            promotions += judged.entering.stage.guarded
            approvals += sum(len(each.detail.get("present", ())) for each in judged.judgements)
        if progress:
            progress(count)
    told = [_told(finding, commit, head) for finding, commit in _eased(store, found, head)]
    findings = (*told, *(_tags(store) if tags else ()))
    return Verdict(
        base=root,
        head=head,
        steps=(),
        findings=tuple(dict.fromkeys(findings)),
        tally=Tally(commits=count + 1, promotions=promotions, approvals=approvals),
    )


def _eased(store: Store, found: Mapping[Finding, str], head: str) -> Iterator[tuple[Finding, str]]:
    """The findings and their commits; rules that were faulty once and are mended are a warning.

    They let nobody through who should have stayed out, and no later commit can take them back.
    """
    faulty = any(finding.code in _OF_RULES for finding in found)
    now = (
        {(each.code, each.path) for each in check(in_commit(store, head), None).findings} if faulty else set()
    )
    for finding, commit in found.items():
        mended = finding.code in _OF_RULES and (finding.code, finding.path) not in now
        yield replace(finding, severity="warning") if mended else finding, commit


def _told(finding: Finding, commit: str, head: str) -> Finding:
    """A finding with the commit that it is about, for the file may be another by now."""
    if commit == head or commit[:10] in finding.message:
        return finding
    return replace(finding, message=f"{finding.message} (in the commit {commit[:10]})")


def _tags(store: Store) -> Iterator[Finding]:
    found = survey(store)
    yield from found.drift
    for wanted in found.missing:
        message = f"the tag {wanted.name} is missing, for {wanted.change.subject} in {wanted.commit[:10]}"
        mend = "gitreg reconcile; where another repository has it: git fetch --tags"
        yield Finding(code="GR304", message=message, path=wanted.name, help=mend)
