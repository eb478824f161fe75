"""The addresses that the pages of a site give each other: relative, so that it works wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, urlencode

from gitreg.web.links import Links, Query
from gitreg.web.site import places
from gitreg.web.site.places import Places, address


class SiteLinks(Links):
    """Addresses as seen from a page of a site.

    Args:
        at: The path of that page, from the root of the site.
        place: Where models lie.
        seq_of: The place of a commit (full hex id) in the history that is shown; None: it has none.
        takes: Whether a model is in the site.
        detailed: Whether each commit has a page of its own.
    """

    live = False

    def __init__(
        self,
        at: str,
        place: Places,
        seq_of: Callable[[str], int | None],
        *,
        takes: Callable[[str], bool],
        detailed: bool,
    ) -> None:
        super().__init__(None, "/".join([".."] * at.count("/")) or ".")
        self.place = place
        self._seq_of = seq_of
        self._takes = takes
        self._detailed = detailed

    def file(self, path: str) -> str:
        """The address of a file of the site."""
        return f"{self.root}/{address(path)}"

    def to(self, *path: str, **query: Query) -> str:
        """The address of a page that is called the same as on a server."""
        return self._asked("/".join([*map(places.encoded, path), "index.html"]), query)

    def models(self, **query: Query) -> str:
        """The list of models; without a server it is not narrowed, only paged."""
        page = query.get("page")
        return self.file(places.models(page if isinstance(page, int) else 1))

    def model(self, name: str, **query: Query) -> str:
        """One model; one that is not in the site leads to the list of those that are."""
        if not self._takes(name):
            return self.models()
        page = query.get("page")
        return self.file(self.place.model(name, page if isinstance(page, int) else 1))

    def version(self, name: str, number: int | str, **query: Query) -> str:
        """One version; a stage or an alias leads to the model, whose page names who has it."""
        if str(number).isdecimal() and self._takes(name):
            return self.file(self.place.version(name, int(number)))
        return self.model(name)

    def compare(self, *versions: str) -> str:
        """Versions beside each other: the browser does it."""
        return self._asked("compare/index.html", {"version": versions})

    def search(self, **query: Query) -> str:
        """The search: the browser does it."""
        return self._asked("search/index.html", {"q": query.get("q")})

    def activity(self, **query: Query) -> str:
        """What happened last, or before a commit; without a server it is not narrowed."""
        before = query.get("before")
        seq = self._seq_of(before) if isinstance(before, str) else None
        return self.file(places.activity(places.page_of(seq - 1) if seq and seq > 1 else None))

    def commit(self, oid: str) -> str:
        """What one commit changed; one that the history does not hold leads to the activity."""
        seq = self._seq_of(oid)
        if seq is None:
            return self.activity()
        if self._detailed:
            return self.file(places.commit(oid))
        return self.file(places.activity(places.page_of(seq)))

    def proposals(self) -> str:
        """The proposals that were open."""
        return self.file("proposals/index.html")

    def proposal(self, name: str) -> str:
        """One proposal: its branch or number."""
        return self.file(places.proposal(name))

    def policy(self) -> str:
        """The rules."""
        return self.file("policy/index.html")

    def static(self, file: str) -> str:
        """A file that pages need: style, script, picture."""
        from gitreg.web.assets import stamped

        return f"{self.root}/static/{stamped(file)}"

    def _asked(self, path: str, query: dict[str, Query]) -> str:
        given = {key: value for key, value in query.items() if value is not None and value != ""}
        asked = urlencode(given, doseq=True, quote_via=quote)
        return self.file(path) + (f"?{asked}" if asked else "")
