"""A lineage graph as a tree in the terminal: what the root came from, then what came from it."""

from __future__ import annotations

from dataclasses import dataclass, field

from gitreg.domain.lineage import Edge, Graph, Side
from gitreg.render.lineage import left_out, node_line, role_word
from gitreg.render.text import safe

_CAME, _LED = "came from", "led to"
_WORD = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Strokes:
    """The strokes that a tree is drawn with."""

    branch: str = "├─ "
    last: str = "└─ "
    through: str = "│  "
    blank: str = "   "
    more: str = "… "


ASCII = Strokes(branch="|- ", last="`- ", through="|  ", more="... ")
"""For terminals that can't show the others."""


@dataclass(slots=True, kw_only=True)
class _Row:
    text: str
    below: list[_Row] = field(default_factory=list)


def lineage_tree(graph: Graph, *, strokes: Strokes | None = None, beside: int | None = 8) -> list[str]:
    """The lines of the tree; a node that comes again is not told again.

    Args:
        graph: What to show.
        strokes: What to draw with; None: ``Strokes()``.
        beside: How many other versions that came from the same thing are named; None: all.
    """
    return _Tree(graph, strokes or Strokes(), beside).lines()


class _Tree:
    def __init__(self, graph: Graph, strokes: Strokes, beside: int | None) -> None:
        self.graph = graph
        self.strokes = strokes
        self.beside = beside
        self.incoming = graph.incoming()
        self.outgoing = graph.outgoing()
        self.told: set[tuple[str, Side]] = set()

    def lines(self) -> list[str]:
        root = self.graph.nodes[self.graph.root]
        if root.kind == "version":
            sides = ((_CAME, self.above(root.id)), (_LED, self.below(root.id)))
            parts = [_Row(text=head, below=rows) for head, rows in sides if rows]
            head = node_line(root, {})
        else:
            parts = self.below(root.id)
            head = f"{role_word(root.kind)}  {node_line(root, {})}"  # type: ignore[arg-type]
        return [head, *self._drawn(parts, "")]

    def _drawn(self, rows: list[_Row], space: str) -> list[str]:
        found = []
        for row in rows:
            end = row is rows[-1]
            found.append(space + (self.strokes.last if end else self.strokes.branch) + row.text)
            found += self._drawn(row.below, space + (self.strokes.blank if end else self.strokes.through))
        return found

    def above(self, node: str) -> list[_Row]:
        """What a node came from."""
        self.told.add((node, "upstream"))
        rows = [self._origin(edge) for edge in self.incoming.get(node, ())]
        return rows + self._cuts(node, "upstream")

    def _origin(self, edge: Edge) -> _Row:
        node = self.graph.nodes[edge.origin]
        row = _Row(text=f"{role_word(edge.role):<{_WORD}} {node_line(node, edge.detail)}")
        if (node.id, "upstream") in self.told:
            if self.incoming.get(node.id):
                row.text += " (see above)"
            return row
        row.below = self.above(node.id)
        if node.kind != "version":
            row.below += self._siblings(edge)
        return row

    def _siblings(self, edge: Edge) -> list[_Row]:
        """The other versions that came from the same thing, on one line."""
        others = [
            safe(self.graph.nodes[other.target].label)
            for other in self.outgoing.get(edge.origin, ())
            if other.target != edge.target and self.graph.nodes[other.target].kind == "version"
        ]
        if not others:
            return []
        left = sum(cut.count for cut in self.graph.cut(edge.origin, "downstream"))
        named = others[: self.beside]
        left += len(others) - len(named)
        said = ", ".join(named) + (f" and {left:,} more" if left else "")
        return [_Row(text=f"{'also in':<{_WORD}} {said}")]

    def below(self, node: str) -> list[_Row]:
        """What came from a node."""
        self.told.add((node, "downstream"))
        rows = []
        for edge in self.outgoing.get(node, ()):
            child = self.graph.nodes[edge.target]
            word = "copied to  " if edge.role == "copy" else ""
            row = _Row(text=word + node_line(child, edge.detail))
            if (child.id, "downstream") not in self.told:
                row.below = self.below(child.id)
            elif self.outgoing.get(child.id):
                row.text += " (see above)"
            rows.append(row)
        return rows + self._cuts(node, "downstream")

    def _cuts(self, node: str, side: Side) -> list[_Row]:
        return [
            _Row(text=self.strokes.more + left_out(cut, self.graph)) for cut in self.graph.cut(node, side)
        ]
