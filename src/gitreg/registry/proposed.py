"""Which two commits a person means who asks for the review of a proposal.

What is proposed is named as the registry's branch knows it where it is shared: a clone may be behind.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from gitreg.domain.branches import OURS, elsewhere
from gitreg.domain.names import is_utf8, shown
from gitreg.domain.references import Reference
from gitreg.errors import GitregError, InvalidInput, NotFound
from gitreg.gitstore.log import is_ancestor
from gitreg.registry.commands import command
from gitreg.registry.dates import is_date
from gitreg.registry.numbered import by_number, numbered
from gitreg.registry.proposal_names import Promotion, promoted, promotion
from gitreg.registry.remote_branch import upstream, usual_remote
from gitreg.registry.store import Store
from gitreg.registry.view import View

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
# What HEAD would do to BASE is what Git writes with three dots; with two it means the same to most people.
_RANGE = re.compile(r"(?!\.)(.*?)\.{2,3}((?!\.).*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A proposal and what it is to be merged into.

    Attributes:
        base: Full hex id of a commit.
        head: As ``base``.
        branch: What ``gitreg merge`` knows the proposal by; ``""`` where commits were named.
        proposal: Whether a proposal was asked for, and not two commits.
    """

    base: str
    head: str
    branch: str = ""
    proposal: bool = True


def pair_of(store: Store, first: str, second: str | None = None) -> Pair:
    """The proposal that is meant.

    Args:
        store: The registry.
        first: With ``second`` a version and its stage, or two points in time, base and head, each a revision
            or a date. Alone: the branch of a proposal, the number that the server gave it, or a range as
            Git writes it.
        second: See ``first``.

    Raises:
        NotFound: There is no such revision or proposal.
    """
    view = _newest(store)
    if second is None:
        ends = _RANGE.fullmatch(first)
        if ends is None:
            return _alone(store, view, first)
        first, second = (end or "HEAD" for end in ends.groups())
    version = _version(view, first) if view.settings.has_stage(second) else None
    if version is None:
        return _two(store, view, first, second)
    stage = view.settings.stage(second).name
    number = view.version(str(version)).version
    branch = promotion(version.name, number, stage, prefix=store.prefix)
    head = _branch(store, view, branch)
    if head is None:
        raise _nobody_proposes(store, view, branch)
    return Pair(base=_official(store, view), head=head, branch=branch)


def refresh(store: Store, first: str, second: str | None = None) -> str:
    """Fetch what others have proposed, where a proposal is asked for, and not two commits that are here.

    Args:
        store: The registry.
        first: See ``pair_of``.
        second: As ``first``.

    Returns:
        Why the server was not asked; ``""`` where it was, or need not be.
    """
    view = _newest(store)
    if not _asks_for_a_proposal(store, view, first, second) or usual_remote(store, view.settings) is None:
        return ""
    try:
        upstream(store)
    except GitregError as error:
        return f"the server was not asked, this was fetched last: {error.message}"
    return ""


def _asks_for_a_proposal(store: Store, view: View, first: str, second: str | None) -> bool:
    if second is not None:
        return view.settings.has_stage(second) and _version(view, first) is not None
    if _RANGE.fullmatch(first) or not is_utf8(first):
        return False
    return first.startswith(OURS) or bool(_NUMBER.fullmatch(first)) or store.reader.resolve(first) is None


def _newest(store: Store) -> View:
    """The registry as its own branch has it, here or where it is shared; else as it is checked out."""
    view = store.view(store.head())
    try:
        newest = store.view(_official(store, view))
        _ = newest.settings
    except GitregError:  # there the registry is still to come
        return view
    return newest


def promotion_of(store: Store, branch: str) -> Promotion | None:
    """The promotion that a proposal asks for, by its branch or by the number that a server gave it."""
    kept = by_number(store, int(branch)) if _NUMBER.fullmatch(branch) else None
    name = kept.topic if kept else branch
    return None if elsewhere(name, store.prefix) else promoted(name)


def newest_commit(store: Store) -> str:
    """Full hex id of the newest commit known of the registry's own branch, here or where it is shared."""
    return _newest(store).commit


def _nobody_proposes(store: Store, view: View, branch: str) -> NotFound:
    told = promoted(branch)
    assert told is not None
    what = f"nobody proposes that {told.subject} enters {told.stage}"
    if told.stage in view.version(told.subject).stages:
        look = command("approvals", told.subject, told.stage)
        return NotFound(
            f"{what}: it is there already",
            where=branch,
            hint=f"who approved it: {look}; all of its history: {command('log', told.subject)}",
        )
    again = command("promote", told.subject, told.stage)
    return NotFound(what, where=branch, hint=f"{again}, or gitreg proposals")


def _two(store: Store, view: View, base: str, head: str) -> Pair:
    try:
        return Pair(base=_commit(store, base), head=_commit(store, head), proposal=False)
    except NotFound:
        if _version(view, base) is not None and _holds(view, base):
            view.settings.stage(head)  # tells which stages there are
        raise


def _holds(view: View, version: str) -> bool:
    try:
        view.version(version)
    except NotFound:
        return False
    return True


def is_open(store: Store, head: str) -> bool:
    """Whether a commit is not in the registry's own branch: what is proposed there is judged as of now."""
    return not is_ancestor(store.repository, head, _official(store, store.view(store.head())))


def _version(view: View, text: str) -> Reference | None:
    try:
        found = view.reference(text)
    except InvalidInput:
        return None
    return found if found.selector is not None else None


def _alone(store: Store, view: View, text: str) -> Pair:
    number = int(text) if _NUMBER.fullmatch(text) else 0
    kept = by_number(store, number) if number else None
    head = kept.head if kept else _branch(store, view, text)
    if head is not None:
        return Pair(base=_official(store, view), head=head, branch=text)
    if number and store.reader.resolve(text) is None:
        return _of_service(store, text)
    stages = _stages_asked_for(store, view, text)
    if stages is None:
        return Pair(base=_official(store, view), head=_commit(store, text))
    if len(stages) == 1:
        return pair_of(store, text, stages[0])
    what = f"{text} is proposed for {' and for '.join(stages)}" if stages else f"nobody proposes {text}"
    asked = stages[0] if stages else "STAGE"
    raise NotFound(what, where=shown(text)[1:-1], hint=f"gitreg review {text} {asked}, or gitreg proposals")


def _of_service(store: Store, number: str) -> Pair:
    """The pull request with a number, where a token for its service is at hand.

    Raises:
        NotFound: There is none.
    """
    from gitreg.registry.open_proposals import find

    up = upstream(store, online=False)
    found = find(store, up, number)
    return Pair(base=up.base, head=found.head, branch=found.name)


def _stages_asked_for(store: Store, view: View, text: str) -> list[str] | None:
    """The stages that a version is proposed for; None where ``text`` names no version."""
    if _version(view, text) is None or not _holds(view, text):
        return None
    version = view.version(text)
    names = [each.name for each in view.settings.stages]
    branches = {name: promotion(version.name, version.version, name, prefix=store.prefix) for name in names}
    return [name for name in names if _branch(store, view, branches[name])]


def _branch(store: Store, view: View, name: str) -> str | None:
    """The newest commit of a branch, here or where the remote had it last, by whichever name it keeps it."""
    if not is_utf8(name):
        return None
    kept = (each.head for each in numbered(store) if each.open and each.topic == name)
    remote = f"refs/remotes/{usual_remote(store, view.settings)}/{name}"
    there = store.reader.ref(remote) or next(kept, None)
    return _newer(store, store.reader.ref(f"refs/heads/{name}"), there)


def _newer(store: Store, here: str | None, there: str | None) -> str | None:
    if here is None or there is None or here == there:
        return here or there
    # Where they went apart, what stands there is what others see, approve and merge.
    return here if is_ancestor(store.repository, there, here) else there


def _official(store: Store, view: View) -> str:
    """The newest commit known of the registry's own branch."""
    return _branch(store, view, view.settings.branch) or store.head()


def _on(store: Store, day: str) -> str:
    try:
        return store.commit_for(day)
    except GitregError as error:
        error.where, error.hint = "", "gitreg log"  # they speak of --at
        raise


def branch_at(store: Store, head: str, named: str = "") -> str:
    """The branch whose newest commit a proposal's head is, as ``gitreg merge`` takes it.

    Args:
        store: The registry.
        head: Full hex id of a commit.
        named: How a person named it: where that is a branch it is the one that is meant.

    Returns:
        ``""`` where no branch of a proposal is known to be there; several: the one that gitreg made.
    """
    settings = store.view(store.head()).settings
    found: set[str] = set()
    remote = usual_remote(store, settings)
    for before in ("refs/heads/", f"refs/remotes/{remote}/"):
        refs = store.repository.refs.beginning(before)
        found |= {ref.removeprefix(before) for ref, oid in refs.items() if oid == head}
    found -= {settings.branch, "HEAD"}
    named = named.removeprefix("refs/heads/").removeprefix(f"{remote}/")
    return (
        named
        if named in found
        else min(found, key=lambda each: (not each.startswith(OURS), each), default="")
    )


def _commit(store: Store, rev: str) -> str:
    found = store.reader.resolve(rev) if is_utf8(rev) else None
    if found is None and is_date(rev):
        return _on(store, rev)
    if found is None:
        raise NotFound(f"there is no commit or proposal {shown(rev)}", hint="gitreg proposals, or gitreg log")
    return found
