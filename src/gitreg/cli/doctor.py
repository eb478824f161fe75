"""``gitreg doctor``: find and mend what an interrupted write, a power cut or a stray hand left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import current_store, dry_run_option, json_option
from gitreg.cli.output import document, line
from gitreg.errors import EnvironmentFailure, IntegrityError

if TYPE_CHECKING:
    from gitreg.registry.doctor import Diagnosis


@click.command("doctor")
@dry_run_option
@json_option
def command(dry_run: bool, as_json: bool) -> int:
    """Find what is wrong with the registry's repository, and mend what can be mended.

    Exit code 0: all is well or mended; 6: damage or wrong tags remain; 7: something else remains that
    a person must see to.
    """
    from gitreg.registry.doctor import diagnose, treat

    store = current_store()
    found = diagnose(store, os.environ)
    done: list[str] = []
    if not dry_run and any(each.mendable for each in found):
        done = treat(store)
    left = found if dry_run else diagnose(store, os.environ) if done else found
    if as_json:
        document(
            {
                "found": [_document(each) for each in found],
                "done": done,
                "remaining": [_document(each) for each in left],
            }
        )
    else:
        _tell(found, done, left, dry_run=dry_run)
    if any(each.fault for each in left):
        return IntegrityError.exit_code
    # Notes about the environment are for the reader; nothing of the registry is amiss.
    return EnvironmentFailure.exit_code if any(each.kind != "environment" for each in left) else 0


def _document(found: Diagnosis) -> dict[str, object]:
    return {
        "kind": found.kind,
        "message": found.message,
        "where": found.where,
        "help": found.hint,
        "mendable": found.mendable,
    }


def _tell(found: list[Diagnosis], done: list[str], left: list[Diagnosis], *, dry_run: bool) -> None:
    for each in found:
        if each not in left or (dry_run and each.mendable):
            _tell_one("would mend" if dry_run else "mended", each)
    for text in done:
        line(f"  {text}")
    for each in left:
        if not (dry_run and each.mendable):
            _tell_one("note" if each.kind == "environment" else "remains", each)
            if each.hint:
                line(f"  help: {each.hint}")
    if not found:
        line("all is well")


def _tell_one(label: str, found: Diagnosis) -> None:
    where = f"{found.where}: " if found.where else ""
    line(f"{label}: {where}{found.message}")
