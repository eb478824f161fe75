"""Train a tiny model and log it twice: ``log_wine.py FOLDER SERVER``, into FOLDER/mlflow.db and to a server.

Prints "logged" and the ids of the run, the logged model and the experiment, a line for each.
"""

from __future__ import annotations

import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression


def main(folder: str, server: str) -> None:
    """Log here and there."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    artifacts = Path(folder, "artifacts").as_uri()
    log(mlflow.create_experiment("wine quality", artifact_location=artifacts))
    mlflow.set_tracking_uri(server)
    log(mlflow.create_experiment("wine served"))


def log(experiment: str) -> None:
    """Log one run with everything that a version's origin can hold."""
    wine = load_wine(as_frame=True)
    features, target = wine.data[["alcohol"]], wine.target.to_numpy()
    model = LogisticRegression(C=3).fit(features, target)
    with mlflow.start_run(experiment_id=experiment) as run:
        data = mlflow.data.from_pandas(wine.frame, source="https://example.org/wine.csv", name="wine")
        mlflow.log_input(data, context="training")
        mlflow.log_input(data, context="again")
        mlflow.log_params({"C": 3, "note": "é"})
        mlflow.log_metrics({"undefined": float("nan"), "over": float("inf"), "under": float("-inf")})
        mlflow.log_metric("accuracy", 0.8)
        mlflow.set_tag("mlflow.source.git.repoURL", "https://token:hunter2@example.org/wine.git")
        mlflow.set_tag("mlflow.source.git.commit", "0123456789abcdef0123456789abcdef01234567")
        mlflow.set_tag("mlflow.source.git.dirty", "true")
        mlflow.log_text("fine", "notes.txt")
        signature = infer_signature(features, target)
        # Without given requirements MLflow loads the model once more to find them out.
        info = mlflow.sklearn.log_model(
            model, name="model", signature=signature, pip_requirements=["scikit-learn"]
        )
        # MLflow gives a logged model what the run had at step 0; this is the run's alone.
        MlflowClient().log_metric(run.info.run_id, "accuracy", 0.9, step=2)
    print("logged", run.info.run_id, info.model_id, experiment)


if __name__ == "__main__":
    main(*sys.argv[1:])
