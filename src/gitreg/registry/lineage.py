"""Lineage, asked of the index: upstream out of the manifests, downstream by what they can be found by."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from gitreg.domain import lineage as made
from gitreg.domain.lineage import Draft, Edge, Graph, Node, Role
from gitreg.domain.model import Dataset, ModelVersion
from gitreg.domain.names import is_utf8, shown
from gitreg.domain.references import PREFIX
from gitreg.errors import InvalidInput, NotFound, UsageError
from gitreg.index.reading import Slice
from gitreg.index.schema import LIVE
from gitreg.registry.descent import MIN_PREFIX, Descent
from gitreg.registry.looking import view_of
from gitreg.registry.store import Store

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of a lineage is followed.

    Attributes:
        depth: Generations of versions on either side.
        most: Neighbours of one node that are shown; None: all.
        siblings: Other versions of the same run, data set or commit that are shown; None: all; 0: none,
            and nothing is said of them.
        total: Nodes in the whole graph after which no other version is followed; None: no end.
    """

    depth: int = 5
    most: int | None = 50
    siblings: int | None = 8
    total: int | None = 500


def lineage(
    part: Slice,
    version: ModelVersion,
    *,
    upstream: bool = True,
    downstream: bool = True,
    limits: Limits | None = None,
) -> Graph:
    """What a version came from, and what came from it.

    With both sides, each run, data set and code commit also names the other versions that it led to.
    A parent that is gone is followed by what history says of it.

    Args:
        part: The registry at a commit.
        version: A version that stands there.
        upstream: Whether to tell what it came from.
        downstream: Whether to tell what came from it.
        limits: How far to go.
    """
    limits = limits or Limits()
    trace = _Trace(part, limits)
    root = made.version_node(version)
    trace.add(root, version)
    if upstream:
        trace.up(version, siblings=downstream and limits.siblings != 0)
    if downstream:
        trace.down(root.id, [_at(version)])
    return trace.graph(root.id)


def lineage_of(
    store: Store,
    part: Slice,
    uri: str,
    *,
    upstream: bool = True,
    downstream: bool = True,
    limits: Limits | None = None,
) -> Graph:
    """``lineage`` of the version that ``uri`` means: ``churn/12``, ``churn/Production``.

    Raises:
        InvalidInput: It names a model, not a version.
        NotFound: It does not stand at that commit.
    """
    version = view_of(store, part).version(uri)
    return lineage(part, version, upstream=upstream, downstream=downstream, limits=limits)


def lineage_of_run(part: Slice, run_id: str, *, limits: Limits | None = None) -> Graph:
    """The versions that a run led to, and what came from them.

    Raises:
        NotFound: No version came from it.
    """
    rows = part.rows(
        "SELECT v.doc FROM version v WHERE v.run_id = ? AND v.state = ? AND $v LIMIT 1",
        *(_known_text("run", run_id), LIVE),
    )
    if not rows:
        raise _nothing("run", run_id)
    link = json.loads(rows[0][0]).get("run_link")
    return _from_node(part, made.run_node(run_id, link), "run", limits)


def lineage_of_experiment(part: Slice, experiment: str, *, limits: Limits | None = None) -> Graph:
    """The versions that the runs of an experiment led to, and what came from them.

    Raises:
        NotFound: No version came from it.
    """
    return _from_node(part, made.experiment_node(_known_text("experiment", experiment)), "experiment", limits)


def lineage_of_dataset(part: Slice, text: str, *, limits: Limits | None = None) -> Graph:
    """The versions that a data set led to, and what came from them.

    Args:
        part: The registry at a commit.
        text: The data set's digest, URI or name; the first of these that is known counts.
        limits: How far to go.

    Raises:
        NotFound: No version came from it.
    """
    for key in ("digest", "uri", "name"):
        sql = (
            "SELECT v.doc FROM attribute a JOIN version v ON v.row = a.row "
            "WHERE a.kind = 'dataset' AND a.key = ? AND a.value = ? AND v.state = ? AND $v LIMIT 1"
        )
        rows = part.rows(sql, key, _known_text("data set", text), LIVE)
        if rows:
            known = next(one for one in json.loads(rows[0][0])["datasets"] if one.get(key) == text)
            # Only what was asked for is the same in all its versions.
            node = made.dataset_node(Dataset(**{"name": known["name"], key: text}))
            return _from_node(part, node, "dataset", limits)
    raise _nothing("data set", text)


def lineage_of_code(part: Slice, commit: str, *, limits: Limits | None = None) -> Graph:
    """The versions that a commit of the training code led to, and what came from them.

    Args:
        part: The registry at a commit.
        commit: Its id in hex, or the first seven digits and more. A shorter id in a manifest is the
            same commit.
        limits: How far to go.

    Raises:
        UsageError: It is no commit id, or shorter than ``MIN_PREFIX``.
        InvalidInput: More than one commit begins so.
        NotFound: No version came from it.
    """
    wanted = commit.lower()
    if not set(wanted) <= _HEX or not MIN_PREFIX <= len(wanted) <= 64:
        raise UsageError(
            f"{shown(commit)} is no commit id", where="--commit", hint=f"{MIN_PREFIX} to 64 hex digits"
        )
    known = Descent(part).commits(wanted)
    if not known:
        raise _nothing("commit", commit)
    longest = max(known, key=len)
    others = [one for one in known if not longest.startswith(one)]
    if others:
        raise InvalidInput(
            f"more than one commit begins with {commit}",
            where="--commit",
            hint=", ".join(sorted([longest, *others])[:5]),
        )
    node = Node(kind="code", id=f"code:@{longest}", label=longest[:10], detail={"commit": longest})
    return _from_node(part, node, "code", limits)


def _known_text(what: str, text: str) -> str:
    if not is_utf8(text):  # no manifest can hold it, and no question to the index
        raise _nothing(what, text)
    return text


def _nothing(what: str, text: str) -> NotFound:
    return NotFound(
        f"no version came from the {what} {shown(text)}",
        hint="gitreg show NAME/VERSION tells what a version came from",
    )


def _from_node(part: Slice, node: Node, role: Role, limits: Limits | None) -> Graph:
    limits = limits or Limits()
    trace = _Trace(part, limits)
    trace.draft.node(node)
    near, total = trace.descent.led_to(node, most=limits.most)
    if not near:
        raise _nothing(node.kind, node.label)
    starts = []
    for child in trace.descent.versions(near):
        trace.came_from(node, child, role)
        starts.append(_at(child))
    trace.draft.cut(node.id, "downstream", total - len(near), "most")
    trace.down(node.id, starts, generation=1)
    return trace.graph(node.id)


def _at(version: ModelVersion) -> tuple[str, int]:
    return version.name, version.version


class _Trace:
    """Follows the lineage of one root, breadth first: what is nearer comes first and is kept."""

    def __init__(self, part: Slice, limits: Limits) -> None:
        self.descent = Descent(part)
        self.limits = limits
        self.draft = Draft()
        self._versions: dict[str, ModelVersion] = {}

    def add(self, node: Node, version: ModelVersion) -> None:
        """Add the node of a version."""
        self.draft.node(node)
        self._versions.setdefault(node.id, version)

    def graph(self, root: str) -> Graph:
        """What was traced, with every edge between nodes that are there, on whichever side of the root."""
        for here, version in self._versions.items():
            for _, edge in made.own_origin(version):
                self.draft.between(edge)
            for role, uri in _given(version):
                node, _ = self._parent(uri, version)
                self.draft.between(Edge(origin=node.id, target=here, role=role))
        descent = self.descent
        return self.draft.graph(
            commit=descent.part.commit, root=root, depth=self.limits.depth, unsure=descent.unsure
        )

    @property
    def full(self) -> bool:
        """Whether the graph holds as much as it may."""
        return self.limits.total is not None and len(self.draft.nodes) >= self.limits.total

    def up(self, root: ModelVersion, *, siblings: bool) -> None:
        """Add what ``root`` came from."""
        queue = deque([(root, 0)])
        followed = {_at(root)}
        while queue:
            version, generation = queue.popleft()
            for node, edge in made.own_origin(version):
                new = self.draft.node(node)
                self.draft.edge(edge)
                if new and siblings:
                    self._beside(node, edge.role, version)
            far = generation >= self.limits.depth
            for parent in self._parents(version, followed, "depth" if far else "most" if self.full else None):
                if _at(parent) not in followed:
                    followed.add(_at(parent))
                    queue.append((parent, generation + 1))

    def _parents(
        self, version: ModelVersion, followed: set[tuple[str, int]], stop: Literal["depth", "most"] | None
    ) -> Iterator[ModelVersion]:
        """Add the parents of a version, and give those that can be followed.

        Args:
            version: Whose.
            followed: The versions whose own parents are there, or will be.
            stop: Why no others are to be added, if so.
        """
        here = made.version_id(version.name, version.version)
        given = [*_given(version)]
        near = given[: self.limits.most]
        too_far = 0
        for role, uri in near:
            node, parent = self._parent(uri, version)
            if stop and not (parent and _at(parent) in followed):
                too_far += 1
                continue
            if parent:
                self.add(node, parent)
            else:
                self.draft.node(node)
            self.draft.edge(Edge(origin=node.id, target=here, role=role))
            if parent:
                yield parent
        if stop:
            self.draft.cut(here, "upstream", too_far, stop)
        self.draft.cut(here, "upstream", len(given) - len(near), "most")

    def _parent(self, uri: str, child: ModelVersion) -> tuple[Node, ModelVersion | None]:
        """The node that a parent's URI means, and what can be followed."""
        meant = self.descent.meant(uri, child)
        if meant is None:
            lost = made.parent_reference(uri) is not None and uri.startswith(PREFIX)
            lost = lost and not self.descent.untold(child)
            return made.external_node(uri, state="missing" if lost else "present"), None
        if meant.version is None:
            return made.absent_node(meant.name, meant.number, meant.state), None
        # A version that is gone may have been deleted under a former name.
        version = replace(meant.version, name=meant.name)
        return made.version_node(version, state=meant.state), version

    def _beside(self, node: Node, role: Role, version: ModelVersion) -> None:
        """Add the other versions that came from ``node``."""
        if (
            role == "source"
            or node.kind == "experiment"
            or (node.kind == "code" and "commit" not in node.detail)
        ):
            return
        near, total = self.descent.led_to(node, most=self.limits.siblings, besides=_at(version))
        for other in self.descent.versions(near):
            self.came_from(node, other, role)
        self.draft.cut(node.id, "downstream", total - len(near), "most")

    def came_from(self, node: Node, version: ModelVersion, role: Role) -> None:
        """Add ``version`` as one that came from ``node``, with what is true of this use alone."""
        child = made.version_node(version)
        self.add(child, version)
        self.draft.edge(Edge(origin=node.id, target=child.id, role=role, detail=made.use(node, version)))

    def down(self, root: str, starts: Iterable[tuple[str, int]], *, generation: int = 0) -> None:
        """Add what came from the versions ``starts``, which are there already."""
        queue = deque((start, generation) for start in starts)
        followed = {start for start, _ in queue}
        while queue:
            (name, number), age = queue.popleft()
            for child in self._children(name, number, age):
                if child not in followed:
                    followed.add(child)
                    queue.append((child, age + 1))

    def _children(self, name: str, number: int, generation: int) -> Iterator[tuple[str, int]]:
        here = made.version_id(name, number)
        found = self.descent.children(name, number)
        near = found[: self.limits.most]
        if generation >= self.limits.depth or self.full:
            near = [one for one in near if made.version_id(one.name, one.number) in self.draft.nodes]
            self.draft.cut(here, "downstream", len(found) - len(near), "depth" if not self.full else "most")
        else:
            self.draft.cut(here, "downstream", len(found) - len(near), "most")
        roles = {made.version_id(one.name, one.number): one.role for one in near}
        for child in self.descent.versions(near):
            node = made.version_node(child)
            self.add(node, child)
            self.draft.edge(Edge(origin=here, target=node.id, role=roles[node.id]))
            yield _at(child)


def _given(version: ModelVersion) -> Iterator[tuple[Role, str]]:
    """The parents of a version as its manifest gives them, a version that it is a copy of first."""
    if made.copied_from(version.source):
        yield "copy", version.source
    for uri in dict.fromkeys(version.origin.parents):
        yield "parent", uri
