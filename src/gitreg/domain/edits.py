"""What a request changes: the next values of the files that it touches, and of no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from gitreg.domain.model import AnyModel, AnyVersion, ModelState, Versions, versions_of
from gitreg.domain.names import twin_key
from gitreg.errors import Conflict

Lookup = Callable[[str], ModelState]
"""A model's name → its state; an empty state for a model that never was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revival:
    """Files that come back from history: the folder of ``name`` as ``commit`` holds it."""

    name: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEdit:
    """The next state of one model's folder.

    Attributes:
        before: The state that the edit was made for.
        model: The next ``model.yaml``; None leaves it as it is.
        versions: The next version manifests, only those that change.
        carried: Name of the model whose versions and other files move into this folder (a rename).
        cleared: The versions and other files leave the folder (a deletion, the old side of a rename).
        revived: Where the versions and other files come back from (a restored model).
        past: With ``carried`` and ``revived``: the state that holds those versions.
        text_from: Version → the commit whose text it is edited from, where it is not the head's: so a
            restored version comes back with the comments that it had.
    """

    before: ModelState
    model: AnyModel | None = None
    versions: Mapping[int, AnyVersion] = field(default_factory=dict)
    carried: str | None = None
    cleared: bool = False
    revived: Revival | None = None
    past: ModelState | None = None
    text_from: Mapping[int, str] = field(default_factory=dict)

    @property
    def moves(self) -> bool:
        """Whether the folder comes or goes as a whole."""
        return bool(self.cleared or self.carried or self.revived)

    @property
    def after(self) -> ModelState:
        """The whole next state, still lazy in the versions that don't change."""
        kept: Versions = self.before.versions
        if self.cleared:
            kept = versions_of({})
        elif self.past:
            kept = self.past.versions
        return ModelState(
            name=self.before.name,
            model=self.model or self.before.model,
            versions=kept.replaced(self.versions) if self.versions else kept,
        )


Edit = Mapping[str, ModelEdit]
"""Model name → its edit. An empty edit changes nothing."""


class Draft:
    """Edits that follow one another, as one: each is decided on the state that the former ones leave.

    Args:
        lookup: The state before the first edit.
        twin: As for ``decide``, before the first edit.
    """

    def __init__(self, lookup: Lookup, twin: Callable[[str], str | None]) -> None:
        self._lookup = lookup
        self._twin = twin
        self._parts: dict[str, ModelEdit] = {}
        self._versions: dict[str, dict[int, AnyVersion]] = {}
        self._states: dict[str, ModelState] = {}
        self._keys: dict[str, list[str]] = {}

    @property
    def edit(self) -> Edit:
        """Everything so far as one edit."""
        return dict(self._parts)

    def state(self, name: str) -> ModelState:
        """The state after what has been added so far."""
        return self._states.get(name) or self._lookup(name)

    def twin(self, name: str) -> str | None:
        """As for ``decide``, models of this draft included."""
        drafted = (other for other in self._keys.get(twin_key(name), ()) if other != name)
        return next(drafted, None) or self._twin(name)

    def add(self, edit: Edit) -> None:
        """Lay ``edit``, which was decided on ``state``, over what is there.

        Raises:
            Conflict: A model's folder would have to move and be changed in one step.
        """
        for name, part in edit.items():
            earlier = self._parts.get(name)
            if earlier and (earlier.moves or part.moves):
                raise Conflict(
                    f"{name} can't be renamed, deleted or restored together with other changes to it",
                    where=name,
                    hint="make two commits of it",
                )
        for name, part in edit.items():
            if name in self._parts:
                self._extend(name, part)
            else:
                self._start(name, part)

    def _start(self, name: str, part: ModelEdit) -> None:
        versions = self._versions[name] = dict(part.versions)
        self._parts[name] = replace(part, versions=versions)
        self._keys.setdefault(twin_key(name), []).append(name)
        after = part.after
        # A copy that this draft may write into: thousands of registrations cost one step each.
        self._states[name] = replace(after, versions=after.versions.replaced(versions))

    def _extend(self, name: str, part: ModelEdit) -> None:
        self._versions[name].update(part.versions)
        state = self._states[name]
        for number, version in part.versions.items():
            state.versions.put(number, version)
        if part.model is not None:
            self._parts[name] = replace(self._parts[name], model=part.model)
            self._states[name] = replace(state, model=part.model)
        if part.text_from:
            self._parts[name] = replace(
                self._parts[name], text_from={**self._parts[name].text_from, **part.text_from}
            )
