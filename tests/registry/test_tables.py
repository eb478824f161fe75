"""The tables that SQLite makes are those that the slow way prints, or none at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.registry import tables
from gitreg.registry.open import open_registry

Print = Callable[..., str]

COMMANDS = [
    ("list", "churn"),
    ("list", "churn", "--metric", "f1"),
    ("list", "churn", "--metric", "val.auc", "--metric", "missing"),
    ("log",),
    ("log", "churn"),
    ("log", "churn/2"),
    ("log", "--stage", "Production"),
    ("log", "churn", "--alias", "champion"),
]


@pytest.fixture
def printed(worktree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Print:
    monkeypatch.chdir(worktree)

    def call(*args: str) -> str:
        assert app.run(args) == 0
        return capsys.readouterr().out

    return call


def fill(place: Path) -> None:
    with open_registry(place) as registry:
        registry.create_model("empty")
        for n in range(1, 6):
            metrics = {"auc": 0.1 + n / 3, "f1": n, "val.auc": 1e-7 * n} if n != 3 else {"f1": float("nan")}
            registry.register("churn", f"s3://churn/{n}", metrics=metrics, tags={"team": "risk"})
        registry.transition("churn/1", "Production")
        registry.assign("churn/1", "Staging")
        registry.transition("churn/2", "Production", archive_existing=True)
        registry.transition("churn/2", "None")
        registry.alias("churn/4", "champion")
        registry.alias("churn/4", "best")
        registry.unalias("churn", "best")
        registry.deprecate("churn/1", reason="old")
        registry.update("churn/5", status="PENDING_REGISTRATION", description='"stages":{ "deprecated": x')
        registry.evaluate("churn/5", "holdout", {"auc": 0.5})
        registry.delete("churn/3", reason="wrong data")
        with registry.batch("several at once") as batch:
            batch.register("churn", "s3://churn/6")
            batch.transition("churn/5", "Production", archive_existing=True)
            batch.alias("churn/6", "champion")
            batch.register("fraud", "s3://fraud/1")
        registry.delete("fraud")
        registry.rename("empty", "hollow")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_both_ways_print_the_same(
    worktree: Path, printed: Print, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    fill(worktree)
    made = []

    def watched(function: Callable[..., str | None]) -> Callable[..., str | None]:
        def call(*args: object) -> str | None:
            made.append(function(*args))
            return made[-1]

        return call

    monkeypatch.setattr(tables, "versions", watched(tables.versions))
    monkeypatch.setattr(tables, "events", watched(tables.events))
    quick = printed(*command)
    assert len(quick.splitlines()) > 1
    assert made and made[0] is not None, "SQLite made it"
    for name in ("versions", "events"):
        monkeypatch.setattr(tables, name, lambda *args: None)
    assert printed(*command) == quick


@pytest.mark.parametrize("odd", ["zürich", "日本", "a\u202eb"])
def test_what_is_not_plain_is_printed_the_slow_way(
    worktree: Path, printed: Print, monkeypatch: pytest.MonkeyPatch, odd: str
) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", odd)
    with open_registry(worktree) as registry:
        registry.register("churn", f"s3://{odd}", metrics={"auc": 0.5})
        part = registry.store.index.slice()
        assert tables.events(part, tables.Wanted(), str) is None
        assert tables.versions(part, "churn", ["auc"]) is None
    said = odd.replace("\u202e", "\\u202e")
    assert said in printed("log", "churn") and f"s3://{said}" in printed("list", "churn")


def test_a_key_that_no_path_can_hold(worktree: Path, printed: Print) -> None:
    with open_registry(worktree) as registry:
        registry.register("churn", "s3://1", metrics={'a"b': 0.5})
        assert tables.versions(registry.store.index.slice(), "churn", ['a"b']) is None
    assert "0.5" in printed("list", "churn")
