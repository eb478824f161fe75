"""Where an MLflow store is: its URI made whole, shown without secrets, and its faults told in our words."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gitreg.artifacts.tracking import quiet as silent
from gitreg.artifacts.uris import has_scheme, local_path, without_secrets
from gitreg.errors import EnvironmentFailure, GitregError, InvalidInput, NotFound

_SQLITE = re.compile(r"sqlite(?:\+\w+)?:///(?P<path>[^?]+)(?P<query>\?.*)?")
_DATABASE = re.compile(r"(?:sqlite|postgresql|mysql|mssql)(?:\+\w+)?://", re.IGNORECASE)
# Set while MLflow works for us, where the user has not set them.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "120",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",  # reading a folder is what MLflow 3.13 and later refuse by default
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An MLflow store's address.

    Attributes:
        uri: What MLflow is given: relative paths are made absolute.
    """

    uri: str

    def __str__(self) -> str:
        return without_secrets(self.uri).split("?")[0]

    @property
    def database(self) -> bool:
        """Whether MLflow keeps it in tables that SQLAlchemy reaches."""
        return bool(_DATABASE.match(self.uri))

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database."""
        sqlite = _SQLITE.fullmatch(self.uri)
        return Path(sqlite["path"]) if sqlite else None

    @property
    def folder(self) -> Path | None:
        """The folder of a store that is kept in files."""
        return local_path(self.uri, cwd=Path("/")) if self.uri.startswith("file:") else None

    def scrubbed(self, text: str) -> str:
        """``text`` without anything secret that the URI holds."""
        for secret in _secrets(self.uri):
            text = text.replace(secret, "***")
        return without_secrets(text)


def place_of(uri: str, *, cwd: Path) -> Place:
    """The place that a user named.

    Raises:
        InvalidInput: The text is blank, or names gitreg's own store.
    """
    uri = uri.strip()
    if not uri:
        raise InvalidInput("the URI is blank", where="URI", hint="such as sqlite:///mlflow.db")
    if not uri.isprintable():
        raise InvalidInput("the URI holds a character that can't be seen", where="URI")
    if uri.lower().startswith("gitreg"):
        raise InvalidInput(
            "that is a gitreg registry",
            where="URI",
            hint="name MLflow's own store",
        )
    sqlite = _SQLITE.fullmatch(uri)
    if sqlite:
        scheme = uri.split(":", 1)[0]
        return Place(uri=f"{scheme}:///{cwd / sqlite['path']}{sqlite['query'] or ''}")
    if has_scheme(uri) or uri.startswith("databricks"):
        return Place(uri=uri)
    path = cwd / uri
    if path.is_file() or path.suffix in (".db", ".sqlite", ".sqlite3"):
        raise InvalidInput(
            f"{uri} is a file, and MLflow takes a path for a folder", where="URI", hint=f"sqlite:///{uri}"
        )
    return Place(uri=path.absolute().as_uri())


def check_there(place: Place) -> None:
    """Refuse a local store that is not there: MLflow would make an empty one on a mere look.

    Raises:
        NotFound: There is no such file or folder.
    """
    if place.file is not None and not place.file.is_file():
        raise NotFound(f"there is no database {place.file}", where="URI")
    if place.uri.startswith("file:") and (place.folder is None or not place.folder.is_dir()):
        raise NotFound(f"there is no folder {place}", where="URI")


def check_installed() -> None:
    """Refuse to go on without MLflow.

    Raises:
        EnvironmentFailure: It is not installed.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise EnvironmentFailure("MLflow is not installed", hint="pip install 'gitreg-models[mlflow]'")


@contextlib.contextmanager
def quiet(tracking: Place) -> Iterator[None]:
    """MLflow is silent, reports nothing to its makers and looks nowhere else than in ``tracking``."""
    # Its file store looks logged models up in whatever store the process is set to.
    given = os.environ.get("MLFLOW_TRACKING_URI")
    os.environ["MLFLOW_TRACKING_URI"] = tracking.uri
    try:
        with silent(_ENVIRONMENT):
            yield
    finally:
        os.environ.pop("MLFLOW_TRACKING_URI", None)
        if given is not None:
            os.environ["MLFLOW_TRACKING_URI"] = given


@contextlib.contextmanager
def telling(*places: Place) -> Iterator[None]:
    """Turn whatever MLflow and its drivers raise into one sentence without secrets.

    Raises:
        EnvironmentFailure: The store failed; ours pass as they are.
    """
    try:
        yield
    except GitregError:
        raise
    except Exception as error:  # noqa: BLE001 - MLflow passes on whatever its drivers and plug-ins raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        text = lines[0][:400]
        for place in places:
            text = place.scrubbed(text)
        raise EnvironmentFailure(f"MLflow's store can't be used: {text}", where=str(places[0])) from None


def _secrets(uri: str) -> list[str]:
    try:
        parts = urlsplit(uri)
        password = parts.password
    except ValueError:
        return []
    # A database's password may stand in the query, too.
    found = [value for _, _, value in (one.partition("=") for one in parts.query.split("&"))]
    found += [password, unquote(password)] if password else []
    return sorted((one for one in dict.fromkeys(found) if len(one) > 2), key=len, reverse=True)
