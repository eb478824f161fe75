"""``gitreg verify --all``: the whole first-parent history from its root on, and the tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from gitreg.domain.findings import Finding
from gitreg.errors import IntegrityError
from gitreg.registry.check import check
from gitreg.registry.content import in_commit
from gitreg.registry.judging import SHALLOW, line
from gitreg.registry.reconcile import survey
from gitreg.registry.root import pinned_root
from gitreg.registry.store import Store
from gitreg.registry.verdict import Verdict

Progress = Callable[[int], None]


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
    found = [*check(in_commit(store, root), None).findings]
    for count, step in enumerate(line(store, root, head, by_parent=True), start=1):
        found += step.findings
        if progress:
            progress(count)
    found += _tags(store) if tags else ()
    return Verdict(base=root, head=head, steps=(), findings=tuple(dict.fromkeys(found)))


def _tags(store: Store) -> Iterator[Finding]:
    found = survey(store)
    yield from found.drift
    for wanted in found.missing:
        message = f"the tag {wanted.name} is missing, for {wanted.change.subject} in {wanted.commit[:10]}"
        mend = "gitreg reconcile; where another repository has it: git fetch --tags"
        yield Finding(code="GR304", message=message, path=wanted.name, help=mend)
