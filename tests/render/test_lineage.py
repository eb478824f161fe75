from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitreg.domain.lineage import (
    Draft,
    Edge,
    Graph,
    absent_node,
    external_node,
    own_origin,
    run_node,
    version_id,
    version_node,
)
from gitreg.domain.model import Artifact, Code, Dataset, ModelVersion, Origin
from gitreg.render.layout import layout
from gitreg.render.lineage import lineage_document, lineage_rows
from gitreg.render.lineage_svg import lineage_svg
from gitreg.render.lineage_text import dot, mermaid
from gitreg.render.lineage_tree import ASCII, lineage_tree

AT = datetime(2026, 11, 23, tzinfo=UTC)
SVG = "{http://www.w3.org/2000/svg}"
NASTY = '"]]>--\\N %%{init} <b>`x`</b> #35; &amp; | \x1b[31m \u202e ; style:#a;'


def version(name: str, number: int, *, stage: str = "", **origin: object) -> ModelVersion:
    return ModelVersion(
        name=name,
        version=number,
        created=AT,
        updated=AT,
        origin=Origin(**{"source": f"s3://b/{name}/{number}", **origin}),  # type: ignore[arg-type]
        stages={stage: AT} if stage else {},
    )


def add(draft: Draft, one: ModelVersion, *children: str) -> str:
    draft.node(version_node(one))
    for node, edge in own_origin(one):
        draft.node(node)
        draft.edge(edge)
    here = version_id(one.name, one.version)
    for child in children:
        draft.edge(Edge(origin=here, target=child, role="parent"))
    return here


@pytest.fixture
def graph() -> Graph:
    """churn/2 with all that can be told of its origin, a sibling, a lost parent and much that is left out."""
    draft = Draft()
    telco = Dataset(name="telco", uri="s3://data/telco", digest="9f86d081")
    root = add(
        draft,
        version(
            "churn",
            2,
            stage="Production",
            run_id="r2",
            experiment="nightly",
            datasets=(telco,),
            code=Code(repository="git@x:c", commit="1a2b3c4d5e6f", path="train", dirty=True),
            artifact=Artifact(digest="sha256:" + "ab" * 32, size=123_456),
        ),
    )
    add(draft, version("churn", 1, datasets=(telco,), run_id="r1"), root)
    for lost in (
        external_node("hf://bert"),
        absent_node("churn", 9, "missing"),
        absent_node("old", 1, "deleted"),
    ):
        draft.node(lost)
        draft.edge(Edge(origin=lost.id, target=root, role="parent"))
    draft.node(version_node(version("fraud", 7)))
    draft.edge(Edge(origin="dataset:digest:9f86d081", target="version:fraud/7", role="dataset"))
    draft.cut("dataset:digest:9f86d081", "downstream", 950, "most")
    draft.node(version_node(version("churn", 3)))
    draft.edge(Edge(origin=root, target="version:churn/3", role="parent"))
    draft.node(version_node(version("edge", 1)))
    draft.edge(Edge(origin=root, target="version:edge/1", role="copy"))
    draft.cut("version:churn/3", "downstream", 12, "depth")
    draft.cut("version:churn/1", "upstream", 2, "depth")
    return draft.graph(commit="c" * 40, root=root, depth=5)


@pytest.fixture
def nasty() -> Graph:
    draft = Draft()
    root = add(draft, version("m", 1, run_id=NASTY, datasets=(Dataset(name=NASTY, uri=NASTY),)))
    node = external_node(NASTY)
    draft.node(node)
    draft.edge(Edge(origin=node.id, target=root, role="parent"))
    return draft.graph(commit="c" * 40, root=root, depth=5)


def cycle() -> Graph:
    draft = Draft()
    for number in (1, 2, 3):
        add(draft, version("m", number))
    for number in (1, 2, 3):
        draft.edge(
            Edge(origin=version_id("m", number), target=version_id("m", number % 3 + 1), role="parent")
        )
    draft.edge(Edge(origin="version:m/1", target="version:m/1", role="parent"))
    return draft.graph(commit="c" * 40, root="version:m/1", depth=5)


def many(count: int) -> Graph:
    draft = Draft()
    root = add(draft, version("m", 1, run_id="r", datasets=tuple(Dataset(name=f"d{n}") for n in range(5))))
    for number in range(2, count + 2):
        parents = [root] if number % 3 else [root, version_id("m", number - 1)]
        draft.node(version_node(version("m", number)))
        for parent in parents:
            draft.edge(Edge(origin=parent, target=version_id("m", number), role="parent"))
    return draft.graph(commit="c" * 40, root=root, depth=5)


class TestTree:
    def test_both_sides(self, graph: Graph) -> None:
        assert lineage_tree(graph) == [
            "churn/2  Production",
            "├─ came from",
            "│  ├─ run        r2",
            "│  │  └─ experiment nightly",
            "│  ├─ data set   telco  s3://data/telco  9f86d081",
            "│  │  └─ also in    churn/1, fraud/7 and 950 more",
            "│  ├─ code       git@x:c at 1a2b3c4d5e  train  (with uncommitted changes)",
            "│  ├─ source     s3://b/churn/2  sha256:abababababab…  123.5 kB",
            "│  ├─ parent     churn/1",
            "│  │  ├─ run        r1",
            "│  │  ├─ data set   telco  s3://data/telco  9f86d081",
            "│  │  ├─ source     s3://b/churn/1",
            "│  │  └─ … 2 more, --depth 6",
            "│  ├─ parent     hf://bert",
            "│  ├─ parent     churn/9  (not in this registry)",
            "│  └─ parent     old/1  (deleted)",
            "└─ led to",
            "   ├─ churn/3",
            "   │  └─ … 12 more, --depth 6",
            "   └─ copied to  edge/1",
        ]

    def test_ascii(self, graph: Graph) -> None:
        lines = lineage_tree(graph, strokes=ASCII)
        assert "".join(lines).replace("…", "").isascii()
        assert lines[-1] == "   `- copied to  edge/1"

    def test_a_root_that_is_no_version(self) -> None:
        draft = Draft()
        draft.node(run_node("r1"))
        child = add(draft, version("m", 1, run_id="r1"))
        draft.cut("run:r1", "downstream", 1950, "most")
        assert lineage_tree(draft.graph(commit="c", root="run:r1", depth=5)) == [
            "run  r1",
            "├─ m/1",
            "└─ … 1,950 more, --all",
        ], child

    def test_a_cycle_ends(self) -> None:
        lines = lineage_tree(cycle())
        assert len(lines) < 30
        assert any("m/1 (see above)" in line for line in lines)

    def test_nothing_known(self) -> None:
        draft = Draft()
        draft.node(version_node(version("m", 1)))
        assert lineage_tree(draft.graph(commit="c", root="version:m/1", depth=5)) == ["m/1"]

    def test_text_from_the_registry_is_harmless(self, nasty: Graph) -> None:
        assert not re.search("[\x00-\x1f\u202e]", "".join(lineage_tree(nasty)))


# What Mermaid's grammar lets stand for a node with a quoted text, an edge, and the rest that we write.
MERMAID = (
    r"graph LR",
    r"  [nm]\d+(\[|\(\[|\(|\[\(|\{\{|\[/|\[\[)\"[^\"`%&<>\n]*(<br/>[^\"`%&<>\n]*)*\"(\]|\]\)|\)|\)\]|\}\}|/\]|\]\])",
    r"  [nm]\d+ (-->|-\.->)(\|[a-z ]+\|)? [nm]\d+",
    r"  classDef [a-z]+ [a-z-]+:[a-z0-9 ]+(,[a-z-]+:[a-z0-9 ]+)*",
    r"  class [nm]\d+(,[nm]\d+)* [a-z]+",
)


class TestText:
    def test_mermaid(self, graph: Graph) -> None:
        text = mermaid(graph)
        assert '  n1["churn/2<br/>Production"]\n' in text
        assert '  n2(["run<br/>r2"])\n' in text
        assert "  n5 -->|uncommitted changes| n1\n" in text
        assert re.search(r"  m1 *\(", text) and "-.-> m1" in text
        assert "  class n1 root\n" in text

    def test_mermaid_keeps_to_its_grammar(self, graph: Graph, nasty: Graph) -> None:
        for one in (graph, nasty, cycle(), many(20)):
            for line in mermaid(one).splitlines():
                assert any(re.fullmatch(form, line) for form in MERMAID), line

    def test_mermaid_escapes(self, nasty: Graph) -> None:
        text = mermaid(nasty)
        assert "#quot;]]#gt;--" in text and "#37;#37;{init}" in text and "#35;35;" in text
        assert "\x1b" not in text and "`" not in text

    @pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not here")
    def test_graphviz_draws_it(self, graph: Graph, nasty: Graph) -> None:
        for one in (graph, nasty, cycle(), many(60)):
            done = subprocess.run(
                ["dot", "-Tsvg"], input=dot(one), capture_output=True, text=True, check=True, encoding="utf-8"
            )
            assert done.stderr == ""
            drawn = ET.fromstring(done.stdout)
            assert len([g for g in drawn.iter(f"{SVG}g") if g.get("class") == "node"]) == len(
                one.nodes
            ) + len(one.cuts)
        drawn = ET.fromstring(
            subprocess.run(
                ["dot", "-Tsvg"], input=dot(nasty), capture_output=True, text=True, check=True
            ).stdout
        )
        said = " ".join(text.text or "" for text in drawn.iter(f"{SVG}text"))
        assert "#35; &amp; |" in said and "\\N" in said  # as it was given, decoded by nobody

    def test_dot(self, graph: Graph) -> None:
        text = dot(graph)
        assert text.startswith("digraph lineage {\n") and text.endswith("}\n")
        assert 'n1 [shape=box, label="churn/2\\nProduction"' in text
        assert 'n5 -> n1 [label="uncommitted changes"];' in text

    def test_rows(self, graph: Graph) -> None:
        rows = list(lineage_rows(graph))
        assert (
            "dataset",
            "dataset",
            "telco",
            "s3://data/telco",
            "9f86d081",
            "present",
            "version",
            "churn/2",
        ) in rows
        assert ("parent", "version", "churn/9", "", "", "missing", "version", "churn/2") in rows

    def test_document(self, graph: Graph) -> None:
        found = lineage_document(graph)
        nodes = {node["id"]: node for node in found["nodes"]}
        assert nodes["version:churn/2"]["stages"] == ["Production"]
        assert nodes["version:old/1"]["state"] == "deleted"
        assert {
            "from": "code:git@x:c@1a2b3c4d5e6f",
            "to": "version:churn/2",
            "role": "code",
            "path": "train",
            "dirty": True,
        } in found["edges"]
        assert {(edge["from"] in nodes, edge["to"] in nodes) for edge in found["edges"]} == {(True, True)}
        assert found["left_out"][0] == {
            "node": "dataset:digest:9f86d081",
            "side": "downstream",
            "count": 950,
            "reason": "most",
        }


def rectangles(picture: str) -> list[tuple[float, float, float, float]]:
    found = ET.fromstring(picture)
    return [
        tuple(float(box.get(key, "")) for key in ("x", "y", "width", "height"))  # type: ignore[misc]
        for box in found.iter(f"{SVG}rect")
        if box.get("class") == "box"
    ]


class TestSvg:
    @pytest.mark.parametrize("count", [1, 12, 60, 200])
    def test_nothing_overlaps_and_all_is_inside(self, count: int) -> None:
        picture = lineage_svg(many(count))
        root = ET.fromstring(picture)
        width, height = float(root.get("width", "")), float(root.get("height", ""))
        found = rectangles(picture)
        assert len(found) == count + 8
        for x, y, w, h in found:
            assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(found, 2):
            assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay

    def test_upstream_left_downstream_right(self, graph: Graph) -> None:
        picture = ET.fromstring(lineage_svg(graph))
        left = {
            (group.findtext(f"{SVG}title") or "").split("\\n")[0].split("\n")[0]: float(box.get("x", ""))
            for group in picture.iter(f"{SVG}g")
            for box in group.findall(f"{SVG}rect[@class='box']")
        }
        at = {title.split(" ")[-1]: x for title, x in left.items()}
        assert at["r2"] < at["churn/2"] < at["churn/3"]
        assert at["telco"] < at["churn/1"] < at["churn/2"] and at["telco"] < at["fraud/7"]

    def test_is_the_same_every_time(self, graph: Graph) -> None:
        assert lineage_svg(graph) == lineage_svg(graph)

    def test_a_cycle_and_a_loop_can_be_drawn(self) -> None:
        assert len(rectangles(lineage_svg(cycle()))) == 6

    def test_text_from_the_registry_is_harmless(self, nasty: Graph) -> None:
        picture = lineage_svg(nasty)
        root = ET.fromstring(picture)
        assert not [one for one in root.iter() if one.tag == f"{SVG}b"]
        assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", picture)

    def test_long_labels_are_shortened_and_told_in_full(self) -> None:
        draft = Draft()
        uri = "s3://bucket/" + "long/" * 60 + "model"
        add(draft, version("m", 1, source=uri))
        picture = ET.fromstring(lineage_svg(draft.graph(commit="c", root="version:m/1", depth=1)))
        titles = [one.text or "" for one in picture.iter(f"{SVG}title")]
        labels = [one.text or "" for one in picture.iter(f"{SVG}text")]
        assert any(uri in title for title in titles)
        assert not any(uri in label for label in labels) and any(label.endswith("…") for label in labels)


class TestLayout:
    def test_long_lines_bend_in_every_column_between(self) -> None:
        found = layout("c", dict.fromkeys("abc", 10.0), [("a", "b"), ("b", "c"), ("a", "c")], gap=5)
        assert found.column == {"a": 0, "b": 1, "c": 2}
        ((column, height),) = found.bends["a", "c"]
        assert column == 1 and abs(height - found.middle["b"]) >= 10

    def test_straight_chains_stay_straight(self) -> None:
        arcs = list(pairwise("abcdef"))
        found = layout("c", dict.fromkeys("abcdef", 10.0), arcs, gap=5)
        assert set(found.middle.values()) == {5.0} and found.height == 10

    def test_a_very_long_chain_needs_no_recursion(self) -> None:
        names = [str(n) for n in range(5000)]
        found = layout("0", dict.fromkeys(names, 10.0), list(pairwise(names)), gap=5)
        assert found.column["4999"] == 4999

    def test_what_led_to_something_else_stands_beside_it(self) -> None:
        arcs = [("a", "root"), ("b", "a"), ("root", "child"), ("x", "child"), ("a", "y")]
        found = layout("root", dict.fromkeys(["root", "a", "b", "child", "x", "y"], 10.0), arcs, gap=5)
        assert found.column == {"b": 0, "a": 1, "root": 2, "x": 2, "y": 2, "child": 3}

    @given(
        arcs=st.sets(st.tuples(st.integers(0, 25), st.integers(0, 25)), max_size=60),
        heights=st.lists(st.sampled_from([10.0, 30.0]), min_size=26, max_size=26),
    )
    @settings(max_examples=100, deadline=None)
    def test_any_graph_is_placed_without_overlap(
        self, arcs: set[tuple[int, int]], heights: list[float]
    ) -> None:
        sizes = {str(at): height for at, height in enumerate(heights)}
        found = layout("0", sizes, [(str(a), str(b)) for a, b in sorted(arcs)], gap=5)
        assert set(found.column) == set(found.middle) == set(sizes)
        for one, other in combinations(sizes, 2):
            if found.column[one] == found.column[other]:
                apart = abs(found.middle[one] - found.middle[other])
                assert apart >= (sizes[one] + sizes[other]) / 2 + 5 - 1e-6
        for box, size in sizes.items():
            assert -1e-6 <= found.middle[box] - size / 2 <= found.height - size + 1e-6
        # a line that crosses a column passes between its boxes
        for bends in found.bends.values():
            for column, height in bends:
                for box, size in sizes.items():
                    assert found.column[box] != column or abs(height - found.middle[box]) >= size / 2

    def test_what_nothing_leads_to_is_placed(self) -> None:
        assert layout("a", {"a": 10.0, "b": 10.0}, [], gap=5).height == 25
