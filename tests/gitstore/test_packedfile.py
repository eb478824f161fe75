"""Refs found and added in packed-refs as Git finds and adds them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.gitstore.packed import add_tags
from gitreg.gitstore.packedfile import PackedFile
from gitreg.gitstore.repository import Repository

HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
WORDS = st.sampled_from(["a", "a-b", "a.b", "ab", "b", "v1", "v10", "v1-x", "Ä"])
NAMES = st.lists(WORDS, min_size=1, max_size=3).map("/".join)


def text_of(names: list[str], width: int) -> bytes:
    lines = []
    for at, name in enumerate(sorted(f"refs/tags/{name}".encode() for name in names)):
        lines.append(b"%0*x %s\n" % (width, at + 1, name))
        if at % 3:
            lines.append(b"^%0*x\n" % (width, at + 1))
    return HEADER + b"".join(lines)


@given(st.lists(NAMES, unique=True, max_size=30), NAMES, st.sampled_from([40, 64]), st.integers(0, 30))
def test_what_is_searched_is_found_as_in_a_list(names: list[str], wanted: str, width: int, near: int) -> None:
    file = PackedFile(text_of(names, width))
    ordered = sorted(f"refs/tags/{name}".encode() for name in names)
    raw = f"refs/tags/{wanted}".encode()
    oids = {name: f"{at + 1:0{width}x}" for at, name in enumerate(ordered)}
    assert file.find(raw) == oids.get(raw)
    following = next((name for name in ordered if name >= raw), b"")
    assert file.name_at(file.place(raw)) == following
    before = [name for name in ordered if name <= raw][: near + 1]
    if before:  # from any place that is not behind it
        assert file.place(raw, file.place(before[-1])) == file.place(raw)
        assert file.place(raw, file.place(before[0])) == file.place(raw)
    begun = [(name, oids[name]) for name in ordered if name.startswith(raw)]
    assert list(file.beginning(raw)) == begun


def test_an_unsorted_file_is_refused() -> None:
    with pytest.raises(EnvironmentFailure, match="not sorted"):
        PackedFile(b"# pack-refs with: peeled \n" + b"0" * 40 + b" refs/tags/a\n")


def git(at: Path, *args: str, stdin: str = "") -> str:
    done = subprocess.run(["git", *args], cwd=at, input=stdin, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "registry")
    place = tmp_path / "registry"
    tree = git(place, "mktree").strip()
    commit = git(place, "commit-tree", "-m", "first", tree).strip()
    git(place, "update-ref", "refs/heads/main", commit)
    return place


def annotated(place: Path, names: list[str]) -> dict[str, tuple[str, str]]:
    commit = git(place, "rev-parse", "main").strip()
    found = {}
    for name in names:
        text = f"object {commit}\ntype commit\ntag {name}\ntagger A <a@b> 1 +0000\n\n{name}\n"
        found[f"refs/tags/{name}"] = (git(place, "mktag", stdin=text).strip(), commit)
    return found


def test_tags_are_merged_as_git_would_pack_them(bare: Path) -> None:
    refs = Repository.at(bare).refs
    first = ["m/v1", "m/v10", "m/Production/1", "m-2/v1", "z"]
    second = ["a", "m/v2", "m/v1-x", "m.x/v1", "m/Production/2", "zz/v1"]
    add_tags(refs, annotated(bare, first))
    add_tags(refs, annotated(bare, second))
    ours = (bare / "packed-refs").read_bytes()
    git(bare, "pack-refs", "--all")
    theirs = (bare / "packed-refs").read_bytes()
    assert [
        line for line in theirs.splitlines() if not line.endswith(b"refs/heads/main")
    ] == ours.splitlines()
    assert git(bare, "tag").split() == sorted([*first, *second])
    assert git(bare, "fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["m/v1", "m", "m/v1/x", "m/v1/x/y"])
def test_a_name_that_is_taken_is_refused(bare: Path, name: str, packed: bool) -> None:
    git(bare, "tag", "m/v1", "main")
    git(bare, "tag", "m/v1-x", "main")  # stands between m/v1 and what is below it
    if packed:
        git(bare, "pack-refs", "--all")
    before = git(bare, "show-ref")
    with pytest.raises(Conflict):
        add_tags(Repository.at(bare).refs, annotated(bare, ["a", name, "z"]))
    assert git(bare, "show-ref") == before
    assert not (bare / "packed-refs.lock").exists()


def test_refs_that_begin_alike_are_those_that_git_lists(bare: Path) -> None:
    for name in ("m/v1", "m/v2", "m/Production/1", "m-2/v1", "n/v1"):
        git(bare, "tag", name, "main")
    git(bare, "pack-refs", "--all")
    for name in ("m/v3", "m/Production/2", "x"):
        git(bare, "tag", name, "main")
    git(bare, "tag", "-f", "m/v2", "-a", "-m", "loose, and packed as another")
    (bare / "refs" / "tags" / "m" / "v9.lock").write_text("")
    (bare / "refs" / "tags" / "m" / "v8").write_text("")  # broken
    refs = Repository.at(bare).refs
    listed = [
        line.split() for line in git(bare, "for-each-ref", "--format=%(refname) %(objectname)").split("\n")
    ]
    everything = {line[0]: line[1] for line in listed if line}
    for start in (
        "refs/tags/m/",
        "refs/tags/m/v",
        "refs/tags/m/Production/",
        "refs/tags/",
        "refs/",
        "refs/tags/q/",
    ):
        wanted = {name: oid for name, oid in everything.items() if name.startswith(start)}
        assert refs.beginning(start) == wanted
        if start.endswith("/"):
            assert refs.list(start) == sorted(wanted)


def test_one_that_was_cut_off_is_refused_as_git_does() -> None:
    whole = text_of(["a/v1", "a/v2"], 40)
    with pytest.raises(EnvironmentFailure, match="packed-refs is damaged"):
        PackedFile(whole[:-5])
