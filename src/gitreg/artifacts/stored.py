"""An artifact where it is stored: on local disk, or behind an MLflow tracking server."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from gitreg.artifacts.folder import Progress, digest_folder
from gitreg.artifacts.mlmodel import FILE_NAME, MLmodel, read_mlmodel
from gitreg.artifacts.uris import local_path, without_secrets
from gitreg.domain.model import Artifact
from gitreg.errors import GitregError


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was learnt of an artifact.

    Attributes:
        artifact: None where nothing was found. Its ``uri`` is for the caller to set.
        run_id: The run that its MLmodel file names.
        model_id: The logged model that its MLmodel file names.
        warnings: What could not be learnt, and why.
    """

    artifact: Artifact | None = None
    run_id: str | None = None
    model_id: str | None = None
    warnings: tuple[str, ...] = ()


def local_artifact(path: Path, *, progress: Progress | None) -> Found:
    """Digest a local file or model folder and read its MLmodel file, where it has one.

    Raises:
        InvalidInput, EnvironmentFailure: As ``digest_folder`` does.
    """
    digest = digest_folder(path, progress=progress)
    mlmodel, warnings = read_mlmodel(path) if path.is_dir() else (None, ())
    artifact = Artifact(digest=digest.digest, size=digest.size, files=digest.files)
    return _with_mlmodel(Found(artifact=artifact, warnings=warnings), mlmodel)


def look_at(uri: str, *, tracking_uri: str, progress: Progress | None) -> Found:
    """Learn what can be learnt of the artifact at ``uri``, which a tracking store named.

    A local one is digested; of one that the tracking server passes on (``mlflow-artifacts:``) the
    MLmodel file is fetched from there. Any other store is not asked. What fails gives a warning.
    """
    path = local_path(uri, cwd=Path("/")) if uri.startswith(("/", "file:")) else None
    if path is not None:
        try:
            return local_artifact(path, progress=progress) if os.path.exists(path) else Found()
        except GitregError as error:
            return Found(warnings=(f"no digest is recorded: {error}",))
    if uri.startswith("mlflow-artifacts:"):
        return _served(uri, tracking_uri)
    return Found()


def _served(uri: str, tracking_uri: str) -> Found:
    from mlflow.artifacts import download_artifacts

    with tempfile.TemporaryDirectory() as folder:
        try:
            download_artifacts(
                artifact_uri=f"{uri}/{FILE_NAME}",
                dst_path=folder,
                tracking_uri=tracking_uri,
            )
        except Exception as error:  # noqa: BLE001 - MLflow passes on whatever its stores raise
            reason = without_secrets((str(error).splitlines() or [type(error).__name__])[0])[:300]
            return Found(
                warnings=(f"flavors and signature are not recorded: no {FILE_NAME} at {uri}: {reason}",)
            )
        mlmodel, warnings = read_mlmodel(Path(folder))
    return _with_mlmodel(Found(artifact=Artifact(), warnings=warnings), mlmodel)


def _with_mlmodel(found: Found, mlmodel: MLmodel | None) -> Found:
    if mlmodel is None or found.artifact is None:
        return found
    size = mlmodel.size if found.artifact.size is None else found.artifact.size
    artifact = replace(found.artifact, size=size, flavors=mlmodel.flavors, signature=mlmodel.signature)
    return replace(found, artifact=artifact, run_id=mlmodel.run_id, model_id=mlmodel.model_id)
