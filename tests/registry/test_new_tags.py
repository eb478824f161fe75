"""A server looks at new commits alone, and has the same tags as one that looks at everything."""

from __future__ import annotations

import subprocess
from pathlib import Path
from random import Random

import pytest

from gitreg.gitstore.log import first_parents
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.tagrefs import tags
from gitreg.registry import new_tags, reconcile
from gitreg.registry.store import Store
from gitreg.registry.tag_note import read_note, total_of
from tests.registry.broken_history import History

_MAIN = "refs/heads/main"


@pytest.fixture(params=[(3, ""), (7, "sub/"), (8, "")], ids=str)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A history in which anything may be wrong; its settings can be read at every commit that is pushed."""
    seed, prefix = request.param
    place = tmp_path / "registry.git"
    History(place, Random(seed), prefix=prefix, rules=False).make(40)
    if prefix:
        git(place, "config", "gitreg.prefix", prefix)
    return place


def git(place: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=place, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def opened(place: Path) -> Store:
    return Store(Repository.discover(place))


def test_pushes_make_the_tags_that_a_look_at_everything_makes(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(place) as store:
        head = store.head()
        chain = list(first_parents(store.repository, head))[::-1]
    looks = []
    whole = reconcile.survey
    monkeypatch.setattr(reconcile, "survey", lambda store: looks.append(store) or whole(store))
    pushed = Random(1)
    for at in sorted({0, *pushed.sample(range(len(chain)), 12), len(chain) - 1}):
        git(place, "update-ref", _MAIN, chain[at])
        with opened(place) as store:
            new_tags.make_new_tags(store)
    assert len(looks) == 1, "everything is looked at when there is no note, and then no more"
    with opened(place) as store:
        made, note = tags(store.repository), read_note(store)
        assert made
        assert note is not None
        assert (note.head, note.total) == (head, total_of(made))
        assert not whole(store).missing
        assert not whole(store).drift
        for name in made:
            git(place, "update-ref", "-d", f"refs/tags/{name}")
        assert whole(store).missing, "tags that are gone are missed, whatever the note says"
        assert set(reconcile.reconcile(store).made) == set(made)
        assert tags(store.repository) == made


def test_a_tag_that_came_with_the_push_is_counted(place: Path) -> None:
    with opened(place) as store:
        chain = list(first_parents(store.repository, store.head()))
        reconcile.reconcile(store)
    right = dict(line.split()[::-1] for line in git(place, "show-ref", "--tags").splitlines())
    newest = {ref for ref in right if git(place, "rev-parse", f"{ref}^{{commit}}") in chain[:10]}
    assert newest
    for ref in right:
        git(place, "update-ref", "-d", ref)
    git(place, "update-ref", _MAIN, chain[10])
    with opened(place) as store:
        reconcile.reconcile(store)
    git(place, "update-ref", _MAIN, chain[0])
    for ref in sorted(newest)[::2]:
        git(place, "update-ref", ref, right[ref])
    with opened(place) as store:
        made = new_tags.make_new_tags(store)
        assert {f"refs/tags/{name}" for name in made} == set(sorted(newest)[1::2])
        found = reconcile.survey(store)
        assert (found.missing, found.drift) == ((), ())


def test_a_wrong_tag_that_came_is_told_by_a_look_at_everything(place: Path) -> None:
    with opened(place) as store:
        chain = list(first_parents(store.repository, store.head()))
        reconcile.reconcile(store)
    newest = [
        ref
        for ref in git(place, "for-each-ref", "--format=%(refname)", "refs/tags").splitlines()
        if git(place, "rev-parse", f"{ref}^{{commit}}") in chain[:10]
    ]
    for ref in newest:
        git(place, "update-ref", "-d", ref)
    git(place, "update-ref", _MAIN, chain[10])
    with opened(place) as store:
        reconcile.reconcile(store)
    git(place, "update-ref", _MAIN, chain[0])
    git(place, "update-ref", newest[0], chain[0])  # a lightweight one
    with opened(place) as store:
        new_tags.make_new_tags(store)
        found = reconcile.survey(store)
        assert found.missing == ()
        assert [each.path for each in found.drift] == [newest[0].removeprefix("refs/tags/")]
