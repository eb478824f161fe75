"""The page of a model version, and all pages of a model for whoever makes many of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from gitreg.domain import names, references
from gitreg.domain.lineage import Graph, Node
from gitreg.domain.model import ModelTombstone, ModelVersion, RegisteredModel, VersionTombstone
from gitreg.domain.references import Selector
from gitreg.domain.settings import ARCHIVED
from gitreg.errors import NotFound
from gitreg.index.reading import Link
from gitreg.registry.record import ModelRecord
from gitreg.render.lineage_svg import lineage_svg
from gitreg.web.links import Links
from gitreg.web.pages import measures
from gitreg.web.pages.artifact import rows, sides, web_address
from gitreg.web.pages.cut import cut
from gitreg.web.pages.history import steps
from gitreg.web.pages.loading import argument, snippets
from gitreg.web.pages.look import Elsewhere, Look, Page
from gitreg.web.pages.model import MOST_PROSE, gone_page, model_page

_TELLING = frozenset({"version", "dataset", "code", "external"})
"""Kinds of nodes for which a picture of the lineage is worth its room: a run alone is told as a fact."""


def model(look: Look, name: str) -> Page | Elsewhere:
    """One model; of a renamed one, where it is now."""
    return ModelPages(look, name).model()


def version(look: Look, name: str, which: str) -> Page | Elsewhere:
    """One version; of a stage, ``latest`` or an ``@alias``, where the version is that it means.

    Raises:
        NotFound: There is no such model or version.
        InvalidInput: It is neither a number nor a stage.
    """
    pages = ModelPages(look, name)
    left = pages.record.model
    if isinstance(left, ModelTombstone):
        return (
            Elsewhere(address=look.links.version(left.renamed_to, which))
            if left.renamed_to
            else pages.model()
        )
    if which.isdigit():
        return pages.version(names.parse_version(which))
    meant = Selector(kind="alias", text=which[1:]) if which[:1] == "@" else references.parse_selector(which)
    found = references.select(look.view.state(name), meant, look.settings)
    return Elsewhere(address=look.links.version(name, found.version))


class ModelPages:
    """The pages of one model and of its versions.

    What they share is asked of the index once. No page holds an address: one ``Page`` can be rendered with
    any ``Links``, as long as its ``Look`` is of the same commit.

    Args:
        look: The registry at a commit.
        name: The model; it may be deleted or renamed.

    Raises:
        NotFound: There never was such a model.
    """

    def __init__(self, look: Look, name: str) -> None:
        self.look = look
        self.name = name
        if not names.is_utf8(name):  # no file can be called so
            raise NotFound(f"there is no registered model {names.shown(name)}", hint="gitreg list")
        self.record = ModelRecord(look.part, look.settings, name)
        if self.record.model is None and not look.view.faults(name):
            look.view.model(name)  # raises, and knows which name is near

    @cached_property
    def numbers(self) -> list[int]:
        """The versions that have a page, lowest first: deleted and unreadable ones, too."""
        rows = self.look.part.rows(
            "SELECT v.number FROM version v WHERE v.name = ? AND $v ORDER BY v.number", self.name
        )
        return [number for (number,) in rows]

    def model(self) -> Page | Elsewhere:
        """The model's own page; of a renamed one, where it is now."""
        found = self.record.model
        if isinstance(found, RegisteredModel):
            return model_page(self.look, self.record, found)
        if found is not None and found.renamed_to:
            return Elsewhere(address=self.look.links.model(found.renamed_to))
        return gone_page(self.look, self.record, found)

    def version(self, number: int) -> Page:
        """The page of a version.

        Raises:
            NotFound: There never was one of that number.
        """
        found = self.record.version(number)
        if isinstance(found, ModelVersion):
            return self._page(found)
        if found is None and not self.record.there(number):
            raise NotFound(
                f"there is no version {number} of {names.shown(self.name)}", hint=f"gitreg list {self.name}"
            )
        return self._gone(number, found)

    def _page(self, found: ModelVersion) -> Page:
        number = found.version
        before, after = self.record.beside(number)
        return Page(
            template="version.html",
            title=f"{self.name}/{number}",
            section="models",
            values={
                "model": self.record.model,
                "name": self.name,
                "version": found,
                "before": before,
                "after": after,
                "description": cut(found.description, MOST_PROSE),
                "tags": rows(found.tags),
                "extra": rows(found.extra),
                **self._standing(found),
                **self._origin(found),
                **self._measured(found, before),
                "history": steps(self.look.registry.store, self.look.part, self.record.entries(number)),
                "argument": argument,
                "web_address": web_address,
                "cut": cut,
            },
        )

    def _standing(self, found: ModelVersion) -> dict[str, Any]:
        """What a version holds, what points to it, and how it is loaded by that."""
        record, number = self.record, found.version
        aliases = record.aliases.get(number, [])
        pointers = self._pointers(found, aliases)
        return {
            "aliases": aliases,
            "holds": [
                Holds(stage=stage, since=since, given=record.giving(number, stage))
                for stage, since in found.stages.items()
            ],
            "registered": record.registered(number),
            "snippets": snippets(
                found, origin=self.look.origin, pointers=pointers, token=self.look.identity.signed_in
            ),
        }

    def _origin(self, found: ModelVersion) -> dict[str, Any]:
        """Where a version came from, what came from it, and what it is as bytes."""
        origin, graph = found.origin, self.record.lineage(found)
        return {
            "origin": origin,
            "artifact": origin.artifact,
            "parents": [_Parent.of(self.record, uri, found) for uri in origin.parents],
            "children": _children(graph),
            "params": rows(origin.params),
            "files": rows(origin.artifact.files if origin.artifact else {}),
            "sides": sides(origin.artifact),
            "lineage": _picture(graph),
        }

    def _measured(self, found: ModelVersion, before: int | None) -> dict[str, Any]:
        """Its metrics, beside those of another version."""
        other, stage = self._against(found, before)
        return {
            "results": measures.results(found, other, self._better),
            "against": other.version if other else None,
            "against_stage": stage,
        }

    def _gone(self, number: int, left: VersionTombstone | None) -> Page:
        """The page of a version that is deleted, or whose manifest can't be read (None)."""
        entries = self.record.entries(number)
        deletes = (each for each in entries if any(one.event == "delete" for one in each.entry.changes))
        before, after = self.record.beside(number)
        file = f"/versions/{number}.yaml"
        faults = (
            [] if left else [each for each in self.look.view.faults(self.name) if each.path.endswith(file)]
        )
        return Page(
            template="version_gone.html",
            title=f"{self.name}/{number}",
            section="models",
            values={
                "name": self.name,
                "number": number,
                "before": before,
                "after": after,
                "mark": left.deleted if left else None,
                "deleted": next(deletes, None),
                "faults": faults,
                "history": steps(self.look.registry.store, self.look.part, entries),
                "argument": argument,
                "cut": cut,
            },
        )

    @cached_property
    def _better(self) -> measures.Directions:
        return measures.directions(self.look.settings)

    def _against(self, found: ModelVersion, before: int | None) -> tuple[ModelVersion | None, str]:
        """What a version is measured against: who holds the main stage, with that; else the one before."""
        incumbent = self.record.incumbent
        if incumbent and incumbent.version != found.version:
            return incumbent, self.record.main_stage or ""
        return self.record.live(before), ""

    def _pointers(self, found: ModelVersion, aliases: list[str]) -> list[str]:
        """What else leads to a version, as a model URI ends: ``/Production``, ``@champion``."""
        first = [
            f"/{each.stage}"
            for each in self.record.held
            if each.numbers[0] == found.version and each.stage != ARCHIVED
        ]
        return [*first, *(f"@{alias}" for alias in aliases)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """A stage that a version holds, since when, and the commit that gave it."""

    stage: str
    since: datetime
    given: Link | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parent:
    """A parent as the manifest gives it, and the version that it means where that is there."""

    uri: str
    name: str = ""
    number: int = 0

    @classmethod
    def of(cls, record: ModelRecord, uri: str, child: ModelVersion) -> _Parent:
        meant = record.parent(uri, child)
        if meant is None or meant.state != "present":
            return cls(uri=uri)
        return cls(uri=uri, name=meant.name, number=meant.number)


def _children(graph: Graph) -> list[tuple[str, int]]:
    """The versions that came from the root, as far as the graph tells."""
    near = [graph.nodes[edge.target] for edge in graph.edges if edge.origin == graph.root]
    return [(node.detail["name"], node.detail["version"]) for node in near if node.kind == "version"]


def _picture(graph: Graph) -> Callable[[Links], str] | None:
    """What draws a lineage whose versions lead to their pages; None where there is little to see."""
    others = (node.kind for node in graph.nodes.values() if node.id != graph.root)
    if _TELLING.isdisjoint(others):
        return None

    def drawn(links: Links) -> str:
        def address(node: Node) -> str:
            if node.kind != "version" or node.state != "present" or node.id == graph.root:
                return ""
            return links.version(node.detail["name"], node.detail["version"])

        # What is inside of a picture is hidden from readers of the screen; links must not be.
        return lineage_svg(graph, address).replace('role="img"', 'role="group"', 1)

    return drawn
