"""The files that pages need: style sheets, scripts and the icon, each under a name that changes with it."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files

from gitreg.render import compare_svg, lineage_svg, plot_svg, svg, timeline_svg

TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
}
"""Ending of a file's name → its media type."""

FILES = ("app.css", "pictures.css", "app.js", "site.js", "htmx.min.js", "icon.svg")
"""All that pages name."""


@cache
def content(file: str) -> bytes:
    """What a file holds.

    Raises:
        KeyError: Pages name no such file.
    """
    if file not in FILES:
        raise KeyError(file)
    if file == "pictures.css":
        style = svg.STYLE + plot_svg.STYLE + timeline_svg.STYLE + lineage_svg.STYLE + compare_svg.STYLE
        return style.encode()
    return files("gitreg.web").joinpath("static", file).read_bytes()


@cache
def stamped(file: str) -> str:
    """Its name with a stamp of what it holds, for a browser to keep: ``app.css?v=1f2e3d4c``."""
    return f"{file}?v={sha256(content(file)).hexdigest()[:8]}"


@cache
def stamp() -> str:
    """A stamp of all files and templates together: pages differ when it does."""
    made = sha256()
    for name, text in [*((file, content(file)) for file in FILES), *_templates()]:
        made.update(name.encode() + b"\0" + text + b"\0")
    return made.hexdigest()[:16]


def _templates() -> list[tuple[str, bytes]]:
    folders = [files("gitreg.web").joinpath("templates")]
    found = []
    for folder in folders:
        for each in folder.iterdir():
            if each.is_dir():
                folders.append(each)
            else:
                found.append((f"{folder.name}/{each.name}", each.read_bytes()))
    return sorted(found)
