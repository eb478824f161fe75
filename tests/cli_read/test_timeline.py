from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.registry.registry import Registry
from tests.cli_read.conftest import Git, Run

_NS = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def promoted(filled: Path, registry: Registry) -> Path:
    """churn/3 took Production from churn/2."""
    registry.transition("churn/3", "Production", archive_existing=True)
    return filled


def test_the_table_tells_who_held_each_stage_newest_first(run: Run, git: Git, promoted: Path) -> None:
    rows = run("timeline", "churn").rows
    assert [(row["stage"], row["version"], bool(row["until"])) for row in rows] == [
        ("Production", "3", False),
        ("Archived", "2", False),
        ("Production", "2", True),
    ]
    head = git("rev-parse", "HEAD", at=promoted)
    assert rows[0]["commit_since"] == rows[2]["commit_until"] == head
    assert rows[0]["since"] == rows[2]["until"]
    assert {row["given_by"] for row in rows} == {"Ada Lovelace"}
    assert rows[2]["seconds"].isdigit()


def test_the_json_document_has_lanes_with_bars(run: Run, promoted: Path) -> None:
    found = run("timeline", "churn", "--json").json
    assert found["name"] == "churn"
    assert [lane["stage"] for lane in found["lanes"]] == ["Production", "Archived"]
    first, second = found["lanes"][0]["bars"]
    assert (first["version"], second["version"]) == (2, 3)
    assert first["commit_until"] == second["commit_since"] == found["commit"]
    assert second["until"] is None


def test_the_model_may_be_given_as_a_uri(run: Run, promoted: Path) -> None:
    found = run("timeline", "models:/churn", "--json").json
    assert found == run("timeline", "churn", "--json").json and found["name"] == "churn"


def test_nothing_lasts_less_than_no_time(
    run: Run, filled: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = filled / "models/churn/versions/1.yaml"
    plain = file.read_text()
    for time, text in (
        ("2026-11-20T12:00:00Z", plain + 'stages:\n  Staging: "2026-11-20T12:00:00.000Z"\n'),
        ("2026-11-20T11:00:00Z", plain),
    ):
        file.write_text(text)
        monkeypatch.setenv("GIT_COMMITTER_DATE", time)
        git("commit", "-qam", "by hand", at=filled)
    (row,) = run("timeline", "churn", "--stage", "Staging").rows
    assert (row["since"], row["until"]) == ("2026-11-20T12:00:00.000Z", "2026-11-20T11:00:00.000Z")
    assert row["seconds"] == "0"


def test_the_past_is_told_as_it_was(run: Run, promoted: Path) -> None:
    before = run("timeline", "churn", "--at", "HEAD~1").rows
    assert [(row["stage"], row["version"], row["until"]) for row in before] == [("Production", "2", "")]
    assert run("timeline", "churn", "--at", "HEAD~3").rows == []


def test_one_stage_or_one_time_can_be_asked_for(run: Run, promoted: Path) -> None:
    assert [row["version"] for row in run("timeline", "churn", "--stage", "archived").rows] == ["2"]
    assert run("timeline", "churn", "--stage", "Staging").rows == []
    assert run("timeline", "churn", "--until", "2020-01-01").rows == []
    assert len(run("timeline", "churn", "--since", "2020-01-01").rows) == 3
    assert len(run("timeline", "churn", "-n", 1).rows) == 1


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("churm",), 3, 'did you mean "churn"?'),
        (("churn", "--stage", "Prodction"), 3, 'did you mean "Production"?'),
        (("churn", "--since", "yesterday"), 3, "--since"),
        (("churn", "--since", "2026-02-01", "--until", "2026-01-01"), 2, "--until lies before --since"),
        (("churn", "--svg", "-", "--json"), 2, "exclude each other"),
        (("churn", "--svg", "no/such/folder/x.svg"), 7, "no/such/folder/x.svg"),
        (("churn", "--at", "nowhere"), 3, "there is no commit"),
        (("churn/2",), 2, "churn/2 is a version: the timeline is of a model"),
        (("models:/churn/2",), 2, "help: gitreg timeline churn\n"),
        (("churn@champion",), 2, "help: gitreg timeline churn\n"),
        (("models:/churm",), 3, 'did you mean "churn"?'),
    ],
)
def test_what_is_wrong_is_said(run: Run, promoted: Path, args: tuple[str, ...], code: int, said: str) -> None:
    result = run("timeline", *args, code=code)
    assert said in result.err
    assert result.out == ""


def test_the_picture_goes_to_a_file_or_to_stdout_and_stays_the_same(
    run: Run, promoted: Path, tmp_path: Path
) -> None:
    file = tmp_path / "picture.svg"
    said = run("timeline", "churn", "--svg", file)
    assert said.out == ""
    assert str(file) in said.err
    assert run("timeline", "churn", "--svg", "-").out == file.read_text()
    root = ET.fromstring(file.read_bytes())
    tips = [one.text or "" for one in root.iter(f"{_NS}title")]
    assert any(tip.startswith("Production: version 3 since") for tip in tips)


def test_a_terminal_gets_lanes_and_a_table(terminal: Callable[..., str], promoted: Path) -> None:
    said = terminal("timeline", "churn")
    plain = re.sub(r"\x1b\[[\d;]*m", "", said)
    lane, *_ = plain.splitlines()
    assert lane.startswith("Production")
    assert "v3" in lane
    assert re.search(r"^Production +2 +\d{4}-\d\d-\d\d \d\d:\d\d +\d{4}", plain, re.M)
    assert re.search(r"^Production +3 .* now +\d+ (s|min) ", plain, re.M)


def test_colours_are_left_out_when_nobody_wants_them(
    terminal: Callable[..., str], promoted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\x1b[32" in terminal("timeline", "churn")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in terminal("timeline", "churn")


def test_a_terminal_without_unicode_gets_ascii(
    terminal: Callable[..., str], promoted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    said = terminal("timeline", "churn")
    assert said.isascii()
    assert "=" in said.splitlines()[0]


def test_a_long_table_is_cut_and_says_so(
    terminal: Callable[..., str], registry: Registry, filled: Path
) -> None:
    for _ in range(11):
        registry.assign("churn/1", "Staging")
        registry.unassign("churn/1", "Staging")
        registry.assign("churn/2", "Staging")
        registry.unassign("churn/2", "Staging")
    said = terminal("timeline", "churn")
    assert "and 3 more: gitreg timeline -n 23 -- churn" in said
    assert "more" not in terminal("timeline", "churn", "-n", 23)


def test_a_model_without_a_past_says_so_and_draws_nothing(
    run: Run, terminal: Callable[..., str], filled: Path
) -> None:
    assert run("timeline", "fraud").rows == []
    assert run("timeline", "fraud", "--json").json["lanes"] == []
    assert ET.fromstring(run("timeline", "fraud", "--svg", "-").out).tag == f"{_NS}svg"
    assert "gitreg transition" in terminal("timeline", "fraud")


def test_a_reader_imports_nothing_that_only_writers_need(run: Run, promoted: Path) -> None:
    run("timeline", "churn")  # makes the index
    code = (
        "import sys, json; from gitreg.cli import app; app.run(['timeline', 'churn']); "
        "app.run(['plot', 'churn', '--metric', 'auc']); "
        "sys.stderr.write(json.dumps([m for m in ('git', 'jsonschema', 'rich') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stderr) == []


def test_the_width_is_the_terminal_s(promoted: Path) -> None:
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "50", "TERM": "xterm", "NO_COLOR": "1"}
    argv = [sys.executable, "-m", "gitreg", "timeline", "churn"]
    subprocess.run(argv, stdout=theirs, env=env, check=True)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert max(len(row.rstrip("\r\n")) for row in said.splitlines()) <= 50
