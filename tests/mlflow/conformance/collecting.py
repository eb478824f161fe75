"""Hooks that count the conformance checks of a run, and keep docs/mlflow-compatibility.md as they say.

They are taken up by ``tests/conftest.py``, since the process that sees all reports of a run on several workers
loads no other. Set ``WRITE_TABLE=1`` to write the page.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PREFIX = "tests/mlflow/conformance/"
STORES = ("mlflow-sqlite", "gitreg")


@dataclass
class Counted:
    """One check: the same test on every store.

    Args:
        methods: What it is about.
        deviation: The deviation that it shows; empty: none.
        passed: Store → whether it passed there.
        told: gitreg's error, where the check noted it.
    """

    methods: tuple[str, ...] = ()
    deviation: str = ""
    passed: dict[str, bool] = field(default_factory=dict)
    told: str = ""


class Run:
    """What the reports of one run have told so far."""

    def __init__(self) -> None:
        self.stores = STORES
        self.seen: set[str] = set()
        self.expected = -1
        self.version = ""
        self.checks: dict[str, Counted] = defaultdict(Counted)

    def add(self, report: pytest.TestReport) -> None:
        """Take in a report; others than of conformance checks count for nothing."""
        known = dict(report.user_properties)
        if "conformance" not in known or report.when == "teardown":
            return
        self.seen.add(report.nodeid)
        self.expected, self.version = int(known["collected"]), known["mlflow"]
        if report.when != "call" or report.skipped or not known["methods"]:
            return
        check = self.checks[report.nodeid.replace(known["store"] or "-", "STORE")]
        check.methods, check.deviation = tuple(known["methods"]), known["deviation"]
        check.passed[known["store"]] = report.passed
        check.told = known.get("told", check.told)

    @property
    def whole(self) -> bool:
        """Whether every check was collected and run."""
        files = {nodeid.split("::")[0].removeprefix(PREFIX) for nodeid in self.seen}
        return len(self.seen) == self.expected and files == {path.name for path in HERE.glob("test_*.py")}


_RUN = Run()


def describe(item: pytest.Item, collected: int) -> None:
    """Write on an item what ``Run`` wants to know of it."""
    import mlflow

    function = getattr(item, "function", None)
    params = getattr(getattr(item, "callspec", None), "params", {})
    item.user_properties += [
        ("conformance", True),
        ("collected", collected),
        ("mlflow", mlflow.__version__),
        ("methods", list(getattr(function, "checks", ()))),
        ("deviation", getattr(function, "deviation", "")),
        ("store", params.get("kind", "")),
    ]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.nodeid.startswith(PREFIX):
        _RUN.add(report)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput") or not _RUN.seen or not _RUN.whole:
        return
    from .page import PAGE, outdated, write

    if os.environ.get("WRITE_TABLE"):
        write(_RUN)
    elif wrong := outdated(_RUN):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter:
            reporter.write_line(f"\nFAILED {PAGE.name}: {wrong}; WRITE_TABLE=1 writes it anew", red=True)
