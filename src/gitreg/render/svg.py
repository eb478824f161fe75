"""SVG pictures, written as text: elements, escaping, and how much room a text takes.

Pictures hold no script and name nothing outside themselves. The same values give the same bytes.
Colours follow the reader's light or dark mode; the picture brings its own background, so that it can be
read where the page around it has another mode than the browser.
"""

from __future__ import annotations

import unicodedata
from typing import NewType
from zlib import crc32

from gitreg.render.text import safe

Markup = NewType("Markup", str)
"""Text that is XML already. Anything else goes through ``escaped``."""

Value = str | float | None

_NARROW = frozenset("ijl.,:;'|!I ()[]{}")
_MIDDLING = frozenset('frt-"*/\\`°›‹')
_BROAD = frozenset("mwMW@%&—…→")

STYLE = """
.gitreg-picture {
  --paper: #ffffff; --edge: #d1d9e0; --ink: #1f2328; --soft: #59636e; --grid: #e6eaef; --on: #ffffff;
  --c0: #1a7f37; --c1: #0969da; --c2: #6e7781; --c3: #8250df; --c4: #bc4c00; --c5: #bf3989; --c6: #0e7490;
  --c7: #866000;
}
@media (prefers-color-scheme: dark) {
  .gitreg-picture {
    --paper: #0d1117; --edge: #3d444d; --ink: #e6edf3; --soft: #9198a1; --grid: #262c36; --on: #0d1117;
    --c0: #3fb950; --c1: #58a6ff; --c2: #8b949e; --c3: #a98bff; --c4: #f0883e; --c5: #f778ba; --c6: #39c5cf;
    --c7: #d4a72c;
  }
}
.gitreg-picture text {
  font-family: system-ui, -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif;
  font-size: 12px; fill: var(--ink);
}
.gitreg-picture .paper { fill: var(--paper); stroke: var(--edge); }
.gitreg-picture .soft { fill: var(--soft); }
.gitreg-picture .head { font-size: 15px; font-weight: 600; }
.gitreg-picture .grid { stroke: var(--grid); fill: none; }
.gitreg-picture .rule { stroke: var(--edge); fill: none; }
.gitreg-picture .on { fill: var(--on); }
"""
"""What every picture's style begins with: the colours as variables, ``--c0`` to ``--c7`` for kinds of things,
``--on`` for text that stands on one of them."""

COLOURS = 8
"""How many of ``--c0`` … there are."""


def escaped(text: str) -> Markup:
    """``text`` as XML character data or attribute value; what can't be seen is written as an escape.

    XML 1.0 can't hold control characters in any form, so they are shown as ``render.text.safe`` does.
    """
    shown = safe(text)
    for raw, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        shown = shown.replace(raw, entity)
    return Markup(shown)


def number(value: float) -> str:
    """A coordinate: at most two decimals, no trailing zeros, never ``-0``."""
    shown = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if shown == "-0" else shown


def element(tag: str, /, *children: Markup, title: str = "", **attributes: Value) -> Markup:
    """One element.

    Args:
        tag: Its name.
        children: What it holds; other text goes through ``escaped`` first.
        title: What browsers show under the pointer, and readers aloud.
        attributes: ``class_`` is ``class``, ``stroke_width`` is ``stroke-width``; None leaves one out.
            Numbers are written by ``number``, texts are escaped.
    """
    given = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{_written(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    held = (f"<title>{escaped(title)}</title>" if title else "") + "".join(children)
    return Markup(f"<{tag}{given}>{held}</{tag}>" if held else f"<{tag}{given}/>")


def _written(value: str | float) -> str:
    return escaped(value) if isinstance(value, str) else number(value)


def text(x: float, y: float, said: str, /, *, title: str = "", **attributes: Value) -> Markup:
    """A line of text; ``y`` is its baseline."""
    return element("text", escaped(said), title=title, x=x, y=y, **attributes)


def group(*children: Markup, title: str = "", **attributes: Value) -> Markup:
    """Elements that belong together, each on a line of its own."""
    return element("g", *(Markup(f"\n{child}") for child in children), title=title, **attributes)


def document(
    *children: Markup, width: float, height: float, title: str, description: str, style: str = ""
) -> str:
    """A whole picture.

    Args:
        children: Its elements, drawn in this order over the background.
        width: Pixels.
        height: Pixels.
        title: What it shows, in a few words; it is read aloud, and shown by browsers.
        description: The same in a sentence or two, for those who can't see it.
        style: CSS rules, added to ``STYLE``; each begins with ``.gitreg-picture``, so that a picture
            set into a page leaves the rest of that page alone.
    """
    key = f"{crc32(f'{title} {description}'.encode('utf-8', 'replace')):08x}"
    head = (
        element("title", escaped(title), id=f"t{key}"),
        element("desc", escaped(description), id=f"d{key}"),
        Markup(f"<style>{STYLE}{style}</style>"),
        element("rect", class_="paper", x=0.5, y=0.5, width=width - 1, height=height - 1, rx=8),
    )
    root = element(
        "svg",
        *(Markup(f"\n{child}") for child in (*head, *children)),
        Markup("\n"),
        xmlns="http://www.w3.org/2000/svg",
        width=width,
        height=height,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_labelledby=f"t{key} d{key}",
        class_="gitreg-picture",
    )
    return f"{root}\n"


def inlined(picture: str) -> str:
    """A whole picture without its style, for a page whose own style sheet has it (and allows no other)."""
    begin, end = picture.index("<style>"), picture.index("</style>") + len("</style>")
    return picture[:begin] + picture[end:]


def text_width(said: str, size: float = 12) -> float:
    """About how many pixels ``said`` takes in a sans-serif font of ``size`` pixels; rather too many."""
    return sum(map(_em, safe(said))) * size


def _em(char: str) -> float:
    if char in _NARROW:
        return 0.32
    if char in _MIDDLING:
        return 0.42
    if char in _BROAD:
        return 1.0
    if unicodedata.combining(char):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return 1.05
    return 0.7 if char.isupper() else 0.6


def shortened(said: str, room: float, size: float = 12) -> str:
    """``said``, or as much of its beginning as fits ``room`` pixels with ``…``; ``""`` if nothing does."""
    shown = safe(said)
    if text_width(shown, size) <= room:
        return shown
    left = room - text_width("…", size)
    kept = 0
    for char in shown:
        left -= _em(char) * size
        if left < 0:
            break
        kept += 1
    return f"{shown[:kept].rstrip()}…" if kept else ""
