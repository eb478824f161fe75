"""What a registry tag stands for, for programs that deploy: told by the history, never by the tag's name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gitreg.domain.model import ModelVersion
from gitreg.domain.names import is_utf8, shown
from gitreg.domain.tagging import TagName, style_of
from gitreg.errors import EnvironmentFailure, IntegrityError, InvalidInput, NotARegistry, NotFound
from gitreg.gitstore.objects import Person
from gitreg.gitstore.tagrefs import TAGS
from gitreg.manifest.encode import time_text
from gitreg.registry.expected import Wanted, fault_of, no_event, parse_tag
from gitreg.registry.model_tags import ModelTags
from gitreg.registry.reconcile import Followed, follow
from gitreg.registry.store import Store

Event = dict[str, Any]


def event_of(store: Store, ref: str) -> Event:
    """What one tag stands for, see ``Events.of``."""
    return Events(store).of(ref)


class Events:
    """What tags stand for by the history of the registry's own branch, each model's read once.

    Args:
        store: The registry.

    Raises:
        NotARegistry: There is no branch of the registry.
        EnvironmentFailure: A shallow clone does not hold the history.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._followed: Followed = follow(store)
        self._tags = ModelTags(store, self._followed.head, self._followed.settings.tags)
        if store.repository.shallow():
            raise EnvironmentFailure(
                "a shallow clone does not hold the history that a tag is checked by (GR309)",
                where=str(store.repository.root),
                hint="git fetch --unshallow",
            )

    def look_up(self, refs: Iterable[str]) -> None:
        """Read the history of many tags' models at once."""
        found = (parse_tag(ref.removeprefix(TAGS), self._followed.settings.tags) for ref in refs)
        self._tags.look_up({each.model for each in found if each is not None})

    def of(self, ref: str) -> Event:
        """The event as plain data for JSON: what happened to which version, when, and by whom.

        ``previous`` is, for a stage, what ``NAME/STAGE`` meant before: a version, or None.

        Args:
            ref: A tag, with or without ``refs/tags/``.

        Raises:
            InvalidInput: No tag of the registry is called so.
            NotFound: There is no such tag.
            IntegrityError: The tag is not what the history makes.
        """
        name = ref.removeprefix(TAGS)
        told = self._named(name)
        oid = self.store.repository.refs.read(TAGS + name)
        if oid is None:
            hint = "gitreg reconcile makes the tags that are missing; git fetch --tags"
            raise NotFound(f"there is no tag {name}", where=TAGS + name, hint=hint)
        wanted = self._tags.of(told.model).get(name)
        fault = fault_of(self.store, wanted, oid) if wanted else no_event(name)
        if wanted is None or fault is not None:
            assert fault is not None
            raise IntegrityError(f"{fault.message} ({fault.code})", where=TAGS + name, hint=fault.help)
        return self._event(wanted, told)

    def _named(self, name: str) -> TagName:
        settings = self._followed.settings.tags
        found = parse_tag(name, settings) if is_utf8(name) else None
        if found is not None:
            return found
        hint = (
            "this registry makes no tags (tags.for in gitreg.yaml)"
            if settings.made_for == "none"
            else style_of(settings).examples
        )
        raise InvalidInput(f"{shown(name)} is no name of a tag of this registry", where="ref", hint=hint)

    def _event(self, wanted: Wanted, told: TagName) -> Event:
        change, commit = wanted.change, self.store.reader.commit(wanted.commit)
        number = change.version
        state = self.store.view(wanted.commit).state(change.model)
        version = state.live(number) if number is not None else None
        event: Event = {
            "tag": wanted.name,
            "event": change.event,
            "model": change.model,
            "version": change.version,
            "stage": told.stage,
            "number": told.number,
            "from": list(change.origin),
            "commit": wanted.commit,
            "time": time_text(commit.committer.when),
            "author": _person(commit.author.person),
            "committer": _person(commit.committer.person),
            **_told_of(version),
        }
        if told.stage is not None:
            parent = commit.parents[0] if commit.parents else None
            event["previous"] = self._previous(change.model, told.stage, parent)
        return event

    def _previous(self, model: str, stage: str, parent: str | None) -> Event | None:
        """The version that the stage meant before: the highest that held it."""
        try:
            held = self.store.view(parent).state(model).holders(stage) if parent else iter(())
            found = next(held, None)
        except NotARegistry:  # the commit made the registry, too
            found = None
        return {"version": found.version, **_told_of(found)} if found else None


def _told_of(version: ModelVersion | None) -> Event:
    artifact = version.origin.artifact if version else None
    return {
        "source": version.source if version else None,
        "digest": artifact.digest if artifact else None,
        "run_id": version.run_id if version else None,
    }


def _person(person: Person) -> Event:
    return {"name": person.name, "email": person.email}
