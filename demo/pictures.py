"""Draw the pictures of the README: ``python demo/pictures.py [FOLDER]``, by default in ``docs/pictures``.

They show the registry that ``example.py`` makes, as ``gitreg`` itself draws it. ``--review`` makes the one
that a browser draws: the review of the promotion that ``proposal.py`` proposes, as a hosting service shows
it. No two browsers draw the same bytes, so that one is looked at and kept.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
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


REVIEW = Path(__file__).resolve().parents[1] / "tests" / "render" / "golden" / "review.md"
WIDTH = 900  # pixels, of a comment
_STYLE = """
* { box-sizing: border-box }
body { margin: 0; padding: 24px; background: #fff; color: #1f2328;
  font: 14px/1.5 "DejaVu Sans", "Liberation Sans", sans-serif }
article { border: 1px solid #d0d7de; border-radius: 6px; padding: 8px 20px 12px }
code { font: 12px "DejaVu Sans Mono", monospace; background: #eff1f3; border-radius: 4px; padding: 2px 5px }
table { border-collapse: collapse; margin: 0 0 14px }
td, th { border: 1px solid #d0d7de; padding: 5px 11px; text-align: left }
tr:nth-child(2n) td { background: #f6f8fa }
h3 { font-size: 16px; margin: 18px 0 10px }
details { margin: 10px 0 } summary { font-weight: 600 }
ul { padding-left: 24px; margin: 0 0 10px } li { margin: 3px 0 } sub { color: #656d76 }
"""


def draw_review(file: Path) -> None:
    """Have Chromium draw the kept review, as high as it is."""
    from markdown_it import MarkdownIt

    signs = subprocess.run(["fc-list", ":charset=2705"], capture_output=True, text=True, check=True).stdout
    assert signs, "no font here has the signs: apt-get install fonts-noto-color-emoji"

    text = MarkdownIt("commonmark", {"html": True}).enable("table").render(REVIEW.read_text("utf-8"))
    told = "<script>document.title = document.documentElement.scrollHeight</script>"
    head = f'<!doctype html><meta charset="utf-8"><title></title><style>{_STYLE}</style>'
    with tempfile.TemporaryDirectory() as place:
        page = Path(place, "review.html")
        page.write_text(f"{head}<article>{text}</article>{told}", encoding="utf-8")
        shown = _browse(page, "--window-size=900,200", "--dump-dom")
        height = re.search(r"<title>(\d+)</title>", shown)
        assert height, "the page does not say how high it is"
        _browse(page, f"--window-size={WIDTH},{height[1]}", f"--screenshot={file}")


def _browse(page: Path, *options: str) -> str:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert browser, "no Chromium here: apt-get install chromium fonts-noto-color-emoji"
    fixed = ("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--lang=en")
    command = [browser, *fixed, "--force-device-scale-factor=1", *options, page.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout


if __name__ == "__main__":
    if sys.argv[1:2] == ["--review"]:
        draw_review(PICTURES / "review.png")
        raise SystemExit
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
