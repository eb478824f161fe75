"""``Client``: the names of MLflow's registry client, those of its first release and today's.

Code written for ``mlflow.tracking.MlflowClient`` runs with only the import changed. Source of names
and behaviour: MLflow's Python API, *mlflow.client*, and the Model Registry's first documentation.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from gitreg.domain import names, references, requests
from gitreg.domain.model import Origin
from gitreg.domain.settings import NO_STAGE
from gitreg.errors import InvalidInput
from gitreg.registry.entities import (
    ModelVersionDetails,
    PagedList,
    RegisteredModelDetails,
    model_details,
    version_details,
)
from gitreg.registry.open import open_registry
from gitreg.registry.overview import updated
from gitreg.registry.registry import Registry
from gitreg.registry.view import View


class Client:
    """A registry under MLflow's names.

    Args:
        registry: An open registry, or the path of one; None: ``GITREG_REGISTRY`` or the current folder.
    """

    def __init__(self, registry: Registry | str | os.PathLike[str] | None = None) -> None:
        self.registry = registry if isinstance(registry, Registry) else open_registry(registry)

    # Registered models

    def create_registered_model(
        self, name: str, tags: Mapping[str, str] | None = None, description: str | None = None
    ) -> RegisteredModelDetails:
        """Create a registered model without versions."""
        self.registry.create_model(name, tags=_texts(tags), description=description or "")
        return self.get_registered_model(name)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModelDetails:
        """Give a model a new name."""
        self.registry.rename(name, new_name)
        return self.get_registered_model(new_name)

    def update_registered_model(self, name: str, description: str | None = None) -> RegisteredModelDetails:
        """Set the description."""
        self.registry.apply(requests.UpdateModel(name=name, description=description or ""))
        return self.get_registered_model(name)

    def delete_registered_model(self, name: str) -> None:
        """Delete a model and its versions."""
        self.registry.apply(requests.DeleteModel(name=name))

    def get_registered_model(self, name: str) -> RegisteredModelDetails:
        """One model, with its latest version in each stage."""
        return self._model(self.registry.at(), name)

    def get_registered_model_details(self, name: str) -> RegisteredModelDetails:
        """The first release's name of ``get_registered_model``."""
        return self.get_registered_model(name)

    def list_registered_models(self) -> list[RegisteredModelDetails]:
        """All models, by name."""
        view = self.registry.at()
        return [self._model(view, state.name) for state in view.models()]

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModelDetails]:
        """A page of the models that a filter leaves, by name unless ``order_by`` says otherwise."""
        page = self.registry.search_models(
            filter_string or "", order_by or (), max_results=max_results, page_token=page_token
        )
        view = self.registry.at(page.commit)
        return PagedList((self._model(view, model.name) for model in page.models), page.next_page_token)

    def set_registered_model_tag(self, name: str, key: str, value: object) -> None:
        """Set a tag."""
        self.registry.apply(requests.Tag(name=name, put={key: str(value)}))

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag; a missing one is no error."""
        self.registry.apply(requests.Tag(name=name, remove=(key,)))

    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Point an alias at a version."""
        self.registry.apply(requests.SetAlias(name=name, alias=alias, selector=_number(version)))

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias; a missing one is no error."""
        self.registry.apply(requests.RemoveAlias(name=name, alias=alias))

    # Model versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, str] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        *,
        model_id: str | None = None,
    ) -> ModelVersionDetails:
        """Register the next version of a model that exists, with its source exactly as given."""
        self.registry.at().model(name)
        origin = Origin(source=source, run_id=run_id, run_link=run_link, model_id=model_id)
        request = requests.Register(
            name=name, origin=origin, tags=_texts(tags), description=description or ""
        )
        made = self.registry.apply(request).versions(name)
        return self.get_model_version(name, max(made))

    def get_model_version(self, name: str, version: int | str) -> ModelVersionDetails:
        """One version."""
        return self._details(self.registry.at(), name, _number(version))

    def get_model_version_details(self, name: str, version: int | str) -> ModelVersionDetails:
        """The first release's name of ``get_model_version``."""
        return self.get_model_version(name, version)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersionDetails:
        """The version that an alias points to."""
        return self._details(self.registry.at(), name, references.Selector(kind="alias", text=alias))

    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where the version's artifact is."""
        return self.get_model_version(name, version).source

    def get_model_version_stages(self, name: str, version: int | str) -> list[str]:
        """The stages that a version can be moved to."""
        self.get_model_version(name, version)
        return [NO_STAGE, *(stage.name for stage in self.registry.settings.stages)]

    def get_latest_versions(
        self, name: str, stages: Sequence[str] | None = None
    ) -> list[ModelVersionDetails]:
        """The highest version in each stage; without ``stages``: one for each stage that is held."""
        view = self.registry.at()
        view.model(name)
        state = view.state(name)
        wanted = list(stages or []) or [NO_STAGE, *(stage.name for stage in view.settings.stages)]
        found = []
        for stage in wanted:
            version = references.in_stage(state, stage, view.settings)
            if version is not None:
                found.append(version_details(version, state, view.settings, asked=stage))
        return found

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersionDetails]:
        """A page of the versions that a filter leaves, the last updated first without ``order_by``."""
        page = self.registry.search(
            filter_string or "", order_by or (), max_results=max_results, page_token=page_token
        )
        view = self.registry.at(page.commit)
        settings = view.settings
        states = {name: view.state(name) for name in {version.name for version in page.versions}}
        found = (version_details(version, states[version.name], settings) for version in page.versions)
        return PagedList(found, page.next_page_token)

    def update_model_version(
        self, name: str, version: int | str, description: str | None = None, stage: str | None = None
    ) -> ModelVersionDetails:
        """Set the description, and the stage as MLflow's first release did, in one commit."""
        selector = _number(version)
        asked: list[requests.Request] = []
        if description is not None:
            asked.append(requests.UpdateVersion(name=name, selector=selector, description=description))
        if stage is not None:
            asked.append(requests.Transition(name=name, selector=selector, stage=stage))
        if asked:
            self.registry.apply(*asked)
        return self.get_model_version(name, version)

    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersionDetails:
        """Make a version hold ``stage`` alone."""
        request = requests.Transition(
            name=name, selector=_number(version), stage=stage, archive_existing=archive_existing_versions
        )
        self.registry.apply(request)
        return self._details(self.registry.at(), name, _number(version), asked=stage)

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete a version; its number is never used again."""
        self.registry.apply(requests.DeleteVersion(name=name, selector=_number(version)))

    def set_model_version_tag(
        self, name: str, version: int | str | None = None, key: str = "", value: object = "", stage: str = ""
    ) -> None:
        """Set a tag of a version, named by number or by stage."""
        selector = self._selected(name, version, stage)
        self.registry.apply(requests.Tag(name=name, selector=selector, put={key: str(value)}))

    def delete_model_version_tag(
        self, name: str, version: int | str | None = None, key: str = "", stage: str = ""
    ) -> None:
        """Remove a tag of a version, named by number or by stage."""
        selector = self._selected(name, version, stage)
        self.registry.apply(requests.Tag(name=name, selector=selector, remove=(key,)))

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersionDetails:
        """Register a version again under another name, with the first one as its parent."""
        source = self.registry.version(src_model_uri)
        parent = f"{references.PREFIX}{source.name}/{source.version}"
        origin = Origin(
            source=parent, run_id=source.run_id, parents=(parent,), artifact=source.origin.artifact
        )
        request = requests.Register(
            name=dst_name, origin=origin, tags=source.tags, description=source.description
        )
        made = self.registry.apply(request).versions(dst_name)
        return self.get_model_version(dst_name, max(made))

    def _selected(self, name: str, version: int | str | None, stage: str) -> references.Selector:
        if (version is None) == (not stage):
            raise InvalidInput("name the version by its number or by its stage", where="version")
        return references.Selector(kind="stage", text=stage) if version is None else _number(version)

    def _details(
        self, view: View, name: str, selector: references.Selector, asked: str = ""
    ) -> ModelVersionDetails:
        view.model(name)
        state = view.state(name)
        version = references.select(state, selector, view.settings)
        return version_details(version, state, view.settings, asked=asked)

    def _model(self, view: View, name: str) -> RegisteredModelDetails:
        model = view.model(name)
        state = view.state(name)
        stages = [NO_STAGE, *(stage.name for stage in view.settings.stages)]
        latest = [
            version_details(version, state, view.settings, asked=stage)
            for stage in stages
            if (version := references.in_stage(state, stage, view.settings))
        ]
        return model_details(model, updated(view, name), latest)


def register_model(
    model_uri: str,
    name: str,
    *,
    tags: Mapping[str, str] | None = None,
    registry: Registry | str | os.PathLike[str] | None = None,
    await_registration_for: int | None = None,
) -> ModelVersionDetails:
    """Register a version of ``name`` from ``model_uri`` (``mlflow.register_model``).

    Args:
        model_uri: ``runs:/RUN_ID/PATH``, a local folder or any URI.
        name: The registered model; created when it is new.
        tags: Tags of the version.
        registry: An open registry or its path; None: ``GITREG_REGISTRY`` or the current folder.
        await_registration_for: Taken for MLflow's sake: a registration is done when the call returns.
    """
    client = Client(registry)
    made = client.registry.register(name, model_uri, tags=_texts(tags))
    return client.get_model_version(name, made.version)


def _number(version: int | str) -> references.Selector:
    return references.version_selector(names.parse_version(str(version)))


def _texts(tags: Mapping[str, object] | None) -> dict[str, str]:
    return {key: str(value) for key, value in (tags or {}).items()}
