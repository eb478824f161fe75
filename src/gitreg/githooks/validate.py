"""``gitreg hook validate FILES``: each manifest alone, as fast as a hook must be.

No Git, no jsonschema and no click are imported for a file that is right.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from gitreg.domain.findings import Finding
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidManifests
from gitreg.manifest.check import check_file, check_mode
from gitreg.manifest.codec import decode_settings
from gitreg.manifest.layout import MODELS_DIR, SETTINGS_FILE, Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class _Root:
    """A registry's folder on the disk, and what its settings say; None where they can't be read."""

    folder: str
    settings: Settings | None

    @property
    def layout(self) -> Layout:
        return Layout(self.settings.layout if self.settings else "flat")


def main(files: Sequence[str]) -> int:
    """Check ``files`` and print what is wrong with them.

    Returns:
        0: nothing is wrong, or warnings alone; 1: findings.
    """
    findings = validate(files)
    if not findings:
        return 0
    from gitreg.render.findings import ERROR, text

    sys.stdout.write(text(findings))
    sys.stdout.flush()
    return 1 if any(one.severity == ERROR for one in findings) else 0


def validate(files: Sequence[str]) -> list[Finding]:
    """Findings for ``files``, paths on the disk; what belongs to no registry is passed over."""
    roots: dict[str, _Root | None] = {}
    findings: list[Finding] = []
    for file in files:
        root = _root_of(os.path.dirname(os.path.abspath(file)), roots)
        if root is not None:
            findings += _of_file(file, root)
    return findings


def _root_of(folder: str, known: dict[str, _Root | None]) -> _Root | None:
    """The registry that a folder lies in: the nearest folder upwards with settings."""
    if folder in known:
        return known[folder]
    above = os.path.dirname(folder)
    if os.path.lexists(f"{folder}/{SETTINGS_FILE}"):
        found: _Root | None = _Root(folder=folder, settings=_settings(f"{folder}/{SETTINGS_FILE}"))
    else:
        found = _root_of(above, known) if above != folder else None
    known[folder] = found
    return found


def _settings(file: str) -> Settings | None:
    try:
        with open(file, "rb") as opened:
            return decode_settings(opened.read())
    except (OSError, InvalidManifests):  # told as a finding when the file's turn comes
        return None


def _of_file(file: str, root: _Root) -> list[Finding]:
    path = os.path.abspath(file)[len(root.folder.rstrip("/")) + 1 :]
    if path != SETTINGS_FILE and not path.startswith(f"{MODELS_DIR}/"):
        return []
    mode = _mode(file)
    if not mode:  # removed: the whole registry's check has to say whether that is right
        return []
    place = root.layout.parse(path)
    fault = check_mode(path, mode) if place is not None and place.kind != "card" else None
    found = [fault] if fault else []
    if not mode.startswith("12"):
        with open(file, "rb") as opened:
            found += check_file(opened.read(), path, root.layout, root.settings)
    return [replace(one, path=file, help=one.help.replace(path, file)) for one in found]


def _mode(file: str) -> str:
    """The mode that Git gives a file, ``""`` where there is none to read."""
    try:
        found = os.lstat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return ""
    if stat.S_ISLNK(found):
        return "120000"
    if not stat.S_ISREG(found):
        return ""
    return "100755" if found & stat.S_IXUSR else "100644"
