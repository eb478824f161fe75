"""Requests made of the description, sent to a real server: it answers as the description says, and never breaks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.api_v1.conftest import Api
from tests.web.serving import served

# Which names, filters and dates are good is more than a schema can say: they are refused with 400.
EXCEPT = "positive_data_acceptance"
COMMAND = str(Path(sys.executable).with_name("schemathesis"))


@pytest.mark.parametrize(
    ("options", "phases", "examples"),
    [((), "coverage,fuzzing", 4), (("--at", "HEAD"), "fuzzing", 2)],
    ids=["admin", "read-only"],
)
def test_the_description_holds(
    full: Api, place: Path, tmp_path: Path, options: tuple[str, ...], phases: str, examples: int
) -> None:
    with served(place, *options) as server:
        done = subprocess.run(
            [
                *(COMMAND, "run", f"{server.url}/api/v1/openapi.json"),
                *("--phases", phases, "--max-examples", str(examples), "--seed", "20260115"),
                *("--exclude-checks", EXCEPT),
                *("--exclude-path", "/events", "--continue-on-failure", "--no-color", "--warnings", "off"),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
        log = server.log.read_text()
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr + log
    assert "Tested: 42" in done.stdout
    assert "Traceback" not in log
