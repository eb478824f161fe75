"""Draw the pictures of the README: ``python demo/pictures.py [FOLDER]``, by default in ``docs/pictures``.

They show the registry that ``example.py`` makes, as ``gitreg`` itself draws it.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import example

PICTURES = Path(__file__).resolve().parents[1] / "docs" / "pictures"
DRAWN = {
    "timeline.svg": "gitreg timeline churn --at 2025-07-31",
    "lineage.svg": "gitreg lineage churn/7 --depth 1",
    "plot.svg": "gitreg plot churn --metric auc",
}


def draw(folder: Path) -> None:
    """Make the registry afresh and draw each picture of it in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        registry = Path(place, "registry")
        example.make(registry)
        environment = {**os.environ, "GITREG_REGISTRY": str(registry)}
        for name, command in DRAWN.items():
            words = [sys.executable, "-m", *shlex.split(command), "--svg", str(folder / name)]
            subprocess.run(words, env=environment, check=True)


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
