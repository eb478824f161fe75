"""What a write answers: the commit, its tags, and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitreg.domain.changes import Change
from gitreg.domain.edits import Edit
from gitreg.domain.model import ModelVersion, RegisteredModel
from gitreg.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file before and after; None where it is not there."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The outcome of a write.

    Attributes:
        commit: Full hex id of the new commit; None when nothing changed, or for a dry run.
        branch: The branch that it went to.
        changes: What happened, as ``compare`` names it; empty when everything was as asked.
        tags: Names of the Git tags made.
        warnings: What the caller should know, one sentence each.
        edit: The next values, by model.
        files: With a dry run, the text of each file before and after.
    """

    commit: str | None = None
    branch: str = ""
    changes: tuple[Change, ...] = ()
    tags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    edit: Edit = field(default_factory=dict)
    files: tuple[FileChange, ...] = ()

    def model(self, name: str) -> RegisteredModel:
        """The registered model ``name`` as it is after the write."""
        part = self.edit.get(name)
        model = part.after.model if part else None
        if not isinstance(model, RegisteredModel):
            raise NotFound(f"the write left no model {name}")
        return model

    def versions(self, name: str) -> Mapping[int, ModelVersion]:
        """The versions of ``name`` that the write changed, as they are after it."""
        part = self.edit.get(name)
        found = part.versions if part else {}
        return {number: v for number, v in found.items() if isinstance(v, ModelVersion)}
