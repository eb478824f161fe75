"""Make a change on a branch of its own and show it to the server: ``promote``, and writes with ``--propose``.

The branch is told by what is asked for, so that asking again finds it again: nothing happens where it does
that already, on the same base; otherwise it is made anew on what the registry's branch holds now.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.domain import requests as ask
from gitreg.domain.branches import OURS
from gitreg.errors import GitregError, OutcomeUnknown
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.pushing import change_id, compare_url, push_plan
from gitreg.forge.token import withheld
from gitreg.gitstore.log import history, is_ancestor
from gitreg.gitstore.repository import Repository
from gitreg.registry import proposal_names
from gitreg.registry.clock import utc_now
from gitreg.registry.proposal_remade import reason_before, remarks
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry
from gitreg.registry.remote_branch import BRANCHES, Upstream, hosting_of, point, send, upstream
from gitreg.registry.root import root_of
from gitreg.registry.store import Branch, Store
from gitreg.registry.wanted import Wanted, WantedRequests, WantedSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitreg.domain.settings import Settings
    from gitreg.forge.rest import Hosting
    from gitreg.registry.approvals_kept import Kept
    from gitreg.registry.configure import Amendment, Wish
    from gitreg.registry.verdict import Verdict
    from gitreg.registry.write import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What became of a proposal.

    Attributes:
        branch: Its short name.
        commit: Full hex id of its newest commit; None where nothing was to change.
        upstream: Where it goes.
        made: Whether a commit was made; otherwise it is proposed already.
        anew: Whether it stood before, and was made anew.
        sent: The ref of the server that it was pushed to; ``""``: it was not pushed.
        words: What the server said.
        opened: The pull request.
        page: Where a person can open one; ``""``: nowhere, or there is one.
        number: The number that a plain server of ours gave it.
        verdict: What the rules say of it now.
        rules: The settings of what it begins with.
        notes: What else should be known, one sentence each.
    """

    branch: str
    upstream: Upstream
    commit: str | None = None
    made: bool = False
    anew: bool = False
    sent: str = ""
    words: tuple[str, ...] = ()
    opened: Opened | None = None
    page: str = ""
    number: int | None = None
    verdict: Verdict | None = None
    rules: Settings | None = None
    notes: tuple[str, ...] = ()


class ProposalStore(Store):
    """The registry as it is where proposals begin, whatever is checked out here."""

    def __init__(self, repository: Repository, base: str) -> None:
        super().__init__(repository)
        self.base = base

    def head(self) -> str:
        """The commit that proposals begin with."""
        return self.base

    def branch(self) -> Branch:
        """No branch that there is: what is decided on it is proposed elsewhere."""
        return Branch(name=f"{OURS}proposal", commit=self.base, official=False)


class Proposing(Registry):
    """A registry whose changes become proposals: it reads what these begin with.

    Attributes:
        proposed: What became of the last one.

    Args:
        store: Open on what the remote holds.
        up: The remote.
        draft: Whether the service shall mark proposals as unfinished.
        branch: Where to propose; ``""``: on the branch that the requests tell.
    """

    def __init__(
        self,
        store: ProposalStore,
        up: Upstream,
        *,
        draft: bool = False,
        branch: str = "",
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(store, clock=clock)
        self.up = up
        self.draft = draft
        self.branch = branch
        self.proposed: Proposed | None = None

    def preview(self, *requests: ask.Request, message: str = "") -> Receipt:
        """What would be proposed."""
        branch = self._branch(requests)
        return replace(super().preview(*requests, message=message), branch=branch)

    def carry_out(self, asked: Ask) -> Receipt:
        """Propose what was asked."""
        branch = self._branch(asked.requests)
        return self._propose(WantedRequests(branch=branch, footer=self._footer(branch), ask=asked))

    def configure(self, wish: Wish | Amendment) -> Receipt:
        """Propose other settings."""
        key = getattr(wish, "key", "")
        branch = self.branch or proposal_names.setting(key or "revert", prefix=self.store.prefix)
        return self._propose(WantedSettings(branch=branch, footer=self._footer(branch), wish=wish))

    def _branch(self, requests: Sequence[ask.Request]) -> str:
        branch = self.branch or proposal_names.branch_of(requests, self.settings, prefix=self.store.prefix)
        push_plan("plain", Proposal(branch=branch, target=self.up.branch, title="", body=""))  # a fit name?
        return branch

    def _footer(self, branch: str) -> str:
        if self.up.service != "gerrit":
            return ""
        return f"Change-Id: {change_id(branch, root=root_of(self.store, self.up.base))}"

    def _propose(self, wanted: Wanted) -> Receipt:
        receipt, self.proposed = propose(self.store, self.up, wanted, draft=self.draft)
        self.warnings += self.proposed.notes
        return receipt


def open_proposing(place: Path, *, remote: str | None = None, draft: bool = False) -> Proposing:
    """Fetch, and open the registry at ``place`` for proposing.

    Args:
        place: A folder in it, or a bare repository.
        remote: The remote's name; None: that of the settings.
        draft: See ``Proposing``.
    """
    repository = Repository.discover(place)
    with Store(repository) as store:
        up = upstream(store, remote)
    return Proposing(ProposalStore(repository, up.base), up, draft=draft)


def propose(store: Store, up: Upstream, wanted: Wanted, *, draft: bool = False) -> tuple[Receipt, Proposed]:
    """Make the branch of a proposal, or find that it is there, and push it.

    Args:
        store: The registry.
        up: Where to; fetched just now.
        wanted: What is proposed.
        draft: Whether it is marked as unfinished.

    Raises:
        Conflict: Somebody else changed the proposal meanwhile, or the work tree stands in the way.
        NotAllowed: The server refused it. After any error the branch here is as before.
    """
    here = store.reader.ref(f"{BRANCHES}{wanted.branch}")
    number, there = _there(store, up, wanted.branch)
    for standing in _standing(store, there, here):
        first = _first(store, up.base, standing)
        receipt = wanted.done_by(store, up.base, first) if first else None
        if receipt is not None:
            found = Proposed(branch=wanted.branch, upstream=up, commit=standing, number=number)
            return replace(receipt, commit=standing), _shown(
                store, up, _pushed(store, up, found, there, draft), draft
            )
    before = there or here
    if before and not wanted.reason:
        wanted = wanted.because(reason_before(store, up.base, before, wanted.changes(store, up.base)))
    receipt = wanted.make(store, base=up.base)
    found = Proposed(branch=wanted.branch, upstream=up, commit=receipt.commit, number=number)
    if receipt.commit is None:
        return receipt, found
    found = replace(found, made=True, anew=before is not None)
    if before:
        author, branch = wanted.author, wanted.branch
        notes = remarks(store, up.base, before, receipt=receipt, author=author, branch=branch)
        kept = _kept(store, up, before, found)
        found = replace(found, commit=kept.head, notes=(*notes, *kept.notes))
        receipt = replace(receipt, commit=kept.head)
    return receipt, _shown(store, up, _pushed_or_undone(store, up, found, there, here, draft), draft)


def _kept(store: Store, up: Upstream, before: str, found: Proposed) -> Kept:
    """The approvals of the proposal before that count for this one, on top of it."""
    from gitreg.registry.approvals_kept import Kept, keep

    assert found.commit is not None
    if up.service == "gerrit":  # there each commit is a change of its own
        return Kept(head=found.commit)
    try:
        return keep(store, base=up.base, before=before, made=found.commit, branch=found.branch, now=utc_now())
    except GitregError as error:  # the proposal is made all the same
        said = f"approvals that were given must be given again: {error.message}"
        return Kept(head=found.commit, notes=(said,))


def _standing(store: Store, there: str | None, here: str | None) -> Iterator[str]:
    """The heads of a proposal that may do what is wanted; what stands there is never replaced unsaid."""
    if there is not None:
        yield there
    if here is not None and here != there and (there is None or is_ancestor(store.repository, there, here)):
        yield here


def _there(store: Store, up: Upstream, branch: str) -> tuple[int | None, str | None]:
    """The number and head that a proposal has on the server, as it was fetched."""
    if up.remote is None:
        return None, None
    if up.service == "gitreg":
        from gitreg.registry.numbered import numbered

        for each in numbered(store):
            if each.open and each.topic == branch:
                return each.number, each.head
        return None, None
    return None, store.reader.ref(up.tracking(branch))


def _first(store: Store, base: str, head: str) -> str | None:
    """The first commit of a branch that grew from ``base``."""
    if base == head or not is_ancestor(store.repository, base, head):
        return None
    commits = list(history(store.repository, head=head, after=base))
    return commits[-1].oid if commits else None


def _pushed(store: Store, up: Upstream, found: Proposed, there: str | None, draft: bool) -> Proposed:
    if up.remote is None or found.commit is None or found.commit == there:
        return found
    head = found.commit
    proposal = described(store, up, found.branch, head, draft=draft)
    plain = hosting_of(store, up) is not None
    if not found.made and not plain and up.service in ("gerrit", "gitea"):
        return found  # they keep no branch that would tell; what stands here was pushed
    sent = send(store, up, proposal, head, there=there, plain=plain)
    return replace(found, sent=sent.target, words=sent.words)


def _pushed_or_undone(
    store: Store, up: Upstream, found: Proposed, there: str | None, here: str | None, draft: bool
) -> Proposed:
    """As ``_pushed``; where that fails the branch here is again what it was."""
    try:
        return _pushed(store, up, found, there, draft)
    except OutcomeUnknown:
        raise  # it may stand there as it stands here
    except BaseException:
        ref = f"{BRANCHES}{found.branch}"
        with suppress(GitregError):
            point(store, ref, here, was=found.commit, reason="the push was refused")
        raise


def _shown(store: Store, up: Upstream, found: Proposed, draft: bool) -> Proposed:
    """The proposal opened on the service, and judged."""
    head = found.commit
    assert head is not None
    if up.service == "gitreg":
        found = _numbered(store, up, found)
    service = hosting_of(store, up)
    if service is not None:
        found = _opened(service, described(store, up, found.branch, head, draft=draft), found)
    elif up.place is not None and (said := withheld(up.service, up.place, env=os.environ)):
        found = replace(found, notes=(*found.notes, said))
    if up.remote is not None and found.opened is None:
        found = replace(found, page=compare_url(up.service, up.url, up.branch, found.branch) or "")
    return _judged(store, up, found)


def _judged(store: Store, up: Upstream, found: Proposed) -> Proposed:
    from gitreg.registry.judging import judge

    assert found.commit is not None
    try:
        verdict = judge(store, up.base, found.commit, now=utc_now(), proposal=True)
    except GitregError as error:  # the proposal is made whatever is said of it
        return replace(found, notes=(*found.notes, f"it can't be judged: {error.message}"))
    return replace(found, verdict=verdict, rules=store.view(up.base).settings)


def described(store: Store, up: Upstream, branch: str, head: str, *, draft: bool = False) -> Proposal:
    """A proposal's title and text, from the message of its first commit."""
    first = _first(store, up.base, head) or head
    title, _, rest = store.reader.commit(first).message.strip().partition("\n")
    paragraphs = [part for part in rest.strip().split("\n\n") if not part.startswith(_TRAILERS)]
    look = f"`gitreg review {branch}` shows what it would do."
    body = "\n\n".join([*filter(None, paragraphs), look])
    return Proposal(branch=branch, target=up.branch, title=title, body=body, draft=draft)


_TRAILERS = ("Gitreg-", "Change-Id: ")


def _numbered(store: Store, up: Upstream, found: Proposed) -> Proposed:
    if found.sent:
        upstream(store, up.remote)
    number, _ = _there(store, up, found.branch)
    if number is None and found.sent:
        said = "the server gave it no number: it needs gitreg hooks install --server --proposals"
        return replace(found, notes=(*found.notes, said))
    return replace(found, number=number)


def _opened(service: Hosting, proposal: Proposal, found: Proposed) -> Proposed:
    try:
        opened = service.find(proposal.branch)
        if opened is None:
            opened = service.open(proposal)
        elif found.made:
            opened = service.update(opened.number, proposal)
    except GitregError as error:  # the branch is there: a person can go on from it
        mend = f" ({error.hint})" if error.hint else ""
        said = f"the branch is pushed, but no pull request was opened: {error.message}{mend}"
        return replace(found, notes=(*found.notes, said))
    return replace(found, opened=opened, number=opened.number)
