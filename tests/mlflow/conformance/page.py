"""docs/mlflow-compatibility.md: one row a method, one column a major version of MLflow, and the deviations.

A run knows its own MLflow alone: the other's column is kept as it stands on the page.
"""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from .deviations import DEVIATIONS
from .methods import METHODS

if TYPE_CHECKING:
    from .collecting import Run

PAGE = Path(__file__).parents[3] / "docs" / "mlflow-compatibility.md"

HEAD = """\
# MLflow, method by method

Every method of MLflow's model registry store, asked of MLflow's own SQL store (on SQLite) and of gitreg's plugin
(`gitreg+file://…`) by the same checks, `tests/mlflow/conformance/`. "12 of 12" means that twelve checks passed on
both. Where the two differ on purpose, the check asserts both behaviours, and the last column names the difference:
see below. The tests write this page; `make test` fails when it says anything else than they do.

Beside these checks, `tests/mlflow/test_same_answers.py` asks both stores the same random sequences of calls, good
and bad, and compares every answer, error and time.
"""
TABLE = "| method | MLflow {three} | MLflow {two} | differences |\n| --- | --- | --- | --- |\n"
NO_METHOD = "no such method"
NOT_RUN = "not run"

Cells = dict[str, dict[str, str]]  # major version → method → cell


def write(run: Run) -> None:
    """Write the page with the run's column."""
    PAGE.write_text(_page(run, _old()), encoding="utf-8")


def outdated(run: Run) -> str:
    """Why the page is not what the run says; empty: it is. A page of another MLflow is not judged."""
    old = _old()
    major = _major(run.version)
    if PAGE.exists() and _versions(old).get(major) not in (run.version, None):
        return ""
    if old != _page(run, old):
        return "the page is not what the checks say"
    return ""


def _old() -> str:
    return PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""


def _major(version: str) -> str:
    return version.split(".", maxsplit=1)[0]


def _versions(page: str) -> dict[str, str]:
    found = re.search(r"^\| method \| MLflow (\S+) \| MLflow (\S+) \|", page, re.MULTILINE)
    return {} if found is None else {"3": found[1], "2": found[2]}


def _page(run: Run, old: str) -> str:
    major = _major(run.version)
    if major == "2":
        return _second_column(run, old)
    versions = {"3": "3", "2": "2"} | _versions(old) | {major: run.version}
    cells = {"3": {}, "2": {}} | _cells(old) | {major: _counted(run)}
    shown = _shown(run)
    parts = [HEAD]
    for title, methods in METHODS.items():
        rows = [_row(method, cells, shown.get(method, [])) for method in methods]
        parts.append(f"## {title}\n\n" + TABLE.format(three=versions["3"], two=versions["2"]) + "".join(rows))
    parts.append(_differences(run))
    return "\n".join(parts)


def _second_column(run: Run, old: str) -> str:
    """The page with MLflow 2's column alone made anew."""
    counted = _counted(run)
    page = re.sub(
        r"^(\| `([^`]+)` \| [^|]* \| )[^|]*(?= \|)",
        lambda row: row[1] + counted.get(row[2], NOT_RUN),
        old,
        flags=re.MULTILINE,
    )
    return re.sub(
        r"^(\| method \| MLflow \S+ \| MLflow )\S+", rf"\g<1>{run.version}", page, flags=re.MULTILINE
    )


def _row(method: str, cells: Cells, deviations: list[str]) -> str:
    links = ", ".join(f"[{DEVIATIONS[name].title}](#{name})" for name in deviations)
    columns = [cells[major].get(method, NOT_RUN) for major in ("3", "2")]
    return f"| `{method}` | {columns[0]} | {columns[1]} | {links} |\n"


def _cells(page: str) -> Cells:
    found: Cells = {"3": {}, "2": {}}
    for row in re.finditer(r"^\| `([^`]+)` \| ([^|]*) \| ([^|]*) \|", page, re.MULTILINE):
        found["3"][row[1]], found["2"][row[1]] = row[2], row[3]
    return found


def _counted(run: Run) -> dict[str, str]:
    passed: dict[str, list[bool]] = defaultdict(list)
    for check in run.checks.values():
        for method in check.methods:
            passed[method].append(all(check.passed.get(store, False) for store in run.stores))
    return {
        method: f"{sum(passed[method])} of {len(passed[method])}" if method in passed else NO_METHOD
        for methods in METHODS.values()
        for method in methods
    }


def _shown(run: Run) -> dict[str, list[str]]:
    """Method → the deviations that its checks show, in the order of the list."""
    return {
        method: [
            name
            for name in DEVIATIONS
            if any(c.deviation == name and method in c.methods for c in run.checks.values())
        ]
        for methods in METHODS.values()
        for method in methods
    }


def _differences(run: Run) -> str:
    text = "## Differences\n"
    for name, each in DEVIATIONS.items():
        told = sorted({c.told for c in run.checks.values() if c.deviation == name and c.told}, key=len)
        text += f'\n### <a id="{name}"></a>{each.title}\n\n'
        text += f"- MLflow: {each.mlflow}\n- gitreg: {each.gitreg}\n- Why: {each.why}\n"
        if told:
            shown = told[0] if len(told[0]) < 300 else told[0][:300] + " …"
            text += f"- The error: `{shown}`\n"
    return text
