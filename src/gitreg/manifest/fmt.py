"""The canonical form of a file, with all of its comments.

Comments are what stands between the scanner's tokens. A comment on a line of its own belongs to
the next entry, one behind an entry to that entry; blank lines between entries stay (one of each
run), as a person's way to group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode

from gitreg.domain.findings import Finding
from gitreg.errors import IntegrityError, InvalidManifests
from gitreg.manifest import emit, scalars, spans
from gitreg.manifest.edit import same
from gitreg.manifest.fields import MODEL, SETTINGS, VERSION, Kind, sort_keys
from gitreg.manifest.yaml import Document, parse

_MODELINE = "# yaml-language-server:"
_BOM = b"\xef\xbb\xbf"


@dataclass(slots=True, kw_only=True)
class _Entry:
    """A mapping entry or list item, with the comments that go with it."""

    start: int
    node: Node
    key: Node | None = None
    above: list[str] = field(default_factory=list)
    behind: list[str] = field(default_factory=list)
    below: list[_Entry] = field(default_factory=list)


def format_text(data: bytes, kind: Kind, path: str = "<text>") -> bytes:
    """The canonical form of a file: the same value, all comments, idempotent.

    Args:
        data: The file's bytes. A BOM, CRLF, and unquoted times are mended.
        kind: Which schema's order of fields it takes.
        path: How findings name the file.

    Raises:
        InvalidManifests: The text is outside of the profile, or holds no mapping.
        IntegrityError: The result would not be the same value (a bug, caught before it does harm).
    """
    document = _parsed(data.removeprefix(_BOM), path)
    if not isinstance(document.node, MappingNode):
        finding = document.finding("GR017", "the file must hold a mapping")
        raise InvalidManifests([finding])
    result = _formatted(document, document.node, kind)
    after = parse(result, path)
    if not same(after.data, document.data):
        raise IntegrityError("refused to format: the value would change", where=path)
    return result


def kind_of(data: Any) -> Kind:
    """The kind of file that ``data`` looks like, for text that comes without a telling path."""
    keys = data if isinstance(data, dict) else ()
    return SETTINGS if "format" in keys else VERSION if "version" in keys else MODEL


def _parsed(data: bytes, path: str) -> Document:
    try:
        return parse(data, path)
    except InvalidManifests as error:
        mended = _quote_times(data, error.findings)
        if mended is None:
            raise
        return parse(mended, path)


def _quote_times(data: bytes, findings: tuple[Finding, ...]) -> bytes | None:
    """The text with unquoted times in quotes, when those are its only faults."""
    lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    for finding in sorted(findings, key=lambda one: (one.line, one.column), reverse=True):
        start = finding.column - 1
        line = lines[finding.line - 1] if finding.line else ""
        text = line[start : start + finding.length]
        if finding.code != "GR007" or not scalars.is_time(text):
            return None
        lines[finding.line - 1] = f"{line[:start]}{scalars.quoted(text)}{line[start + len(text) :]}"
    return "\n".join(lines).encode()


def _formatted(document: Document, root: MappingNode, kind: Kind) -> bytes:
    text = document.source.text
    entries = _entries(root)
    header, footer = _attach(text, entries)
    lines = list(header)
    _mapping(entries, kind, (), "", lines)
    while len(lines) > len(header) and not lines[len(header)]:
        lines.pop(len(header))
    if header and entries and not _is_modeline(header[-1]):
        lines.insert(len(header), "")
    lines += footer
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def _entries(node: Node) -> list[_Entry]:
    if not isinstance(node, CollectionNode):
        return []
    out = []
    for item in node.value:
        key, value = item if isinstance(node, MappingNode) else (None, item)
        start = (key or value).start_mark.index
        out.append(_Entry(start=start, key=key, node=value, below=_entries(value)))
    return out


def _attach(text: str, entries: list[_Entry]) -> tuple[list[str], list[str]]:
    """Give each comment and blank line to its entry; return the file's header and footer."""
    flat = list(_flat(entries))
    notes = _notes(text, flat)
    header = _header(notes, flat[0].start if flat else len(text))
    at = 0
    footer: list[str] = []
    for start, comment, alone in notes[len(header) :]:
        while at < len(flat) and flat[at].start <= start:
            at += 1
        if not alone:
            _carrier(text, flat, at, start).behind.append(comment)
        elif at == len(flat):
            footer.append(comment)
        elif comment or not (flat[at].above and not flat[at].above[-1]):
            flat[at].above.append(comment)
    while header and not header[-1][1]:
        header.pop()
    return [comment for _, comment, _ in header], _one_blank(footer)


def _notes(text: str, flat: list[_Entry]) -> list[tuple[int, str, bool]]:
    """Comments and blank lines (as ``""``) outside of scalars, in order."""
    out = [(one.start, one.text, one.alone) for one in spans.comments(text)]
    inside = {line for entry in flat for line in _lines_inside(text, entry.node)}
    at = 0
    for line in text.split("\n")[:-1]:
        if not line.strip() and at not in inside:
            out.append((at, "", True))
        at += len(line) + 1
    return sorted(out)


def _lines_inside(text: str, node: Node) -> list[int]:
    """Offsets at which lines begin inside of a scalar."""
    if not isinstance(node, ScalarNode):
        return []
    start, end = node.start_mark.index, spans.end_of(text, node)
    return [start + match.end() for match in re.finditer("\n", text[start:end])]


def _header(notes: list[tuple[int, str, bool]], first: int) -> list[tuple[int, str, bool]]:
    """What stays at the top of the file: the modeline, and comments up to a blank line."""
    top = [note for note in notes if note[0] < first]
    last = max(
        (at for at, note in enumerate(top) if not note[1] and any(one[1] for one in top[:at])), default=-1
    )
    if last < 0 and top and _is_modeline(top[0][1]):
        last = 0
    return top[: last + 1]


def _is_modeline(comment: str) -> bool:
    return comment.startswith(_MODELINE)


def _one_blank(lines: list[str]) -> list[str]:
    out: list[str] = []
    for line in lines:
        if line or not (out and not out[-1]):
            out.append(line)
    return out


def _flat(entries: list[_Entry]) -> list[_Entry]:
    """All entries in the order of the text; one that holds others stands before them."""
    return [one for entry in entries for one in (entry, *_flat(entry.below))]


def _carrier(text: str, flat: list[_Entry], at: int, start: int) -> _Entry:
    """The entry that a comment behind something belongs to: the outermost of its line that can show it.

    List items that hold others can't: their first line is that of another.
    """
    line = spans.line_start(text, start)
    first = at
    while first and flat[first - 1].start >= line:
        first -= 1
    # The line's own entries from the outermost on, then those before it from the nearest on.
    for place in chain(range(first, at), range(first - 1, -1, -1)):
        if flat[place].key is not None or not flat[place].below:
            return flat[place]
    return flat[0]


def _mapping(entries: list[_Entry], kind: Kind, path: tuple[str, ...], indent: str, lines: list[str]) -> None:
    by_key = {entry.key.value: entry for entry in entries if entry.key is not None}
    for name in sort_keys(kind, path, by_key):
        entry = by_key[name]
        _above(entry, indent, lines)
        _entry(f"{indent}{scalars.key(name)}:", entry, kind, (*path, name), indent, lines)


def _above(entry: _Entry, indent: str, lines: list[str]) -> None:
    lines += [f"{indent}{comment}" if comment else "" for comment in entry.above]
    # Only one comment fits behind an entry; the earlier ones come from a form that had more lines.
    lines += [f"{indent}{comment}" for comment in entry.behind[:-1]]


def _entry(
    head: str, entry: _Entry, kind: Kind, path: tuple[str, ...], indent: str, lines: list[str]
) -> None:
    behind = f" {entry.behind[-1]}" if entry.behind else ""
    node = entry.node
    if isinstance(node, MappingNode) and entry.below:
        lines.append(head + behind)
        _mapping(entry.below, kind, path, indent + "  ", lines)
    elif entry.below:
        lines.append(head + behind)
        _sequence(entry.below, kind, path, indent + "  ", lines)
    elif isinstance(node, ScalarNode) and node.tag == scalars.STR and scalars.literal(node.value):
        first, *rest = emit.literal_lines(node.value, indent + "  ")
        lines += [f"{head} {first}{behind}", *rest]
    else:
        lines.append(f"{head} {_inline(node)}{behind}")


def _inline(node: Node) -> str:
    if isinstance(node, ScalarNode):
        return emit.scalar(scalars.value_of(node.tag, node.value))
    return "{}" if isinstance(node, MappingNode) else "[]"


def _sequence(
    entries: list[_Entry], kind: Kind, path: tuple[str, ...], indent: str, lines: list[str]
) -> None:
    for entry in entries:
        _above(entry, indent, lines)
        if not entry.below:
            behind = f" {entry.behind[-1]}" if entry.behind else ""
            lines.append(f"{indent}- {_inline(entry.node)}{behind}")
            continue
        inner: list[str] = []
        if isinstance(entry.node, MappingNode):
            _mapping(entry.below, kind, path, indent + "  ", inner)
        else:
            _sequence(entry.below, kind, path, indent + "  ", inner)
        _dash(inner, indent, lines)


def _dash(inner: list[str], indent: str, lines: list[str]) -> None:
    """Put the dash before the first line that is no comment; comments go above it."""
    first = next(at for at, line in enumerate(inner) if line.strip() and not line.lstrip().startswith("#"))
    lines += [f"{indent}{line.lstrip()}" if line else "" for line in inner[:first]]
    lines.append(f"{indent}- {inner[first][len(indent) + 2 :]}")
    lines += inner[first + 1 :]
