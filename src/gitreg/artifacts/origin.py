"""The one entry: what can be said of a version's origin, given the source that was named."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from gitreg.artifacts.folder import Progress
from gitreg.artifacts.runs import look_up
from gitreg.artifacts.stored import local_artifact
from gitreg.artifacts.uris import check_source, has_scheme, local_path
from gitreg.domain.model import Code, Dataset, Origin
from gitreg.domain.names import shown
from gitreg.errors import InvalidInput

_RUN = re.compile(r"runs:/([A-Za-z0-9][\w-]{0,255})/")  # MLflow's rule for the ids of runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """The origin of a version, and what the user should be told about it."""

    origin: Origin
    warnings: tuple[str, ...] = ()


def as_given(source: str) -> Description:
    """The origin of a source that must not be looked at, as services take it from other machines.

    Raises:
        InvalidInput: The source itself is refused (``uris.check_source``).
    """
    return Description(origin=Origin(source=source), warnings=check_source(source))


def describe(
    source: str,
    *,
    env: Mapping[str, str],
    cwd: Path,
    run_id: str | None = None,
    progress: Progress | None = None,
) -> Description:
    """Describe what ``source`` names, as far as this machine and the tracking store can tell.

    - A local file or folder that exists (a path, or a ``file:`` URI): digest, size, files, MLmodel.
      A path is registered as an absolute ``file:`` URI, links resolved: the registry is read from
      elsewhere, where a relative path would mean something else.
    - ``runs:/RUN_ID/PATH``, ``models:/m-…``, or any source with a ``run_id``: what MLflow knows.
    - Everything else: as given. No request is ever made for it.

    Args:
        source: What the user named.
        env: Where ``MLFLOW_TRACKING_URI`` is looked for.
        cwd: Where relative paths begin.
        run_id: The run that made it, where the source does not say.
        progress: Called with bytes done and bytes in all while files are hashed.

    Raises:
        InvalidInput: The source is refused, or the folder holds what can't be registered.
        EnvironmentFailure: A file can't be read.
    """
    warnings = list(check_source(source))
    if source.startswith("runs:") and not source.removeprefix("runs:").strip("/"):
        raise InvalidInput(f"{shown(source)} names no run", where="source", hint="runs:/RUN_ID/PATH")
    named = _RUN.match(source)
    origin = Origin(source=source, run_id=run_id or (named[1] if named else None))
    path = local_path(source, cwd=cwd)
    if path is not None and os.path.lexists(path):
        origin, more = _local(source, path, run_id, progress)
        warnings += more
    elif path is not None and not has_scheme(source):
        raise InvalidInput(
            f"there is no file or folder {shown(source)} here, and it is no URI",
            where="source",
            hint="name a file, a folder or a URI; --no-look-up takes any text as it is",
        )
    elif path is not None:
        warnings.append(f"{shown(source)} is registered as given: there is no such file or folder here")
    if origin.run_id or path is None:
        looked_up, more = look_up(origin.source, run_id=origin.run_id, env=env, cwd=cwd, progress=progress)
        warnings += more
        origin = _joined(origin, looked_up)
    return Description(origin=origin, warnings=tuple(warnings))


def _local(
    source: str, path: Path, run_id: str | None, progress: Progress | None
) -> tuple[Origin, tuple[str, ...]]:
    found = local_artifact(path, progress=progress)
    uri = source if has_scheme(source) else Path(os.path.realpath(path)).as_uri()
    origin = Origin(
        source=uri,
        run_id=run_id or found.run_id,
        model_id=found.model_id,
        artifact=found.artifact,
    )
    return origin, found.warnings


def _joined(origin: Origin, looked_up: Origin | None) -> Origin:
    if looked_up is None:
        return origin
    return replace(
        looked_up,
        model_id=looked_up.model_id or origin.model_id,
        artifact=origin.artifact or looked_up.artifact,
    )


def merge(
    origin: Origin,
    *,
    run_id: str | None = None,
    run_link: str | None = None,
    experiment: str | None = None,
    model_id: str | None = None,
    code: Code | None = None,
    datasets: Iterable[Dataset] = (),
    parents: Iterable[str] = (),
    params: Mapping[str, str] | None = None,
    metrics: Mapping[str, float] | None = None,
) -> Origin:
    """``origin`` with the values that the user gave; they win over those that were looked up.

    Params and metrics are joined key by key, data sets name by name, parents added; None and empty
    mean that nothing was given.
    """
    given = tuple(datasets)
    named = {dataset.name for dataset in given}
    kept = tuple(dataset for dataset in origin.datasets if dataset.name not in named)
    return replace(
        origin,
        run_id=run_id or origin.run_id,
        run_link=run_link or origin.run_link,
        experiment=experiment or origin.experiment,
        model_id=model_id or origin.model_id,
        code=code or origin.code,
        datasets=(*kept, *given),
        parents=tuple(dict.fromkeys((*origin.parents, *parents))),
        params={**origin.params, **(params or {})},
        metrics={**origin.metrics, **(metrics or {})},
    )
