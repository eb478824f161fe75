"""Tables of thousands of lines, put together by SQLite: as text, a line takes a tenth of the time.

Every function gives None where the text could differ from what the slow way prints: then take that.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Sequence

from gitreg.domain.changes import RANK, worded
from gitreg.domain.settings import ARCHIVED
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE, UNREADABLE
from gitreg.registry.log import Wanted, brief_change_of, condition

_CELL, _ROW, _MARK = "\x1f", "\x1e", "\x1d"
_PLAIN = bytes(range(32, 127)) + f"{_CELL}{_ROW}{_MARK}".encode()
_ARROWS = sqlite3.sqlite_version_info >= (3, 38)  # JSON's ->, which gives a number as it is written


def versions(part: Slice, name: str, metrics: Sequence[str]) -> str | None:
    """The lines of ``gitreg list NAME``, newest version first, without the heading.

    Columns: version, stages, aliases, status, source, created, and the metrics asked for.
    """
    if not _ARROWS or any('"' in key or "\\" in key for key in metrics):
        return None
    odd = f"SELECT 1 FROM version v WHERE v.name = ? AND v.state = {UNREADABLE} AND $v LIMIT 1"
    if part.rows(odd, name):
        return None
    cells = [
        "v.number",
        "coalesce(s.words, 'None')",
        "coalesce(n.words, '')",
        "CASE WHEN instr(v.doc, '\"deprecated\":') AND json_type(v.doc, '$.deprecated') IS NOT NULL "
        "THEN 'deprecated' ELSE lower(v.status) END",
        "v.source",
        "v.doc ->> '$.created'",
        *["replace(coalesce(v.doc -> ?, ''), '\"', '')"] * len(metrics),  # "NaN" is a text
    ]
    words = "SELECT number, group_concat(word, ', ') AS words FROM ({}) GROUP BY number"
    named = words.format(
        "SELECT a.number, a.alias AS word FROM alias a WHERE a.name = ? AND $a ORDER BY a.alias"
    )
    held = words.format(
        "SELECT h.number, h.stage AS word FROM holding h WHERE h.name = ? AND $h ORDER BY h.stage"
    )
    rows = part.rows(
        f"SELECT group_concat(line, char(30)) FROM (SELECT {_joined(cells)} AS line FROM version v "
        f"LEFT JOIN ({named}) n ON n.number = v.number LEFT JOIN ({held}) s ON s.number = v.number "
        f"WHERE v.name = ? AND v.state = {LIVE} AND $v ORDER BY v.number DESC)",
        *(f'$.metrics."{key}"' for key in metrics),
        *[name] * 3,
    )
    return _as_tsv(rows[0][0])


def main_metrics(part: Slice, name: str, most: int) -> tuple[str, ...]:
    """The first few metrics of the newest version that has any."""
    newest = (
        f"SELECT v.row FROM version v WHERE v.name = ? AND v.state = {LIVE} AND $v AND EXISTS "
        "(SELECT 1 FROM attribute b WHERE b.row = v.row AND b.kind = 'metric') "
        "ORDER BY v.number DESC LIMIT 1"
    )
    rows = part.rows(
        "SELECT a.key FROM attribute a WHERE a.kind = 'metric' "
        f"AND a.row = ({newest}) ORDER BY a.key LIMIT ?",
        name,
        most,
    )
    return tuple(key for (key,) in rows)


def events(part: Slice, wanted: Wanted, name_of: Callable[[str], str]) -> str | None:
    """The lines of ``gitreg log``, newest first, without the heading.

    Columns: commit, time, author, event, model, version, stage, summary.

    Args:
        part: The index.
        wanted: What to tell.
        name_of: What the owner of an e-mail address is called; ``""`` where nobody knows.
    """
    if wanted.since or wanted.until or wanted.author or part.rows("SELECT 1 FROM unread LIMIT 1"):
        return None
    where, params = condition(part, wanted)
    told = (
        "CASE WHEN e.event = 'register' THEN 'register ' || coalesce('version ' || e.number, 'model') "
        "WHEN e.event = 'transition' AND e.stage IS NOT NULL AND e.number IS NOT NULL THEN "
        "'transition version ' || e.number || ' to ' || e.stage || coalesce(' (from ' || "
        "replace(trim(e.origin, '[]'), '\"', '') || ')', '') "
        "ELSE char(29) || e.seq || ':' || e.place || char(29) END"
    )
    cells = [
        "c.oid",
        "strftime('%Y-%m-%dT%H:%M:%S.000Z', c.time, 'unixepoch')",
        "c.author",
        "e.event",
        "e.name",
        "coalesce(e.number, '')",
        "coalesce(e.stage, '')",
        told,
    ]
    rank = " ".join(f"WHEN '{event}' THEN {rank}" for event, rank in RANK.items())
    rows = part.rows(
        f"SELECT group_concat(line, char(30)) FROM (SELECT {_joined(cells)} AS line "
        f"FROM event e JOIN chain c ON c.seq = e.seq WHERE {where} "
        f"ORDER BY e.seq DESC, CASE e.event {rank} ELSE 99 END, e.stage IS '{ARCHIVED}', "
        "e.number IS NULL, e.place)",
        *params,
    )
    text = _as_tsv(rows[0][0])
    return text if text is None or _MARK not in text else _with_phrases(part, text, name_of)


def _with_phrases(part: Slice, text: str, name_of: Callable[[str], str]) -> str | None:
    """``text`` with each mark ``SEQ:PLACE`` replaced by what that event says."""
    marks = re.compile(f"{_MARK}([0-9]+):([0-9]+){_MARK}")
    asked = json.dumps([[int(seq), int(place)] for seq, place in marks.findall(text)])
    rows = part.rows(
        "SELECT e.* FROM json_each(?) j CROSS JOIN event e "
        "ON e.seq = json_extract(j.value, '$[0]') AND e.place = json_extract(j.value, '$[1]')",
        asked,
    )
    said = {(row[0], row[1]): worded(brief_change_of(row), name_of) for row in rows}
    if not _plain("".join(said.values())):
        return None
    return marks.sub(lambda match: said[int(match[1]), int(match[2])], text)


def _plain(text: str) -> bool:
    """Whether nothing in ``text`` is what the slow way may have to escape."""
    return text.isascii() and not text.encode("ascii").translate(None, _PLAIN)


def _joined(cells: Sequence[str]) -> str:
    return " || char(31) || ".join(f"({cell})" for cell in cells)  # -> binds no closer than ||


def _as_tsv(text: str | None) -> str | None:
    if text is None:
        return ""
    if not _plain(text):
        return None
    return text.replace(_CELL, "\t").replace(_ROW, "\n") + "\n"
