"""Which models look different since another commit: what changed them, and what is near to those."""

from __future__ import annotations

import json
from collections.abc import Iterable

from gitreg.domain.lineage import parent_reference
from gitreg.domain.names import from_folder
from gitreg.domain.references import PREFIX
from gitreg.errors import GitregError
from gitreg.index.reading import Slice
from gitreg.manifest.layout import APPROVALS_DIR, GATES_DIR, KEYS_DIR, SETTINGS_FILE
from gitreg.registry.record import NEAR
from gitreg.registry.states import TreeStates, root_in
from gitreg.registry.store import Store

_MOST = 1_000
"""Commits that are looked at one by one; after more of them all is made anew."""
_RULES = (SETTINGS_FILE, GATES_DIR, KEYS_DIR)
_AT_ONCE = 500


def changed(store: Store, part: Slice, since: int) -> set[str] | None:
    """The models that commits after ``since`` (its place in the history) touched; None: it may be all.

    Args:
        store: The registry.
        part: The index at the commit that is looked at now.
        since: The place of the other commit.
    """
    if part.seq - since > _MOST:
        return None
    found = _told(part, since)
    rows = part.rows("SELECT oid FROM chain WHERE seq >= ? AND seq <= ? ORDER BY seq", since, part.seq)
    before: _Tree | None = None
    for (oid,) in rows:
        try:
            after = _Tree(store, oid)
        except GitregError:  # no registry there: a commit between took it away and another brought it back
            return None
        if before is not None:
            if before.rules != after.rules:
                return None
            found |= before.differing(after)
        before = after
    return found


def _told(part: Slice, since: int) -> set[str]:
    """The models that events are about; a rename is about two."""
    found = set()
    for name, event, after in part.rows(
        "SELECT DISTINCT e.name, e.event, CASE e.event WHEN 'rename' THEN e.after END FROM event e "
        "WHERE e.seq > ? AND e.seq <= ?",
        since,
        part.seq,
    ):
        found.add(str(name))
        if event == "rename" and after:
            found.add(str(json.loads(after)))
    return found - {""}


def retold(part: Slice, since: int) -> list[int]:
    """The places of the commits before ``since`` of which there is more to tell after it.

    Approvals may come to the branch after the change that they are of: whoever approved is told there.
    """
    rows = part.rows(
        "SELECT DISTINCT name FROM event WHERE event = 'approve' AND seq > ? AND seq <= ?", since, part.seq
    )
    names = {str(name) for (name,) in rows}
    if not names:
        return []
    for _ in range(2):  # and before it had its name
        names |= _called_otherwise(part, json.dumps(sorted(names)))
    told = part.rows(
        "SELECT DISTINCT e.seq FROM json_each(?) j CROSS JOIN event e ON e.name = j.value "
        "WHERE e.event IN ('transition', 'assign', 'unassign') AND e.seq < ? ORDER BY e.seq",
        json.dumps(sorted(names)),
        since,
    )
    return [int(seq) for (seq,) in told]


class _Tree:
    """What pages depend on in the tree of one commit."""

    def __init__(self, store: Store, oid: str) -> None:
        reader = store.reader
        root = root_in(reader, oid, reader.commit(oid).tree, store.prefix)
        tree = reader.tree(root)
        self.rules = [(entry.mode, entry.oid) if (entry := tree.get(name)) else None for name in _RULES]
        self.folders: dict[str, str] = {}
        states = TreeStates(store.decoder, root)
        self.folders = {name: entry.oid for name, entry in states.folders()}
        approvals = tree.get(APPROVALS_DIR)
        if approvals is not None and approvals.mode == "40000":
            for folder, entry in reader.tree(approvals.oid).items():
                name = from_folder(folder)
                if name is not None:
                    self.folders[name] = self.folders.get(name, "") + entry.oid

    def differing(self, other: _Tree) -> set[str]:
        """The models whose folders differ."""
        here, there = self.folders, other.folders
        return {name for name in here.keys() | there.keys() if here.get(name) != there.get(name)}


def related(part: Slice, names: Iterable[str]) -> set[str]:
    """``names``, and the models whose pages may tell of them: what their lineage shows, and counts beyond it.

    What was true at any time counts, so that a page which showed something that is gone is among them.
    """
    found = set(names)
    new = set(found)
    for _ in range(NEAR.depth + 2):
        beside: set[str] = set()
        for begin in range(0, len(new), _AT_ONCE):
            beside |= _beside(part, sorted(new)[begin : begin + _AT_ONCE])
        new = beside - found
        found |= new
    return found


def _beside(part: Slice, names: list[str]) -> set[str]:
    asked = json.dumps(names)
    found = _called_otherwise(part, asked)
    for (uri,) in part.rows(
        "SELECT DISTINCT a.value FROM json_each(?) j CROSS JOIN version v ON v.name = j.value "
        "JOIN attribute a ON a.row = v.row AND a.kind = 'parent'",
        asked,
    ):
        meant = parent_reference(str(uri))
        found |= {meant.name} if meant else set()
    for name in names:
        found |= _children(part, name)
    return found


def _children(part: Slice, name: str) -> set[str]:
    """The models with a version that names one of this model as a parent."""
    found = set()
    for start in (f"{PREFIX}{name}", name):
        for begin, end in ((f"{start}/", f"{start}0"), (f"{start}@", f"{start}A")):  # what follows / and @
            rows = part.rows(
                "SELECT DISTINCT v.name FROM attribute a JOIN version v ON v.row = a.row "
                "WHERE a.kind = 'parent' AND a.key IN ('', 'copy') AND a.value >= ? AND a.value < ?",
                begin,
                end,
            )
            found |= {str(child) for (child,) in rows}
    return found


def _called_otherwise(part: Slice, asked: str) -> set[str]:
    """The names that these models had before or got later."""
    went = part.rows(
        "SELECT e.after FROM json_each(?) j CROSS JOIN event e ON e.name = j.value WHERE e.event = 'rename'",
        asked,
    )
    came = part.rows("SELECT e.name, e.after FROM event e WHERE e.event = 'rename'")
    names = set(json.loads(asked))
    return {str(json.loads(after)) for (after,) in went} | {
        str(name) for name, after in came if json.loads(after) in names
    }
