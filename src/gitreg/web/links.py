"""Where each page is: the addresses that pages give each other."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlencode

Query = str | int | None | Sequence[str]


class Links:
    """The addresses of a server's pages, each carrying along the time that is looked at.

    Args:
        at: A date or revision; None: now.
        root: What stands before every path, without a slash at its end.
    """

    live = True
    """Whether there is a server behind the pages, which can be asked and told."""

    def __init__(self, at: str | None = None, root: str = "") -> None:
        self.at = at
        self.root = root

    def to(self, *path: str, **query: Query) -> str:
        """The address of a page.

        Args:
            path: Its parts; each is percent-encoded.
            query: What is asked of it; None and ``""`` are left out, a list is given value by value.
        """
        if self.at is not None and "at" not in query:
            query["at"] = self.at
        given = {key: value for key, value in query.items() if value is not None and value != ""}
        asked = urlencode(given, doseq=True, quote_via=quote)
        where = "/".join(quote(part, safe="") for part in path)
        return f"{self.root}/{where}" + (f"?{asked}" if asked else "")

    def models(self, **query: Query) -> str:
        """The list of models."""
        return self.to("models", **query)

    def model(self, name: str, **query: Query) -> str:
        """One model."""
        return self.to("models", name, **query)

    def version(self, name: str, number: int | str, **query: Query) -> str:
        """One version; a stage or ``@alias`` in the number's place leads on to it."""
        return self.to("models", name, str(number), **query)

    def compare(self, *versions: str) -> str:
        """Versions (``churn/1``) beside each other."""
        return self.to("compare", version=versions)

    def search(self, **query: Query) -> str:
        """The search."""
        return self.to("search", **query)

    def activity(self, **query: Query) -> str:
        """What happened."""
        return self.to("activity", **query)

    def commit(self, oid: str) -> str:
        """What one commit changed."""
        return self.to("activity", oid)

    def proposals(self) -> str:
        """The open proposals."""
        return self.to("proposals", at=None)

    def proposal(self, name: str) -> str:
        """One proposal: its branch or number."""
        return f"{self.root}/proposals/{quote(name, safe='/')}"

    def policy(self) -> str:
        """The rules."""
        return self.to("policy")

    def register(self, **query: Query) -> str:
        """The form that registers a version."""
        return self.to("register", at=None, **query)

    def action(self, verb: str, name: str, number: int | None = None) -> str:
        """Where a form is sent that changes a model or a version."""
        which = (name,) if number is None else (name, str(number))
        return self.to("models", *which, verb, at=None)

    def api(self) -> str:
        """The page of the API."""
        return self.to("api", at=None)

    def static(self, file: str) -> str:
        """A file that pages need: style, script, picture."""
        from gitreg.web.assets import stamped

        return f"{self.root}/static/{stamped(file)}"
