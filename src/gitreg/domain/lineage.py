"""Lineage as a graph of values: what a version came from, and what came from it.

An edge runs the way that things were made: from a data set to the version that was trained on it, from
a parent to its child. Each thing is one node, however many ways lead to it; a cycle, which only a hand
edit can make, is a graph like any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from gitreg.domain import references
from gitreg.domain.model import Code, Dataset, ModelVersion, Origin
from gitreg.domain.references import PREFIX, Reference
from gitreg.errors import InvalidInput

Kind = Literal["version", "run", "experiment", "dataset", "code", "source", "external"]
Role = Literal["run", "experiment", "dataset", "code", "source", "parent", "copy"]
State = Literal["present", "deleted", "missing"]
Side = Literal["upstream", "downstream"]

ROLES: tuple[Role, ...] = ("run", "experiment", "dataset", "code", "source", "copy", "parent")
"""The roles in the order in which a version's origin is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One thing that versions come from, or a version.

    Attributes:
        kind: What it is; ``external`` is a parent that no registered version is.
        id: Unlike every other node's, the same in every graph: ``version:churn/12``, ``run:4f1c``.
        label: A few words for people.
        detail: What is known of it, under the manifests' own field names.
        state: ``deleted`` and ``missing`` are said of versions alone.
    """

    kind: Kind
    id: str
    label: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    state: State = "present"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """That ``target`` came from ``origin`` (ids of nodes).

    Attributes:
        role: As what it took part: ``copy`` is a source that is itself a registered version.
        detail: What is true of this use alone: the path of the code, that it had uncommitted changes.
    """

    origin: str
    target: str
    role: Role
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Neighbours of a node that a graph leaves out.

    Attributes:
        node: Id of the node.
        side: On which side of it they are.
        count: How many.
        reason: ``depth``: they are too far from the root; ``most``: they are too many.
    """

    node: str
    side: Side
    count: int
    reason: Literal["depth", "most"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """The lineage of ``root``, in the order in which it was found.

    Attributes:
        commit: Full hex id of the commit at which it is told.
        root: Id of the node that was asked about.
        nodes: Id → node.
        edges: Without doubles.
        cuts: What is left out.
        depth: Generations of versions that were followed.
        unsure: Whether a shallow clone could not tell which version a stage or an alias meant.
    """

    commit: str
    root: str
    nodes: Mapping[str, Node]
    edges: tuple[Edge, ...] = ()
    cuts: tuple[Cut, ...] = ()
    depth: int = 0
    unsure: bool = False

    def incoming(self) -> dict[str, list[Edge]]:
        """Node → the edges to it, in the order of ``ROLES``."""
        found: dict[str, list[Edge]] = {}
        for edge in sorted(self.edges, key=lambda edge: ROLES.index(edge.role)):
            found.setdefault(edge.target, []).append(edge)
        return found

    def outgoing(self) -> dict[str, list[Edge]]:
        """Node → the edges from it."""
        found: dict[str, list[Edge]] = {}
        for edge in self.edges:
            found.setdefault(edge.origin, []).append(edge)
        return found

    def cut(self, node: str, side: Side) -> tuple[Cut, ...]:
        """What is left out on one side of a node."""
        return tuple(cut for cut in self.cuts if cut.node == node and cut.side == side)


class Draft:
    """A graph in the making: what is added twice is there once."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.edges: dict[tuple[str, str, Role], Edge] = {}
        self.cuts: list[Cut] = []
        self._joined: set[tuple[str, str]] = set()

    def node(self, node: Node) -> bool:
        """Add a node; False where it is there already."""
        if node.id in self.nodes:
            return False
        self.nodes[node.id] = node
        return True

    def edge(self, edge: Edge) -> None:
        """Add an edge."""
        self.edges.setdefault((edge.origin, edge.target, edge.role), edge)
        self._joined.add((edge.origin, edge.target))

    def between(self, edge: Edge) -> None:
        """Add an edge between two nodes that are there, unless one is, or one of the two is not.

        What it leads to is left out no more.
        """
        known = edge.origin in self.nodes and edge.target in self.nodes
        if not known or (edge.origin, edge.target) in self._joined:
            return
        self.edge(edge)
        self._fewer(edge.origin, "downstream")
        self._fewer(edge.target, "upstream")

    def _fewer(self, node: str, side: Side) -> None:
        at = next((at for at, cut in enumerate(self.cuts) if (cut.node, cut.side) == (node, side)), None)
        if at is not None:
            cut = self.cuts.pop(at)
            if cut.count > 1:
                self.cuts.insert(at, replace(cut, count=cut.count - 1))

    def cut(self, node: str, side: Side, count: int, reason: Literal["depth", "most"]) -> None:
        """Say that ``count`` neighbours are left out; none is no cut."""
        if count > 0:
            self.cuts.append(Cut(node=node, side=side, count=count, reason=reason))

    def graph(self, *, commit: str, root: str, depth: int, unsure: bool = False) -> Graph:
        """What was drawn."""
        return Graph(
            commit=commit,
            root=root,
            nodes=self.nodes,
            edges=tuple(self.edges.values()),
            cuts=tuple(self.cuts),
            depth=depth,
            unsure=unsure,
        )


def version_id(name: str, number: int) -> str:
    """The id of a version's node."""
    return f"version:{name}/{number}"


def version_node(version: ModelVersion, *, state: State = "present") -> Node:
    """The node of a version; for a deleted one, ``version`` is what it last was."""
    detail: dict[str, Any] = {"name": version.name, "version": version.version}
    if state == "present":
        detail["stages"] = list(version.stages)
        if version.deprecated:
            detail["deprecated"] = True
    return Node(
        kind="version",
        id=version_id(version.name, version.version),
        label=f"{version.name}/{version.version}",
        detail=detail,
        state=state,
    )


def absent_node(name: str, number: int, state: State) -> Node:
    """The node of a version of which nothing more is known."""
    return Node(
        kind="version",
        id=version_id(name, number),
        label=f"{name}/{number}",
        detail={"name": name, "version": number},
        state=state,
    )


def external_node(uri: str, *, state: State = "present") -> Node:
    """The node of a parent that is no registered version, by the URI as it was given."""
    return Node(kind="external", id=f"external:{uri}", label=uri, detail={"uri": uri}, state=state)


def run_node(run_id: str, link: str | None = None) -> Node:
    """The node of a run."""
    return Node(
        kind="run", id=f"run:{run_id}", label=run_id, detail=_known({"run_id": run_id, "run_link": link})
    )


def experiment_node(experiment: str) -> Node:
    """The node of an experiment."""
    return Node(
        kind="experiment",
        id=f"experiment:{experiment}",
        label=experiment,
        detail={"experiment": experiment},
    )


def dataset_key(dataset: Dataset) -> tuple[str, str]:
    """What makes two mentions one data set: the digest; without one the URI; without one the name."""
    if dataset.digest:
        return "digest", dataset.digest
    return ("uri", dataset.uri) if dataset.uri else ("name", dataset.name)


def dataset_node(dataset: Dataset) -> Node:
    """The node of a data set."""
    detail = _known({"name": dataset.name, "uri": dataset.uri, "digest": dataset.digest})
    return Node(
        kind="dataset", id="dataset:" + ":".join(dataset_key(dataset)), label=dataset.name, detail=detail
    )


def code_node(code: Code) -> Node:
    """The node of a code commit; where in its tree the code lies is said on the edge."""
    repository, commit = code.repository or "", code.commit or ""
    short = commit[:10]
    return Node(
        kind="code",
        id=f"code:{repository}@{commit}",
        label=f"{repository} at {short}" if repository and commit else repository or short or "code",
        detail=_known({"repository": code.repository, "commit": code.commit}),
    )


def source_node(origin: Origin) -> Node:
    """The node of what was registered: a URI, and the digest of its bytes where that is known."""
    artifact = origin.artifact
    digest = artifact.digest if artifact else None
    detail = {"source": origin.source, "digest": digest, "size": artifact.size if artifact else None}
    if artifact and artifact.uri != origin.source:
        detail["uri"] = artifact.uri
    return Node(
        kind="source",
        id=f"source:{origin.source}" + (f"#{digest}" if digest else ""),
        label=origin.source,
        detail=_known(detail),
    )


def own_origin(version: ModelVersion) -> Iterator[tuple[Node, Edge]]:
    """What a version's manifest alone says of its origin, parents and a copied version apart.

    The experiment stands behind the run where there is one.
    """
    origin = version.origin
    here = version_id(version.name, version.version)
    if origin.run_id:
        run = run_node(origin.run_id, origin.run_link)
        yield run, Edge(origin=run.id, target=here, role="run")
        here = run.id
    if origin.experiment:
        experiment = experiment_node(origin.experiment)
        yield experiment, Edge(origin=experiment.id, target=here, role="experiment")
    here = version_id(version.name, version.version)
    for dataset in origin.datasets:
        node = dataset_node(dataset)
        yield node, Edge(origin=node.id, target=here, role="dataset")
    if origin.code:
        node = code_node(origin.code)
        yield node, Edge(origin=node.id, target=here, role="code", detail=use(node, version))
    if copied_from(origin.source) is None:
        node = source_node(origin)
        yield node, Edge(origin=node.id, target=here, role="source")


def use(node: Node, version: ModelVersion) -> dict[str, Any]:
    """What is true of the use that ``version`` made of ``node`` alone: the details of an edge.

    Of code its path and uncommitted changes; of a data set that is known by its name or URI, which one.
    """
    origin = version.origin
    if node.kind == "code" and origin.code:
        return _known({"path": origin.code.path, "dirty": origin.code.dirty or None})
    if node.kind == "dataset" and "digest" not in node.detail:
        key, text = next((key, node.detail[key]) for key in ("uri", "name") if key in node.detail)
        for dataset in origin.datasets:
            if getattr(dataset, key) == text:
                uri = None if key == "uri" else dataset.uri
                return _known({"uri": uri, "digest": dataset.digest})
    return {}


def copied_from(source: str) -> Reference | None:
    """The version that a source names, as MLflow's ``copy_model_version`` leaves it: ``models:/churn/3``."""
    return parent_reference(source) if source.startswith(PREFIX) else None


def parent_reference(uri: str) -> Reference | None:
    """The version that a parent names, or None for one outside of every registry.

    ``models:/`` is not asked for: a person may write ``churn/3``. Whether such a version exists is another
    question: ``facebook/bart-large`` has the form of a model and a stage.
    """
    if "://" in uri:
        return None
    try:
        found = references.parse_reference(uri)
    except InvalidInput:
        return None
    return found if found.selector else None


def parent_forms(name: str, number: int) -> Iterator[str]:
    """The texts that name a version by its number."""
    for prefix in (PREFIX, ""):
        yield f"{prefix}{name}/{number}"
        yield f"{prefix}{name}/v{number}"
        yield f"{prefix}{name}/V{number}"


def _known(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in detail.items() if value is not None}
