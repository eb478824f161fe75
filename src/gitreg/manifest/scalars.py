"""Scalars of the strict YAML profile: what a plain one means, and how a value is written.

YAML 1.1 (what PyYAML and many tools read) and the core schema of YAML 1.2 disagree on many plain
scalars. The profile has only those on which they agree.
"""

from __future__ import annotations

import re
from functools import lru_cache
from json.encoder import encode_basestring  # the C one: json.dumps without its set-up

from gitreg.errors import InvalidInput

NULL, BOOL, INT, FLOAT, STR = "null", "bool", "int", "float", "str"

MAX_DIGITS = 18
MAX_KEY = 1000  # libyaml gives up on a key that is longer than 1,024 characters

_TYPED: dict[str, str] = dict.fromkeys(("", "~", "null", "Null", "NULL"), NULL) | dict.fromkeys(
    ("true", "True", "TRUE", "false", "False", "FALSE"), BOOL
)
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?")
# Read as something other than text by YAML 1.1 (https://yaml.org/type/) or by the 1.2 core schema.
_SPECIAL = re.compile(
    r"""(?ix)
      y|n|yes|no|on|off|true|false|null
    | [-+]?\.(?:inf|nan)
    | [-+]?0b[01_]+ | [-+]?0o[0-7_]+ | [-+]?0x[0-9a-f_]+
    | [-+]?[0-9][0-9_]* (?: :[0-5]?[0-9] )* (?: \.[0-9_]* )? (?: e[-+]?[0-9]+ )?
    | [-+]?\.[0-9][0-9_]* (?: e[-+]?[0-9]+ )?
    | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2} (?: (?:t|[ \t]+) [0-9]{1,2}:[0-9]{2}:[0-9]{2} (?:\.[0-9]*)?
      (?: [ \t]*(?:z|[-+][0-9]{1,2}(?::?[0-9]{2})?) )? )?
    | = | <<
    """
)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|nan)", re.IGNORECASE)
# First characters of every special scalar; all others are text at the cost of one look-up.
_SUSPECTS = frozenset("0123456789+-.=<~yYnNtTfFoO")


def plain_type(text: str) -> str | None:
    """What the plain scalar ``text`` is: null, bool, int, float, str, or None where 1.1 and 1.2 differ."""
    if text and text[0] not in _SUSPECTS:
        return STR
    if text in _TYPED:
        return _TYPED[text]
    if _INT.fullmatch(text):
        return INT
    if _FLOAT.fullmatch(text):
        return FLOAT
    return None if _SPECIAL.fullmatch(text) else STR


def not_finite(text: str) -> bool:
    """Whether the plain scalar ``text`` stands for NaN or an infinity."""
    return bool(_NOT_FINITE.fullmatch(text))


def too_long(text: str) -> bool:
    """Whether the plain integer ``text`` has more than 18 digits (a cheap look before int())."""
    return len(text) > MAX_DIGITS + 2 or abs(int(text, 0)) >= 10**MAX_DIGITS


_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[-+][0-9]{2}:[0-9]{2})"
)


def is_time(text: str) -> bool:
    """Whether ``text`` has the form of an RFC 3339 time."""
    return _TIME.fullmatch(text) is not None


def value_of(kind: str, text: str) -> str | int | float | bool | None:
    """The value of the plain scalar ``text`` whose type is ``kind``."""
    if kind == STR:
        return text
    if kind == INT:
        return int(text, 16) if text.startswith("0x") else int(text)
    if kind == FLOAT:
        return float(text)
    return text.casefold() == "true" if kind == BOOL else None


# What we write plain; everything else goes in double quotes. Narrower than YAML on purpose: the
# same text is safe in block and flow context, as key and as value.
WORD = r"[A-Za-z_/](?:[A-Za-z0-9_./@+~=%()-]|:(?=[A-Za-z0-9_/])|[ ](?=[A-Za-z0-9_/(]))*+"
_WORD = re.compile(WORD)
# The last three are text to YAML, but look like numbers to people and to careless readers.
_SPECIAL_WORDS = frozenset(
    {"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity"}
)
# Not printable in YAML, a line break to 1.1 alone, or invisible to a reader of the file.
_ESCAPED = re.compile(
    "[\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]"
)
# What a literal block would lose or a reader could not see.
_NOT_LITERAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff0-\uffff]"
    r"|[ \t]$|^ *\t|\A\n|\A |\n\n\Z",
    re.MULTILINE,
)


def quoted(text: str) -> str:
    """``text`` as a double-quoted scalar on one line.

    Raises:
        InvalidInput: It holds a lone surrogate, which no file in UTF-8 can.
    """
    out: str = encode_basestring(text)
    return _ESCAPED.sub(_escape, out) if not text.isascii() or "\x7f" in text else out


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xD800 <= code <= 0xDFFF:
        raise InvalidInput("a text holds a lone surrogate, which is not UTF-8")
    return f"\\u{code:04x}"


@lru_cache(maxsize=4096)
def word(text: str) -> str:
    """``text`` plain where that is safe everywhere, else double-quoted."""
    if _WORD.fullmatch(text) and text.casefold() not in _SPECIAL_WORDS:
        return text
    return quoted(text)


def key(text: str) -> str:
    """``text`` as a mapping key.

    Raises:
        InvalidInput: It is too long: YAML readers give up on keys over 1,024 characters.
    """
    out = word(text)
    if len(out) > MAX_KEY:
        raise InvalidInput(
            f"a key of {len(out)} characters is too long: at most {MAX_KEY}", where=out[:40] + "…"
        )
    return out


def literal(text: str) -> bool:
    """Whether ``text`` has many lines and survives a ``|`` or ``|-`` block scalar unharmed."""
    return "\n" in text and not _NOT_LITERAL.search(text)


def number(value: int | float) -> str:
    """``value`` as YAML 1.1 and 1.2 both read it back: ``1.0e-05``, never ``1e-05``.

    Raises:
        InvalidInput: NaN, an infinity, or an integer of more than 18 digits.
    """
    if isinstance(value, int):
        if abs(value) >= 10**MAX_DIGITS:
            raise InvalidInput(f"an integer of more than {MAX_DIGITS} digits can't be held")
        return int.__repr__(value)
    out = float.__repr__(value)  # numpy's floats are floats, but repr() names their type
    if "n" in out:  # nan, inf
        raise InvalidInput(f"{out} is no number that a manifest can hold")
    head, mark, exponent = out.partition("e")
    return f"{head}{'' if '.' in head else '.0'}e{exponent}" if mark else out
