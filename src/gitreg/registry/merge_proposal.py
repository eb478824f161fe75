"""``gitreg merge``: judge a proposal, make its commits on the registry's branch, push with a lease."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from gitreg.domain.changes import Change
from gitreg.errors import Conflict, GitregError, IntegrityError, MovedRef, NotAllowed, UsageError
from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.log import history, is_ancestor
from gitreg.gitstore.merging import merge_trees
from gitreg.gitstore.objects import Person
from gitreg.gitstore.remote import PushRef, push
from gitreg.gitstore.writer import Session
from gitreg.registry.commands import command
from gitreg.registry.meanwhile import holds, standoff
from gitreg.registry.messages import check_reason, trailers_of
from gitreg.registry.open_proposals import OpenProposal, added, find, with_request
from gitreg.registry.proposal_names import promoted
from gitreg.registry.proposal_remade import reasons_of
from gitreg.registry.remote_branch import BRANCHES, Upstream, hosting_of, note, point, upstream
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store
from gitreg.registry.withdrawing import remove

if TYPE_CHECKING:
    from gitreg.gitstore.reader import Reader
    from gitreg.gitstore.trees import Entry
    from gitreg.registry.verdict import Verdict

Mode = Literal["merge", "squash", "rebase"]

SCRATCH = "refs/gitreg/merging"
"""Holds what was made and is not pushed yet."""

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be merged, how, and by whom.

    Attributes:
        first: See ``open_proposals.find``.
        second: As ``first``.
        mode: What becomes of the proposal's commits.
        reason: Why; it stands in the commit's message, before what the proposal's own commits say.
        remote: See ``remote_branch.upstream``.
        direct: Merge with Git although a hosting service keeps the proposal.
        author: Who asked for it; None: the committer.
        committer: Who merges.
        clock: Gives the time.
        head: Only where this is its newest commit (full hex id): what was looked at; ``""``: whatever it is.
    """

    first: str
    second: str | None
    mode: Mode
    committer: Person
    clock: Callable[[], datetime]
    reason: str = ""
    remote: str | None = None
    direct: bool = False
    head: str = ""
    author: Person | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What was merged.

    Attributes:
        proposal: Which.
        upstream: Where to, as it was before.
        commit: Full hex id of the branch's new commit; None: it was merged already.
        changes: What it changes there.
        words: What the server said.
        followed: Whether the branch of this clone came along.
        notes: What else should be known, one sentence each.
    """

    proposal: OpenProposal
    upstream: Upstream
    commit: str | None = None
    changes: tuple[Change, ...] = ()
    words: tuple[str, ...] = ()
    followed: bool = False
    notes: tuple[str, ...] = ()


def merge(store: Store, wish: Wish) -> Merged:
    """Merge a proposal that passes.

    Raises:
        NotFound: There is no such proposal.
        NotAllowed, IntegrityError: The rules, or the server, refuse it; nothing is changed.
        Conflict: It can't be merged with what came meanwhile.
        UsageError: A hosting service is to merge it.
    """
    check_reason(wish.reason)
    for left in reversed(range(_TRIES)):
        up = upstream(store, wish.remote)
        found = find(store, up, wish.first, wish.second)
        if wish.head and found.head != wish.head:
            raise Conflict("the proposal was changed meanwhile", where=found.ref, hint="look at it again")
        if not wish.direct:
            _refuse_service(store, up, with_request(store, up, found))
        laid = added(store, up.base, found.head)
        if is_ancestor(store.repository, found.head, up.base) or not (laid.changes or laid.conflicts):
            return Merged(proposal=found, upstream=up)
        since = merge_base(store.repository, up.base, found.head)
        if since and holds(store, since=since, base=up.base, head=found.head, branch=found.branch):
            return Merged(proposal=found, upstream=up)
        verdict = _judged(store, up, found, wish.clock())
        try:
            return _carried_out(store, up, found, wish, verdict)
        except MovedRef:
            if not left:
                raise
    raise AssertionError("a try answers or raises")


def _refuse_service(store: Store, up: Upstream, found: OpenProposal) -> None:
    if found.url and hosting_of(store, up) is not None:
        raise UsageError(
            f"proposal {found.number} is merged where it was opened: {found.url}",
            where=found.branch,
            hint="to merge it with Git all the same: gitreg merge --direct",
        )


def _judged(store: Store, up: Upstream, found: OpenProposal, now: datetime) -> Verdict:
    from gitreg.registry.judging import judge

    try:
        verdict = judge(store, up.base, found.head, now=now, proposal=True)
    except Conflict as error:
        raise Conflict(error.message, where=found.ref, hint=error.hint) from error
    errors = [each for each in verdict.findings if each.severity == "error"]
    if not errors:
        return verdict
    told = [f"{each.code}: {f'{each.location}: ' if each.path else ''}{each.message}" for each in errors]
    kind = IntegrityError if verdict.exit_code == 6 else NotAllowed
    raise kind(
        f"{found.name} does not pass: {'; '.join(told)}",
        where=found.ref,
        hint=next((each.help for each in errors if each.help), command("review", found.name)),
    )


def _carried_out(store: Store, up: Upstream, found: OpenProposal, wish: Wish, verdict: Verdict) -> Merged:
    changes = verdict.steps[0].changes if verdict.steps else ()
    line = _Line(store=store, up=up, found=found, wish=wish, changes=changes)
    ref = SCRATCH if up.remote else f"{BRANCHES}{up.branch}"
    with session_of(store, ref) as session:
        if up.remote is None and session.base != up.base:
            raise MovedRef("the branch moved meanwhile", where=ref)
        commit = line.make(session)
        session.publish()
    done = Merged(proposal=found, upstream=up, commit=commit, changes=changes)
    if up.remote is None:
        from gitreg.registry.reconcile import reconcile

        reconcile(store)
        return _cleared(store, done)
    try:
        update = PushRef(source=commit, target=f"{BRANCHES}{up.branch}", expected=up.base)
        answer = push(store.repository, up.remote, [update])
    finally:
        with suppress(GitregError):
            point(store, SCRATCH, None, was=commit, reason="pushed")
    note(store, up.tracking(up.branch), commit)
    done = _cleared(store, replace(done, words=answer.words))
    return _brought_along(store, done)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """Makes the commits that go on the registry's branch."""

    store: Store
    up: Upstream
    found: OpenProposal
    wish: Wish
    changes: tuple[Change, ...]

    def make(self, session: Session) -> str:
        """Make them, the newest last: its id."""
        if self.wish.mode == "rebase":
            return self._rebased(session)
        head, now = self.found.head, self.wish.clock()
        merge = self.wish.mode == "merge"
        author = (self.wish.author or self.wish.committer) if merge else self._commits()[0].author
        return session.commit(
            parent=self.up.base,
            changes=self._laid(session.reader, self._since(), head, self.up.base),
            message=self._message(),
            author=author,
            committer=self.wish.committer,
            when=now,
            merged=(head,) if merge else (),
        )

    def _rebased(self, session: Session) -> str:
        tip = self.up.base
        for commit in self._commits():
            changes = self._laid(session.reader, commit.parents[0], commit.oid, tip)
            if not changes:
                continue
            tip = session.commit(
                parent=tip,
                changes=changes,
                message=self.store.reader.commit(commit.oid).message,
                author=commit.author,
                committer=self.wish.committer,
                when=self.wish.clock(),
                author_time=commit.author_time,
            )
        return tip

    def _since(self) -> str:
        since = merge_base(self.store.repository, self.up.base, self.found.head)
        assert since is not None  # what shares no commit was refused by its judge
        return since

    def _commits(self) -> list[HistoryCommit]:
        """Those of the proposal, oldest first."""
        found = history(self.store.repository, head=self.found.head, after=self._since())
        return list(found)[::-1]

    def _laid(self, reader: Reader, old: str, new: str, onto: str) -> Mapping[str, bytes | Entry | None]:
        """What a commit changes since another one, laid over a third."""
        base, theirs, ours = (reader.commit(oid).tree for oid in (old, new, onto))
        merged = merge_trees(reader, self.store.repository, base=base, ours=ours, theirs=theirs)
        if merged.conflicts:
            told = standoff(self.store, since=old, base=onto, head=new, conflicts=merged.conflicts)
            raise Conflict(told.message, where=self.found.ref, hint=told.hint)
        return merged.changes

    def _message(self) -> str:
        first = self._commits()[0]
        told = promoted(self.found.branch)
        title = f"Promote {told.subject} to {told.stage}" if told else self.found.title or first.subject
        if self.wish.mode == "merge" and not told:
            title = f"Merge {self.found.name}: {title}"
        reasons = dict.fromkeys([self.wish.reason.strip(), *reasons_of(self.store, self._commits())])
        parts = [title, *reasons, "\n".join(trailers_of(self.changes))]
        return "\n\n".join(filter(None, parts)) + "\n"


def _cleared(store: Store, done: Merged) -> Merged:
    """The proposal's branches removed; what stands in the way of that is told."""
    notes = remove(store, done.upstream, done.proposal)
    return replace(done, notes=(*done.notes, *notes))


def _brought_along(store: Store, done: Merged) -> Merged:
    """The registry's branch of this clone on the new commit, where nothing of its own is lost by that."""
    ref = f"{BRANCHES}{done.upstream.branch}"
    here = store.reader.ref(ref)
    if here is None or done.commit is None:
        return done
    if not is_ancestor(store.repository, here, done.commit):
        said = f"{done.upstream.branch} here has commits that are not pushed: git pull --rebase"
        return replace(done, notes=(*done.notes, said))
    try:
        point(store, ref, done.commit, was=here, reason="merged")
    except GitregError as error:
        said = f"{done.upstream.branch} here is behind now ({error}): git pull"
        return replace(done, notes=(*done.notes, said))
    return replace(done, followed=True)
