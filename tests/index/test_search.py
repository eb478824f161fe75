"""Searches answer what a plain look at every version answers, page by page, while others write."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitreg.domain.settings import Settings
from gitreg.errors import InvalidFilter, InvalidInput
from gitreg.index.reading import Slice
from gitreg.index.search import FEW
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from gitreg.registry.searching import Question, VersionPage, find_versions
from tests.index import searching as plain


@pytest.fixture(scope="module", params=[1, 2])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[plain.World]:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
        patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        (home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n")
        made = plain.make_world(home / "registry", seed=request.param, steps=60)
        yield made
        made.registry.close()


def _all_pages(part: Slice, question: Question) -> Iterator[VersionPage]:
    token = None
    while True:
        page = find_versions(
            part,
            Question(
                filter=question.filter,
                order_by=question.order_by,
                max_results=question.max_results,
                page_token=token,
            ),
        )
        yield page
        token = page.next_page_token
        if token is None:
            return


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), few=st.sampled_from([0, 3, FEW]))
def test_a_search_is_a_plain_look_at_every_version(world: plain.World, seed: int, few: int) -> None:
    r = random.Random(seed)
    commit = r.choice([world.commits[-1], r.choice(world.commits)])
    part = world.registry.store.index.slice(commit)
    tree = plain.random_tree(r)
    chosen = r.sample(sorted(plain.ORDERS), r.randint(0, 3))
    order = [(name, r.random() < 0.5) for name in chosen]
    expected = plain.in_order([row for row in world.rows(commit) if plain.fits(tree, row)], order)
    question = Question(
        filter=plain.written(tree, r),
        order_by=tuple(f"{name} {'DESC' if descending else 'asc'}" for name, descending in order),
        max_results=r.choice([1, 2, 7, 1000]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gitreg.index.search.FEW", few)  # each of the plans
        pages = list(_all_pages(part, question))
    assert [v for page in pages for v in page.versions] == [row.version for row in expected], question
    for page in pages[:-1]:
        assert len(page.versions) == question.max_results
    aliases = {(row.version.name, row.version.version): row.aliases for row in expected if row.aliases}
    told = {key: value for page in pages for key, value in page.aliases.items()}
    assert {key: value for key, value in told.items() if key in aliases} == aliases


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    import os

    create(tmp_path / "r", settings=Settings(), branch=None, env=os.environ, now=plain.BEGIN)
    with open_registry(tmp_path / "r") as opened:
        yield opened


def test_pages_stay_those_of_the_first_while_others_write(registry: Registry) -> None:
    for number in range(6):
        registry.register("churn", f"s3://b/{number}", metrics={"auc": number / 10}, code=None)
    for order in ((), ("metrics.auc DESC",), ("name",), ("created",)):
        first = registry.search("tags.new IS NULL", order, max_results=2)
        expected = registry.search("tags.new IS NULL", order).versions
        registry.tag("churn/1", {"new": "yes"})
        registry.delete("churn/3")
        registry.register("churn", "s3://b/new", metrics={"auc": 0.35}, code=None)
        registry.rename("churn", "other")
        second = registry.search("tags.new IS NULL", order, max_results=2, page_token=first.next_page_token)
        third = registry.search("tags.new IS NULL", order, max_results=9, page_token=second.next_page_token)
        assert (*first.versions, *second.versions, *third.versions) == expected
        assert third.next_page_token is None
        assert second.commit == third.commit == first.commit
        registry.rename("other", "churn")
        registry.restore("churn/3")
        registry.untag("churn/1", "new")


def test_equal_times_do_not_break_pages(registry: Registry) -> None:
    with registry.batch("Many at once"):
        for number in range(30):
            registry.register(f"m{number % 3}", f"s3://b/{number}", code=None)
    found: list[tuple[str, int]] = []
    token = None
    while True:
        page = registry.search(max_results=4, page_token=token)
        found += [(v.name, v.version) for v in page.versions]
        token = page.next_page_token
        if token is None:
            break
    assert found == [(f"m{model}", number) for model in range(3) for number in range(10, 0, -1)]


def test_a_token_belongs_to_its_search(registry: Registry, tmp_path: Path) -> None:
    for number in range(3):
        registry.register("churn", f"s3://b/{number}", code=None)
    token = registry.search(max_results=1).next_page_token
    assert token is not None
    for text, order in (("name = 'churn'", ()), ("", ("name",))):
        with pytest.raises(InvalidInput, match="another search"):
            registry.search(text, order, page_token=token)
    with pytest.raises(InvalidInput, match="another search"):
        registry.search_models(page_token=token)
    import os

    create(tmp_path / "foreign", settings=Settings(), branch=None, env=os.environ, now=plain.BEGIN)
    with (
        open_registry(tmp_path / "foreign") as foreign,
        pytest.raises(InvalidInput, match="not in the history"),
    ):
        foreign.search(page_token=token)


@pytest.mark.parametrize("forge", ["x", "", "AAAA", "é" * 20, "A" * 100, "\ud800", "=" * 9, "A" * 3_000_000])
def test_a_forged_token_is_refused(registry: Registry, forge: str) -> None:
    registry.register("churn", "s3://b/1", code=None)
    if forge:
        with pytest.raises(InvalidInput, match="no page token"):
            registry.search(page_token=forge)


def test_a_damaged_token_is_refused(registry: Registry) -> None:
    for number in range(2):
        registry.register("churn", f"s3://b/{number}", code=None)
    token = registry.search(max_results=1).next_page_token
    assert token is not None
    for at in range(len(token)):
        damaged = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(InvalidInput):
            registry.search(max_results=1, page_token=damaged)


@pytest.mark.parametrize("size", [0, -1, 200_001, 10**9, True, "5", 1.0, None])
def test_the_size_of_a_page_is_bounded(registry: Registry, size: object) -> None:
    for ask in (registry.search, registry.search_models):
        with pytest.raises(InvalidInput, match="a page can't have"):
            ask(max_results=size)  # type: ignore[arg-type]


def test_the_past_is_searched_as_it_was(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", code=None)
    before = registry.store.head()
    registry.rename("churn", "other")
    registry.tag("other/1", {"team": "growth"})
    assert [v.name for v in registry.search("tags.team IS NULL", at=before).versions] == ["churn"]
    assert [v.name for v in registry.search("tags.team = 'growth'").versions] == ["other"]
    assert [model.name for model in registry.search_models(at=before).models] == ["churn"]


def _plans(part: Slice, question: Question) -> str:
    """How SQLite goes about the queries that find the rows of a page."""
    asked: list[tuple[str, tuple[object, ...]]] = []

    class Recorder(Slice):
        def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
            asked.append((sql, params))
            return super().rows(sql, *params)

    recorder = Recorder(
        part.index, commit=part.commit, stand=part.index.stand(), seq=part.seq, renew=lambda index: index
    )
    find_versions(recorder, question)
    asked = [(sql, params) for sql, params in asked if "p.*" in sql]
    assert asked
    steps = [row[3] for sql, params in asked for row in part.rows(f"EXPLAIN QUERY PLAN {sql}", *params)]
    return "\n".join(steps)


def test_many_are_walked_and_few_are_looked_up(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    with registry.batch("Many"):
        for number in range(20):
            registry.register(
                "churn", f"s3://b/{number}", tags={"all": "yes"}, metrics={"auc": number}, code=None
            )
    past = registry.store.index.slice()
    token = registry.search("tags.all = 'yes'", max_results=3).next_page_token
    few = _plans(past, Question(filter="tags.all = 'yes' AND name LIKE 'c%'"))
    assert "attribute_value (kind=? AND key=? AND value=?)" in few
    assert "version_updated" not in few
    monkeypatch.setattr("gitreg.index.search.FEW", 5)
    for page in (None, token):
        walked = _plans(past, Question(filter="tags.all = 'yes'", max_results=3, page_token=page))
        assert "version_updated" in walked
        assert "TEMP B-TREE" not in walked
    best = _plans(past, Question(filter="metrics.auc > 3", order_by=("metrics.auc DESC",), max_results=3))
    assert "o0 USING COVERING INDEX attribute_value (kind=? AND key=? AND value>? AND value<?)" in best
    assert "B-TREE FOR ORDER BY" not in best
    registry.tag("churn/1", {"all": "no"})
    later = _plans(past, Question(filter="tags.all = 'yes'", max_results=3))
    assert "version_updated" in later, "what stands to this day is still walked"


def test_hostile_filters_change_nothing(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"a": "b"}, code=None)
    part = registry.store.index.slice()
    before = part.rows("SELECT name, sql FROM sqlite_master"), part.rows("SELECT * FROM version")
    for text in (
        "name = 'x' OR 1=1; DROP TABLE version",
        "name = 'x'; DROP TABLE version --'",
        "tags.`a' OR 1=1 --` = 'b'",
        "tags.`?` = 'b' AND tags.\"$v\" = '$v'",
        "name = '''; DELETE FROM version; --'",
        "name LIKE '%'';--%'",
        "name = 'x\x00y'",
        "name IN ('a', (SELECT doc FROM version))",
        "x.y.z = 1",
        "(" * 10_000 + "name = 'x'" + ")" * 10_000,
        "NOT " * 10_000 + "name = 'x'",
        " AND ".join(["name = 'x'"] * 10_000),
        "name = '\ud800'",
    ):
        try:
            assert not registry.search(text).versions
        except InvalidFilter as error:
            assert error.where.startswith("filter, column")
    assert (part.rows("SELECT name, sql FROM sqlite_master"), part.rows("SELECT * FROM version")) == before


def test_the_largest_filters_that_are_allowed_work(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", tags={"a": "b"}, metrics={"auc": 1}, code=None)
    many = " AND ".join(["(name = 'churn' OR tags.a = 'c')"] * 100)
    deep = "name = 'churn'"
    for level in range(13):  # NOT ( counts twice
        deep = f"({deep}) AND tags.a = 'b'" if level % 2 else f"NOT ({deep}) OR tags.a = 'c'"
    nested = "name = 'churn'"
    for level in range(20):
        nested = f"metrics.auc > 0 {'OR' if level % 2 else 'AND'} alias = 'x' OR ({nested})"
    values = ", ".join(["'churn'"] * 1_600)
    for text in (many, f"name IN ({values})", "name LIKE '" + "%c" * 400 + "'", deep, nested):
        registry.search(text, ["metrics.auc", "tags.a DESC", "params.x"])
    assert registry.search(many).versions
    keys = [f"metrics.k{number} DESC" for number in range(10)]
    assert registry.search("", keys).versions


def test_a_key_that_no_version_has_is_told(registry: Registry) -> None:
    registry.register("churn", "s3://b/1", metrics={"auc": 1}, tags={"team": "x"}, code=None)
    page = registry.search("metrics.acu > 0 AND tags.team = 'x'")
    assert page.versions == ()
    assert page.notes == ('no version has the metric "acu": did you mean "auc"?',)
    assert registry.search("metrics.auc > 5").notes == ()
    assert registry.search_models("tags.teem = 'x'").notes == ('no model has the tag "teem"',)


def test_models(registry: Registry) -> None:
    registry.create_model("a", tags={"team": "x"}, owners=["ada"], description="First")
    registry.register("b", "s3://b/1", code=None, aliases=["champion"])
    registry.register("c", "s3://b/1", code=None)
    registry.transition("b/1", "Production")
    registry.create_model("gone")
    registry.delete("gone")

    def found(filter: str = "", *order: str) -> list[str]:
        return [model.name for model in registry.search_models(filter, order).models]

    assert found() == ["a", "b", "c"]
    assert found("", "timestamp DESC") == ["b", "c", "a"], "a promotion counts as an update"
    assert found("", "creation_timestamp desc, name") == ["c", "b", "a"]
    assert found("name != 'a'") == ["b", "c"]
    assert found("name IN ('a', 'b') AND tags.team = 'x'") == ["a"]
    assert found("tags.team != 'y'") == ["a"]
    assert found("stage = 'production'") == ["b"]
    assert found("alias = 'champion' OR owner = 'ada'") == ["a", "b"]
    assert found("description ILIKE '%FIRST%'") == ["a"]
    first = registry.search_models(max_results=2)
    assert [each.latest for each in first.found] == [None, 1]
    rest = registry.search_models(max_results=2, page_token=first.next_page_token)
    assert [model.name for model in rest.models] == ["c"]


def test_what_is_deleted_or_cannot_be_read_is_not_found(registry: Registry, tmp_path: Path) -> None:
    import subprocess

    for number in range(3):
        registry.register("churn", f"s3://b/{number}", code=None)
    registry.register("fraud", "s3://b/f", code=None)
    registry.delete("churn/1")
    registry.delete("fraud")
    (tmp_path / "r/models/churn/versions/2.yaml").write_text("version: [\n")
    subprocess.run(["git", "commit", "-qam", "By hand"], cwd=tmp_path / "r", check=True)
    page = registry.search()
    assert [(v.name, v.version) for v in page.versions] == [("churn", 3)]
    assert page.unreadable == 1
