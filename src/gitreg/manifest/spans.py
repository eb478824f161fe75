"""Where nodes and comments stand in a text: what span edits and the canonical form are made from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode
from yaml.tokens import ScalarToken

from gitreg.manifest.engine import ENGINE

BLOCK_HEADER = re.compile(r"[|>][-+0-9]*")
_COMMENT = re.compile(r"#[^\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """One comment.

    Attributes:
        start: Offset of its ``#``.
        text: From the ``#`` to the end of the line, without trailing blanks.
        alone: Whether nothing but blanks stands before it on its line.
    """

    start: int
    text: str
    alone: bool


def comments(text: str) -> list[Comment]:
    """All comments, in order: the ``#`` in the gaps between the scanner's tokens."""
    if "#" not in text:
        return []
    out: list[Comment] = []
    at = 0
    for token in ENGINE.tokens(text):
        start = token.start_mark.index
        if start > at:
            _comments_between(text, at, start, out)
        if isinstance(token, ScalarToken) and token.style in ("|", ">"):
            _comments_between(text, start, line_end(text, start), out)
        at = max(at, token.end_mark.index)
    _comments_between(text, at, len(text), out)
    return out


def _comments_between(text: str, start: int, end: int, out: list[Comment]) -> None:
    for match in _COMMENT.finditer(text, start, end):
        alone = not text[line_start(text, match.start()) : match.start()].strip()
        out.append(Comment(start=match.start(), text=match[0].rstrip(), alone=alone))


def line_start(text: str, at: int) -> int:
    """Offset of the first character of the line that holds ``at``."""
    return text.rfind("\n", 0, at) + 1


def line_end(text: str, at: int) -> int:
    """Offset of the newline that ends the line that holds ``at``, or the text's length."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def is_flow(node: Node) -> bool:
    """Whether the node is a collection in flow style (braces or brackets)."""
    return isinstance(node, CollectionNode) and bool(node.flow_style)


def is_block_scalar(node: Node) -> bool:
    """Whether the node is a literal or folded scalar."""
    return isinstance(node, ScalarNode) and node.style in ("|", ">")


def is_block(node: Node) -> bool:
    """Whether the node has its content on the lines below its key."""
    return is_block_scalar(node) or (isinstance(node, CollectionNode) and not node.flow_style)


def end_of(text: str, node: Node) -> int:
    """Offset just behind the last character of a node's content.

    The marks of block collections reach over the comments that follow, those of block scalars
    over blank lines; neither belongs to the node.
    """
    if isinstance(node, CollectionNode) and not node.flow_style:
        last = node.value[-1]
        return end_of(text, last[1] if isinstance(node, MappingNode) else last)
    end: int = node.end_mark.index
    if not is_block_scalar(node):
        return end
    header = BLOCK_HEADER.match(text, node.start_mark.index)
    if header and "+" in header[0]:  # blank lines are content here
        return end - 1 if text[end - 1 : end] == "\n" else end
    content_end = len(text[:end].rstrip(" \n"))
    return max(content_end, line_end(text, node.start_mark.index))
