"""Page tokens as MLflow gives them: Base64 of a JSON object with an offset.

Ours also hold the commit and the place in the order, so that pages belong together whatever is written
meanwhile, and the last page costs what the first did. A token of MLflow's making is taken as well.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from gitreg.domain.names import is_utf8
from gitreg.index.filter.order import Place
from gitreg.mlflow.errors import invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where a page begins.

    Attributes:
        offset: Rows before it.
        commit: The commit that the first page was answered at; ``""``: the token does not say.
        search: Digest of what is searched for.
        place: The values of the order's keys in the last row before it.
    """

    offset: int = 0
    commit: str = ""
    search: str = ""
    place: Place | None = None

    def token(self) -> str:
        """The token that leads here."""
        body = {"offset": self.offset, "commit": self.commit, "search": self.search, "place": self.place}
        return base64.b64encode(json.dumps(body).encode()).decode()


def read(token: str | bytes | None) -> Page:
    """The page that a token leads to; the first where there is none.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE, with MLflow's words.
    """
    if not token:
        return Page()
    try:
        decoded = base64.b64decode(token)
    except (TypeError, ValueError, binascii.Error):
        raise invalid("Invalid page token, could not base64-decode") from None
    try:
        found = json.loads(decoded)
    except (ValueError, RecursionError):
        raise invalid(f"Invalid page token, decoded value={decoded!r}") from None
    offset = found.get("offset") if isinstance(found, dict) else None
    if not offset:
        raise invalid(f"Invalid page token, parsed value={found}")
    try:
        number = int(offset)
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"Invalid page token, not stringable {offset}") from None
    commit, search, place = found.get("commit"), found.get("search"), found.get("place")
    if not _is_text(commit) or not _is_text(search) or not _is_place(place):
        return Page(offset=max(number, 0))
    return Page(offset=max(number, 0), commit=commit, search=search, place=tuple(place))


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and value.isascii() and value.isalnum()


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_bound, value))


def _is_bound(value: Any) -> bool:
    """Whether SQLite can be asked with a value."""
    if isinstance(value, str):
        return is_utf8(value)
    return isinstance(value, float) or (
        isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    )
