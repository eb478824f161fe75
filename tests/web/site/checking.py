"""What holds of every site: each address on each page leads to a file of it, and each fragment to a place."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

_ADDRESSES = {"href", "src", "action", "xlink:href"}
_OUTSIDE = {"http", "https", "mailto", "data"}
_TEXT = {".html", ".css", ".js", ".svg", ".json", ".xml"}


@dataclass
class Read(HTMLParser):
    """A page: the addresses on it, the places in it, and what pages may not have."""

    addresses: list[tuple[str, str]] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    forbidden: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {key: value or "" for key, value in attrs}
        self.addresses += [(tag, given[key]) for key in _ADDRESSES if key in given]
        if "id" in given:
            self.ids.add(given["id"])
        if tag == "meta" and given.get("http-equiv") == "refresh":
            self.addresses.append((tag, given["content"].partition("url=")[2]))
        self.forbidden += [f"{tag} {key}" for key in given if key == "style" or key.startswith("on")]
        if tag in ("style", "iframe", "object", "base") or (tag == "script" and "src" not in given):
            self.forbidden.append(tag)


def read(page: Path) -> Read:
    """A page of a site."""
    made = Read()
    made.feed(page.read_text(encoding="utf-8"))
    return made


def files(site: Path) -> dict[str, bytes]:
    """Path → contents of all files."""
    return {
        path.relative_to(site).as_posix(): path.read_bytes()
        for path in sorted(site.rglob("*"))
        if path.is_file()
    }


def faults(site: Path) -> list[str]:
    """What is wrong with the pages of a site, one line each."""
    pages = {path.relative_to(site).as_posix(): read(path) for path in site.rglob("*.html") if path.is_file()}
    found = []
    for here, page in pages.items():
        found += [f"{here}: {what}" for what in page.forbidden]
        for tag, address in page.addresses:
            found += [f"{here}: {tag} {address}: {why}" for why in _fault(site, pages, here, tag, address)]
    return found


def _fault(site: Path, pages: dict[str, Read], here: str, tag: str, address: str) -> Iterator[str]:
    parts = urlsplit(address)
    if parts.scheme:
        if parts.scheme not in _OUTSIDE or tag not in ("a", "img"):
            yield "leads outside"
        return
    if parts.netloc or parts.path.startswith("/"):
        yield "is not relative"
        return
    target = (
        posixpath.normpath(posixpath.join(posixpath.dirname(here), unquote(parts.path)))
        if parts.path
        else here
    )
    if target.startswith("..") or not (site / target).is_file():
        yield "there is no such file"
    elif parts.fragment and unquote(parts.fragment) not in pages[target].ids:
        yield "there is no such place on the page"
