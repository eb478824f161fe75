"""Everything that can be said of one file alone: what ``gitreg check`` and the hooks report."""

from __future__ import annotations

from itertools import islice

from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelVersion
from gitreg.domain.names import shown
from gitreg.domain.settings import Settings, did_you_mean
from gitreg.errors import InvalidManifests
from gitreg.manifest import codec
from gitreg.manifest.layout import Layout, Place
from gitreg.manifest.profile import MAX_FINDINGS
from gitreg.manifest.yaml import Document, parse

PLAIN = "100644"
_MODES = {
    "120000": ("is a symbolic link", "put the file itself in its place"),
    "100755": ("is executable", "chmod -x {}"),
    "160000": ("is a repository of its own", "keep plain files there"),
}


def check_mode(path: str, mode: str) -> Finding | None:
    """GR107 for a file of the registry that is not a plain one.

    Args:
        path: Relative to the registry's root.
        mode: As a tree holds it (gitformat-index, *mode*): ``100644`` is the only one that is right.
    """
    if mode == PLAIN:
        return None
    said, mend = _MODES.get(mode, (f"has the mode {mode}", "keep plain files there"))
    return Finding(code="GR107", message=f"the file {said}", path=path, help=mend.format(path))


def check_file(data: bytes, path: str, layout: Layout, settings: Settings | None) -> list[Finding]:
    """Findings for one file of a registry.

    Args:
        data: The file's bytes.
        path: Relative to the registry's root; decides what the file must hold.
        layout: The registry's layout.
        settings: Of the same registry; None: stages are not compared with them.
    """
    place = layout.parse(path)
    if place is None or place.kind == "card":
        return []
    if place.kind == "other":
        return [Finding(code="GR102", message=f"stray file: {place.reason}", path=path)]
    try:
        document = parse(data, path)
        return [*document.warnings, *_check_value(document, place, settings)]
    except InvalidManifests as error:
        return list(error.findings)


def _check_value(document: Document, place: Place, settings: Settings | None) -> list[Finding]:
    if place.kind == "settings":
        codec.settings_of(document)
        newer = codec.format_finding(document)
        return [newer] if newer else []
    if place.kind == "model":
        codec.model_of(document, place.name)
    else:
        value = codec.version_of(document, place.name, place.version)
        if settings is not None and isinstance(value, ModelVersion):
            return check_stages(value, settings, document)
    return []


def check_stages(version: ModelVersion, settings: Settings, document: Document) -> list[Finding]:
    """GR012 for each stage that ``version`` holds and ``settings`` does not have, at its place in the file.

    Case counts here: commands take any, files hold the stage's own spelling.
    """
    names = [stage.name for stage in settings.stages]
    unknown = (stage for stage in version.stages if stage not in names)
    out = []
    for stage in islice(unknown, MAX_FINDINGS):
        mend = did_you_mean(stage, names) or f"stages: {', '.join(names)}"
        message = f"stage: {shown(stage)} is not a stage of this registry"
        out.append(document.key_finding("GR012", message, ("stages", stage), help=mend))
    return out
