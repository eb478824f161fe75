"""Commands that messages tell a person to type."""

from __future__ import annotations

from collections.abc import Sequence
from shlex import join


def command(verb: str, *words: str, options: Sequence[str] = ()) -> str:
    """``gitreg approve churn/12 Production``, to be typed as it stands; no name is read as an option."""
    if any(word.startswith("-") for word in words):
        return join(["gitreg", verb, *options, "--", *words])
    return join(["gitreg", verb, *words, *options])
