"""Branches other than the registry's own: whole manifests, and nothing rewritten that is registered.

Neither approvals nor gates are asked for: a branch is where a proposal grows. What is looked at is
what differs from the merge base with the registry's branch, so that the size of the registry does
not count.
"""

from __future__ import annotations

from gitreg.domain.findings import Finding
from gitreg.errors import InvalidInput
from gitreg.gitstore.ancestry import merge_base
from gitreg.manifest.layout import SETTINGS_FILE
from gitreg.registry.check import check
from gitreg.registry.content import in_commit
from gitreg.registry.differing import judge_difference
from gitreg.registry.store import Store


def judge_draft(store: Store, *, main: str | None, head: str) -> tuple[Finding, ...]:
    """What is wrong with the manifests that a branch changes.

    Args:
        store: The registry.
        main: Head of the registry's own branch; None where there is none yet.
        head: Head of the branch.

    Raises:
        InvalidInput: It is no commit; Git sees to that below ``refs/heads/`` alone.
    """
    kind, _ = store.reader.object(head)
    if kind != "commit":
        raise InvalidInput(f"a commit is taken here, and this is a {kind}", hint="git push origin HEAD:REF")
    base = merge_base(store.repository, main, head) if main else None
    if base is None:
        content = in_commit(store, head)
        return check(content, None).findings if SETTINGS_FILE in content.modes else ()
    return judge_difference(store, base, head)
