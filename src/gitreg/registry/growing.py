"""The registry at the head of a line of commits that is being made: what was written is not read back."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitreg.domain import names
from gitreg.domain.edits import Edit, ModelEdit
from gitreg.domain.model import AnyVersion, ModelState
from gitreg.gitstore.trees import Entry
from gitreg.registry.states import Decoder, TreeStates

_KEPT = 256  # models whose states are carried from commit to commit
_LAID = 64  # versions of one that are: then its folder's numbers are looked at again


@dataclass(slots=True)
class _Carried:
    """One model's state, how many versions are laid over what was read, and who may hold which stage."""

    state: ModelState
    told: dict[str, Iterable[int]]
    laid: int = 0


class GrowingStates(TreeStates):
    """The registry that the last commit of a line holds; ``grow`` follows the next one.

    What an edit leaves is what the next one begins with: of a model with 10,000 versions neither the numbers
    nor the texts are looked at for each commit. Memory is bounded by the number of models and versions that
    are carried; the others are read again from the trees, which the session holds.
    """

    def __init__(self, decoder: Decoder, root: str) -> None:
        super().__init__(decoder, root)
        self._carried: OrderedDict[str, _Carried] = OrderedDict()
        self._twins: dict[str, list[str]] | None = None

    def state(self, name: str) -> ModelState:
        """The state of the model ``name``; empty where the tree has no such folder."""
        known = self._carried.get(name)
        if known is None:
            known = self._carry(name, {})
        else:
            self._carried.move_to_end(name)
        return known.state

    def twin(self, name: str) -> str | None:
        """A model, alive or not, whose name differs from ``name`` in case or Unicode form alone."""
        if self._twins is None:
            self._twins = {}
            for other, _ in self.folders():
                self._twins.setdefault(names.twin_key(other), []).append(other)
        return next((other for other in self._twins.get(names.twin_key(name), ()) if other != name), None)

    def grow(self, root: str, edit: Edit, data: Mapping[str, dict[str, Any]]) -> None:
        """Be the registry after a commit.

        Args:
            root: Id of the registry's own tree in it.
            edit: What it changed.
            data: Path below the registry's root → what the manifest holds that was written there.
        """
        self.root = root
        for name, part in edit.items():
            self._follow(name, part, data)
            if self._twins is not None:
                known = self._twins.setdefault(names.twin_key(name), [])
                if name not in known:
                    known.append(name)

    def _follow(self, name: str, part: ModelEdit, data: Mapping[str, dict[str, Any]]) -> None:
        known = self._carried.pop(name, None)
        if known is None or part.moves or len(part.versions) > _LAID:
            return
        laid: dict[int, AnyVersion] = {}
        for number in part.versions:
            path = self.layout.version_file(name, number)
            laid[number] = self.decoder.learn_version(self._entry(path), data[path], name=name)
        versions = known.state.versions.replaced(laid)
        if known.laid + len(laid) > _LAID:
            self._carry(name, {stage: [*versions.mentioning(stage)] for stage in known.told})
            return
        model = known.state.model
        if part.model is not None:
            path = self.layout.model_file(name)
            model = self.decoder.learn_model(self._entry(path), data[path])
        known.state = ModelState(name=name, model=model, versions=versions)
        known.laid += len(laid)
        self._carried[name] = known

    def _entry(self, path: str) -> Entry:
        found = self.reader.entry(self.root, path)
        assert found is not None  # the commit has just put it there
        return found

    def _carry(self, name: str, told: dict[str, Iterable[int]]) -> _Carried:
        found = self._carried[name] = _Carried(self._read(name, told), told)
        if len(self._carried) > _KEPT:
            self._carried.popitem(last=False)
        return found
