"""Our models and versions as MLflow would hold them, and what of them it has no place for."""

from __future__ import annotations

from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.domain.settings import NO_STAGE
from gitreg.importers.mlflow.report import Report
from gitreg.importers.mlflow.values import SourceModel, SourceVersion
from gitreg.registry.entities import current_stage, milliseconds
from gitreg.registry.overview import updated
from gitreg.registry.view import View

MLFLOW_STAGES = ("None", "Staging", "Production", "Archived")


def model_for_mlflow(view: View, model: RegisteredModel, report: Report) -> SourceModel:
    """A model as MLflow would hold it."""
    for what, there in (("owners", model.owners), ("x- keys", model.extra)):
        if there:
            report.remark("lost", model.name, None, what, "MLflow has no place for them")
    return SourceModel(
        name=model.name,
        created=milliseconds(model.created),
        updated=milliseconds(updated(view, model.name)),
        description=model.description,
        tags=dict(model.tags),
        aliases=dict(model.aliases),
    )


def version_for_mlflow(view: View, version: ModelVersion, report: Report) -> SourceVersion:
    """A version as MLflow would hold it."""
    for what, reason in _homeless(version):
        report.remark("lost", version.name, version.version, what, reason)
    stage = current_stage(version, view.settings)
    for other in sorted({*version.stages} - {stage}):
        reason = f"MLflow takes one stage of a version, here {stage}"
        report.remark("lost", version.name, version.version, f"stage {other}", reason)
    if stage not in MLFLOW_STAGES:
        report.remark("lost", version.name, version.version, "stage", f"MLflow has no stage {stage}")
        stage = NO_STAGE
    return SourceVersion(
        number=version.version,
        created=milliseconds(version.created),
        updated=milliseconds(version.updated),
        source=version.source,
        run_id=version.run_id,
        run_link=version.origin.run_link,
        model_id=version.origin.model_id,
        stage=stage,
        status=version.status,
        status_message=version.status_message,
        description=version.description,
        tags=dict(version.tags),
    )


def _homeless(version: ModelVersion) -> list[tuple[str, str]]:
    """Parts of a version that MLflow's registry has no place for."""
    origin = version.origin
    of_runs = "they belong to the run in MLflow"
    there = (
        ("params", origin.params, of_runs),
        ("metrics", origin.metrics, of_runs),
        ("datasets", origin.datasets, of_runs),
        ("code", origin.code, "it belongs to the run in MLflow"),
        ("evaluations", version.evaluations, "MLflow has no place for them"),
        ("parents", origin.parents, "MLflow has no place for them"),
        ("artifact", origin.artifact, "MLflow has no place for digest and signature"),
        ("deprecated", version.deprecated, "MLflow has no place for it"),
        ("x- keys", version.extra, "MLflow has no place for them"),
    )
    return [(what, reason) for what, value, reason in there if value]
