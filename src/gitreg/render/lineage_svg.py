"""A lineage graph as an SVG picture: what led to the root on its left, what came from it on its right."""

from __future__ import annotations

from collections.abc import Callable

from gitreg.domain.lineage import Graph, Node
from gitreg.render import svg
from gitreg.render.layout import Arc, Layout, layout
from gitreg.render.lineage import Box, Line, boxes
from gitreg.render.svg import Markup
from gitreg.render.text import plural

_HEIGHT = {"more": 20.0}
_TALL = 42.0
_GAP = 12.0
_BETWEEN = 76.0  # columns: room for the word on a line
_MARGIN = 24.0
_TITLE = 40.0
_NARROWEST, _WIDEST = 92.0, 230.0
_SURE = 0.93  # fonts differ: this much of a box is planned with
_COLOURS = {
    "version": 0, "run": 1, "source": 2, "experiment": 3, "dataset": 4, "external": 5, "code": 6,
}  # fmt: skip
STYLE = (
    """
.gitreg-picture .box { fill: var(--paper); stroke: var(--edge); }
.gitreg-picture .gone .box { stroke-dasharray: 4 3; }
.gitreg-picture .root .box { stroke: var(--c0); stroke-width: 2; }
.gitreg-picture .kind { font-size: 10px; fill: var(--soft); }
.gitreg-picture .root .label { font-weight: 600; }
.gitreg-picture .gone .label { fill: var(--soft); }
.gitreg-picture .line { fill: none; stroke: var(--soft); stroke-opacity: 0.65; }
.gitreg-picture .faint { stroke-dasharray: 2 3; }
.gitreg-picture .tip { fill: var(--soft); }
.gitreg-picture .word {
  font-size: 10px; fill: var(--soft); stroke: var(--paper); stroke-width: 4px; paint-order: stroke;
}
.gitreg-picture .end { text-anchor: end; }
"""
    + "\n".join(f".gitreg-picture .{kind} .bar {{ fill: var(--c{at}); }}" for kind, at in _COLOURS.items())
    + "\n"
)


def _nowhere(node: Node) -> str:
    return ""


def lineage_svg(graph: Graph, address: Callable[[Node], str] = _nowhere) -> str:
    """The picture of ``graph``, readable in light and dark.

    Args:
        graph: What it shows.
        address: Where a node's box leads whoever clicks on it; ``""``: nowhere.
    """
    found, lines = boxes(graph)
    arcs = [(line.origin, line.target) for line in lines]
    heights = {box.id: _HEIGHT.get(box.kind, _TALL) for box in found}
    root = next(box for box in found if box.root)
    placed = layout(root.id, heights, arcs, gap=_GAP)
    leads = {box.id: address(node) for box, node in zip(found, graph.nodes.values(), strict=False)}
    return _Picture(found, lines, placed, leads).drawn(root)


class _Picture:
    """Boxes with their places in pixels."""

    def __init__(self, found: list[Box], lines: list[Line], placed: Layout, leads: dict[str, str]) -> None:
        self.leads = leads
        self.boxes = {box.id: box for box in found}
        self.lines = lines
        self.words: list[Markup] = []  # they are drawn over all lines
        self.begins = {line.origin for line in lines}
        self.placed = placed
        count = max(placed.column.values()) + 1
        self.widths = [_NARROWEST] * count
        for box in found:
            at = placed.column[box.id]
            self.widths[at] = max(self.widths[at], min(_WIDEST, _room(box)))
        self.lefts = [_MARGIN + sum(self.widths[:at]) + at * _BETWEEN for at in range(count)]

    def drawn(self, root: Box) -> str:
        """The picture."""
        title = f"Lineage of {root.label}"
        width = max(
            self.lefts[-1] + self.widths[-1] + _MARGIN,
            svg.text_width(title, 15) + 2 * _MARGIN,
        )
        versions = sum(box.kind == "version" for box in self.boxes.values())
        others = len(self.boxes) - versions
        told = (
            f"{plural(versions, 'version')} and {plural(others, 'other thing')}; "
            "a line leads from what something came from to what came from it."
        )
        lines = [self._line(line) for line in self.lines]
        return svg.document(
            svg.text(_MARGIN, 28, svg.shortened(title, width - 2 * _MARGIN, 15), class_="head"),
            *lines,
            *self.words,
            *(self._box(box) for box in self.boxes.values()),
            width=width,
            height=self.placed.height + _TITLE + _MARGIN,
            title=title,
            description=told,
            style=STYLE,
        )

    def _middle(self, box: str) -> float:
        return self.placed.middle[box] + _TITLE

    def _box(self, box: Box) -> Markup:
        at = self.placed.column[box.id]
        left, width, middle = self.lefts[at], self.widths[at], self._middle(box.id)
        if box.kind == "more":
            # Its line begins at its right edge where it stands for what led to something.
            x, end = (left + width - 4, " end") if box.id in self.begins else (left + 4, "")
            return svg.text(x, middle + 4, f"… {box.label}", title=box.title, class_=f"soft{end}")
        top = middle - _TALL / 2
        room = (width - 24) * _SURE
        kind = box.note if box.kind == "version" and box.note else box.head
        classes = " ".join([box.kind, *(["root"] if box.root else []), *(["gone"] if box.gone else [])])
        drawn = svg.group(
            svg.element("rect", class_="box", x=left, y=top, width=width, height=_TALL, rx=6),
            svg.element("rect", class_="bar", x=left, y=top + 6, width=4, height=_TALL - 12, rx=2),
            svg.text(left + 14, top + 16, svg.shortened(kind, room, 10), class_="kind"),
            svg.text(left + 14, top + 32, svg.shortened(box.label, room), class_="label"),
            title=box.title,
            class_=classes,
        )
        where = self.leads.get(box.id)
        return svg.element("a", drawn, href=where) if where else drawn

    def _line(self, line: Line) -> Markup:
        begin, end = self.placed.column[line.origin], self.placed.column[line.target]
        arc: Arc = (line.origin, line.target)
        x, y = self.lefts[begin] + self.widths[begin], self._middle(line.origin)
        tip = self._middle(line.target)
        if begin >= end:
            return self._back(line, x, y, tip)
        path = [f"M{_at(x, y)}"]
        begun = (x, y)
        stops = [(at, height + _TITLE) for at, height in self.placed.bends[arc]]
        for column, height in (*stops, (end, tip)):
            left = self.lefts[column] - (5 if column == end else 0)
            path.append(f"C{_at(x + _BETWEEN / 2, y)} {_at(left - _BETWEEN / 2, height)} {_at(left, height)}")
            x, y = left, height
            if column != end:
                x += self.widths[column]
                path.append(f"H{svg.number(x)}")
        return self._drawn(line, " ".join(path), begun, (x, y))

    def _back(self, line: Line, x: float, y: float, tip: float) -> Markup:
        """A line that closes a cycle: it leaves to the right and comes back from the left."""
        left = self.lefts[self.placed.column[line.target]] - 5
        reach = _BETWEEN * 0.45
        below = max(y, tip) + _TALL
        path = (
            f"M{_at(x, y)} C{_at(x + reach, y)} {_at(x + reach, below)} {_at((x + left) / 2, below)} "
            f"S{_at(left - reach, tip)} {_at(left, tip)}"
        )
        return self._drawn(line, path, (x, y), (left, tip))

    def _drawn(self, line: Line, path: str, begin: tuple[float, float], tip: tuple[float, float]) -> Markup:
        x, y = tip
        parts = [
            svg.element("path", class_="line faint" if line.faint else "line", d=path),
            svg.element(
                "path", class_="tip", d=f"M{_at(x + 5, y)} {_at(x - 2, y - 3.5)} {_at(x - 2, y + 3.5)}z"
            ),
        ]
        if line.word:
            said = line.word if svg.text_width(line.word, 10) < _BETWEEN else line.word.split(" ", 1)[0]
            x, y = (tip[0] - 4, tip[1] - 6) if line.end else (begin[0] + 4, begin[1] - 4)
            style = "word end" if line.end else "word"
            self.words.append(svg.text(x, y, said, title=line.word, class_=style))
        return svg.group(*parts)


def _room(box: Box) -> float:
    kind = box.note if box.kind == "version" and box.note else box.head
    return max(svg.text_width(box.label) * (1.08 if box.root else 1), svg.text_width(kind, 10)) / _SURE + 28


def _at(x: float, y: float) -> str:
    return f"{svg.number(x)} {svg.number(y)}"
