from __future__ import annotations

import pytest

from gitreg.domain.settings import Settings
from gitreg.manifest.check import check_file
from gitreg.manifest.layout import Layout

GOOD = """\
version: 7
created: "2026-11-23T10:00:00.123Z"
updated: "2026-11-23T10:00:00.123Z"
source: runs:/0a1b2c/model
stages:
  Staging: "2026-11-23T10:00:00.123Z"
"""
PATH = "models/Fraud/versions/7.yaml"


def check(text: str, path: str = PATH) -> list[tuple[str, int, int]]:
    found = check_file(text.encode(), path, Layout(), Settings())
    assert all(one.path == path for one in found)
    return [(one.code, one.line, one.column) for one in found]


def test_a_good_file_has_no_findings() -> None:
    assert check(GOOD) == []


@pytest.mark.parametrize("path", ["README.md", "models/Fraud/README.md", "schemas/x.json"])
def test_files_that_hold_no_values_are_not_judged(path: str) -> None:
    assert check("anything: [", path) == []


def test_a_stray_file() -> None:
    assert check(GOOD, "models/Fraud/versions/07.yaml") == [("GR102", 0, 0)]


def test_a_stage_that_the_registry_does_not_have() -> None:
    text = GOOD.replace("Staging", "Prodction")
    (finding,) = check_file(text.encode(), PATH, Layout(), Settings())
    assert (finding.code, finding.line, finding.column, finding.length) == ("GR012", 6, 3, 9)
    assert finding.message == 'stage: "Prodction" is not a stage of this registry'
    assert finding.help == 'did you mean "Production"?'
    assert check_file(text.encode(), PATH, Layout(), None) == []


def test_a_stage_in_another_spelling() -> None:
    assert check(GOOD.replace("Staging", "staging")) == [("GR012", 6, 3)]


def test_crlf_is_a_warning() -> None:
    (finding,) = check_file(GOOD.replace("\n", "\r\n").encode(), PATH, Layout(), Settings())
    assert (finding.code, finding.severity) == ("GR010", "warning")


@pytest.mark.parametrize(
    ("text", "path", "want"),
    [
        (GOOD, "models/Fraud/versions/8.yaml", [("GR016", 1, 10)]),
        (GOOD, "models/Fraud/model.yaml", [("GR013", 1, 1), ("GR011", 1, 1)]),
        ("", PATH, [("GR017", 1, 1)]),
        ("null\n", PATH, [("GR017", 1, 1)]),
        ("- a\n", PATH, [("GR017", 1, 1)]),
        ("format: 9\n", "gitreg.yaml", [("GR022", 1, 9)]),
        ("format: 1\nstages: [Live, LIVE]\n", "gitreg.yaml", [("GR020", 2, 16)]),
    ],
)
def test_the_path_decides_what_the_file_must_be(
    text: str, path: str, want: list[tuple[str, int, int]]
) -> None:
    assert check(text, path)[: len(want)] == want
