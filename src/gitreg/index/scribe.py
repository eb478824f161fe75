"""Writes the index: one commit after the other onto the end of the chain, or commits off its end."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from gitreg.domain.changes import Change
from gitreg.domain.model import (
    AnyModel,
    AnyVersion,
    ModelVersion,
    Origin,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.domain.references import PREFIX
from gitreg.domain.settings import Settings
from gitreg.gitstore.commits import HistoryCommit
from gitreg.index import values
from gitreg.index.schema import GONE, LIVE, OPEN, UNREADABLE
from gitreg.manifest import encode


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """What one manifest holds after a commit.

    Attributes:
        kind: Which manifest.
        name: The model; ``""`` for the settings.
        number: The version; 0 for others.
        there: False where the commit removed it.
        value: What it holds; None where it is not there or can't be read.
    """

    kind: Literal["settings", "model", "version"]
    name: str = ""
    number: int = 0
    there: bool = True
    value: Settings | AnyModel | AnyVersion | None = None


class Scribe:
    """Writes inside a transaction of its caller.

    Args:
        db: The index.
        seq: Number of the last commit in it, 0 for an empty one.
    """

    def __init__(self, db: sqlite3.Connection, seq: int) -> None:
        self.db = db
        self.seq = seq

    def begin(self, commit: HistoryCommit) -> None:
        """Put a commit onto the end of the chain; what it changed follows."""
        self.seq += 1
        self._chain(commit)

    def put(self, files: Iterable[File], renamed: Mapping[str, str]) -> None:
        """Write what manifests hold since the commit that was begun.

        Args:
            files: Those that it changed.
            renamed: New name of a model → its former one, for the models that the commit renamed.
        """
        for file in files:
            if file.kind == "version":
                self._version(file, renamed.get(file.name))
            elif file.kind == "model":
                self._model(file)
            else:
                self._settings(file)

    def tell(self, changes: Sequence[Change], unread: Iterable[str]) -> None:
        """Write what happened in the commit, as compare names it, and what could not be compared."""
        rows = (_event(self.seq, place, change) for place, change in enumerate(changes))
        self.db.executemany("INSERT INTO event VALUES (?,?,?,?,?,?,?,?,?,?)", rows)
        self.db.executemany("INSERT INTO unread VALUES (?,?)", [(self.seq, _safe(path)) for path in unread])

    def cut(self, seq: int) -> None:
        """Take everything after the commit ``seq`` off the chain."""
        run = self.db.execute
        run("DELETE FROM attribute WHERE row IN (SELECT row FROM version WHERE since > ?)", (seq,))
        run("DELETE FROM model_tag WHERE row IN (SELECT row FROM model WHERE since > ?)", (seq,))
        for table in ("version", "model", "alias", "holding", "settings"):
            run(f"DELETE FROM {table} WHERE since > ?", (seq,))
            run(
                f"UPDATE {table} SET until = {OPEN} WHERE until > ? AND until < {OPEN}",
                (seq,),
            )
        for table in ("event", "unread", "chain"):
            run(f"DELETE FROM {table} WHERE seq > ?", (seq,))
        self.seq = seq

    def _chain(self, commit: HistoryCommit) -> None:
        self.db.execute(
            "INSERT INTO chain VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                self.seq,
                commit.oid,
                *_clock(commit.commit_time),
                " ".join(commit.parents),
                _safe(commit.author.name),
                _safe(commit.author.email),
                *_clock(commit.author_time),
                _safe(commit.committer.name),
                _safe(commit.committer.email),
                _safe(commit.subject),
                _safe(commit.body),
            ),
        )

    def _settings(self, file: File) -> None:
        self.db.execute(f"UPDATE settings SET until = ? WHERE until = {OPEN}", (self.seq,))
        if file.there:
            value = file.value
            doc = _json(encode.encode_settings(value)) if isinstance(value, Settings) else None
            self.db.execute("INSERT INTO settings VALUES (?,?,?)", (self.seq, OPEN, doc))

    def _model(self, file: File) -> None:
        self.db.execute(
            f"UPDATE model SET until = ? WHERE name = ? AND until = {OPEN}", (self.seq, file.name)
        )
        value = file.value if not isinstance(file.value, Settings | ModelVersion | VersionTombstone) else None
        living = value if isinstance(value, RegisteredModel) else None
        if file.there:
            state = LIVE if living else UNREADABLE if value is None else GONE
            times = (_ms(living.created), _ms(living.updated)) if living else (None, None)
            doc = _json(encode.encode_model(value)) if value else None
            made = self.db.execute(
                "INSERT INTO model VALUES (NULL,?,?,?,?,?,?,?)",
                (file.name, self.seq, OPEN, state, *times, doc),
            )
            if living and living.tags:
                rows = [(made.lastrowid, key, text) for key, text in living.tags.items()]
                self.db.executemany("INSERT INTO model_tag VALUES (?,?,?)", rows)
        self._aliases(file.name, living.aliases if living else {})

    def _aliases(self, name: str, now: Mapping[str, int]) -> None:
        was = dict(
            self.db.execute(f"SELECT alias, number FROM alias WHERE name = ? AND until = {OPEN}", (name,))
        )
        ended = [(self.seq, name, alias) for alias in was if now.get(alias) != was[alias]]
        self.db.executemany(
            f"UPDATE alias SET until = ? WHERE name = ? AND alias = ? AND until = {OPEN}", ended
        )
        begun = [(name, alias, now[alias], self.seq, OPEN) for alias in now if was.get(alias) != now[alias]]
        self.db.executemany("INSERT INTO alias VALUES (?,?,?,?,?)", begun)

    def _version(self, file: File, former: str | None) -> None:
        at = (file.name, file.number)
        self.db.execute(
            f"UPDATE version SET until = ? WHERE name = ? AND number = ? AND until = {OPEN}", (self.seq, *at)
        )
        value = file.value if isinstance(file.value, ModelVersion | VersionTombstone) else None
        living = value if isinstance(value, ModelVersion) else None
        if file.there:
            state = LIVE if living else UNREADABLE if value is None else GONE
            told = (
                (
                    _ms(living.created),
                    _ms(living.updated),
                    living.source,
                    living.run_id,
                    living.status,
                )
                if living
                else (None,) * 5
            )
            doc = _json(encode.encode_version(value)) if value else None
            made = self.db.execute(
                "INSERT INTO version VALUES (NULL,?,?,?,?,?,?,?,?,?,?,?,?)",
                (*at, self.seq, OPEN, state, self._registered(file, former), *told, doc),
            )
            if living:
                rows = {(made.lastrowid, *found) for found in _attributes(living)}
                self.db.executemany("INSERT INTO attribute VALUES (?,?,?,?)", rows)
        self._holdings(at, living.stages if living else {})

    def _registered(self, file: File, former: str | None) -> int:
        for name in (former, file.name):
            found = (
                name
                and self.db.execute(
                    "SELECT registered FROM version WHERE name = ? AND number = ? "
                    "ORDER BY since DESC LIMIT 1",
                    (name, file.number),
                ).fetchone()
            )
            if found:
                return int(found[0])
        return self.seq

    def _holdings(self, at: tuple[str, int], now: Mapping[str, datetime]) -> None:
        was = dict(
            self.db.execute(
                f"SELECT stage, at FROM holding WHERE name = ? AND number = ? AND until = {OPEN}", at
            )
        )
        if not was and not now:
            return
        held = {stage: _ms(since) for stage, since in now.items()}
        ended = [(self.seq, *at, stage) for stage in was if held.get(stage) != was[stage]]
        self.db.executemany(
            f"UPDATE holding SET until = ? WHERE name = ? AND number = ? AND stage = ? AND until = {OPEN}",
            ended,
        )
        begun = [(*at, stage, held[stage], self.seq, OPEN) for stage in held if was.get(stage) != held[stage]]
        self.db.executemany("INSERT INTO holding VALUES (?,?,?,?,?,?)", begun)


def _attributes(version: ModelVersion) -> Iterator[tuple[str, str, Any]]:
    origin: Origin = version.origin
    yield from (("tag", key, text) for key, text in version.tags.items())
    yield from (("param", key, text) for key, text in origin.params.items())
    for key, number in origin.metrics.items():
        yield "metric", key, "NaN" if math.isnan(number) else float(number)
    if origin.artifact:
        yield from (("flavor", name, text) for name, text in origin.artifact.flavors.items())
    yield from (("parent", "", uri) for uri in origin.parents)
    if origin.source.startswith(PREFIX):
        yield "parent", "copy", origin.source
    for dataset in origin.datasets:
        yield "dataset", "name", dataset.name
        yield from (("dataset", key, text) for key in ("uri", "digest") if (text := getattr(dataset, key)))
    if origin.code:
        code = origin.code
        yield from (("code", key, text) for key in ("repository", "commit") if (text := getattr(code, key)))


def _event(seq: int, place: int, change: Change) -> tuple[Any, ...]:
    return (
        seq,
        place,
        change.event,
        change.model,
        change.version,
        change.stage,
        json.dumps(change.origin, ensure_ascii=False) if change.origin else None,
        change.field,
        values.dumps(change.before),
        values.dumps(change.after),
    )


def _json(data: Any) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def _clock(when: datetime) -> tuple[int, int]:
    offset = when.utcoffset()
    return int(when.timestamp()), int(offset.total_seconds()) // 60 if offset else 0


def _safe(text: str) -> str:
    # SQLite holds UTF-8: bytes that are none (surrogates in Python) are kept as escapes.
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
