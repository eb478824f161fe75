"""Files under valid/ and invalid/: adding a test is dropping a file in.

The first line says what the file is (``# version``, ``# model``, ``# settings``), and for the
invalid ones the findings that are expected: ``# version GR005 3:1, GR011 4:1``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.domain.settings import Settings
from gitreg.errors import InvalidManifests
from gitreg.manifest.check import check_file
from gitreg.manifest.fmt import format_text
from gitreg.manifest.layout import Layout
from gitreg.manifest.schema import schema_names

HERE = Path(__file__).parent
PATHS = {
    "settings": "gitreg.yaml",
    "model": "models/Fraud/model.yaml",
    "version": "models/Fraud/versions/7.yaml",
}
KINDS = dict(zip(PATHS, schema_names(), strict=True))


def corpus(folder: str) -> pytest.MarkDecorator:
    files = sorted((HERE / folder).glob("*.yaml"))
    assert files
    return pytest.mark.parametrize("file", files, ids=[file.stem for file in files])


def head(data: bytes) -> tuple[str, str]:
    kind, _, rest = data.split(b"\n")[0].decode().strip("# \r").partition(" ")
    return kind, rest


@corpus("valid")
def test_valid(file: Path) -> None:
    data = file.read_bytes()
    kind, _ = head(data)
    assert check_file(data, PATHS[kind], Layout(), Settings()) == []
    tidy = format_text(data, KINDS[kind])  # type: ignore[index]
    assert check_file(tidy, PATHS[kind], Layout(), Settings()) == []


@corpus("invalid")
def test_invalid(file: Path) -> None:
    data = file.read_bytes()
    kind, want = head(data)
    found = check_file(data, PATHS[kind], Layout(), Settings())
    assert ", ".join(f"{one.code} {one.line}:{one.column}" for one in found) == want
    assert all(one.excerpt or not one.line for one in found)
    try:
        format_text(data, KINDS[kind])  # type: ignore[index]
    except InvalidManifests as error:
        assert error.findings[0].code == found[0].code
