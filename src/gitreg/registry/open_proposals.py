"""The open proposals: branches here and on the remote, those that a server numbers, pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from gitreg.domain.branches import OURS, belongs, elsewhere, home
from gitreg.domain.names import is_utf8, shown
from gitreg.errors import GitregError, InvalidInput, NotFound
from gitreg.forge.proposal import Opened
from gitreg.gitstore.ancestry import look_ahead, merge_base
from gitreg.gitstore.log import history
from gitreg.gitstore.merging import Merged, merge_trees
from gitreg.gitstore.objects import Person
from gitreg.registry import proposal_names
from gitreg.registry.clock import utc_now
from gitreg.registry.commands import command
from gitreg.registry.meanwhile import holds, standoff
from gitreg.registry.numbered import by_number, numbered, refuse_closed
from gitreg.registry.remote_branch import BRANCHES, Upstream, fetch_branch, hosting_of
from gitreg.registry.shortage import state_of
from gitreg.registry.store import Store
from gitreg.registry.verdict import Verdict

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenProposal:
    """One proposal.

    Attributes:
        head: Full hex id of its newest commit.
        branch: Its short name; ``""`` for one that a server numbers and that has none.
        number: Of a server of ours, or of the pull request.
        ref: Where the commit is known by here: full name.
        here: What the branch of this clone points to; None: there is none.
        there: What the remote's points to; None: there is none.
        target: The branch that it is for.
        url: Of the pull request.
        title: What its server calls it; ``""``: what its commit says.
        by: Who made it, as its server knows them; ``""``: the commit's author.
    """

    head: str
    branch: str = ""
    number: int | None = None
    ref: str = ""
    here: str | None = None
    there: str | None = None
    target: str = ""
    url: str = ""
    title: str = ""
    by: str = ""

    @property
    def shared(self) -> bool:
        """Whether others can see it."""
        return self.there is not None or self.number is not None

    @property
    def name(self) -> str:
        """By what commands know it."""
        return self.branch or str(self.number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A proposal with what it does and what it lacks.

    Attributes:
        proposal: Which.
        subject: What its first commit says.
        author: Who made that.
        when: Committer time of its newest commit.
        state: ``passes``, or what is missing.
        verdict: What the rules say; None where it can't be merged as it is.
    """

    proposal: OpenProposal
    subject: str
    author: Person
    when: datetime
    state: str
    verdict: Verdict | None


def list_open(store: Store, up: Upstream) -> list[Listed]:
    """All that are not merged, the newest last changed first.

    Args:
        store: The registry.
        up: Fetched just now, or what was fetched last.
    """
    found = list(candidates(store, up))
    look_ahead(store.repository, up.base, (each.head for each in found))
    listed = [one for each in found if (one := looked_at(store, up, each)) is not None]
    return sorted(listed, key=lambda each: each.when, reverse=True)


def with_requests(store: Store, up: Upstream, listed: list[Listed]) -> list[Listed]:
    """The same with their pull requests, where a token for the service is at hand.

    Raises:
        GitregError: See ``forge.http.Api.ask``.
    """
    service = hosting_of(store, up) if listed else None
    if service is None:
        return listed
    requests = {each.branch: each for each in service.list_open(home(store.prefix))}
    return [
        replace(each, proposal=_with(each.proposal, requests.get(each.proposal.branch))) for each in listed
    ]


def candidates(store: Store, up: Upstream) -> Iterator[OpenProposal]:
    """All that were not closed, merged ones among them: no more is known than refs tell."""
    refs, ours = store.repository.refs, home(store.prefix)
    names = {ref.removeprefix(BRANCHES) for ref in refs.list(f"{BRANCHES}{ours}")}
    if up.remote is not None:
        before = up.tracking("")
        names |= {ref.removeprefix(before) for ref in refs.list(f"{before}{ours}")}
    names = {name for name in names if belongs(name, store.prefix)}
    asked = [each for each in numbered(store) if each.open and each.target == up.branch]
    for each in asked:
        if not elsewhere(each.topic, store.prefix):
            yield _of_number(store, up, each.number)
    for name in sorted(names - {each.topic for each in asked}):
        one = _branch(store, up, name)
        if one is not None:
            yield one


def _branch(store: Store, up: Upstream, name: str) -> OpenProposal | None:
    here = store.reader.ref(f"{BRANCHES}{name}")
    there = fetch_there(store, up, name)
    head = there or here
    if head is None:
        return None
    ref = up.tracking(name) if there else f"{BRANCHES}{name}"
    return OpenProposal(head=head, branch=name, ref=ref, here=here, there=there, target=up.branch)


def fetch_there(store: Store, up: Upstream, name: str) -> str | None:
    """What the remote's branch pointed to when it was last asked."""
    return store.reader.ref(up.tracking(name)) if up.remote is not None else None


def _of_number(store: Store, up: Upstream, number: int) -> OpenProposal:
    found = by_number(store, number)
    if found is None:
        raise NotFound(f"there is no proposal {number}", hint="gitreg proposals")
    found = refuse_closed(found)
    _refuse_elsewhere(store, found.topic)
    branch = found.topic if found.topic.startswith(OURS) else ""
    return OpenProposal(
        head=found.head,
        branch=branch,
        number=number,
        ref=found.ref,
        here=store.reader.ref(f"{BRANCHES}{branch}") if branch else None,
        target=found.target,
        title=found.title,
        by=found.by,
    )


def _with(one: OpenProposal, request: Opened | None) -> OpenProposal:
    return one if request is None else replace(one, number=request.number, url=request.url)


def added(store: Store, base: str, head: str) -> Merged:
    """What a proposal would add to ``base``; nothing, where that holds all of it, as after a squash.

    Raises:
        InvalidInput: The two have no commit in common.
    """
    since = merge_base(store.repository, base, head)
    if since is None:
        raise InvalidInput(
            f"{head[:10]} and {base[:10]} have no commit in common",
            where=head[:10],
            hint="was the branch rewritten? propose it again, or: gitreg withdraw",
        )
    old, ours, theirs = (store.reader.commit(oid).tree for oid in (since, base, head))
    return merge_trees(store.reader, store.repository, base=old, ours=ours, theirs=theirs)


def looked_at(store: Store, up: Upstream, one: OpenProposal) -> Listed | None:
    """A proposal with what it does and lacks; None where the branch holds all of it already."""
    since = merge_base(store.repository, up.base, one.head)
    if since is None or since == one.head:
        return None
    laid = added(store, up.base, one.head)
    if not laid.changes and not laid.conflicts:
        return None
    if not one.branch and not any(path.startswith(store.prefix) for path in (*laid.changes, *laid.conflicts)):
        return None  # of another registry in this repository
    if holds(store, since=since, base=up.base, head=one.head, branch=one.branch):
        return None
    subject, author = _first(store, one.head, since)
    newest = store.reader.commit(one.head)
    verdict, state = None, ""
    if laid.conflicts:
        told = standoff(store, since=since, base=up.base, head=one.head, conflicts=laid.conflicts)
        state = told.said
    else:
        verdict, state = _judged(store, up, one)
    return Listed(
        proposal=one,
        subject=one.title or subject,
        author=author,
        when=newest.committer.when,
        state=state,
        verdict=verdict,
    )


def _judged(store: Store, up: Upstream, one: OpenProposal) -> tuple[Verdict | None, str]:
    from gitreg.registry.judging import judge

    try:
        verdict = judge(store, up.base, one.head, now=utc_now(), proposal=True)
        return verdict, state_of(verdict, store.view(up.base).settings)
    except GitregError as error:  # one that can't be read hides no other
        return None, f"can't be judged: {error.message}"


def _first(store: Store, head: str, since: str) -> tuple[str, Person]:
    """Subject and author of a proposal's first commit."""
    at = store.reader.commit(head)
    while len(at.parents) == 1:
        if at.parents[0] == since:
            return at.message.strip().partition("\n")[0], at.author.person
        at = store.reader.commit(at.parents[0])
    *_, first = history(store.repository, head=head, after=since)  # something was merged into it
    return first.subject, first.author


def find(store: Store, up: Upstream, first: str, second: str | None = None) -> OpenProposal:
    """The proposal that is meant; a service is asked only for the number of a pull request.

    Args:
        store: The registry, as the remote has it.
        up: Fetched just now.
        first: Its number or branch; with ``second`` a version.
        second: The stage that it is proposed for.

    Raises:
        NotFound: There is none.
    """
    if second is not None:
        name, mend = _promotion(store, up, first, second)
    elif _NUMBER.fullmatch(first):
        return _by_number(store, up, int(first))
    else:
        name, mend = _short(up, first), "gitreg proposals"
    found = _named(store, up, name)
    if found is None and second is None:
        mend = _stage_of(store, up, first) or mend
    if found is None:
        raise NotFound(f"there is no proposal {shown(name)}", where=up.address, hint=mend)
    return found


def with_request(store: Store, up: Upstream, found: OpenProposal) -> OpenProposal:
    """A proposal with its pull request, where a token for the service is at hand.

    Raises:
        GitregError: See ``forge.http.Api.ask``.
    """
    if found.url or found.there is None:
        return found
    service = hosting_of(store, up)
    return _with(found, service.find(found.branch)) if service is not None else found


def _promotion(store: Store, up: Upstream, uri: str, stage: str) -> tuple[str, str]:
    view = store.view(up.base)
    version, exact = view.version(uri), view.settings.stage(stage).name
    branch = proposal_names.promotion(version.name, version.version, exact, prefix=store.prefix)
    return branch, command("promote", f"{version.name}/{version.version}", exact)


def _stage_of(store: Store, up: Upstream, uri: str) -> str:
    """What to say where a version is named without its stage; ``""``: it is no version."""
    try:
        version = store.view(up.base).version(uri)
    except GitregError:
        return ""
    before = proposal_names.promotion(version.name, version.version, "", prefix=store.prefix)
    branches = [each.branch for each in candidates(store, up) if each.branch.startswith(before)]
    stages = " or ".join(branch.removeprefix(before) for branch in branches)
    return f"say for which stage: {version.name}/{version.version} {stages or 'STAGE'}; gitreg proposals"


def _short(up: Upstream, text: str) -> str:
    if not is_utf8(text) or not text or text.startswith("-"):
        raise InvalidInput(f"{shown(text)} is no proposal", hint="gitreg proposals")
    text = text.removeprefix("refs/heads/").removeprefix("refs/remotes/")
    return text.removeprefix(f"{up.remote}/") if up.remote else text


def _named(store: Store, up: Upstream, name: str) -> OpenProposal | None:
    if name == up.branch:
        raise InvalidInput(f"{name} is the registry's own branch", hint="gitreg proposals")
    _refuse_elsewhere(store, name)
    for each in numbered(store):
        if each.open and each.topic == name and up.service == "gitreg":
            return _of_number(store, up, each.number)
    fetch_branch(store, up, name)
    return _branch(store, up, name)


def _refuse_elsewhere(store: Store, branch: str) -> None:
    """Refuse a proposal of another registry in this repository: the rules here say nothing of it."""
    if elsewhere(branch, store.prefix):
        raise InvalidInput(
            f"{branch} is a proposal of another registry in this repository",
            where=store.prefix or "the registry at the root",
            hint="say which: gitreg --registry FOLDER",
        )


def _by_number(store: Store, up: Upstream, number: int) -> OpenProposal:
    service = hosting_of(store, up)
    if service is None:
        return _of_number(store, up, number)
    for each in service.list_open(""):
        if each.number == number:
            found = _named(store, up, each.branch)
            if found is not None:
                return _with(found, each)
    raise NotFound(f"there is no open proposal {number}", where=up.address, hint="gitreg proposals")
