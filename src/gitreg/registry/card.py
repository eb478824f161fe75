"""The model card: ``README.md`` beside a model's manifest, as it stands at a commit."""

from __future__ import annotations

from gitreg.gitstore.trees import FILE
from gitreg.manifest.layout import Layout
from gitreg.registry.view import View


def card(view: View, name: str) -> str | None:
    """What the card of a model says; None where it has none, or one that is no plain file.

    Args:
        view: The registry at a commit.
        name: The model's. Bytes that are no UTF-8 become replacement characters.
    """
    reader = view.states.reader
    entry = reader.entry(view.states.root, Layout(view.settings.layout).card(name))
    if entry is None or entry.mode != FILE:
        return None
    return reader.blob(entry.oid).decode("utf-8", "replace")
