"""Train a classifier of tumors and log it with MLflow tracking, as a team would without any registry.

The data is the breast cancer set that scikit-learn ships: 569 tumors, 30 measurements of each.
"""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

# Read when MLflow is imported: the demo reports its use to nobody.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

import mlflow
import mlflow.sklearn
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import ClassifierMixin

DATA_PAGE = "https://archive.ics.uci.edu/dataset/17/breast+cancer+wisconsin+diagnostic"


def set_up(folder: Path) -> str:
    """Make a tracking store in ``folder``, quiet MLflow, and return the tracking URI."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    mlflow.set_tracking_uri(uri)
    mlflow.create_experiment("tumors", artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment("tumors")
    return uri


def logistic_regression() -> tuple[ClassifierMixin, dict[str, object]]:
    """The first attempt: measurements as they come, in millimetres and in fractions side by side."""
    return LogisticRegression(C=0.01, max_iter=5000), {"C": 0.01, "scaled": False}


def scaled_regression() -> tuple[ClassifierMixin, dict[str, object]]:
    """The second attempt: each measurement scaled to the same spread."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0)), {"C": 1.0, "scaled": True}


def train(model: ClassifierMixin, params: dict[str, object]) -> str:
    """Fit ``model``, log it with its parameters, metrics and data set, and return the run's id."""
    data = load_breast_cancer(as_frame=True)
    train_x, test_x, train_y, test_y = train_test_split(
        data.data, data.target, test_size=0.3, random_state=2, stratify=data.target
    )
    model.fit(train_x, train_y)
    with mlflow.start_run() as run, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.log_input(
            mlflow.data.from_pandas(data.frame, source=DATA_PAGE, name="breast-cancer", targets="target"),
            context="training",
        )
        mlflow.log_params({"algorithm": "logistic regression", **params})
        mlflow.log_metrics(scores(model, test_x, test_y))
        mlflow.sklearn.log_model(
            model,
            name="model",
            signature=infer_signature(test_x, model.predict(test_x)),
            input_example=test_x.head(2),
            # Given, so that MLflow need not load the model once more to find them out.
            pip_requirements=["scikit-learn", "skops"],
        )
    return run.info.run_id


def scores(model: ClassifierMixin, inputs: pd.DataFrame, truth: pd.Series) -> dict[str, float]:
    """Results on tumors that the training has not seen, rounded to four digits."""
    chance = model.predict_proba(inputs)[:, 1]
    measured = {
        "auc": roc_auc_score(truth, chance),
        "accuracy": accuracy_score(truth, chance > 0.5),
        "log_loss": log_loss(truth, chance),
    }
    return {name: round(float(value), 4) for name, value in measured.items()}


def predict(model_uri: str) -> str:
    """Load a model by its URI, and say what it thinks of three tumors."""
    model = mlflow.sklearn.load_model(model_uri)
    data = load_breast_cancer(as_frame=True)
    sample = data.data.iloc[[0, 19, 100]]
    verdicts = [data.target_names[verdict] for verdict in model.predict(sample)]
    return ", ".join(verdicts)
