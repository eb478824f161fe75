"""Where things lie in a registry: the only place that knows its paths.

Paths are relative to the registry's root and always use ``/``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from gitreg.domain import names, settings

SETTINGS_FILE = "gitreg.yaml"
MODELS_DIR = "models"
SCHEMAS_DIR = "schemas"
GATES_DIR = "gates"
KEYS_DIR = "keys"
SIGNERS_FILE = "keys/allowed_signers"
APPROVALS_DIR = "approvals"
POLICY_APPROVALS_DIR = "approvals/.policy"  # no model's folder begins with a dot
# Where hosting services look for it: the registry's root is not always the repository's.
CODEOWNERS_FILES = (
    ".github/CODEOWNERS",
    ".gitlab/CODEOWNERS",
    ".gitea/CODEOWNERS",
    "docs/CODEOWNERS",
    "CODEOWNERS",
)

PlaceKind = Literal["settings", "model", "version", "card", "other"]

_VERSION_FILE = re.compile(r"([1-9][0-9]{0,8})\.yaml")
_APPROVAL_FILE = re.compile(
    r"approvals/([^/]+)/([1-9][0-9]{0,8})/([A-Za-z][A-Za-z0-9_-]*)/([1-9][0-9]{0,8})/([^/]+)\.sig"
)
_POLICY_APPROVAL_FILE = re.compile(r"approvals/\.policy/([0-9a-f]{16})/([^/]+)\.sig")
_SHARD = re.compile(r"[0-9a-f]{2}")
# Git's own files may lie in any folder and say nothing about a model.
_GIT_FILES = frozenset({".gitkeep", ".gitignore", ".gitattributes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a path of the registry is for.

    Attributes:
        kind: What lies there; ``"other"`` for a stray under ``models/``.
        name: The model's name, where the path belongs to one.
        version: The version's number for ``"version"``, else 0.
        reason: For ``"other"``: why nothing of the registry can lie there.
    """

    kind: PlaceKind
    name: str = ""
    version: int = 0
    reason: str = ""


@lru_cache(maxsize=8192)
def _flat_dir(name: str) -> str:
    return f"{MODELS_DIR}/{names.folder(name)}"


@lru_cache(maxsize=8192)
def _sharded_dir(name: str) -> str:
    return f"{MODELS_DIR}/{_shard(name)}/{names.folder(name)}"


def _shard(name: str) -> str:
    import hashlib  # only the sharded layout needs it

    digest = hashlib.sha1(name.encode("utf-8"), usedforsecurity=False)
    return digest.hexdigest()[:2]


@lru_cache(maxsize=8192)
def _name_of(folder: str) -> str | None:
    return names.from_folder(folder)


class Layout:
    """The paths of a registry: ``flat`` (``models/NAME``) or ``sharded`` (``models/HH/NAME``).

    Args:
        kind: ``layout`` of ``gitreg.yaml``. HH is the first two hex digits of the SHA-1 of the
            name in UTF-8 (an even spread, which first letters would not give).
    """

    __slots__ = ("_dir", "kind")

    def __init__(self, kind: settings.Layout = "flat") -> None:
        self.kind = kind
        self._dir = _sharded_dir if kind == "sharded" else _flat_dir

    def __repr__(self) -> str:
        return f"Layout({self.kind!r})"

    def model_dir(self, name: str) -> str:
        """Folder of the model ``name``; raises InvalidInput for a name that is refused."""
        return self._dir(name)

    def model_file(self, name: str) -> str:
        """Path of the model's own manifest."""
        return f"{self._dir(name)}/model.yaml"

    def card(self, name: str) -> str:
        """Path of the model card."""
        return f"{self._dir(name)}/README.md"

    def versions_dir(self, name: str) -> str:
        """Folder of the model's version manifests."""
        return f"{self._dir(name)}/versions"

    def version_file(self, name: str, version: int) -> str:
        """Path of the manifest of one version."""
        return f"{self._dir(name)}/versions/{version}.yaml"

    def parse(self, path: str) -> Place | None:
        """What ``path`` is for.

        Returns:
            None for a path that gitreg has no say in (outside of ``models/``, Git's own files);
            a Place of kind ``"other"`` with a reason for a stray under ``models/``.
        """
        parts = path.split("/")
        if parts[0] != MODELS_DIR:
            return Place(kind="settings") if path == SETTINGS_FILE else None
        if parts[-1] in _GIT_FILES:
            return None
        at = 2 if self.kind == "sharded" else 1
        if len(parts) < at + 2:
            return Place(kind="other", reason=f"{MODELS_DIR}/ holds one folder for each model and no files")
        name = _name_of(parts[at])
        fault = self._folder_fault(parts, name)
        if fault or name is None:
            return Place(kind="other", reason=fault)
        return _inside(name, parts[at + 1 :])

    def _folder_fault(self, parts: list[str], name: str | None) -> str:
        if self.kind == "sharded":
            if not _SHARD.fullmatch(parts[1]):
                return f"the layout is sharded: {names.shown(parts[1])} is not a folder of two hex digits"
            if name is not None and _shard(name) != parts[1]:
                return f"{names.shown(name)} belongs in {MODELS_DIR}/{_shard(name)}/"
        folder = parts[2 if self.kind == "sharded" else 1]
        return f"{names.shown(folder)} is not the folder of any model name" if name is None else ""


def _inside(name: str, rest: list[str]) -> Place:
    if len(rest) == 2 and rest[0] == "versions":
        match = _VERSION_FILE.fullmatch(rest[1])
        if match:
            return Place(kind="version", name=name, version=int(match[1]))
        return Place(
            kind="other",
            name=name,
            reason="version manifests are called 1.yaml, 2.yaml … without leading zeros",
        )
    if rest == ["model.yaml"]:
        return Place(kind="model", name=name)
    if rest == ["README.md"]:
        return Place(kind="card", name=name)
    return Place(
        kind="other", name=name, reason="a model's folder holds model.yaml, README.md and versions/ alone"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalPlace:
    """What a path below ``approvals/`` is for.

    Attributes:
        principal: Who approves.
        name: The model's name; ``""`` for the approval of a policy change.
        version: The version's number.
        stage: The stage that it is to enter.
        number: Which assignment of that stage it is, from 1.
        digest: For a policy change: the beginning of the digest of the new policy.
    """

    principal: str
    name: str = ""
    version: int = 0
    stage: str = ""
    number: int = 0
    digest: str = ""


def approvals_dir(name: str, version: int, stage: str, number: int) -> str:
    """Folder of the approvals of one assignment of a stage."""
    return f"{APPROVALS_DIR}/{names.folder(name)}/{version}/{stage}/{number}"


def approval_file(name: str, version: int, stage: str, number: int, principal: str) -> str:
    """Path of one person's approval of one assignment of a stage."""
    return f"{approvals_dir(name, version, stage, number)}/{names.folder(principal)}.sig"


def policy_approvals_dir(digest: str) -> str:
    """Folder of the approvals of a policy change; ``digest`` is that of the policy after it."""
    return f"{POLICY_APPROVALS_DIR}/{digest[:16]}"


def policy_approval_file(digest: str, principal: str) -> str:
    """Path of one person's approval of a policy change."""
    return f"{policy_approvals_dir(digest)}/{names.folder(principal)}.sig"


def parse_approval(path: str) -> ApprovalPlace | None:
    """What a path below ``approvals/`` is for; None where no approval can lie."""
    match = _APPROVAL_FILE.fullmatch(path)
    if match:
        name, principal = names.from_folder(match[1]), names.from_folder(match[5])
        if name is None or principal is None:
            return None
        return ApprovalPlace(
            principal=principal, name=name, version=int(match[2]), stage=match[3], number=int(match[4])
        )
    match = _POLICY_APPROVAL_FILE.fullmatch(path)
    principal = names.from_folder(match[2]) if match else None
    return ApprovalPlace(principal=principal, digest=match[1]) if match and principal else None


def is_policy_file(path: str) -> bool:
    """Whether a path below the registry's root holds a part of the rules."""
    return path == SETTINGS_FILE or path.startswith((f"{GATES_DIR}/", f"{KEYS_DIR}/"))


def schema_line(path: str, kind: str) -> str:
    """The first line of a manifest: the modeline by which editors find the schema at the root.

    Args:
        path: Where the manifest lies; its depth decides the relative path.
        kind: Name of the schema, e.g. ``model-version.v1``.
    """
    up = "../" * path.count("/")
    return f"# yaml-language-server: $schema={up or './'}{SCHEMAS_DIR}/{kind}.schema.json\n"
