"""Lineage on real registries: both ways, through renames, deletions, hand edits and time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from gitreg.domain import requests as ask
from gitreg.domain.lineage import Graph
from gitreg.domain.model import Code, Dataset, ModelVersion, Origin
from gitreg.errors import GitregError, InvalidInput, NotFound, UsageError
from gitreg.index.schema import LIVE
from gitreg.registry.descent import Descent
from gitreg.registry.lineage import (
    Limits,
    lineage_of,
    lineage_of_code,
    lineage_of_dataset,
    lineage_of_experiment,
    lineage_of_run,
)
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from gitreg.render.lineage_tree import lineage_tree
from tests.index.histories import OPENING
from tests.index.test_equal import TOUR
from tests.index.world import World, template
from tests.registry.conftest import Git

TELCO = Dataset(name="telco", uri="s3://telco", digest="9f86d081")
COMMIT = "1a2b3c4d5e6f7a8b9c0d1a2b3c4d5e6f7a8b9c0d"


def trace(
    registry: Registry,
    uri: str,
    *,
    at: str | None = None,
    up: bool = True,
    down: bool = True,
    **limits: int | None,
) -> Graph:
    part = registry.store.index.slice(at)
    given = Limits(**limits) if limits else None  # type: ignore[arg-type]
    return lineage_of(registry.store, part, uri, upstream=up, downstream=down, limits=given)


def edges(graph: Graph, *roles: str) -> set[tuple[str, str]]:
    names = {node.id: node.label for node in graph.nodes.values()}
    return {(names[e.origin], names[e.target]) for e in graph.edges if not roles or e.role in roles}


def parents(graph: Graph) -> set[tuple[str, str]]:
    return edges(graph, "parent", "copy")


def add(registry: Registry, name: str, *parents: str, **origin: object) -> None:
    """Register a version whose parents stand in the manifest exactly as given."""
    given = {"source": f"s3://b/{name}", **origin}
    registry.apply(ask.Register(name=name, origin=Origin(parents=parents, **given)))  # type: ignore[arg-type]


def states(graph: Graph) -> dict[str, str]:
    return {node.label: node.state for node in graph.nodes.values() if node.kind in ("version", "external")}


class TestUpstream:
    def test_everything_that_it_came_from(self, registry: Registry) -> None:
        add(registry, "base", run_id="r0", experiment="pre", datasets=(Dataset(name="crawl"),))
        add(
            registry,
            "churn",
            "models:/base/1",
            "hf://bert",
            run_id="r1",
            datasets=(TELCO,),
            code=Code(commit=COMMIT, path="train", dirty=True),
        )
        add(registry, "churn", "models:/churn/1")
        graph = trace(registry, "churn/latest", down=False)
        assert graph.root == "version:churn/2"
        assert parents(graph) == {("churn/1", "churn/2"), ("base/1", "churn/1"), ("hf://bert", "churn/1")}
        assert edges(graph, "run", "experiment") == {("r1", "churn/1"), ("r0", "base/1"), ("pre", "r0")}
        assert edges(graph, "dataset") == {("telco", "churn/1"), ("crawl", "base/1")}
        (code,) = (edge for edge in graph.edges if edge.role == "code")
        assert code.detail == {"path": "train", "dirty": True}
        assert states(graph)["hf://bert"] == "present" and not graph.cuts

    def test_diamonds_and_cycles_are_told_once(self, registry: Registry) -> None:
        add(registry, "a", "models:/d/1")  # d/1 comes later: registered in the wrong order, or by hand
        add(registry, "b", "models:/a/1")
        add(registry, "c", "models:/a/1", "models:/c/1")
        add(registry, "d", "models:/b/1", "models:/c/1")
        graph = trace(registry, "d/1")
        assert parents(graph) == {
            ("b/1", "d/1"),
            ("c/1", "d/1"),
            ("a/1", "b/1"),
            ("a/1", "c/1"),
            ("d/1", "a/1"),
            ("c/1", "c/1"),
        }
        assert len(lineage_tree(graph)) < 40

    def test_parents_that_are_gone(self, registry: Registry) -> None:
        add(registry, "old", run_id="r0")
        add(registry, "gone", run_id="r9")
        add(
            registry,
            "m",
            "models:/old/1",
            "models:/gone/1",
            "models:/old/9",
            "models:/never/1",
            "models:/never/Production",
            "facebook/bart-large",
            "bert",
        )
        registry.delete("old/1")
        registry.delete("gone")
        graph = trace(registry, "m/1")
        assert states(graph) == {
            "m/1": "present",
            "old/1": "deleted",
            "gone/1": "deleted",
            "old/9": "missing",
            "never/1": "missing",
            "models:/never/Production": "missing",
            "facebook/bart-large": "present",
            "bert": "present",
        }
        # what a deleted version came from is still history
        assert ("r0", "old/1") in edges(graph) and ("r9", "gone/1") in edges(graph)

    def test_depth(self, registry: Registry) -> None:
        add(registry, "m")
        for number in range(1, 9):
            add(registry, "m", f"models:/m/{number}")
        graph = trace(registry, "m/9", down=False)
        assert ("m/4", "m/5") in parents(graph) and ("m/3", "m/4") not in parents(graph)
        ((cut),) = graph.cuts
        assert (cut.node, cut.side, cut.count, cut.reason) == ("version:m/4", "upstream", 1, "depth")
        assert len(parents(trace(registry, "m/9", depth=20))) == 8
        assert parents(trace(registry, "m/9", depth=0)) == set()

    def test_a_stage_or_alias_is_what_it_was_when_it_was_written(self, registry: Registry) -> None:
        for _ in range(3):
            add(registry, "base")
        registry.transition("base/1", "Production")
        registry.alias("base/2", "champion")
        add(registry, "m", "models:/base/Production", "base@champion", "models:/base/latest")
        registry.transition("base/3", "Production", archive_existing=True)
        registry.alias("base/3", "champion")
        add(registry, "m", "base/production")
        assert parents(trace(registry, "m/1")) == {("base/1", "m/1"), ("base/2", "m/1"), ("base/3", "m/1")}
        assert parents(trace(registry, "m/2")) == {("base/3", "m/2")}
        # and so the other way
        assert parents(trace(registry, "base/1")) == {("base/1", "m/1")}
        assert parents(trace(registry, "base/3")) == {("base/3", "m/1"), ("base/3", "m/2")}

    def test_a_copy(self, registry: Registry) -> None:
        add(registry, "a")
        add(registry, "b", source="models:/a/1")
        graph = trace(registry, "b/1")
        assert edges(graph, "copy") == {("a/1", "b/1")} and edges(graph, "source") == {("s3://b/a", "a/1")}


class TestDownstream:
    def test_children_of_children(self, registry: Registry) -> None:
        add(registry, "a")
        add(registry, "a", "models:/a/1")
        add(registry, "b", "a/v2")
        add(registry, "c", "a/1", "b/1")
        graph = trace(registry, "a/1", up=False)
        assert parents(graph) == {("a/1", "a/2"), ("a/2", "b/1"), ("a/1", "c/1"), ("b/1", "c/1")}
        assert edges(graph, "source") == set()

    def test_numbers_are_not_prefixes(self, registry: Registry) -> None:
        for _ in range(11):
            add(registry, "a")
        add(registry, "b", "models:/a/11")
        add(registry, "aa", "models:/a/1")
        assert parents(trace(registry, "a/1")) == {("a/1", "aa/1")}

    def test_bounded_and_said_so(self, registry: Registry) -> None:
        add(registry, "a", run_id="r", datasets=(TELCO,))
        many = [Origin(source=f"s3://{n}", parents=("models:/a/1",), datasets=(TELCO,)) for n in range(120)]
        registry.apply(*(ask.Register(name="b", origin=origin) for origin in many))
        graph = trace(registry, "a/1")
        assert len(parents(graph)) == 50
        cuts = {(cut.node, cut.side): cut.count for cut in graph.cuts}
        assert cuts["version:a/1", "downstream"] == 70
        assert cuts["dataset:digest:9f86d081", "downstream"] == 70, "what is there is not left out"
        assert len(parents(trace(registry, "a/1", most=None, total=None))) == 120
        assert len(parents(trace(registry, "a/1", most=3, siblings=3))) == 3
        add(registry, "c", "models:/b/1")
        few = trace(registry, "a/1", most=None, total=20)
        assert {cut.reason for cut in few.cuts} == {"most"} and len(few.nodes) < 150

    def test_depth(self, registry: Registry) -> None:
        add(registry, "m")
        for number in range(1, 9):
            add(registry, "m", f"models:/m/{number}")
        graph = trace(registry, "m/1", depth=2)
        assert parents(graph) == {("m/1", "m/2"), ("m/2", "m/3")}
        assert [(cut.node, cut.side, cut.count) for cut in graph.cuts] == [("version:m/3", "downstream", 1)]

    def test_all_that_leads_from_one_that_is_there_to_another(self, registry: Registry) -> None:
        add(registry, "old", datasets=(TELCO,))
        add(registry, "m", "models:/old/1", run_id="r")
        add(registry, "m", "models:/m/1", "models:/old/1", datasets=(TELCO,))
        add(registry, "beside", "models:/m/2", "models:/far/1", run_id="r")
        graph = trace(registry, "m/1", depth=1)
        assert parents(graph) == {
            ("old/1", "m/1"), ("m/1", "m/2"), ("old/1", "m/2"), ("m/2", "beside/1"),
        }  # fmt: skip
        assert {("telco", "old/1"), ("telco", "m/2"), ("r", "beside/1")} <= edges(graph)
        assert [(cut.node, cut.side) for cut in graph.cuts] == []
        assert parents(trace(registry, "m/1", depth=1, up=False)) == {("m/1", "m/2")}

    def test_siblings_only_beside_both_sides(self, registry: Registry) -> None:
        add(registry, "a", run_id="r", datasets=(TELCO,), code=Code(repository="x", commit=COMMIT))
        add(registry, "b", run_id="r")
        add(registry, "c", datasets=(Dataset(name="other name", digest="9f86d081"),))
        add(registry, "d", code=Code(repository="x", commit=COMMIT[:8]))
        add(registry, "e", code=Code(repository="y", commit=COMMIT))
        beside = {("r", "b/1"), ("telco", "c/1"), ("x at 1a2b3c4d5e", "d/1")}
        assert beside <= edges(trace(registry, "a/1"))
        assert not beside & edges(trace(registry, "a/1", down=False))
        assert "e/1" not in states(trace(registry, "a/1"))


class TestRenames:
    def test_both_ways(self, registry: Registry) -> None:
        add(registry, "old")
        add(registry, "kid", "models:/old/1")
        registry.rename("old", "new")
        add(registry, "kid", "models:/new/1")
        add(registry, "kid", "models:/old/1")  # by somebody who did not hear of it
        registry.rename("kid", "child")
        assert parents(trace(registry, "new/1")) == {("new/1", f"child/{n}") for n in (1, 2, 3)}
        for number in (1, 2, 3):
            assert parents(trace(registry, f"child/{number}", down=False)) == {("new/1", f"child/{number}")}

    def test_a_name_that_was_taken_again_is_another_model(self, registry: Registry) -> None:
        add(registry, "a")
        registry.rename("a", "b")
        add(registry, "b")  # b/2
        add(registry, "a")  # a/2: the numbers go on
        add(registry, "kid", "models:/a/1", "models:/a/2")
        graph = trace(registry, "kid/1")
        assert parents(graph) == {("b/1", "kid/1"), ("a/2", "kid/1")}
        assert parents(trace(registry, "b/1")) == {("b/1", "kid/1")}
        assert parents(trace(registry, "a/2")) == {("a/2", "kid/1")}
        assert parents(trace(registry, "b/2")) == set()

    def test_there_and_back(self, registry: Registry) -> None:
        add(registry, "a")
        add(registry, "kid", "models:/a/1")
        registry.rename("a", "b")
        add(registry, "kid", "models:/b/1")
        registry.rename("b", "a")
        assert parents(trace(registry, "a/1")) == {("a/1", "kid/1"), ("a/1", "kid/2")}

    def test_at_a_commit_before_the_rename(self, registry: Registry) -> None:
        add(registry, "old")
        add(registry, "kid", "models:/old/1")
        before = registry.store.head()
        registry.rename("old", "new")
        registry.delete("kid/1")
        assert parents(trace(registry, "old/1", at=before)) == {("old/1", "kid/1")}
        assert parents(trace(registry, "new/1")) == set()
        assert trace(registry, "old/1", at=before).commit == before

    def test_tombstones_that_point_at_each_other_end(self, worktree: Path, git: Git) -> None:
        with open_registry(worktree) as registry:
            add(registry, "a")
            add(registry, "kid", "models:/a/7", "models:/b/7")
        for one, other in (("a", "b"), ("b", "a")):
            folder = worktree / f"models/{one}"
            folder.mkdir(exist_ok=True)
            (folder / "model.yaml").write_text(f"name: {one}\nlast_version: 7\nrenamed_to: {other}\n")
        git(worktree, "add", "-A")
        git(worktree, "commit", "-qm", "Round and round")
        with open_registry(worktree) as registry:
            assert set(states(trace(registry, "kid/1")).values()) == {"present", "missing"}


class TestOtherRoots:
    @pytest.fixture
    def filled(self, registry: Registry) -> Registry:
        add(
            registry,
            "a",
            run_id="r1",
            run_link="https://r1",
            experiment="nightly",
            datasets=(TELCO,),
            code=Code(commit=COMMIT),
        )
        add(registry, "b", "models:/a/1", run_id="r2")
        add(registry, "c", datasets=(Dataset(name="telco", digest="ffff"),), code=Code(commit="1a2b3c4f"))
        return registry

    def test_run(self, filled: Registry) -> None:
        graph = lineage_of_run(filled.store.index.slice(), "r1")
        assert edges(graph) == {("r1", "a/1"), ("a/1", "b/1")}
        assert graph.nodes[graph.root].detail["run_link"] == "https://r1"
        assert lineage_tree(graph) == ["run  r1  https://r1", "└─ a/1", "   └─ b/1"]

    def test_experiment(self, filled: Registry) -> None:
        assert edges(lineage_of_experiment(filled.store.index.slice(), "nightly")) == {
            ("nightly", "a/1"),
            ("a/1", "b/1"),
        }

    @pytest.mark.parametrize(
        ("text", "found"), [("telco", {"a/1", "c/1"}), ("s3://telco", {"a/1"}), ("ffff", {"c/1"})]
    )
    def test_dataset(self, filled: Registry, text: str, found: set[str]) -> None:
        graph = lineage_of_dataset(filled.store.index.slice(), text)
        assert {target for origin, target in edges(graph, "dataset")} == found

    def test_dataset_by_name_tells_which(self, filled: Registry) -> None:
        graph = lineage_of_dataset(filled.store.index.slice(), "telco")
        assert {edge.detail["digest"] for edge in graph.edges if edge.role == "dataset"} == {
            "9f86d081",
            "ffff",
        }

    @pytest.mark.parametrize("text", [COMMIT, COMMIT[:9], COMMIT.upper(), COMMIT + "0" * 24])
    def test_commit(self, filled: Registry, text: str) -> None:
        assert edges(lineage_of_code(filled.store.index.slice(), text), "code") == {("1a2b3c4d5e", "a/1")}

    def test_commit_that_is_two(self, filled: Registry) -> None:
        add(filled, "d", code=Code(commit="1a2b3c4d0000"))
        with pytest.raises(InvalidInput, match="more than one commit"):
            lineage_of_code(filled.store.index.slice(), "1a2b3c4")

    @pytest.mark.parametrize("text", ["1a2b3c", "xyzxyzx", "", "1" * 65])
    def test_no_commit(self, filled: Registry, text: str) -> None:
        with pytest.raises(UsageError):
            lineage_of_code(filled.store.index.slice(), text)

    def test_nothing_came_from_it(self, filled: Registry) -> None:
        part = filled.store.index.slice()
        for question in (lineage_of_run, lineage_of_experiment, lineage_of_dataset):
            with pytest.raises(NotFound):
                question(part, "nope")
        with pytest.raises(NotFound):
            lineage_of_code(part, "0000000")

    def test_a_deleted_version_does_not_come_from_it_any_more(self, filled: Registry) -> None:
        filled.delete("a/1")
        with pytest.raises(NotFound):
            lineage_of_run(filled.store.index.slice(), "r1")


def test_a_model_is_no_version(registry: Registry) -> None:
    add(registry, "a")
    with pytest.raises(InvalidInput, match="say which version"):
        trace(registry, "a")


@pytest.mark.parametrize(
    "tour", ["renames", "deletion", "by hand", "merge commit", "spoilt models", "spoilt versions"]
)
def test_parents_and_children_agree(tour: str) -> None:
    """Whatever happened: a version is a child of exactly those that its manifest means."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "registry"
        template(place)
        world = World(place)
        try:
            world.play([*OPENING, *TOUR[tour]])
            add_children(world)
            assert symmetric(world.registry)
        finally:
            world.registry.close()


def add_children(world: World) -> None:
    for name in ("churn", "fraud", "a@b", "nobody"):
        for number in (1, 2):
            try:
                add(world.registry, "child", f"models:/{name}/{number}", f"models:/{name}/latest")
            except GitregError:
                return


def symmetric(registry: Registry) -> int:
    part = registry.store.index.slice()
    descent = Descent(part)
    # Versions, not models: one whose model.yaml is damaged is a version still.
    rows = part.rows("SELECT v.name, v.number FROM version v WHERE v.state = ? AND $v", LIVE)
    living = [one for row in rows if isinstance(one := part.version(*row), ModelVersion)]
    means = {
        ((found.name, found.number), (child.name, child.version))
        for child in living
        for uri in child.origin.parents
        if (found := descent.meant(uri, child)) is not None and found.state == "present"
    }
    told = {
        ((one.name, one.version), (child.name, child.number))
        for one in living
        for child in descent.children(one.name, one.version)
    }
    assert told == means
    return len(told)


def test_the_registrys_own_method(registry: Registry) -> None:
    add(registry, "a")
    add(registry, "a", "models:/a/1")
    assert parents(registry.lineage("a/latest")) == {("a/1", "a/2")}
    assert parents(registry.lineage("a/2", upstream=False)) == set()
    assert [cut.count for cut in registry.lineage("a/1", depth=0).cuts] == [1]
