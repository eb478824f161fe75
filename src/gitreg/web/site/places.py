"""Where each page and document lies in the folder of a site.

No name of a model, alias or proposal can lead out of its folder, take the place of a file of ours, or
meet another one where upper and lower case are the same.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import quote

from gitreg.domain import names

MANIFEST = ".gitreg-site.json"
PARTIAL = ".gitreg-site.partial"
FEED = "feed.xml"
ACTIVITY = 50
"""Commits on a page of what happened."""
_TAKEN = re.compile(r"index\.[^/]*|page", re.IGNORECASE)
"""Folders of models that would stand where a file of ours does."""
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_LONGEST = 200
"""Bytes of a file's name; most file systems take 255."""


class Places:
    """The places of one site.

    Args:
        twins: Model → what is put behind its folder's name, for models whose names differ in case or
            Unicode form alone; see ``twins_of``.
    """

    def __init__(self, twins: dict[str, str] | None = None) -> None:
        self.twins = twins or {}
        self._folders: dict[str, str] = {}

    def folder(self, name: str) -> str:
        """The folder of a model below ``models/``: ``churn``, ``a%20b``."""
        found = self._folders.get(name)
        if found is None:
            found = names.folder(name)
            if _TAKEN.fullmatch(found):
                found = f"%{ord(found[0]):02X}{found[1:]}"
            found = self._folders[name] = found + self.twins.get(name, "")
        return found

    def model(self, name: str, page: int = 1) -> str:
        """The page of a model, or one of the further pages of its versions."""
        more = "" if page == 1 else f"page/{page}/"
        return f"models/{self.folder(name)}/{more}index.html"

    def version(self, name: str, number: int) -> str:
        """The page of a version."""
        return f"models/{self.folder(name)}/{number}/index.html"

    def model_data(self, name: str) -> str:
        """A model and all its versions as JSON."""
        return f"api/v1/models/{self.folder(name)}/index.json"

    def version_data(self, name: str, number: int) -> str:
        """One version as JSON."""
        return f"api/v1/models/{self.folder(name)}/versions/{number}.json"

    def stage_data(self, name: str, stage: str) -> str:
        """The version that a stage means, as JSON."""
        return f"api/v1/models/{self.folder(name)}/stages/{stage}.json"

    def alias_data(self, name: str, alias: str) -> str | None:
        """The version that an alias means, as JSON; None for one that is too long for a file's name."""
        file = encoded(alias)
        return f"api/v1/models/{self.folder(name)}/aliases/{file}.json" if len(file) <= _LONGEST else None

    def model_script(self, name: str) -> str:
        """A model and all its versions as a script, which a page that was opened from disk can load."""
        return f"data/models/{self.folder(name)}.js"


def models(page: int = 1) -> str:
    """A page of the list of models."""
    return "models/index.html" if page == 1 else f"models/page/{page}/index.html"


def activity(page: int | None = None) -> str:
    """What happened last, or one page of all that happened."""
    return "activity/index.html" if page is None else f"activity/{page}/index.html"


def page_of(seq: int) -> int:
    """The page of all that happened that tells of the commit at this place, and of those before it."""
    return -(-seq // ACTIVITY)


def commit(oid: str) -> str:
    """What one commit changed."""
    return f"commits/{oid}/index.html"


def proposal(name: str) -> str:
    """One proposal: its branch or number."""
    file = encoded(name)
    if len(file) > _LONGEST:
        file = file[: _LONGEST - 17].rpartition("%")[0] + "~" + sha256(name.encode()).hexdigest()[:16]
    return f"proposals/{file}/index.html"


def static(file: str) -> str:
    """A file that pages need."""
    return f"static/{file}"


def encoded(text: str) -> str:
    """``text`` as a file's name; all but small letters, digits, ``_`` and ``-`` percent-encoded."""
    return "".join(
        char if char in _PLAIN else "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogatepass"))
        for char in text
    )


def address(path: str) -> str:
    """A path of the site as it stands in a link."""
    return quote(path, safe="/~")


def twins_of(found: Iterable[str]) -> dict[str, str]:
    """Models that can't lie beside each other on every disk → what tells their folders apart.

    Commands refuse such names, hands don't: the first of them keeps its folder.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in found:
        groups[names.folder(name).casefold()].append(name)
    return {
        name: "~" + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        for group in groups.values()
        for name in sorted(group)[1:]
    }
