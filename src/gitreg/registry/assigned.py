"""A stage that was given to a version: in which commit, by whom, and the approvals as they counted then.

Asked of the commits themselves, so that a clone that is behind tells what it has fetched.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from gitreg.domain.names import from_folder
from gitreg.domain.review import Approved, Approver
from gitreg.errors import EnvironmentFailure, GitregError, NotFound
from gitreg.gitstore.commits import HistoryCommit
from gitreg.gitstore.log import history
from gitreg.gitstore.objects import Person
from gitreg.manifest.layout import Layout, approval_file, approvals_dir
from gitreg.registry.commands import command
from gitreg.registry.judging import step_of
from gitreg.registry.meanwhile import gives
from gitreg.registry.proposal_names import Promotion
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged

_TAG = re.compile(r"(.+)/([^/]+)/([1-9][0-9]{0,8})", re.DOTALL)
_MOST_NUMBERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One assignment of a stage.

    Attributes:
        what: The version and its stage.
        commit: Full hex id of the commit of the registry's branch that gave it.
        when: Its committer time.
        number: Which assignment of the stage it was; 0: nobody can tell.
        approved: The approvals by the rules of the commit before it; None where they asked for none.
        keys: Approver → the fingerprint of the key that signed for them.
        merged_by: Who brought it to the branch.
    """

    what: Promotion
    commit: str
    when: datetime
    number: int
    approved: Approved | None
    keys: dict[str, str]
    merged_by: Person

    @property
    def said(self) -> str:
        """``churn/2 entered Production in commit 0123456789 (…; approved by …, merged by Bob)``."""
        given = [each.principal for each in self.approved.given] if self.approved else []
        approved = f"approved by {', '.join(given)}, " if given else ""
        return (
            f"{self.what.subject} entered {self.what.stage} in commit {self.commit[:10]} "
            f"({self.when:%Y-%m-%d %H:%M}; {approved}merged by {self.merged_by.name})"
        )


def assigned(store: Store, base: str, what: Promotion) -> Assigned | None:
    """The newest assignment of a stage to a version; None: it never held it under its present name.

    Args:
        store: The registry.
        base: Full hex id of the newest commit of the registry's branch.
        what: The version and the stage, by its exact name.

    Raises:
        EnvironmentFailure: The clone is shallow: its history does not say.
    """
    found = next(_given(store, base, what.name, what.stage, what.version), None)
    return _told(store, base, *found) if found else None


def by_tag(store: Store, base: str, name: str) -> Assigned | None:
    """The assignment that a Git tag such as ``churn/Production/5`` names; None where it names none.

    Args:
        store: The registry.
        base: See ``assigned``.
        name: The tag's, with or without ``refs/tags/`` and the prefix of the settings.

    Raises:
        NotFound: There is such a model and stage, and no assignment of that number.
    """
    view = store.view(base)
    name = name.removeprefix("refs/tags/").removeprefix(view.settings.tags.prefix)
    match = _TAG.fullmatch(name)
    if match is None or not view.settings.has_stage(match[2]):
        return None
    try:
        model = view.model(from_folder(match[1]) or match[1]).name
    except GitregError:
        return None
    stage, number = view.settings.stage(match[2]).name, int(match[3])
    given = list(_given(store, base, model, stage))[::-1]
    if number > len(given):
        raise NotFound(
            f"there is no assignment {number} of {stage} of {model}",
            where=name,
            hint=command("timeline", model, options=["--stage", stage]),
        )
    return _told(store, base, *given[number - 1])


def _given(
    store: Store, base: str, model: str, stage: str, version: int | None = None
) -> Iterator[tuple[HistoryCommit, Promotion]]:
    """The commits that gave a stage to versions of a model, or to one of them, the newest first."""
    if store.repository.shallow():
        raise EnvironmentFailure(
            "this clone is shallow: its history does not tell", where=model, hint="git fetch --unshallow"
        )
    layout = Layout(store.view(base).settings.layout)
    path = layout.version_file(model, version or 1)
    path = store.prefix + (path if version else path.rpartition("/")[0])
    for commit in history(store.repository, head=base, paths=[path]):
        touched = (layout.parse(each.path.removeprefix(store.prefix)) for each in commit.changes)
        numbers = sorted({each.version for each in touched if each and each.kind == "version"}, reverse=True)
        for number in numbers if commit.parents else ():
            what = Promotion(name=model, version=number, stage=stage)
            if gives(store, commit.oid, what):
                yield commit, what


def _told(store: Store, base: str, commit: HistoryCommit, what: Promotion) -> Assigned:
    merge, end = len(commit.parents) > 1, commit.oid
    judged = _judged(store, commit, end, what)
    if judged is not None and not (merge or judged.passed):  # rebased: its approvals came after it
        end = _last_approval(store, base, commit, judged) or end
        judged = _judged(store, commit, end, what)
    number = judged.entering.number() if judged else 0
    approved = _approved(judged) if judged else None
    return Assigned(
        what=what,
        commit=commit.oid,
        when=commit.commit_time,
        number=number,
        approved=approved,
        keys=_keys(store, end, what, number, approved.given if approved else ()),
        merged_by=commit.author if merge else commit.committer,
    )


def _judged(store: Store, commit: HistoryCommit, end: str, what: Promotion) -> Judged | None:
    """What the rules said of it, with the approvals that stand in the commit ``end``."""
    step = step_of(store, commit.oid, end)
    for judged in step.judged if step else ():
        version, stage = judged.entering.version, judged.entering.stage.name
        if (version.name, version.version, stage) == (what.name, what.version, what.stage):
            return judged
    return None


def _last_approval(store: Store, base: str, commit: HistoryCommit, judged: Judged) -> str | None:
    """The newest commit that brought an approval of an assignment, and no later one."""
    version, stage = judged.entering.version, judged.entering.stage.name
    numbers = judged.entering.numbers()[-_MOST_NUMBERS:]
    folders = [approvals_dir(version.name, version.version, stage, number) for number in numbers]
    paths = [store.prefix + folder for folder in folders]
    found = history(store.repository, head=base, after=commit.parents[0], paths=paths, limit=1)
    return next((each.oid for each in found), None)


def _approved(judged: Judged) -> Approved | None:
    details = (each.detail for each in judged.judgements if each.rule == "approvals")
    detail = next((each for each in details if "needed" in each), None)
    if detail is None:
        return None
    return Approved(
        needed=int(detail["needed"]),
        given=tuple(
            Approver(
                principal=str(each["approver"]),
                at=each["at"],
                expires=each["expires"],
                attester=str(each.get("attester", "")),
            )
            for each in detail["present"]
        ),
        refused=tuple(
            Approver(principal=str(each["approver"]), refused=str(each["reason"]))
            for each in detail["refused"]
        ),
    )


def _keys(
    store: Store, end: str, what: Promotion, number: int, given: tuple[Approver, ...]
) -> dict[str, str]:
    from gitreg.signing.sshsig import PublicKey, parse
    from gitreg.signing.statement import split_file

    tree = store.reader.commit(end).tree
    found = {}
    for each in given:
        for at in range(number, 0, -1):
            path = approval_file(what.name, what.version, what.stage, at, each.principal)
            entry = store.reader.entry(tree, store.prefix + path)
            if entry is not None:
                _, armor = split_file(store.reader.blob(entry.oid))
                found[each.principal] = PublicKey(blob=parse(armor).public_key).fingerprint
                break
    return found
