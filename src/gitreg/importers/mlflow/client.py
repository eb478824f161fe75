"""Any MLflow store, read through MLflow's own client: servers, folders, and what else MLflow knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from gitreg.artifacts.runs import code_of, dataset_uri, unclamped
from gitreg.domain.model import Dataset
from gitreg.importers.mlflow.place import Place
from gitreg.importers.mlflow.values import (
    NO_STAGE,
    PROMPT_TAG,
    LoggedFacts,
    RunFacts,
    SourceModel,
    SourceVersion,
)

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

_PROMPTS = f"tags.`{PROMPT_TAG}` = 'true'"
_MODELS = 500
_VERSIONS = 1_000
_RUNS = 100  # ids in one filter: what a server takes in one request
_ALL_AT_ONCE = 200_000  # MLflow's own limit
_PLAIN = re.compile(r"[\w .@+-]+")


def client_of(registry: Place, tracking: Place) -> MlflowClient:
    """MLflow's client for two stores, which may be the same."""
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=tracking.uri, registry_uri=registry.uri)


class ClientListing:
    """The registry of an MLflow store.

    Args:
        client: MLflow's client.
        place: Where the registry is.
        wanted: Which models to read.
    """

    def __init__(self, client: MlflowClient, place: Place, wanted: Callable[[str], bool]) -> None:
        self._client = client
        self._in_files = place.folder is not None
        self._wanted = wanted
        self._listed: Iterator[tuple[str, Iterator[Any]]] | None = None

    def totals(self) -> tuple[int, int] | None:
        """Unknown: only reading all would tell."""
        return None

    def models(self) -> Iterator[SourceModel]:
        """The models that are wanted, by name, then the prompts."""
        for filter_string in (None, _PROMPTS):
            self._listed = None
            for found in self._found(filter_string):
                if self._wanted(found.name):
                    # MLflow's entities hide the tag that makes a prompt of a model.
                    yield _model(found, {PROMPT_TAG: "true"} if filter_string else {})

    def _found(self, filter_string: str | None) -> Iterator[Any]:
        return self._pages(
            lambda token: self._client.search_registered_models(
                filter_string=filter_string, max_results=_MODELS, order_by=["name ASC"], page_token=token
            )
        )

    def versions(self, model: SourceModel) -> Iterator[SourceVersion]:
        """The versions of a model that are not deleted, lowest number first."""
        found = self._among_all(model) if self._in_files else self._searched(model)
        return (_version(version) for version in found if version.name == model.name)

    def _searched(self, model: SourceModel) -> Iterator[Any]:
        filter_string = _named(model.name) + (f" AND {_PROMPTS}" if model.prompt else "")
        return self._pages(
            lambda token: self._client.search_model_versions(
                filter_string=filter_string,
                max_results=_VERSIONS,
                order_by=["version_number ASC"],
                page_token=token,
            )
        )

    def _among_all(self, model: SourceModel) -> Iterator[Any]:
        """MLflow reads all files of a folder for each question: one is asked for all models."""
        if self._listed is None:
            found = self._pages(
                lambda token: self._client.search_model_versions(
                    filter_string=_PROMPTS if model.prompt else None,
                    max_results=_ALL_AT_ONCE,
                    order_by=["name ASC", "version_number ASC"],
                    page_token=token,
                )
            )
            self._listed = iter([(name, iter(list(each))) for name, each in groupby(found, lambda v: v.name)])
            self._by_name = dict(self._listed)
        return self._by_name.pop(model.name, iter(()))

    @staticmethod
    def _pages(ask: Callable[[str | None], Any]) -> Iterator[Any]:
        token = None
        while True:
            page = ask(token)
            yield from page
            token = page.token
            if not token:
                return


class ClientRuns:
    """The tracking half of an MLflow store.

    Args:
        client: MLflow's client.
        place: Where the runs are.
    """

    def __init__(self, client: MlflowClient, place: Place) -> None:
        self._client = client
        # In a folder, MLflow reads every run for each search.
        self._searching = place.folder is None
        self._experiments: dict[str, str | None] = {}

    def runs(self, ids: Sequence[str]) -> dict[str, RunFacts]:
        """Those of some runs that are there, in the trash or not."""
        found: dict[str, RunFacts] = {}
        if self._searching:
            for start in range(0, len(ids), _RUNS):
                found |= self._search(ids[start : start + _RUNS])
        for run_id in ids:
            if run_id not in found and not self._searching:
                run = _or_none(self._client.get_run, run_id)
                if run is not None:
                    found[run_id] = self._facts(run)
        return found

    def _search(self, ids: Sequence[str]) -> dict[str, RunFacts]:
        from mlflow.entities import ViewType

        plain = [run_id for run_id in ids if run_id.isalnum()]
        if not plain:
            return {}
        listed = ", ".join(f"'{run_id}'" for run_id in plain)
        runs = self._client.search_runs(
            self._all_experiments(),
            filter_string=f"attributes.run_id IN ({listed})",
            run_view_type=ViewType.ALL,
            max_results=len(plain),
        )
        return {run.info.run_id: self._facts(run) for run in runs}

    def _all_experiments(self) -> list[str]:
        from mlflow.entities import ViewType

        if not self._experiments:
            token = None
            while True:
                page = self._client.search_experiments(
                    view_type=ViewType.ALL, max_results=1_000, page_token=token
                )
                self._experiments |= {one.experiment_id: one.name for one in page}
                token = page.token
                if not token:
                    break
        return list(self._experiments)

    def _facts(self, run: Run) -> RunFacts:
        number = run.info.experiment_id
        if number not in self._experiments:
            experiment = _or_none(self._client.get_experiment, number)
            self._experiments[number] = experiment.name if experiment else None
        return RunFacts(
            run_id=run.info.run_id,
            experiment=self._experiments[number],
            params=dict(run.data.params),
            metrics={key: unclamped(value) for key, value in run.data.metrics.items()},
            code=code_of(run.data.tags),
            datasets=_datasets(run),
        )

    def logged_models(self, ids: Sequence[str]) -> dict[str, LoggedFacts]:
        """Those of some logged models that are there."""
        if not hasattr(self._client, "get_logged_model"):
            return {}
        found = {}
        for model_id in ids:
            logged = _or_none(self._client.get_logged_model, model_id)
            if logged is not None:
                metrics = sorted(logged.metrics or [], key=lambda one: (one.step, one.timestamp))
                found[model_id] = LoggedFacts(
                    model_id=model_id,
                    run_id=logged.source_run_id or None,
                    params=dict(logged.params or {}),
                    metrics={one.key: unclamped(one.value) for one in metrics},
                )
        return found


def _or_none(ask: Callable[[str], Any], what: str) -> Any:
    """What MLflow answers; None where it says that there is no such thing."""
    from mlflow.exceptions import MlflowException

    try:
        return ask(what)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE", "ENDPOINT_NOT_FOUND"):
            return None
        raise


def _named(name: str) -> str:
    """A filter that finds at least the versions of the model ``name``: MLflow's grammar escapes no quotes."""
    if _PLAIN.fullmatch(name):
        return f"name = '{name}'"
    pattern = "".join(char if char.isalnum() or char in " .@+-" else "_" for char in name)
    return f"name LIKE '{pattern}'"


def _model(found: Any, hidden: dict[str, str]) -> SourceModel:
    return SourceModel(
        name=found.name,
        created=found.creation_timestamp or 0,
        updated=found.last_updated_timestamp or found.creation_timestamp or 0,
        description=found.description or "",
        tags={key: value or "" for key, value in found.tags.items()} | hidden,
        aliases={alias: int(version) for alias, version in found.aliases.items()},
    )


def _version(found: Any) -> SourceVersion:
    return SourceVersion(
        number=int(found.version),
        created=found.creation_timestamp or 0,
        updated=found.last_updated_timestamp or found.creation_timestamp or 0,
        source=found.source or "",
        run_id=found.run_id or None,
        run_link=found.run_link or None,
        model_id=getattr(found, "model_id", None) or None,
        user_id=found.user_id or None,
        stage=found.current_stage or NO_STAGE,
        status=found.status or "READY",
        status_message=found.status_message or "",
        description=found.description or "",
        tags={key: value or "" for key, value in found.tags.items()},
    )


def _datasets(run: Run) -> tuple[Dataset, ...]:
    found = [
        Dataset(
            name=each.dataset.name,
            uri=dataset_uri(each.dataset.source),
            digest=each.dataset.digest or None,
        )
        for each in (run.inputs.dataset_inputs if run.inputs else [])
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.name, one.digest or "")))
