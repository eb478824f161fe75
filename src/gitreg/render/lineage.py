"""A lineage graph in words, as JSON data, and as the boxes and lines that every picture of it draws."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gitreg.domain.lineage import Cut, Edge, Graph, Node, Role
from gitreg.render.text import safe, size

_KINDS: dict[str, str] = {
    "version": "version",
    "run": "run",
    "experiment": "experiment",
    "dataset": "data set",
    "code": "code",
    "source": "source",
    "external": "external",
}
_ROLES: dict[Role, str] = {"dataset": "data set", "copy": "copy of"}
_DIGEST = 19  # characters: "sha256:" and twelve digits tell digests apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One node as pictures show it.

    Attributes:
        id: ``n1``, ``n2`` … in the graph's order, so that no format has to escape it.
        kind: The node's kind; ``more`` stands for what is left out.
        head: What it is, in one or two words.
        label: Its main line.
        note: A second line, or ``""``.
        title: Everything, for the reader who points at it.
        root: Whether it was asked about.
        gone: Whether it is deleted or missing.
    """

    id: str
    kind: str
    head: str
    label: str
    note: str = ""
    title: str = ""
    root: bool = False
    gone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One edge as pictures show it, between ids of boxes.

    Attributes:
        origin: Where it begins.
        target: Where it ends.
        word: What is to be said of it, at its ``end`` or else at its beginning; or ``""``.
        end: Where the word belongs.
        faint: Whether it leads to what is left out.
    """

    origin: str
    target: str
    word: str = ""
    end: bool = False
    faint: bool = False


def boxes(graph: Graph) -> tuple[list[Box], list[Line]]:
    """What a picture of ``graph`` shows."""
    ids = {node: f"n{place}" for place, node in enumerate(graph.nodes, 1)}
    found = [_box(node, ids[node.id], root=node.id == graph.root) for node in graph.nodes.values()]
    lines = [
        Line(
            origin=ids[edge.origin],
            target=ids[edge.target],
            word=_line_word(edge),
            end=edge.role == "copy",
        )
        for edge in graph.edges
    ]
    for place, cut in enumerate(graph.cuts, 1):
        here, there = f"m{place}", ids[cut.node]
        found.append(
            Box(id=here, kind="more", head="", label=f"{cut.count:,} more", title=left_out(cut, graph))
        )
        origin, target = (here, there) if cut.side == "upstream" else (there, here)
        lines.append(Line(origin=origin, target=target, faint=True))
    return found, lines


def _box(node: Node, id: str, *, root: bool) -> Box:
    notes = _notes(node)
    return Box(
        id=id,
        kind=node.kind,
        head=_KINDS[node.kind],
        label=_box_label(node),
        note=notes[0] if notes else "",
        title="\n".join([f"{_KINDS[node.kind]} {node.label}", *notes]),
        root=root,
        gone=node.state != "present",
    )


def _box_label(node: Node) -> str:
    """A box has little room: of a repository its last part is enough to know it by."""
    repository, commit = node.detail.get("repository"), node.detail.get("commit")
    if node.kind != "code" or not repository or not commit:
        return node.label
    return f"{re.split(r'[/:]', repository.rstrip('/'))[-1]} at {commit[:10]}"


def _line_word(edge: Edge) -> str:
    if edge.role == "copy":
        return "copied"
    return "uncommitted changes" if edge.detail.get("dirty") else ""


def _notes(node: Node) -> list[str]:
    """What is worth saying beside a node's label, the most telling first."""
    told = state_of(node)
    found = [told] if told else []
    detail = node.detail
    for key in ("uri", "digest", "run_link"):
        if detail.get(key) and detail[key] != node.label:
            found.append(short_digest(detail[key]) if key == "digest" else str(detail[key]))
    if "size" in detail:
        found.append(size(detail["size"]))
    return found


def state_of(node: Node) -> str:
    """What is to be said of a version: its stages, that it is deprecated, deleted or missing; else ``""``."""
    if node.state == "deleted":
        return "deleted"
    if node.state == "missing":
        return "not in this registry"
    said = list(node.detail.get("stages", ()))
    if node.detail.get("deprecated"):
        said.append("deprecated")
    return ", ".join(said)


def role_word(role: Role) -> str:
    """What a thing was to the version that came from it: ``data set``, ``parent``."""
    return _ROLES.get(role, role)


def node_line(node: Node, use: Mapping[str, Any]) -> str:
    """A node on one line, with what is true of one use of it (an edge's detail)."""
    said = [
        node.label,
        f"({state_of(node)})" if state_of(node) and node.state != "present" else state_of(node),
    ]
    if node.kind != "version":
        said = [node.label, *_notes(node)]
    for key in ("path", "uri", "digest"):
        if use.get(key):
            said.append(short_digest(use[key]) if key == "digest" else str(use[key]))
    if use.get("dirty"):
        said.append("(with uncommitted changes)")
    return safe("  ".join(filter(None, said)))


def short_digest(digest: str) -> str:
    """Enough of a digest to know it by."""
    return digest if len(digest) <= _DIGEST + 1 else f"{digest[:_DIGEST]}…"


def left_out(cut: Cut, graph: Graph) -> str:
    """``12 more, --depth 6``: what a graph leaves out and the option that shows it."""
    how = f"--depth {graph.depth + 1}" if cut.reason == "depth" else "--all"
    return f"{cut.count:,} more, {how}"


def lineage_document(graph: Graph) -> dict[str, Any]:
    """A graph as JSON data; edges run from what something came from to what came from it."""
    found: dict[str, Any] = {
        "commit": graph.commit,
        "root": graph.root,
        "depth": graph.depth,
        "nodes": [
            {"id": node.id, "kind": node.kind, "label": node.label, "state": node.state, **node.detail}
            for node in graph.nodes.values()
        ],
        "edges": [
            {"from": edge.origin, "to": edge.target, "role": edge.role, **edge.detail} for edge in graph.edges
        ],
    }
    if graph.cuts:
        found["left_out"] = [
            {"node": cut.node, "side": cut.side, "count": cut.count, "reason": cut.reason}
            for cut in graph.cuts
        ]
    return found


def lineage_rows(graph: Graph) -> Iterator[tuple[str, ...]]:
    """One row an edge: its role, where it begins (kind, label, URI, digest, state), where it ends."""
    for edge in graph.edges:
        node, target = graph.nodes[edge.origin], graph.nodes[edge.target]
        uri = node.detail.get("uri") or node.detail.get("repository") or ""
        exact = node.detail.get("digest") or node.detail.get("commit") or ""
        yield edge.role, node.kind, node.label, uri, exact, node.state, target.kind, target.label
