"""The registry's tags that one commit of the history made and that stand, without a look at all tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gitreg.domain.changes import Change
from gitreg.domain.names import folder
from gitreg.domain.settings import TagSettings
from gitreg.domain.tag_style import SeenTag
from gitreg.domain.tagging import style_of
from gitreg.gitstore.tagrefs import TAGS, tags
from gitreg.index.reading import Link, Slice
from gitreg.registry import standing
from gitreg.registry.store import Store

_MOST_LOOKED_AT = 500  # tags of one model, in a style that gives no numbers
_GAINED = (
    "SELECT count(*) FROM event e WHERE e.name = ? AND e.stage = ? AND e.event IN ('transition', 'assign') "
    "AND e.number IS NOT NULL AND e.seq < ? AND NOT EXISTS "
    "(SELECT 1 FROM json_each(e.origin) o WHERE o.value = e.stage)"
)


def tags_made(
    store: Store, part: Slice, link: Link, changes: Sequence[Change], settings: TagSettings
) -> tuple[str, ...]:
    """The names of the tags, without ``refs/tags/``, in the order of the changes.

    Args:
        store: The registry.
        part: The index at that commit or a later one.
        link: The commit.
        changes: What it changed, or as much of it as is told.
        settings: How tags are made.
    """
    if settings.made_for == "none":
        return ()
    if settings.style == "gitreg":
        planner = style_of(settings).planner(Counted(part, link.seq, changes, settings))
        names: Iterator[str] = (each.name for each in planner.plan(changes, link.oid, link.time))
    else:
        names = _by_model(store, changes, settings)
    return tuple(name for name in dict.fromkeys(names) if _about(store, name) == link.oid)


def _by_model(store: Store, changes: Sequence[Change], settings: TagSettings) -> Iterator[str]:
    style = style_of(settings)
    for model in dict.fromkeys(change.model for change in changes if change.model):
        found = tags(store.repository, f"{settings.prefix}{model}")
        known = {name: style.parse(name) for name in sorted(found)[-_MOST_LOOKED_AT:]}
        yield from (name for name, said in known.items() if said is not None and said.model == model)


def _about(store: Store, name: str) -> str | None:
    oid = store.repository.refs.read(TAGS + name)
    return None if oid is None else standing.event_commit(store, oid)


@dataclass(frozen=True, slots=True)
class Counted:
    """The tags before a commit (``tag_style.Standing``), of which the last number is known by counting.

    Attributes:
        part: The index.
        seq: Place of the commit on the chain.
        changes: Those that tags are asked for.
        settings: How tags are made, in gitreg's own style.
    """

    part: Slice
    seq: int
    changes: Sequence[Change]
    settings: TagSettings

    def named(self, start: str) -> Mapping[str, str]:
        """The last tag that begins so."""
        for change in self.changes:
            if f"{self.settings.prefix}{folder(change.model)}/{change.stage}/" == start:
                ((count,),) = self.part.rows(_GAINED, change.model, change.stage, self.seq)
                return {f"{start}{count}": ""} if count else {}
        return {}

    def seen(self, oid: str) -> SeenTag:
        """Nobody asks: only names count in this style."""
        raise LookupError(oid)
