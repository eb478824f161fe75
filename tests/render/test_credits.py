from __future__ import annotations

from typing import Any

import pytest

from gitreg.render.credits import value_text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("source", "s3://b/1", "s3://b/1"),
        ("description", "First\n\x1b[31mred", "First\\n\\x1b[31mred"),
        ("metrics", 0.912345678, "0.912346"),
        ("metrics", "NaN", "NaN"),
        ("aliases", 12, "12"),
        ("parents", ["models:/a/1", "hf://b"], "models:/a/1, hf://b"),
        ("datasets", [{"name": "telco", "digest": "d"}, {"name": "geo"}], "telco, geo"),
        ("deprecated", {"at": "2026-01-01T00:00:00.000Z", "reason": "drift"}, "2026-01-01T00:00:00.000Z: drift"),
        ("deprecated", {"at": "2026-01-01T00:00:00.000Z"}, "2026-01-01T00:00:00.000Z"),
        ("evaluations", {"name": "holdout", "metrics": {"auc": 0.9, "loss": "NaN"}}, "auc 0.9, loss NaN"),
        ("code", {"repository": "git@x:c", "commit": "1a2b3c4d5e6f", "dirty": True}, "git@x:c 1a2b3c4d5e (with uncommitted changes)"),
        ("artifact", {"digest": "sha256:ab", "size": 12_345}, "sha256:ab, 12.3 kB"),
        ("artifact", {"uri": "s3://b"}, "s3://b"),
        ("x-team", {"a": [1, True, None]}, '{"a": [1, true, null]}'),
    ],
)  # fmt: skip
def test_value_text(field: str, value: Any, said: str) -> None:
    assert value_text(field, value) == said


def test_long_values_are_cut() -> None:
    assert len(value_text("description", "x" * 100_000)) == 80
