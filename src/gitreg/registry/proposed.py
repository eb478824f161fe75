"""Which two commits a person means who asks for the review of a proposal."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitreg.domain.names import folder, is_utf8, shown
from gitreg.domain.references import Reference
from gitreg.errors import InvalidInput, NotFound
from gitreg.gitstore.log import is_ancestor
from gitreg.registry.store import Store
from gitreg.registry.view import View

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A proposal and what it is to be merged into.

    Attributes:
        base: Full hex id of a commit.
        head: As ``base``.
        branch: What ``gitreg merge`` knows the proposal by; ``""`` where two commits were named.
    """

    base: str
    head: str
    branch: str = ""


def pair_of(store: Store, first: str, second: str | None = None) -> Pair:
    """The proposal that is meant.

    Args:
        store: The registry.
        first: With ``second`` a version and its stage, or two revisions, base and head. Alone: the branch
            of a proposal, or the number that the server gave it.
        second: See ``first``.

    Raises:
        NotFound: There is no such revision or proposal.
    """
    view = store.view(store.head())
    if second is None:
        return _alone(store, view, first)
    version = _version(view, first) if view.settings.has_stage(second) else None
    if version is None:
        return Pair(base=_commit(store, first), head=_commit(store, second))
    stage = view.settings.stage(second).name
    number = view.version(str(version)).version
    branch = f"gitreg/promote/{folder(version.name)}/{number}/{stage}"
    head = _branch(store, view, branch)
    if head is None:
        raise NotFound(
            f"nobody proposes that {version.name}/{number} enters {stage}",
            where=branch,
            hint=f"gitreg promote {version.name}/{number} {stage}, or gitreg proposals",
        )
    return Pair(base=_official(store, view), head=head, branch=branch)


def _version(view: View, text: str) -> Reference | None:
    try:
        found = view.reference(text)
    except InvalidInput:
        return None
    return found if found.selector is not None else None


def _alone(store: Store, view: View, text: str) -> Pair:
    refs = (f"refs/proposals/{text}/head",) if _NUMBER.fullmatch(text) else ()
    head = next((oid for ref in refs if (oid := store.repository.refs.read(ref))), None)
    head = head or _branch(store, view, text) or _commit(store, text)
    return Pair(base=_official(store, view), head=head, branch=text)


def _branch(store: Store, view: View, name: str) -> str | None:
    """The newest commit of a branch, here or where the remote had it last."""
    if not is_utf8(name):
        return None
    remote = f"refs/remotes/{view.settings.proposals.remote}/{name}"
    return _newer(store, store.reader.ref(f"refs/heads/{name}"), store.reader.ref(remote))


def _newer(store: Store, here: str | None, there: str | None) -> str | None:
    if here is None or there is None or here == there:
        return here or there
    return there if is_ancestor(store.repository, here, there) else here


def _official(store: Store, view: View) -> str:
    """The newest commit known of the registry's own branch."""
    return _branch(store, view, view.settings.branch) or store.head()


def _commit(store: Store, rev: str) -> str:
    found = store.reader.resolve(rev) if is_utf8(rev) else None
    if found is None:
        raise NotFound(f"there is no commit or proposal {shown(rev)}", hint="gitreg proposals, or gitreg log")
    return found
