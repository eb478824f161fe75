"""Options and arguments that commands share, and the registry that a command works on."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gitreg.errors import NotARegistry, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from gitreg.registry.registry import Registry
    from gitreg.registry.store import Store

F = TypeVar("F", bound=Callable[..., Any])

ENVIRONMENT = "GITREG_REGISTRY"
_PLACE = "gitreg.registry"
_PROPOSAL = "gitreg.proposal"
# A scheme, a helper of Git's (ext::…) or scp's form user@host:path.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:(//|:)|[^/@]+@[^/:]+:")


class Named(click.ParamType[str]):
    """A text that the shell can complete from the registry.

    Args:
        name: What it is called in messages.
        what: Which of ``completion``'s sources to ask.
    """

    def __init__(self, name: str, what: str) -> None:
        self.name = name
        self.what = what

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """What the text can become; nothing when the registry can't be read."""
        from gitreg.cli.completion import candidates

        return candidates(self.what, incomplete, ctx)


NAME = Named("model", "names")
"""A registered model's name."""
URI = Named("uri", "uris")
"""``NAME``, ``NAME/12``, ``NAME/Production``, ``NAME/latest`` or ``NAME@alias``."""
STAGE = Named("stage", "stages")
"""A stage of the registry."""
RULE = Named("rule", "rules")
"""A rule's code, ``GR012``."""


def registry_option() -> click.Option:
    """``--registry PATH``: every command that needs a registry gets it from the command table."""
    return click.Option(
        ["--registry"],
        metavar="PATH",
        expose_value=False,
        callback=_remember,
        type=click.Path(path_type=str),
        help="The registry: a folder in it, or a bare repository  [default: $GITREG_REGISTRY, else here]",
    )


def _remember(context: click.Context, param: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().meta[_PLACE] = value


def current_registry() -> Registry:
    """The registry that ``--registry``, ``$GITREG_REGISTRY`` or the current folder names, closed at the end.

    With ``--propose`` it is the one on the remote, and what is written to it goes on a branch of its own.

    Raises:
        UsageError: A URL was given.
        NotARegistry: There is no registry there.
    """
    context = click.get_current_context()
    wish: Proposal | None = context.meta.get(_PROPOSAL)
    if wish is not None:
        from gitreg.registry.proposing import open_proposing

        return context.with_resource(
            open_proposing(chosen_place(context), remote=wish.remote, draft=wish.draft)
        )
    from gitreg.registry.open import open_registry

    return context.with_resource(open_registry(chosen_place(context)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """How what a command writes is proposed: to which remote (None: the usual), and whether as a draft."""

    remote: str | None = None
    draft: bool = False


def propose_all(wish: Proposal) -> None:
    """From here on the registry that the command works on is what proposals begin with."""
    click.get_current_context().meta[_PROPOSAL] = wish


def current_store() -> Store:
    """The same, open for reading alone: commands that only look need not import what writes.

    Raises:
        UsageError: A URL was given.
        NotARegistry: There is no registry there.
    """
    context = click.get_current_context()
    return context.with_resource(open_store(context))


def open_store(context: click.Context) -> Store:
    """Open the registry that ``context`` names; the caller closes it."""
    from gitreg.gitstore.repository import Repository
    from gitreg.registry.store import Store

    return Store(Repository.discover(chosen_place(context)))


def chosen_place(context: click.Context) -> Path:
    """The folder that the user named, by option or environment, else the current one.

    Raises:
        UsageError: It is a URL.
        NotARegistry: There is no such folder.
    """
    given: str | None = context.find_root().meta.get(_PLACE)
    place = given or os.environ.get(ENVIRONMENT) or None
    if place and _URL.match(place) and not Path(place).exists():
        from gitreg.artifacts.uris import without_secrets

        raise UsageError(
            f"{without_secrets(place)} is a URL: a registry is opened by its path",
            where="--registry" if given else ENVIRONMENT,
            hint="git clone it, then give the clone's folder",
        )
    found = Path(place or ".").absolute()
    if not found.exists():
        raise NotARegistry(
            "there is no such folder", where=place or ".", hint="gitreg init PATH makes a registry"
        )
    return found


def remote_option(command: F) -> F:
    """``--remote`` → ``remote: str | None``: where proposals are."""
    return click.option(
        "--remote", metavar="NAME", help="The remote  [default: proposals.remote of the settings]"
    )(command)


def json_option(command: F) -> F:
    """``--json`` → ``as_json: bool``."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def at_option(command: F) -> F:
    """``--at`` → ``at: str | None``, for ``Registry.at``."""
    return click.option(
        "--at", metavar="WHEN", help="The registry as it was: a date (2026-01-15), commit, branch or tag."
    )(command)


def dry_run_option(command: F) -> F:
    """``--dry-run`` → ``dry_run: bool``."""
    return click.option("--dry-run", "dry_run", is_flag=True, help="Show what would change, write nothing.")(
        command
    )


def message_option(command: F) -> F:
    """``-m``, ``--message`` → ``message: str``."""
    return click.option(
        "-m", "--message", metavar="TEXT", default="", help="Why; it stands in the commit message."
    )(command)


def yes_option(command: F) -> F:
    """``-y``, ``--yes`` → ``yes: bool``."""
    return click.option("-y", "--yes", is_flag=True, help="Don't ask.")(command)


def propose_option(command: F) -> F:
    """``--propose`` → ``propose: bool``."""
    return click.option(
        "--propose", is_flag=True, help="On a branch of its own, pushed to be reviewed; see gitreg promote."
    )(command)


def write_options(command: F) -> F:
    """The options of every command that writes: ``message``, ``propose``, ``dry_run`` and ``as_json``."""
    return message_option(propose_option(dry_run_option(json_option(command))))
