"""``gitreg codeowners``: whom the rules ask, as hosting services read it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast

import click

from gitreg.cli.options import current_store, json_option
from gitreg.cli.output import block, document, line, note, warning
from gitreg.errors import UsageError

if TYPE_CHECKING:
    from gitreg.policy.codeowners import Dialect
    from gitreg.registry.codeowners import CodeOwners
    from gitreg.registry.store import Store

FORGES = ("github", "gitlab", "gitea")


@click.command("codeowners")
@click.option(
    "--forge",
    type=click.Choice(FORGES),
    help="In whose dialect.  [default: that of proposals.forge, of the file that is there or of the remote]",
)
@click.option("--write", is_flag=True, help="Write it, between marks: what people wrote around them stays.")
@click.option("--check", is_flag=True, help="End with 1 where the file is not what the policy makes.")
@json_option
def command(forge: str | None, write: bool, check: bool, as_json: bool) -> int:
    """Print the lines of CODEOWNERS that the policy makes, or keep the file up to date.

    Stages' approvers own the models, with those whom a model.yaml names; the policy's approvers own
    gitreg.yaml, gates/, keys/, CODEOWNERS itself and the workflow of gitreg.
    """
    from gitreg.registry.beside import write as put
    from gitreg.registry.codeowners import codeowners

    if write and check:
        raise UsageError("--write and --check exclude each other")
    store = current_store()
    found = codeowners(store, cast("Dialect", forge) if forge else usual(store))
    changed = not found.current
    if write and changed:
        put(store, found.path, found.after)
    if as_json:
        document(_document(found, written=write and changed))
    else:
        _tell(found, write=write, check=check, changed=changed)
    return 1 if check and changed else 0


def usual(store: Store) -> Dialect:
    """The dialect that fits: as the settings say, the file that is there, or the remote's address."""
    from gitreg.errors import GitregError
    from gitreg.forge.services import detect
    from gitreg.gitstore.remote import url_of
    from gitreg.registry import beside

    settings = store.view(store.head()).settings
    named: str = settings.proposals.forge
    if named not in FORGES:
        named = next((each for each in FORGES if beside.read(store, f".{each}/CODEOWNERS") is not None), "")
    if named not in FORGES:
        try:
            named = detect(url_of(store.repository, settings.proposals.remote))
        except GitregError:  # there is no such remote
            named = ""
    return cast("Dialect", named) if named in FORGES else "github"


def _tell(found: CodeOwners, *, write: bool, check: bool, changed: bool) -> None:
    for each in found.left_out:
        warning(f"{each} is left out: neither @name nor e-mail address")
    if write:
        line(f"wrote {found.path}" if changed else f"{found.path} is up to date")
    elif check:
        _diff(found) if changed else note(f"{found.path} is up to date")
    else:
        sys.stdout.write(found.block)


def _diff(found: CodeOwners) -> None:
    from difflib import unified_diff

    old, new = (
        data.decode("utf-8", "backslashreplace").splitlines() for data in (found.before or b"", found.after)
    )
    block("\n".join(unified_diff(old, new, f"a/{found.path}", f"b/{found.path}", lineterm="")))
    note(f"{found.path} is not what the policy makes; mend it: gitreg codeowners --write")


def _document(found: CodeOwners, *, written: bool) -> dict[str, Any]:
    return {
        "path": found.path,
        "forge": found.dialect,
        "current": found.current or written,
        "written": written,
        "owned": [{"path": each.path, "owners": list(each.owners)} for each in found.owned],
        "left_out": list(found.left_out),
    }
