"""Values as they are typed on the command line: ``k=v``, metrics, data sets, code."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gitreg.domain.model import Code, Dataset
from gitreg.domain.names import shown
from gitreg.errors import UsageError

_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(nan|inf|infinity)", re.ASCII | re.IGNORECASE
)
_COMMIT = re.compile(r"[0-9a-fA-F]{4,64}")


def pairs(texts: Sequence[str], where: str) -> dict[str, str]:
    """``("a=1", "b=x=y")`` → ``{"a": "1", "b": "x=y"}``.

    Args:
        texts: As they were typed.
        where: The option or argument, for messages.

    Raises:
        UsageError: One has no ``=``, or a key comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f'{shown(text)} holds no "="', where=where, hint=_form(where))
        if key in found:
            raise UsageError(f"{shown(key)} is given twice", where=where, hint="keep one of the two")
        found[key] = value
    return found


def _form(where: str) -> str:
    return f"{where} KEY=VALUE" if where.startswith("-") else where


def metrics(texts: Sequence[str]) -> dict[str, float]:
    """``("auc=0.93",)`` → ``{"auc": 0.93}``; ``nan`` and ``inf`` are numbers here, as in MLflow.

    Raises:
        UsageError: A value is no number, or larger than a double can hold.
    """
    return {key: number(value, key) for key, value in pairs(texts, "--metric").items()}


def number(text: str, key: str) -> float:
    """The metric ``key`` given as ``text``; see ``metrics``."""
    if not _NUMBER.fullmatch(text.strip()):
        raise UsageError(
            f"{shown(text)} is no number",
            where=f"--metric {key}",
            hint=f"--metric {key}=0.93, or nan, inf, -inf",
        )
    value = float(text)
    if value in (float("inf"), float("-inf")) and "i" not in text.lower():
        raise UsageError(f"{shown(text)} is too large for a number", where=f"--metric {key}")
    return value


def dataset(text: str) -> Dataset:
    """``NAME[=URI][@DIGEST]``; an ``@`` before a slash belongs to the URI (``ssh://git@host/x``).

    Raises:
        UsageError: The name is missing.
    """
    rest, at, digest = text.rpartition("@")
    if not at or "/" in digest:
        rest, digest = text, ""
    name, _, uri = rest.partition("=")
    if not name.strip():
        raise UsageError(f"{shown(text)} names no data set", where="--dataset", hint="NAME[=URI][@DIGEST]")
    return Dataset(name=name, uri=uri or None, digest=digest or None)


def code(text: str) -> Code:
    """``REPO@COMMIT``, ``REPO`` or ``@COMMIT``.

    Raises:
        UsageError: What stands behind the ``@`` is no commit id.
    """
    from gitreg.artifacts.uris import without_secrets

    repository, at, commit = text.rpartition("@")
    if not at or "/" in commit or ":" in commit:
        return Code(repository=without_secrets(text) or None)
    if not _COMMIT.fullmatch(commit):
        raise UsageError(
            f"{shown(commit)} is no commit id", where="--code", hint="REPO@COMMIT, 4 to 64 hex digits"
        )
    return Code(repository=without_secrets(repository) or None, commit=commit.lower())
