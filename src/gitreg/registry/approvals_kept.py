"""The approvals of a proposal that is made anew: those that count for it as it is now go along."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.trees import FILE
from gitreg.manifest.layout import ApprovalPlace, parse_approval
from gitreg.policy.context import Judgement
from gitreg.registry.approvals import approval_change
from gitreg.registry.commands import command
from gitreg.registry.messages import commit_message
from gitreg.registry.proposal_remade import commits_of, reason_of
from gitreg.registry.remote_branch import BRANCHES
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store
from gitreg.registry.verdict import Verdict

_UNASKED = "nobody asks for it any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of the approvals.

    Attributes:
        head: Full hex id of the proposal's newest commit.
        notes: Which went along, and why others did not, one sentence each.
    """

    head: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brought:
    """The approvals that one commit brought, by path below the registry's root, as they stood at the end."""

    commit: HistoryCommit
    files: Mapping[str, bytes]


def keep(store: Store, *, base: str, before: str, made: str, branch: str, now: datetime) -> Kept:
    """Put the approvals of a proposal that count still on the one that takes its place.

    Args:
        store: The registry.
        base: Full hex id of what proposals begin with.
        before: Of the newest commit of the one that was approved.
        made: Of the commit that takes its place; the branch here points to it.
        branch: Its short name.
        now: Time of the judgement.
    """
    brought = [each for each in _brought(store, base, before, made) if each.files]
    files = {path: data for each in brought for path, data in each.files.items()}
    if not files:
        return Kept(head=made)
    from gitreg.registry.judging import judge

    laid = {store.prefix + path: data for path, data in files.items()}
    verdict = judge(store, base, made, now=now, proposal=True, laid=laid)
    faults = {path: _fault(verdict, place) for path in files if (place := parse_approval(path)) is not None}
    counted = [path for path, fault in faults.items() if not fault]
    head = _commit(store, made, branch, brought, frozenset(counted), signed=_signed(verdict))
    return Kept(head=head, notes=tuple(_told(faults)))


def _brought(store: Store, base: str, before: str, made: str) -> Iterator[_Brought]:
    """The approvals that stand in a proposal, came with it and are not merged yet, oldest first."""
    tree, there = store.reader.commit(before).tree, store.reader.commit(made).tree
    for commit in commits_of(store, base, before):
        paths = {each.path for each in commit.changes if len(commit.parents) == 1}
        files = {}
        for path in sorted(paths):
            below = path.removeprefix(store.prefix)
            entry = store.reader.entry(tree, path) if parse_approval(below) is not None else None
            if entry is not None and entry.mode == FILE and entry != store.reader.entry(there, path):
                files[below] = store.reader.blob(entry.oid)
        yield _Brought(commit=commit, files=files)


def _fault(verdict: Verdict, place: ApprovalPlace) -> str:
    """Why an approval does not count; ``""`` where it does."""
    for told in _about(verdict, place):
        if any(each["approver"] == place.principal for each in told.detail.get("present", ())):
            return ""
        for each in told.detail.get("refused", ()):
            if each["approver"] == place.principal:
                return str(each["reason"])
    return _UNASKED


def _about(verdict: Verdict, place: ApprovalPlace) -> Iterator[Judgement]:
    """What the rules say of that which an approval is for."""
    for step in verdict.steps:
        for judged in step.judged:
            version = judged.entering.version
            at = version.name, version.version, judged.entering.stage.name
            if at == (place.name, place.version, place.stage):
                yield from judged.judgements
        yield from step.policy if place.digest else ()


def _signed(verdict: Verdict) -> bool:
    judgements = [each for step in verdict.steps for one in step.judged for each in one.judgements]
    judgements += [each for step in verdict.steps for each in step.policy]
    return any(each.rule == "signed" for each in judgements)


def _commit(
    store: Store,
    made: str,
    branch: str,
    brought: Sequence[_Brought],
    counted: frozenset[str],
    *,
    signed: bool,
) -> str:
    """The approvals that count, in a commit for each that brought some before; the newest commit's id."""
    who = store.reader.commit(made).committer
    left = set(counted)
    if not left:
        return made
    tip = made
    with session_of(store, f"{BRANCHES}{branch}") as session:
        for each in brought:
            files = {path: data for path, data in each.files.items() if path in left}
            left -= files.keys()
            if not files:
                continue
            places = {path: place for path in files if (place := parse_approval(path)) is not None}
            changes = [approval_change(path, place, files[path]) for path, place in places.items()]
            old = each.commit
            tip = session.commit(
                parent=tip,
                changes={store.prefix + path: data for path, data in files.items()},
                message=commit_message(changes, reason=reason_of(old)),
                # Where commits are signed by their authors nobody else can sign this one.
                author=who.person if signed else old.author,
                author_time=None if signed else old.author_time,
                committer=who.person,
                when=who.when,
            )
        session.publish()
    return tip


def _told(faults: Mapping[str, str]) -> Iterator[str]:
    places = {path: place for path in faults if (place := parse_approval(path)) is not None}
    kept = dict.fromkeys(place.principal for path, place in places.items() if not faults[path])
    if kept:
        yield f"approved as before by {', '.join(kept)}: that counts for the proposal made anew, too"
    for path, place in places.items():
        if faults[path] and place.principal not in kept:
            again = command("approve", f"{place.name}/{place.version}", place.stage) if place.stage else ""
            again = f"; to give it again: {again}" if again and faults[path] != _UNASKED else ""
            yield f"the approval of {place.principal} does not count any more: {faults[path]}{again}"
