"""A work tree is kept in step, and what a person has not committed is never touched (CASES.md E06–E09)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.gitstore import journal, recovery
from gitreg.gitstore.journal import Journal
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.trees import Touched
from gitreg.gitstore.worktree import WorkTree
from tests.gitstore.conftest import MAIN, assert_sound, git, write


def edit(root: Path) -> None:
    (root / "m/a.yaml").write_text("mine\n")


def stage(root: Path) -> None:
    edit(root)
    git("add", ".", at=root)


def stage_and_restore(root: Path) -> None:
    stage(root)
    (root / "m/a.yaml").write_text("1\n")


def delete(root: Path) -> None:
    (root / "m/a.yaml").unlink()


def stand_in_the_way(root: Path) -> None:
    (root / "m/new.yaml").write_text("mine\n")


def stand_in_the_way_as_folder(root: Path) -> None:
    (root / "m/new.yaml").mkdir()


def link_outside(root: Path) -> None:
    (root / "m").rename(root.parent / "outside")
    (root / "m").symlink_to(root.parent / "outside")


def merge(root: Path) -> None:
    (root / ".git/MERGE_HEAD").write_text(git("rev-parse", "HEAD", at=root))


def stage_below(root: Path) -> None:
    (root / "m/new.yaml").mkdir()
    (root / "m/new.yaml/x").write_text("mine\n")
    git("add", ".", at=root)


def picture(root: Path) -> dict[str, bytes]:
    """Every file of the work tree and the index."""
    files = {
        path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".git" not in path.parts
    }
    return {str(path): data for path, data in files.items()} | {"index": (root / ".git/index").read_bytes()}


@pytest.mark.parametrize(
    "act",
    [
        edit,
        stage,
        stage_and_restore,
        delete,
        stand_in_the_way,
        stand_in_the_way_as_folder,
        stage_below,
        link_outside,
        merge,
    ],
)
def test_refuses_to_overwrite(plain: Repository, reader: Reader, act: Callable[[Path], None]) -> None:
    head = write(plain, reader, {"m/a.yaml": b"1\n"})
    act(plain.root)
    before = picture(plain.root)
    with pytest.raises(Conflict) as caught:
        write(plain, reader, {"m/a.yaml": b"2\n", "m/new.yaml": b"n\n"}, "a/v2")
    assert caught.value.where
    assert caught.value.hint
    assert picture(plain.root) == before
    assert plain.refs.read(MAIN) == head
    assert git("tag", at=plain.root) == ""
    assert not (plain.git_dir / "index.lock").exists()


def test_edits_elsewhere_stay(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n", "m/c.yaml": b"1\n"})
    (plain.root / "m/b.yaml").write_text("edited\n")
    (plain.root / "m/c.yaml").write_text("staged\n")
    git("add", "m/c.yaml", at=plain.root)
    (plain.root / "unknown").write_text("unknown\n")
    write(plain, reader, {"m/a.yaml": b"2\n"}, "a/v2")
    assert git("status", "--porcelain", at=plain.root).splitlines() == [
        " M m/b.yaml",
        "M  m/c.yaml",
        "?? unknown",
    ]
    assert (plain.root / "m/a.yaml").read_text() == "2\n"


def test_a_sparse_checkout_stays_sparse(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"a/1.yaml": b"1\n", "b/1.yaml": b"1\n"})
    git("status", at=plain.root)  # sparse-checkout itself takes a file without times for an edited one
    git("sparse-checkout", "set", "a", at=plain.root)
    sparse = Repository.at(plain.root)
    write(
        sparse, reader, {"a/1.yaml": b"2\n", "b/1.yaml": b"2\n", "b/2.yaml": b"new\n", "a/2.yaml": b"new\n"}
    )
    assert sorted(str(path.relative_to(plain.root)) for path in (plain.root / "a").iterdir()) == [
        "a/1.yaml",
        "a/2.yaml",
    ]
    assert not (plain.root / "b").exists()
    assert_sound(plain)
    git("sparse-checkout", "disable", at=plain.root)
    assert (plain.root / "b/2.yaml").read_text() == "new\n"
    assert_sound(plain)


@pytest.mark.parametrize("attributes", ["", "*.yaml text eol=lf\n", "* text=auto\n"])
@pytest.mark.parametrize("autocrlf", ["true", "input", "false"])
def test_line_ends(plain: Repository, reader: Reader, attributes: str, autocrlf: str) -> None:
    git("config", "core.autocrlf", autocrlf, at=plain.root)
    write(
        plain, reader, {"a.yaml": b"1\nx\n"} | ({".gitattributes": attributes.encode()} if attributes else {})
    )
    (plain.root / "a.yaml").unlink()
    git("checkout", "a.yaml", at=plain.root)
    write(plain, reader, {"a.yaml": b"2\nx\n"})
    assert_sound(plain)


def test_executables_links_and_moved_folders(plain: Repository, reader: Reader) -> None:
    folder = plain.root / "m/old"
    folder.mkdir(parents=True)
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    (folder / "link").symlink_to("run")
    git("add", ".", at=plain.root)
    git("commit", "-q", "-m", "by hand", at=plain.root)
    entry = reader.entry(reader.commit(plain.refs.read(MAIN) or "").tree, "m/old")
    write(plain, reader, {"m/old": None, "m/new": entry})
    assert not folder.exists()
    assert (plain.root / "m/new/link").is_symlink()
    assert (plain.root / "m/new/run").stat().st_mode & 0o111
    assert_sound(plain)


def test_a_foreign_index_lock_is_named(plain: Repository, reader: Reader) -> None:
    lock = plain.git_dir / "index.lock"
    lock.touch()
    with pytest.raises(EnvironmentFailure) as caught:
        write(plain, reader, {"x": b"1\n"})
    assert (caught.value.where, caught.value.hint) == (str(lock), "gitreg doctor")
    assert lock.exists()
    lock.unlink()
    assert_sound(plain)


def test_another_branch_is_checked_out(plain: Repository, reader: Reader) -> None:
    git("checkout", "-q", "-b", "topic", at=plain.root)
    oid = write(plain, reader, {"x": b"1\n"})
    assert git("rev-parse", "main", at=plain.root) == oid
    assert not (plain.root / "x").exists()
    assert_sound(plain)


def left_behind(plain: Repository, reader: Reader) -> Journal:
    """The state after a kill between the move of the branch and the work tree."""
    old = plain.refs.read(MAIN)
    new = write(plain, reader, {"m/a.yaml": b"2\n", "m/b.yaml": None, "m/c.yaml": b"new\n"}, "a/v2")
    git("reset", "-q", "--hard", str(old), at=plain.root)
    git("update-ref", MAIN, new, at=plain.root)
    git("tag", "-d", "a/v2", at=plain.root)
    trees = [reader.commit(str(oid)).tree for oid in (old, new)]
    touched = tuple(
        Touched(path=path, old=reader.entry(trees[0], path), new=reader.entry(trees[1], path))
        for path in ("m/a.yaml", "m/b.yaml", "m/c.yaml")
    )
    tag = git(
        "mktag", at=plain.root, stdin=f"object {new}\ntype commit\ntag a/v2\ntagger A <a@b> 1 +0000\n\nx\n"
    )
    left = Journal(
        ref=MAIN,
        old=old,
        new=new,
        tags={"refs/tags/a/v2": tag},
        git_dir=str(plain.git_dir),
        work_tree=str(plain.root),
        touched=touched,
    )
    journal.save(plain.state_dir, left, fsync=True)
    return left


def test_a_read_settles_what_a_kill_left(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
    left_behind(plain, reader)
    recovery.settle(plain, reader)
    assert_sound(plain)
    assert git("tag", at=plain.root) == "a/v2"
    assert journal.load(plain.state_dir) is None


def test_recovery_leaves_edits_alone(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
    left_behind(plain, reader)
    (plain.root / "m/a.yaml").write_text("mine\n")
    recovery.settle(plain, reader)
    assert (plain.root / "m/a.yaml").read_text() == "mine\n"
    assert (plain.root / "m/c.yaml").read_text() == "new\n"
    assert git("status", "--porcelain", at=plain.root).split()[-1] == "m/a.yaml"


def test_recovery_after_commits_of_others(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
    left = left_behind(plain, reader)
    tree = git("rev-parse", f"{left.new}^{{tree}}", at=plain.root)
    later = git("commit-tree", "-p", left.new, "-m", "foreign", tree, at=plain.root)
    git("update-ref", MAIN, later, at=plain.root)
    recovery.settle(plain, reader)
    assert_sound(plain)
    assert git("tag", at=plain.root) == "a/v2"


def test_settling_does_not_wait_for_a_writer(plain: Repository, reader: Reader) -> None:
    write(plain, reader, {"m/a.yaml": b"1\n", "m/b.yaml": b"1\n"})
    left_behind(plain, reader)
    with write_lock(plain.state_dir):
        recovery_thread_result: list[BaseException] = []
        import threading

        def settle() -> None:
            try:
                recovery.settle(plain, reader)
            except BaseException as error:
                recovery_thread_result.append(error)

        thread = threading.Thread(target=settle)
        thread.start()
        thread.join()
    assert not recovery_thread_result
    assert journal.load(plain.state_dir) is not None


def test_guard_needs_a_work_tree(bare: Repository, reader: Reader) -> None:
    with pytest.raises(ValueError, match="bare"):
        WorkTree(bare, reader, ())
