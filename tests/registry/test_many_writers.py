"""Eight processes register into one model at once: every number is given once, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gitreg.registry.open import open_registry
from tests.registry.conftest import Git

_WRITER = """
import sys, gitreg
with gitreg.open(sys.argv[1]) as registry:
    for n in range(int(sys.argv[3])):
        print(registry.register("churn", f"s3://writer/{sys.argv[2]}/{n}").version, flush=True)
"""

WRITERS, EACH = 8, 50


def test_eight_writers(place: Path, git: Git) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(place), str(n), str(EACH)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for n in range(WRITERS)
    ]
    told: dict[int, str] = {}
    for n, writer in enumerate(writers):
        out, err = writer.communicate(timeout=300)
        assert writer.returncode == 0, err
        for at, line in enumerate(out.split()):
            assert int(line) not in told, "one number was given to two"
            told[int(line)] = f"s3://writer/{n}/{at}"
    total = WRITERS * EACH
    assert sorted(told) == list(range(1, total + 1))
    with open_registry(place) as registry:
        assert {v.version: v.source for v in registry.versions("churn")} == told
    assert len(git(place, "tag", "-l", "churn/v*").splitlines()) == total
    assert git(place, "rev-list", "--count", "main") == str(total + 1)
    assert git(place, "fsck", "--strict", "--no-dangling") == ""
    if (place / ".git").exists():
        assert git(place, "status", "--porcelain") == ""
