"""Names of models, stages, aliases and versions: which are taken, and how they become paths and refs.

A name that is plain is its own folder and ref name. Any other name that can be held safely is
percent-encoded where it must be, and the name itself stands in ``model.yaml``.
"""

from __future__ import annotations

import re
import unicodedata

from gitreg.errors import InvalidInput

MAX_FOLDER_BYTES = 200
MAX_VERSION = 999_999_999
_SHORT = 40  # characters that can't make a folder's name too long, however they are encoded

_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*")
_SAFE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
# Device names of Windows: a folder so called can't be made there, with or without an ending.
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_STAGE = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}")
_ALIAS = re.compile(r"[\w-]{1,255}")
_VERSION_LIKE = re.compile(r"v[0-9]+", re.IGNORECASE)
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
_RESERVED_HINT = "take another word: None, latest, v1, v2 … mean something in a model URI"
_ESCAPE = re.compile(r"%([0-9A-F]{2})")
# Control, format, surrogate, line and paragraph separator, unassigned: nothing that a reader can't see.
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"})


def shown(text: str) -> str:
    """``text`` quoted for a message, with everything invisible written as an escape."""
    out = []
    for char in text if len(text) <= 120 else text[:100] + "…":
        if unicodedata.category(char) in _INVISIBLE:
            code = ord(char)
            out.append(f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")
        else:
            out.append(char)
    return '"' + "".join(out) + '"'


def is_utf8(text: str) -> bool:
    """Whether a file can hold ``text``: it has no lone surrogate in it."""
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)


def check_model_name(name: str) -> str:
    """Return ``name`` when a registered model can be called so.

    Raises:
        InvalidInput: With the reason, one of those that the documentation's table of names lists.
    """
    reason = _model_name_fault(name)
    if reason:
        raise InvalidInput(
            f"{shown(name)} is no model name: {reason}",
            where="name",
            hint=f'at most {MAX_FOLDER_BYTES} bytes, without "/", ":" and characters that can\'t be seen',
        )
    return name


def is_model_name(text: str) -> bool:
    """Whether a registered model can be called ``text``."""
    return not _model_name_fault(text)


def _model_name_fault(name: str) -> str:
    if len(name) <= _SHORT and _PLAIN.fullmatch(name):
        return ""  # the common case
    if not name.strip():
        return "it is blank"
    for char in name:
        if char in "/:":
            return f'it holds "{char}", which separates the parts of a model URI'
        category = unicodedata.category(char)
        if category == "Cs":
            return "it is not UTF-8"
        if category in _INVISIBLE:
            return f"it holds the invisible character U+{ord(char):04X}"
    if name in (".", ".."):
        return "it means a folder"
    size = len(_encode(name))
    if size > MAX_FOLDER_BYTES:
        return f"its folder would be {size} bytes long, over {MAX_FOLDER_BYTES}"
    return ""


def folder(name: str) -> str:
    """The folder and ref component of a model, ASCII: ``Fraud`` → ``Fraud``, ``a b`` → ``a%20b``.

    Raises:
        InvalidInput: When the name is refused.
    """
    if _PLAIN.fullmatch(name) and len(name) <= _SHORT and not _reserved(name):
        return name  # the common case, at the cost of two matches
    return _encode(check_model_name(name))


def _reserved(name: str) -> bool:
    return bool(_DEVICE.fullmatch(name)) or name.lower().endswith(".lock")


def _encode(name: str) -> str:
    out = []
    last = len(name) - 1
    for at, char in enumerate(name):
        if char == ".":
            lonely = 0 < at < last and name[at - 1] != "." and name[at + 1] != "."
            keep = lonely and name[at:].lower() != ".lock"
        elif char == "-":
            keep = at > 0
        else:
            keep = char in _SAFE
        if at == 0 and _DEVICE.fullmatch(name):
            keep = False
        out.append(char if keep else "".join(f"%{b:02X}" for b in char.encode("utf-8", "surrogatepass")))
    return "".join(out)


def from_folder(text: str) -> str | None:
    """The model name that ``folder`` turned into ``text``, or None where it would never make that."""
    try:
        raw = _ESCAPE.sub(lambda m: chr(int(m[1], 16)), text).encode("latin-1")
        name = raw.decode("utf-8")
        return name if not _model_name_fault(name) and _encode(name) == text else None
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None


def twin_key(name: str) -> str:
    """Names with the same key differ in case or Unicode form alone and can't stand side by side."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def parse_version(text: str) -> int:
    """``"12"`` → 12.

    Raises:
        InvalidInput: Unless it is a whole number from 1 to 999,999,999 without sign or leading zero.
    """
    if not _VERSION.fullmatch(text):
        raise InvalidInput(
            f"{shown(text)} is no version number", where="version", hint="versions are 1, 2, 3 …"
        )
    return int(text)


def check_stage_name(stage: str) -> str:
    """Return ``stage`` when a stage can be called so (``[A-Za-z][A-Za-z0-9_-]*``, not reserved)."""
    if stage.casefold() in ("none", "latest") or _VERSION_LIKE.fullmatch(stage):
        raise InvalidInput(
            f"{shown(stage)} is reserved and can't name a stage", where="stage", hint=_RESERVED_HINT
        )
    if not _STAGE.fullmatch(stage):
        raise InvalidInput(
            f"{shown(stage)} is no stage name",
            where="stage",
            hint="a letter, then letters, digits, _ and -",
        )
    return stage


def check_alias(alias: str) -> str:
    """Return ``alias`` when a version can be called so (MLflow's rule: word characters and ``-``)."""
    if alias.casefold() == "latest" or _VERSION_LIKE.fullmatch(alias):
        raise InvalidInput(
            f"{shown(alias)} is reserved and can't be an alias", where="alias", hint=_RESERVED_HINT
        )
    if not _ALIAS.fullmatch(alias):
        raise InvalidInput(
            f"{shown(alias)} is no alias", where="alias", hint="letters, digits, _ and -, at most 255"
        )
    return alias
