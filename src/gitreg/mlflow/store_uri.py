"""The URI of the store plugin: ``gitreg+file:///path``, with what it asks for besides."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from gitreg.mlflow.errors import invalid

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreUri:
    """What a store URI says.

    Attributes:
        place: The registry's path, absolute.
        at: A date or revision to read at; None: the head.
        propose: Whether transitions that the rules refuse become proposals.
    """

    place: Path
    at: str | None = None
    propose: bool = False


def read(text: str) -> StoreUri:
    """Read a store URI.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE: it is none of ours.
    """
    parts = urlsplit(text)
    asked = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(set(asked) - {"at", "propose"})
    propose = asked.get("propose", "no").lower()
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/") or parts.fragment:
        raise _refused(text, "the path is missing or not absolute")
    if unknown:
        raise _refused(text, f"'{unknown[0]}' is no option")
    if asked.get("at") == "":
        raise _refused(text, "'at' has no value")
    if propose not in _TRUE | _FALSE:
        raise _refused(text, f"'{propose}' is neither yes nor no")
    return StoreUri(place=Path(unquote(parts.path)), at=asked.get("at"), propose=propose in _TRUE)


def _refused(text: str, reason: str) -> Exception:
    return invalid(
        f"'{text}' names no registry: {reason}. For instance gitreg+file:///srv/models?at=2026-01-15"
    )
