"""Findings as reports that other programs file: GitLab code quality, SARIF and JUnit."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from gitreg.domain.findings import Finding
from gitreg.manifest.rules import RULES
from gitreg.render.text import safe

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def gitlab(findings: Sequence[Finding]) -> str:
    """A code-quality report (GitLab's subset of the Code Climate format)."""
    seen: dict[str, int] = {}
    return json.dumps([_issue(one, seen) for one in findings], indent=2) + "\n"


def _issue(finding: Finding, seen: dict[str, int]) -> dict[str, Any]:
    return {
        "description": safe(_told(finding)),
        "check_name": finding.code,
        "fingerprint": _fingerprint(finding, seen),
        "severity": "major" if finding.severity == "error" else "minor",
        "location": {"path": finding.path, "lines": {"begin": max(finding.line, 1)}},
    }


def _fingerprint(finding: Finding, seen: dict[str, int]) -> str:
    # Without the line number: the same fault, pushed down by an edit above it, is not a new one.
    text = "\0".join((finding.code, finding.path, finding.message, finding.excerpt.strip()))
    seen[text] = seen.get(text, 0) + 1
    data = f"{text}\0{seen[text]}".encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()


def sarif(findings: Sequence[Finding]) -> str:
    """A log in SARIF 2.1.0 (OASIS), with the rules that were broken."""
    from gitreg import __version__

    codes = sorted({one.code for one in findings})
    driver = {
        "name": "gitreg",
        "version": __version__,
        "rules": [_rule(code) for code in codes],
    }
    results = [_result(one, codes.index(one.code)) for one in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    return json.dumps({"$schema": _SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.why},
        "help": {"text": f"gitreg explain {code}"},
    }


def _result(finding: Finding, index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(finding.path), "uriBaseId": "%SRCROOT%"}}
    if finding.line:
        column = max(finding.column, 1)
        place["region"] = {
            "startLine": finding.line,
            "startColumn": column,
            "endColumn": column + finding.length,
        }
    return {
        "ruleId": finding.code,
        "ruleIndex": index,
        "level": "error" if finding.severity == "error" else "warning",
        "message": {"text": safe(_told(finding))},
        "locations": [{"physicalLocation": place}],
    }


def _uri(path: str) -> str:
    from urllib.parse import quote

    return quote(path.encode("utf-8", "surrogateescape"))


def junit(findings: Sequence[Finding]) -> str:
    """A JUnit report: a test case for each file with findings; one that passed where there are none."""
    by_path: dict[str, list[Finding]] = {}
    for one in findings:
        by_path.setdefault(one.path, []).append(one)
    errors = sum(one.severity == "error" for one in findings)
    cases = [_case(path, these) for path, these in by_path.items()] or [
        '  <testcase classname="gitreg" name="check"/>'
    ]
    head = f'<testsuite name="gitreg check" tests="{len(cases)}" failures="{errors}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *cases, "</testsuite>"]) + "\n"


def _case(path: str, findings: Sequence[Finding]) -> str:
    lines = [f'  <testcase classname={_attribute(path)} name="check">']
    for one in findings:
        text = escape(f"{safe(one.location)}: {safe(_told(one))}")
        if one.severity == "error":
            lines.append(
                f"    <failure type={_attribute(one.code)} message={_attribute(one.message)}>{text}</failure>"
            )
        else:
            lines.append(f"    <system-out>{text}</system-out>")
    return "\n".join([*lines, "  </testcase>"])


def _attribute(text: str) -> str:
    return quoteattr(safe(text))


def _told(finding: Finding) -> str:
    return finding.message + (f" (help: {finding.help})" if finding.help else "")
