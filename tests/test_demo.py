"""``make demo`` runs to its end, and plain Git reads the registry that it leaves."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_RUN = "import pathlib, sys; import run; run.FOLDER = pathlib.Path(sys.argv[1]); run.main()"


@pytest.mark.mlflow
def test_demo(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    command = [sys.executable, "-c", _RUN, str(place)]
    done = subprocess.run(command, cwd=ROOT / "demo", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checked 4 files: no findings" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

    def git(*args: str) -> list[str]:
        asked = ["git", "-C", str(place / "registry"), *args]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()

    assert git("log", "--format=%s")[::-1][1:] == [
        "tumor-classifier: register version 1",
        "tumor-classifier: transition version 1 to Staging",
        "tumor-classifier: transition version 1 to Production (from Staging)",
        "tumor-classifier: register version 2",
        "tumor-classifier: transition version 2 to Staging",
        "tumor-classifier: transition version 2 to Production (from Staging)",
    ]
    assert {"tumor-classifier/v1", "tumor-classifier/v2", "tumor-classifier/Production/2"} <= set(git("tag"))
    changed = [line for line in git("diff", "-U0", "HEAD~1", "HEAD") if re.match(r"[+-][^+-]", line)]
    assert [line.split(":")[0].lstrip("+- ") for line in changed] == [
        *("updated", "updated", "Production", "Archived"),
        *("updated", "updated", "Staging", "Production"),
    ]
    manifest = "\n".join(git("show", "HEAD:models/tumor-classifier/versions/2.yaml"))
    for said in ("run_id:", "experiment: tumors", "datasets:", "signature:", "auc: 0.98", "sha256:"):
        assert said in manifest
    assert git("status", "--porcelain") == []
