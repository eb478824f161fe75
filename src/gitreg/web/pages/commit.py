"""One commit: what it changed, who made it, and what vouches for that."""

from __future__ import annotations

from shlex import join

from gitreg.domain.contrast_model import RegistryContrast
from gitreg.errors import InvalidInput, NotARegistry
from gitreg.index.reading import Link
from gitreg.registry.activity import Entry, neighbours, place
from gitreg.registry.activity import entry as entry_of
from gitreg.registry.contrasting import diff
from gitreg.registry.documents_past import own_words
from gitreg.registry.hands import hands
from gitreg.registry.log import LogEntry, commit_of
from gitreg.registry.looking import view_of
from gitreg.registry.messages import trailers_of
from gitreg.registry.signed import signed
from gitreg.registry.tags_told import tags_made
from gitreg.web.pages import differing
from gitreg.web.pages.cut import cut
from gitreg.web.pages.happened import did_of, names_of, people, told
from gitreg.web.pages.look import Look, Page

_MOST_IN_DETAIL = 200
"""Changes of a commit whose difference is shown; one that has more is told by its first changes."""
_LONGEST_WORDS = 8_000


def commit(look: Look, oid: str) -> Page:
    """One commit of the history, given by its id or a beginning of that."""
    seq = place(look.part, oid)
    entry = entry_of(look.part, seq)
    link = entry.link
    logged = LogEntry(commit=commit_of(link), changes=entry.changes, unread=entry.unread)
    ((_, hand),) = hands(look.registry.store, look.part, [logged])
    before, after = neighbours(look.part, seq)
    return Page(
        template="commit.html",
        title=f"Commit {link.oid[:10]}",
        section="activity",
        values={
            "entry": entry,
            "link": link,
            "people": people(entry),
            "changes": told(entry.changes, look.links, names_of(look.part, [(link, entry.changes)])),
            "more": entry.count - len(entry.changes),
            "words": cut(own_words(logged), _LONGEST_WORDS),
            "trailers": _trailers(entry),
            "signed": signed(look.registry.store, link),
            "tags": tags_made(look.registry.store, look.part, link, entry.changes, look.settings.tags),
            "hands": did_of(hand),
            "difference": _difference(look, entry),
            "before": before,
            "after": after,
            "revert": join(["gitreg", "revert", link.oid[:10]]) if link.parents and entry.count else "",
            "diff": join(["gitreg", "diff", "--from", link.parents[0][:10], "--to", link.oid[:10]])
            if link.parents
            else "",
        },
    )


def _trailers(entry: Entry) -> list[str]:
    """Our trailers in the message's last paragraph, as far as the trees say the same.

    Whoever writes a message can write lines that look like ours: one that tells of something else than
    what the commit changed is left to the message.
    """
    last = entry.link.body.replace("\r\n", "\n").strip("\n").rpartition("\n\n")[2].split("\n")
    ours = set(trailers_of(entry.changes))
    return [cut(line) for line in last if line in ours]


def _difference(look: Look, entry: Entry) -> differing.RegistryTold | None:
    """What differs by meaning between the commit and the one before it; None where that is not shown."""
    link: Link = entry.link
    if not link.parents or entry.count > _MOST_IN_DETAIL:
        return None
    store = look.registry.store
    try:
        before, after = (view_of(store, store.index.slice(each)) for each in (link.parents[0], link.oid))
        found = diff(before, after).contrast
    except (InvalidInput, NotARegistry):  # the page tells which files can't be read
        return None
    return differing.registry(found) if isinstance(found, RegistryContrast) and not found.equal else None
