"""What happened last as an Atom feed (RFC 4287), which programs and people can subscribe to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from gitreg.domain.changes import Change, phrase, ranked
from gitreg.manifest.encode import time_text
from gitreg.render.text import safe
from gitreg.web.site.places import FEED

if TYPE_CHECKING:
    from gitreg.web.site.latest import Latest
    from gitreg.web.site.making import Site

_MOST = 20
"""Changes of one commit that are told."""
_LONGEST = 300


def atom(site: Site, entries: Sequence[Latest]) -> bytes:
    """The feed.

    Args:
        site: What it is of.
        entries: The commits, newest first.
    """
    root = site.part.index.oid_of(1) or site.part.commit
    base = site.choice.base_url
    me = f'<link rel="self" href={quoteattr(base + FEED)}/>\n' if base else ""
    head = (
        '<?xml version="1.0" encoding="utf-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"<title>{_text(site.settings.name or 'gitreg')}</title>\n<id>urn:gitreg:{root}</id>\n"
        f"<updated>{time_text(site.part.link(site.part.seq).time)}</updated>\n{me}"
        f'<link rel="alternate" type="text/html" href={quoteattr(base + "index.html")}/>\n'
    )
    return (head + "".join(_entry(site, each) for each in entries) + "</feed>\n").encode()


def _entry(site: Site, latest: Latest) -> str:
    commit = latest.entry.commit
    told = [_phrase(each) for each in ranked(latest.entry.changes)]
    told += [f"{path} can’t be read" for path in latest.entry.unread]
    count = latest.count + len(latest.entry.unread)
    title = told[0] if count == 1 else f"{told[0]} and {count - 1:,} more" if told else commit.subject
    lines = told[:_MOST] + ([f"and {count - _MOST:,} more"] if count > _MOST else [])
    at = site.choice.base_url + site.look("index.html").links.commit(commit.oid).removeprefix("./")
    return (
        f"<entry>\n<title>{_text(title)}</title>\n<id>urn:gitreg:{commit.oid}</id>\n"
        f"<updated>{time_text(commit.commit_time)}</updated>\n"
        f"<author><name>{_text(commit.author.name or commit.author.email)}</name></author>\n"
        f'<link rel="alternate" type="text/html" href={quoteattr(at)}/>\n'
        f"<content>{_text(chr(10).join(lines))}</content>\n</entry>\n"
    )


def _phrase(change: Change) -> str:
    return f"{change.subject or 'registry'}: {phrase(change)}"


def _text(text: str) -> str:
    """As text of XML, in which control characters may not stand even as references."""
    shown = "\n".join(map(safe, text.split("\n")))
    return escape(shown if len(shown) <= _LONGEST * _MOST else shown[: _LONGEST * _MOST] + "…")
