"""The text of a filter, and the tokens in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gitreg.errors import InvalidFilter

MAX_LENGTH = 20_000

Kind = Literal["word", "text", "number", "sign", "end"]

_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])", re.ASCII)
_SIGN = re.compile(r"<=|>=|!=|<>|==|[=<>(),]")
_WORD = re.compile(r"[^\W\d][\w-]*")
_KEY = re.compile(r"""[^\s()<>=!,'"`]+""")
_QUOTED = {mark: re.compile(rf"{mark}((?:[^{mark}]|{mark}{mark})*){mark}") for mark in "'\"`"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A filter or order as it was given; ``label`` says which of them it is."""

    text: str
    label: str = "filter"

    def fault(self, message: str, at: int, length: int = 1, hint: str = "") -> InvalidFilter:
        """The error for a fault at ``at`` (characters, from 0)."""
        where = f"{self.label}, column {at + 1}"
        return InvalidFilter(message, text=self.text, at=at, length=max(length, 1), where=where, hint=hint)


class Token(NamedTuple):
    """One token.

    Attributes:
        kind: ``end`` stands behind the last.
        text: As it is written.
        value: A word without its key, a text without its quotes, else ``text``.
        key: What follows the dot of a word, without quotes; None where there is no dot.
        at: Where it begins, in characters from 0.
    """

    kind: Kind
    text: str
    value: str
    key: str | None
    at: int

    def says(self, *words: str) -> bool:
        """Whether it is one of these keywords (given in capitals) or signs."""
        if self.kind == "word":
            return self.key is None and self.text.upper() in words
        return self.kind == "sign" and self.text in words


def tokens(source: Source) -> Iterator[Token]:
    """The tokens of ``source`` and one that marks its end, each read when it is asked for.

    Raises:
        InvalidFilter: It is too long, a quote is never closed, or a character has no meaning.
    """
    text = source.text
    if len(text) > MAX_LENGTH:
        message = f"the {source.label} has {len(text):,} characters: {MAX_LENGTH:,} are allowed"
        raise source.fault(message, MAX_LENGTH)
    for at, char in enumerate(text):
        if "\ud800" <= char <= "\udfff":
            raise source.fault("this is not UTF-8", at)
    at = _after_space(text, 0)
    while at < len(text):
        token = _token(source, at)
        yield token
        at = _after_space(text, at + len(token.text))
    yield Token("end", "", "", None, len(text.rstrip()))


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(source: Source, at: int) -> Token:
    text = source.text
    char = text[at]
    if char in "'\"":
        written, value = _quoted(source, at)
        return Token("text", written, value, None, at)
    if match := _NUMBER.match(text, at):
        return Token("number", match[0], match[0], None, at)
    if match := _SIGN.match(text, at):
        return Token("sign", match[0], match[0], None, at)
    if match := _WORD.match(text, at):
        return _word(source, match)
    if char == "`":
        written, value = _quoted(source, at)
        hint = "backticks quote the key behind a dot: tags.`my key`"
        raise source.fault("no field begins with a backtick", at, len(written), hint)
    hint = "a filter ends without a semicolon" if char == ";" else ""
    raise source.fault(f"{char!r} has no meaning here", at, hint=hint)


def _word(source: Source, match: re.Match[str]) -> Token:
    text, at = source.text, match.start()
    dot = match.end()
    if text[dot : dot + 1] != ".":
        return Token("word", match[0], match[0], None, at)
    begin = dot + 1
    if text[begin : begin + 1] in ("'", '"', "`"):
        written, key = _quoted(source, begin)
    else:
        found = _KEY.match(text, begin)
        written = key = found[0] if found else ""
    if not key:
        raise source.fault(f"a key is missing behind {match[0]}.", dot, hint=f"{match[0]}.`the key`")
    return Token("word", text[at:begin] + written, match[0], key, at)


def _quoted(source: Source, at: int) -> tuple[str, str]:
    mark = source.text[at]
    match = _QUOTED[mark].match(source.text, at)
    if not match:
        raise source.fault(
            f"the quote {mark} is never closed",
            at,
            hint=f"inside quotes {mark} is written twice: {mark}{mark}",
        )
    return match[0], match[1].replace(mark * 2, mark)
