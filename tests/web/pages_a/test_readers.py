"""The short answers that pages ask for are the beginnings of the long ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gitreg
from gitreg.domain.lineage import Node
from gitreg.index.reading import Slice
from gitreg.registry import recent
from gitreg.registry.lineage import Limits, lineage
from gitreg.registry.log import Wanted, log
from gitreg.registry.record import ModelRecord
from gitreg.registry.registry import Registry
from gitreg.registry.series import series
from gitreg.registry.timeline import timeline
from gitreg.registry.version_list import version_list
from gitreg.render.lineage_svg import lineage_svg

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    place = tmp_path_factory.mktemp("showcase") / "models"
    subprocess.run([sys.executable, ROOT / "demo" / "showcase.py", place], check=True, capture_output=True)
    with gitreg.open(place) as opened:
        yield opened


@pytest.fixture(params=[None, "2025-06-30"])
def part(registry: Registry, request: pytest.FixtureRequest) -> Slice:
    return registry.store.index.slice(registry.at(request.param).commit)


@pytest.mark.parametrize("newest", [1, 3, 1000])
def test_the_newest_points_are_the_last_of_all(registry: Registry, part: Slice, newest: int) -> None:
    whole = series(registry.store, part, "churn", ["auc", "log_loss"])
    some = series(registry.store, part, "churn", ["auc", "log_loss"], newest=newest)
    assert some.points == whole.points[-newest:]


@pytest.mark.parametrize("newest", [1, 2, 1000])
def test_the_newest_bars_are_the_last_of_each_lane(registry: Registry, part: Slice, newest: int) -> None:
    whole = timeline(registry.store, part, "churn")
    some = timeline(registry.store, part, "churn", newest=newest)
    assert [lane.stage for lane in some.lanes] == [lane.stage for lane in whole.lanes]
    for short, long in zip(some.lanes, whole.lanes, strict=True):
        assert short.bars == long.bars[-newest:]
    for place, when in some.effect.items():
        assert whole.effect[place] == when


@pytest.mark.parametrize("most", [1, 5, 1000])
def test_the_latest_changes_are_the_first_of_the_log(registry: Registry, part: Slice, most: int) -> None:
    for name in ("churn", "customer-embedding"):
        long = [entry.commit.oid for entry in log(part, Wanted(name=name))]
        short = recent.of_model(part, part.names(name), most=most)
        assert [each.link.oid for each in short] == long[:most]


def test_the_changes_of_a_version_are_those_of_the_log(registry: Registry, part: Slice) -> None:
    record = ModelRecord(part, registry.settings, "churn")
    for number in range(1, 9):
        long = {
            entry.commit.oid: set(map(str, entry.changes))
            for entry in log(part, Wanted(name="churn", version=number))
        }
        short = {
            each.link.oid: {str(change) for change in each.entry.changes if change.event != "alias"}
            for each in record.entries(number)
        }
        assert {oid: told for oid, told in short.items() if told} == long, number


def test_pages_of_versions_are_all_of_them(part: Slice) -> None:
    pages = [version_list(part, "churn", page=page, size=2) for page in range(1, 6)]
    found = [each.version for page in pages[: pages[0].pages] for each in page.versions]
    assert found == list(range(pages[0].total, 0, -1))
    assert pages[-1].page <= pages[-1].pages


def test_a_short_lineage_is_part_of_the_whole(registry: Registry, part: Slice) -> None:
    record = ModelRecord(part, registry.settings, "churn")
    for number in range(1, 8):
        version = record.live(number)
        assert version is not None
        short, whole = record.lineage(version), lineage(part, version, limits=Limits(most=None, total=None))
        assert set(short.nodes) <= set(whole.nodes)
        assert {(edge.origin, edge.target) for edge in short.edges} <= {
            (edge.origin, edge.target) for edge in whole.edges
        }
        children = {edge.target for edge in whole.edges if edge.origin == whole.root}
        assert children <= set(short.nodes)  # the check before asking for children misses none


def test_boxes_lead_where_they_are_told_to(registry: Registry, part: Slice) -> None:
    record = ModelRecord(part, registry.settings, "customer-embedding")
    version = record.live(1)
    assert version is not None

    def address(node: Node) -> str:
        return f"/to?{node.id}&more" if node.kind == "version" else ""

    graph = record.lineage(version)
    drawn = lineage_svg(graph, address)
    versions = [node for node in graph.nodes.values() if node.kind == "version"]
    assert len(versions) > 1
    assert drawn.count("<a href=") == len(versions)
    for node in versions:
        assert f'<a href="/to?{node.id}&amp;more"><g' in drawn
    assert "<a href" not in lineage_svg(graph)
