"""Search by words and by filters."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from gitreg.registry.words import words_of
from gitreg.web.pages.search import is_filter
from tests.web.pages_b.conftest import ODD, Browser, Read, git
from tests.web.pages_b.making import made


def found(read: Read) -> list[str]:
    """The versions in the table of results, in order."""
    names = [re.fullmatch(r"/models/([^/]+)/(\d+)(\?.*)?", link) for link in _in_table(read)]
    return [f"{match[1]}/{match[2]}" for match in names if match]


def _in_table(read: Read) -> list[str]:
    tags = [tag for tag, _ in read.tags]
    if "tbody" not in tags:
        return []
    return [attrs.get("href") or "" for tag, attrs in read.tags[tags.index("tbody") :] if tag == "a"]


def ask(browser: Browser, text: str, more: str = "") -> Read:
    return browser.get(f"/search?q={quote(text)}{more}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("embedding twice", {"customer-embedding/2"}),
        ("LIGHTGBM 127", {"churn/4"}),
        ('"cancellation date"', {"churn/6"}),
        ("algorithm=logistic", {"churn/1"}),
        ("telco-2025q1", {"churn/6", "churn/7", "churn/8"}),
        ("s3://models/churn/3", {"churn/3"}),
        ("challenger", {"churn/8"}),
        ("Production", {"churn/7"}),
        (
            "customer-embedding/1",
            {"churn/3", "churn/4", "churn/5", "customer-embedding/1", "customer-embedding/2"},
        ),
        ("zebra", set()),
        ("%", set()),
        ("churn_", set()),
        ("created", set()),
        ('"', None),
    ],
)
def test_words_find_versions(browser: Browser, text: str, expected: set[str] | None) -> None:
    read = ask(browser, text)
    if expected is not None:
        assert set(found(read)) == expected


def test_words_find_models_too(browser: Browser) -> None:
    read = ask(browser, "embed")
    assert "/models/customer-embedding" in read.links


def test_words_are_looked_for_in_the_past_as_it_was(browser: Browser) -> None:
    assert found(ask(browser, "Production", "&at=2025-02-26")) == ["churn/2"]
    assert found(ask(browser, "challenger", "&at=2025-02-26")) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.auc > 0.9", {"churn/6", "churn/7", "churn/8"}),
        ("stage = 'Production'", {"churn/7"}),
        ("name LIKE 'customer%' AND NOT version = 1", {"customer-embedding/2"}),
        ("alias IS NOT NULL", {"churn/8"}),
    ],
)
def test_filters_find_versions(browser: Browser, text: str, expected: set[str]) -> None:
    assert set(found(ask(browser, text))) == expected


def test_metrics_that_are_named_become_columns(browser: Browser) -> None:
    read = ask(browser, "metrics.auc > 0.9", "&order_by=" + quote("metrics.log_loss DESC"))
    assert found(read) == ["churn/7", "churn/6", "churn/8"]
    assert "metrics.auc" in read.text and "metrics.log_loss" in read.text and "0.338" in read.text


HOSTILE = [
    "name = 'x' OR 1=1; DROP TABLE version",
    "name = 'x' UNION SELECT 1",
    "(" * 10_000 + "name = 'x'",
    "nme = 'x'",
    "stage = 'Nowhere'",
    "metrics.auc > 'x'",
    "name = '",
    "name LIKE '" + "%" * 5_000 + "'",
    "created > 'soon'",
    "version IN ()",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_filter_is_an_error_with_its_place(browser: Browser, text: str) -> None:
    answer = browser.asking("GET", f"/search?q={quote(text)}")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert set(found(ask(browser, "metrics.auc > 0.9"))) == {"churn/6", "churn/7", "churn/8"}


@pytest.mark.parametrize(
    "text", ["x" * 5_000, "'; DROP TABLE version; --", "\\", "a\x00b", "\ud83d", "{{ 7*7 }}", "⟨⟩ " * 50]
)
def test_hostile_words_find_nothing_and_do_nothing(browser: Browser, text: str) -> None:
    answer = browser.asking("GET", f"/search?q={quote(text.encode('utf-8', 'surrogatepass'))}")
    assert answer.status_code == 200
    assert found(Read(answer.text)) == []


def test_a_fault_says_what_was_meant_and_words_are_offered(browser: Browser) -> None:
    read = ask(browser, "metric.auc > 0.9")
    assert '"metric.auc" is not a field' in read.text and 'did you mean "metrics.auc"?' in read.text
    assert any("as=words" in link for link in read.links)
    assert "No version matches" in ask(browser, "metric.auc > 0.9", "&as=words").text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("order_by=nonsense", "is not a field"),
        ("order_by=name%20sideways", "should end here"),
        ("page_token=forged", "token"),
        ("page_token=" + "A" * 3000, "token"),
    ],
)
def test_forged_orders_and_tokens_are_refused(browser: Browser, query: str, said: str) -> None:
    read = browser.get(f"/search?{query}")
    assert said in read.text and read.all("div") and not found(read)


@pytest.mark.parametrize(
    ("text", "filter_"),
    [
        ("churn", False),
        ("fraud in production", False),
        ("what we like", False),
        ("name = 'x'", True),
        ("metric.auc>1", True),
        ("name like 'x%'", True),
        ('"a = b"', False),
        ("run_id IS NULL", True),
        ("", False),
    ],
)
def test_what_is_meant_as_a_filter(text: str, filter_: bool) -> None:
    assert is_filter(text) is filter_


def test_words_are_split_at_spaces_but_for_quotes() -> None:
    assert words_of('a "b c" a d"') == ["a", "b c", "d"] or words_of('a "b c" a d"')[:2] == ["a", "b c"]
    assert len(words_of(" ".join(map(str, range(50))))) == 8


def test_each_example_finds_something(browser: Browser, leads_nowhere: Callable[[Read], list[str]]) -> None:
    read = browser.get("/search")
    examples = [link for link in read.links if link.startswith("/search?q=")]
    assert len(examples) >= 4
    for link in examples:
        assert found(browser.get(link)), link
    assert leads_nowhere(read) == []


def test_examples_of_odd_keys_work(hostile: Browser) -> None:
    examples = [link for link in hostile.get("/search").links if link.startswith("/search?q=")]
    assert examples
    for link in examples:
        assert 'role="alert"' not in hostile.asking("GET", link).text


def test_hostile_texts_stay_texts(hostile: Browser) -> None:
    read = hostile.get("/search?q=best")
    assert f"{ODD}/2" in read.text
    assert "<script>alert(1)</script>" in read.text


@pytest.mark.parametrize("text", ["churn", "s3", "metrics.auc > 0"])
def test_pages_lead_on_as_of_the_same_commit(tmp_path: Path, text: str) -> None:
    place = made(tmp_path, versions=120)
    browser = Browser(place)
    read = ask(browser, text)
    seen = found(read)
    with Store(Repository.discover(place)) as store:
        Registry(store).register("churn", "s3://late", metrics={"auc": 1.0})
    while following := [link for link in read.links if "page_token=" in link]:
        read = browser.get(following[0])
        seen += found(read)
    assert len(seen) == len(set(seen)) == 120


def test_more_versions_than_are_sorted_are_found_by_words(tmp_path: Path) -> None:
    """Where very many match, the order is walked instead."""
    from gitreg.index.search import FEW

    place = made(tmp_path, versions=FEW + 5)
    browser = Browser(place)
    assert len(found(ask(browser, "churn"))) == 50
    ordered = found(ask(browser, "models", "&order_by=" + quote("metrics.auc ASC")))
    assert ordered[:2] == ["churn/1", "churn/2"]


def test_what_was_registered_just_now_is_found(tmp_path: Path) -> None:
    place = made(tmp_path, versions=2)
    browser = Browser(place)
    assert found(ask(browser, "zebra")) == []
    with Store(Repository.discover(place)) as store:
        Registry(store).tag("churn/2", {"animal": "Zebra"})
    assert found(ask(browser, "zebra")) == ["churn/2"]
    git(place, "reset", "-q", "--hard", "HEAD~1")
    assert found(ask(browser, "zebra")) == []
