"""Sessions: what is published, in every kind of repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.errors import Conflict, EnvironmentFailure, MovedRef
from gitreg.gitstore import housekeeping
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.writer import open_session
from tests.gitstore.conftest import ADA, MAIN, NOON, add, assert_sound, git, make, write


def test_publishes_commit_and_tags(repository: Repository, reader: Reader) -> None:
    prefix = repository.prefix
    before = repository.refs.read(MAIN)
    oid = write(repository, reader, {prefix + "models/a/1.yaml": b"one\n"}, "a/v1", "a/Production/1")
    assert git("rev-parse", "main", at=repository.root) == oid
    assert git("rev-parse", "main^", at=repository.root) == before
    assert git("tag", at=repository.root).split() == ["a/Production/1", "a/v1"]
    assert git("show", f"main:{prefix}models/a/1.yaml", at=repository.root) == "one"
    assert_sound(repository)
    assert repository.bare or (repository.root / prefix / "models/a/1.yaml").read_text() == "one\n"


def test_a_chain_of_commits_with_many_tags(repository: Repository, reader: Reader) -> None:
    with open_session(repository, reader, ref=MAIN) as session:
        for number in range(200):
            path = f"models/m{number % 7}/versions/{number}.yaml"
            oid = add(session, {path: b"version: %d\n" % number})
            name = f"m{number % 7}/v{number}"
            session.tag(name=name, target=oid, message="x", tagger=ADA, when=NOON)
        session.publish()
    assert_sound(repository)
    assert len(git("tag", at=repository.root).split()) == 200
    files = [entry.oid for _, entry in reader.walk(reader.commit(oid).tree)]
    assert len(files) == 201
    assert len(dict(reader.blobs(files))) == 201
    assert git("rev-list", "--count", "main", at=repository.root) == "201"


def test_the_same_bytes_as_git_makes(
    plain: Repository, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "1795435200 +0000")
    ours = write(plain, reader, {"a/b.yaml": b"x\n"}, "a/v1", message="two\n\nlines")
    our_tag = git("rev-parse", "refs/tags/a/v1", at=plain.root)
    git("tag", "-d", "a/v1", at=plain.root)
    git("reset", "-q", "--soft", "HEAD^", at=plain.root)
    git("commit", "-q", "-m", "two", "-m", "lines", at=plain.root)
    git("tag", "-a", "-m", "a/v1", "a/v1", at=plain.root)
    assert git("rev-parse", "HEAD", at=plain.root) == ours
    assert git("rev-parse", "refs/tags/a/v1", at=plain.root) == our_tag


def test_deletes_renames_and_prunes_folders(repository: Repository, reader: Reader) -> None:
    write(repository, reader, {"models/a/model.yaml": b"a\n", "models/a/versions/1.yaml": b"1\n"})
    head = repository.refs.read(MAIN)
    folder = reader.entry(reader.commit(head or "").tree, "models/a")
    write(
        repository,
        reader,
        {
            "models/a": None,
            "models/b": folder,
            "models/b/model.yaml": b"b\n",
            "models/a/model.yaml": b"gone\n",
        },
    )
    listed = git("ls-tree", "-r", "--name-only", "main", at=repository.root).split()
    assert [path for path in listed if path.startswith("models")] == [
        "models/a/model.yaml",
        "models/b/model.yaml",
        "models/b/versions/1.yaml",
    ]
    assert_sound(repository)
    write(repository, reader, {"models": None})
    assert "models" not in git("ls-tree", "-r", "--name-only", "main", at=repository.root)
    assert repository.bare or not (repository.root / "models").exists()
    assert_sound(repository)


def test_a_session_reads_what_it_has_not_published(repository: Repository, reader: Reader) -> None:
    with open_session(repository, reader, ref=MAIN) as session:
        first = add(session, {"a/b": b"1\n"})
        tree = session.tree_of(first)
        entry = session.reader.entry(tree, "a/b")
        assert entry is not None and session.reader.blob(entry.oid) == b"1\n"
        assert session.base == repository.refs.read(MAIN)
    assert repository.refs.read(MAIN) == session.base
    assert not reader.has(first)


def test_the_first_commit_of_all(tmp_path: Path) -> None:
    git("init", "-q", "--bare", "-b", "main", str(tmp_path / "new.git"), at=tmp_path)
    fresh = Repository.at(tmp_path / "new.git")
    with Reader(fresh) as reader:
        oid = write(fresh, reader, {"gitreg.yaml": b"format: 1\n"})
        assert reader.commit(oid).parents == ()
    assert_sound(fresh)


def test_a_branch_moved_by_git_meanwhile(repository: Repository, reader: Reader) -> None:
    before = repository.refs.read(MAIN)
    tree = git("rev-parse", "main^{tree}", at=repository.root)
    with open_session(repository, reader, ref=MAIN) as session:
        add(session, {"x": b"1\n"})
        foreign = git("commit-tree", "-p", str(before), "-m", "foreign", tree, at=repository.root)
        git("update-ref", MAIN, foreign, at=repository.root)
        with pytest.raises(MovedRef):
            session.publish()
    assert repository.refs.read(MAIN) == foreign
    assert_sound(repository)


@pytest.mark.parametrize("taken", ["a/v1", "a", "a/v1/x"])
def test_a_tag_in_the_way(repository: Repository, reader: Reader, taken: str) -> None:
    git("tag", taken, "main", at=repository.root)
    before = repository.refs.read(MAIN)
    with pytest.raises(Conflict) as caught:
        write(repository, reader, {"x": b"1\n"}, "a/v1")
    assert "tags.prefix" in caught.value.hint
    assert repository.refs.read(MAIN) == before
    assert git("tag", at=repository.root) == taken
    assert_sound(repository)


@pytest.mark.parametrize("name", ["a\nupdate refs/heads/main 0", "../x", "a..b", "a.lock", "-", "a b"])
def test_tag_names_that_are_no_refs(bare: Repository, reader: Reader, name: str) -> None:
    before = git("for-each-ref", at=bare.root)
    if name == "-":  # a ref of that name is fine, as nothing here reads it as an option
        write(bare, reader, {"x": b"1\n"}, name)
        assert git("tag", at=bare.root) == "-"
        return
    with pytest.raises(Conflict):
        write(bare, reader, {"x": b"1\n"}, name)
    assert git("for-each-ref", at=bare.root) == before


@pytest.mark.parametrize("path", ["../x", "a//b", "/x", ".git/config", "a/.GIT/x", ""])
def test_paths_that_no_tree_may_hold(bare: Repository, reader: Reader, path: str) -> None:
    with pytest.raises(Conflict):
        write(bare, reader, {path: b"1\n"})


def test_a_stale_lock_of_somebody_else(repository: Repository, reader: Reader) -> None:
    lock = repository.common_dir / "refs/heads/main.lock"
    lock.touch()
    with pytest.raises(EnvironmentFailure) as caught:
        write(repository, reader, {"x": b"1\n"}, "x/v1")
    assert caught.value.where == str(lock)
    assert caught.value.hint == "gitreg doctor"
    lock.unlink()
    assert git("tag", at=repository.root) == ""
    assert_sound(repository)


@pytest.mark.parametrize(
    "sweep", [["gc", "--prune=now", "-q"], ["repack", "-a", "-d", "-q"], ["prune", "--expire=now"]]
)
def test_a_gc_beside_us_takes_nothing(bare: Repository, reader: Reader, sweep: list[str]) -> None:
    with open_session(bare, reader, ref=MAIN) as session:
        add(session, {"x": b"1\n"})
        session._sink.flush()
        keeps = list((bare.common_dir / "objects/pack").glob("*.keep"))
        assert len(keeps) == 1
        git(*sweep, at=bare.root)
        session.publish()
    assert not keeps[0].exists()
    assert_sound(bare)
    git(*sweep, at=bare.root)
    assert_sound(bare)


def test_packs_are_swept_together(bare: Repository, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "_PACKS", 20)
    packs = bare.common_dir / "objects/pack"
    for number in range(25):
        write(bare, reader, {"x": b"%d\n" % number}, f"x/v{number}")
    assert len(list(packs.glob("*.pack"))) < 10
    assert list(packs.glob("*.keep")) == []
    assert len(git("tag", at=bare.root).split()) == 25
    assert_sound(bare)


def test_the_branch_is_checked_out_elsewhere(tmp_path: Path) -> None:
    linked = make("worktree", tmp_path)
    other = Repository.discover(tmp_path / "repo")
    with Reader(other) as reader, pytest.raises(Conflict) as caught:
        write(other, reader, {"x": b"1\n"})
    assert caught.value.where == str(linked.root)
    assert_sound(linked)
