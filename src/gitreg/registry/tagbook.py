"""Which Git tags there are and must be: numbers of stage assignments, and tags that are missing.

Every command that writes to the registry's own branch first makes the tags that the commits since the
last one lack (a hand edit, a plain ``git merge``), so that the numbers it gives go on from all of them.
The file ``gitreg/tagged`` in the Git folder says up to which commit that is done. It is a mere
shortcut: without it the whole first-parent history is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime

from gitreg.domain.changes import Change
from gitreg.domain.settings import Settings
from gitreg.domain.tagging import Planner, TagPlan, style_of
from gitreg.gitstore.log import is_ancestor
from gitreg.gitstore.objects import Person
from gitreg.gitstore.writer import Session
from gitreg.registry import standing
from gitreg.registry.expected import planned, registry_tags, tags_of
from gitreg.registry.history import commits_between
from gitreg.registry.store import Store

_TAGS = "refs/tags/"


class TagBook:
    """The tags of one registry while a session writes to it."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._style = style_of(settings.tags)
        self._planner: Planner | None = None
        # Registries in sub-folders of one repository each have their own, and so has each style of tags.
        own = store.prefix.strip("/").replace("%", "%25").replace("/", "%2F")
        name = "tagged" if settings.tags.style == "gitreg" else f"tagged-{settings.tags.style}"
        self._marker = store.repository.state_dir / (f"{name}.{own}" if own else name)

    def tag(
        self,
        session: Session,
        commit: str,
        changes: Sequence[Change],
        *,
        tagger: Person,
        when: datetime,
        restored: Collection[tuple[str, int]] = (),
    ) -> list[TagPlan]:
        """Have the session make the tags of one commit; returns what it made.

        A version that is restored has its tag already, where it was removed without a tombstone.
        """
        made = []
        if self._planner is None:
            self._planner = self._style.planner(standing.live(self.store))
        for plan in self._planner.plan(changes, commit, when):
            back = (plan.change.model, plan.change.version) in restored
            if back and self.store.repository.refs.exists(_TAGS + plan.name):
                continue
            session.tag(
                name=plan.name, target=plan.target, message=plan.message, tagger=tagger, when=plan.when
            )
            made.append(plan)
        return made

    def catch_up(self, session: Session, head: str | None) -> None:
        """Have the session make the tags that the commits up to ``head`` lack."""
        done = self._done()
        if head is None or done == head:
            return
        rules = self.settings.tags
        existing = registry_tags(self.store, rules)
        if done is None or not is_ancestor(self.store.repository, done, head):
            # A walk from the first commit counts by itself, whatever tags there are.
            commits = commits_between(self.store, None, head)
            self._planner = self._style.planner(standing.none(self.store))
        else:
            commits = commits_between(self.store, done, head)
            # A writer killed before its note, or reconcile elsewhere, may have tagged some of them already.
            own = tags_of(self.store, commits, existing, rules)
            before = {name: oid for name, oid in existing.items() if name not in own}
            self._planner = self._style.planner(standing.among(self.store, before))
        for each in planned(commits, self._planner):
            if each.name not in existing:
                session.tag(
                    name=each.name,
                    target=each.target,
                    message=each.message,
                    tagger=each.tagger,
                    when=each.when,
                )

    def completed(self, head: str) -> None:
        """Note that every tag up to ``head`` stands; without the note the next write looks again."""
        aside = self._marker.with_name(f"{self._marker.name}.{os.getpid()}")
        try:
            aside.write_text(head + "\n", encoding="ascii")
            os.replace(aside, self._marker)
        except OSError:
            with suppress(OSError):
                aside.unlink(missing_ok=True)

    def forget(self) -> None:
        """Lose the note, so that the next ``catch_up`` looks at the whole history."""
        self._marker.unlink(missing_ok=True)

    def _done(self) -> str | None:
        try:
            text = self._marker.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            return None
        return text if len(text) in (40, 64) and all(c in "0123456789abcdef" for c in text) else None
