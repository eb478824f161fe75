"""What a check says about itself: which methods it is about, and which deviation it shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import mlflow
import pytest
from packaging.version import Version

from .deviations import DEVIATIONS

Check = TypeVar("Check", bound=Callable[..., object])

MLFLOW_3 = Version(mlflow.__version__).major >= 3
only_mlflow_3 = pytest.mark.skipif(not MLFLOW_3, reason="this MLflow is a 2.x and has no such method")


def checks(*methods: str) -> Callable[[Check], Check]:
    """The methods of MLflow's ``AbstractStore`` (or ``MlflowClient.…``) that the check is about: rows of the page."""

    def mark(check: Check) -> Check:
        check.checks = methods  # type: ignore[attr-defined]
        return check

    return mark


def deviates(name: str) -> Callable[[Check], Check]:
    """The check shows the deviation: on the oracle MLflow's behaviour, on gitreg its own.

    Args:
        name: Key of ``DEVIATIONS``.
    """
    assert name in DEVIATIONS, name

    def mark(check: Check) -> Check:
        check.deviation = name  # type: ignore[attr-defined]
        return check

    return mark
