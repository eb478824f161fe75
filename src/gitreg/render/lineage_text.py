"""A lineage graph as text that other programs draw: Mermaid and Graphviz's DOT."""

from __future__ import annotations

from gitreg.domain.lineage import Graph
from gitreg.render.lineage import Box, Line, boxes
from gitreg.render.text import safe

_MOST = 60  # characters of a label
# Opening and closing of a Mermaid node, and Graphviz's name for about the same shape.
_SHAPES: dict[str, tuple[str, str, str]] = {
    "version": ("[", "]", "box"),
    "run": ("([", "])", "ellipse"),
    "experiment": ("(", ")", "folder"),
    "dataset": ("[(", ")]", "cylinder"),
    "code": ("{{", "}}", "hexagon"),
    "source": ("[/", "/]", "parallelogram"),
    "external": ("[[", "]]", "component"),
    "more": ("(", ")", "plaintext"),
}
# "#" begins Mermaid's own character references; "%%{" would begin a directive even inside of quotes, and
# "`" Markdown. The order matters: "#" is first.
_MERMAID = (
    ("#", "#35;"),
    ("&", "#amp;"),
    ('"', "#quot;"),
    ("<", "#lt;"),
    (">", "#gt;"),
    ("`", "#96;"),
    ("%", "#37;"),
)
# Graphviz reads entities and backslashes in labels.
_DOT = (("&", "&amp;"), ("\\", "\\\\"), ('"', '\\"'))


def mermaid(graph: Graph) -> str:
    """``graph LR`` for Mermaid, as GitHub and GitLab draw it in Markdown."""
    found, lines = boxes(graph)
    out = ["graph LR"]
    for box in found:
        begin, end, _ = _SHAPES[box.kind]
        out.append(f'  {box.id}{begin}"{_said(box, "<br/>", _MERMAID)}"{end}')
    out += [f"  {line.origin} {_arrow(line)} {line.target}" for line in lines]
    for name, style, chosen in (
        ("root", "stroke-width:3px", [box.id for box in found if box.root]),
        ("gone", "stroke-dasharray:4 3", [box.id for box in found if box.gone]),
        ("more", "stroke:none,fill:none", [box.id for box in found if box.kind == "more"]),
    ):
        if chosen:
            out += [f"  classDef {name} {style}", f"  class {','.join(chosen)} {name}"]
    return "\n".join(out) + "\n"


def _arrow(line: Line) -> str:
    arrow = "-.->" if line.faint else "-->"
    return f"{arrow}|{line.word}|" if line.word else arrow


def dot(graph: Graph) -> str:
    """A ``digraph`` for Graphviz, drawn from left to right."""
    found, lines = boxes(graph)
    out = [
        "digraph lineage {",
        "  rankdir=LR;",
        '  node [shape=box, fontname="Helvetica", fontsize=11];',
        '  edge [fontname="Helvetica", fontsize=9, arrowsize=0.7];',
    ]
    for box in found:
        style = ', style="bold"' if box.root else ', style="dashed"' if box.gone else ""
        label, tip = _said(box, "\\n", _DOT), _escaped(box.title.replace("\n", ", "), _DOT)
        shape = _SHAPES[box.kind][2]
        out.append(f'  {box.id} [shape={shape}, label="{label}", tooltip="{tip}"{style}];')
    for line in lines:
        given = [f'label="{line.word}"'] * bool(line.word) + ["style=dotted"] * line.faint
        shown = f" [{', '.join(given)}]" if given else ""
        out.append(f"  {line.origin} -> {line.target}{shown};")
    return "\n".join([*out, "}"]) + "\n"


def _said(box: Box, newline: str, signs: tuple[tuple[str, str], ...]) -> str:
    head = "" if box.kind in ("version", "more") else box.head
    parts = (head, box.label, box.note if box.kind == "version" else "")
    return newline.join(_escaped(part, signs) for part in parts if part)


def _escaped(text: str, signs: tuple[tuple[str, str], ...]) -> str:
    shown = safe(text if len(text) <= _MOST else text[: _MOST - 1] + "…")
    for sign, instead in signs:
        shown = shown.replace(sign, instead)
    return shown
