"""Text that people wrote in Markdown, as HTML that can do nothing.

HTML in it is shown as it stands, links go to the web, to mail or to a place on the same page alone, and
pictures become links: a page that loads nothing from elsewhere tells nobody who reads it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markupsafe import Markup, escape

from gitreg.render.text import safe_block

_SCHEMES = frozenset({"http", "https", "mailto"})
_LONGEST = 200_000
"""Characters that are rendered; a longer text is shown as it stands."""
_LINE = 400
"""Characters of a first line that are looked at."""
_BLOCK = re.compile(r"(?:#{1,6}\s+|>\s?|[-*+]\s+|\d{1,3}[.)]\s+)+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*\)")
_STRONG = re.compile(r"(\*\*|__|~~|\*|`)(?=\S)(.*?\S)\1")
_DEEPER = 2
"""How far headings move down: those of the page itself come first."""


def prose(text: str) -> Markup:
    """``text`` as HTML: CommonMark with tables and strikethrough."""
    shown = safe_block(text)
    if len(shown) > _LONGEST:
        return Markup("<pre>{}</pre>").format(shown)
    return _rendered(shown)


def _marks_off(said: str) -> str:
    """A line without what makes it a heading, a quote or a point of a list."""
    found = _BLOCK.match(said)
    return said[found.end() :] if found else said


def line(text: str) -> str:
    """The first line of ``text`` that says something, without Markdown's marks."""
    for each in text[: 4 * _LINE].split("\n"):
        said = _marks_off(each[:_LINE].strip())
        if said.strip("-=*_`~# \t"):
            said = _LINK.sub(r"\1", said)
            return _STRONG.sub(r"\2", _STRONG.sub(r"\2", said)).strip()
    return ""


@lru_cache(maxsize=256)
def _rendered(text: str) -> Markup:
    return Markup(_parser().render(text))


@cache
def _parser() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "linkify": False}, renderer_cls=_Renderer)
    made.enable(["table", "strikethrough"])
    made.validateLink = _allowed  # type: ignore[method-assign]
    return made


def _allowed(url: str) -> bool:
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return False
    if not parts.scheme and not parts.netloc:
        return url.startswith("#")  # a path of the repository leads nowhere here
    return parts.scheme.lower() in _SCHEMES


class _Renderer(RendererHTML):
    """Markdown's own renderer, with pictures as links, headings lower and links that tell nobody."""

    def image(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        token = tokens[idx]
        said = self.renderInlineAsText(token.children or [], options, env) or "picture"
        where = str(token.attrGet("src") or "")
        return str(Markup('<a href="{}" rel="noreferrer nofollow">{}</a>').format(where, said))

    def heading_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"<h{self._level(tokens[idx])}>"

    def heading_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f"</h{self._level(tokens[idx])}>\n"

    def link_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return f'<a href="{escape(str(tokens[idx].attrGet("href") or ""))}" rel="noreferrer nofollow">'

    def table_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'

    def table_close(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "</table></div>\n"

    # A column's alignment is an attribute ``style`` there, which the pages' policy forbids.
    def th_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<th>"

    def td_open(self, tokens: Sequence[Token], idx: int, options: Any, env: Any) -> str:
        return "<td>"

    @staticmethod
    def _level(token: Token) -> int:
        return min(6, int(token.tag[1:]) + _DEEPER)
