"""``gitreg promote``."""

from __future__ import annotations

import click

from gitreg.cli import output
from gitreg.cli.options import (
    STAGE,
    URI,
    Proposal,
    current_registry,
    dry_run_option,
    json_option,
    message_option,
    remote_option,
)
from gitreg.cli.proposing import named, passes, proposing
from gitreg.cli.writing import How, Target, version_of, write
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Assign, Transition
from gitreg.errors import UsageError
from gitreg.registry.commands import command as next_command


@click.command("promote")
@click.argument("uri", metavar="NAME/VERSION", type=URI)
@click.argument("stage", type=STAGE)
@click.option(
    "--archive-existing", is_flag=True, help="Take the stage from the versions that hold it; archive those."
)
@click.option("--assign", is_flag=True, help="Add the stage to those that the version holds.")
@click.option("--draft", is_flag=True, help="Mark the pull request as unfinished.")
@remote_option
@message_option
@dry_run_option
@json_option
def command(
    uri: str,
    stage: str,
    archive_existing: bool,
    assign: bool,
    draft: bool,
    remote: str | None,
    message: str,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Propose that a version enters a stage: a branch, pushed, and a pull request where there are such.

    The branch begins on what the remote's own branch holds now, whatever is checked out here, and is
    called gitreg/promote/NAME/VERSION/STAGE (gitreg/in/FOLDER/promote/… where the registry lies in a
    folder of its repository). Running it again changes nothing, unless the remote's
    branch moved or the request is another one: then it is made anew, and must be approved anew.
    """
    if archive_existing and assign:
        raise UsageError("--archive-existing and --assign exclude each other", where="gitreg promote")
    from gitreg.registry.proposal_names import promotion

    how = How(message=message, dry_run=dry_run, as_json=as_json, propose=True)
    with proposing(uri, Proposal(remote=remote, draft=draft)):
        registry = current_registry()
        version = version_of(registry, uri)
        exact = registry.settings.stage(stage).name
        selector = version_selector(version.version)
        request: Assign | Transition = Transition(
            name=version.name, selector=selector, stage=exact, archive_existing=archive_existing
        )
        if assign:
            request = Assign(name=version.name, selector=selector, stage=exact)
        named(registry, promotion(version.name, version.version, exact, prefix=registry.store.prefix))
        target = Target(name=version.name, version=version.version)
        receipt = write(registry, [request], target, how, unchanged=f"{target} is in {exact} already")
    if receipt.commit and not (as_json or dry_run):
        verb = "merge" if passes(registry) else "approvals"
        output.hint(f"next: {next_command(verb, str(target), exact)}")
