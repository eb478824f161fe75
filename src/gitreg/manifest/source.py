"""A file's text, and findings at places in it."""

from __future__ import annotations

from gitreg.domain.findings import Finding

_LONGEST_EXCERPT = 200


class Source:
    """The text of one file, with LF line ends.

    Args:
        text: The whole text.
        path: How findings name the file.
    """

    __slots__ = ("path", "text")

    def __init__(self, text: str, path: str) -> None:
        self.text = text
        self.path = path

    def finding(
        self, code: str, message: str, start: int, end: int, *, help: str = "", severity: str = "error"
    ) -> Finding:
        """A finding at the characters from ``start`` (0-based offset) to ``end``.

        The caret stays on the first line; a very long line is cut around the place.
        """
        text = self.text
        start = min(start, len(text))
        line_start = text.rfind("\n", 0, start) + 1
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        column = start - line_start
        excerpt = text[line_start:line_end]
        if len(excerpt) > _LONGEST_EXCERPT:
            # The excerpt must keep its columns: only the tail can go.
            excerpt = excerpt[: max(_LONGEST_EXCERPT, column + 40)] if column < 4000 else ""
        return Finding(
            code=code,
            message=message,
            path=self.path,
            line=text.count("\n", 0, start) + 1,
            column=column + 1,
            excerpt=excerpt,
            length=max(1, min(end, line_end) - start),
            help=help,
            severity=severity,
        )
