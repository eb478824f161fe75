"""The error tree, with the exit code that each class ends a command with.

::

    GitregError
    ├── UsageError           2   the command line or the call itself is wrong
    ├── InvalidInput         3   a name, manifest, setting or value breaks a rule
    │   ├── NotFound         3   the model, version, stage, alias or revision does not exist
    │   ├── InvalidFilter    3   a filter or an order of a search has a fault, with its column
    │   └── InvalidManifests 3   findings with file, line and column
    ├── Conflict             4   the registry or work tree stands in the way
    │   ├── AlreadyExists    4
    │   └── MovedRef         4   the branch moved between read and write (the write loop retries)
    ├── NotAllowed           5   refused by policy, permission or signature
    ├── IntegrityError       6   the repository does not hold what its history says
    ├── EnvironmentFailure   7   Git, the disk, a lock or a neighbour failed
    │   ├── GitFailure       7
    │   └── NotARegistry     7
    └── OutcomeUnknown       8   the change may or may not have been made; it is safe to repeat

0 means done, 1 that a judging command has findings, 70 a bug in gitreg.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gitreg.domain.findings import Finding


class GitregError(Exception):
    """Base of every error that gitreg raises on purpose.

    Args:
        message: What went wrong, one sentence without a full stop.
        where: File, ref or field path that it concerns, or ``""``.
        hint: What to do next, most often a command to type, or ``""``.
    """

    exit_code = 70
    kind = "error"

    def __init__(self, message: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" if self.where else self.message


class UsageError(GitregError):
    """The command line or the call is wrong in itself."""

    exit_code = 2
    kind = "usage"


class InvalidInput(GitregError):
    """A name, manifest, setting or value breaks a rule of the registry."""

    exit_code = 3
    kind = "invalid"


class NotFound(InvalidInput):
    """The model, version, stage, alias, tag or revision that was named does not exist."""

    kind = "not-found"


class InvalidFilter(InvalidInput):
    """A filter or an order of a search can't be understood.

    Args:
        message: What is wrong.
        text: The whole filter.
        at: Where the fault begins, in characters from 0.
        length: How many characters are at fault.
        where: What the text is, with the column.
        hint: What to write instead.
    """

    kind = "invalid-filter"

    def __init__(
        self, message: str, *, text: str, at: int, length: int = 1, where: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, where=where, hint=hint)
        self.text = text
        self.at = at
        self.length = length


class InvalidManifests(InvalidInput):
    """One or more files break the manifest rules; ``findings`` says where and how."""

    kind = "invalid-manifest"

    def __init__(self, findings: Sequence[Finding], *, message: str = "", hint: str = "") -> None:
        first = findings[0]
        super().__init__(message or first.message, where=first.location, hint=hint or first.help)
        self.findings = tuple(findings)


class Conflict(GitregError):
    """The state of the registry or of the work tree stands in the way of the change."""

    exit_code = 4
    kind = "conflict"


class AlreadyExists(Conflict):
    """The model, version or name is taken."""

    kind = "already-exists"


class MovedRef(Conflict):
    """A ref was not where the writer had read it: compare-and-swap failed."""

    kind = "moved-ref"


class NotAllowed(GitregError):
    """Refused by policy, by permission or for want of a valid signature."""

    exit_code = 5
    kind = "not-allowed"


class IntegrityError(GitregError):
    """The repository contradicts itself: an immutable part was edited, an object is wrong."""

    exit_code = 6
    kind = "integrity"


class EnvironmentFailure(GitregError):
    """Something outside of gitreg failed: Git, the disk, a lock, a permission."""

    exit_code = 7
    kind = "environment"


class GitFailure(EnvironmentFailure):
    """Git is missing, too old, hung, or answered with an error."""

    kind = "git"


class NotARegistry(EnvironmentFailure):
    """No registry was found where one was looked for."""

    kind = "no-registry"


class OutcomeUnknown(GitregError):
    """The change may have been made; look before repeating, repeating is safe."""

    exit_code = 8
    kind = "unknown"
