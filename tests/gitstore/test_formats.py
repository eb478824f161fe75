"""Trees and packs as bytes: properties, with Git as the judge."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from gitreg.errors import IntegrityError
from gitreg.gitstore.objects import object_id
from gitreg.gitstore.pack import Likeness, PackSink, splice_delta
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import FILE, FOLDER, Entry, Tree, encode_tree
from tests.gitstore.conftest import git

names = some.text(
    some.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6
)
near = some.text("a.-0 ", min_size=1, max_size=4)  # names that sort unlike folders of the same name
oids = some.binary(min_size=20, max_size=20).map(bytes.hex)
entries = some.builds(Entry, some.sampled_from([FILE, FOLDER, "100755", "120000"]), oids)


@given(some.dictionaries(names | near, entries), some.dictionaries(names | near, entries | some.none()))
def test_splicing_is_encoding(before: dict[str, Entry], changes: dict[str, Entry | None]) -> None:
    tree = Tree(encode_tree(before), 20)
    assert dict(tree) == before
    wanted = {name: entry for name, entry in (before | changes).items() if entry}
    spliced = tree.spliced(changes)
    assert spliced.raw == encode_tree(wanted)
    assert list(spliced.items()) == list(Tree(spliced.raw, 20).items())
    assert set(tree.differing(spliced)) == {n for n in {*before, *wanted} if before.get(n) != wanted.get(n)}


@given(some.binary(max_size=80))
def test_no_tree_is_refused(raw: bytes) -> None:
    try:
        tree = Tree(raw, 20)
    except IntegrityError:
        return
    assert encode_tree(dict(tree)) == raw or len(raw) > 0


def test_git_makes_the_same_tree(tmp_path: Path) -> None:
    git("init", "-q", "--bare", str(tmp_path), at=tmp_path)
    oid = git("hash-object", "-w", "--stdin", at=tmp_path, stdin="x")
    empty = git("mktree", at=tmp_path)
    tree = {
        "a.b": Entry(FILE, oid),
        "a": Entry(FOLDER, empty),
        "a-b": Entry(FILE, oid),
        "ü": Entry(FILE, oid),
    }
    lines = "".join(
        f"{'040000 tree' if entry.mode == FOLDER else '100644 blob'} {entry.oid}\t{name}\0"
        for name, entry in tree.items()
    )
    assert object_id("tree", encode_tree(tree)) == git("mktree", "-z", at=tmp_path, stdin=lines)


def patched(old: bytes, delta: bytes) -> bytes:
    """A delta applied, as git's patch-delta.c does it."""
    at = 0

    def size() -> int:
        nonlocal at
        value, shift = 0, 0
        while True:
            byte = delta[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                return value

    assert size() == len(old)
    length, out = size(), b""
    while at < len(delta):
        code = delta[at]
        at += 1
        if not code & 0x80:
            out += delta[at : at + code]
            at += code
            continue
        numbers = []
        for bit in range(7):
            numbers.append(delta[at] if code & (1 << bit) else 0)
            at += bool(code & (1 << bit))
        offset = int.from_bytes(bytes(numbers[:4]), "little")
        count = int.from_bytes(bytes(numbers[4:]), "little") or 0x10000
        out += old[offset : offset + count]
    assert len(out) == length
    return out


@settings(max_examples=200)
@given(
    some.binary(max_size=400), some.binary(max_size=400), some.binary(max_size=300), some.binary(max_size=300)
)
def test_deltas(front: bytes, back: bytes, old: bytes, new: bytes) -> None:
    before, after = front + old + back, front + new + back
    assert patched(before, splice_delta(before, after)) == after


@pytest.mark.parametrize("size", [0, 1, 0xFFFF, 0x10000, 0x10001, 0xFFFFFF, 0x1000002])
def test_long_copies(size: int) -> None:
    old = random.Random(size).randbytes(size)
    assert patched(old, splice_delta(old, old + b"x")) == old + b"x"


@pytest.mark.parametrize("kind", ["sha1", "sha256"])
def test_a_pack_of_a_long_chain(tmp_path: Path, kind: str) -> None:
    git("init", "-q", "--bare", f"--object-format={kind}", str(tmp_path), at=tmp_path)
    sink = PackSink(tmp_path / "objects", kind)
    size = 20 if kind == "sha1" else 32
    blobs = [sink.write("blob", b"%d\n" % number * 300) for number in range(120)]
    tree, oid = Tree(b"", size, {}), None
    made = {}
    for number, blob in enumerate(blobs):
        grown = tree.spliced({f"{number:05}-{'n' * 40}": Entry(FILE, blob)})
        oid = sink.write("tree", grown.raw, like=Likeness(oid, tree.raw, *grown.kept) if oid else None)
        made[oid], tree = grown.raw, grown
    sink.flush()
    repository = Repository.at(tmp_path)
    with Reader(repository) as reader:
        assert all(reader.object(oid) == ("tree", raw) for oid, raw in made.items())
        assert list(reader.blobs(blobs)) == [(blob, b"%d\n" % n * 300) for n, blob in enumerate(blobs)]
    git("fsck", "--strict", "--no-dangling", at=tmp_path)
    git("verify-pack", *map(str, (tmp_path / "objects/pack").glob("*.idx")), at=tmp_path)
    packs = list((tmp_path / "objects/pack").glob("*.pack"))
    assert packs[0].stat().st_size < sum(map(len, made.values())) // 4
    assert (packs[0].with_suffix(".keep")).exists()
    sink.stands()
    assert not (packs[0].with_suffix(".keep")).exists()
