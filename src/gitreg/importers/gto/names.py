"""Which model and which stage of the registry something of GTO's becomes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gitreg.domain.model import ModelTombstone, RegisteredModel
from gitreg.domain.names import check_stage_name, is_model_name, shown, twin_key
from gitreg.domain.settings import ARCHIVED, Settings, Stage
from gitreg.errors import InvalidInput
from gitreg.importers.gto.report import GtoReport
from gitreg.registry.view import View

ARTIFACT = "gto.artifact"
"""The tag of a registered model that says which artifact it was."""


def models_of(
    artifacts: Iterable[str], renames: Mapping[str, str], view: View, report: GtoReport
) -> dict[str, str]:
    """Artifact → the model that it is or becomes; those that can't become one are remarked."""
    found: dict[str, str] = {}
    taken: dict[str, str] = {}
    for artifact in artifacts:
        name = _followed(renames.get(artifact, artifact), view)
        if not is_model_name(name):
            hint = f"--rename {artifact}={_suggested(artifact)}"
            report.remark("skipped", artifact, f"{shown(name)} is no model name ({hint})")
            continue
        other = taken.setdefault(twin_key(name), artifact)
        fault = f"{shown(name)} is the artifact {other} already" if other != artifact else ""
        fault = fault or _taken(artifact, name, view)
        if fault:
            report.remark("conflict", artifact, f"{fault} (--rename {artifact}=NEW_NAME)")
        else:
            found[artifact] = name
    return found


def _taken(artifact: str, name: str, view: View) -> str:
    model = view.state(name).model
    if isinstance(model, RegisteredModel):
        same = model.tags.get(ARTIFACT) == artifact
        return "" if same else f"a model {name} is here that is not this artifact"
    near = view.states.twin(name)
    return f"{name} differs from the model {near} in case or Unicode form alone" if near else ""


def _followed(name: str, view: View) -> str:
    """Where a model went that was taken over and renamed here."""
    for _ in range(100):
        model = view.state(name).model if is_model_name(name) else None
        if not isinstance(model, ModelTombstone) or not model.renamed_to:
            break
        name = model.renamed_to
    return name


def _suggested(artifact: str) -> str:
    return artifact.replace("/", "-").replace(":", "-")


def stages_of(
    used: Sequence[str], wanted: Mapping[str, str], settings: Settings, report: GtoReport
) -> dict[str, str]:
    """GTO's stage → the registry's, whether the settings have it yet or not; others are remarked."""
    found: dict[str, str] = {}
    new: dict[str, str] = {}
    for stage in used:
        name = wanted.get(stage, stage)
        if settings.has_stage(name):
            found[stage] = settings.stage(name).name
            continue
        try:
            found[stage] = new.setdefault(name.casefold(), check_stage_name(name))
        except InvalidInput as error:
            report.remark("lost", f"#{stage}", f"{error.message} (--stage {stage}=NAME)")
    return found


def with_stages(settings: Settings, names: Iterable[str]) -> Settings:
    """Settings that have some stages more, before a last Archived: it stays the end of a version's way."""
    added = tuple(Stage(name=name) for name in names if not settings.has_stage(name))
    last = settings.stages[-1:] if settings.stages[-1].name == ARCHIVED else ()
    kept = settings.stages[: len(settings.stages) - len(last)]
    return replace(settings, stages=(*kept, *added, *last))
