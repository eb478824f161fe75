"""The code that a page offers to copy."""

from __future__ import annotations

from datetime import UTC, datetime

from gitreg.domain.model import ModelVersion, Origin
from gitreg.web.pages.loading import snippets

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def code(source: str, **more: bool) -> dict[str, str]:
    version = ModelVersion(name="churn", version=3, created=NOW, updated=NOW, origin=Origin(source=source))
    made = snippets(version, origin="https://models.example.com", pointers=(), **more)
    return {each.id: each.code for each in made}


def test_a_source_of_a_run_needs_the_server_that_has_it() -> None:
    for source in ("runs:/0123/model", "models:/m-0123"):
        assert "set_tracking_uri" in code(source)["load-mlflow"]
    for source in ("s3://models/churn/3", "models:/other/3"):
        assert "set_tracking_uri" not in code(source)["load-mlflow"]


def test_where_a_token_is_asked_for_it_is_told() -> None:
    told = code("s3://m/3", token=True)
    assert "MLFLOW_TRACKING_TOKEN" in told["load-mlflow"]
    assert told["load-curl"].startswith('curl -H "Authorization: Bearer $MLFLOW_TRACKING_TOKEN" ')
    assert "MLFLOW_TRACKING_TOKEN" not in "".join(code("s3://m/3").values())


def test_the_python_is_python() -> None:
    for source in ("runs:/0123/model", "s3://m/3"):
        compile(code(source, token=True)["load-mlflow"], "<page>", "exec")
