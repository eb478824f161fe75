"""The list of methods is MLflow's: a method that a newer one brings must get checks and a row."""

from __future__ import annotations

import inspect
from typing import Any

import mlflow
import pytest

from .marks import MLFLOW_3, checks
from .methods import METHODS


def public_methods() -> set[str]:
    from mlflow.store.model_registry.abstract_store import AbstractStore

    return {
        name
        for name, value in inspect.getmembers(AbstractStore)
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    }


def test_every_method_of_the_store_has_a_row() -> None:
    listed = {method for methods in METHODS.values() for method in methods if "." not in method}
    missing = public_methods() - listed
    assert not missing, f"methods of this MLflow's store without a row: {sorted(missing)}"
    if MLFLOW_3:
        assert listed <= public_methods()


def test_every_row_has_checks(request: pytest.FixtureRequest) -> None:
    here = [item for item in request.session.items if "conformance" in dict(item.user_properties)]
    files = {item.path.name for item in here}
    if files != {path.name for path in request.path.parent.glob("test_*.py")}:
        pytest.skip("needs all of the checks")
    checked = {method for item in here for method in dict(item.user_properties)["methods"]}
    assert checked == {method for methods in METHODS.values() for method in methods}


@checks("mlflow.register_model")
def test_register_model_makes_the_model_when_it_is_not_there(store: Any) -> None:
    first = mlflow.register_model("s3://bucket/1", "fraud", tags={"k": "v"})
    second = mlflow.register_model("s3://bucket/2", "fraud")
    assert [int(first.version), int(second.version)] == [1, 2]
    assert (first.source, first.tags) == ("s3://bucket/1", {"k": "v"})
    assert store.get_registered_model("fraud").name == "fraud"
