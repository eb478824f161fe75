"""The reading half of the facade."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gitreg.domain.settings import NO_STAGE, Settings
from gitreg.errors import GitregError, InvalidInput, NotFound
from gitreg.gitstore.objects import Person
from gitreg.mlflow import checks, finding, grammar, pages
from gitreg.mlflow.errors import MlflowError, invalid, translated
from gitreg.mlflow.looking import Look, Maker, Model, V
from gitreg.mlflow.pool import Pool
from gitreg.mlflow.values import version_details
from gitreg.registry.clock import utc_now
from gitreg.registry.entities import ModelVersionDetails, PagedList, RegisteredModelDetails
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store

MODELS_PAGE, MODELS_MOST = 100, 1_000
VERSIONS_PAGE, VERSIONS_MOST = 10_000, 200_000


class Reads:
    """What MLflow's registry store answers without changing anything.

    Args:
        place: A folder of the registry, or a bare repository.
        at: A date or revision: what was then is answered, and nothing can be written.
        propose: Whether a transition that the rules refuse becomes a proposal.
        parse: Reads filters; None: ``grammar.parse``.
        caller: Asked at each write for who it is by; None: whom Git's configuration names.
        clock: Gives the time of writes.
    """

    def __init__(
        self,
        place: str | Path,
        *,
        at: str | None = None,
        propose: bool = False,
        parse: grammar.Parser | None = None,
        caller: Callable[[], Person | None] | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.at = at
        self.propose = propose
        self.pool = Pool(place, clock)
        self._parse = parse or grammar.parse
        self._caller = caller or _nobody

    def close(self) -> None:
        """End the processes that read objects, and close the index."""
        self.pool.close()

    @contextmanager
    def registry(self) -> Iterator[Registry]:
        """An open registry; what gitreg raises inside comes out as MLflow's error."""
        try:
            with self.pool.lend() as registry:
                yield registry
        except GitregError as error:
            raise translated(error) from error

    @contextmanager
    def look(self, commit: str = "") -> Iterator[Look]:
        """The registry at the head (or ``at``), or at a commit that a page token names."""
        with self.registry() as registry:
            yield look_at(registry, self.at, commit)

    # Registered models

    def get_registered_model(self, name: str) -> RegisteredModelDetails:
        """One model with its latest version in each stage."""
        checks.model_name(name)
        with self.look() as look:
            model = known_model(look, name)
            return look.model_details(model, look.latest([name])[name].values())

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = MODELS_PAGE,
        order_by: Sequence[str] | None = None,
        page_token: str | bytes | None = None,
    ) -> PagedList[RegisteredModelDetails]:
        """A page of models, by name unless ``order_by`` says otherwise; prompts when they are asked for."""
        if _whole(max_results) > MODELS_MOST:
            raise _too_many(MODELS_MOST, max_results)
        sought = self._sought("models", filter_string, max_results, order_by, page_token)
        with self.look(sought.page.commit) as look:
            hits, token = finding.find_models(look.part, sought)
            return PagedList(look.models_found(hits), token)

    def get_latest_versions(
        self, name: str, stages: Sequence[str] | None = None
    ) -> list[ModelVersionDetails]:
        """The highest version in each stage; without ``stages``: one for each stage that is held."""
        checks.model_name(name)
        with self.look() as look:
            model = known_model(look, name)
            held = look.latest([name])[name]
            wanted = {stage_name(stage, look.settings) for stage in stages or []} or set(held)
            return [with_aliases(each, model) for stage, each in held.items() if stage in wanted]

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersionDetails:
        """The version that an alias points to; ``latest`` is the highest."""
        checks.model_name(name)
        checks.alias_name(alias)
        with self.look() as look:
            model = known_model(look, name)
            if alias.lower() == "latest":
                held = look.latest([name])[name].values()
                if not held:
                    raise MlflowError(
                        f"Latest version not found for model {name}.", "RESOURCE_DOES_NOT_EXIST"
                    )
                return with_aliases(max(held, key=lambda each: each.version), model)
            if alias not in model.aliases:
                raise invalid(f"Registered model alias {alias} not found.")
            return known_version(look, name, model.aliases[alias])

    # Model versions

    def get_model_version(self, name: str, version: int | str) -> ModelVersionDetails:
        """One version."""
        checks.model_name(name)
        number = checks.version_number(version)
        with self.look() as look:
            return known_version(look, name, number)

    def get_model_version_download_uri(self, name: str, version: int | str) -> str:
        """Where the version's files lie."""
        checks.model_name(name)
        number = checks.version_number(version)
        with self.look() as look:
            found = known_version(look, name, number)
            return look.artifact_uri(name, number) or found.source

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = VERSIONS_PAGE,
        order_by: Sequence[str] | None = None,
        page_token: str | bytes | None = None,
    ) -> PagedList[ModelVersionDetails]:
        """A page of versions, the last updated first unless ``order_by`` says otherwise."""
        return self.page_of_versions(version_details, filter_string, max_results, order_by, page_token)

    def page_of_versions(
        self,
        made: Maker[V],
        filter_string: str | None,
        max_results: int,
        order_by: Sequence[str] | None,
        page_token: str | bytes | None,
    ) -> PagedList[V]:
        """The same page, its versions as ``made`` makes them."""
        if not isinstance(max_results, int) or max_results < 1:
            raise invalid(
                f"Invalid value for max_results. It must be a positive integer, but got {max_results}"
            )
        if max_results > VERSIONS_MOST:
            raise _too_many(VERSIONS_MOST, max_results)
        sought = self._sought("versions", filter_string, max_results, order_by, page_token)
        with self.look(sought.page.commit) as look:
            hits, token = finding.find_versions(look.part, sought)
            return PagedList(look.versions_found(hits, made), token)

    def _sought(
        self,
        kind: grammar.Kind,
        filter_string: str | None,
        max_results: int,
        order_by: Sequence[str] | None,
        page_token: str | bytes | None,
    ) -> finding.Sought:
        # Where several things are wrong, MLflow tells the first that it looks at: a comparator of versions
        # comes before the order and the page, one of models after them.
        conditions = self._parse(filter_string, kind) if filter_string else []
        if kind == "versions":
            conditions = [grammar.check(each, kind) for each in conditions]
        order, page = grammar.order(order_by or (), kind), pages.read(page_token)
        if kind == "models":
            conditions = [grammar.check(each, kind) for each in conditions]
        return finding.Sought(
            kind=kind,
            conditions=conditions,
            order=order,
            page=page,
            most=max_results,
            sign=finding.sign_of(kind, filter_string, order_by),
        )


def look_at(registry: Registry, at: str | None, commit: str = "") -> Look:
    """The registry at its head, at a date or revision, or at a commit that may not be there any more."""
    store = registry.store
    if commit:
        try:
            return Look(store, store.index.slice(commit))
        except NotFound:
            pass
    head = store.head() if at is None else _commit_for(store, at)
    part = store.index.ready(head, head=head if at is None else None) or store.index.slice(head)
    return Look(store, part)


def _commit_for(store: Store, at: str) -> str:
    try:
        return store.commit_for(at)
    except InvalidInput as error:
        error.where = "at" if error.where == "--at" else error.where  # here it is no option of a command
        raise


def known_model(look: Look, name: str) -> Model:
    """The model, or MLflow's error that there is none."""
    model = look.model(name)
    if model is None:
        raise no_model(name)
    return model


def known_version(look: Look, name: str, number: int) -> ModelVersionDetails:
    """The version, or MLflow's error that there is none."""
    found = look.version(name, number)
    if found is None:
        raise no_version(name, number)
    return found


def no_model(name: str) -> MlflowError:
    """MLflow's error about a model that is not there."""
    return MlflowError(f"Registered Model with name={name} not found", "RESOURCE_DOES_NOT_EXIST")


def no_version(name: str, version: object) -> MlflowError:
    """MLflow's error about a version that is not there."""
    return MlflowError(f"Model Version (name={name}, version={version}) not found", "RESOURCE_DOES_NOT_EXIST")


def stage_name(stage: str, settings: Settings) -> str:
    """The exact name of a stage, ``None`` included; MLflow tells stages apart by more than case."""
    names = [NO_STAGE, *(each.name for each in settings.stages)]
    for name in names:
        if name.lower() == str(stage).lower():
            return name
    raise invalid(f"Invalid Model Version stage: {stage}. Value must be one of {', '.join(names)}.")


def with_aliases(version: ModelVersionDetails, model: Model) -> ModelVersionDetails:
    """A version with the aliases that point to it."""
    aliases = model.aliases_of(version.version)
    return replace(version, aliases=aliases) if aliases else version


def _nobody() -> Person | None:
    return None


def _whole(value: object) -> int:
    if isinstance(value, int) and value >= 0:
        return value
    raise invalid(f"Invalid value for max_results. It must be a positive integer, but got {value}")


def _too_many(most: int, given: int) -> MlflowError:
    return invalid(
        f"Invalid value for request parameter max_results. It must be at most {most}, but got value {given}"
    )
