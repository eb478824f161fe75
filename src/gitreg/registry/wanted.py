"""What is to be proposed: how its commit is made, and whether a commit that is there does the same."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gitreg.domain.changes import Change
from gitreg.domain.compare import compare_edit
from gitreg.domain.edits import Edit
from gitreg.domain.requests import Evaluate, Request
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.objects import Person
from gitreg.gitstore.trees import Entry
from gitreg.manifest.layout import SETTINGS_FILE
from gitreg.registry import configure, files, write
from gitreg.registry.clock import utc_now
from gitreg.registry.guarding import thought
from gitreg.registry.messages import commit_message
from gitreg.registry.receipt import Receipt
from gitreg.registry.store import Store

if TYPE_CHECKING:
    from gitreg.registry.configure import Amendment, Wish
    from gitreg.registry.write import Ask


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thought:
    """A change on a base, thought through for one moment."""

    changes: tuple[Change, ...]
    files: Mapping[str, bytes | Entry | None]
    edit: Edit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(ABC):
    """What is to be proposed on a branch.

    Attributes:
        branch: Its short name.
        footer: One more line of the commit's message.
    """

    branch: str
    footer: str = ""

    @abstractmethod
    def make(self, store: Store, *, base: str) -> Receipt:
        """Make the commit on ``base``, and let the branch here point to it."""

    @abstractmethod
    def _think(self, store: Store, base: str, now: datetime) -> _Thought:
        """What the commit would change on ``base``, made at a moment."""

    @abstractmethod
    def _message(self, changes: tuple[Change, ...]) -> str:
        """Its message; ``""`` where none was asked for and any will do."""

    @property
    @abstractmethod
    def author(self) -> Person:
        """Who asked for it."""

    @property
    @abstractmethod
    def reason(self) -> str:
        """Why, in their words."""

    @abstractmethod
    def because(self, reason: str) -> Wanted:
        """The same for a reason."""

    def changes(self, store: Store, base: str) -> tuple[Change, ...]:
        """What it would change on ``base`` now."""
        return self._think(store, base, utc_now()).changes

    def done_by(self, store: Store, base: str, commit: str) -> Receipt | None:
        """What a commit on ``base`` does, where that is exactly what is wanted; else None.

        Manifests hold the time of their change to the millisecond and commits do not: the moments that
        the commit's own files name are tried.
        """
        found = store.reader.commit(commit)
        if found.parents != (base,):
            return None
        for now in _moments(store, base, commit):
            idea = self._think(store, base, now)
            if not idea.changes:
                return None
            reader, oid = thought(store, base, idea.files, self.author, now)
            if reader.commit(oid).tree == found.tree:
                asked = self._message(idea.changes)
                same = not asked or asked.strip() == found.message.strip()
                return (
                    Receipt(commit=commit, branch=self.branch, changes=idea.changes, edit=idea.edit)
                    if same
                    else None
                )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRequests(Wanted):
    """Requests, in one commit."""

    ask: Ask

    def make(self, store: Store, *, base: str) -> Receipt:
        """Make the commit on ``base``."""
        now = self.ask.clock()
        asked = replace(self._at(now), footer=self.footer)
        return write.apply_on(store, asked, ref=f"refs/heads/{self.branch}", base=base)

    def _at(self, now: datetime) -> Ask:
        requests = [_dated(each, now) for each in self.ask.requests]
        return replace(self.ask, requests=requests, clock=lambda: now)

    def _think(self, store: Store, base: str, now: datetime) -> _Thought:
        view = store.view(base)
        edit = write.draft_of(self._at(now).requests, view, now).edit
        changes = compare_edit(edit)
        rendered = files.render(edit, view.states, lambda oid: store.view(oid).states) if changes else {}
        return _Thought(changes=changes, files=rendered, edit=edit)

    def _message(self, changes: tuple[Change, ...]) -> str:
        if not self.ask.reason:
            return ""
        return commit_message(changes, reason=self.ask.reason, title=self.ask.title, footer=self.footer)

    @property
    def author(self) -> Person:
        """Who asked for it."""
        return self.ask.author

    @property
    def reason(self) -> str:
        """Why, in their words."""
        return self.ask.reason

    def because(self, reason: str) -> WantedRequests:
        """The same for a reason."""
        return replace(self, ask=replace(self.ask, reason=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedSettings(Wanted):
    """Other settings, in one commit."""

    wish: Wish | Amendment

    def make(self, store: Store, *, base: str) -> Receipt:
        """Make the commit on ``base``."""
        ref = f"refs/heads/{self.branch}"
        return configure.configure_on(store, self.wish, ref=ref, base=base, footer=self.footer)

    def _think(self, store: Store, base: str, now: datetime) -> _Thought:
        changes, text = configure.amended(store, self.wish, base=base)
        return _Thought(changes=changes, files={SETTINGS_FILE: text}, edit={})

    def _message(self, changes: tuple[Change, ...]) -> str:
        reason = self.wish.reason
        title = getattr(self.wish, "title", "")
        return commit_message(changes, reason=reason, title=title, footer=self.footer) if reason else ""

    @property
    def author(self) -> Person:
        """Who asked for it."""
        return self.wish.author

    @property
    def reason(self) -> str:
        """Why, in their words."""
        return self.wish.reason

    def because(self, reason: str) -> WantedSettings:
        """The same for a reason."""
        return replace(self, wish=replace(self.wish, reason=reason))


def _dated(request: Request, now: datetime) -> Request:
    """A request at a moment: of results that are added the time is their own."""
    if isinstance(request, Evaluate):
        return replace(request, evaluation=replace(request.evaluation, at=now))
    return request


def _moments(store: Store, base: str, commit: str) -> Iterator[datetime]:
    """The moments, in milliseconds, at which a commit may have been thought of."""
    found = store.reader.commit(commit)
    second = found.author.when.astimezone(UTC).replace(microsecond=0)
    pattern = re.compile(rf"{second:%Y-%m-%dT%H:%M:%S}\.(\d{{3}})Z".encode())
    told: dict[int, None] = {}
    for each in diff_trees(store.reader, store.reader.commit(base).tree, found.tree):
        if each.new is not None and each.new.mode == "100644":
            told |= dict.fromkeys(int(match) for match in pattern.findall(store.reader.blob(each.new.oid)))
    for milliseconds in [*told, 0]:
        yield second.replace(microsecond=milliseconds * 1000)
