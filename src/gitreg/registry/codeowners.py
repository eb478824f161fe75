"""CODEOWNERS from the policy, in the dialects of GitHub, GitLab, and Gitea or Forgejo.

Whom a service asks for a review is then whom the rules ask for an approval. What people wrote around the
lines of ours stays. Sources: as of ``policy.codeowners``, which reads these files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gitreg.domain.model import RegisteredModel
from gitreg.domain.settings import Settings
from gitreg.errors import Conflict
from gitreg.manifest.codec import decode_model, decode_settings
from gitreg.manifest.layout import GATES_DIR, KEYS_DIR, MODELS_DIR, SETTINGS_FILE, Layout
from gitreg.policy.codeowners import Dialect
from gitreg.policy.enforce import asked_of_policy
from gitreg.registry import beside
from gitreg.registry.content import Content, in_commit, in_work_tree
from gitreg.registry.store import Store

BEGIN = "# gitreg begin"
END = "# gitreg end"
_MADE = ': made by "gitreg codeowners --write", edits below are lost'
_SECTION = "[gitreg]"  # GitLab: without it the lines would belong to the section above them

# The first that is there counts (the services' own pages); where none is, their own folder.
PLACES: Mapping[Dialect, tuple[str, ...]] = {
    "github": (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"),
    "gitlab": ("CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"),
    "gitea": ("CODEOWNERS", "docs/CODEOWNERS", ".gitea/CODEOWNERS"),
}
# Who changes these changes whether the rules are asked at all.
_WORKFLOWS: Mapping[Dialect, tuple[str, ...]] = {
    "github": (".github/workflows/gitreg.yml",),
    "gitlab": (".gitlab-ci.yml", "gitreg.gitlab-ci.yml"),
    "gitea": (".gitea/workflows/gitreg.yml",),
}
_OWNER = re.compile(r"@{1,2}[A-Za-z0-9_][A-Za-z0-9._/-]*|[^\s@#<>\\\[\]]+@[^\s@#<>\\\[\]]+")
_PLAIN = re.compile(r"[A-Za-z0-9_/%@,=~-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A file, or with a slash at its end a folder, from the repository's root, and who owns it."""

    path: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOwners:
    """What CODEOWNERS must hold.

    Attributes:
        dialect: Whose.
        path: Where it is, from the repository's root.
        owned: The lines, in their order.
        left_out: Approvers and owners that no service could know: neither ``@name`` nor e-mail address.
        before: The file as it is; None where there is none.
    """

    dialect: Dialect
    path: str
    owned: tuple[Owned, ...]
    left_out: tuple[str, ...]
    before: bytes | None

    @property
    def block(self) -> str:
        """The lines of ours, between their marks."""
        return block(self.owned, self.dialect)

    @property
    def after(self) -> bytes:
        """The file as it must be.

        Raises:
            Conflict: The marks do not pair.
        """
        return laid_in(self.before, self.block, self.path)

    @property
    def current(self) -> bool:
        """Whether the file is as it must be; where nobody owns anything no line is needed."""
        if not self.owned and BEGIN.encode() not in (self.before or b""):
            return True
        return self.after == self.before


def codeowners(store: Store, dialect: Dialect) -> CodeOwners:
    """What CODEOWNERS must hold by the policy in the work tree; in a bare repository by that at the head.

    Raises:
        InvalidManifests: Settings or a model can't be read.
    """
    bare = store.repository.bare
    content = in_commit(store, store.head()) if bare else in_work_tree(store)
    settings = decode_settings(content.one(SETTINGS_FILE) or b"")
    path, before = _place(store, dialect)
    left_out: list[str] = []
    owned = _owned(settings, _models(content, settings), store.prefix, (path, *_WORKFLOWS[dialect]))
    kept = tuple(one for each in owned if (one := _known(each, left_out)).owners)
    return CodeOwners(
        dialect=dialect, path=path, owned=kept, left_out=tuple(dict.fromkeys(left_out)), before=before
    )


def _place(store: Store, dialect: Dialect) -> tuple[str, bytes | None]:
    for path in PLACES[dialect]:
        data = beside.read(store, path)
        if data is not None:
            return path, data
    return f".{dialect}/CODEOWNERS", None


def _models(content: Content, settings: Settings) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each model that names owners: its folder below the registry's root, and whom."""
    layout = Layout(settings.layout)
    places = {path: layout.parse(path) for path in content.modes}
    files = {path: place.name for path, place in places.items() if place and place.kind == "model"}
    for path, _, data in content.read(sorted(files)):
        model = decode_model(data, name=files[path], path=path)
        if isinstance(model, RegisteredModel) and model.owners:
            yield path.rpartition("/")[0], tuple(model.owners)


def _owned(
    settings: Settings, models: Iterable[tuple[str, tuple[str, ...]]], prefix: str, root: tuple[str, ...]
) -> Iterator[Owned]:
    # Of several lines the last counts on most services: the special ones come later, and say all.
    asked = [stage.approvals.approvers for stage in settings.stages if stage.approvals is not None]
    approvers = tuple(one for each in asked for one in each)
    yield Owned(path=f"{prefix}{MODELS_DIR}/", owners=_once(approvers))
    for folder, owners in sorted(models):
        yield Owned(path=f"{prefix}{folder}/", owners=_once((*approvers, *owners)))
    rules = asked_of_policy(settings)
    if rules is not None:
        for name in (SETTINGS_FILE, f"{GATES_DIR}/", f"{KEYS_DIR}/"):
            yield Owned(path=prefix + name, owners=_once(rules.approvers))
        for path in root:
            yield Owned(path=path, owners=_once(rules.approvers))


def _known(owned: Owned, left_out: list[str]) -> Owned:
    known = tuple(each for each in owned.owners if _OWNER.fullmatch(each) and each.isprintable())
    left_out += [each for each in owned.owners if each not in known]
    return Owned(path=owned.path, owners=known)


def _once(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def block(owned: Iterable[Owned], dialect: Dialect) -> str:
    """The lines of ours, between their marks."""
    lines = [" ".join((pattern(each.path, dialect), *each.owners)) for each in owned]
    if not lines:
        lines = ["# The policy names no approvers."]
    elif dialect == "gitlab":
        lines.insert(0, _SECTION)
    return "".join(f"{line}\n" for line in (BEGIN + _MADE, *lines, END))


def pattern(path: str, dialect: Dialect) -> str:
    """What a line begins with that is about one file, or about all in a folder.

    A character that the dialect can't say stands as one that means any.
    """
    if dialect == "gitea":  # an expression over the whole path; a backslash would need another
        return "".join(map(_in_expression, path)) + (".*" if path.endswith("/") else "")
    return "/" + "".join(map(_in_glob, path))


def _in_expression(char: str) -> str:
    return char if _sayable(char) else f"[{char}]" if char in ".+$()|{}" else "."


def _in_glob(char: str) -> str:
    return char if _sayable(char) or char in ".+$()|{}" else "\\ " if char == " " else "?"


def _sayable(char: str) -> bool:
    return bool(_PLAIN.fullmatch(char)) or (not char.isascii() and char.isprintable())


def laid_in(before: bytes | None, ours: str, path: str) -> bytes:
    """A file with the lines of ours in their place, or at its end; the rest stays as it is.

    Raises:
        Conflict: The marks do not pair.
    """
    text = (before or b"").decode("utf-8", "surrogateescape")
    lines = text.splitlines(keepends=True)
    begins = [at for at, line in enumerate(lines) if line.startswith(BEGIN)]
    ends = [at for at, line in enumerate(lines) if line.startswith(END)]
    if len(begins) > 1 or len(begins) != len(ends) or (begins and begins[0] > ends[0]):
        hint = f'remove the lines that begin with "{BEGIN}" or "{END}"'
        raise Conflict("the marks of gitreg do not pair", where=path, hint=hint)
    if begins:
        lines[begins[0] : ends[0] + 1] = [ours]
        return "".join(lines).encode("utf-8", "surrogateescape")
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return f"{text}{gap}{ours}".encode("utf-8", "surrogateescape")
