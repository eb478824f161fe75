"""``gitreg register``."""

from __future__ import annotations

from typing import Any

import click

from gitreg.cli import output, values
from gitreg.cli.options import NAME, current_registry
from gitreg.cli.origins import Look, looking, not_looking
from gitreg.cli.progress import Progress
from gitreg.cli.writing import How, Target, write, writes
from gitreg.domain.model import READY, STATUSES
from gitreg.domain.names import check_model_name, parse_version
from gitreg.domain.requests import Register
from gitreg.errors import UsageError
from gitreg.registry.commands import command as command_line
from gitreg.registry.registry import Registry

_WHERE = "gitreg register"


@click.command("register")
@click.argument("name", type=NAME, required=False)
@click.argument("source", required=False)
@click.option("--metric", "metrics", multiple=True, metavar="KEY=NUMBER", help="A metric.")
@click.option("--param", "params", multiple=True, metavar="KEY=VALUE", help="A training parameter.")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the version.")
@click.option("--alias", "aliases", multiple=True, metavar="ALIAS", help="Point an alias at the version.")
@click.option(
    "--dataset", "datasets", multiple=True, metavar="NAME[=URI][@DIGEST]", help="What it learnt from."
)
@click.option("--parent", "parents", multiple=True, metavar="URI", help="A version that it was made from.")
@click.option("--run-id", metavar="ID", help="The run that made it.")
@click.option("--code", metavar="REPO@COMMIT", help="The code that made it.")
@click.option("-d", "--description", metavar="TEXT", default="", help="What is to be known about it.")
@click.option("--version", metavar="N", help="Insist on this number; fail when it is not the next one.")
@click.option(
    "--status", type=click.Choice(STATUSES, case_sensitive=False), default=READY, help="Its status."
)
@click.option(
    "--no-look-up", is_flag=True, help="Take the source as given: look at no folder, ask no MLflow."
)
@click.option("--batch", metavar="FILE", help="Register one version for each JSON line of FILE (- is stdin).")
@click.option("--one-commit", is_flag=True, help="With --batch: one commit for all, not one for each.")
@writes
def command(how: How, name: str | None, source: str | None, no_look_up: bool, **given: Any) -> None:
    """Register a version of the model NAME, and the model too where it is new.

    SOURCE is any URI. A local folder is hashed and its MLmodel read; runs:/RUN_ID/PATH is looked up
    in MLflow where that is set up: run, params, metrics, data sets, code and signature are taken
    over, and what the options say comes on top.
    """
    batch, one_commit = given.pop("batch"), given.pop("one_commit")
    if batch is not None:
        _refuse_beside_batch(name, given)
        if how.propose and not one_commit:
            raise UsageError("a proposal is one commit", where=_WHERE, hint="add --one-commit")
        _batch(batch, how, no_look_up=no_look_up, one_commit=one_commit)
        return
    if one_commit:
        raise UsageError("--one-commit belongs to --batch", where=_WHERE, hint="gitreg register --help")
    if name is None or source is None:
        missing = "NAME and SOURCE are" if name is None else "SOURCE is"
        raise UsageError(f"{missing} missing", where=_WHERE, hint="gitreg register NAME SOURCE")
    check_model_name(name)
    registry = current_registry()
    with Progress() as progress:
        look = not_looking if no_look_up else looking(progress.hashed)
        request = _request(registry, name, source, look, given)
    receipt = write(registry, [request], Target(name=name), how, unchanged=f"{name} is registered")
    if receipt.commit and not how.as_json and not how.propose:
        number = max(receipt.versions(name))
        output.hint(f"next: {_next(registry, f'{name}/{number}')}")


def _next(registry: Registry, version: str) -> str:
    """The move to the first stage: proposed where it needs approvals, which goes by what is pushed."""
    settings = registry.settings
    stage = settings.stages[0] if settings.stages else None
    if stage is None or stage.approvals is None:
        return command_line("transition", version, stage.name if stage else "STAGE")
    promote = command_line("promote", version, stage.name)
    branch = registry.store.branch().name
    return f"git push, then {promote}" if registry.store.repository.upstream(branch) else promote


def _batch(path: str, how: How, *, no_look_up: bool, one_commit: bool) -> None:
    from gitreg.cli import register_batch

    registry = current_registry()
    with Progress() as progress:
        look = not_looking if no_look_up else looking(progress.hashed)
        commit = register_batch.together if one_commit else register_batch.each
        register_batch.run(registry, path, how, look=look, commit=commit, progress=progress)


def _refuse_beside_batch(name: str | None, given: dict[str, Any]) -> None:
    stray = [key for key, value in given.items() if value and (key, value) != ("status", READY)]
    if name is not None or stray:
        raise UsageError(
            "--batch takes everything from its lines", where=_WHERE, hint="gitreg register --batch FILE"
        )


def _request(registry: Registry, name: str, source: str, look: Look, given: dict[str, Any]) -> Register:
    from gitreg.artifacts.origin import merge

    # What was typed is read first: a slip is told before a large folder is hashed.
    typed = {
        "run_id": given["run_id"],
        "code": values.code(given["code"]) if given["code"] else None,
        "datasets": [values.dataset(text) for text in given["datasets"]],
        "parents": [registry.parent_uri(uri) for uri in given["parents"]],
        "params": values.pairs(given["params"], "--param"),
        "metrics": values.metrics(given["metrics"]),
    }
    tags = values.pairs(given["tags"], "--tag")
    version = parse_version(given["version"]) if given["version"] is not None else None
    found = look(source, given["run_id"])
    registry.warnings += found.warnings
    return Register(
        name=name,
        origin=merge(found.origin, **typed),
        version=version,
        description=given["description"],
        tags=tags,
        aliases=given["aliases"],
        status=given["status"],
    )
