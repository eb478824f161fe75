"""Fill an MLflow store with everything that a registry may hold: ``fill_store.py URI``.

It runs in a process of its own, since MLflow looks logged models up in the store that the process is set to.
"""

from __future__ import annotations

import json
import math
import sys
import time

import mlflow
from mlflow import MlflowClient
from mlflow.entities import DatasetInput, Metric, Param, RunTag
from mlflow.entities.dataset import Dataset

CHURN = "churn"
UNICODE = "Kündigung 'B2B' é"
GONE_RUN = "0123456789abcdef0123456789abcdef"
PASSWORD = "geheim-7"
PROMPT = "greeting"


def fill(uri: str) -> dict[str, str]:
    """Models with deleted versions, stages, aliases, tags; prompts; runs of every kind; names that are odd."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    experiment = client.create_experiment("churn training", artifact_location="s3://runs")
    ids = {"run": _run(client, experiment), "trashed": _run(client, experiment)}
    client.delete_run(ids["trashed"])
    logged = client.create_logged_model(
        experiment, name="net", source_run_id=ids["run"], params={"depth": "3", "seed": "of the model"}
    )
    client.log_metric(ids["run"], "recall", 0.75, model_id=logged.model_id)
    ids["logged"] = logged.model_id
    _churn(client, ids)
    _others(client)
    if hasattr(client, "register_prompt"):
        client.register_prompt(PROMPT, "Hello {{name}}", tags={"team": "web"})
        client.register_prompt(PROMPT, "Good day {{name}}", commit_message="politer")
        client.set_prompt_alias(PROMPT, "best", 2)
    return ids


def _run(client: MlflowClient, experiment: str) -> str:
    run_id = client.create_run(experiment, run_name="one").info.run_id
    now = int(time.time() * 1000)
    values = {"auc": 0.91, "nan": math.nan, "best": math.inf, "worst": -math.inf, "loss/val": 1e-9}
    client.log_batch(
        run_id,
        metrics=[Metric(key, value, now, 0) for key, value in values.items()] + [Metric("auc", 0.93, now, 1)],
        params=[Param("depth", "8"), Param("note", "äöü = yes")],
        tags=[
            RunTag("mlflow.source.git.commit", "1a2b3c4d5e6f7081920a1b2c3d4e5f6071829304"),
            RunTag("mlflow.source.git.repoURL", f"https://ada:{PASSWORD}@git.example/churn.git"),
            RunTag("mlflow.source.name", "train.py"),
        ],
    )
    source = json.dumps({"uri": "s3://data/churn.parquet"})
    data = Dataset(name="churn data", digest="abc123", source_type="s3", source=source)
    client.log_inputs(run_id, [DatasetInput(dataset=data)])
    return run_id


def _churn(client: MlflowClient, ids: dict[str, str]) -> None:
    client.create_registered_model(
        CHURN, tags={"team": "risk", "Größe": "L"}, description="Who leaves.\n\nSoon."
    )

    def register(source: str, **given: object) -> str:
        return str(client.create_model_version(CHURN, source, await_creation_for=0, **given).version)

    register(f"runs:/{ids['run']}/model", run_id=ids["run"], description="The first.", tags={"k": "v"})
    register("s3://models/churn/2", run_id=GONE_RUN)
    register("s3://models/churn/3")
    register(
        f"runs:/{ids['trashed']}/model", run_id=ids["trashed"], run_link="https://mlflow.example/#/runs/1"
    )
    register(f"models:/{ids['logged']}", model_id=ids["logged"])
    register(f"https://ada:{PASSWORD}@store.example/churn/6")
    register("s3://models/churn/7", description="Ümläut\n\twith a tab\n")
    register("s3://models/churn/8")
    client.delete_model_version(CHURN, "3")
    client.transition_model_version_stage(CHURN, "1", "Production")
    client.transition_model_version_stage(CHURN, "4", "Production", archive_existing_versions=True)
    client.transition_model_version_stage(CHURN, "7", "Staging")
    client.transition_model_version_stage(CHURN, "8", "Staging")
    client.transition_model_version_stage(CHURN, "8", "None")
    client.set_registered_model_alias(CHURN, "champion", "4")
    client.set_registered_model_alias(CHURN, "challenger", "7")
    client.set_model_version_tag(CHURN, "7", "checked", "yes")
    client.set_model_version_tag(CHURN, "7", "empty", "")


def _others(client: MlflowClient) -> None:
    client.create_registered_model(UNICODE, description="Ein Name mit allem")
    client.create_model_version(UNICODE, "s3://models/b2b/1", await_creation_for=0)
    client.create_registered_model("empty")
    client.create_registered_model("Fraud")
    client.create_model_version("Fraud", "s3://models/fraud/1", await_creation_for=0)
    client.create_registered_model("fraud")
    client.create_model_version("fraud", "s3://models/twin/1", await_creation_for=0)
    client.create_registered_model("late gap")
    for number in range(1, 4):
        client.create_model_version("late gap", f"s3://models/late/{number}", await_creation_for=0)
    client.delete_model_version("late gap", "1")
    client.delete_model_version("late gap", "2")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(fill(sys.argv[1])))
