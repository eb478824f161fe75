"""What a trial by new users found on the page of a model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from tests.web.conftest import Asking
from tests.web.pages_a.conftest import section, words


@pytest.fixture
def asking(tmp_path: Path) -> Asking:
    """A model measured by three metrics, the newest version of which by another one; and one with 26."""
    place = tmp_path / "registry"
    create(place, settings=Settings(), branch=None, env=os.environ, now=utc_now())
    with Store(Repository.discover(place)) as store:
        registry = Registry(store)
        with registry.batch("many at once"):
            for number in range(1, 5):
                registry.register("churn", f"s3://churn/{number}", metrics={"auc": 0.9, "f1": 0.8, "loss": 1})
            registry.register("churn", "s3://churn/5", metrics={"accuracy": 0.5})
            registry.register("many", "s3://many/1", metrics={f"m_{each}": each for each in range(1, 27)})
            registry.register("bare", "s3://bare/1")
    return Asking(place)


def test_one_version_with_other_metrics_hides_none(asking: Asking) -> None:
    text = asking("GET", "/models/churn").text
    heads = words(section(text, "<thead>", "</thead>"))
    assert "auc f1 loss" in heads and "accuracy" not in heads
    assert "3 of 4 metrics" in words(section(text, 'id="versions"'))
    assert "metric=accuracy" in text and "churn: auc over the versions" in text


def test_many_metrics_are_in_a_list(asking: Asking) -> None:
    text = asking("GET", "/models/many").text
    assert "3 of 26 metrics" in text and text.count("<option value=") == 26
    assert "m_1 m_2 m_3" in words(section(text, "<thead>", "</thead>"))
    assert '<option value="m_26" selected' in asking("GET", "/models/many?metric=m_26").text
    assert "metrics" not in words(section(asking("GET", "/models/bare").text, 'id="versions"'))
