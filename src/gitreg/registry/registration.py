"""Who registered a version and in which commit: from the index, or else asked of its Git tag."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.model import ModelVersion
from gitreg.domain.tagging import version_tag
from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.gitstore.objects import Person, is_oid
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.store import Store
from gitreg.registry.view import View


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """That a version was registered: in which commit, by whom."""

    commit: str
    author: Person


def registration(store: Store, view: View, version: ModelVersion) -> Registration | None:
    """The commit that registered ``version``.

    Where there is no index the Git tag tells it, which is cheap however long the history is. None where
    nothing does, or where the tag's commit does not hold the version: a tag that was moved is reported
    by other commands and believed by none.
    """
    if isinstance(view.states, IndexedStates):
        link = view.states.registration(version)
        if link is None:
            return None
        return Registration(commit=link.oid, author=Person(name=link.author, email=link.email))
    oid = store.reader.ref(f"refs/tags/{version_tag(version.name, version.version, view.settings.tags)}")
    try:
        target = _target(store, oid) if oid else None
        if target is None:
            return None
        commit = store.reader.commit(target)
        path = store.prefix + view.states.layout.version_file(version.name, version.version)
        if store.reader.entry(commit.tree, path) is None:
            return None
        return Registration(commit=target, author=commit.author.person)
    except (EnvironmentFailure, IntegrityError):  # a shallow clone, or a tag of something else
        return None


def _target(store: Store, oid: str) -> str | None:
    kind, data = store.reader.object(oid)
    word, _, target = data.partition(b"\n")[0].decode("ascii", "replace").partition(" ")
    return target if kind == "tag" and word == "object" and is_oid(target) else None
