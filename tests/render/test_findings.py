from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest

from gitreg.domain.findings import Finding
from gitreg.manifest.rules import RULES
from gitreg.render.findings import formats, render, summary

PATH = "models/churn/versions/2.yaml"
STAGE = Finding(
    code="GR012",
    message='stage: "Prodction" is not a stage of this registry',
    path=PATH,
    line=7,
    column=3,
    excerpt='  Prodction: "2026-11-23T10:00:00.123Z"',
    length=9,
    help='did you mean "Production"?',
)
GONE = Finding(code="GR103", message="the manifest of churn/1 is gone", path="models/churn/versions/1.yaml")
CRLF = Finding(code="GR009", message="line ends", path=PATH, line=1, column=1, severity="warning")
HOSTILE = Finding(
    code="GR011",
    message="a\x1b]0;b\x07: unknown field\n::error::forged",
    path="models/x%,:\x1b/model.yaml",
    line=1,
    column=3,
    excerpt="a\x1b\x1bkey\u202e: 1",
    length=4,
    help="100% <b>&",
)
ALL = [STAGE, GONE, CRLF, HOSTILE]


def test_text_points_at_the_fault() -> None:
    assert render([STAGE], "text") == (
        f'{PATH}:7:3: error[GR012]: stage: "Prodction" is not a stage of this registry\n'
        '  7 |   Prodction: "2026-11-23T10:00:00.123Z"\n'
        "    |   ^~~~~~~~~\n"
        '  help: did you mean "Production"?\n'
    )


def test_text_of_a_whole_file_has_no_place() -> None:
    assert render([GONE], "text") == f"{GONE.path}: error[GR103]: the manifest of churn/1 is gone\n"


def test_caret_stands_under_what_is_shown() -> None:
    lines = render([HOSTILE], "text").splitlines()
    mark = lines[2].index("^")
    assert lines[1][mark : mark + len(lines[2]) - mark] == "\\x1bkey"


def test_caret_counts_wide_characters_twice() -> None:
    wide = Finding(code="GR011", message="m", path="p", line=1, column=3, excerpt="模型x: 1", length=1)
    caret = render([wide], "text").splitlines()[2]
    assert caret == "    |     ^"


@pytest.mark.parametrize("format", formats())
def test_no_format_lets_control_characters_through(format: str) -> None:
    text = render(ALL, format)
    assert text.endswith("\n")
    assert not [char for char in text if char not in "\n" and not char.isprintable()]


@pytest.mark.parametrize("format", ["text", "github"])
def test_nothing_found_says_nothing(format: str) -> None:
    assert render([], format) == ""


def test_json_tells_all() -> None:
    found = json.loads(render(ALL, "json"))["findings"]
    assert found[0] == {
        "code": "GR012",
        "severity": "error",
        "message": STAGE.message,
        "path": PATH,
        "line": 7,
        "column": 3,
        "length": 9,
        "excerpt": STAGE.excerpt,
        "help": STAGE.help,
    }
    assert "line" not in found[1]


def test_github_commands_are_escaped() -> None:
    lines = render([HOSTILE], "github").splitlines()
    assert len(lines) == 1  # the forged command stays inside of the message
    assert lines[0].startswith("::error file=models/x%25%2C%3A\\x1b/model.yaml,line=1,col=3,endColumn=7,")
    assert lines[0].endswith("help: 100%25 <b>&")


def test_github_shows_ten_a_level_and_says_how_many_more() -> None:
    lines = render([*[CRLF] * 12, *[GONE] * 13], "github").splitlines()
    assert [line.split(" ")[0] for line in lines] == ["::error"] * 10 + ["::warning"] * 10 + ["::notice"]
    assert lines[-1].endswith("::5 findings more, not shown here: --format json tells all"), (
        "whichever command judged"
    )


def test_gitlab_has_what_the_merge_request_needs() -> None:
    issues = json.loads(render([*ALL, GONE], "gitlab"))
    for issue in issues:
        assert issue["description"] and issue["check_name"] in RULES
        assert issue["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert issue["location"]["path"] and issue["location"]["lines"]["begin"] >= 1
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)


def test_gitlab_fingerprint_stays_when_lines_move() -> None:
    moved = Finding(
        code=STAGE.code, message=STAGE.message, path=STAGE.path, line=9, column=3, excerpt=STAGE.excerpt
    )
    before, after = (json.loads(render([one], "gitlab"))[0]["fingerprint"] for one in (STAGE, moved))
    assert before == after


def test_sarif_has_the_structure_of_2_1_0() -> None:
    log = json.loads(render(ALL, "sarif"))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    for result, finding in zip(run["results"], ALL, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert result["level"] == finding.severity
        assert result["message"]["text"]
        place = result["locations"][0]["physicalLocation"]
        assert " " not in place["artifactLocation"]["uri"]
        assert ("region" in place) == bool(finding.line)
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 7,
        "startColumn": 3,
        "endColumn": 12,
    }


def test_junit_counts_errors_alone_as_failures() -> None:
    suite = ET.fromstring(render(ALL, "junit"))
    assert suite.tag == "testsuite"
    assert suite.get("failures") == "3" == str(len(suite.findall("testcase/failure")))
    assert suite.get("tests") == str(len(suite.findall("testcase"))) == "3"


def test_junit_without_findings_is_one_test_that_passed() -> None:
    suite = ET.fromstring(render([], "junit"))
    assert suite.get("tests") == "1" and not suite.findall("testcase/failure")


def test_summary() -> None:
    assert summary([], 1) == "checked 1 file: no findings"
    assert summary([CRLF, *ALL], 1200) == "checked 1,200 files: 3 errors, 2 warnings"
