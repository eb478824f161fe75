"""What takes a commit's changes back: the requests, and why some changes have no way back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace

from gitreg.domain.changes import Change, phrase
from gitreg.domain.model import ModelState
from gitreg.domain.requests import TakeBack
from gitreg.domain.settings import Settings
from gitreg.errors import Conflict

# Why there is no way back. What can't be said as a request is Git's to take back.
_NO_WAY = {
    "evaluate": "evaluations are only ever added to",
    "approve": "approvals are only ever added to",
    "rewrite": "the commit edited what never changes after registration",
    "vanish": "the commit removed a manifest without a tombstone",
    "reuse": "the commit used a number again",
}
_FIXED = frozenset({"format", "layout"})


class Overtaken(Conflict):
    """Another writer came between the plan and the write."""


class ChangedSince(Conflict):
    """What is to be taken back was changed since; ``change`` is what became of it, as far as states tell."""

    def __init__(self, message: str, *, change: Change) -> None:
        super().__init__(message, where=change.subject or "gitreg.yaml")
        self.change = change


def requests_for(
    changes: Sequence[Change],
    *,
    before: Callable[[str], ModelState],
    after: Callable[[str], ModelState],
    commit: str,
    name_now: Callable[[str], str] = lambda name: name,
    reason: str = "",
) -> list[TakeBack]:
    """The requests that take ``changes`` back, one for each model.

    Args:
        changes: Changes of one commit, none of them of the settings.
        before: A name → the model before that commit.
        after: A name → the model after it.
        commit: Id of the commit that holds the state before.
        name_now: The name that a model had after the commit → what it is called now.
        reason: Why, for tombstones.

    Raises:
        Conflict: One of them has no way back.
    """
    refuse_no_way(changes)
    groups: dict[str, list[Change]] = {}
    former: dict[str, str] = {}
    for change in changes:
        name = change.model
        if change.event == "rename":
            name = change.after
            former[name] = change.model
        groups.setdefault(name, []).append(change)
    return [
        TakeBack(
            name=name_now(name),
            changes=tuple(group),
            before=before(former.get(name, name)),
            after=after(name),
            commit=commit,
            reason=reason,
        )
        for name, group in groups.items()
    ]


def has_way(change: Change) -> bool:
    """Whether some command can take ``change`` back."""
    return not _why_not(change)


def _why_not(change: Change) -> str:
    if change.of_a_file:
        return "it is a file of the rules, which Git takes back"
    if change.event == "policy" and change.field in _FIXED:
        return "this setting was chosen when the registry was made"
    return _NO_WAY.get(change.event, "")


def refuse_no_way(changes: Iterable[Change]) -> None:
    """Refuse changes that no command can take back.

    Raises:
        Conflict: There is one; the message says why.
    """
    for change in changes:
        why = _why_not(change)
        if why:
            said = phrase(change)
            raise Conflict(
                f"{said!r} can't be taken back: {why}" if not change.model else f"{said}: {why}",
                where=change.subject or "gitreg.yaml",
            )


def settings_back(now: Settings, changes: Sequence[Change]) -> Settings:
    """``now`` with the settings that ``changes`` set as they were before.

    Raises:
        ChangedSince: One of them has another value by now.
        Conflict: One of them can't be changed in place.
    """
    refuse_no_way(changes)
    known = {item.name for item in fields(Settings)}
    for change in changes:
        assert change.field in known  # compare names settings by their fields
        value = getattr(now, change.field)
        if value == change.before:
            continue
        if value != change.after:
            raise ChangedSince(f"the setting {change.field} was changed since", change=change)
        now = replace(now, **{change.field: change.before})
    return now
