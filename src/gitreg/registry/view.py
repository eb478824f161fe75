"""A registry at one commit: everything that can be read without asking about the past."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from gitreg.domain import names, references
from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel
from gitreg.domain.settings import Settings, did_you_mean
from gitreg.errors import InvalidInput, InvalidManifests, NotFound
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.states import Decoder, States, tree_states


class VersionDocument(NamedTuple):
    """One version as its manifest's data (``manifest.encode``), for lists that hold thousands."""

    name: str
    version: int
    data: dict[str, Any]


def document_of(version: ModelVersion) -> VersionDocument:
    """A version as its manifest's data."""
    from gitreg.manifest.encode import encode_version

    return VersionDocument(version.name, version.version, encode_version(version))


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What the registry holds at ``commit`` (full hex id)."""

    commit: str
    states: States

    @property
    def settings(self) -> Settings:
        """The settings of that commit."""
        return self.states.settings

    def state(self, name: str) -> ModelState:
        """One model's folder; empty when it never was."""
        return self.states.state(name)

    def models(self) -> Iterator[ModelState]:
        """The registered models, by name."""
        return self.states.living()

    def model(self, name: str) -> RegisteredModel:
        """The registered model ``name``.

        Raises:
            NotFound: There is none; the hint names the nearest.
        """
        return references.living(self._known(name))

    def reference(self, text: str) -> references.Reference:
        """Read a model URI; a name that holds an ``@`` is looked up to tell it from an alias."""
        return references.parse_reference(text, exists=lambda name: self.state(name).model is not None)

    def version(self, text: str) -> ModelVersion:
        """The version that a URI means: ``churn/12``, ``churn/Production``, ``churn@champion``.

        Raises:
            InvalidInput: The text is no URI, or names a model without a version.
            NotFound: There is no such version.
        """
        found = self.reference(text)
        if found.selector is None:
            raise InvalidInput(
                f"{found.name} is a model: say which version",
                hint=f"{found.name}/12, {found.name}/Production, {found.name}/latest or {found.name}@ALIAS",
            )
        return references.select(self._known(found.name), found.selector, self.settings)

    def documents(self, name: str) -> Iterator[VersionDocument]:
        """The versions of a model as their manifests' data, newest first; deleted ones are left out."""
        if isinstance(self.states, IndexedStates):
            for number, data in self.states.documents(name):
                yield VersionDocument(name, number, data)
        else:
            yield from map(document_of, self.state(name).newest_first())

    def holder_documents(self, stage: str) -> Iterator[VersionDocument]:
        """Every version of every model that holds ``stage``, as data."""
        exact = self.stage_name(stage)
        if isinstance(self.states, IndexedStates):
            return map(VersionDocument._make, self.states.holders(exact))
        from gitreg.registry.overview import holders

        return map(document_of, holders(self, exact))

    def stage_name(self, text: str) -> str:
        """The exact name of a stage of the registry, or of one that was and is still held.

        Raises:
            InvalidInput: It is neither.
        """
        try:
            return self.settings.stage(text).name
        except InvalidInput:
            known = self.states.held_stage(text) if isinstance(self.states, IndexedStates) else None
            if known is None:
                raise
            return known

    def faults(self, name: str | None = None, *, stage: str | None = None) -> list[Finding]:
        """What is wrong with the manifests that the lists above leave out.

        Args:
            name: Of this model alone.
            stage: Only with those that may hold this stage.
        """
        if not isinstance(self.states, IndexedStates):
            return []  # the tree has raised it
        found: list[Finding] = []
        for model, number in self.states.unreadable(name):
            try:
                state = self.states.tree.state(model)
                if stage is None or number in state.versions.mentioning(stage):
                    _ = state.versions[number] if number else None
            except InvalidManifests as error:
                found += error.findings
        return list(dict.fromkeys(found))

    def all_aliases(self, names: Iterable[str]) -> dict[tuple[str, int], list[str]]:
        """Model and version → the aliases that point to it, sorted; of the models in ``names`` at least."""
        found: dict[tuple[str, int], list[str]] = {}
        if isinstance(self.states, IndexedStates):
            for name, number, alias in self.states.aliases():
                found.setdefault((name, number), []).append(alias)
            return found
        for name in set(names):
            for alias, number in sorted(self.model(name).aliases.items()):
                found.setdefault((name, number), []).append(alias)
        return found

    def aliases(self, version: ModelVersion) -> tuple[str, ...]:
        """The aliases that point to a version, sorted."""
        aliases = self.model(version.name).aliases
        return tuple(sorted(alias for alias, number in aliases.items() if number == version.version))

    def holders(self, stage: str) -> Iterator[ModelVersion]:
        """Every version of every model that holds ``stage``."""
        name = self.settings.stage(stage).name
        for state in self.models():
            yield from state.holders(name)

    def _known(self, name: str) -> ModelState:
        state = self.state(name)
        if state.model is None:
            near = self.states.twin(name) or ""
            hint = f'did you mean "{near}"?' if near else did_you_mean(name, [s.name for s in self.models()])
            raise NotFound(f"there is no registered model {names.shown(name)}", hint=hint or "gitreg list")
        return state


def view_at(decoder: Decoder, commit: str, prefix: str) -> View:
    """The view of ``commit``, read from its tree; arguments and errors are those of ``tree_states``."""
    return View(commit=commit, states=tree_states(decoder, commit, prefix))
