"""Judges whether a text keeps to the strict YAML profile, apart from what its node tree tells."""

from __future__ import annotations

import math
import re
from functools import cache
from itertools import count

import yaml
from yaml import tokens as tk

from gitreg.domain.findings import Finding
from gitreg.domain.names import shown
from gitreg.errors import InvalidManifests
from gitreg.manifest import scalars
from gitreg.manifest.engine import PURE, Engine
from gitreg.manifest.source import Source

MAX_FINDINGS = 20

_QUOTED = r'"(?:[^"\\\n]|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*+"|' r"'[^'\n]*+'"
_AMBIGUOUS = r"(?!(?:[yY]|[nN]|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)(?:[ :\n]))"
_KEY = rf"(?:{_AMBIGUOUS}[A-Za-z_][A-Za-z0-9_./-]*+|{_QUOTED})"
_NUMBER = r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,25}(?:[eE][-+][0-9]{1,2})?)?(?![^ \n])"
_VALUE = rf"(?:{_QUOTED}|{_AMBIGUOUS}{scalars.WORD}|{_NUMBER}|\{{\}}|\[\])"
# The line shapes of almost every manifest, in which no fault of the profile can hide. Whatever
# this does not match is judged token by token, so a narrow pattern costs time, never correctness.
_SURELY_FINE = rf"""(?x: (?! [^\t]*+ \t)
    (?: [ ]*+ (?: \# [^\n]*+ )? \n
      | ([ ]{{0,30}}+) {_KEY}: [ ] \|-? [ ]*+ \n (?: (?: \1 [ ]++ [^\n]*+ | [ ]*+ ) \n )*+
      | [ ]{{0,30}}+ (?: -[ ] )? {_KEY}: (?: [ ] {_VALUE} )? (?: [ ]++ \# [^\n]*+ | [ ]*+ ) \n
      | [ ]{{0,30}}+ - [ ] {_VALUE} (?: [ ]++ \# [^\n]*+ | [ ]*+ ) \n
    )*+ )"""
_WORTH_COMPILING = 20
# Control characters, and the line breaks that YAML 1.1 knows and 1.2 does not.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_CONFLICT = re.compile(r"^(?:<{7}|>{7}|\|{7}) [^\n]*$", re.MULTILINE)


def decode(data: bytes, path: str, *, max_bytes: int) -> tuple[str, tuple[Finding, ...]]:
    """The text of a file with LF line ends, and warnings; size and encoding are checked here.

    Raises:
        InvalidManifests: Too large, not UTF-8, a BOM, control characters, merge-conflict markers.
    """
    if len(data) > max_bytes:
        raise InvalidManifests(
            [Finding(code="GR002", message=f"{len(data):,} bytes are more than {max_bytes:,}", path=path)]
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidManifests([_encoding_finding(data, path, error)]) from None
    warnings: tuple[Finding, ...] = ()
    if "\r\n" in text:
        first = text.index("\r\n")
        text = text.replace("\r\n", "\n")
        mend = "gitreg fmt rewrites it with LF"
        warnings = (
            Source(text, path).finding(
                "GR010", "lines end in CRLF", first, first, help=mend, severity="warning"
            ),
        )
    if (
        text.isascii()
        and text.replace("\n", "").isprintable()
        and "<<<<<<<" not in text
        and ">>>>>>>" not in text
    ):
        return text, warnings
    faults = [*_character_findings(Source(text, path)), *_conflict_findings(Source(text, path))]
    if faults:
        raise InvalidManifests(faults)
    return text, warnings


def _encoding_finding(data: bytes, path: str, error: UnicodeDecodeError) -> Finding:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return Finding(
            code="GR001", message="the file is UTF-16, not UTF-8", path=path, line=1, column=1,
            help="save it as UTF-8",
        )  # fmt: skip
    source = Source(data.decode("utf-8", "replace"), path)
    at = len(data[: error.start].decode("utf-8"))
    byte = data[error.start]
    return source.finding(
        "GR001", f"byte 0x{byte:02x} is not UTF-8", at, at + 1, help="save the file as UTF-8"
    )


def _character_findings(source: Source) -> list[Finding]:
    out = []
    for match in _FORBIDDEN.finditer(source.text):
        at, code = match.start(), ord(match[0])
        if at == 0 and code == 0xFEFF:
            message, mend, rule = (
                "the file begins with a byte order mark",
                "gitreg fmt takes it away",
                "GR001",
            )
        else:
            message = f"the character U+{code:04X} can't stand in a manifest as it is"
            mend = f'in a double-quoted text, write "\\u{code:04x}"' if code < 0x10000 else ""
            rule = "GR021"
        out.append(source.finding(rule, message, at, at + 1, help=mend))
        if len(out) == MAX_FINDINGS:
            break
    at = source.text.find("\r")
    if at >= 0:
        out.append(
            source.finding("GR021", "a carriage return stands alone", at, at + 1, help="end lines with LF")
        )
    return out


def _conflict_findings(source: Source) -> list[Finding]:
    match = _CONFLICT.search(source.text)
    if match is None:
        return []
    line = source.text.count("\n", 0, match.start()) + 1
    return [
        source.finding(
            "GR004",
            f"unresolved merge in {source.path}:{line}",
            match.start(),
            match.end(),
            help="keep one side, take the markers away, then git add the file",
        )
    ]


_asked = count()


def surely_fine(text: str) -> bool:
    """Whether the text has only shapes of lines in which no fault of ``judge`` can hide.

    Compiling the pattern costs as much as judging some twenty files: the first ones are not
    looked at, so that a command that reads one file does not pay for the many.
    """
    if next(_asked) < _WORTH_COMPILING:
        return False
    return fine_pattern().fullmatch(text) is not None


@cache
def fine_pattern() -> re.Pattern[str]:
    """What ``surely_fine`` matches the whole text with."""
    return re.compile(_SURELY_FINE)


def syntax_finding(source: Source, error: yaml.YAMLError) -> Finding:
    """What PyYAML could not read, as a finding at the place where it stopped."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or str(error)
    at = len(source.text) if mark is None else mark.index
    message = f"not YAML: {problem}"
    mend = ""
    if "mapping values are not allowed" in problem:
        mend = 'put a text that holds ": " in double quotes'
    elif "cannot start any token" in problem:
        mend = "put the text in double quotes"
    return source.finding("GR003", message, at, at + 1, help=mend)


def judge(source: Source, engine: Engine, *, max_depth: int) -> None:
    """Check a text token by token, in the order of the file.

    Raises:
        InvalidManifests: With up to 20 faults; the depth is checked as the tokens come, so that
            no parser ever recurses deeper than ``max_depth``.
    """
    judgement = _Judgement(source, max_depth)
    try:
        for token in engine.tokens(source.text):
            judgement.see(token)
            if judgement.stop or len(judgement.faults) >= MAX_FINDINGS:
                break
    except yaml.YAMLError as error:
        if engine is not PURE and "nesting depth" in str(error):
            # Some versions of libyaml's scanner give up while they look ahead: the other one tells the place.
            judge(source, PURE, max_depth=max_depth)
        if not judgement.faults:
            raise InvalidManifests([syntax_finding(source, error)]) from None
    if judgement.faults:
        raise InvalidManifests(judgement.faults)


_FLOW_START = (tk.FlowSequenceStartToken, tk.FlowMappingStartToken)
_FLOW_END = (tk.FlowSequenceEndToken, tk.FlowMappingEndToken)
_OPENING = (*_FLOW_START, tk.BlockSequenceStartToken, tk.BlockMappingStartToken)
_HEADER = re.compile(r"[|>][-+0-9]*(?: *| +#[^\n]*)$", re.MULTILINE)
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
_CLOSING = (*_FLOW_END, tk.BlockEndToken)
_PLAIN_WORDS = {
    tk.AliasToken: ("an alias (*NAME)", "write the value out"),
    tk.AnchorToken: ("an anchor (&NAME)", "take it away"),
    tk.TagToken: ("a tag (!NAME)", "take it away: the schema gives the types"),
    tk.DirectiveToken: ("a directive (%NAME)", "take the line away"),
    tk.DocumentEndToken: ("an end of document (...)", "take the line away"),
}


class _Judgement:
    """Faults seen so far, and what the next token is compared with."""

    def __init__(self, source: Source, max_depth: int) -> None:
        self.source = source
        self.faults: list[Finding] = []
        self.stop = False
        self._max_depth = max_depth
        self._depth = 0
        self._flow = 0
        self._content = False
        self._end = 0

    def _add(self, code: str, message: str, token: tk.Token, help: str = "") -> None:
        start, end = token.start_mark.index, token.end_mark.index
        self.faults.append(self.source.finding(code, message, start, end, help=help))

    def see(self, token: tk.Token) -> None:
        kind = type(token)
        start = token.start_mark.index
        self._check_gap(start)
        self._end = max(self._end, token.end_mark.index)
        if isinstance(token, tk.ScalarToken):
            if token.plain:
                self._plain(token)
            elif token.style in "'\"":
                self._surrogates(token)
            else:
                self._block(token)
        elif isinstance(token, _OPENING):
            self._depth += 1
            self._flow += isinstance(token, _FLOW_START)
            if self._depth > self._max_depth:
                self._add("GR002", f"nested more than {self._max_depth} deep", token)
                self.stop = True
        elif isinstance(token, _CLOSING):
            self._depth -= 1
            self._flow -= isinstance(token, _FLOW_END)
        elif kind in _PLAIN_WORDS:
            what, mend = _PLAIN_WORDS[kind]
            self._add("GR006", f"{what} is not allowed", token, mend)
        elif isinstance(token, tk.DocumentStartToken) and self._content:
            self._add("GR006", "a second document is not allowed", token, "one file holds one document")
            self.stop = True
        elif isinstance(token, tk.KeyToken) and self.source.text[start : start + 1] == "?":
            self._add("GR006", 'an explicit key ("? KEY") is not allowed', token, 'write "KEY: VALUE"')
        self._content |= not isinstance(token, (tk.StreamStartToken, tk.DirectiveToken))

    def _check_gap(self, start: int) -> None:
        gap = self.source.text[self._end : start]
        if "\t" not in gap:
            return
        for line_at, line in _lines(gap):
            code = line.partition("#")[0]
            if "\t" in code:
                at = self._end + line_at + code.index("\t")
                mend = "use spaces"
                self.faults.append(
                    self.source.finding("GR021", "a tab between tokens", at, at + 1, help=mend)
                )
                return

    def _plain(self, token: tk.ScalarToken) -> None:
        text = token.value
        raw = self.source.text[token.start_mark.index : token.end_mark.index]
        kind = scalars.plain_type(text)
        if "\t" in raw:
            self._add("GR021", "a tab in a text without quotes", token, f"write {_cut(scalars.quoted(text))}")
        elif text == "<<":
            self._add("GR006", "a merge key (<<) is not allowed", token, "write the keys out")
        elif kind is None and scalars.not_finite(text):
            self._add("GR008", f"{text} is no number that can be compared", token, _quoted_number(text))
        elif kind is None:
            message = f"YAML 1.1 and 1.2 read {_cut(text)} differently"
            self._add("GR007", message, token, f"write {_cut(scalars.quoted(text))} if it is text")
        elif kind == scalars.INT and scalars.too_long(text):
            digits = len(text.lstrip("+-"))
            self._add(
                "GR002", f"an integer of {digits} digits: at most {scalars.MAX_DIGITS} are allowed", token
            )
        elif kind == scalars.FLOAT and not math.isfinite(float(text)):
            self._add("GR008", f"{shown(text)} is too large for a number", token)
        elif self._flow and "?" in raw:
            self._add(
                "GR007", f"readers of YAML differ on {shown(text)}", token, f"write {scalars.quoted(text)}"
            )

    def _block(self, token: tk.ScalarToken) -> None:
        text, start, end = self.source.text, token.start_mark.index, token.end_mark.index
        if not _HEADER.match(text, start):
            self._add(
                "GR003", "not YAML: only a comment with a space before it can stand behind | and >", token
            )
        elif _TAB_INDENT.search(text, text.find("\n", start) + 1, end):
            self._add("GR021", "a tab in the indentation of a block of text", token, "use spaces")

    def _surrogates(self, token: tk.ScalarToken) -> None:
        if any(0xD800 <= ord(char) <= 0xDFFF for char in token.value):
            self._add("GR021", "a lone surrogate is not UTF-8", token, "take the escape away")


def _lines(text: str) -> list[tuple[int, str]]:
    out, at = [], 0
    for line in text.split("\n"):
        out.append((at, line))
        at += len(line) + 1
    return out


def _quoted_number(text: str) -> str:
    name = "NaN" if "nan" in text.lower() else "-Infinity" if text.startswith("-") else "Infinity"
    return f'in metrics, write "{name}" in quotes'


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:79]}…"
