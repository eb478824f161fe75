"""What a site says of itself: which commit it shows, what it was made with, and what every file holds.

The manifest is JSON with the files of one model a line: what has not changed is copied from the last one
without being read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from gitreg.errors import Conflict
from gitreg.web.site.places import MANIFEST, PARTIAL

FORMAT = 1
Files = dict[str, str]
"""Path → digest of what it holds."""

_BETWEEN = ', "models": {\n'
_END = "\n}}\n"
# A path that is not ours: absolute, with an empty part, . or .., or with a character that we never write.
_FOREIGN = re.compile(r"(?:^|/)(?:\.{0,2})(?:/|$)|[^\x20-\x7e\n]", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A site as its manifest tells it.

    Attributes:
        commit: The commit that it shows (full hex id); ``""`` for one that is not finished.
        made: All that its pages depend on beside the commit: versions, options, templates.
        files: The files that belong to no model.
        inputs: Path → digest of what was shown on it, for pages that are made only where that differs.
        lines: Model → its files as JSON.
    """

    commit: str = ""
    made: Mapping[str, Any] = field(default_factory=dict)
    files: Files = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    lines: Mapping[str, str] = field(default_factory=dict)

    def of_model(self, name: str) -> Files:
        """The files of a model; none where it is not in the site."""
        try:
            return _files(json.loads(self.lines.get(name, "{}")))
        except (ValueError, TypeError):
            raise _no_manifest(MANIFEST) from None

    def count(self) -> int:
        """How many files there are."""
        return len(self.files) + sum(line.count('": "') for line in self.lines.values())

    def text(self) -> str:
        """The manifest."""
        head = {
            "site": FORMAT,
            "commit": self.commit,
            "made": dict(self.made),
            "inputs": _sorted(self.inputs),
            "files": _sorted(self.files),
        }
        lines = ",\n".join(f"{_json(name)}: {self.lines[name]}" for name in sorted(self.lines))
        return _json(head)[:-1] + _BETWEEN + lines + _END


def line(files: Mapping[str, str]) -> str:
    """The files of a model as they stand in a manifest."""
    return _json(_sorted(files))


def digest(data: bytes) -> str:
    """What tells the contents of one file from those of another: half of a SHA-256."""
    return sha256(data).hexdigest()[:32]


def load(folder: Path) -> Record | None:
    """The manifest of a site; None where the folder holds no site of ours.

    Raises:
        Conflict: There is one, but it can't be understood.
    """
    path = folder / MANIFEST
    if not path.is_symlink() and not path.exists():
        return None
    try:
        if path.is_symlink():
            raise ValueError
        return _read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        raise _no_manifest(str(path)) from None


def _no_manifest(where: str) -> Conflict:
    return Conflict(
        "this is no manifest of a site that gitreg made",
        where=where,
        hint="choose another folder, or remove this one",
    )


def _read(text: str) -> Record:
    start, between, rest = text.partition(_BETWEEN)
    head = json.loads(start + "}")
    if not between or not rest.endswith(_END) or not isinstance(head["commit"], str):
        raise ValueError
    commit = head["commit"] if head["site"] == FORMAT else ""  # of another gitreg: nothing is taken over
    lines = {}
    decoder = json.JSONDecoder()
    for each in rest[: -len(_END)].split("\n"):
        if each:
            name, end = decoder.raw_decode(each)
            lines[name] = each[end + 2 :].removesuffix(",")
    files, inputs = _files(head["files"]), _files(head["inputs"])
    return Record(commit=commit, made=dict(head["made"]), files=files, inputs=inputs, lines=lines)


def unfinished(folder: Path) -> list[str]:
    """The files that a run which did not come to its end may have written."""
    path = folder / PARTIAL
    if path.is_symlink() or not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    return [each for each in lines[:-1] if not _FOREIGN.search(each)]  # the last may be cut


def _files(found: dict[str, Any]) -> Files:
    paths = "\n".join(found)
    if not isinstance(found, dict) or (found and (paths.count("\n") >= len(found) or _FOREIGN.search(paths))):
        raise ValueError
    return found


def _sorted(files: Mapping[str, str]) -> Files:
    return {path: files[path] for path in sorted(files)}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def gone(old: Iterable[str], new: Iterable[str]) -> list[str]:
    """What is in ``old`` and not in ``new``, sorted."""
    return sorted(set(old).difference(new))
