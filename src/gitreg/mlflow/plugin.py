"""The store plugin: ``mlflow.set_registry_uri("gitreg+file:///path/to/registry")``.

Only public names of MLflow are imported, those that MLflow 2.22 and 3.x share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from mlflow.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)
from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.model_registry.abstract_store import AbstractStore
from mlflow.utils.search_utils import SearchModelUtils, SearchModelVersionUtils

from gitreg.domain.settings import NO_STAGE, Settings
from gitreg.mlflow.caller import caller
from gitreg.mlflow.errors import MlflowError
from gitreg.mlflow.facade import Facade
from gitreg.mlflow.grammar import Condition, Kind, Value
from gitreg.mlflow.looking import Maker
from gitreg.mlflow.origins import Tracking
from gitreg.mlflow.reads import MODELS_PAGE, VERSIONS_PAGE
from gitreg.mlflow.store_uri import read as read_uri
from gitreg.mlflow.values import milliseconds, version_details
from gitreg.mlflow.webhooks import Webhooks
from gitreg.registry.entities import ModelVersionDetails, RegisteredModelDetails


def open_store(store_uri: str, tracking_uri: str | None = None) -> GitregStore:
    """The entry point that MLflow calls for the schemes ``gitreg`` and ``gitreg+file``.

    Args:
        store_uri: ``gitreg+file:///path``; ``?at=2026-01-15`` reads the past, ``?propose=1`` proposes what
            the rules refuse.
        tracking_uri: Where runs and logged models are.

    Raises:
        MlflowException: The URI is none of ours, or there is no registry.
    """
    return GitregStore(store_uri, tracking_uri)


class GitregStore(Webhooks, AbstractStore):  # type: ignore[misc]
    """MLflow's registry store over a registry of ours; see ``Facade`` for what each method does.

    Args:
        store_uri: See ``open_store``.
        tracking_uri: See ``open_store``.
        facade: Takes the place of the one that ``store_uri`` tells.
    """

    def __init__(
        self, store_uri: str, tracking_uri: str | None = None, *, facade: Facade | None = None
    ) -> None:
        super().__init__(store_uri, tracking_uri)
        self.facade = facade or _facade(store_uri)
        self._tracking = Tracking(tracking_uri)
        with _as_mlflow(), self.facade.registry():
            pass  # says at once that there is no registry

    def webhook_file(self) -> Path:
        """Where webhooks are kept."""
        with self.facade.registry() as registry:
            return registry.store.repository.state_dir / "webhooks.db"

    # Registered models

    def create_registered_model(
        self,
        name: str,
        tags: Sequence[RegisteredModelTag] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        """Create a model; ``deployment_job_id`` is Databricks' alone."""
        with _as_mlflow():
            return _model(self.facade.create_registered_model(name, _pairs(tags), description))

    def update_registered_model(
        self, name: str, description: str | None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        """Set the description."""
        with _as_mlflow():
            return _model(self.facade.update_registered_model(name, description))

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Give a model another name."""
        with _as_mlflow():
            return _model(self.facade.rename_registered_model(name, new_name))

    def delete_registered_model(self, name: str) -> None:
        """Delete a model with its versions."""
        with _as_mlflow():
            self.facade.delete_registered_model(name)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = MODELS_PAGE,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """A page of models."""
        with _as_mlflow():
            found = self.facade.search_registered_models(filter_string, max_results, order_by, page_token)
            return PagedList([_model(each) for each in found], found.token)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """One model."""
        with _as_mlflow():
            return _model(self.facade.get_registered_model(name))

    def get_latest_versions(self, name: str, stages: Sequence[str] | None = None) -> list[ModelVersion]:
        """The highest version in each stage."""
        with _as_mlflow():
            return _versions(self.facade.get_latest_versions(name, stages))

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Set a tag of a model."""
        with _as_mlflow():
            self.facade.set_registered_model_tag(name, tag.key, tag.value)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Remove a tag of a model."""
        with _as_mlflow():
            self.facade.delete_registered_model_tag(name, key)

    def set_registered_model_alias(self, name: str, alias: str, version: int | str) -> None:
        """Point an alias at a version."""
        with _as_mlflow():
            self.facade.set_registered_model_alias(name, alias, version)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Remove an alias."""
        with _as_mlflow():
            self.facade.delete_registered_model_alias(name, alias)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        """The version that an alias points to."""
        with _as_mlflow():
            return _version(self.facade.get_model_version_by_alias(name, alias))

    # Model versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Sequence[ModelVersionTag] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        local_model_path: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Register the next version; what the run logged comes along into its manifest."""
        with _as_mlflow():
            logged_id = _logged_model_in(source)
            logged = self._logged(source, logged_id) if logged_id else None
            if logged is None and model_id and not run_id:
                logged = self._tracking.logged_model(model_id)
            run = run_id or (logged.source_run_id if logged else None)
            return _version(
                self.facade.create_model_version(
                    name,
                    source,
                    run,
                    _pairs(tags),
                    run_link,
                    description,
                    model_id or logged_id,
                    artifact_uri=logged.artifact_location if logged and logged_id else None,
                    known=self._tracking.origin(source, run, logged),
                )
            )

    def _logged(self, source: str, model_id: str) -> Any:
        try:
            return self._tracking.logged_model(model_id)
        except Exception as error:
            raise MlflowException(
                f"Unable to fetch model from model URI source artifact location '{source}'.Error: {error}"
            ) from error

    def update_model_version(
        self, name: str, version: int | str, description: str | None = None
    ) -> ModelVersion:
        """Set the description of a version."""
        with _as_mlflow():
            return _version(self.facade.update_model_version(name, version, description))

    def transition_model_version_stage(
        self, name: str, version: int | str, stage: str, archive_existing_versions: bool
    ) -> ModelVersion:
        """Make a version hold a stage alone."""
        with _as_mlflow():
            return _version(
                self.facade.transition_model_version_stage(name, version, stage, archive_existing_versions)
            )

    def delete_model_version(self, name: str, version: int | str) -> None:
        """Delete a version."""
        with _as_mlflow():
            self.facade.delete_model_version(name, version)

    def get_model_version(self, name: str, version: int | str) -> ModelVersion:
        """One version."""
        with _as_mlflow():
            return _version(self.facade.get_model_version(name, version))

    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where a version's files lie."""
        with _as_mlflow():
            return self.facade.get_model_version_download_uri(name, version)

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = VERSIONS_PAGE,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """A page of versions."""
        with _as_mlflow():
            found = self.facade.page_of_versions(_maker(), filter_string, max_results, order_by, page_token)
            return PagedList(found, found.token)

    def set_model_version_tag(self, name: str, version: int | str, tag: ModelVersionTag) -> None:
        """Set a tag of a version."""
        with _as_mlflow():
            self.facade.set_model_version_tag(name, version, tag.key, tag.value)

    def delete_model_version_tag(self, name: str, version: int | str, key: str) -> None:
        """Remove a tag of a version."""
        with _as_mlflow():
            self.facade.delete_model_version_tag(name, version, key)

    def _await_model_version_creation(self, mv: ModelVersion, await_creation_for: int) -> None:
        """A registration is done when its call returns."""


def _facade(store_uri: str) -> Facade:
    """The facade that a store URI tells.

    Raises:
        MlflowException: INVALID_PARAMETER_VALUE: the URI is none of ours.
    """
    with _as_mlflow():
        uri = read_uri(store_uri)
    return Facade(uri.place, at=uri.at, propose=uri.propose, parse=_parse, caller=caller)


@lru_cache(512)  # most programs ask the same again, and to parse takes longer than to search
def _parse(text: str, kind: Kind) -> list[Condition]:
    """A filter, read by MLflow's own parser: what it takes and what it says is MLflow's to the letter."""
    parser = SearchModelUtils if kind == "models" else SearchModelVersionUtils
    try:
        parsed = parser.parse_search_filter(text)
    except ValueError as error:  # MLflow 3 at IS NULL
        raise MlflowException(
            f"Invalid filter '{text}': {error}", databricks_pb2.INVALID_PARAMETER_VALUE
        ) from error
    return [
        Condition(each["type"], each["key"], each["comparator"], _value(each["value"])) for each in parsed
    ]


def _value(value: Any) -> Value:
    return tuple(value) if isinstance(value, list) else value  # MLflow 2 gives a list of run ids


@contextmanager
def _as_mlflow() -> Iterator[None]:
    """The facade's errors as MLflow's exception."""
    try:
        yield
    except MlflowError as error:
        raise MlflowException(error.message, _code(error.code)) from error


def _code(name: str) -> int:
    known = dict(databricks_pb2.ErrorCode.items())
    return int(known.get(name, databricks_pb2.INTERNAL_ERROR))


def _logged_model_in(source: str) -> str | None:
    """The logged model that ``models:/m-…`` names."""
    if not str(source).startswith("models:/"):
        return None
    rest = source.removeprefix("models:/").strip("/")
    return rest if rest and "/" not in rest and "@" not in rest else None


def _pairs(tags: Iterable[Any] | None) -> list[tuple[str, str]]:
    return [(tag.key, tag.value) for tag in tags or ()]


def _versions(found: Iterable[ModelVersionDetails]) -> list[ModelVersion]:
    known = _workspace()
    return [_version(each, known) for each in found]


def _workspace() -> dict[str, str]:
    """What all entities made now have in common: MLflow takes long to look it up for each."""
    known = ModelVersion(name="", version="", creation_timestamp=0)
    return {"workspace": known.workspace} if _HAS_WORKSPACE else {}


def _maker() -> Maker[ModelVersion]:
    """Makes versions straight from their manifests: a page may have 200,000."""
    known = _workspace()

    def made(name: str, number: int, data: Mapping[str, Any], settings: Settings) -> ModelVersion:
        if data.get("stages"):
            return _version(version_details(name, number, data, settings), known)
        created, updated = data["created"], data.get("updated")
        at = milliseconds(created)
        return ModelVersion(
            name=name,
            version=number,
            creation_timestamp=at,
            last_updated_timestamp=milliseconds(updated) if updated and updated != created else at,
            description=data.get("description") or None,
            current_stage=NO_STAGE,
            source=data.get("source", ""),
            run_id=data.get("run_id"),
            status=data.get("status", "READY"),
            status_message=data.get("status_message") or None,
            tags=[ModelVersionTag(key, value) for key, value in (data.get("tags") or {}).items()],
            run_link=data.get("run_link"),
            **({"model_id": data.get("model_id")} if _HAS_MODEL_ID else {}),
            **known,
        )

    return made


def _version(found: ModelVersionDetails, known: Mapping[str, str] = MappingProxyType({})) -> ModelVersion:
    return ModelVersion(
        name=found.name,
        version=found.version,
        creation_timestamp=found.creation_timestamp,
        last_updated_timestamp=found.last_updated_timestamp,
        description=found.description or None,
        current_stage=found.current_stage,
        source=found.source,
        run_id=found.run_id,
        status=found.status,
        status_message=found.status_message or None,
        tags=[ModelVersionTag(key, value) for key, value in found.tags.items()],
        run_link=found.run_link,
        aliases=list(found.aliases),
        **({"model_id": found.model_id} if _HAS_MODEL_ID else {}),
        **known,
    )


def _model(found: RegisteredModelDetails) -> RegisteredModel:
    return RegisteredModel(
        name=found.name,
        creation_timestamp=found.creation_timestamp,
        last_updated_timestamp=found.last_updated_timestamp,
        description=found.description or None,
        latest_versions=_versions(found.latest_versions),
        tags=[RegisteredModelTag(key, value) for key, value in found.tags.items()],
        aliases=[RegisteredModelAlias(alias, version) for alias, version in found.aliases.items()],
    )


_HAS_MODEL_ID = hasattr(ModelVersion, "model_id")
_HAS_WORKSPACE = hasattr(ModelVersion, "workspace")
