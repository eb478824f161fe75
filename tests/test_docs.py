"""The pages under ``docs``: what they show is what the commands print."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_ANSWER = "import pathlib, sys; import answers; sys.stdout.write(answers.answered(pathlib.Path(sys.argv[1]).read_text()))"


def steady(text: str) -> str:
    """``text`` without the ids of commits made just now, and without the index's file."""
    return re.sub(r"\b[0-9a-f]{10}\b|[0-9a-f]{16}\.db \(.*\)", "ID", text)


def printed(page: Path, script: str) -> str:
    """What a script of demo/ makes of a page."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(page)],
        cwd=ROOT / "demo",
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_history_shows_what_is_printed() -> None:
    page = ROOT / "docs" / "history.md"
    text = page.read_text(encoding="utf-8")
    assert text.count("\n$ gitreg ") >= 10
    assert steady(printed(page, _ANSWER)) == steady(text), "write it anew: python demo/answers.py"


@pytest.mark.mlflow
def test_moving_from_mlflow_goes_as_the_page_shows() -> None:
    page = ROOT / "docs" / "mlflow.md"
    text = page.read_text(encoding="utf-8")
    script = "import pathlib, sys; import moving; sys.stdout.write(moving.moved(pathlib.Path(sys.argv[1]).read_text()))"
    assert text.count("\n$ ") >= 15
    assert made_anew(printed(page, script)) == made_anew(text), "write it anew: python demo/moving.py"


def made_anew(text: str) -> str:
    """``text`` without what differs each time: times, and the ids of runs, models and commits."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?|\b\d{13}\b", "TIME", text)
    text = re.sub(r"(?m)^seconds\t.*$", "seconds", text)
    text = re.sub(r"\t(now|\d+ (second|minute)s?)\t", "\tAGE\t", text)
    return re.sub(r"\b(m-)?[0-9a-f]{10}(?:[0-9a-f]{22}|[0-9a-f]{30})?\b", "ID", text)


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
