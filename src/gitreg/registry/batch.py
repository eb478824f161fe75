"""Many requests that become one commit: each answers at once, as the state that it will leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from gitreg.domain.decide import decide
from gitreg.domain.edits import Draft, Edit
from gitreg.domain.model import ModelState, ModelVersion
from gitreg.domain.requests import Request
from gitreg.errors import Conflict
from gitreg.registry.receipt import Receipt
from gitreg.registry.states import TreeStates
from gitreg.registry.view import View
from gitreg.registry.write import version_is_tagged


class Batch:
    """The requests of one ``with registry.batch(…)`` block.

    Args:
        view: The registry as the block begins.
        now: The time of all of them.
    """

    def __init__(self, view: View, now: datetime) -> None:
        self.now = now
        self.requests: list[Request] = []
        self._draft = Draft(view.state, view.states.twin)
        assert isinstance(view.states, TreeStates)  # what is written builds on the tree alone
        self.view = replace(view, states=_Drafted(view.states, self._draft))

    def add(self, requests: Sequence[Request]) -> Receipt:
        """Decide ``requests`` on what the block has asked for so far."""
        edits: dict[str, object] = {}
        for request in requests:
            edit = decide(
                request,
                lookup=self._draft.state,
                twin=self._draft.twin,
                settings=self.view.settings,
                now=self.now,
                used=lambda name, version: version_is_tagged(self.view, name, version),
            )
            self._draft.add(edit)
            edits.update(edit)
        self.requests += requests
        return Receipt(edit={name: self._draft.edit[name] for name in edits})

    def version(self, uri: str) -> ModelVersion:
        """One version as the block leaves it."""
        return self.view.version(uri)

    def check(self, edit: Edit) -> None:
        """Refuse an edit that would give out other numbers than the block was told.

        Raises:
            Conflict: Another writer was faster.
        """
        for name, part in self._draft.edit.items():
            if set(part.versions) != set(edit[name].versions if name in edit else ()):
                raise Conflict(
                    f"another writer changed {name} while the batch was open", hint="run the batch again"
                )


class _Drafted(TreeStates):
    """The states of a tree with a draft laid over them."""

    def __init__(self, under: TreeStates, draft: Draft) -> None:
        self.__dict__.update(under.__dict__)
        self._draft = draft

    def state(self, name: str) -> ModelState:
        return self._draft.state(name)
