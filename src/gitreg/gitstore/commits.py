"""A commit as a history tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gitreg.gitstore.objects import Person
from gitreg.gitstore.trees import Touched


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryCommit:
    """One commit with what it changed against its first parent; ``body`` is what follows the subject."""

    oid: str
    parents: tuple[str, ...]
    author: Person
    author_time: datetime
    committer: Person
    commit_time: datetime
    subject: str
    body: str
    changes: tuple[Touched, ...]
