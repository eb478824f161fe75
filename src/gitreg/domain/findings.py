"""A finding: one fault at one place in one file, as ``check`` and the hooks report it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fault found in a file of the registry.

    Attributes:
        code: ``GR`` and three digits; ``gitreg explain CODE`` tells the rule.
        message: What is wrong, beginning with the field path where there is one.
        path: File, relative to the registry's root, with ``/``.
        line: First line is 1; 0 where the finding is about the whole file.
        column: First column is 1, counted in characters; 0 as for ``line``.
        excerpt: The faulty line as it stands in the file, or ``""``.
        length: How many characters the caret underlines.
        help: How to mend it, or ``""``.
        severity: ``"error"`` or ``"warning"``; only errors make a check fail.
    """

    code: str
    message: str
    path: str = ""
    line: int = 0
    column: int = 0
    excerpt: str = ""
    length: int = 1
    help: str = ""
    severity: str = "error"

    @property
    def location(self) -> str:
        """``file:line:column``, as short as what is known allows."""
        parts = [self.path or "<text>"]
        if self.line:
            parts += [str(self.line), str(max(self.column, 1))]
        return ":".join(parts)
