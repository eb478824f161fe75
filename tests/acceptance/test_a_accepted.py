"""A10–A15: odd names that MLflow accepts; each makes the round trip through folder, tag, URI, command line and API."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitreg.domain import names
from tests.acceptance.standard import Site

A10 = [
    "Fraud Detection", "Prévision ventes", "模型", "user@home", "100%", "a%20b", "~^?*[\\", "a~1", "a^{}", "*", "?", "[x]",
    "a\\b", "two  spaces", " lead", "trail ", "a'b\"c", "$HOME", "`id`", "a;b|c&d", "#1", "<b>", "\U0001f600", "a,b", "{}",
    "é" * 33,
]  # fmt: skip
A11 = ["a..b", "a.lock", "a.LOCK", ".hidden", "a.", "...", "a.b.c", "..a", "a..", ".lock", "x.lock.lock"]
A12 = ["CON", "aux", "NUL.yaml", "con", "PRN", "com1", "LPT9.txt", "Nul"]
A13 = [
    ".git",
    ".GIT",
    "git~1",
    ".gitattributes",
    ".gitmodules",
    ".Git ",
    "GIT~1",
    ".gitreg",
    "model.yaml",
    "versions",
]
A14 = ["-x", "--help", "-", "--", "--json", "-rf"]
A15 = [
    "HEAD",
    "@",
    "a@{1}",
    "FETCH_HEAD",
    "refs",
    "main",
    "@{-1}",
    "a@b@c",
    "master^2",
    "v1",
    "1",
    "latest",
    "None",
]


def round_trip(site: Site, name: str) -> None:
    """Register under ``name``, move it and read it back in each way that there is."""
    source = f"s3://models/{name}"
    site.does("register", "--alias", "champion", "--", name, source)
    site.does("transition", "--", f"models:/{name}/1", "Production")
    shown = json.loads(site.does("show", "--json", "--", f"models:/{name}@champion").out)
    assert (shown["name"], shown["source"], list(shown["stages"])) == (name, source, ["Production"])
    _in_git(site, name)
    with site.open() as registry:
        assert name in [model.name for model in registry.models()]
        for uri in (f"{name}/1", f"models:/{name}/Production", f"models:/{name}/latest", f"{name}@champion"):
            assert registry.version(uri).source == source


def _in_git(site: Site, name: str) -> None:
    folder = names.folder(name)
    assert names.from_folder(folder) == name
    assert folder.isascii() and folder.isprintable() and not folder.startswith((".", "-"))
    files = site.git("ls-tree", "-r", "--name-only", "HEAD", f"models/{folder}").splitlines()
    assert files == [f"models/{folder}/model.yaml", f"models/{folder}/versions/1.yaml"]
    assert {f"{folder}/v1", f"{folder}/Production/1"} <= set(site.tags())
    site.git("check-ref-format", f"refs/tags/{folder}/v1")


@pytest.mark.parametrize("name", [A10[0], A10[1], A10[3], A10[6]])
def test_A10_spaces_accents_and_signs(either: Site, name: str) -> None:
    round_trip(either, name)


@pytest.mark.parametrize("name", ["a..b", "a.lock", ".hidden", "a."])
def test_A11_dots(site: Site, name: str) -> None:
    round_trip(site, name)


@pytest.mark.parametrize("name", ["CON", "NUL.yaml"])
def test_A12_device_names(site: Site, name: str) -> None:
    round_trip(site, name)


@pytest.mark.parametrize("name", [".git", ".GIT", "git~1", ".gitattributes"])
def test_A13_names_that_git_keeps_for_itself(site: Site, name: str) -> None:
    round_trip(site, name)


@pytest.mark.parametrize("name", ["-x", "--json"])
def test_A14_leading_dash(site: Site, name: str) -> None:
    round_trip(site, name)


@pytest.mark.parametrize("name", ["HEAD", "@", "a@{1}"])
def test_A15_words_that_are_revisions(site: Site, name: str) -> None:
    round_trip(site, name)


@pytest.mark.parametrize("form", ["plain", "bare", "sharded"])
def test_A10_to_A15_all_of_them_side_by_side(site: Site, bare: Site, tmp_path: Path, form: str) -> None:
    """The whole class in one registry: no two meet in a folder or a tag, all come back by every verb."""
    here = bare if form == "bare" else site
    if form == "sharded":
        Site(root=tmp_path).does("init", "sharded", "--layout", "sharded")
        here = Site(root=tmp_path / "sharded")
        here.does("register", "fraud", "s3://models/fraud")
    wanted = [name for name in (*A10, *A11, *A12, *A13, *A14, *A15) if names.twin_key(name) != "fraud"]
    keys: dict[str, str] = {}
    wanted = [
        keys.setdefault(names.twin_key(name), name) for name in wanted if names.twin_key(name) not in keys
    ]
    lines = [
        json.dumps({"name": name, "source": f"s3://models/{name}", "aliases": ["champion"]})
        for name in wanted
    ]
    here.does("register", "--batch", "-", stdin="\n".join(lines).encode())
    listed = [row["name"] for row in json.loads(here.does("list", "--json").out)]
    assert sorted(listed) == sorted([*wanted, "fraud"])
    with here.open() as registry:
        for name in wanted:
            assert registry.resolve(f"models:/{name}@champion") == f"s3://models/{name}"
            assert next(iter(registry.log(f"models:/{name}/1"))).changes[0].model == name
        registry.rename(wanted[0], "plain again")
        registry.delete(wanted[1])
        registry.restore(wanted[1])
    here.does("check")
    here.sound()
    folders = [names.folder(name) for name in wanted]
    assert len({folder.casefold() for folder in folders}) == len(folders)
