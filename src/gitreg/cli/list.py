"""``gitreg list``: the models, the versions of one, or what holds a stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from gitreg.cli.options import NAME, STAGE, at_option, json_option
from gitreg.cli.output import Cell, document, hint, note, on_terminal, table
from gitreg.cli.reading import current_view
from gitreg.domain.model import ModelState, VersionTombstone
from gitreg.errors import InvalidManifests, UsageError
from gitreg.registry.indexed import IndexedStates
from gitreg.registry.view import VersionDocument
from gitreg.render.text import ago, moment, number, safe

if TYPE_CHECKING:
    from datetime import datetime

    from gitreg.domain.model import AnyModel
    from gitreg.registry.overview import Summary
    from gitreg.registry.view import View

_MOST_METRICS = 3
_COLUMNS = ("version", "stages", "aliases", "status", "source", "created")
Aliases = Mapping[tuple[str, int], list[str]]


@click.command("list")
@click.argument("name", type=NAME, required=False)
@click.option("--stage", type=STAGE, metavar="STAGE", help="Only versions that hold this stage.")
@click.option("--deleted", is_flag=True, help="What was deleted or renamed instead.")
@click.option("--metric", "metrics", multiple=True, metavar="KEY", help="A metric to show; may be repeated.")
@click.option("-n", "--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows.")
@at_option
@json_option
def command(
    name: str | None,
    stage: str | None,
    deleted: bool,
    metrics: tuple[str, ...],
    limit: int | None,
    at: str | None,
    as_json: bool,
) -> None:
    """List the registered models, or the versions of NAME, newest first."""
    if deleted and stage:
        raise UsageError("--deleted and --stage exclude each other", hint="what is deleted holds no stage")
    view = current_view(at)
    if name is not None:
        view.model(name)  # says who is meant, or where the model went
    if deleted:
        _deleted(view, name, limit, as_json=as_json)
        return
    if name is None and stage is None:
        _models(view, limit, as_json=as_json)
    elif stage or limit or as_json or on_terminal() or not _all_at_once(view, name or "", metrics):
        found = islice(_chosen(view, name, stage), limit)
        _versions(found, view, metrics, as_json=as_json, named=stage is not None)
    faults = view.faults(name, stage=stage and view.stage_name(stage))
    if faults:  # what can be read is told all the same
        raise InvalidManifests(faults)


def _all_at_once(view: View, name: str, metrics: tuple[str, ...]) -> bool:
    """Print the versions of a model as one piece of TSV, where the index can make it."""
    if not isinstance(view.states, IndexedStates):
        return False
    from gitreg.registry.tables import main_metrics, versions

    part = view.states.part
    shown = metrics or main_metrics(part, name, _MOST_METRICS)
    text = versions(part, name, shown)
    if text:  # that there is nothing is said in words
        table([*_COLUMNS, *(f"metrics.{safe(key)}" for key in shown)], (), text=text)
    return bool(text)


def _chosen(view: View, name: str | None, stage: str | None) -> Iterable[VersionDocument]:
    if stage is None:
        return view.documents(name or "")
    if name is None:
        return view.holder_documents(stage)
    exact = view.stage_name(stage)
    return (one for one in view.documents(name) if exact in one.data.get("stages", ()))


def _models(view: View, limit: int | None, *, as_json: bool) -> None:
    from gitreg.registry.overview import overview

    found = islice(overview(view), limit)
    if as_json:
        from gitreg.registry.documents import summary_document

        document([summary_document(each) for each in found])
        return
    rows = [_model_row(each) for each in found]
    table(("name", "versions", "latest", "stages", "aliases", "owners", "updated"), rows)
    if not rows:
        note("no registered models yet")
        hint("register one: gitreg register NAME SOURCE")


def _model_row(found: Summary) -> tuple[Cell, ...]:
    return (
        found.model.name,
        found.count,
        found.latest,
        ", ".join(f"{stage}: {' '.join(map(str, held))}" for stage, held in found.stages.items()),
        ", ".join(f"{alias}: {version}" for alias, version in sorted(found.model.aliases.items())),
        ", ".join(found.model.owners),
        _time(found.updated),
    )


def _versions(
    found: Iterable[VersionDocument], view: View, metrics: tuple[str, ...], *, as_json: bool, named: bool
) -> None:
    """``named``: the rows are of several models."""
    versions = list(found)
    aliases = view.all_aliases(version.name for version in versions)
    if as_json:
        from gitreg.registry.documents import listed_version_document

        document([listed_version_document(version, aliases) for version in versions])
        return
    if not versions:
        note("no version holds this stage" if named else "no versions yet")
        if on_terminal():
            return
    shown = metrics or _main_metrics(versions)
    columns = [*_COLUMNS, *(f"metrics.{safe(key)}" for key in shown)]
    terminal = on_terminal()
    rows = (_version_row(one, aliases, shown, named=named, terminal=terminal) for one in versions)
    # Metrics that nobody asked for by name give way where the terminal is narrow.
    table((["name", *columns] if named else columns), rows, spare=0 if metrics else len(shown))


def _main_metrics(versions: Sequence[VersionDocument]) -> tuple[str, ...]:
    newest: dict[str, Any] = next((data["metrics"] for _, _, data in versions if "metrics" in data), {})
    return tuple(newest)[:_MOST_METRICS]


def _version_row(
    version: VersionDocument, aliases: Aliases, metrics: Iterable[str], *, named: bool, terminal: bool
) -> list[Cell]:
    name, number, data = version
    row: list[Cell] = [name] if named else []
    row += [
        number,
        ", ".join(data["stages"]) if "stages" in data else "None",
        ", ".join(aliases.get((name, number), ())),
        "deprecated" if "deprecated" in data else data.get("status", "ready").lower(),
        data["source"],
        _age(data["created"]) if terminal else data["created"],
    ]
    values = data.get("metrics", {})
    row += [_metric(values.get(key)) if terminal else values.get(key) for key in metrics]
    return row


def _age(text: str) -> str:
    from gitreg.manifest.decode import time

    return _time(time(text))


def _metric(value: float | str | None) -> Cell:
    return number(value) if isinstance(value, int | float) else value


def _deleted(view: View, name: str | None, limit: int | None, *, as_json: bool) -> None:
    if name is not None:
        gone = list(islice(_gone_versions(view.state(name)), limit))
        if as_json:
            from gitreg.render.values import version_document

            document([version_document(one) for one in gone])
        else:
            rows = [(one.version, one.deleted.reason, _time(one.deleted.at)) for one in gone]
            table(("version", "reason", "deleted"), rows)
        return
    from gitreg.registry.overview import tombstones

    models = list(islice(tombstones(view), limit))
    if as_json:
        from gitreg.render.values import model_document

        document([model_document(model) for model in models])
    else:
        table(("name", "last_version", "renamed_to", "reason", "deleted"), map(_gone_row, models))


def _gone_versions(state: ModelState) -> Iterable[VersionTombstone]:
    for number_ in sorted(state.versions.mentioning("deleted"), reverse=True):
        found = state.versions[number_]
        if isinstance(found, VersionTombstone):
            yield found


def _gone_row(model: AnyModel) -> tuple[Cell, ...]:
    from gitreg.domain.model import ModelTombstone

    assert isinstance(model, ModelTombstone)
    mark = model.deleted
    return (
        model.name,
        model.last_version,
        model.renamed_to,
        mark.reason if mark else None,
        _time(mark.at) if mark else None,
    )


def _time(when: datetime) -> str:
    if on_terminal():
        from gitreg.registry.clock import utc_now

        return ago(when, utc_now()) or moment(when)
    from gitreg.manifest.encode import time_text

    return time_text(when)
