"""Findings → the formats in which people, editors and hosting services read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from gitreg.domain.findings import Finding
from gitreg.render.text import plural, safe, width

ERROR = "error"
_ORDER = {ERROR: 0, "warning": 1}

# GitHub shows ten annotations a level and step (its documentation of workflow commands); the rest is dropped.
_GITHUB_LIMIT = 10


def formats() -> tuple[str, ...]:
    """The names that ``render`` takes."""
    return tuple(_FORMATS)


def render(findings: Sequence[Finding], format: str) -> str:
    """``findings`` in one of ``formats()``; ends with a newline unless it is empty.

    Args:
        findings: In the order of the check.
        format: ``text``, ``json``, ``github``, ``gitlab``, ``sarif`` or ``junit``.
    """
    return _FORMATS[format](findings)


def summary(findings: Sequence[Finding], files: int) -> str:
    """``checked 12 files: 2 errors, 1 warning``."""
    errors = sum(one.severity == ERROR for one in findings)
    told = [plural(errors, "error")] if errors else []
    if len(findings) > errors:
        told.append(plural(len(findings) - errors, "warning"))
    return f"checked {plural(files, 'file')}: {', '.join(told) or 'no findings'}"


def text(findings: Sequence[Finding]) -> str:
    """For people: ``file:line:column: error[GR012]: message``, the line, a caret, the help."""
    return "".join(map(_text, findings))


def _text(finding: Finding) -> str:
    # What is wrong with a commit or a whole history lies in no file.
    place = f"{safe(finding.location)}: " if finding.path or finding.line else ""
    head = f"{place}{finding.severity}[{finding.code}]: {safe(finding.message)}\n"
    number = str(finding.line)
    if finding.line and finding.excerpt:
        head += f"  {number} | {safe(finding.excerpt)}\n  {' ' * len(number)} | {_caret(finding)}\n"
    return head + (f"  help: {safe(finding.help)}\n" if finding.help else "")


def _caret(finding: Finding) -> str:
    """The mark under the fault, measured on the line as shown: an escape is longer than its character."""
    at = max(finding.column, 1) - 1
    before, marked = finding.excerpt[:at], finding.excerpt[at : at + finding.length]
    return " " * width(safe(before)) + "^" + "~" * (width(safe(marked)) - 1)


def document(finding: Finding) -> dict[str, object]:
    """One finding as JSON data; without place, excerpt and help where it has none."""
    found: dict[str, object] = {
        "code": finding.code,
        "severity": finding.severity,
        "message": finding.message,
        "path": finding.path,
    }
    if finding.line:
        found |= {"line": finding.line, "column": max(finding.column, 1), "length": finding.length}
    if finding.excerpt:
        found["excerpt"] = finding.excerpt
    if finding.help:
        found["help"] = finding.help
    return found


def _json(findings: Sequence[Finding]) -> str:
    return json.dumps({"findings": [document(one) for one in findings]}, indent=2) + "\n"


def _github(findings: Sequence[Finding]) -> str:
    """Workflow commands: errors first, at most ten of each, then a notice of how many were left out."""
    lines = []
    left_out = 0
    for severity in _ORDER:
        these = [one for one in findings if one.severity == severity]
        lines += [_command(one) for one in these[:_GITHUB_LIMIT]]
        left_out += max(0, len(these) - _GITHUB_LIMIT)
    if left_out:
        more = plural(left_out, "finding")
        lines.append(f"::notice title=gitreg::{more} more, not shown here: --format json tells all\n")
    return "".join(lines)


def _command(finding: Finding) -> str:
    values = {"file": safe(finding.path)}
    if finding.line:
        column = max(finding.column, 1)
        values |= {"line": str(finding.line), "col": str(column), "endColumn": str(column + finding.length)}
    values["title"] = f"gitreg {finding.code}"
    told = ",".join(f"{key}={_property(value)}" for key, value in values.items() if value)
    message = safe(finding.message) + (f"\nhelp: {safe(finding.help)}" if finding.help else "")
    level = "error" if finding.severity == ERROR else "warning"
    return f"::{level} {told}::{_data(message)}\n"


def _data(value: str) -> str:
    # actions/toolkit, command.ts: what the runner turns back
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(value).replace(":", "%3A").replace(",", "%2C")


def _gitlab(findings: Sequence[Finding]) -> str:
    from gitreg.render.reports import gitlab

    return gitlab(findings)


def _sarif(findings: Sequence[Finding]) -> str:
    from gitreg.render.reports import sarif

    return sarif(findings)


def _junit(findings: Sequence[Finding]) -> str:
    from gitreg.render.reports import junit

    return junit(findings)


_FORMATS: dict[str, Callable[[Sequence[Finding]], str]] = {
    "text": text,
    "json": _json,
    "github": _github,
    "gitlab": _gitlab,
    "sarif": _sarif,
    "junit": _junit,
}
