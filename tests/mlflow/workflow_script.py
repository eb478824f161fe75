"""What a user of MLflow wrote before there was any gitreg: ``workflow_script.py REGISTRY_URI FOLDER``.

Runs and artifacts go to FOLDER, the registry is wherever the URI says. Prints what it found as one JSON document.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

MODEL = "EmailMarketingCampaign"


def main(registry: str, folder: str) -> None:
    """Log, register, stage, name and load a model."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    mlflow.set_registry_uri(registry)
    mlflow.create_experiment("campaigns", artifact_location=Path(folder, "artifacts").as_uri())
    mlflow.set_experiment("campaigns")

    first = train(0.1, registered_model_name=MODEL)
    second = train(1.0)
    registered = mlflow.register_model(f"runs:/{second}/model", MODEL, tags={"trained": "again"})

    client = MlflowClient()
    client.update_registered_model(MODEL, "Who opens our letters")
    client.update_model_version(MODEL, "1", "The first attempt")
    client.set_registered_model_tag(MODEL, "team", "growth")
    client.set_model_version_tag(MODEL, "2", "validated", "yes")
    client.transition_model_version_stage(MODEL, "1", "Production")
    client.transition_model_version_stage(MODEL, registered.version, "Staging")
    staged = client.get_latest_versions(MODEL, stages=["Staging"])
    client.transition_model_version_stage(MODEL, "2", "Production", archive_existing_versions=True)
    client.set_registered_model_alias(MODEL, "champion", "2")
    client.set_registered_model_alias(MODEL, "challenger", "1")
    client.delete_registered_model_alias(MODEL, "challenger")

    letters = sample().head(4)
    answers = {
        uri: [int(value) for value in mlflow.pyfunc.load_model(uri).predict(letters)]
        for uri in (f"models:/{MODEL}/Production", f"models:/{MODEL}@champion", f"models:/{MODEL}/1")
    }
    champion = client.get_model_version_by_alias(MODEL, "champion")
    model = client.get_registered_model(MODEL)
    found = client.search_model_versions(f"name = '{MODEL}'", order_by=["version_number ASC"])
    seen = {
        "runs": [first, second],
        "staged": [(version.version, version.current_stage) for version in staged],
        "answers": answers,
        "champion": [champion.version, champion.run_id, champion.current_stage, champion.tags],
        "model": [model.description, model.tags, model.aliases],
        "latest": sorted((version.current_stage, version.version) for version in model.latest_versions),
        "versions": [(version.version, version.current_stage, version.run_id) for version in found],
        "models": [each.name for each in client.search_registered_models("tags.team = 'growth'")],
    }
    print(json.dumps(seen))


def sample() -> pd.DataFrame:
    """Letters, and how often their readers had opened the ones before."""
    return pd.DataFrame({"opened": [0.1, 0.9, 0.2, 0.8, 0.3, 0.7], "length": [3.0, 1.0, 2.0, 1.0, 3.0, 2.0]})


def train(strength: float, **registering: str) -> str:
    """Fit a classifier in a run of its own, log it, and return the run's id."""
    letters = sample()
    answered = [0, 1, 0, 1, 0, 1]
    with mlflow.start_run() as run:
        model = LogisticRegression(C=strength * 100).fit(letters, answered)
        mlflow.log_param("C", strength)
        mlflow.log_metric("accuracy", model.score(letters, answered))
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(letters, model.predict(letters)),
            pip_requirements=["scikit-learn", "skops"],
            **registering,
        )
    return run.info.run_id


if __name__ == "__main__":
    main(*sys.argv[1:])
