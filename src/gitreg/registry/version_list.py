"""The versions of a model as the pages of a list: newest first, of each what tells most at a glance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from gitreg.domain.model import ModelVersion
from gitreg.domain.natural import natural
from gitreg.domain.settings import Settings
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE
from gitreg.manifest import decode
from gitreg.registry.catalog import main_metrics_of
from gitreg.registry.tables import main_metrics

_MOST_KEYS = 200
_RECENT = 25  # versions that tell which metrics a model has
_COMMON = """
SELECT a.key, count(*) FROM (
    SELECT v.row FROM version v INDEXED BY version_number WHERE v.name = ? AND v.state = ? AND $v
    ORDER BY v.number DESC LIMIT ?
) n CROSS JOIN attribute a ON a.row = n.row WHERE a.kind = 'metric'
GROUP BY a.key ORDER BY count(*) DESC, a.key LIMIT ?
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionList:
    """One page of the versions of a model.

    Attributes:
        versions: Newest first; deleted ones are left out.
        total: How many there are on all pages.
        page: Its number, from 1.
        pages: How many pages there are, at least 1.
    """

    versions: tuple[ModelVersion, ...]
    total: int
    page: int
    pages: int


def version_list(part: Slice, name: str, *, stage: str = "", page: int = 1, size: int = 25) -> VersionList:
    """A page of the versions of a model.

    Args:
        part: The index at the commit.
        name: The model.
        stage: Only those that hold this stage (exact name); ``""``: all.
        page: From 1; one behind the last is the last.
        size: Versions on a page.
    """
    where, params = f"v.name = ? AND v.state = {LIVE} AND $v", [name]
    if stage:
        where += " AND v.number IN (SELECT h.number FROM holding h WHERE h.name = ? AND h.stage = ? AND $h)"
        params += [name, stage]
    ((total,),) = part.rows(f"SELECT count(*) FROM version v WHERE {where}", *params)
    pages = max(1, -(-total // size))
    page = min(page, pages)
    rows = part.rows(
        f"SELECT v.doc FROM version v WHERE {where} ORDER BY v.number DESC LIMIT ? OFFSET ?",
        *(*params, size, (page - 1) * size),
    )
    found = (decode.version(json.loads(doc), name) for (doc,) in rows)
    versions = tuple(each for each in found if isinstance(each, ModelVersion))
    return VersionList(versions=versions, total=total, page=page, pages=pages)


def metric_names(part: Slice, settings: Settings, name: str) -> Sequence[str]:
    """The metrics of a model, as its newest versions have them.

    One version that was measured otherwise changes nothing: first those that a rule asks for, then those
    that half of the versions have, then the others.
    """
    counts = dict(part.rows(_COMMON, name, LIVE, _RECENT, _MOST_KEYS))
    if not counts:  # for long nothing was measured
        counts = dict.fromkeys(main_metrics(part, name, _MOST_KEYS), 1)
    most = max(counts.values(), default=0)
    known = sorted(counts, key=lambda key: (2 * counts[key] < most, natural(key)))
    asked = [key for key in main_metrics_of(settings) if key in counts]
    return [*asked, *(key for key in known if key not in asked)]
