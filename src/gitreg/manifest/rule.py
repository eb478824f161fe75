"""What a rule says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule that a finding can name.

    Attributes:
        code: ``GR`` and three digits.
        title: The rule in one line.
        why: What goes wrong without it.
        wrong: An example that breaks it.
        right: The same as it should be.
    """

    code: str
    title: str
    why: str
    wrong: str
    right: str


def rule_of(code: str, title: str, why: str, wrong: str, right: str) -> Rule:
    """A rule from its five texts."""
    return Rule(code=code, title=title, why=why, wrong=wrong, right=right)
