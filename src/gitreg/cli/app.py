"""The command group, and the one place where a command ends: every outcome becomes an exit code here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from gitreg import __version__
from gitreg.cli.commands import COMMANDS
from gitreg.cli.options import registry_option
from gitreg.errors import GitregError, UsageError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "gitreg"
COMPLETE_VARIABLE = "_GITREG_COMPLETE"


class CommandTable(click.Group):
    """A group whose commands are imported when they are called, from ``commands.COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command ``cmd_name``; None when the table has no such name."""
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        command: click.Command = import_module(f"gitreg.cli.{listed.module}").command
        if listed.in_registry:
            inner = command.commands.values() if isinstance(command, click.Group) else ()
            for each in (command, *inner):
                if not any(param.name == "registry" for param in each.params):
                    each.params.append(registry_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that ``args`` begins with.

        Raises:
            UsageError: There is none; the hint names the nearest.
        """
        command = self.get_command(ctx, args[0])
        if command is None and not ctx.resilient_parsing:
            from gitreg.domain.names import shown
            from gitreg.domain.settings import did_you_mean

            near = did_you_mean(args[0], list(COMMANDS))
            raise UsageError(f"there is no command {shown(args[0])}", hint=near or "gitreg --help")
        return (args[0] if command else None), command, args[1:]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands under their sections."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name, listed in COMMANDS.items():
            if not listed.hidden:
                sections.setdefault(listed.section, []).append((name, listed.help))
        width = max(map(len, COMMANDS))
        for title, rows in sections.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Command names from the table: click's own way would import every command."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=listed.help)
            for name, listed in COMMANDS.items()
            if name.startswith(incomplete) and not listed.hidden
        ]
        return found or click.Command.shell_complete(self, ctx, incomplete)


@click.group(
    cls=CommandTable,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Names are NAME, NAME/12, NAME/Production, NAME/latest or NAME@alias. More: gitreg COMMAND --help",
    subcommand_metavar="COMMAND …",
)
@click.version_option(__version__, prog_name=PROGRAM, message="%(prog)s %(version)s")
def cli() -> None:
    """A model registry whose database is a Git repository."""


cli.params.insert(0, registry_option())


def run(args: Sequence[str]) -> int:
    """Run one command and return its exit code, having printed whatever there is to say.

    Args:
        args: The command line without the program's name.
    """
    _open_streams()
    try:
        code = _invoke(args)
        sys.stdout.flush()
    except BrokenPipeError:
        return _reader_left()
    except (click.Abort, KeyboardInterrupt):
        _say("\n")
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        _say(error.format_message() + "\n")
        return 2
    except Exception as error:  # noqa: BLE001 (the one exit point: the kind decides the exit code)
        code = failed(error, args)
        try:
            sys.stdout.flush()
        except OSError:
            _let_stdout_go()
    return code


def _invoke(args: Sequence[str]) -> int:
    if COMPLETE_VARIABLE in os.environ:
        return _complete(args)
    _refuse_undecodable(args)
    try:
        # Not cli.main(): it would end a broken pipe with 1, which here means findings.
        with cli.make_context(PROGRAM, list(args)) as context:
            outcome: Any = cli.invoke(context)
    except click.exceptions.Exit as done:
        return done.exit_code
    return outcome if isinstance(outcome, int) else 0


def _complete(args: Sequence[str]) -> int:
    try:
        import_module("gitreg.cli.completion")  # brings its own form of Bash's
        cli.main(list(args), prog_name=PROGRAM, complete_var=COMPLETE_VARIABLE, standalone_mode=False)
    except (Exception, SystemExit):  # noqa: BLE001 (a person is typing: no message may land in the line)
        return 0
    return 0


def _refuse_undecodable(args: Sequence[str]) -> None:
    from gitreg.domain.names import shown

    for number, text in enumerate(args, start=1):
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise UsageError(
                f"{shown(text)} is not UTF-8", where=f"argument {number}", hint="names and texts are UTF-8"
            )


def _open_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the caller closed it: there is nobody to talk to
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            # What the terminal's encoding lacks is shown as an escape.
            stream.reconfigure(errors="backslashreplace")


def _let_stdout_go() -> None:
    # Python flushes stdout once more at exit, which would complain again, and end with a code of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _reader_left() -> int:
    _let_stdout_go()
    return 141  # what the shell shows for a program that SIGPIPE ended


def failed(error: Exception, args: Sequence[str]) -> int:
    """Tell on stderr why a command failed, and return its exit code.

    Args:
        error: What it raised.
        args: The command line without the program's name.
    """
    from gitreg.cli import failure

    known = error if isinstance(error, GitregError) else failure.known(error, args)
    options = args[: args.index("--")] if "--" in args else args
    text = failure.as_json(known) if "--json" in options else failure.as_text(known)
    _say(text)
    return known.exit_code


def _say(text: str) -> None:
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        pass  # the exit code still tells
