"""Who registered a version and in which commit, asked of its Git tag: cheap however long the history is."""

from __future__ import annotations

from gitreg.domain.model import ModelVersion
from gitreg.domain.tagging import version_tag
from gitreg.errors import EnvironmentFailure, IntegrityError
from gitreg.gitstore.objects import Commit, is_oid
from gitreg.registry.store import Store
from gitreg.registry.view import View


def registration(store: Store, view: View, version: ModelVersion) -> tuple[str, Commit] | None:
    """The commit that registered ``version``, with its id.

    None where no tag tells it, or where the tag's commit does not hold the version: a tag that was
    moved is reported by other commands and believed by none.
    """
    oid = store.reader.ref(f"refs/tags/{version_tag(version.name, version.version, view.settings.tags)}")
    try:
        target = _target(store, oid) if oid else None
        if target is None:
            return None
        commit = store.reader.commit(target)
        path = store.prefix + view.states.layout.version_file(version.name, version.version)
        return (target, commit) if store.reader.entry(commit.tree, path) else None
    except (EnvironmentFailure, IntegrityError):  # a shallow clone, or a tag of something else
        return None


def _target(store: Store, oid: str) -> str | None:
    kind, data = store.reader.object(oid)
    word, _, target = data.partition(b"\n")[0].decode("ascii", "replace").partition(" ")
    return target if kind == "tag" and word == "object" and is_oid(target) else None
