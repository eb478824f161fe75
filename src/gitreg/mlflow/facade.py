"""MLflow's model registry over a registry of ours: its calls, answers and errors, without MLflow.

The store plugin and the REST API both speak through it. Source of behaviour: MLflow's documentation of the
Model Registry and the answers of its SQL store, which the tests ask the same questions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from urllib.parse import urlparse

from gitreg.domain import names, references, requests
from gitreg.domain.edits import Edit
from gitreg.domain.model import Artifact, Origin, RegisteredModel
from gitreg.domain.settings import ARCHIVED
from gitreg.errors import AlreadyExists, GitregError, NotAllowed, NotFound
from gitreg.mlflow import checks
from gitreg.mlflow.errors import MlflowError, invalid
from gitreg.mlflow.grammar import IS_PROMPT
from gitreg.mlflow.proposals import propose_transition
from gitreg.mlflow.reads import Reads, look_at, no_model, no_version, stage_name
from gitreg.registry.entities import (
    ModelVersionDetails,
    RegisteredModelDetails,
    model_details,
    version_details,
)
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry

Tags = Sequence[tuple[str, str]]

_VERSION_URI = re.compile(r"models:/([^/]+)/(\d+)", re.ASCII)
_RUN = re.compile(r"[A-Za-z0-9][\w-]{0,255}", re.ASCII)


class Facade(Reads):
    """MLflow's model registry, reads and writes; arguments as of ``Reads``.

    It may be used by several threads and processes at once. Every write is one commit on the registry's own
    branch, durable when the call returns. Every method raises ``MlflowError`` and nothing else.
    """

    # Registered models

    def create_registered_model(
        self, name: str, tags: Tags = (), description: str | None = None
    ) -> RegisteredModelDetails:
        """Create a model without versions."""
        checks.model_name(name)
        checked = dict(checks.model_tag(*tag) for tag in tags)
        request = requests.CreateModel(name=name, tags=checked, description=description or "")
        with self._writing() as registry:
            try:
                receipt = self._write(registry, request)
            except AlreadyExists as error:
                raise _taken(registry, name, error, prompt=_is_prompt(checked)) from error
            model = receipt.model(name)
            return model_details(model, model.updated, [])

    def update_registered_model(self, name: str, description: str | None) -> RegisteredModelDetails:
        """Set the description."""
        checks.model_name(name)
        self._apply(requests.UpdateModel(name=name, description=description or ""), name)
        return self.get_registered_model(name)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModelDetails:
        """Give a model another name; its versions and their numbers come along."""
        checks.new_name(new_name)
        checks.model_name(name)
        with self._writing() as registry:
            try:
                self._write(registry, requests.Rename(name=name, new_name=new_name))
            except NotFound:
                raise no_model(name) from None
            except AlreadyExists as error:
                if known_model_there(registry, new_name):
                    raise MlflowError(
                        f"Registered Model (name={new_name}) already exists. Error: {error}",
                        "RESOURCE_ALREADY_EXISTS",
                    ) from error
                raise invalid(str(error)) from error
        return self.get_registered_model(new_name)

    def delete_registered_model(self, name: str) -> None:
        """Delete a model and its versions."""
        checks.model_name(name)
        self._apply(requests.DeleteModel(name=name), name)

    def set_registered_model_tag(self, name: str, key: str, value: str) -> None:
        """Set a tag of a model."""
        checks.model_name(name)
        put = dict([checks.model_tag(key, value)])
        self._apply(requests.Tag(name=name, put=put), name)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model; a missing one is no error."""
        checks.model_name(name)
        self._apply(requests.Tag(name=name, remove=(checks.tag_key(key),)), name)

    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Point an alias at a version."""
        checks.model_name(name)
        checks.free_alias(alias)
        number = checks.version_number(version)
        self._apply(requests.SetAlias(name=name, alias=alias, selector=_selector(name, number)), name, number)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias; a missing one is no error."""
        checks.model_name(name)
        checks.alias_name(alias)
        self._apply(requests.RemoveAlias(name=name, alias=alias), name)

    # Model versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Tags = (),
        run_link: str | None = None,
        description: str | None = None,
        model_id: str | None = None,
        *,
        artifact_uri: str | None = None,
        known: Origin | None = None,
    ) -> ModelVersionDetails:
        """Register the next version of a model.

        Args:
            name: The model, which must be there.
            source: Where the version came from; ``models:/NAME/VERSION`` copies that one.
            run_id: The run that made it.
            tags: Key and value of each.
            run_link: A page that shows the run.
            description: Free text.
            model_id: The logged model that it was.
            artifact_uri: Where its files lie, when that is not ``source``.
            known: What the caller has found out besides: params, metrics, data sets, code.
        """
        checks.model_name(name)
        checked = dict(checks.version_tag(*tag) for tag in tags)
        if not source:
            raise invalid(checks.missing("source"))
        checks.no_password(source, "source")
        checks.no_password(run_link, "run_link")
        found = known or Origin(source=source)
        parents, place = self._copied(source)
        place = artifact_uri or place
        checks.no_password(place, "artifact's address")
        artifact = found.artifact or Artifact()
        if place and place != source:
            artifact = replace(artifact, uri=place)
        origin = replace(
            found,
            source=source,
            run_id=run_id or None,
            run_link=run_link or None,
            model_id=model_id or None,
            parents=parents or found.parents,
            artifact=artifact if artifact != Artifact() else None,
        )
        request = requests.Register(name=name, origin=origin, tags=checked, description=description or "")
        with self._writing() as registry:
            try:
                receipt = self._write(registry, request, run_id=run_id or "", check=_must_be_there(name))
            except NotFound:
                raise no_model(name) from None
            return _changed(registry, receipt, name, max(receipt.versions(name)))

    def update_model_version(
        self, name: str, version: int | str, description: str | None
    ) -> ModelVersionDetails:
        """Set the description of a version."""
        number = self._named(name, version)
        selector = _selector(name, number)
        request = requests.UpdateVersion(name=name, selector=selector, description=description or "")
        return self._change(request, name, number)

    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool
    ) -> ModelVersionDetails:
        """Make a version hold ``stage`` alone; those that held it are archived when that is asked for.

        A stage that the registry's rules guard is refused with PERMISSION_DENIED; where this facade proposes
        such transitions, the version is answered as it stands until somebody merges the proposal.
        """
        with self.look() as look:
            exact = stage_name(stage, look.settings)
            active = [s.name for s in look.settings.stages if s.name != ARCHIVED]
        if archive_existing_versions and exact not in active:
            raise MlflowError(
                "Model version transition cannot archive existing model versions because "
                f"'{stage}' is not an Active stage. Valid stages are {active}"
            )
        number = self._named(name, version)
        request = requests.Transition(
            name=name,
            selector=_selector(name, number),
            stage=exact,
            archive_existing=bool(archive_existing_versions),
        )
        try:
            return self._change(request, name, number, asked=exact)
        except MlflowError as error:
            if not (self.propose and isinstance(error.__cause__, NotAllowed)):
                raise
        propose_transition(self.pool.place, request, self._caller())
        return self.get_model_version(name, number)

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete a version and the aliases that point to it; its number is not used again."""
        checks.version_number(version)
        number = self._named(name, version)
        self._apply(requests.DeleteVersion(name=name, selector=_selector(name, number)), name, number)

    def set_model_version_tag(self, name: str, version: int | str, key: str, value: str) -> None:
        """Set a tag of a version."""
        number = self._named(name, version)
        put = dict([checks.version_tag(key, value)])
        self._apply(requests.Tag(name=name, selector=_selector(name, number), put=put), name, number)

    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Remove a tag of a version; a missing one is no error."""
        number = self._named(name, version)
        remove = (checks.tag_key(key),)
        self._apply(requests.Tag(name=name, selector=_selector(name, number), remove=remove), name, number)

    # How it is done

    def _named(self, name: str, version: int | str) -> int:
        checks.model_name(name)
        return checks.version_number(version)

    def _apply(self, request: requests.Request, name: str, number: int | None = None) -> None:
        with self._writing() as registry:
            self._attempt(registry, request, name, number)

    def _change(
        self, request: requests.Request, name: str, number: int, *, asked: str = ""
    ) -> ModelVersionDetails:
        with self._writing() as registry:
            receipt = self._attempt(registry, request, name, number)
            if number in receipt.versions(name):
                return _changed(registry, receipt, name, number, asked=asked)
        return self.get_model_version(name, number)

    def _attempt(
        self, registry: Registry, request: requests.Request, name: str, number: int | None
    ) -> Receipt:
        try:
            if not names.is_model_name(name):
                raise NotFound(f"{names.shown(name)} can't be a model's name")
            return self._write(registry, request)
        except NotFound as error:
            if number is not None:
                raise no_version(name, number) from None
            if not known_model_there(registry, name):
                raise no_model(name) from None
            raise invalid(str(error)) from error

    def _writing(self) -> AbstractContextManager[Registry]:
        if self.at is not None:
            raise MlflowError(
                f"The registry is open as of {self.at}: nothing can be written to the past.",
                "PERMISSION_DENIED",
            )
        return self.registry()

    def _write(
        self,
        registry: Registry,
        request: requests.Request,
        *,
        run_id: str = "",
        check: Callable[[Edit], None] | None = None,
    ) -> Receipt:
        asked = registry.asked([request])
        author = self._caller()
        if author is not None:
            asked = replace(asked, author=author)
        if _RUN.fullmatch(run_id):
            asked = replace(asked, footer=f"Gitreg-Run: {run_id}")
        return registry.carry_out(replace(asked, check=check))

    def _copied(self, source: str) -> tuple[tuple[str, ...], str]:
        """What a source that names a version of this registry means: its parent, and where its files lie."""
        if urlparse(source).scheme != "models":
            return (), ""
        try:
            with self.registry() as registry:
                look = look_at(registry, None)
                version = registry.version(source)
                place = look.artifact_uri(version.name, version.version) or version.source
                return (f"{references.PREFIX}{version.name}/{version.version}",), place
        except MlflowError as error:
            if source.removeprefix("models:/").count("/") == 0 and "@" not in source:
                return (), ""  # a logged model, which is the tracking server's
            named = _VERSION_URI.fullmatch(source)
            if named and error.code == "RESOURCE_DOES_NOT_EXIST":
                error = no_version(named[1], int(named[2]))
            raise MlflowError(
                f"Unable to fetch model from model URI source artifact location '{source}'.Error: {error}"
            ) from error


def known_model_there(registry: Registry, name: str) -> bool:
    """Whether there is a registered model of just this name."""
    return isinstance(registry.at().state(name).model, RegisteredModel)


def _changed(
    registry: Registry, receipt: Receipt, name: str, number: int, *, asked: str = ""
) -> ModelVersionDetails:
    # From the commit's own tree: the index need not follow before the next read asks it.
    settings = registry.store.view(receipt.commit or registry.store.head()).settings
    version = receipt.versions(name)[number]
    return version_details(version, receipt.edit[name].after, settings, asked=asked)


def _taken(registry: Registry, name: str, error: GitregError, *, prompt: bool) -> MlflowError:
    there = registry.at().state(name).model
    if not isinstance(
        there, RegisteredModel
    ):  # a twin by case: MLflow's clients must not go on with ``name``
        return invalid(str(error))
    old = "Prompt" if _is_prompt(there.tags) else "Registered Model"
    new = "Prompt" if prompt else "Registered Model"
    if old == new:
        return MlflowError(f"{new} (name={name}) already exists.", "RESOURCE_ALREADY_EXISTS")
    return MlflowError(
        f"Tried to create a {new.lower()} with name {name!r}, but the name is already taken by a "
        f"{old.lower()}. MLflow does not allow creating a model and a prompt with the same name.",
        "RESOURCE_ALREADY_EXISTS",
    )


def _is_prompt(tags: Mapping[str, str]) -> bool:
    return tags.get(IS_PROMPT, "").lower() == "true"


def _must_be_there(name: str) -> Callable[[Edit], None]:
    """Refuses a registration that would make the model, too."""

    def check(edit: Edit) -> None:
        if name in edit and not isinstance(edit[name].before.model, RegisteredModel):
            raise NotFound(f"there is no registered model {names.shown(name)}")

    return check


def _selector(name: str, number: int) -> references.Selector:
    if not 0 < number <= names.MAX_VERSION:
        raise no_version(name, number)
    return references.version_selector(number)
