"""What MLflow checks before it looks at the registry, with its words (source: its validation's answers)."""

from __future__ import annotations

import json
import posixpath
import re
from typing import Any

from gitreg.artifacts.uris import without_secrets
from gitreg.domain.names import is_utf8, shown
from gitreg.mlflow.errors import invalid
from gitreg.mlflow.values import STAGES_TAG

MAX_TAG_KEY = 250
MAX_TAG_VALUE = 100_000
MAX_ALIAS = 255
PROMPT_TEXT = "mlflow.prompt.text"

_TAG_KEY = re.compile(r"^[/\w.\- :]*$")
_ALIAS = re.compile(r"^[\w\-]*$")
_VERSION_LIKE = re.compile(r"^[vV]\d+$")


def missing(parameter: str) -> str:
    """MLflow's sentence about a parameter that is not there."""
    return f"Missing value for required parameter '{parameter}'."


def model_name(name: object) -> str:
    """Return ``name`` when MLflow takes it for a model's.

    Raises:
        MlflowError: INVALID_PARAMETER_VALUE.
    """
    if name is None or not str(name).strip():
        raise invalid(missing("name"))
    text = str(name)
    if not is_utf8(text):
        raise invalid(f"Invalid model name {text!a}. It is not UTF-8.")
    if "/" in text or ":" in text:
        raise invalid(f"Invalid model name '{text}'. Names cannot contain '/' or ':'.")
    if _resolves_elsewhere(text):
        raise invalid(_invalid_value("name", text, _path_message(text)))
    return text


def new_name(name: object) -> str:
    """Return ``name`` when a model can be renamed to it; errors as of ``model_name``."""
    if name is None or not str(name).strip():
        raise invalid(missing("new_name"))
    return model_name(name)


def version_number(version: Any) -> int:
    """The number of a version, as MLflow reads it: anything that Python's ``int`` takes."""
    try:
        return int(version)
    except (TypeError, ValueError, OverflowError):
        raise invalid(f"Parameter 'version' must be an integer, got '{version}'.") from None


def tag_key(key: object) -> str:
    """Return ``key`` when a tag can have it."""
    if key is None:
        raise invalid(missing("key"))
    text = str(key)
    if not _TAG_KEY.match(text):
        raise invalid(
            _invalid_value(
                "key",
                text,
                "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.),"
                " spaces ( ), colon(:) and slashes (/).",
            )
        )
    if _resolves_elsewhere(text):
        raise invalid(_invalid_value("key", text, _path_message(text)))
    return text


def model_tag(key: object, value: object) -> tuple[str, str]:
    """A model's tag that can be set."""
    text = tag_key(key)
    _limit("key", MAX_TAG_KEY, text)
    found = "" if value is None else str(value)
    _limit("value", MAX_TAG_VALUE, found)
    return _writable(text), found


def version_tag(key: object, value: object) -> tuple[str, str]:
    """A version's tag that can be set."""
    text = tag_key(key)
    if value is None:
        raise invalid("Tag value cannot be None")
    _limit("key", MAX_TAG_KEY, text)
    found = str(value)
    if text == PROMPT_TEXT and len(found) > MAX_TAG_VALUE:
        raise invalid(f"Prompt text exceeds max length of {MAX_TAG_VALUE} characters.")
    _limit("value", MAX_TAG_VALUE, found)
    return _writable(text), found


def no_password(uri: str | None, what: str) -> None:
    """Refuse a URI with a password in it: a commit keeps it for good."""
    if uri and without_secrets(uri) != uri:
        raise invalid(
            f"The {what} {shown(without_secrets(uri))} carried a user name or password; "
            "a registry is no place for one."
        )


def alias_name(alias: object) -> str:
    """Return ``alias`` when MLflow takes it for one."""
    if alias is None or alias == "":
        raise invalid("Registered model alias name cannot be empty.")
    text = str(alias)
    if not _ALIAS.match(text):
        raise invalid(
            f"Invalid alias name: '{text}'. Names may only contain alphanumerics, underscores (_), "
            "and dashes (-)."
        )
    _limit("Registered model alias name", MAX_ALIAS, text)
    return text


def free_alias(alias: object) -> str:
    """Return ``alias`` when it can be set."""
    text = alias_name(alias)
    if text.lower() == "latest":
        raise invalid("'latest' alias name (case insensitive) is reserved.")
    if _VERSION_LIKE.match(text):
        raise invalid(f"Version alias name '{text}' is reserved.")
    return text


def _writable(key: str) -> str:
    if key == STAGES_TAG:
        raise invalid(f"The tag '{STAGES_TAG}' is read-only: it tells the stages that a version holds.")
    return key


def _limit(what: str, most: int, value: str) -> None:
    if len(value) > most:
        raise invalid(f"'{what}' exceeds the maximum length of {most} characters")


def _resolves_elsewhere(name: str) -> bool:
    norm = posixpath.normpath(name)
    return norm != name or norm == "." or norm.startswith(("..", "/"))


def _path_message(name: str) -> str:
    return (
        "Names may be treated as files in certain cases, and must not resolve to other names"
        f" when treated as such. This name would resolve to {posixpath.normpath(name)!r}"
    )


def _invalid_value(parameter: str, value: str, message: str) -> str:
    shown = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return f"Invalid value {shown} for parameter '{parameter}' supplied: {message}"
