"""Commands that messages tell a person to type."""

from __future__ import annotations

from shlex import join


def command(verb: str, *words: str) -> str:
    """``gitreg approve churn/12 Production``, to be typed as it stands; no name is read as an option."""
    dash = ["--"] if any(word.startswith("-") for word in words) else []
    return join(["gitreg", verb, *dash, *words])
