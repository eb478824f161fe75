"""What GTO makes of an artifact's events: which versions there are, and which is shown in which stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from gitreg.importers.gto.events import GtoEvent, semver_key

Key = tuple[str, str]
"""A version: its name (``""``: only a stage was assigned to the commit), and its commit."""


@dataclass(slots=True, kw_only=True)
class Effect:
    """What an event changes in what ``gto show`` shows.

    Attributes:
        retired: Versions that are shown no more, with the reason.
        back: Versions that are shown again.
        lost: Versions and the stages that they are shown in no more.
        gained: Versions and the stages that they are shown in now.
    """

    retired: dict[Key, str] = field(default_factory=dict)
    back: list[Key] = field(default_factory=list)
    lost: list[tuple[Key, str]] = field(default_factory=list)
    gained: list[tuple[Key, str]] = field(default_factory=list)

    @property
    def versions(self) -> list[Key]:
        """The versions that are concerned."""
        staged = (key for key, _ in (*self.lost, *self.gained))
        return list(dict.fromkeys((*self.retired, *self.back, *staged)))


class Artifact:
    """One artifact, event by event.

    Args:
        events: All of its events: a commit is known as a version's however late that is registered.
        many: Every version that was assigned a stage and not taken it keeps it (``gto show --vs -1``);
            otherwise only the one that was assigned last is shown in it, which is what GTO does unasked.
    """

    def __init__(self, events: Iterable[GtoEvent], *, many: bool) -> None:
        self._many = many
        self._deprecated = ""
        self._registered: dict[Key, bool] = {}
        self._since: dict[str, dict[Key, datetime]] = {}  # stage → versions that were assigned it
        self._at: dict[str, list[Key]] = {}
        for event in events:
            if event.kind == "register":
                found = self._at.setdefault(event.commit, [])
                if (event.version, event.commit) not in found:
                    found.append((event.version, event.commit))

    def subject(self, event: GtoEvent) -> Key | None:
        """The version that an event is about; None where GTO can't tell it, or it is about the artifact."""
        if event.kind == "deprecate":
            return None
        if event.version:
            return (event.version, event.commit)
        there = self._at.get(event.commit, [("", event.commit)])
        return there[0] if len(there) == 1 else None

    def happened(self, event: GtoEvent) -> Effect:
        """Go on by one event."""
        key = self.subject(event)
        effect = Effect()
        if event.kind == "deprecate":
            if not self._deprecated:
                self._deprecated = event.message or "the artifact is deprecated"
                effect.retired = {each: self._deprecated for each, on in self._registered.items() if on}
            return effect
        if key is None:
            return effect
        if self._deprecated:  # whatever happens to an artifact brings it back
            self._deprecated = ""
            effect.back = [each for each, on in self._registered.items() if on]
        known = self._registered.setdefault(key, True)
        if event.kind in ("assign", "unassign"):
            self._staged(event, key, effect)
        elif known != (event.kind == "register"):
            self._turned(event, key, effect)
        return effect

    def _turned(self, event: GtoEvent, key: Key, effect: Effect) -> None:
        """A version that is deregistered leaves its stages with it, and comes back with them."""
        stages = [stage for stage, since in self._since.items() if key in since]
        before = {stage: self._shown(stage) for stage in stages}
        self._registered[key] = event.kind == "register"
        if event.kind == "register":
            effect.back.append(key)
        else:
            effect.back = [each for each in effect.back if each != key]
            effect.retired[key] = event.message or "deregistered"
        for stage in stages:
            self._compare(stage, before[stage], effect)

    def _staged(self, event: GtoEvent, key: Key, effect: Effect) -> None:
        before = self._shown(event.stage)
        since = self._since.setdefault(event.stage, {})
        if event.kind == "assign":
            since[key] = event.when
        else:
            since.pop(key, None)
        self._compare(event.stage, before, effect)

    def _compare(self, stage: str, before: frozenset[Key], effect: Effect) -> None:
        after = self._shown(stage)
        effect.lost += [(key, stage) for key in sorted(before - after)]
        effect.gained += [(key, stage) for key in sorted(after - before)]

    def _shown(self, stage: str) -> frozenset[Key]:
        since = {key: at for key, at in self._since.get(stage, {}).items() if self._registered[key]}
        if self._many or not since:
            return frozenset(since)
        newest = max(since.values())
        tied = [key for key, at in since.items() if at == newest]
        return frozenset([min(tied, key=lambda key: semver_key(key[0]))])  # GTO shows the lower of two
