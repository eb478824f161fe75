"""The tags that stand in the repository, as the planner of the next ones asks about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gitreg.domain.tag_style import SeenTag
from gitreg.domain.tags_gto import COMMIT
from gitreg.gitstore.objects import is_oid, parse_signature
from gitreg.gitstore.signatures import split_tag
from gitreg.gitstore.tagrefs import tags
from gitreg.registry.store import Store

Find = Callable[[str], Mapping[str, str]]
"""The beginning of tags' names → the tags so called, with their ids."""


class StandingTags:
    """See ``domain.tag_style.Standing``.

    Args:
        store: The registry.
        find: Which tags there are; see ``live``, ``among`` and ``none``.
    """

    def __init__(self, store: Store, find: Find) -> None:
        self._store = store
        self._find = find

    def named(self, start: str) -> Mapping[str, str]:
        """The tags whose names begin with ``start``."""
        return self._find(start)

    def seen(self, oid: str) -> SeenTag:
        """What a tag holds; a lightweight one is the commit itself."""
        kind, data = self._store.reader.object(oid)
        return _tag(data) if kind == "tag" else SeenTag(target=oid, when=None)


def live(store: Store) -> StandingTags:
    """The tags that are there when they are asked for."""
    return StandingTags(store, lambda start: tags(store.repository, start))


def among(store: Store, known: Mapping[str, str]) -> StandingTags:
    """Some tags alone, by name."""
    return StandingTags(
        store, lambda start: {name: oid for name, oid in known.items() if name.startswith(start)}
    )


def none(store: Store) -> StandingTags:
    """No tags: for a walk from the first commit, which counts by itself."""
    return StandingTags(store, lambda start: {})


def event_commit(store: Store, oid: str) -> str:
    """The commit that a registry tag is about: the one that its message names, else its target."""
    kind, data = store.reader.object(oid)
    if kind != "tag":
        return oid
    _, _, message = split_tag(data)[0].partition(b"\n\n")
    last = message.rstrip(b"\n").rpartition(b"\n")[2].decode("ascii", "replace")
    named = last.removeprefix(COMMIT)
    return named if last.startswith(COMMIT) and is_oid(named) else _tag(data).target


def _tag(data: bytes) -> SeenTag:
    head = data.partition(b"\n\n")[0].split(b"\n")
    fields = dict(line.partition(b" ")[::2] for line in reversed(head))
    tagger = fields.get(b"tagger")
    return SeenTag(
        target=fields.get(b"object", b"").decode("ascii", "replace"),
        when=parse_signature(tagger).when if tagger else None,
    )
