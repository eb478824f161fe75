"""History and differences, against plain Git's own answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.log import commit_at, history
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.writer import open_session
from tests.gitstore.conftest import ADA, MAIN, NOON, children, git, write


def head(repository: Repository) -> str:
    return repository.refs.read(MAIN) or ""


def test_tells_what_each_commit_changed(repository: Repository, reader: Reader) -> None:
    odd = 'm/ü \t"\n:(top)*.yaml'
    first = write(
        repository, reader, {odd: b"1\n", "m/b": b"1\n"}, message="one\n\nbody\n\n:100644 x\x01y\nA: b\n"
    )
    second = write(repository, reader, {odd: b"2\n", "m/b": None}, message="two")
    empty = write(repository, reader, {}, message="three")
    commits = list(history(repository, head=head(repository)))
    assert [commit.oid for commit in commits[:3]] == [empty, second, first]
    assert [commit.subject for commit in commits] == ["three", "two", "one", "start"]
    assert commits[2].body == "body\n\n:100644 x\x01y\nA: b\n"
    assert commits[0].changes == ()
    assert [(each.path, each.old is None, each.new is None) for each in commits[1].changes] == [
        ("m/b", False, True),
        (odd, False, False),
    ]
    assert len(commits[3].changes) == 1
    assert commits[3].changes[0].old is None
    assert (commits[2].author, commits[2].commit_time) == (ADA, NOON)
    assert [commit.oid for commit in history(repository, head=head(repository), paths=[odd])] == [
        second,
        first,
    ]
    assert list(history(repository, head=head(repository), paths=["m/*"])) == []


def test_a_merge_is_what_it_brought(plain: Repository, reader: Reader) -> None:
    git("checkout", "-q", "-b", "topic", at=plain.root)
    (plain.root / "t").write_text("t\n")
    git("add", ".", at=plain.root)
    git("commit", "-q", "-m", "topic", at=plain.root)
    git("checkout", "-q", "main", at=plain.root)
    write(plain, reader, {"x": b"1\n"})
    git("merge", "-q", "--no-edit", "topic", at=plain.root)
    commits = list(history(plain, head=head(plain)))
    assert [[each.path for each in commit.changes] for commit in commits] == [["t"], ["x"], ["gitreg.yaml"]]
    assert len(commits[0].parents) == 2
    git("config", "log.diffMerges", "off", at=plain.root)
    git("config", "diff.relative", "true", at=plain.root)
    git("config", "log.showRoot", "false", at=plain.root)
    assert list(history(Repository.at(plain.root), head=head(plain))) == commits


def test_windows_of_history_and_points_in_time(bare: Repository, reader: Reader) -> None:
    with open_session(bare, reader, ref=MAIN) as session:
        oids = [
            session.commit(
                parent=session.tip,
                changes={"x": b"%d\n" % number},
                message=str(number),
                author=ADA,
                committer=ADA,
                when=NOON + timedelta(days=900, hours=number),
            )
            for number in range(10)
        ]
        session.publish()
    whole = [commit.oid for commit in history(bare, head=oids[-1])]
    assert whole[:10] == oids[::-1]
    assert [commit.oid for commit in history(bare, head=oids[-1], skip=2, limit=3)] == whole[2:5]
    since = NOON + timedelta(days=900, hours=7)
    assert [commit.oid for commit in history(bare, head=oids[-1], since=since)] == oids[:6:-1]
    assert commit_at(bare, oids[-1], since) == oids[7]
    assert commit_at(bare, oids[-1], since + timedelta(minutes=59, microseconds=5)) == oids[7]
    assert commit_at(bare, oids[-1], datetime(1980, 1, 1, tzinfo=UTC)) is None
    with pytest.raises(ValueError, match="object id"):
        commit_at(bare, "--all", since)


def test_an_abandoned_history_leaves_no_child(repository: Repository, reader: Reader) -> None:
    before = children()
    write(repository, reader, {f"{n}": b"x\n" for n in range(3000)})
    stream = history(repository, head=head(repository))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    reader.close()
    assert children() == before


def test_diff_trees_says_what_git_says(bare: Repository, reader: Reader, tmp_path: Path) -> None:
    old = write(bare, reader, {f"d{n % 4}/{n}": b"%d\n" % n for n in range(40)} | {"both": b"file\n"})
    changes = {"d1": None, "d2/6": b"new\n", "d9/x/y": b"new\n", "both": None, "both/now": b"folder\n"}
    new = write(bare, reader, changes | {"d3/3": b"x\n"})
    lines = git("diff-tree", "-r", "-z", "--no-renames", old, new, at=bare.root).split("\0")[:-1]
    expected = {(path, *line[1:].split()[2:4]) for line, path in zip(lines[::2], lines[1::2], strict=True)}
    found = list(diff_trees(reader, reader.commit(old).tree, reader.commit(new).tree))
    zero = "0" * 40
    assert {(t.path, t.old.oid if t.old else zero, t.new.oid if t.new else zero) for t in found} == expected
    whole = list(diff_trees(reader, None, reader.commit(new).tree, "pre/"))
    assert [each.path for each in whole] == [path for path, _ in reader.walk(reader.commit(new).tree, "pre/")]
