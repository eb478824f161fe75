"""Which MLflow tracking store is configured, and a client for it that creates and migrates nothing.

MLflow's own defaults make ``./mlflow.db`` or ``./mlruns`` on a mere look, bring an old database's
schema up to date without asking, retry a dead server for minutes and report their use to their
makers. Looking a run up must do none of that.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import logging
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.artifacts.uris import has_scheme, local_path, without_secrets

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

TIMEOUT_SECONDS = 10

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]+)(?P<query>\?.*)?")
_DATABASE = re.compile(r"(?:postgresql|mysql|mssql)(?:\+\w+)?://")
# Set for the time of a look-up, where the user has not set them.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": str(TIMEOUT_SECONDS),
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",  # reading ./mlruns is what MLflow 3.13 and later refuse by default
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingStore:
    """A tracking store. ``uri`` is MLflow's tracking URI, with relative paths made absolute."""

    uri: str

    @property
    def web_address(self) -> str | None:
        """Where its pages are, without credentials; None unless it is a tracking server."""
        if not self.uri.lower().startswith(("http://", "https://")):
            return None
        return without_secrets(self.uri).split("?")[0].split("#")[0].rstrip("/")


class CannotLook(Exception):
    """A store can't be opened without harm or at all; the text says why and what to do."""


def configured_store(*, env: Mapping[str, str], cwd: Path) -> TrackingStore | None:
    """The tracking store that MLflow itself would use here, when it really exists.

    In MLflow's order: set in this process, ``MLFLOW_TRACKING_URI``, experiments under ``./mlruns``,
    ``./mlflow.db``. MLflow is not imported for it.
    """
    uri = _uri_of_this_process() or env.get("MLFLOW_TRACKING_URI", "").strip()
    if uri:
        return TrackingStore(uri=_absolute(uri, cwd))
    folder, database = cwd / "mlruns", cwd / "mlflow.db"
    if any(folder.glob("*/meta.yaml")):
        return TrackingStore(uri=folder.absolute().as_uri())
    return TrackingStore(uri=f"sqlite:///{database.absolute()}") if database.is_file() else None


def _uri_of_this_process() -> str:
    mlflow = sys.modules.get("mlflow")
    if mlflow is None or not hasattr(mlflow, "get_tracking_uri"):
        return ""
    return str(mlflow.get_tracking_uri()) if mlflow.tracking.is_tracking_uri_set() else ""


def _absolute(uri: str, cwd: Path) -> str:
    sqlite = _SQLITE.fullmatch(uri)
    if sqlite:
        return f"sqlite:///{cwd / sqlite['path']}{sqlite['query'] or ''}"
    if has_scheme(uri) or uri.startswith("databricks"):
        return uri
    return (cwd / uri).absolute().as_uri()


@contextlib.contextmanager
def open_store(store: TrackingStore) -> Iterator[MlflowClient]:
    """Lend a client for ``store``; MLflow is silent, impatient and reports nothing meanwhile.

    Raises:
        CannotLook: MLflow is not installed, the store does not exist, or looking would change it.
    """
    _check_exists(store)
    if importlib.util.find_spec("mlflow") is None:
        raise CannotLook("MLflow is not installed; install it: pip install 'gitreg-models[mlflow]'")
    with quiet(_ENVIRONMENT):
        from mlflow.tracking import MlflowClient

        if _SQLITE.match(store.uri) or _DATABASE.match(store.uri):
            _check_schema(store.uri)
        yield MlflowClient(tracking_uri=store.uri)


def _check_exists(store: TrackingStore) -> None:
    sqlite = _SQLITE.fullmatch(store.uri)
    if sqlite:
        if not Path(sqlite["path"]).is_file():
            raise CannotLook(f"there is no database {sqlite['path']}; correct MLFLOW_TRACKING_URI")
    elif store.uri.startswith("file:"):
        folder = local_path(store.uri, cwd=Path("/"))
        if folder is None or not folder.is_dir():
            raise CannotLook(f"there is no folder {store.uri}; correct MLFLOW_TRACKING_URI")
        if not (folder / ".trash").is_dir():
            # MLflow would create it; Git and some copying programs leave empty folders out.
            raise CannotLook(f"{folder} lacks the folder that MLflow keeps there: mkdir {folder / '.trash'}")


@functools.cache
def _newest_schema() -> str | None:
    import mlflow
    from alembic.script import ScriptDirectory

    migrations = Path(next(iter(mlflow.__path__))) / "store" / "db_migrations"
    return ScriptDirectory(str(migrations)).get_current_head()


def _check_schema(uri: str) -> None:
    from alembic.migration import MigrationContext
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    patience = {"connect_timeout": TIMEOUT_SECONDS} if uri.startswith(("postgresql", "mysql")) else {}
    engine = create_engine(uri, poolclass=NullPool, connect_args=patience)
    with engine.connect() as connection:
        found = MigrationContext.configure(connection).get_current_revision()
    if found != _newest_schema():
        raise CannotLook(
            f"the tracking database has schema {found or 'none'}, the installed MLflow wants "
            f"{_newest_schema()} and would migrate it: use the MLflow that made it, or make a backup and run "
            "mlflow db upgrade"
        )


@contextlib.contextmanager
def quiet(environment: Mapping[str, str]) -> Iterator[None]:
    """MLflow says nothing meanwhile, and finds ``environment`` where the user has not set it."""
    added = {key: value for key, value in environment.items() if key not in os.environ}
    os.environ.update(added)
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        for key in added:
            os.environ.pop(key, None)
