"""What others changed while somebody filled in a form, field by field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.registry.blame import Credit, blame_model, blame_version
from gitreg.registry.log import LogEntry
from gitreg.web.actions import lines, tag_rows
from gitreg.web.actions.typed import Typed, as_shown, plain, same_text
from gitreg.web.pages.cut import cut
from gitreg.web.pages.look import Look

_MOST = 4000
"""Characters that are shown of what another wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a form edits of a model or of a version; ``owners`` is None for a version."""

    description: str
    owners: tuple[str, ...] | None
    tags: Mapping[str, str]

    @classmethod
    def of(cls, one: RegisteredModel | ModelVersion) -> Told:
        """What is told of one of them."""
        owners = one.owners if isinstance(one, RegisteredModel) else None
        return cls(description=one.description, owners=owners, tags=dict(one.tags))


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """What somebody changed in a form.

    Attributes:
        description: The new one; None: it stays.
        owners: Likewise.
        put: Tags to set.
        remove: Keys of the tags to remove.
    """

    description: str | None = None
    owners: tuple[str, ...] | None = None
    put: Mapping[str, str] = field(default_factory=dict)
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.fields != ()

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are changed."""
        said = {
            "description": self.description is not None,
            "owners": self.owners is not None,
            "tags": bool(self.put or self.remove),
        }
        return tuple(name for name, changed in said.items() if changed)

    def left(self, now: Told) -> Edits:
        """What of it is still to be done."""
        return Edits(
            description=None if self.description == now.description else self.description,
            owners=None if self.owners == now.owners else self.owners,
            put={key: value for key, value in self.put.items() if now.tags.get(key) != value},
            remove=tuple(key for key in self.remove if key in now.tags),
        )

    def touched(self, told: Told) -> object:
        """What stands in the fields that it changes."""
        tags = {key: told.tags.get(key) for key in (*self.put, *self.remove)}
        return (
            told.description if self.description is not None else None,
            told.owners if self.owners is not None else None,
            tags,
        )


def edits(typed: Typed, before: Told) -> Edits:
    """What was changed in a form.

    Args:
        typed: The form.
        before: What it was filled in on.

    Raises:
        InvalidInput: The tags can't be read.
    """
    put, remove = tag_rows.changes(typed, before.tags)
    owners = None if before.owners is None else lines.names(typed.raw("owners"), before.owners)
    return Edits(
        description=typed.edited("description", before.description),
        owners=None if owners == before.owners else owners,
        put=put,
        remove=remove,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """How a field stands now that two people changed.

    Attributes:
        text: What it says; None: it is gone.
        author: Who wrote that.
        commit: Full hex id of their commit; ``""``: unknown.
        time: Of that.
    """

    text: str | None
    author: str = ""
    commit: str = ""
    time: datetime | None = None


def merged(typed: Typed, before: Told, now: Told) -> Typed:
    """What was typed, with the present state in the fields that were left as they were shown.

    Args:
        typed: The form.
        before: What it was filled in on.
        now: How that stands now.
    """
    values = dict(typed.values)
    if typed.edited("description", before.description) is None:
        values["description"] = (plain(now.description),)
    if before.owners is not None and lines.names(typed.raw("owners"), before.owners) == before.owners:
        values["owners"] = ("\n".join(now.owners or ()),)
    by_shown = {as_shown(key): key for key in before.tags}
    kept = []
    for shown, value in zip(typed.many("tag_key"), typed.many("tag_value"), strict=True):
        key = by_shown.get(shown.strip(), shown)
        if key not in before.tags or not same_text(value, before.tags[key]):
            kept.append((shown, value))
    values["tag_key"] = tuple(key for key, _ in kept)
    values["tag_value"] = tuple(value for _, value in kept)
    return replace(typed, values=values)


def others(
    look: Look,
    wanted: Edits,
    before: Told,
    now: Told,
    where: tuple[str, int | None],
    since: Sequence[LogEntry],
) -> dict[str, Other]:
    """The fields that somebody else changed, too: ``description``, ``owners``, ``tags.KEY``.

    Args:
        look: The registry now.
        wanted: What was typed.
        before: What the form was filled in on.
        now: How that stands now.
        where: The model, and the version if it is about one.
        since: What was committed meanwhile, newest first: tells who took something away.
    """
    changed: dict[str, str | None] = {}
    if wanted.description not in (None, now.description) and now.description != before.description:
        changed["description"] = now.description
    if wanted.owners not in (None, now.owners) and now.owners != before.owners:
        changed["owners"] = ", ".join(now.owners or ())
    for key in (*wanted.put, *wanted.remove):
        mine, theirs = wanted.put.get(key), now.tags.get(key)
        if theirs not in (mine, before.tags.get(key)):
            changed[f"tags.{key}"] = theirs
    name, number = where
    if not changed:
        return {}
    part = look.part
    credited = blame_model(part, name) if number is None else blame_version(part, name, number)
    by_path = {each.path: each for each in credited}
    return {path: _other(text, by_path.get(path), since) for path, text in changed.items()}


def _other(text: str | None, credit: Credit | None, since: Sequence[LogEntry]) -> Other:
    shown = None if text is None else cut(plain(text), _MOST)
    if credit is not None:
        return Other(text=shown, author=credit.author, commit=credit.commit, time=credit.time)
    if not since:
        return Other(text=shown)
    last = since[0].commit
    return Other(text=shown, author=last.author.name, commit=last.oid, time=last.commit_time)
