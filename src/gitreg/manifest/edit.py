"""Span edits: a file changed by splicing the spans that must change, so that a person's text survives.

Where the spans are comes from the parser's marks. The result is parsed again; unless it holds
exactly what was meant, and every comment outside of what was replaced, the edit is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from gitreg.domain.names import shown
from gitreg.errors import IntegrityError, InvalidManifests
from gitreg.manifest import emit, scalars, spans
from gitreg.manifest.fields import Kind, sort_keys
from gitreg.manifest.yaml import Document, parse

Data = dict[str, Any]


def edited(kind: Kind, before: bytes, data: Data, path: str, again: Callable[[Document], Data]) -> bytes:
    """The bytes of ``before`` changed to hold ``data``, with all else as it stands.

    Args:
        kind: Which schema the file keeps to.
        before: The file as it is; must be valid.
        data: What it is to hold, as ``encode`` gives it.
        path: How messages name the file.
        again: From a parsed file to what ``encode`` gives for it.

    Raises:
        InvalidManifests: ``before`` is not valid.
        IntegrityError: The result would not be what was meant.
    """
    document = parse(before, path)
    old = again(document)
    text = document.source.text
    if same(old, data):
        return text.encode()
    edit = _Edit(kind, text)
    assert isinstance(document.node, MappingNode)  # the schema wants one
    edit.node(document.node, document.data, old, data, ())
    result = edit.result()
    try:
        after = parse(result.encode(), path)
        right = same(again(after), data) and same(after.data, _meant(document.data, old, data))
    except InvalidManifests:
        right = False
    if not right or edit.lost_comment():
        raise IntegrityError(
            f"refused to edit {shown(path)}: the change can't be made without touching more than it must",
            where=path,
            hint=f"gitreg fmt {path}",
        )
    return result.encode()


def same(one: Any, other: Any) -> bool:
    """Equality that tells 1 from 1.0 and True, and 0.0 from -0.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and (type(one) is not float or repr(one) == repr(other))


def _meant(raw: Any, old: Any, new: Any) -> Any:
    """``raw``, which says ``old`` in a person's words, with what differs between old and new changed."""
    if same(old, new):
        return raw
    if not (isinstance(raw, dict) and isinstance(old, dict) and isinstance(new, dict)):
        return _meant_list(raw, old, new)
    out = {key: value for key, value in raw.items() if key in new or key not in old}
    for key, value in new.items():
        if key not in old or not same(old[key], value):
            out[key] = _meant(raw[key], old[key], value) if key in raw and key in old else value
    return out


def _meant_list(raw: Any, old: Any, new: Any) -> Any:
    if not (isinstance(raw, list) and isinstance(old, list) and isinstance(new, list)):
        return new
    head, tail = _common_ends(old, new)
    return raw[:head] + new[head : len(new) - tail] + raw[len(raw) - tail :]


def _common_ends(old: list[Any], new: list[Any]) -> tuple[int, int]:
    head = 0
    shorter = min(len(old), len(new))
    while head < shorter and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < shorter - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    return head, tail


class _Edit:
    """Splices gathered over one text, applied at the end."""

    def __init__(self, kind: Kind, text: str) -> None:
        self._kind = kind
        # A missing final newline would glue an appended line to the last one.
        self._text = text if text.endswith("\n") else text + "\n"
        self._splices: list[tuple[int, int, str]] = []
        self.replaced: list[tuple[int, int]] = []

    def result(self) -> str:
        out, at = [], 0
        # Insertions go before a removal that begins at the same place.
        for start, end, new in sorted(self._splices, key=lambda splice: splice[:2]):
            out += [self._text[at:start], new]
            at = end
        return "".join([*out, self._text[at:]])

    def lost_comment(self) -> bool:
        """Whether a splice cuts out a comment that belongs to no node that was replaced."""
        return any(
            self._text[at] == "#" and not any(a <= at < b for a, b in self.replaced)
            for start, end, _ in self._splices
            if "#" in self._text[start:end]
            for at in range(start, end)
        )

    def _splice(self, start: int, end: int, new: str) -> None:
        self._splices.append((start, end, new))

    def node(self, node: MappingNode, raw: Data, old: Data, new: Data, path: tuple[str, ...]) -> None:
        """Change a mapping from ``old`` to ``new``; ``raw`` is ``old`` in a person's words."""
        if spans.is_flow(node):
            start, end = node.start_mark.index, node.end_mark.index
            self._splice(start, end, emit.scalar(_meant(raw, old, new)))
            self.replaced.append((start, end))
            return
        entries = {key.value: (key, value) for key, value in node.value}
        for name in old:
            if name not in new and name in entries:
                self._remove(*entries[name])
        added = []
        for name, value in new.items():
            if name in old and same(old[name], value):
                continue
            if name in entries:
                self._change(*entries[name], (raw[name], old.get(name), value), (*path, name))
            else:
                added.append(name)
        for name in added:
            self._insert(node, name, new[name], path)

    def _remove(self, key: Node, value: Node) -> None:
        start = spans.line_start(self._text, key.start_mark.index)
        end = spans.line_end(self._text, spans.end_of(self._text, value)) + 1
        self._splice(start, end, "")
        self.replaced.append((start, end))

    def _insert(self, node: MappingNode, name: str, value: Any, path: tuple[str, ...]) -> None:
        """Add an entry behind the one that it follows in canonical order, at the end of an unsorted map."""
        names = [key.value for key, _ in node.value]
        ordered = not path or names == sort_keys(self._kind, path, names)
        place = _behind_predecessor(sort_keys(self._kind, path, {*names, name}), names, name)
        place = place if ordered else len(names)
        first = node.value[0][0]
        indent = " " * first.start_mark.column
        if place:  # not in front of the next one: comments above that stay with it
            at = self._behind(*node.value[place - 1])
        elif path:
            at = self._behind_header(first)
        else:
            at = spans.line_start(self._text, first.start_mark.index)
        self._splice(at, at, emit.entry(name, value, indent))

    def _behind(self, key: Node, value: Node) -> int:
        """Start of the line behind an entry; comments that are indented as its own go with it."""
        at = spans.line_end(self._text, spans.end_of(self._text, value)) + 1
        while True:
            line = self._text[at : spans.line_end(self._text, at)]
            column = len(line) - len(line.lstrip(" "))
            if not line.startswith("#", column) or column <= key.start_mark.column:
                return at
            at += len(line) + 1

    def _behind_header(self, first: Node) -> int:
        """Start of the first line of a nested map: comments above its first entry included."""
        at = spans.line_start(self._text, first.start_mark.index)
        while True:
            above = spans.line_start(self._text, at - 1)
            line = self._text[above:at].strip()
            if line and not line.startswith("#"):
                return at
            at = above

    def _change(self, key: Node, node: Node, values: tuple[Any, Any, Any], path: tuple[str, ...]) -> None:
        raw, old, new = values
        if (
            isinstance(node, MappingNode)
            and node.value
            and isinstance(old, dict)
            and isinstance(new, dict)
            and new
        ):
            self.node(node, raw, old, new, path)
        elif not (
            isinstance(node, SequenceNode)
            and isinstance(old, list)
            and isinstance(new, list)
            and self._items(node, old, new)
        ):
            self._replace(key, node, _meant(raw, old, new))

    def _items(self, node: SequenceNode, old: list[Any], new: list[Any]) -> bool:
        """Change the items of a block sequence one by one; False where its form does not allow it."""
        if spans.is_flow(node) or not new or len(node.value) != len(old):
            return False
        starts = [spans.line_start(self._text, item.start_mark.index) for item in node.value]
        dashes = [self._text[at : item.start_mark.index] for at, item in zip(starts, node.value, strict=True)]
        if any(dash.strip() != "-" for dash in dashes):
            return False
        head, tail = _common_ends(old, new)
        ends = [spans.line_end(self._text, spans.end_of(self._text, item)) + 1 for item in node.value]
        for at in range(head, len(old) - tail):
            self._splice(starts[at], ends[at], "")
            self.replaced.append((starts[at], ends[at]))
        added = new[head : len(new) - tail]
        if added:
            indent = dashes[0][: dashes[0].index("-")]
            place = ends[head - 1] if head else starts[0]
            self._splice(place, place, emit.items(added, indent))
        return True

    def _replace(self, key: Node, node: Node, new: Any) -> None:
        text = self._text
        start = node.start_mark.index
        colon = text.index(":", key.end_mark.index) + 1
        indent = " " * key.start_mark.column
        head, *body = emit.entry("k", new, indent).splitlines(keepends=True)
        head = head[len(indent) + 2 :].rstrip("\n")
        if isinstance(node, ScalarNode) and node.style in ("'", '"') and isinstance(new, str) and not body:
            head = f" {scalars.quoted(new)}"
        end = spans.end_of(text, node)
        if not spans.is_block(node):
            split = "#" in text[colon:start]  # a comment between the key and a value on the next line
            self._splice(start if split else colon, end, head.lstrip() if split else head)
            if body:
                below = spans.line_end(text, end) + 1
                self._splice(below, below, "".join(body))
        else:
            header = spans.BLOCK_HEADER.match(text, start) if spans.is_block_scalar(node) else None
            head_end = header.end() if header else colon
            self._splice(colon, head_end, head)
            below = spans.line_end(text, head_end) + 1
            start, end = below, spans.line_end(text, end) + 1
            self._splice(start, end, "".join(body))
        self.replaced.append((start, end))


def _behind_predecessor(order: list[str], names: list[str], name: str) -> int:
    """Position in ``names`` behind the last key that stands before ``name`` in ``order``, else 0."""
    above = order[: order.index(name)]
    return names.index(above[-1]) + 1 if above else 0
