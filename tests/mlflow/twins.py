"""MLflow's own SQL store beside gitreg's, on one clock: the same calls on both, and what each answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
from mlflow.exceptions import MlflowException
from sqlalchemy import text

START = 1_760_000_000_000
Call = tuple[str, dict[str, Any]]

OTHER_WORDS: list[tuple[str, str]] = [
    # MLflow tells the database's own error behind its sentence.
    (r"^(Registered Model \(name=.*\) already exists\.) Error: .*", r"\1"),
    # Sets in messages have no order.
    (r"Valid keys are '\{.*\}'", "Valid keys are ..."),
    (r"Only the '\{.*\}' attributes", "Only the ... attributes"),
]
"""Where messages differ for a reason: pattern → what is compared."""


@dataclass(frozen=True)
class Failed:
    """An ``MlflowException``."""

    code: str
    message: str


class Clock:
    """One for both stores; a call moves it on, so that all that happens in it has one time."""

    def __init__(self) -> None:
        self.now = START

    def millis(self) -> int:
        return self.now

    def utc(self) -> datetime:
        return datetime.fromtimestamp(self.now / 1000, UTC)


class Twins:
    """Both stores.

    Args:
        oracle: MLflow's SQL store.
        ours: gitreg's.
        clock: The clock of both.
    """

    def __init__(self, oracle: Any, ours: Any, clock: Clock) -> None:
        self.oracle, self.ours, self.clock = oracle, ours, clock
        self.shadow = Shadow(oracle)

    def ask(self, method: str, arguments: dict[str, Any]) -> tuple[Any, Any]:
        """What MLflow's store answers, and what gitreg's does."""
        self.clock.now += 1
        before = self.shadow.look()
        if method == "rename_registered_model" and self._was_used(arguments["new_name"], before):
            return None, None  # gitreg refuses it
        if method == "copy_model_version":
            asked = {"name": arguments["dst_name"]}
            if self._was_used(asked["name"], before):
                return None, None  # it would begin at another number: see the shadow
            calls = [self._copy(store) for store in (self.oracle, self.ours)]
        else:
            asked = arguments
            calls = [getattr(store, method) for store in (self.oracle, self.ours)]
        theirs = answer(calls[0], arguments)
        self.shadow.follow(method, asked, before, self.clock.now, failed=isinstance(theirs, Failed))
        if not isinstance(theirs, Failed) and method in TIMED:
            theirs = self._again(theirs)
        return theirs, answer(calls[1], arguments)

    def _was_used(self, name: Any, before: dict[str, Any]) -> bool:
        """Whether a model that is gone had versions under this name."""
        return name not in before["models"] and name in self.shadow.highest

    @staticmethod
    def _copy(store: Any) -> Callable[..., Any]:
        def copy(name: str, version: Any, dst_name: str) -> Any:
            return store.copy_model_version(store.get_model_version(name, version), dst_name)

        return copy

    def _again(self, answered: Any) -> Any:
        # The answer of a write, with the times that the shadow has put right.
        if "version" in answered:
            return answer(
                self.oracle.get_model_version, {"name": answered["name"], "version": answered["version"]}
            )
        return answer(self.oracle.get_registered_model, {"name": answered["name"]})


TIMED = frozenset(
    {
        "update_registered_model",
        "rename_registered_model",
        "update_model_version",
        "transition_model_version_stage",
        "create_model_version",
    }
)


class Shadow:
    """What gitreg does otherwise on purpose, done to the oracle's tables (see docs/mlflow-compatibility.md).

    So everything else stays comparable: orders and pages, too.
    """

    def __init__(self, oracle: Any) -> None:
        self.engine = oracle.engine
        self.own: dict[str, int] = {}  # model → its own last update
        self.held: dict[tuple[str, int], int] = {}  # version in a stage → since when
        self.highest: dict[str, int] = {}  # name → the highest number ever given under it

    def look(self) -> dict[str, Any]:
        """What the tables hold."""
        with self.engine.connect() as db:
            models = db.execute(text("SELECT name, description FROM registered_models")).all()
            versions = db.execute(
                text(
                    "SELECT name, version, current_stage, description, last_updated_time FROM model_versions"
                )
            ).all()
        return {
            "models": {row.name: row.description or None for row in models},
            "versions": {
                (row.name, row.version): (row.current_stage, row.description or None, row.last_updated_time)
                for row in versions
                if row.current_stage != "Deleted_Internal"
            },
        }

    def follow(
        self, method: str, asked: dict[str, Any], before: dict[str, Any], now: int, *, failed: bool
    ) -> None:
        """Put the tables right after a call.

        Args:
            method: What was called.
            asked: Its arguments.
            before: What ``look`` saw before it.
            now: Its time.
            failed: Whether it failed.
        """
        if failed or not method.startswith(("create", "copy", "update", "rename", "delete", "transition")):
            return
        after = self.look()
        name = asked["name"]
        with self.engine.begin() as db:
            if method == "create_registered_model" or name not in before["models"]:
                self.own[name] = now
                if last := self.highest.get(name):
                    self._bury(db, name, last)
            elif method == "rename_registered_model":
                self._renamed(db, name, asked["new_name"], before, now)
            elif method == "update_registered_model" and before["models"] != after["models"]:
                self.own[name] = now
            self._versions(db, before, after, now)
            self._models(db, after)

    def _bury(self, db: Any, name: str, last: int) -> None:
        db.execute(
            text(
                "INSERT INTO model_versions (name, version, current_stage, creation_time, last_updated_time, status) "
                "VALUES (:name, :version, 'Deleted_Internal', 0, 0, 'READY')"
            ),
            {"name": name, "version": last},
        )

    def _renamed(self, db: Any, old: str, new: str, before: dict[str, Any], now: int) -> None:
        if old == new:
            return
        self.own[new] = now
        for (name, number), (_, _, updated) in before["versions"].items():
            if name == old:
                db.execute(
                    text("UPDATE model_versions SET last_updated_time = :t WHERE name = :n AND version = :v"),
                    {"t": updated, "n": new, "v": number},
                )
        for (name, number), since in list(self.held.items()):
            if name == old:
                self.held[new, number] = since
                del self.held[name, number]
        self.highest[new] = max(self.highest.get(new, 0), self.highest.get(old, 0))

    def _versions(self, db: Any, before: dict[str, Any], after: dict[str, Any], now: int) -> None:
        for (name, number), (stage, description, updated) in after["versions"].items():
            self.highest[name] = max(self.highest.get(name, 0), number)
            was = before["versions"].get((name, number))
            if was is not None and was[:2] == (stage, description) and was[2] != updated:
                db.execute(
                    text("UPDATE model_versions SET last_updated_time = :t WHERE name = :n AND version = :v"),
                    {"t": was[2], "n": name, "v": number},
                )
            if stage == "None":
                self.held.pop((name, number), None)
            elif was is None or was[0] != stage:
                self.held.setdefault((name, number), now)
                if was is not None:
                    self.held[name, number] = now
        for key in [key for key in self.held if key not in after["versions"]]:
            del self.held[key]

    def _models(self, db: Any, after: dict[str, Any]) -> None:
        created = {
            row.name: row.creation_time
            for row in db.execute(
                text(
                    "SELECT name, creation_time FROM model_versions WHERE current_stage != 'Deleted_Internal' "
                    "ORDER BY version"
                )
            )
        }
        for name in after["models"]:
            times = [self.own[name], created.get(name, 0)]
            times += [since for (model, _), since in self.held.items() if model == name]
            db.execute(
                text("UPDATE registered_models SET last_updated_time = :t WHERE name = :n"),
                {"t": max(times), "n": name},
            )


def answer(call: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """What a call answers, as plain values; an ``MlflowException`` as ``Failed``."""
    try:
        return plain(call(**arguments))
    except MlflowException as error:
        message = error.message
        for pattern, words in OTHER_WORDS:
            message = re.sub(pattern, words, message, flags=re.DOTALL)
        return Failed(error.error_code, message)


def plain(value: Any) -> Any:
    """Entities as dictionaries: empty texts are None, and what has no order is sorted."""
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "current_stage"):
        return {
            **{
                key: getattr(value, key) or None
                for key in ("description", "run_id", "run_link", "source", "status_message")
            },
            **{
                key: getattr(value, key)
                for key in ("name", "creation_timestamp", "last_updated_timestamp", "status", "current_stage")
            },
            "version": int(value.version),
            "tags": dict(value.tags),
            "aliases": sorted(value.aliases),
        }
    if hasattr(value, "latest_versions"):
        return {
            **{key: getattr(value, key) for key in ("name", "creation_timestamp", "last_updated_timestamp")},
            "description": value.description or None,
            "tags": dict(value._tags),
            "aliases": {alias: int(number) for alias, number in value.aliases.items()},
            "latest": sorted(
                (plain(each) for each in value.latest_versions), key=lambda each: each["version"]
            ),
        }
    return value


def open_twins(folder: Path, clock: Clock, empty_database: Path) -> Twins:
    """Both stores, empty, in ``folder``; the clock of MLflow's is patched by the caller.

    Runs are sought in ``tracking.db`` beside the empty database: there are none.
    """
    import os
    import shutil

    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    from gitreg.domain.settings import Settings
    from gitreg.mlflow import plugin
    from gitreg.mlflow.facade import Facade
    from gitreg.registry.create import create

    shutil.copyfile(empty_database, folder / "mlflow.db")
    runs = f"sqlite:///{empty_database.with_name('tracking.db')}"
    create(folder / "registry", settings=Settings(), branch=None, env=os.environ, now=clock.utc())
    uri = f"gitreg+file://{folder / 'registry'}"
    facade = Facade(folder / "registry", parse=plugin._parse, clock=clock.utc)
    return Twins(
        SqlAlchemyStore(f"sqlite:///{folder / 'mlflow.db'}"),
        plugin.GitregStore(uri, runs, facade=facade),
        clock,
    )


def close(twins: Twins) -> None:
    """End what ``open_twins`` began."""
    twins.ours.facade.close()
    twins.oracle.engine.dispose()


def model_tags(tags: list[tuple[str, str]]) -> list[RegisteredModelTag]:
    return [RegisteredModelTag(*tag) for tag in tags]


def version_tags(tags: list[tuple[str, str]]) -> list[ModelVersionTag]:
    return [ModelVersionTag(*tag) for tag in tags]
