"""Whether somebody whose request was let through still may have its answer: for answers that take long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import Scope

_KEY = "lasting"


def keep(scope: Scope, ask: Callable[[], bool]) -> None:
    """Keep with a request what tells it; ``ask`` must be quick."""
    scope.setdefault("state", {})[_KEY] = ask


def lasts(scope: Scope) -> bool:
    """Whether the request would be let through now, too; true where nothing checks any."""
    ask = scope.get("state", {}).get(_KEY)
    return ask is None or bool(ask())
