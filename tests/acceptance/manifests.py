"""Manifests as a person might break them, and the one way in which every entry point must judge them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from gitreg.errors import InvalidManifests
from gitreg.manifest.check import check_file
from gitreg.manifest.layout import Layout
from tests.acceptance.standard import INVALID, Site, clean, gitreg_command, unchanged

VERSION = (
    b"version: 1\n"
    b'created: "2026-01-15T10:00:00.000Z"\n'
    b'updated: "2026-01-15T10:00:00.000Z"\n'
    b"source: s3://models/1\n"
)
MODEL = b'name: %s\ncreated: "2026-01-15T10:00:00.000Z"\nupdated: "2026-01-15T10:00:00.000Z"\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One broken manifest of a version.

    Attributes:
        data: Its bytes.
        code: The finding that is due.
        says: Texts that must stand in the message, excerpt or help.
        line: Where the finding is due; 0: anywhere.
    """

    data: bytes
    code: str
    says: tuple[str, ...] = ()
    line: int = 0


def after(addition: bytes, code: str, *says: str, line: int = 0) -> Broken:
    """A good manifest with ``addition`` behind it."""
    return Broken(data=VERSION + addition, code=code, says=says, line=line)


def put(site: Site, files: Mapping[str, bytes], *, mode: str = "100644") -> None:
    """Write files and stage exactly their bytes, past all attributes."""
    for path, data in files.items():
        file = site.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    names = "".join(f"{site.file(path)}\n" for path in files)
    oids = site.git("hash-object", "-w", "--no-filters", "--stdin-paths", stdin=names.encode()).split()
    rows = [f"{mode} {oid}\t{path}" for oid, path in zip(oids, files, strict=True)]
    site.git("update-index", "--add", "--index-info", stdin="\n".join([*rows, ""]).encode())


def by_path(findings: Sequence[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """The findings about one file."""
    return [one for one in findings if one["path"] == path]


def expect(findings: Sequence[dict[str, Any]], broken: Broken) -> None:
    """Demand the finding that ``broken`` is due."""
    fitting = [one for one in findings if one["code"] == broken.code]
    assert fitting, f"{broken.code} is due for {broken.data[-80:]!r}: {findings}"
    told = json.dumps(fitting, ensure_ascii=False).replace('\\"', '"')
    for text in broken.says:
        assert text in told, f"{text!r} is not said for {broken.data[-80:]!r}: {told}"
    if broken.line:
        assert broken.line in [one.get("line") for one in fitting], fitting


def everywhere(site: Site, samples: Sequence[Broken]) -> None:
    """Judge manifests in the work tree, in the index, in a commit, when read and when to be changed."""
    paths = {f"models/m{n}/versions/1.yaml": sample for n, sample in enumerate(samples)}
    models = {f"models/m{n}/model.yaml": MODEL % f"m{n}".encode() for n in range(len(samples))}
    put(site, models)
    site.git("commit", "--quiet", "-m", "models")
    put(site, {path: sample.data for path, sample in paths.items()})
    for where in ([], ["--staged"], ["--rev", "HEAD"]):
        if "--rev" in where:
            site.git("commit", "--quiet", "-m", "by hand")
        _check(site, where, paths)
    _commands(site, samples[0])
    _interface(site, samples)


def _check(site: Site, where: Sequence[str], paths: Mapping[str, Broken]) -> None:
    with unchanged(site.root):
        outcome = clean(gitreg_command("check", "--json", *where, at=site.root))
    assert outcome.code == 1, outcome
    findings = json.loads(outcome.out)["findings"]
    assert {one["path"] for one in findings} == set(paths)  # the good files are not accused
    for path, sample in paths.items():
        expect(by_path(findings, path), sample)


def _commands(site: Site, sample: Broken) -> None:
    for args in (["show", "m0/1"], ["transition", "m0/1", "Staging"]):
        outcome = site.refuses(
            *args, code=INVALID, says=[sample.code, "models/m0/versions/1.yaml"], mend=False
        )
        for text in sample.says[:1]:
            assert text in outcome.err, outcome
    # The models beside it can still be used.
    site.does("resolve", "fraud/2")


def _interface(site: Site, samples: Sequence[Broken]) -> None:
    with unchanged(site.root), site.open() as registry:
        for number, sample in enumerate(samples):
            acts: list[Callable[[], object]] = [
                lambda n=number: registry.version(f"m{n}/1"),
                lambda n=number: registry.update(f"m{n}/1", description="x"),
                lambda n=number: registry.delete(f"m{n}/1"),
            ]
            for act in acts:
                with pytest.raises(InvalidManifests) as caught:
                    act()
                assert sample.code in {one.code for one in caught.value.findings}


def alone(data: bytes, path: str = "models/fraud/versions/1.yaml") -> list[str]:
    """The codes of the findings for one file by itself."""
    return [one.code for one in check_file(data, path, Layout(), None) if one.severity == "error"]
