"""Merging trees gives what ``git merge`` gives, or tells the same files as in conflict."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitreg.gitstore.merging import merge_trees
from gitreg.gitstore.objects import Person, Signature
from gitreg.gitstore.overlay import lay_over, overlay
from gitreg.gitstore.process import version
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now

Files = dict[str, str | None]

PATHS = ("a.yaml", "models/churn/1.yaml", "models/churn/2.yaml", "models/fraud/1.yaml")
LINES = st.lists(st.sampled_from(["one", "two", "three", "four"]), min_size=1, max_size=8)


def texts(path: str) -> st.SearchStrategy[str | None]:
    """Texts of one file, too unlike those of others for Git to see a rename."""
    own = "".join(f"{path} {number}\n" for number in range(20))
    return st.one_of(st.none(), LINES.map(lambda lines: own + "".join(f"{line}\n" for line in lines)))


SIDES = st.fixed_dictionaries({path: texts(path) for path in PATHS})


def git(place: Path, *args: str, stdin: str = "", code: int = 0) -> str:
    done = subprocess.run(["git", *args], cwd=place, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout.strip()


def commits(place: Path, *sides: Files) -> list[str]:
    """The first of ``sides`` as a commit, and the others as commits on top of it."""
    stream = ""
    for mark, files in enumerate(sides, start=1):
        stream += f"commit refs/heads/side{mark}\nmark :{mark}\ncommitter A <a@example.com> {mark} +0000\n"
        stream += (
            "data 1\nx\n" + ("from :1\n" if mark > 1 else "") + "deleteall\nM 644 inline keep\ndata 4\nkeep\n"
        )
        for path, text in files.items():
            if text is not None:
                stream += f"M 644 inline {path}\ndata {len(text)}\n{text}\n"
    git(place, "fast-import", "--quiet", "--force", stdin=stream)
    return [git(place, "rev-parse", f"side{mark}") for mark in range(1, len(sides) + 1)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("merging")
    git(place, "init", "-q", "--bare", "-b", "main")
    return place


def merged(place: Path, base: Files, ours: Files, theirs: Files) -> tuple[tuple[str, ...], str]:
    """The paths in conflict, and the tree that the merge gives where there are none."""
    old, left, right = commits(place, base, ours, theirs)
    repository = Repository.at(place)
    with Reader(repository) as reader:
        trees = [reader.commit(oid).tree for oid in (old, left, right)]
        found = merge_trees(reader, repository, base=trees[0], ours=trees[1], theirs=trees[2])
        if found.conflicts:
            return found.conflicts, ""
        seen = overlay(reader)
        like = Signature(person=Person(name="A", email="a@example.com"), when=utc_now())
        made = lay_over(seen, trees[1], found.changes, parents=(left, right), like=like)
        assert not reader.has(made), "it is thought of, and nowhere written"
        return (), seen.commit(made).tree


@pytest.mark.skipif(version() < (2, 38), reason="git merge-tree --write-tree came with Git 2.38")
@given(base=SIDES, ours=SIDES, theirs=SIDES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_merges_as_git_does(place: Path, base: Files, ours: Files, theirs: Files) -> None:
    conflicts, tree = merged(place, base, ours, theirs)
    done = subprocess.run(
        ["git", "merge-tree", "--write-tree", "--name-only", "--no-messages", "side2", "side3"],
        cwd=place,
        capture_output=True,
        text=True,
        check=False,
    )
    wanted, *unmerged = done.stdout.split()
    assert (set(conflicts), tree) == ((set(unmerged), "") if done.returncode else (set(), wanted))


def test_a_file_that_gave_way_to_a_folder_is_no_merge(place: Path) -> None:
    conflicts, _ = merged(place, {}, {"models": "a file\n"}, {"models/churn/1.yaml": "version: 1\n"})
    assert conflicts == ("models/churn/1.yaml",)


def test_a_binary_file_is_no_text(place: Path) -> None:
    conflicts, _ = merged(place, {"data": "one\0two\n"}, {"data": "one\0three\n"}, {"data": "four\0two\n"})
    assert conflicts == ("data",)
