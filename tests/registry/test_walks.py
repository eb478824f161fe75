"""A long walk along the history finds what a look at each commit by itself finds, whatever is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from gitreg.errors import GitregError
from gitreg.gitstore.log import first_parents
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.steps import steps_between
from gitreg.registry import judging
from gitreg.registry.differing import judge_difference
from gitreg.registry.ground import Ground, file_in
from gitreg.registry.store import Store
from tests.registry.broken_history import History


@pytest.fixture(params=[(1, ""), (2, "sub/"), (4, ""), (5, "sub/"), (12, "")], ids=str)
def broken(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A history of some dozens of commits."""
    seed, prefix = request.param
    place = tmp_path / "registry.git"
    History(place, Random(seed), prefix=prefix).make(40)
    with Store(Repository.at(place, prefix=prefix)) as store:
        yield store


def chain_of(store: Store) -> tuple[str, list[str]]:
    """The head, whatever its settings say, and the whole chain."""
    head = store.repository.refs.read("refs/heads/main")
    assert head is not None
    return head, list(first_parents(store.repository, head))


def test_a_walk_finds_what_single_looks_find(broken: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    head, chain = chain_of(broken)
    for by_parent in (True, False):
        judged = partial(judging.line, broken, chain[-1], head, by_parent=by_parent)
        walked = list(judged())
        near = steps_between(broken.reader, chain[-1], head, paths=judging.watched_paths(broken))
        assert near is not None
        with monkeypatch.context() as patch:  # everything is looked up for each commit
            patch.setattr(Ground, "file", lambda self, commit, path: file_in(broken, commit, path))
            patch.setattr(judging, "_changes_rules", lambda store, commit: True)
            singly = list(judged(near=near))
        assert [each.commit for each in walked] == [each.commit for each in singly]
        assert [each.findings for each in walked] == [each.findings for each in singly]
        assert walked == singly or [replace(each, judged=()) for each in walked] == [
            replace(each, judged=()) for each in singly
        ]
    assert any(each.findings for each in walked), "nothing is wrong here: the history proves nothing"


def test_files_around_a_commit_are_what_its_trees_hold(broken: Store) -> None:
    head, chain = chain_of(broken)
    commits = steps_between(broken.reader, chain[-1], head, paths=judging.watched_paths(broken))
    assert commits
    ground = Ground(broken)
    asked = sorted({each.path.removeprefix(broken.prefix) for one in commits for each in one.changes})
    for commit in commits:
        ground.step(commit)
        for side in (commit.parents[0], commit.oid):
            for path in asked:
                assert ground.file(side, path) == file_in(broken, side, path), (commit.oid, path)
        before, after = commit.parents[0], commit.oid
        quick = judge_difference(broken, before, after, look=ground.file)
        assert quick == judge_difference(broken, before, after)


def test_a_verdict_does_not_hang_on_how_the_commits_were_read(
    broken: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    head, chain = chain_of(broken)

    def verdicts() -> list[object]:
        found: list[object] = []
        for base in chain[::9]:
            for proposal in (False, True):
                try:
                    found.append(judging.judge(broken, base, head, proposal=proposal).findings)
                except GitregError as error:
                    found.append(str(error))
        return found

    near = verdicts()
    monkeypatch.setattr(judging, "steps_between", lambda *args, **kwargs: None)
    assert verdicts() == near
