"""MLmodel files of MLflow 2 and 3, and broken ones."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from gitreg.artifacts.mlmodel import MAX_BYTES, parse_mlmodel, read_mlmodel

MLFLOW_2 = """\
artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    cloudpickle_version: 3.1.2
    loader_module: mlflow.xgboost
    python_version: 3.9.18
  xgboost:
    cloudpickle_version: 3.1.2
    code: null
    data: model.xgb
    model_class: xgboost.sklearn.XGBClassifier
    xgb_version: 1.10
mlflow_version: 2.9.2
model_size_bytes: 4096
model_uuid: 2a3b
run_id: 0123456789abcdef0123456789abcdef
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: '[{"name": "threshold", "type": "double", "default": NaN, "shape": null}]'
utc_time_created: '2023-11-23 10:00:00.123456'
"""

MLFLOW_3 = """\
artifact_path: file:///x/models/m-1/artifacts
flavors:
  sklearn:
    pickled_model: model.pkl
    sklearn_version: 1.9.1
  custom:
    loader: x
is_signature_from_type_hint: false
mlflow_version: 3.17.2
model_id: m-1
model_size_bytes: null
prompts: null
run_id: null
signature:
  inputs: '[]'
  outputs: null
  params: null
"""


def test_a_file_of_mlflow_2() -> None:
    model, warnings = parse_mlmodel(MLFLOW_2, where="MLmodel")
    assert model and not warnings
    assert model.flavors == {"python_function": "3.9.18", "xgboost": "1.10"}
    assert model.signature == {
        "inputs": [{"type": "double", "name": "age", "required": True}],
        "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}],
        "params": [{"name": "threshold", "type": "double", "default": "NaN", "shape": None}],
    }
    assert (model.run_id, model.model_id, model.size) == ("0123456789abcdef0123456789abcdef", None, 4096)
    assert model.created == "2023-11-23 10:00:00.123456"


def test_a_file_of_mlflow_3_with_nulls() -> None:
    model, warnings = parse_mlmodel(MLFLOW_3, where="MLmodel")
    assert model and not warnings
    assert model.flavors == {"sklearn": "1.9.1", "custom": ""}
    assert (model.signature, model.run_id, model.model_id, model.size) == ({}, None, "m-1", None)


def test_a_folder_without_one_is_fine(tmp_path: Path) -> None:
    assert read_mlmodel(tmp_path) == (None, ())


def test_a_file_on_disk(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(MLFLOW_2)
    model, _ = read_mlmodel(tmp_path)
    assert model == parse_mlmodel(MLFLOW_2, where="")[0]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "- a list",
        "just text",
        "flavors: [",
        "flavors: {a: b}\n---\nanother: 1\n",
        "? [a]\n: b\n",
        "a: *nowhere",
        "[" * 100_000,
        "- " * 100_000,
        "{a: " * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_a_broken_file_gives_a_warning(text: str) -> None:
    model, warnings = parse_mlmodel(text, where="here/MLmodel")
    assert model is None
    assert len(warnings) == 1 and warnings[0].startswith("here/MLmodel: ") and "\n" not in warnings[0]


@pytest.mark.parametrize(
    "signature",
    [
        "inputs: 'no json'",
        "inputs: '{}'",
        "inputs: '5'",
        f"inputs: '{'[' * 50}{']' * 50}'",
        f"inputs: '{'[' * 90_000}{']' * 90_000}'",
        f"inputs: '[{'9' * 5000}]'",
        f"inputs: '[{' ' * 200_000}]'",
    ],
    ids=lambda text: text[:30],
)
def test_a_broken_signature_costs_the_signature_alone(signature: str) -> None:
    text = f"flavors:\n  onnx:\n    onnx_version: 1.16.0\nsignature:\n  {signature}\n"
    model, warnings = parse_mlmodel(text, where="MLmodel")
    assert model and model.flavors == {"onnx": "1.16.0"} and model.signature == {}
    assert len(warnings) == 1 and "signature" in warnings[0]


@pytest.mark.parametrize(
    "text", ["flavors: 5", "flavors: [a]", "flavors: {a: 5}", "signature: x", "run_id: [1]"]
)
def test_odd_shapes_are_left_out(text: str) -> None:
    model, warnings = parse_mlmodel(text, where="MLmodel")
    assert model and not warnings
    assert set(model.flavors.values()) <= {""} and model.signature == {} and model.run_id is None


def test_nothing_in_it_is_run(tmp_path: Path) -> None:
    target = tmp_path / "ran"
    text = (
        f'run_id: !!python/object/apply:os.system ["touch {target}"]\nflavors: {{onnx: {{onnx_version: 1}}}}'
    )
    model, _ = parse_mlmodel(text, where="MLmodel")
    assert not target.exists()
    assert model and model.run_id is None and model.flavors == {"onnx": "1"}


def test_an_alias_bomb_costs_nothing() -> None:
    lines = ["a0: &a0 [x, x]", "m0: &m0 {k: v}"]
    for n in range(1, 30):
        lines.append(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]")
        lines.append(f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}, *m{n - 1}]}}")
    start = time.perf_counter()
    model, _ = parse_mlmodel("\n".join([*lines, "run_id: *a29", "flavors: {f: *a29}"]), where="MLmodel")
    assert time.perf_counter() - start < 1
    assert model and model.run_id is None and model.flavors == {"f": ""}


def test_a_file_that_can_not_be_read_gives_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "MLmodel"
    secret = tmp_path / "secret"
    secret.write_text(MLFLOW_2)

    def refused() -> str:
        model, warnings = read_mlmodel(tmp_path)
        assert model is None and len(warnings) == 1
        return warnings[0]

    os.mkfifo(path)
    assert "not a regular file" in refused()
    path.unlink()
    path.symlink_to(secret)
    assert "symbolic links" in refused()
    path.unlink()
    path.mkdir()
    assert "Is a directory" in refused()
    path.rmdir()
    path.write_bytes(b"run_id: caf\xe9")
    assert "utf-8" in refused()
    path.write_bytes(b" " * (MAX_BYTES + 1))
    assert f"over {MAX_BYTES}" in refused()
