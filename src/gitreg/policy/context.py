"""What the rules look at: a change, the state around it, and the material that BASE and HEAD hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as made
from datetime import datetime
from typing import Any

from gitreg.domain.changes import Change
from gitreg.domain.model import ModelState, ModelVersion
from gitreg.domain.returning import Return
from gitreg.domain.settings import Settings, Stage
from gitreg.policy.codeowners import Dialect
from gitreg.signing.signers import Signers


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """E-mail addresses of those who can't approve.

    Attributes:
        version: Who registered the version.
        promotion: Who made the commits that bring it to the stage.
    """

    version: frozenset[str] = frozenset()
    promotion: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFile:
    """One file below ``approvals/``: its path from the registry's root, and its bytes."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSignature:
    """One commit that makes a change, and what its signature is worth.

    Attributes:
        commit: Full hex id; ``""`` for a commit that is not made yet.
        author: The author's e-mail address.
        signer: The person's principals, sorted; empty where nobody known signed it.
        merge: It is signed by one of ``merge_keys``.
        fault: Why the signature is not good; ``""`` where it is.
    """

    commit: str
    author: str
    signer: tuple[str, ...] = ()
    merge: bool = False
    fault: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What rules read besides the change.

    Attributes:
        root: Full hex id of the commit that set the registry up.
        now: Time of the judgement, aware: the server's at a push, else the commit's.
        gate: Path below the root → the schema's bytes in BASE; None where there is none.
        codeowners: The dialect of BASE's CODEOWNERS, and its bytes; None where there is none.
        signers: Whose keys count, from BASE.
        card: Model → whether HEAD holds a model card.
        approvals: Model, version, stage, numbers of assignments → the approval files in HEAD for these.
        authors: Model, version → those who can't approve.
        signatures: The commits that make the change; asked for only where a rule wants it.
        path: Model, version (None: the model itself) → path of the manifest from the registry's root.
        prefix: The registry's folder in its repository, with a slash at its end: CODEOWNERS speaks of the
            repository's paths.
        asks_approvals: Stage → whether the rules ask for approvals of a version that enters it.
    """

    root: str
    now: datetime
    gate: Callable[[str], bytes | None]
    codeowners: Callable[[], tuple[Dialect, bytes] | None]
    signers: Callable[[], Signers]
    card: Callable[[str], bool]
    approvals: Callable[[str, int, str, range], Iterable[ApprovalFile]]
    authors: Callable[[str, int], Authors]
    signatures: Callable[[], Iterable[CommitSignature]]
    path: Callable[[str, int | None], str]
    prefix: str = ""
    asks_approvals: Callable[[str], bool] = lambda _: False


@dataclass(frozen=True, slots=True, kw_only=True)
class Entering:
    """One version that enters one stage.

    Attributes:
        change: The transition or assignment, as compare found it.
        version: The version as it is afterwards.
        stage: The stage with its rules, as BASE's settings have it.
        number: Which assignment of that stage this is for the model, from 1; asked for when needed.
        before: The whole model before.
        after: The whole model afterwards.
        incumbent: The version that held the stage before (the highest, if several); None: nobody did.
        entered: The highest number that an assignment of the stage to this very version may have had; 0:
            it never held it. Asked for when needed, as the next two.
        predecessor: Of a stage that nobody holds, another version that held it last.
        returning: Whether the change is a rollback, and what it is for this version.
    """

    change: Change
    version: ModelVersion
    stage: Stage
    number: Callable[[], int]
    before: ModelState
    after: ModelState
    incumbent: ModelVersion | None
    entered: Callable[[], int] = lambda: 0
    predecessor: Callable[[], ModelVersion | None] = lambda: None
    returning: Callable[[], Return] = lambda: ""

    def numbers(self) -> range:
        """Of assignments of the stage that an approval may be for: none that this version was ever given."""
        return range(self.entered() + 1, self.number() + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A change of the rules themselves.

    Attributes:
        before: Digest of the policy's files in BASE (hex SHA-256).
        after: Digest of them in HEAD.
        paths: The files that differ.
        rules: BASE's settings.
        approvals: The approval files for ``after`` in HEAD.
        authors: Who made the commits that change the rules.
    """

    before: str
    after: str
    paths: tuple[str, ...]
    rules: Settings
    approvals: tuple[ApprovalFile, ...] = ()
    authors: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one rule says of one change.

    Attributes:
        rule: Its name: ``exclusive``, ``from``, ``gate``, ``no_worse``, ``requires``, ``approvals``,
            ``signed``, ``policy``.
        passed: Whether the change satisfies it.
        message: In one sentence, with the figures.
        code: The finding's code where it does not pass.
        subject: What was judged: ``churn/12 → Production``.
        path: The file that is at fault, from the registry's root.
        field: Field path in it, to point at; empty for the whole file.
        help: What to do; ``""`` where it passed.
        detail: Figures for JSON and the review: ``needed``, ``present``, ``candidate``, ``incumbent`` …
    """

    rule: str
    passed: bool
    message: str
    code: str = ""
    subject: str = ""
    path: str = ""
    field: tuple[str | int, ...] = ()
    help: str = ""
    detail: Mapping[str, Any] = made(default_factory=dict)
