"""Which sources a client may register over HTTP: the rules of MLflow's server, as far as they are ours.

MLflow's server asks its tracking store whether a local path lies among the artifacts of the run. A
registry has no tracking store: here the path must have a folder named after the run or the logged model,
which is where MLflow puts their artifacts.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, unquote_plus, urlsplit

from gitreg.artifacts.uris import has_scheme
from gitreg.mlflow.errors import MlflowError, invalid

if TYPE_CHECKING:
    from gitreg.mlflow.facade import Facade
    from gitreg.mlflow.request import Message

PROMPT_TAG = "mlflow.prompt.is_prompt"
PROMPT_SOURCES = frozenset({"prompt-template", "dummy-source"})
"""What MLflow's client and store give as the source of a prompt."""

_RUN = re.compile(r"[0-9a-f]{32}")
_MODEL = re.compile(r"m-[0-9a-f]{32}")
_HERE = ("", ".", "localhost", "127.0.0.1")
_PROXIED = ("api", "2.0", "mlflow-artifacts", "artifacts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a version comes from."""

    uri: str
    run_id: str
    model_id: str


def checked(facade: Facade, message: Message) -> Source:
    """The source of a version to be made, with the lineage of the version that it names.

    Raises:
        MlflowError: MLflow's server would refuse it.
    """
    uri = message.get("source", "")
    source = Source(uri=uri, run_id=message.get("run_id", ""), model_id=message.get("model_id", ""))
    if dict(message.get("tags", ())).get(PROMPT_TAG, "false").lower() == "true":
        if uri not in PROMPT_SOURCES:
            raise invalid(f"Invalid prompt source: '{uri}'. Prompt sources must use an MLflow placeholder.")
        return source
    try:
        parts = urlsplit(uri)
        host = parts.hostname
    except ValueError:
        raise _relative(uri) from None
    if parts.scheme == "models":
        source = _of_version(facade, source, parts, message)
    which = "model_id" if source.model_id else "run_id"
    if not has_scheme(uri) or parts.scheme == "file":
        _check_local(source, parts.path if parts.scheme == "file" else uri, host, which)
        return source
    _check_absolute(source.uri)
    _check_owner(source, parts, which)
    return source


def _check_local(source: Source, path: str, host: str | None, which: str) -> None:
    if host and not host.startswith(_HERE[1:]):
        raise MlflowError(
            f"{source.uri} is not a valid remote uri. For remote access on windows, please consider using"
            " a different scheme such as SMB (e.g. smb://<hostname>/<path>)."
        )
    owner, pattern = (source.model_id, _MODEL) if source.model_id else (source.run_id, _RUN)
    plain = _unquoted(path)
    folders = posixpath.normpath(plain).split("/")
    if pattern.fullmatch(owner) and owner in folders and "\\" not in plain and plain.startswith("/"):
        return
    raise invalid(
        f"Invalid model version source: '{source.uri}'. To use a local path as a model version source, the"
        f" {which} request parameter has to be specified and the local path has to be contained within the"
        " artifact directory of the run specified by the " + which + "."
    )


def _check_absolute(uri: str) -> None:
    plain = _unquoted(uri, plus=True)
    try:
        path = re.sub(r"/+", "/", urlsplit(plain).path.rstrip("/"))
    except ValueError:
        raise _relative(uri) from None
    if "\0" in path or ".." in re.split(r"[/\\]", plain):
        raise _relative(uri)
    if path and (not path.startswith("/") or posixpath.normpath(path) != path):
        raise _relative(uri)
    if not path and not urlsplit(plain).netloc:
        raise _relative(uri)


def _relative(uri: str) -> MlflowError:
    return invalid(
        f"Invalid model version source: '{uri}'. If supplying a source as an http, https, local file path,"
        " ftp, objectstore, or mlflow-artifacts uri, an absolute path must be provided without relative path"
        " references present. Please provide an absolute path."
    )


def _check_owner(source: Source, parts: SplitResult, which: str) -> None:
    """Sources that MLflow's tracking server resolves must name what they belong to."""
    first = parts.path.lstrip("/").split("/")[0]
    if parts.scheme == "runs":
        if parts.netloc or source.model_id or not source.run_id or first != source.run_id:
            raise _foreign(source.uri, which)
    elif parts.scheme == "models":
        if parts.netloc or (_is_model_id(parts.path) and first != source.model_id):
            raise _foreign(source.uri, "model_id")
    elif _proxied(parts):
        owner = source.model_id or source.run_id
        if not owner or owner not in map(_unquoted, parts.path.split("/")):
            raise _foreign(source.uri, which)


def _proxied(parts: SplitResult) -> bool:
    folders = tuple(map(_unquoted, filter(None, parts.path.split("/"))))
    return parts.scheme == "mlflow-artifacts" or (
        parts.scheme in {"http", "https"}
        and any(folders[at : at + 4] == _PROXIED for at in range(len(folders) - 3))
    )


def _foreign(uri: str, which: str) -> MlflowError:
    return invalid(
        f"Invalid model version source: '{uri}'. The {which} request parameter must identify the resource"
        " that contains the source."
    )


def _unquoted(text: str, *, plus: bool = False) -> str:
    decode = unquote_plus if plus else unquote
    while (found := decode(text)) != text:
        text = found
    return text


# Versions of this registry


def _is_model_id(path: str) -> bool:
    parts = path.lstrip("/").split("/")
    return len(parts) == 1 and "@" not in parts[0]


def _of_version(facade: Facade, source: Source, parts: SplitResult, message: Message) -> Source:
    """What ``models:/NAME/12``, ``…/Stage``, ``…/latest`` or ``models:/NAME@alias`` stands for now."""
    uri = source.uri
    if parts.netloc:
        raise invalid(
            f"Invalid model version source: '{uri}'. Registered model sources must use the active model"
            " registry."
        )
    path = uri.partition(":")[2]
    pieces = path.lstrip("/").split("/")
    if not path.startswith("/") or len(pieces) > 2 or not all(piece.strip() for piece in pieces):
        raise _foreign(uri, "model_id")
    if _is_model_id(path):
        return source
    name, number = _resolved(facade, pieces)
    found = facade.get_model_version(name, number)
    told = {"run_id": source.run_id, "model_id": source.model_id}
    theirs = {"run_id": found.run_id or "", "model_id": found.model_id or ""}
    if any(key in message and told[key] != theirs[key] for key in told):
        raise invalid(
            f"Invalid model version source: '{uri}'. The run_id and model_id request parameters must match"
            " the referenced model version."
        )
    return Source(
        uri=f"models:/{name}/{found.version}", **(theirs | {k: told[k] for k in told if k in message})
    )


def _resolved(facade: Facade, pieces: list[str]) -> tuple[str, int | str]:
    if len(pieces) == 1:
        name, _, alias = pieces[0].rpartition("@")
        _refuse_prompt(facade, name)
        return name, facade.get_model_version_by_alias(name, alias).version
    name, wanted = pieces
    _refuse_prompt(facade, name)
    if wanted.isdigit():
        return name, wanted
    stages = None if wanted.lower() == "latest" else [wanted]
    found = facade.get_latest_versions(name, stages)
    if not found:
        raise MlflowError(
            f"No versions of model with name '{name}'"
            + (f" and stage '{wanted}'" if stages else "")
            + " found"
        )
    return name, max(version.version for version in found)


def _refuse_prompt(facade: Facade, name: str) -> None:
    if facade.get_registered_model(name).tags.get(PROMPT_TAG, "").lower() == "true":
        raise invalid(
            f"Invalid model version source: 'models:/{name}'. Prompt versions cannot be used as model version"
            " sources."
        )
