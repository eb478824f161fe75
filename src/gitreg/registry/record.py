"""One registered model as pages tell of it, each part asked of the index once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from gitreg.domain.lineage import Graph, parent_reference
from gitreg.domain.model import AnyModel, AnyVersion, ModelVersion, RegisteredModel
from gitreg.domain.references import PREFIX
from gitreg.domain.settings import ARCHIVED, Settings
from gitreg.index.reading import Link, Slice, Span
from gitreg.index.schema import LIVE
from gitreg.registry import recent
from gitreg.registry.descent import Descent, Standing
from gitreg.registry.indexed import moment_of
from gitreg.registry.lineage import Limits, lineage
from gitreg.registry.recent import Recent

NEAR = Limits(depth=2, most=6, siblings=0, total=40)
"""How much of a lineage a page shows; ``gitreg lineage`` tells all."""

_MAIN = "Production"
_MOST_HOLDERS = 3
_MOST_ENTRIES = 30
_MOST_MENTIONS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A stage of a model and who holds it.

    Attributes:
        stage: Its name.
        numbers: The highest versions that hold it, highest first; a few.
        total: How many hold it.
        since: Since when the first of ``numbers`` does, by its manifest.
        given: The commit that gave it the stage; None where history does not tell.
    """

    stage: str
    numbers: tuple[int, ...]
    total: int
    since: datetime
    given: Link | None


class ModelRecord:
    """What the index knows of a model at one commit.

    Args:
        part: The index at the commit.
        settings: The registry's at that commit.
        name: The model's, which may be deleted or renamed.
    """

    def __init__(self, part: Slice, settings: Settings, name: str) -> None:
        self.part = part
        self.settings = settings
        self.name = name
        self._versions: dict[int, AnyVersion | None] = {}
        self._links: dict[int, Link] = {}
        self._descent = Descent(part)

    @cached_property
    def model(self) -> AnyModel | None:
        """What ``model.yaml`` holds; None where there is none or it can't be read."""
        return self.part.model(self.name)

    @cached_property
    def spans(self) -> list[Span]:
        """The names that it has had, newest first."""
        return self.part.names(self.name)

    @cached_property
    def aliases(self) -> dict[int, list[str]]:
        """Version → the aliases that point to it, sorted."""
        found: dict[int, list[str]] = {}
        if isinstance(self.model, RegisteredModel):
            for alias, number in sorted(self.model.aliases.items()):
                found.setdefault(number, []).append(alias)
        return found

    # Stages

    @cached_property
    def main_stage(self) -> str | None:
        """The stage that versions are measured against: Production, else the last other than Archived."""
        names = [stage.name for stage in self.settings.stages if stage.name != ARCHIVED]
        return _MAIN if _MAIN in names else names[-1] if names else None

    @cached_property
    def incumbent(self) -> ModelVersion | None:
        """The highest version that holds ``main_stage``."""
        rows = self.part.rows(
            "SELECT max(h.number) FROM holding h WHERE h.name = ? AND h.stage = ? AND $h",
            *(self.name, self.main_stage),
        )
        return self.live(rows[0][0])

    @cached_property
    def held(self) -> list[Held]:
        """The stages that its versions hold, in the configured order."""
        order = {stage.name: place for place, stage in enumerate(self.settings.stages)}
        rows = self.part.rows(
            "SELECT h.stage, count(*) FROM holding h WHERE h.name = ? AND $h GROUP BY h.stage", self.name
        )
        rows.sort(key=lambda row: (order.get(row[0], len(order)), row[0]))
        return [self._held(stage, total) for stage, total in rows]

    def _held(self, stage: str, total: int) -> Held:
        rows = self.part.rows(
            "SELECT h.number, h.at FROM holding h WHERE h.name = ? AND h.stage = ? AND $h "
            "ORDER BY h.number DESC LIMIT ?",
            *(self.name, stage, _MOST_HOLDERS),
        )
        return Held(
            stage=stage,
            numbers=tuple(number for number, _ in rows),
            total=total,
            since=moment_of(rows[0][1]),
            given=self.giving(rows[0][0], stage),
        )

    def giving(self, number: int, stage: str) -> Link | None:
        """The commit that gave a version a stage that it holds; None where history does not tell.

        A rename of the model gave nothing: then it is looked for under the former name.
        """
        place = self.part.seq
        for span in self.spans:
            rows = self.part.rows(
                "SELECT since FROM holding WHERE name = ? AND stage = ? AND number = ? "
                "AND since <= ? AND until > ?",
                *(span.name, stage, number, place, place),
            )
            if not rows:
                return None
            since = rows[0][0]
            if since > span.since or span is self.spans[-1]:
                return None if since == 1 and self.part.shallow else self.link(since)
            place = since - 1
        return None

    # Versions

    def version(self, number: int) -> AnyVersion | None:
        """What the manifest of a version holds; None where there is none or it can't be read."""
        if number not in self._versions:
            self._versions[number] = self.part.version(self.name, number)
        return self._versions[number]

    def live(self, number: int | None) -> ModelVersion | None:
        """The same, unless it is deleted."""
        found = None if number is None else self.version(number)
        return found if isinstance(found, ModelVersion) else None

    def there(self, number: int) -> bool:
        """Whether there is a manifest of that number: a deleted version's and an unreadable one are, too."""
        sql = "SELECT 1 FROM version v WHERE v.name = ? AND v.number = ? AND $v"
        return self._versions.get(number) is not None or bool(self.part.rows(sql, self.name, number))

    def beside(self, number: int) -> tuple[int | None, int | None]:
        """The next lower version and the next higher one that are not deleted."""
        one = (
            "SELECT v.number FROM version v WHERE v.name = ? AND v.number {} ? "
            f"AND v.state = {LIVE} AND $v ORDER BY v.number {{}} LIMIT 1"
        )
        lower = self.part.rows(one.format("<", "DESC"), self.name, number)
        higher = self.part.rows(one.format(">", "ASC"), self.name, number)
        return (lower[0][0] if lower else None), (higher[0][0] if higher else None)

    def registered(self, number: int) -> Link | None:
        """The commit that brought a version; None where a shallow clone does not hold it."""
        sql = "SELECT v.registered FROM version v WHERE v.name = ? AND v.number = ? AND $v"
        rows = self.part.rows(sql, self.name, number)
        return None if not rows or (rows[0][0] == 1 and self.part.shallow) else self.link(rows[0][0])

    def link(self, seq: int) -> Link:
        """One commit of the chain."""
        if seq not in self._links:
            self._links[seq] = self.part.link(seq)
        return self._links[seq]

    # History

    def entries(self, number: int) -> list[Recent]:
        """The newest commits that changed a version, newest first."""
        return recent.of_version(self.part, self.spans, number, most=_MOST_ENTRIES)

    # Lineage

    def lineage(self, version: ModelVersion) -> Graph:
        """What a version came from, and what came from it: its own origin, and the nearest other versions.

        What the other versions were made from is left out: their own pages tell it.
        """
        named = self._mentioned is None or version.version in self._mentioned
        return _nearest(lineage(self.part, version, downstream=named, limits=NEAR))

    def parent(self, uri: str, child: ModelVersion) -> Standing | None:
        """The version that a parent's URI means; None where it is of something else."""
        return self._descent.meant(uri, child)

    @cached_property
    def _mentioned(self) -> frozenset[int] | None:
        """The numbers of the versions that any manifest names as a parent; None: it could be any.

        Asked once for the model: most versions have no children, and looking for them takes ten questions.
        """
        ranges: list[str] = []
        for span in self.spans:
            for prefix in (PREFIX, ""):
                ranges += [f"{prefix}{span.name}/", f"{prefix}{span.name}0"]  # what follows the slash
                ranges += [f"{prefix}{span.name}@", f"{prefix}{span.name}A"]
        among = " OR ".join(["a.value >= ? AND a.value < ?"] * (len(ranges) // 2))
        rows = self.part.rows(
            "SELECT DISTINCT a.value FROM attribute a WHERE a.kind = 'parent' AND a.key IN ('', 'copy') "
            f"AND ({among}) LIMIT {_MOST_MENTIONS}",
            *ranges,
        )
        if len(rows) == _MOST_MENTIONS:
            return None
        numbers = set()
        for (uri,) in rows:
            found = parent_reference(uri)
            if found is None or found.selector is None:
                continue
            if found.selector.kind != "version":
                return None
            numbers.add(found.selector.version)
        return frozenset(numbers)


def _nearest(graph: Graph) -> Graph:
    """A graph without what other versions than its root were made from."""
    own = {graph.root, *(edge.origin for edge in graph.edges if edge.target == graph.root)}
    own |= {edge.origin for edge in graph.edges if edge.target in own and edge.role == "experiment"}
    nodes = {
        at: node for at, node in graph.nodes.items() if at in own or node.kind in ("version", "external")
    }
    edges = tuple(edge for edge in graph.edges if edge.origin in nodes and edge.target in nodes)
    return replace(graph, nodes=nodes, edges=edges)
