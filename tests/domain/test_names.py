from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain import names
from gitreg.errors import InvalidInput


@pytest.mark.parametrize(
    "name",
    [
        "",
        "  ",
        ".",
        "..",
        "../x",
        "a/b",
        "a:b",
        "/abs",
        "a\nb",
        "a\0",
        "\x1b[0m",
        "a\x7f",
        "a\udcff",
        "a\u200bb",
        "é" * 70,
    ],
)
def test_refused(name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        names.check_model_name(name)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Fraud", "Fraud"),
        ("a.b-c_d", "a.b-c_d"),
        ("a b", "a%20b"),
        ("é", "%C3%A9"),
        ("100%", "100%25"),
        ("a..b", "a%2E%2Eb"),
        ("a.lock", "a%2Elock"),
        (".hidden", "%2Ehidden"),
        ("a.", "a%2E"),
        ("-x", "%2Dx"),
        ("CON", "%43ON"),
        ("aux", "%61ux"),
        ("NUL.yaml", "%4EUL.yaml"),
        (".git", "%2Egit"),
        ("git~1", "git%7E1"),
        ("@", "%40"),
        ("a@{1}", "a%40%7B1%7D"),
        ("HEAD", "HEAD"),
    ],
)
def test_folder_and_back(name: str, folder: str) -> None:
    assert names.folder(name) == folder
    assert names.from_folder(folder) == name


@given(st.text(min_size=1, max_size=40))
def test_every_name_is_refused_or_survives_the_folder(name: str) -> None:
    try:
        folder = names.folder(name)
    except InvalidInput:
        return
    assert names.from_folder(folder) == name
    assert folder.isascii()
    assert not set(folder) & set("/\\:*?~^[@ ")
    assert ".." not in folder
    assert folder[0] not in ".-"
    assert folder[-1] != "."
    assert not folder.endswith(".lock")


@given(st.text(alphabet="%2Ea4F.", max_size=12))
def test_only_canonical_folders_are_read(folder: str) -> None:
    name = names.from_folder(folder)
    assert name is None or names.folder(name) == folder


def test_twins() -> None:
    assert names.twin_key("Fraud") == names.twin_key("fraud")
    assert names.twin_key("e\u0301") == names.twin_key("\u00e9")
    assert names.twin_key("straße") == names.twin_key("STRASSE")
    assert names.twin_key("fraud") != names.twin_key("fraud2")


@pytest.mark.parametrize("text", ["0", "-1", "01", "1e3", "latest1", "", "1.0", "1" * 10, "٣"])
def test_versions_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        names.parse_version(text)


@pytest.mark.parametrize("stage", ["v1", "V12", "None", "none", "latest", "a/b", "1a", "", "ä", "-x"])
def test_stages_refused(stage: str) -> None:
    with pytest.raises(InvalidInput):
        names.check_stage_name(stage)


@pytest.mark.parametrize("alias", ["latest", "v3", "Latest", "", "a b", "a/b", "--upload-pack=x"])
def test_aliases_refused(alias: str) -> None:
    with pytest.raises(InvalidInput):
        names.check_alias(alias)
