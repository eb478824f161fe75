"""What MLflow's tracking store knows about a run or logged model, as the origin of a version."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.artifacts.folder import Progress
from gitreg.artifacts.stored import Found, look_at
from gitreg.artifacts.tracking import (
    CannotLook,
    TrackingStore,
    configured_store,
    open_store,
)
from gitreg.artifacts.uris import without_secrets
from gitreg.domain.model import Artifact, Code, Dataset, Origin

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Metric, Run
    from mlflow.tracking import MlflowClient

_RUN_URI = re.compile(r"runs:/(?P<run>[A-Za-z0-9][\w-]{0,255})(?:/+(?P<path>[^?#]*))?")
_LOGGED_MODEL_URI = re.compile(r"models:/+(?P<model>m-[A-Za-z0-9]+)/?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What to look up: ``path`` is the artifact's inside the run, None where the source says it itself."""

    source: str
    run_id: str | None = None
    path: str | None = None
    model_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Session:
    client: MlflowClient
    store: TrackingStore
    progress: Progress | None


def look_up(
    source: str,
    *,
    run_id: str | None = None,
    env: Mapping[str, str],
    cwd: Path,
    progress: Progress | None = None,
) -> tuple[Origin | None, tuple[str, ...]]:
    """Read from MLflow what it knows about the run or logged model that made ``source``.

    Reads ``runs:/RUN_ID/PATH`` and ``models:/m-…``, and any source whose ``run_id`` is given; talks
    to the configured tracking store alone, changes nothing there, creates nothing here.

    Args:
        source: The URI to be registered.
        run_id: The run that made it, where the URI does not say.
        env: Where ``MLFLOW_TRACKING_URI`` is looked for; credentials are the process's own.
        cwd: Where ``mlruns`` and ``mlflow.db`` are looked for.
        progress: Called while a local artifact is hashed.

    Returns:
        The origin, or None where nothing could be learnt, with warnings that say why and what to
        do. ``(None, ())``: the source names no run.
    """
    target = _target(source, run_id)
    if target is None:
        reason = "only runs:/RUN_ID/PATH can be"
        return None, (_not_looked_up(source, reason),) if source.startswith("runs:") else ()
    store = configured_store(env=env, cwd=cwd)
    if store is None:
        named = source.startswith(("runs:", "models:"))
        reason = "no MLflow tracking store is configured; set MLFLOW_TRACKING_URI"
        return None, (_not_looked_up(source, reason),) if named else ()
    try:
        with open_store(store) as client:
            return _read(target, _Session(client=client, store=store, progress=progress))
    except CannotLook as error:
        return None, (_not_looked_up(source, str(error)),)
    except Exception as error:  # noqa: BLE001 - MLflow passes on whatever its drivers and plug-ins raise
        lines = str(error).splitlines() or [type(error).__name__]
        reason = f"{without_secrets(lines[0])[:300]} (tracking store {without_secrets(store.uri)})"
        return None, (_not_looked_up(source, reason),)


def _not_looked_up(source: str, reason: str) -> str:
    return f"{source} is registered as given, without what MLflow knows about it: {reason}"


def _target(source: str, run_id: str | None) -> _Target | None:
    run = _RUN_URI.fullmatch(source)
    if run:
        return _Target(source=source, run_id=run["run"], path=(run["path"] or "").strip("/"))
    logged = _LOGGED_MODEL_URI.fullmatch(source)
    if logged:
        return _Target(source=source, model_id=logged["model"])
    return _Target(source=source, run_id=run_id) if run_id else None


def _read(target: _Target, session: _Session) -> tuple[Origin, tuple[str, ...]]:
    run = session.client.get_run(target.run_id) if target.run_id else None
    logged = _logged_model(target, run, session.client)
    if run is None and logged and logged.source_run_id:
        run = session.client.get_run(logged.source_run_id)
    found = _artifact(target, run, logged, session)
    experiment_id = run.info.experiment_id if run else logged.experiment_id if logged else None
    experiment = session.client.get_experiment(experiment_id) if experiment_id else None
    return replace(
        told_by(target.source, run, logged, by_id=bool(target.model_id)),
        run_link=_run_link(session.store, run),
        experiment=experiment.name if experiment else None,
        model_id=logged.model_id if logged else found.model_id,
        artifact=found.artifact,
    ), found.warnings


def told_by(source: str, run: Run | None, logged: LoggedModel | None, *, by_id: bool = False) -> Origin:
    """What a run and a logged model of MLflow's tell of a version that came from them.

    Args:
        source: What is registered.
        run: The run that made it; None: none is known.
        logged: The logged model that it is; None: none is known.
        by_id: Whether the logged model was asked for: a run may have logged many, and its own results count.
    """
    tags = {**(logged.tags if logged else {}), **(run.data.tags if run else {})}
    return Origin(
        source=source,
        run_id=run.info.run_id if run else None,
        model_id=logged.model_id if logged else None,
        code=code_of(tags),
        datasets=_datasets(run),
        params={**(logged.params or {} if logged else {}), **(run.data.params if run else {})},
        metrics=_metrics(run, logged, by_id=by_id),
    )


def _logged_model(target: _Target, run: Run | None, client: MlflowClient) -> LoggedModel | None:
    """MLflow 3's logged model behind the target: by its id, or by run and name, the newest first."""
    if target.model_id:
        if not hasattr(client, "get_logged_model"):
            raise CannotLook("the installed MLflow knows no logged models; install MLflow 3")
        return client.get_logged_model(target.model_id)
    if run is None or not target.path or not hasattr(client, "search_logged_models"):
        return None
    name = target.path.split("/")[0]
    token = None
    while True:
        page = client.search_logged_models(
            experiment_ids=[run.info.experiment_id],
            filter_string=f"source_run_id = '{run.info.run_id}'",
            page_token=token,
        )
        # Two models of a run may have one name: MLflow loads the newest, and lists it first.
        found = next((model for model in page if model.name == name), None)
        token = page.token
        if found or not token:
            return found


def _run_link(store: TrackingStore, run: Run | None) -> str | None:
    if run is None or not store.web_address:
        return None
    return f"{store.web_address}/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}"


def _metrics(run: Run | None, logged: LoggedModel | None, *, by_id: bool) -> dict[str, float]:
    of_run = {key: unclamped(value) for key, value in run.data.metrics.items()} if run else {}
    of_model = _latest(logged.metrics or []) if logged else {}
    # MLflow's SQL store gives a logged model's NaN back as 0.0, the run's as NaN.
    of_model.update({key: math.nan for key in of_model if math.isnan(of_run.get(key, 0.0))})
    return {**of_run, **of_model} if by_id else {**of_model, **of_run}


def _latest(metrics: Iterable[Metric]) -> dict[str, float]:
    return {m.key: unclamped(m.value) for m in sorted(metrics, key=lambda m: (m.step, m.timestamp))}


def unclamped(value: float) -> float:
    """A metric as it was logged: MLflow's SQL store keeps an infinity as the largest float."""
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else float(value)


def _datasets(run: Run | None) -> tuple[Dataset, ...]:
    inputs = run.inputs.dataset_inputs if run and run.inputs else []
    found = [
        Dataset(
            name=each.dataset.name,
            uri=dataset_uri(each.dataset.source),
            digest=each.dataset.digest or None,
        )
        for each in inputs
    ]
    return tuple(dict.fromkeys(found))


def dataset_uri(source: str | None) -> str | None:
    """Where a data set lies, of the JSON that MLflow keeps of it."""
    try:
        fields = json.loads(source or "")
    except ValueError:
        return None
    names = ("uri", "url", "path", "delta_table_name", "table_name")
    values = [fields[name] for name in names if fields.get(name)] if isinstance(fields, dict) else []
    return without_secrets(values[0]) if values and isinstance(values[0], str) else None


def code_of(tags: Mapping[str, str]) -> Code | None:
    """The code that a run came from, by MLflow's own tags."""
    repository = tags.get("mlflow.source.git.repoURL")
    dirty = tags.get("mlflow.source.git.dirty", "").lower()
    code = Code(
        repository=without_secrets(repository) if repository else None,
        commit=tags.get("mlflow.source.git.commit"),
        path=without_secrets(tags["mlflow.source.name"]) if "mlflow.source.name" in tags else None,
        dirty={"true": True, "false": False}.get(dirty),
    )
    return code if code != Code() else None


def _artifact(target: _Target, run: Run | None, logged: LoggedModel | None, session: _Session) -> Found:
    uri = _artifact_uri(target, run, logged)
    if uri is None:
        return Found()
    found = look_at(uri, tracking_uri=session.store.uri, progress=session.progress)
    # A server's artifact folder is its own; the one of a store on this machine should be here.
    if found.artifact is None and session.store.web_address is None and uri.startswith(("/", "file:")):
        warning = f"{target.source}: there is no artifact at {uri}; look at what the run logged"
        found = replace(found, warnings=(*found.warnings, warning))
    elsewhere = None if uri == target.source else uri
    return replace(found, artifact=replace(found.artifact or Artifact(), uri=elsewhere))


def _artifact_uri(target: _Target, run: Run | None, logged: LoggedModel | None) -> str | None:
    if logged:
        start, inside = logged.artifact_location, (target.path or "").partition("/")[2]
    elif run and target.path is not None:
        start, inside = run.info.artifact_uri, target.path
    else:
        return target.source if target.source.startswith("mlflow-artifacts:") else None
    address, mark, query = start.partition("?")
    return without_secrets(f"{address}/{inside}".rstrip("/") + mark + query)
