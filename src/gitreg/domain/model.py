"""Registered models and model versions, as values.

Field names are those of the manifests. Times are aware ``datetime`` values in UTC; metrics are
floats (``nan`` and infinities stand for MLflow's own, and no gate passes them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

READY = "READY"
STATUSES = ("READY", "PENDING_REGISTRATION", "FAILED_REGISTRATION")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """A data set that a version was trained or evaluated on."""

    name: str
    uri: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The code that a version came from; ``dirty`` says that it had uncommitted changes."""

    repository: str | None = None
    commit: str | None = None
    path: str | None = None
    dirty: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """What was registered, as bytes.

    Attributes:
        uri: Where the bytes lie, when it is not the version's source.
        digest: ``sha256:`` and 64 hex digits, over the list of files (see ``artifacts.folder``).
        size: Bytes of all files together.
        files: Path inside the artifact → digest of the file.
        flavors: MLflow flavor → its version (``{"sklearn": "1.5.2"}``).
        signature: MLflow's signature: ``inputs``, ``outputs``, ``params``, each a list of columns.
    """

    uri: str | None = None
    digest: str | None = None
    size: int | None = None
    files: Mapping[str, str] = field(default_factory=dict)
    flavors: Mapping[str, str] = field(default_factory=dict)
    signature: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Results that came after registration; append-only."""

    name: str
    at: datetime
    run_id: str | None = None
    dataset: Dataset | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """That something was deprecated or deleted: when, and why (``""``: no reason was given)."""

    at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a version came from: the part of its manifest that never changes after registration."""

    source: str
    run_id: str | None = None
    run_link: str | None = None
    experiment: str | None = None
    model_id: str | None = None
    code: Code | None = None
    datasets: tuple[Dataset, ...] = ()
    parents: tuple[str, ...] = ()
    artifact: Artifact | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion:
    """One version of a registered model.

    ``name`` is the model's: it stands in no version manifest, so that a rename touches none.
    ``extra`` holds the free ``x-`` keys. ``stages`` maps each stage held to the time since which.
    """

    name: str
    version: int
    created: datetime
    updated: datetime
    origin: Origin
    evaluations: tuple[Evaluation, ...] = ()
    stages: Mapping[str, datetime] = field(default_factory=dict)
    status: str = READY
    status_message: str = ""
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    deprecated: Mark | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The URI that was registered."""
        return self.origin.source

    @property
    def run_id(self) -> str | None:
        """The run that made it, where one is known."""
        return self.origin.run_id

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metrics at registration; later results are in ``evaluations``."""
        return self.origin.metrics

    @property
    def params(self) -> Mapping[str, str]:
        """Training parameters."""
        return self.origin.params


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionTombstone:
    """What a deleted version leaves: its number, which is never used again."""

    name: str
    version: int
    deleted: Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """A registered model; its versions are files of their own.

    Attributes:
        aliases: Alias → version number.
        owners: Persons or teams, as free text.
        last_version: Highest number ever used under this name before it was created again, else 0.
    """

    name: str
    created: datetime
    updated: datetime
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, int] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    last_version: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTombstone:
    """What a deleted or renamed model leaves: exactly one of ``deleted`` and ``renamed_to`` is set."""

    name: str
    last_version: int
    deleted: Mark | None = None
    renamed_to: str | None = None


AnyModel = RegisteredModel | ModelTombstone
AnyVersion = ModelVersion | VersionTombstone


class Versions(Mapping[int, AnyVersion]):
    """The versions of a model, each read when it is looked at.

    Args:
        numbers: Every version number in the folder; iterating costs nothing.
        load: Reads and decodes one version; called at most once for each.
        mentions: Numbers of the versions whose text may name a stage: a cheap sieve that lets
            ``holders`` read few files where a model has thousands. It may say too many, never too few.
    """

    __slots__ = ("_known", "_load", "_mentions", "_numbers")

    def __init__(
        self,
        numbers: Iterable[int],
        load: Callable[[int], AnyVersion],
        mentions: Callable[[str], Iterable[int]] | None = None,
    ) -> None:
        self._numbers = dict.fromkeys(numbers)
        self._load = load
        self._known: dict[int, AnyVersion] = {}
        self._mentions = mentions

    def __getitem__(self, number: int) -> AnyVersion:
        known = self._known.get(number)
        if known is None:
            if number not in self._numbers:
                raise KeyError(number)
            known = self._known[number] = self._load(number)
        return known

    def __iter__(self) -> Iterator[int]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __contains__(self, number: object) -> bool:
        return number in self._numbers

    def mentioning(self, word: str) -> Iterable[int]:
        """Numbers of the versions that may hold the stage ``word``."""
        return {*self._mentions(word), *self._known} if self._mentions else self._numbers

    def descending(self) -> Iterator[AnyVersion]:
        """All versions, highest number first."""
        return (self[number] for number in sorted(self, reverse=True))

    @property
    def highest(self) -> int:
        """The highest number, 0 where there is none."""
        return max(self._numbers, default=0)

    def put(self, number: int, version: AnyVersion) -> None:
        """Lay one version over the rest, in place: only for the owner of a copy (``replaced``)."""
        self._numbers[number] = None
        self._known[number] = version

    def replaced(self, changed: Mapping[int, AnyVersion]) -> Versions:
        """These versions with ``changed`` laid over them, at the cost of what is laid over them alone."""
        return _Laid(self, changed)


class _Laid(Versions):
    """Some versions laid over those of a model that may have thousands: nothing here looks at them all."""

    __slots__ = ("_highest", "_holding", "_new", "_over", "_under")

    def __init__(self, under: Versions, changed: Mapping[int, AnyVersion]) -> None:
        self._under = under
        self._over: dict[int, AnyVersion] = {}
        self._new: dict[int, None] = {}  # the numbers that are not below
        self._holding: dict[str, dict[int, None]] = {}  # what a text would mention → numbers
        self._highest: int | None = None
        for number, version in changed.items():
            self.put(number, version)

    def __getitem__(self, number: int) -> AnyVersion:
        found = self._over.get(number)
        return self._under[number] if found is None else found

    def __iter__(self) -> Iterator[int]:
        yield from self._under
        yield from self._new

    def __len__(self) -> int:
        return len(self._under) + len(self._new)

    def __contains__(self, number: object) -> bool:
        return number in self._over or number in self._under

    @property
    def highest(self) -> int:
        if self._highest is None:
            self._highest = max(self._under.highest, max(self._new, default=0))
        return self._highest

    def mentioning(self, word: str) -> Iterable[int]:
        below = (number for number in self._under.mentioning(word) if number not in self._over)
        return {*below, *self._holding.get(word, ())}

    def put(self, number: int, version: AnyVersion) -> None:
        old = self._over.get(number)
        if old is not None:
            for word in _mentioned(old):
                self._holding[word].pop(number, None)
        elif number not in self._under:
            self._new[number] = None
            self._highest = max(self.highest, number)
        self._over[number] = version
        for word in _mentioned(version):
            self._holding.setdefault(word, {})[number] = None

    def replaced(self, changed: Mapping[int, AnyVersion]) -> Versions:
        found = _Laid(self._under, {})
        found._over = dict(self._over)
        found._new = dict(self._new)
        found._holding = {word: dict(numbers) for word, numbers in self._holding.items()}
        found._highest = self._highest
        for number, version in changed.items():
            found.put(number, version)
        return found


def _mentioned(version: AnyVersion) -> Iterable[str]:
    return version.stages if isinstance(version, ModelVersion) else ("deleted",)


def versions_of(known: Mapping[int, AnyVersion]) -> Versions:
    """``Versions`` over values that are in memory."""
    return Versions(known, known.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelState:
    """One model's folder at one commit.

    Attributes:
        name: The model's name, from its folder.
        model: What ``model.yaml`` holds; None where the folder has none.
        versions: Number → what the file holds, read when looked at.
    """

    name: str
    model: AnyModel | None = None
    versions: Versions = field(default_factory=lambda: versions_of({}))

    @property
    def last_version(self) -> int:
        """Highest number ever used under this name."""
        return max(self.versions.highest, self.model.last_version if self.model else 0)

    def live(self, number: int) -> ModelVersion | None:
        """Version ``number`` unless it never was or is deleted."""
        found = self.versions.get(number)
        return found if isinstance(found, ModelVersion) else None

    def newest_first(self) -> Iterator[ModelVersion]:
        """The versions that are not deleted, highest number first."""
        return (found for found in self.versions.descending() if isinstance(found, ModelVersion))

    def holders(self, stage: str) -> Iterator[ModelVersion]:
        """The versions that hold ``stage`` (its exact name), highest number first."""
        for number in sorted(self.versions.mentioning(stage), reverse=True):
            found = self.live(number)
            if found and stage in found.stages:
                yield found
