"""An edit as files: which paths get which bytes. Only what changes is rendered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gitreg.domain.edits import Edit, ModelEdit
from gitreg.domain.model import ModelTombstone, ModelVersion
from gitreg.gitstore.trees import Entry
from gitreg.manifest import encode, rendering
from gitreg.registry.states import States

Content = bytes | Entry | None
"""New bytes, an object that is already stored (a whole folder that moves), or None: the path goes."""


def render(
    edit: Edit,
    states: States,
    past: Callable[[str], States],
    data: dict[str, dict[str, Any]] | None = None,
) -> dict[str, Content]:
    """Path below the registry's root → its new content.

    Args:
        edit: What changes.
        states: The tree that the edit was decided on.
        past: A commit's id → its tree, for what comes back from history.
        data: Filled, where it is given, with what each new manifest holds.
    """
    files: dict[str, Content] = {}
    written = {} if data is None else data
    for name, part in edit.items():
        files |= _moves(name, part, states, past)
        if part.model is not None:
            path = states.layout.model_file(name)
            text = _model_text(name, part, states, past)
            written[path] = encode.encode_model(part.model)
            files[path] = rendering.model_text(written[path], text, path, held=part.before.model)
        for number, version in part.versions.items():
            path = states.layout.version_file(name, number)
            before = (
                _version_text(path, part.text_from.get(number), states, past)
                if isinstance(version, ModelVersion)
                else None
            )
            held = part.before.versions.get(number) if before else None
            written[path] = encode.encode_version(version)
            files[path] = rendering.version_text(written[path], before, path, held=held)
    return files


def _moves(name: str, part: ModelEdit, states: States, past: Callable[[str], States]) -> dict[str, Content]:
    """Whole folders and other files that come or go; ``model.yaml`` is rendered on its own."""
    files: dict[str, Content] = {}
    here = states.layout.model_dir(name)
    if part.cleared:
        files |= {f"{here}/{leaf}": None for leaf in _leaves(states, name)}
    if part.carried:
        files |= {f"{here}/{leaf}": entry for leaf, entry in _leaves(states, part.carried).items()}
    if part.revived:
        then = past(part.revived.commit)
        files |= {f"{here}/{leaf}": entry for leaf, entry in _leaves(then, part.revived.name).items()}
    return files


def _leaves(states: States, name: str) -> dict[str, Entry]:
    folder = states.reader.entry(states.root, states.layout.model_dir(name))
    tree = states.reader.tree(folder.oid) if folder else {}
    return {leaf: entry for leaf, entry in tree.items() if leaf != "model.yaml"}


def _model_text(name: str, part: ModelEdit, states: States, past: Callable[[str], States]) -> bytes | None:
    """The text that the new ``model.yaml`` is edited from, so that a person's comments stay."""
    if isinstance(part.model, ModelTombstone):
        return None
    if part.revived:
        return _text(past(part.revived.commit), states.layout.model_file(part.revived.name))
    if isinstance(part.before.model, ModelTombstone) and not part.carried:
        return None
    return _text(states, states.layout.model_file(part.carried or name))


def _version_text(
    path: str, commit: str | None, states: States, past: Callable[[str], States]
) -> bytes | None:
    return _text(past(commit) if commit else states, path)


def _text(states: States, path: str) -> bytes | None:
    entry = states.reader.entry(states.root, path)
    return states.reader.blob(entry.oid) if entry else None
