"""Which version a parent's URI means, and which versions came from something: one question each."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gitreg.domain.lineage import (
    Node,
    Role,
    State,
    parent_forms,
    parent_reference,
)
from gitreg.domain.model import ModelVersion
from gitreg.domain.references import PREFIX, Reference
from gitreg.index.reading import Slice
from gitreg.index.schema import GONE, LIVE
from gitreg.manifest import decode

MIN_PREFIX = 7
"""Hex digits from which on two ids of code commits are taken for the same when one begins with the other."""

_ORDER = "ORDER BY v.registered DESC, v.name, v.number DESC"
_NUMBERED = re.compile(r"[vV]?[0-9]+")
_STATES: dict[int, State] = {LIVE: "present", GONE: "deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What has become of a version.

    Attributes:
        name: What its model is called now.
        number: Its number.
        state: Whether it is still there.
        version: What it is, or last was; None where no readable manifest tells.
    """

    name: str
    number: int
    state: State
    version: ModelVersion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A version that came from something, and the row that holds it."""

    name: str
    number: int
    row: int
    role: Role = "parent"


class Descent:
    """Answers for one slice of the index.

    A name and a number are one version for ever, for numbers are never used again: a URI that was
    written before a rename is followed from the manifest that stood under it.
    """

    def __init__(self, part: Slice) -> None:
        self.part = part
        self._standing: dict[tuple[str, int], Standing] = {}
        self.unsure = False  # whether a pointer was met that a shallow clone can't follow

    def standing(self, name: str, number: int) -> Standing:
        """What has become of the version that was called ``name/number`` at any time."""
        key = (name, number)
        if key not in self._standing:
            self._standing[key] = self._follow(name, number)
        return self._standing[key]

    def _follow(self, name: str, number: int) -> Standing:
        seen: set[str] = set()
        last: ModelVersion | None = None
        while name not in seen:
            seen.add(name)
            rows = self.part.rows(
                "SELECT since, until, state, doc FROM version WHERE name = ? AND number = ? AND since <= ? "
                "ORDER BY since DESC",
                name,
                number,
                self.part.seq,
            )
            last = next((_decoded(doc, name) for *_, state, doc in rows if state == LIVE), last)
            if rows and rows[0][1] > self.part.seq:
                state = _STATES.get(rows[0][2], "present")
                return Standing(name=name, number=number, state=state, version=last)
            heir = self._heir(name, rows[0][1] if rows else 0)
            if heir is None:
                gone: State = "deleted" if rows or last else "missing"
                return Standing(name=name, number=number, state=gone, version=last)
            name = heir
        return Standing(name=name, number=number, state="deleted" if last else "missing", version=last)

    def _heir(self, name: str, since: int) -> str | None:
        """The name that the model called ``name`` got when it was renamed at or after commit ``since``."""
        rows = self.part.rows(
            "SELECT doc FROM model WHERE name = ? AND state = ? AND since >= ? AND since <= ? ORDER BY since",
            name,
            GONE,
            since,
            self.part.seq,
        )
        return next((to for (doc,) in rows if (to := json.loads(doc).get("renamed_to"))), None)

    def meant(self, uri: str, child: ModelVersion) -> Standing | None:
        """The version that a parent's URI meant when ``child`` was registered.

        A stage or an alias, which only a hand edit leaves there, is looked up in the commit before. None
        where the URI is of something else, nothing was there to be meant, or a shallow clone can't tell.
        """
        found = parent_reference(uri)
        if found is None or found.selector is None:
            return None
        if found.selector.kind == "version":
            return self.standing(found.name, found.selector.version)
        if self.untold(child):
            self.unsure = True
            return None
        number = self._pointed(found, self._before(child.name, child.version))
        return self.standing(found.name, number) if number else None

    def untold(self, child: ModelVersion) -> bool:
        """Whether the commit that registered ``child`` is not in a shallow clone."""
        return self.part.shallow and self._registered(child.name, child.version) == 1

    def _before(self, name: str, number: int) -> int:
        registered = self._registered(name, number)
        return self.part.seq if registered is None else max(registered - 1, 1)

    def _registered(self, name: str, number: int) -> int | None:
        rows = self.part.rows(
            "SELECT registered FROM version WHERE name = ? AND number = ? ORDER BY since DESC LIMIT 1",
            name,
            number,
        )
        return int(rows[0][0]) if rows else None

    def _pointed(self, found: Reference, seq: int) -> int | None:
        selector = found.selector
        assert selector is not None
        stood = "since <= ? AND until > ?"
        if selector.kind == "alias":
            sql = f"SELECT number FROM alias WHERE name = ? AND alias = ? AND {stood}"
            rows = self.part.rows(sql, found.name, selector.text, seq, seq)
        elif selector.kind == "stage":
            sql = f"SELECT max(number) FROM holding WHERE name = ? AND lower(stage) = lower(?) AND {stood}"
            rows = self.part.rows(sql, found.name, selector.text, seq, seq)
        else:
            sql = f"SELECT max(number) FROM version WHERE name = ? AND state = {LIVE} AND {stood}"
            rows = self.part.rows(sql, found.name, seq, seq)
        return int(rows[0][0]) if rows and rows[0][0] else None

    def children(self, name: str, number: int) -> list[Found]:
        """The versions that name ``name/number`` as a parent or are copies of it, the newest first."""
        here = (name, number)
        former = [span.name for span in self.part.names(name)]
        forms = [form for one in former if self._is(one, number, here) for form in parent_forms(one, number)]
        if not forms:
            return []
        marks = ",".join("?" * len(forms))
        rows = self._by_attribute(
            f"a.kind = 'parent' AND a.key IN ('', 'copy') AND a.value IN ({marks})", *forms
        )
        rows += [row for one in former for row in self._by_pointer(one, here)]
        found: dict[tuple[str, int], Found] = {}
        for row, child, its, key, _, _ in sorted(rows, key=lambda row: (-row[5], row[1], -row[2])):
            role: Role = "copy" if key == "copy" else "parent"
            found.setdefault((child, its), Found(name=child, number=its, row=row, role=role))
        return list(found.values())

    def _is(self, name: str, number: int, here: tuple[str, int]) -> bool:
        found = self.standing(name, number)
        return (found.name, found.number) == here

    def _by_pointer(self, name: str, here: tuple[str, int]) -> list[tuple[Any, ...]]:
        """The versions whose manifests name a parent of this model by stage or alias that was ``here``."""
        kept = []
        for prefix in (PREFIX, ""):
            for begin, end in (
                (f"{prefix}{name}/A", f"{prefix}{name}/{{"),
                (f"{prefix}{name}@", f"{prefix}{name}A"),
            ):
                for row in self._by_attribute(
                    "a.kind = 'parent' AND a.key IN ('', 'copy') AND a.value >= ? AND a.value < ?", begin, end
                ):
                    if _NUMBERED.fullmatch(row[4].rpartition("/")[2]):
                        continue
                    child = self.standing(row[1], row[2]).version
                    meant = child and self.meant(row[4], child)
                    if meant and (meant.name, meant.number) == here:
                        kept.append(row)
        return kept

    def _by_attribute(self, where: str, *params: object) -> list[tuple[Any, ...]]:
        """Row, name, number, attribute's key and value, and commit of the versions that have an attribute."""
        return self.part.rows(
            "SELECT v.row, v.name, v.number, a.key, a.value, v.registered FROM attribute a "
            f"JOIN version v ON v.row = a.row WHERE {where} AND v.state = {LIVE} AND $v",
            *params,
        )

    def led_to(
        self, node: Node, *, most: int | None, besides: tuple[str, int] = ("", 0)
    ) -> tuple[list[Found], int]:
        """The versions that came from a run, an experiment, a data set or a commit, the newest first.

        Args:
            node: What they came from.
            most: How many are given; None: all.
            besides: Name and number of one that is left out.

        Returns:
            The versions, and how many there are in all.
        """
        where, params = self._wanted(node)
        rest = (
            f"FROM version v WHERE {where} AND v.state = {LIVE} AND $v AND NOT (v.name = ? AND v.number = ?)"
        )
        given = [*params, *besides]
        rows = self.part.rows(
            f"SELECT v.name, v.number, v.row {rest} {_ORDER} LIMIT ?", *given, -1 if most is None else most
        )
        total = len(rows)
        if total == most:
            total = int(self.part.rows(f"SELECT count(*) {rest}", *given)[0][0])
        return [Found(name=name, number=number, row=row) for name, number, row in rows], total

    def _wanted(self, node: Node) -> tuple[str, list[str]]:
        """What in SQL is true of the versions that came from ``node``, and its parameters."""
        detail = node.detail
        if node.kind == "run":
            return "v.run_id = ?", [detail["run_id"]]
        if node.kind == "experiment":
            # No index leads there: every version is looked at.
            return "json_extract(v.doc, '$.experiment') = ?", [detail["experiment"]]
        with_one = "v.row IN (SELECT row FROM attribute WHERE kind = ? AND key = ? AND value IN ({}))"
        if node.kind == "dataset":
            key = next(key for key in ("digest", "uri", "name") if key in detail)
            return with_one.format("?"), ["dataset", key, detail[key]]
        commits = self.commits(detail["commit"])
        where, params = with_one.format(",".join("?" * len(commits))), ["code", "commit", *commits]
        if "repository" in detail:
            where += (
                " AND EXISTS (SELECT 1 FROM attribute r WHERE r.row = v.row AND r.kind = 'code' "
                "AND r.key = 'repository' AND r.value = ?)"
            )
            params.append(detail["repository"])
        return where, params

    def commits(self, wanted: str) -> list[str]:
        """The ids of code commits in manifests that are ``wanted``: longer, or shortened to fewer digits."""
        if len(wanted) < MIN_PREFIX:
            return [wanted]
        shorter = [wanted[:length] for length in range(MIN_PREFIX, len(wanted))]
        marks = ",".join("?" * len(shorter))
        rows = self.part.rows(
            "SELECT DISTINCT a.value FROM attribute a JOIN version v ON v.row = a.row "
            "WHERE a.kind = 'code' AND a.key = 'commit' AND (a.value >= ? AND a.value < ? "
            f"OR a.value IN ({marks})) AND v.state = {LIVE} AND $v",
            wanted,
            f"{wanted}g",
            *shorter,
        )
        return [str(value) for (value,) in rows]

    def versions(self, found: Sequence[Found]) -> list[ModelVersion]:
        """What the manifests of some versions hold, in their order."""
        docs: dict[int, str] = {}
        for begin in range(0, len(found), 500):
            some = found[begin : begin + 500]
            marks = ",".join("?" * len(some))
            sql = f"SELECT row, doc FROM version WHERE row IN ({marks})"
            docs |= dict(self.part.rows(sql, *(one.row for one in some)))
        return [_decoded(docs[one.row], one.name) for one in found if one.row in docs]


def called_now(part: Slice, name: str, seq: int) -> str:
    """What the model is called that was called ``name`` after commit ``seq``; renames are followed.

    A name that was given up and taken again is another model's: what is asked about is not found by it.
    """
    while True:
        rows = part.rows(
            "SELECT seq, event, after FROM event WHERE name = ? AND seq > ? AND seq <= ? AND number IS NULL "
            "AND event IN ('rename', 'register') ORDER BY seq, place LIMIT 1",
            *(name, seq, part.seq),
        )
        if not rows or rows[0][1] == "register":
            return name
        seq, name = rows[0][0], str(json.loads(rows[0][2]))


def _decoded(doc: str, name: str) -> ModelVersion:
    found = decode.version(json.loads(doc), name)
    assert isinstance(found, ModelVersion)  # the row is of one that lives
    return found
