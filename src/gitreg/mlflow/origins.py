"""What MLflow's tracking store tells of a version that is registered through the plugin."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING, Any

from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from gitreg.artifacts.runs import told_by
from gitreg.domain.model import Origin

if TYPE_CHECKING:
    from mlflow.entities import LoggedModel, Run

_log = logging.getLogger("gitreg.mlflow")


class Tracking:
    """MLflow's tracking store, as far as a registration asks it.

    Args:
        uri: Where it is; None: what MLflow is set to. Inside MLflow's server its own store counts.
    """

    def __init__(self, uri: str | None) -> None:
        self._uri = uri
        self._client: MlflowClient | None = None

    def logged_model(self, model_id: str) -> LoggedModel:
        """A logged model of MLflow 3.

        Raises:
            MlflowException: There is none, or this MLflow has no such thing.
        """
        client = self._tracking()
        if not hasattr(client, "get_logged_model"):
            raise MlflowException(f"this MLflow has no logged models: {model_id}")
        return client.get_logged_model(model_id)

    def origin(self, source: str, run_id: str | None, logged: LoggedModel | None) -> Origin | None:
        """Params, metrics, data sets and code; None where nothing can be learnt, which is logged.

        A registration does not fail for want of them: MLflow's own store never asks.
        """
        if not run_id and logged is None:
            return None
        try:
            run: Run | None = self._tracking().get_run(run_id) if run_id else None
        except Exception as error:  # noqa: BLE001 (whatever MLflow's store raises, a version can be registered)
            _log.info("run %s is not in the tracking store: %s", run_id, error)
            run = None
        return told_by(source, run, logged, by_id=logged is not None) if run or logged else None

    def _tracking(self) -> MlflowClient:
        if self._client is None:
            self._client = MlflowClient(tracking_uri=_of_server() or self._uri)
        return self._client


def _of_server() -> str | None:
    """The store that MLflow's server serves, inside its processes; None outside of it."""
    server: Any = sys.modules.get("mlflow.server")
    name = getattr(server, "BACKEND_STORE_URI_ENV_VAR", "")
    return os.environ.get(name) if name else None
