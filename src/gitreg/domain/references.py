"""Model URIs, MLflow's grammar: ``models:/NAME/12``, ``/Production``, ``/latest`` and ``@alias``.

On the command line and in the API the prefix ``models:/`` may be left out, and ``NAME`` alone is the
model. Source of the grammar: MLflow's "Concepts in the Model Registry", *models URI*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gitreg.domain import names
from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel, VersionTombstone
from gitreg.domain.settings import NO_STAGE, Settings, did_you_mean
from gitreg.errors import InvalidInput, NotFound

PREFIX = "models:/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which version of a model is meant: by number, stage, alias, or the newest."""

    kind: Literal["version", "stage", "alias", "latest"]
    version: int = 0
    text: str = ""

    def __str__(self) -> str:
        if self.kind == "version":
            return f"/{self.version}"
        return f"@{self.text}" if self.kind == "alias" else f"/{self.text or 'latest'}"


LATEST = Selector(kind="latest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A model, or one version of it."""

    name: str
    selector: Selector | None = None

    def __str__(self) -> str:
        return f"{self.name}{self.selector or ''}"


def version_selector(version: int) -> Selector:
    """The selector for one version number."""
    return Selector(kind="version", version=version)


def parse_selector(text: str) -> Selector:
    """``12``, ``v12``, ``latest`` or a stage's name, as they stand behind the slash.

    Raises:
        InvalidInput: It is none of these.
    """
    if text.casefold() == "latest":
        return LATEST
    if text[:1] in "vV" and text[1:].isascii() and text[1:].isdigit():
        return version_selector(names.parse_version(text[1:]))
    if not text[:1].isalpha():
        return version_selector(names.parse_version(text))
    if text.casefold() != NO_STAGE.casefold():
        names.check_stage_name(text)
    return Selector(kind="stage", text=text)


def parse_reference(text: str, *, exists: Callable[[str], bool] = lambda name: False) -> Reference:
    """Read a model URI, with or without its prefix.

    Args:
        text: Such as ``models:/churn/12``, ``churn/Production``, ``churn@champion``, ``churn``.
        exists: Whether a model of that name is there. Only asked for names that hold an ``@``,
            which could be an alias as well; the model wins.

    Raises:
        InvalidInput: The text follows no form of the grammar.
    """
    rest = text.removeprefix(PREFIX)
    if "/" in rest:
        name, _, suffix = rest.partition("/")
        if "/" in suffix or not suffix:
            raise InvalidInput(
                f"{names.shown(text)} is no model URI",
                hint="NAME/VERSION, NAME/STAGE, NAME/latest or NAME@ALIAS",
            )
        return Reference(name=names.check_model_name(name), selector=parse_selector(suffix))
    name, at, alias = rest.rpartition("@")
    if at and name.strip() and not (names.is_model_name(rest) and exists(rest)):
        try:
            names.check_alias(alias)
        except InvalidInput:
            # a@{1} can only be a model's name; a@v3 and a@latest can only be meant as aliases
            if alias.replace("-", "").isalnum():
                raise
        else:
            return Reference(name=names.check_model_name(name), selector=Selector(kind="alias", text=alias))
    return Reference(name=names.check_model_name(rest))


def select(state: ModelState, selector: Selector, settings: Settings) -> ModelVersion:
    """The version of ``state`` that ``selector`` means.

    Raises:
        NotFound: There is no such model, version or alias, or nothing holds the stage.
    """
    model = living(state)
    if selector.kind == "version":
        return _by_number(state, selector.version)
    if selector.kind == "alias":
        number = next((v for a, v in model.aliases.items() if a == selector.text), None)
        if number is None:
            raise NotFound(
                f"{state.name} has no alias {names.shown(selector.text)}",
                hint=did_you_mean(selector.text, list(model.aliases)) or f"gitreg show {state.name}",
            )
        return _by_number(state, number)
    found = in_stage(state, selector.text, settings) if selector.kind == "stage" else newest(state)
    if found is None:
        what = f"in stage {selector.text}" if selector.kind == "stage" else "registered"
        raise NotFound(f"no version of {state.name} is {what}", hint=f"gitreg list {state.name}")
    return found


def living(state: ModelState) -> RegisteredModel:
    """The registered model of ``state``.

    Raises:
        NotFound: It never was, or it is deleted or renamed; the hint says where it went.
    """
    model = state.model
    if isinstance(model, RegisteredModel):
        return model
    shown = names.shown(state.name)
    if model is None:
        raise NotFound(f"there is no registered model {shown}", hint="gitreg list")
    if model.renamed_to:
        raise NotFound(
            f"the registered model {shown} is now called {names.shown(model.renamed_to)}",
            hint=f"use {model.renamed_to}",
        )
    raise NotFound(f"the registered model {shown} is deleted", hint=f"gitreg restore {state.name}")


def newest(state: ModelState) -> ModelVersion | None:
    """The highest version that is not deleted."""
    return next(state.newest_first(), None)


def in_stage(state: ModelState, stage: str, settings: Settings) -> ModelVersion | None:
    """The highest version that holds ``stage``; ``None``: the highest that holds no stage."""
    if stage.casefold() == NO_STAGE.casefold():
        return next((v for v in state.newest_first() if not v.stages), None)
    return next(state.holders(settings.stage(stage).name), None)


def _by_number(state: ModelState, number: int) -> ModelVersion:
    found = state.versions.get(number)
    if isinstance(found, ModelVersion):
        return found
    if isinstance(found, VersionTombstone):
        raise NotFound(f"{state.name}/{number} is deleted", hint=f"gitreg restore {state.name}/{number}")
    raise NotFound(f"there is no version {number} of {state.name}", hint=f"gitreg list {state.name}")
