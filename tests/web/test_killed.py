"""``kill -9`` while clients write: what was answered is there, what was not is whole or not there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.web.conftest import Git
from tests.web.serving import Served, served

pytestmark = pytest.mark.faults


def writer(server: Served, number: int, answered: list[str], enough: threading.Event) -> None:
    """Register versions until the server is gone."""
    for count in range(1000):
        source = f"s3://bucket/{number}/{count}"
        try:
            status, _ = server.post("model-versions/create", name="m", source=source)
        except OSError:
            return
        assert status == 200
        answered.append(source)
        if len(answered) >= 12:
            enough.set()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_was_answered_is_there(place: Path, git: Git, workers: str) -> None:
    with served(place, "--workers", workers) as server:
        assert server.post("registered-models/create", name="m")[0] == 200
        answered: list[str] = []
        enough = threading.Event()
        threads = [
            threading.Thread(target=writer, args=(server, each, answered, enough)) for each in range(4)
        ]
        for thread in threads:
            thread.start()
        assert enough.wait(120)
        os.killpg(server.process.pid, signal.SIGKILL)
        for thread in threads:
            thread.join()
    git("fsck", "--strict")
    with served(place) as server:
        status, said = server.get("model-versions/search?max_results=1000")
        assert status == 200
        found = {version["source"]: int(version["version"]) for version in said["model_versions"]}
        assert set(answered) <= set(found)
        assert sorted(found.values()) == list(range(1, len(found) + 1))
        assert server.post("model-versions/create", name="m", source="s3://bucket/after")[0] == 200
    for command in ("doctor", "check"):
        done = subprocess.run(
            [sys.executable, "-m", "gitreg", command], cwd=place, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
    assert len(git("tag", "--list", "m/v*").split()) == len(found) + 1
    assert git("status", "--porcelain") == ""
