"""Versions found by plain words, as people type them: no field is named, no grammar is needed.

What the versions say is kept in memory, a few hundred bytes for each, once somebody has searched: words are
looked for at each key that is pressed.
"""

from __future__ import annotations

import json
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from typing import TypedDict

from gitreg.index.filter.sql import Sql
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE
from gitreg.index.search import FEW
from gitreg.registry.searching import Question, VersionPage, find_versions
from gitreg.registry.store import Store


class _Only(TypedDict):
    only: Sql
    among: list[Sql]


MOST_WORDS = 8
_MOST_REGISTRIES = 2
_BLOCK = 512
"""Rows whose texts are one."""
_MARK = "\x1e"
_LONGEST = 500
"""Characters of one value that are searched: a tag may hold a million."""

# What is told of one version, a line for each value; a key and its value as people write them: team=growth.
_TOLD = f"""
SELECT v.row, v.name || char(10) || substr(ifnull(v.source, ''), 1, {_LONGEST}) || char(10)
    || ifnull(v.run_id, '') || char(10)
    || substr(ifnull(json_extract(v.doc, '$.description'), ''), 1, {8 * _LONGEST}) || char(10)
    || ifnull(json_extract(v.doc, '$.experiment'), '') || char(10)
    || ifnull(json_extract(v.doc, '$.model_id'), '') || char(10)
    || ifnull(json_extract(v.doc, '$.artifact.digest'), '') || char(10)
    || ifnull((SELECT group_concat(s.key, char(10)) FROM json_each(v.doc, '$.stages') s), '') || char(10)
    || ifnull((SELECT group_concat(substr(CASE
            WHEN a.kind IN ('tag', 'param') THEN a.key || '=' || a.value
            WHEN a.kind = 'flavor' THEN a.key ELSE a.value END, 1, {_LONGEST}), char(10))
        FROM attribute a WHERE a.row = v.row
        AND a.kind IN ('tag', 'param', 'dataset', 'code', 'flavor', 'parent')), '')
FROM version v WHERE v.row > ? AND v.state = {LIVE} ORDER BY v.row"""


def words_of(text: str) -> list[str]:
    """The words of a text, each once; what is in double quotes is one, and so is the rest of a long text."""
    parts = text.split('"')
    found: list[str] = []
    for place, part in enumerate(parts):
        found += [part.strip()] if place % 2 and place < len(parts) - 1 else part.split()
    kept = list(dict.fromkeys(word for word in found if word))
    return [*kept[: MOST_WORDS - 1], " ".join(kept[MOST_WORDS - 1 :])] if len(kept) > MOST_WORDS else kept


def find_by_words(store: Store, part: Slice, words: Sequence[str], asked: Question) -> VersionPage:
    """A page of the versions in which each word stands.

    It may stand in the model's name, a stage, an alias, the source, the run, the description, a tag, a
    parameter, the data, the code or the artifact's digest; upper and lower case are the same.

    Args:
        store: The registry.
        part: Its index at the commit.
        words: What must be there, all of it.
        asked: Order and page; its filter counts, too.

    Raises:
        InvalidInput: As for ``find_versions``.
    """
    told = [(word.lower(), _aliased(part, word)) for word in words]
    rows = _said(store, part).holding(told)
    # Rows that came since the first page are no reason to refuse the token of the next one: the words are.
    also = Sql("? <> ''", (json.dumps(words),))
    return find_versions(part, asked, also, **_only(rows))


def _only(rows: set[int]) -> _Only:
    """That a version's row is among these: where they are few, they are where to look."""
    if len(rows) <= FEW:
        told = (json.dumps(sorted(rows)),)
        few = Sql("SELECT value AS row FROM json_each(?)", told)
        return {"only": Sql("v.row IN (SELECT value FROM json_each(?))", told), "among": [few]}
    marks = bytearray(max(rows))
    for row in rows:
        marks[row - 1] = 1
    return {"only": Sql("substr(?, v.row, 1) = x'01'", (bytes(marks),)), "among": []}


def _aliased(part: Slice, word: str) -> set[int]:
    """The rows of the versions to which an alias with the word points."""
    rows = part.rows(
        "SELECT v.row FROM alias s CROSS JOIN version v ON v.name = s.name AND v.number = s.number AND $v "
        "WHERE $s AND s.alias LIKE ? ESCAPE '\\'",
        "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%",
    )
    return {row for (row,) in rows}


class _Said:
    """What each row of versions says, in lower case; rows are added and never change.

    The texts of many rows are one: that takes a third of the memory, and most blocks need one look.
    """

    def __init__(self) -> None:
        self._blocks: list[tuple[array[int], str]] = []
        self._last = 0
        self._lock = Lock()

    def grow(self, part: Slice) -> None:
        """Read what came since."""
        with self._lock:
            while found := part.rows(f"{_TOLD} LIMIT {_BLOCK}", self._last):
                rows = array("q", (row for row, _ in found))
                # The mark is no letter that a word can have: ``words_of`` splits at it.
                text = _MARK.join(text.lower().replace(_MARK, " ") for _, text in found)
                self._last = rows[-1]
                if self._blocks and len(self._blocks[-1][0]) + len(rows) <= _BLOCK:
                    before, said = self._blocks.pop()  # or each commit would leave a block of its own
                    rows, text = before + rows, said + _MARK + text
                self._blocks.append((rows, text))

    def holding(self, words: Sequence[tuple[str, set[int]]]) -> set[int]:
        """The rows that hold all of some words.

        Args:
            words: At least one; each in lower case, and the rows that have it by other means.
        """
        found: set[int] = set()
        for rows, text in list(self._blocks):
            if all(word in text or not others.isdisjoint(rows) for word, others in words):
                pairs = list(zip(rows, text.split(_MARK), strict=True))
                for word, others in words:
                    pairs = [(row, said) for row, said in pairs if word in said or row in others]
                found.update(row for row, _ in pairs)
        return found


_KNOWN: OrderedDict[tuple[str, str, int], _Said] = OrderedDict()
_LOCK = Lock()


def _said(store: Store, part: Slice) -> _Said:
    """What the versions of a registry say, up to now; it begins anew where history was rewritten."""
    key = (str(store.index.folder.path), part.index.name, part.index.stand().cuts)
    with _LOCK:
        known = _KNOWN.setdefault(key, _Said())
        _KNOWN.move_to_end(key)
        while len(_KNOWN) > _MOST_REGISTRIES:
            _KNOWN.popitem(last=False)
    known.grow(part)
    return known
