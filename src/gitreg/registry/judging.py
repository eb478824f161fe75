"""Judge BASE..HEAD: the same code on the laptop, in CI, in a merge queue and on the server.

The rules are those of BASE. A change of the rules counts for what follows on it only where it had the
approvals that the rules before it ask for; where they ask for none, what follows must satisfy both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.domain.findings import Finding
from gitreg.errors import Conflict, InvalidInput, InvalidManifests
from gitreg.gitstore.ancestry import merge_base
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.foreseen import ForeseenReader
from gitreg.gitstore.log import first_parents, history, is_ancestor
from gitreg.gitstore.steps import steps_between
from gitreg.manifest.layout import (
    APPROVALS_DIR,
    CODEOWNERS_FILES,
    GATES_DIR,
    KEYS_DIR,
    MODELS_DIR,
    SETTINGS_FILE,
    Layout,
)
from gitreg.policy.context import ApprovalFile, Judgement
from gitreg.policy.enforce import asked_of_policy, judge_entering, judge_policy
from gitreg.registry.docket import Docket
from gitreg.registry.feed import Feed
from gitreg.registry.ground import Ground
from gitreg.registry.past import Past
from gitreg.registry.precedent import Course
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.setting import Coming, Setting
from gitreg.registry.soundness import faults, finding_of
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged, Step, Verdict

if TYPE_CHECKING:
    from gitreg.gitstore.pending import PendingReader

WATCHED = (SETTINGS_FILE, MODELS_DIR, APPROVALS_DIR, GATES_DIR, KEYS_DIR)
"""What of a registry's folder is judged."""

SHALLOW = Finding(
    code="GR309",
    message="this clone is shallow: the history that the verdict would rest on is not here",
    help="git fetch --unshallow (in a workflow: fetch-depth: 0)",
)


def judge(
    store: Store,
    base: str,
    head: str,
    *,
    now: datetime | None = None,
    proposal: bool = False,
    laid: Mapping[str, bytes] | None = None,
) -> Verdict:
    """What is wrong with HEAD by the rules of BASE.

    Args:
        store: The registry.
        base: Full hex id of the commit whose rules count.
        head: Full hex id of the commit that is judged.
        now: Time of the judgement, aware: of a push; None: the commits' own times.
        proposal: HEAD as it would be merged into BASE, in one step; else each commit after BASE on the
            first-parent history of HEAD.
        laid: Files, by path from the repository's root, that are laid over a proposal before it is judged:
            an approval that is about to be given.

    Raises:
        Conflict: A proposal can't be merged: both sides changed the same lines.
        InvalidInput, NotARegistry: BASE holds no registry that can be read.
    """
    if proposal:
        steps = _proposal(store, base, head, now, laid or {})
        return _verdict(store, base, head, steps, ())
    near = steps_between(
        store.reader, base, head, paths=watched_paths(store), boundary=store.repository.shallow()
    )
    broken = _line_fault(store, base, head) if near is None else None
    if broken:
        return _verdict(store, base, head, (), (broken,))
    return _verdict(store, base, head, tuple(line(store, base, head, now=now, near=near)), ())


def line(
    store: Store,
    base: str,
    head: str,
    *,
    now: datetime | None = None,
    by_parent: bool = False,
    near: Sequence[HistoryCommit] | None = None,
) -> Iterator[Step]:
    """Each commit after BASE on the first-parent history of HEAD, judged, oldest first.

    Args:
        store: As for ``judge``, with all of the others.
        by_parent: Each by the rules of the commit before it, whatever BASE says: of a whole history.
        near: The commits, where they are at hand.
    """
    seen, commits = (store, near) if near is not None else _far(store, base, head)
    own = rules = RuleBook(seen, base)
    course = Course(past=Past(store, base))
    feed = Feed(seen, Layout(rules.settings.layout))
    ground, changed = Ground(seen), False
    for commit in commits:
        if not commit.parents:  # another root: nothing comes before it
            ground, changed = Ground(seen), True
            continue
        ground.step(commit)
        at = Setting(store=store, seen=seen, commit=commit, approved=head, now=now, look=ground.file)
        if changed:
            own = RuleBook(seen, commit.parents[0])
        own = _same(rules, own)
        books = [own] if by_parent or own is rules else [rules, own]
        step, new_rules = _step(at, course, feed, books)
        yield step
        changed = _changes_rules(store, commit)
        if by_parent:
            rules = own
        elif new_rules is not None:
            rules = new_rules


def step_of(store: Store, oid: str, end: str) -> Step | None:
    """One commit of the history by the rules of the commit before it; None for the very first.

    Args:
        store: The registry, with its whole history.
        oid: Full hex id of a commit on the first-parent history of the branch.
        end: As ``oid``: the commit whose approval files count, itself or one that came after it.
    """
    parents = store.reader.commit(oid).parents
    if not parents:
        return None
    near = steps_between(store.reader, parents[0], oid, paths=watched_paths(store))
    return next(line(store, parents[0], end, near=near or ()), None)


def _far(store: Store, base: str, head: str) -> tuple[Store, Iterator[HistoryCommit]]:
    """The registry as a long walk reads it, and the commits after BASE that touch what is judged."""
    reader = ForeseenReader(store.reader)
    walk = history(store.repository, head=head, after=base, paths=watched_paths(store), oldest_first=True)
    return store.through(reader), reader.along(commit for commit in walk if commit.changes)


def watched_paths(store: Store) -> list[str]:
    """What is judged, from the repository's root."""
    return [*(store.prefix + name for name in WATCHED), *CODEOWNERS_FILES]


def _changes_rules(store: Store, commit: HistoryCommit) -> bool:
    """Whether a commit touches a file that holds rules: only then can those after it be others."""
    rules = (SETTINGS_FILE, GATES_DIR, KEYS_DIR)
    below = [each.path.removeprefix(store.prefix) for each in commit.changes]
    return any(path.partition("/")[0] in rules for path in below) or any(
        each.path in CODEOWNERS_FILES for each in commit.changes
    )


def pending(
    store: Store, seen: Store, commit: HistoryCommit, past: Past, *, coming: Coming | None = None
) -> Step:
    """A commit that is about to be made on the registry's own branch, judged by what it follows on.

    Args:
        store: The registry.
        seen: The same through the reader of the session that makes it.
        commit: As the history will tell it.
        past: The history up to the newest commit that stands already.
        coming: Of a commit that is only thought of: tells the signature that it will bear.
    """
    rules = RuleBook(seen, commit.parents[0])
    at = Setting(
        store=store,
        seen=seen,
        commit=commit,
        approved=commit.oid,
        now=commit.commit_time,
        unmade=True,
        coming=coming,
    )
    feed = Feed(seen, Layout(rules.settings.layout))
    step, _ = _step(at, Course(past=past), feed, [rules], sound=True)
    return step


def _same(rules: RuleBook, other: RuleBook) -> RuleBook:
    return rules if rules.mark == other.mark else other


def _verdict(
    store: Store, base: str, head: str, steps: tuple[Step, ...], findings: tuple[Finding, ...]
) -> Verdict:
    shallow = (SHALLOW,) if store.repository.shallow() else ()
    found = (*shallow, *findings, *(one for step in steps for one in step.findings))
    return Verdict(base=base, head=head, steps=steps, findings=tuple(dict.fromkeys(found)))


def _line_fault(store: Store, base: str, head: str) -> Finding | None:
    """What is wrong with how HEAD goes on from BASE; None where BASE is on its first-parent history."""
    if base == head:
        return None
    if not is_ancestor(store.repository, base, head):
        return Finding(
            code="GR301",
            message=f"{head[:10]} does not go on from {base[:10]}: the branch would lose it",
            help=f"git rebase {base[:10]}; what is not merged yet: "
            f"gitreg verify --proposal {base[:10]} {head[:10]}",
        )
    if base in first_parents(store.repository, head):
        return None
    return Finding(
        code="GR302",
        message=f"a merge makes {base[:10]}, the former head, a second parent of {head[:10]}",
        help="git pull --rebase, or: git reset --keep "
        f"{base[:10]}; git merge --no-ff {head[:10]}^; "
        f"a proposal: gitreg verify --proposal {base[:10]} {head[:10]}",
    )


def _proposal(
    store: Store, base: str, head: str, now: datetime | None, laid: Mapping[str, bytes]
) -> tuple[Step, ...]:
    since = merge_base(store.repository, base, head)
    if since is None:
        raise InvalidInput(
            f"{head[:10]} and {base[:10]} have no commit in common",
            hint="is it a proposal for this registry?",
        )
    if since == head:
        return ()
    from gitreg.gitstore.overlay import overlay  # a push merges nothing

    reader = overlay(store.reader)
    commit = _merged(store, reader, since, base, head, laid)
    seen = store.through(reader)
    at = Setting(store=store, seen=seen, commit=commit, approved=commit.oid, now=now, proposed=head)
    rules = RuleBook(store, base)
    feed = Feed(seen, Layout(rules.settings.layout))
    step, _ = _step(at, Course(past=Past(store, base)), feed, [rules])
    return (replace(step, commit=head),)


def _merged(
    store: Store, reader: PendingReader, since: str, base: str, head: str, laid: Mapping[str, bytes]
) -> HistoryCommit:
    """HEAD as it would be merged into BASE, as one commit on top of BASE that is never made."""
    from gitreg.gitstore.merging import merge_trees
    from gitreg.gitstore.overlay import lay_over
    from gitreg.registry.meanwhile import standoff

    ours, theirs = reader.commit(base), reader.commit(head)
    oid = head
    if since == base and laid:
        oid = lay_over(reader, theirs.tree, laid, parents=(base, head), like=theirs.author)
    elif since != base:
        old = reader.commit(since).tree
        found = merge_trees(reader, store.repository, base=old, ours=ours.tree, theirs=theirs.tree)
        if found.conflicts:
            told = standoff(store, since=since, base=base, head=head, conflicts=found.conflicts)
            raise Conflict(told.message, where=head[:10], hint=told.hint)
        oid = lay_over(reader, ours.tree, {**found.changes, **laid}, parents=(base, head), like=theirs.author)
    changes = diff_trees(reader, ours.tree, reader.commit(oid).tree)
    return HistoryCommit(
        oid=oid,
        parents=(base,),
        author=theirs.author.person,
        author_time=theirs.author.when,
        committer=theirs.committer.person,
        commit_time=theirs.committer.when,
        subject="",
        body="",
        changes=tuple(one for one in changes if watched(store, one.path)),
    )


def watched(store: Store, path: str) -> bool:
    """Whether a path from the repository's root belongs to what is judged."""
    below = path.removeprefix(store.prefix) if path.startswith(store.prefix) else ""
    return below.partition("/")[0] in WATCHED or path in CODEOWNERS_FILES


def _step(
    at: Setting, course: Course, feed: Feed, books: Sequence[RuleBook], *, sound: bool = False
) -> tuple[Step, RuleBook | None]:
    """One step, and the rules that it sets up with the approvals that those before it ask for.

    Args:
        at: Where it happens.
        course: What came before it, counted on.
        feed: Tells what it changes.
        books: The rules that it must satisfy; those of the first are shown.
        sound: The manifests are known to be right: a command of ours has made them.
    """
    changes, _ = feed.changes(at.commit)
    docket = Docket(at, course, feed.layout, changes)
    findings = [] if sound else list(faults(at, books[0], changes))
    judged: tuple[Judged, ...] = ()
    policy: tuple[Judgement, ...] = ()
    guarded = False
    try:
        judged, policy = tuple(_cases(docket, books)), tuple(_rules_judged(docket, books[0]))
        guarded = asked_of_policy(books[0].settings) is not None
    except InvalidManifests as error:  # it was let in once: the rest of the history is judged all the same
        docket.unread += error.findings
    if docket.unread and sound:
        raise InvalidManifests(docket.unread)
    findings += docket.unread
    told = [each for one in judged for each in one.judgements] + list(policy)
    wrong = [finding_of(each, at, feed.layout) for each in told if not each.passed]
    docket.done()
    step = Step(
        commit=at.commit.oid,
        changes=changes,
        judged=judged,
        policy=policy,
        findings=tuple(dict.fromkeys((*_without_twins(findings, wrong), *wrong))),
    )
    accepted = policy and guarded and all(each.passed for each in policy)
    return step, RuleBook(at.seen, at.commit.oid) if accepted else None


def _without_twins(findings: Sequence[Finding], wrong: Sequence[Finding]) -> list[Finding]:
    """``findings`` but for those that say of an exclusive stage what the rules have said already."""
    said = {(each.path, each.line) for each in wrong if each.code == "GR201"}
    return [each for each in findings if each.code != "GR109" or (each.path, each.line) not in said]


def _cases(docket: Docket, books: Sequence[RuleBook]) -> Iterator[Judged]:
    others = [list(_judged(docket, book)) for book in books[1:]]
    for at, one in enumerate(_judged(docket, books[0])):
        known = {(each.rule, each.message) for each in one.judgements}
        more = [
            each
            for other in others
            for each in (other[at].judgements if at < len(other) else ())
            if not each.passed and (each.rule, each.message) not in known
        ]
        yield Judged(entering=one.entering, judgements=(*one.judgements, *more))


def _judged(docket: Docket, rules: RuleBook) -> Iterator[Judged]:
    for entering in docket.entering(rules.settings):
        stage = entering.stage
        if not (stage.guarded or stage.exclusive):
            yield Judged(entering=entering, judgements=())
            continue
        files: Sequence[ApprovalFile] = ()
        if stage.approvals is not None:
            version = entering.version
            files = docket.approvals(version.name, version.version, stage.name, entering.numbers())
        yield Judged(entering=entering, judgements=judge_entering(entering, docket.material(rules, files)))


def _rules_judged(docket: Docket, rules: RuleBook) -> Iterator[Judgement]:
    change = docket.rules_changed(rules) if _changes_rules(docket.at.store, docket.at.commit) else None
    if change is not None:
        yield from judge_policy(change, docket.material(rules, change.approvals))
