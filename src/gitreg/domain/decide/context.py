"""What every rule of ``decide`` looks at, and the checks that many of them share."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gitreg.domain import names, references
from gitreg.domain.edits import Lookup
from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.errors import AlreadyExists, InvalidInput, NotFound

# MLflow's limits for tags of models and versions (mlflow.utils.validation).
MAX_TAG_KEY = 250
MAX_TAG_VALUE = 100_000
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The state that a request meets; see ``decide``."""

    lookup: Lookup
    twin: Callable[[str], str | None]
    settings: Settings
    now: datetime
    used: Callable[[str, int], bool]

    def living(self, name: str) -> tuple[ModelState, RegisteredModel]:
        """The state and model called ``name``; NotFound when it is not there."""
        state = self.lookup(names.check_model_name(name))
        if state.model is None:
            near = self.twin(name)
            if near:
                raise NotFound(
                    f"there is no registered model {names.shown(name)}", hint=f'did you mean "{near}"?'
                )
        return state, references.living(state)

    def version(self, name: str, selector: references.Selector) -> tuple[ModelState, ModelVersion]:
        """The version meant by ``selector``; NotFound when there is none."""
        state, _ = self.living(name)
        return state, references.select(state, selector, self.settings)

    def free(self, name: str) -> ModelState:
        """The state under a name that a new model may take.

        Raises:
            AlreadyExists: A living model has that name, or one unlike it but for case or Unicode form.
        """
        state = self.lookup(names.check_model_name(name))
        if isinstance(state.model, RegisteredModel):
            raise AlreadyExists(
                f"the registered model {names.shown(name)} exists", hint=f"gitreg show {name}"
            )
        near = self.twin(name)
        if near is not None:
            raise AlreadyExists(
                f"{names.shown(name)} differs from the registered model {names.shown(near)} "
                "in case or Unicode form alone",
                hint=f"use {near}",
            )
        return state


def check_tags(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Return ``tags`` when keys and values are ones that the registry holds."""
    for key, value in tags.items():
        if not key.strip() or len(key) > MAX_TAG_KEY or _unprintable(key):
            raise InvalidInput(
                f"{names.shown(key)} is no tag key",
                where="tags",
                hint=f"1 to {MAX_TAG_KEY} characters, none of them a control character",
            )
        if len(value) > MAX_TAG_VALUE:
            raise InvalidInput(
                f"the value is {len(value):,} characters long, over {MAX_TAG_VALUE:,}", where=f"tags.{key}"
            )
        check_text(value, f"tags.{key}")
    return tags


def check_text(text: str, where: str) -> str:
    """Return ``text`` unless it can't be written as UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInput("the text is not UTF-8", where=where) from error
    return text


def _unprintable(text: str) -> bool:
    return bool(_UNPRINTABLE.search(text))
