"""How a command that failed says so: for people, as JSON, and for bugs as a log file."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gitreg import __version__
from gitreg.cli.output import json_text
from gitreg.errors import EnvironmentFailure, GitregError, InvalidFilter, InvalidManifests, UsageError
from gitreg.render.text import safe, width

_CONTEXT = 60  # characters of a filter that are shown on each side of its fault


class Bug(GitregError):
    """Something that gitreg did not foresee; the log file has the details."""

    kind = "bug"


def known(error: Exception, args: Sequence[str]) -> GitregError:
    """``error`` as one of gitreg's own, whatever raised it.

    Args:
        error: What a command raised.
        args: The command line, for the log of a bug.
    """
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, OSError):
        where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        return EnvironmentFailure(_lower(error.strerror or str(error)), where=where)
    log = _write_log(error, args)
    return Bug(f"gitreg met a bug: {type(error).__name__}", hint=f"please report it with {log}")


def _usage(error: click.ClickException) -> UsageError:
    context = error.ctx if isinstance(error, click.UsageError) else None
    path = context.command_path if context else ""
    hint = f"{path or 'gitreg'} --help"
    if isinstance(error, click.NoSuchOption):
        near = error.possibilities
        after = f"to use it as a value, put it after --: {path} -- …"
        return UsageError(
            f'there is no option "{error.option_name}"',
            where=path,
            hint=f"did you mean {near[0]}?" if near else after,
        )
    return UsageError(_lower(error.format_message().rstrip(".")), where=path, hint=hint)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def as_text(error: GitregError) -> str:
    """The message for people, with its newline: what, where, and what to do next."""
    if isinstance(error, InvalidManifests):
        from gitreg.render.findings import text

        return text(error.findings)
    # What follows is what a server said; behind the bar none of its lines passes for one of ours.
    first, *more = error.message.split("\n")
    lines = [f"error: {safe(first)}", *(f"  | {safe(each)}".rstrip() for each in more)]
    if error.where:
        lines.append(f"  --> {safe(error.where)}")
    if isinstance(error, InvalidFilter):
        lines += _excerpt(error)
    if error.hint:
        lines.append(f"help: {safe(error.hint)}")
    return "\n".join(lines) + "\n"


def _excerpt(error: InvalidFilter) -> list[str]:
    """The filter, or what stands around the fault in a long one, and a caret under the fault."""
    begin = max(0, error.at - _CONTEXT)
    end = min(len(error.text), error.at + error.length + _CONTEXT)
    before = ("…" if begin else "") + safe(error.text[begin : error.at])
    marked = safe(error.text[error.at : error.at + min(error.length, _CONTEXT)])
    after = safe(error.text[error.at : end]) + ("…" if end < len(error.text) else "")
    caret = " " * width(before) + "^" + "~" * (width(marked) - 1)
    return [f"    {before}{after}".rstrip(), f"    {caret}"]


def as_json(error: GitregError) -> str:
    """``{"error": {…}}`` on one line, with its newline."""
    content: dict[str, Any] = {
        "kind": error.kind,
        "message": error.message,
        "where": error.where,
        "help": error.hint,
        "exit_code": error.exit_code,
    }
    if isinstance(error, InvalidFilter):
        content |= {"text": error.text, "column": error.at + 1, "length": error.length}
    if isinstance(error, InvalidManifests):
        from gitreg.render.findings import document

        content["findings"] = [document(finding) for finding in error.findings]
    return json_text({"error": content}, indent=None) + "\n"


def _write_log(error: Exception, args: Sequence[str]) -> str:
    """Write what a developer needs to a file only the user can read, and return its path."""
    import platform
    import tempfile
    import traceback

    from gitreg.artifacts.uris import without_secrets

    text = (
        f"gitreg {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"arguments: {json.dumps([without_secrets(arg) for arg in args])}\n\n"
        f"{without_secrets(''.join(traceback.format_exception(error)))}"
    )
    for folder in (_state_folder(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle, path = tempfile.mkstemp(prefix="gitreg-bug-", suffix=".log", dir=folder, text=True)
        except OSError:
            continue
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
        return path
    sys.stderr.write(text)
    return "the text above"


def _state_folder() -> Path:
    place = os.environ.get("XDG_STATE_HOME", "")
    return (Path(place) if place.startswith("/") else Path.home() / ".local" / "state") / "gitreg"
