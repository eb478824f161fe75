"""Many commits published together are the same as one by one, byte for byte, however they are made."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gitreg.domain import requests as ask
from gitreg.domain.model import Evaluation, ModelVersion, Origin
from gitreg.domain.references import Selector, version_selector
from gitreg.domain.settings import Settings, Stage
from gitreg.errors import GitregError
from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry import growing
from gitreg.registry.create import create, create_bare
from gitreg.registry.open import open_registry
from gitreg.registry.receipt import Receipt
from gitreg.registry.store import Store
from gitreg.registry.write import Ask, apply, apply_each
from tests.registry.conftest import Git

GITREG = str(Path(sys.executable).parent / "gitreg")
ADA = Person(name="Ada Lovelace", email="ada@example.com")
IMPORTER = Person(name="Importer", email="import@example.com")
THEN = datetime(2019, 5, 1, 12, 0, 0, 123_000, UTC)
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
STAGES = (Stage(name="Staging"), Stage(name="Production", exclusive=True), Stage(name="Archived"))

NAMES = st.sampled_from(["churn", "fraud model", "Ä", "con"])
NUMBERS = st.integers(1, 6)
SELECTORS = st.one_of(
    NUMBERS.map(version_selector),
    st.just(Selector(kind="latest")),
    st.sampled_from(["Staging", "Production"]).map(lambda s: Selector(kind="stage", text=s)),
    st.just(Selector(kind="alias", text="champion")),
)
STAGE = st.sampled_from(["Staging", "Production", "Archived", "None"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
TAGS = st.dictionaries(st.sampled_from(["z", "a", "no", "12"]), TEXTS, max_size=3)
METRICS = st.dictionaries(st.sampled_from(["f1", "auc", "loss"]), st.floats(), max_size=3)


def registered(
    name: str, tags: dict[str, str], params: dict[str, str], metrics: dict[str, float], alias: bool
) -> ask.Register:
    origin = Origin(source=f"s3://{len(tags)}/x", run_id="0" * 32, params=params, metrics=metrics)
    return ask.Register(name=name, origin=origin, tags=tags, aliases=("champion",) if alias else ())


def evaluated(name: str, selector: Selector, metrics: dict[str, float]) -> ask.Evaluate:
    found = Evaluation(name="weekly", at=THEN.replace(microsecond=123_456), metrics=metrics)
    return ask.Evaluate(name=name, selector=selector, evaluation=found)


REQUESTS = st.one_of(
    st.builds(registered, NAMES, TAGS, TAGS, METRICS, st.booleans()),
    st.builds(registered, NAMES, TAGS, TAGS, METRICS, st.booleans()),
    st.builds(registered, NAMES, TAGS, TAGS, METRICS, st.booleans()),
    st.builds(evaluated, NAMES, SELECTORS, METRICS),
    st.builds(
        lambda n, v, s, a: ask.Transition(name=n, selector=v, stage=s, archive_existing=a),
        NAMES,
        SELECTORS,
        STAGE,
        st.booleans(),
    ),
    st.builds(lambda n, v, s: ask.Assign(name=n, selector=v, stage=s), NAMES, SELECTORS, STAGE),
    st.builds(lambda n, v, s: ask.Unassign(name=n, selector=v, stage=s), NAMES, SELECTORS, STAGE),
    st.builds(lambda n, v: ask.SetAlias(name=n, alias="champion", selector=v), NAMES, SELECTORS),
    st.builds(lambda n: ask.RemoveAlias(name=n, alias="champion"), NAMES),
    st.builds(lambda n, v, t: ask.Tag(name=n, selector=v, put=t), NAMES, st.none() | SELECTORS, TAGS),
    st.builds(lambda n, v, d: ask.UpdateVersion(name=n, selector=v, description=d), NAMES, SELECTORS, TEXTS),
    st.builds(lambda n, v, r: ask.Deprecate(name=n, selector=v, reason=r), NAMES, SELECTORS, TEXTS),
    st.builds(lambda n, v: ask.DeleteVersion(name=n, selector=v), NAMES, SELECTORS),
    st.builds(lambda n: ask.DeleteModel(name=n), NAMES),
    st.builds(lambda n, m: ask.Rename(name=n, new_name=m), NAMES, NAMES),
)


def asks_of(requests: Sequence[Sequence[ask.Request]]) -> list[Ask]:
    """One for each list of requests, an hour of long ago apart, carried out a second apart."""

    def at(number: int) -> Ask:
        return Ask(
            requests=requests[number],
            author=ADA,
            committer=IMPORTER,
            clock=lambda: THEN + timedelta(hours=number),
            committed=lambda: NOW + timedelta(seconds=number),
        )

    return [at(number) for number in range(len(requests))]


def one_by_one(place: Path, asks: Sequence[Ask]) -> list[Ask]:
    """Each in a process-fresh store of its own; gives those that were taken."""
    taken = []
    for each in asks:
        with Store(Repository.at(place)) as store:
            try:
                apply(store, each)
            except GitregError:
                continue
            taken.append(each)
    return taken


def together(place: Path, asks: Sequence[Ask]) -> list[Receipt]:
    done: list[Receipt] = []
    with Store(Repository.at(place)) as store:
        apply_each(store, asks, done.append)
    return done


def refs(place: Path) -> list[str]:
    """Every ref and what it holds: an id stands for every byte of commits, trees, manifests and tags."""
    told = subprocess.run(
        ["git", "for-each-ref", "--format=%(refname) %(objectname)"],
        cwd=place,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.splitlines()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bulk") / "empty"
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada Lovelace")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        create_bare(folder, settings=Settings(stages=STAGES), branch=None, env=os.environ, now=THEN)
    return folder


@pytest.fixture
def pairs(empty: Path, tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Two copies of one empty registry, again and again."""

    def made() -> Iterator[tuple[Path, Path]]:
        for number in range(10_000):
            yield tuple(  # type: ignore[misc]  # two
                Path(shutil.copytree(empty, tmp_path / f"{number}-{side}")) for side in ("single", "bulk")
            )

    return made()  # type: ignore[return-value]  # the fixture's value is an iterator itself


@pytest.mark.parametrize("carried", ["as it is", "little"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=st.lists(st.lists(REQUESTS, min_size=1, max_size=3), min_size=1, max_size=14))
def test_the_same_as_one_by_one(
    pairs: Iterator[tuple[Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    carried: str,
    asked: list[list[ask.Request]],
) -> None:
    if carried == "little":  # what is carried from commit to commit is dropped and read again
        monkeypatch.setattr(growing, "_KEPT", 2)
        monkeypatch.setattr(growing, "_LAID", 1)
    single, bulk = next(pairs)
    taken = one_by_one(single, asks_of(asked))
    receipts = together(bulk, taken)
    assert refs(bulk) == refs(single)
    commits = [receipt.commit for receipt in receipts if receipt.commit]
    assert len(commits) == len(set(commits))
    if commits:
        assert refs(bulk)[0].endswith(commits[-1])
    told = {f"refs/tags/{tag}" for receipt in receipts for tag in receipt.tags}
    assert told == {line.split()[0] for line in refs(bulk)[1:]}


def many(models: int, versions: int) -> list[list[ask.Request]]:
    """Version by version: registered with its number, every third staged, every tenth the champion."""
    asked: list[list[ask.Request]] = []
    for number in range(1, versions + 1):
        for model in range(models):
            name, selector = f"model-{model}", version_selector(number)
            origin = Origin(source=f"s3://{name}/{number}", run_id=f"{number:032x}", metrics={"f1": 0.5})
            asked.append([ask.Register(name=name, origin=origin, version=number, tags={"b": "1", "a": "2"})])
            if number % 3 == 0:
                stage = ("Staging", "Production")[number % 2]
                move = ask.Transition(
                    name=name, selector=selector, stage=stage, archive_existing=number % 4 == 0
                )
                asked.append([move])
            if number % 10 == 0:
                asked.append([ask.SetAlias(name=name, alias="champion", selector=selector)])
    return asked


def test_a_model_that_grows_past_what_is_carried(pairs: Iterator[tuple[Path, Path]]) -> None:
    single, bulk = next(pairs)
    asks = asks_of(many(1, growing._LAID * 2 + 5))
    assert one_by_one(single, asks) == asks
    for at in range(0, len(asks), 70):  # chunks, as an import makes them; each with more than 64 tags
        together(bulk, asks[at : at + 70])
    assert refs(bulk) == refs(single)


def test_one_commit_of_a_model_is_what_its_commits_leave(
    pairs: Iterator[tuple[Path, Path]], git: Git
) -> None:
    each, squashed = next(pairs)
    requests = [request for one in many(1, 90) for request in one]
    asks = asks_of([[request] for request in requests])
    same_time = [
        Ask(requests=one.requests, author=ADA, committer=ADA, clock=lambda: THEN, committed=lambda: NOW)
        for one in asks
    ]
    together(each, same_time)
    together(squashed, [Ask(requests=requests, author=ADA, committer=ADA, clock=lambda: THEN)])
    assert git(squashed, "rev-list", "--count", "main") == "2"
    assert git(squashed, "rev-parse", "main^{tree}") == git(each, "rev-parse", "main^{tree}")
    tags = git(squashed, "tag", "-l", "model-0/v*").split()
    assert len(tags) == 90 and git(squashed, "fsck", "--full", "--strict") == ""


def made(folder: Path, kind: str) -> Path:
    if kind == "sha256":
        subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(folder)], check=True)
    make = create_bare if kind == "bare" else create
    make(folder, settings=Settings(stages=STAGES), branch=None, env=os.environ, now=THEN)
    return folder


@pytest.mark.parametrize("kind", ["bare", "worktree", "sha256"])
def test_every_kind_of_repository(kind: str, tmp_path: Path, git: Git) -> None:
    place = made(tmp_path / "registry", kind)
    asks = asks_of(many(4, 30))
    for at in range(0, len(asks), 90):
        together(place, asks[at : at + 90])
    with open_registry(place) as registry:
        for model in range(4):
            versions = list(registry.versions(f"model-{model}"))
            assert sorted(v.version for v in versions) == list(range(1, 31))
            assert [v.version for v in versions if "Production" in v.stages] == [27]
    assert git(place, "fsck", "--full", "--strict") == ""
    assert git(place, "rev-list", "--count", "main") == str(len(asks) + 1)
    if kind != "bare":
        assert git(place, "status", "--porcelain") == ""


def test_verify_has_no_findings_though_the_authors_wrote_long_ago(tmp_path: Path, git: Git) -> None:
    place = made(tmp_path / "registry", "bare")
    together(place, asks_of(many(3, 20)))
    authored, committed = git(place, "log", "-1", "--format=%aI %cI", "main").split()
    assert authored.startswith("2019-05-0") and committed.startswith("2026-03-01")
    verified = subprocess.run(
        [GITREG, "verify", "--all"], cwd=place, capture_output=True, text=True, check=False
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "no findings" in verified.stdout + verified.stderr
    checked = subprocess.run([GITREG, "check"], cwd=place, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_tag_in_the_way_stops_all_of_them(tmp_path: Path, git: Git) -> None:
    place = made(tmp_path / "registry", "bare")
    asks = asks_of(many(2, 60))
    git(place, "tag", "model-0/Production/1", "main")  # a stranger's: numbers go on from it
    git(place, "tag", "model-1", "main")  # no tag can stand below it
    before = refs(place)
    for chunk in (asks, asks[:5]):  # with more tags than 64, and with few
        with pytest.raises(GitregError):
            together(place, chunk)
        assert refs(place) == before
    git(place, "tag", "-d", "model-1")
    together(place, asks)
    tags = git(place, "tag").split()
    assert "model-0/Production/2" in tags and "model-1/v60" in tags
    assert git(place, "fsck", "--full", "--strict") == ""


def test_a_number_whose_tag_is_there_is_not_given_again(tmp_path: Path, git: Git) -> None:
    place = made(tmp_path / "registry", "bare")
    git(place, "tag", "model-0/v3", "main")
    requests = [[ask.Register(name="model-0", origin=Origin(source=f"s3://{n}"))] for n in range(70)]
    receipts = together(place, asks_of(requests))
    numbers = [change.version for r in receipts for change in r.changes if change.version]
    assert numbers == [n for n in range(1, 72) if n != 3]


def test_what_a_person_wrote_stays_as_it_is(tmp_path: Path, git: Git) -> None:
    place = made(tmp_path / "registry", "worktree")
    together(place, asks_of(many(1, 3)))
    file = place / "models" / "model-0" / "versions" / "2.yaml"
    text = file.read_text()
    file.write_text(text.replace("tags:\n", "# chosen by hand\ntags:\n"))
    git(place, "commit", "-qam", "a comment")
    moves = [
        [ask.Transition(name="model-0", selector=version_selector(2), stage="Staging")],
        [ask.Tag(name="model-0", selector=version_selector(2), put={"c": "3"})],
    ]
    together(place, asks_of(moves))
    after = file.read_text()
    assert "# chosen by hand\ntags:\n" in after and "Staging:" in after and "c: " in after


def test_the_last_of_many_versions_is_what_its_file_says(tmp_path: Path) -> None:
    place = made(tmp_path / "registry", "bare")
    chance = random.Random(3)
    requests = many(2, 40)
    requests += [[ask.DeleteVersion(name="model-1", selector=version_selector(n))] for n in (7, 40)]
    requests += [[ask.Register(name="model-1", origin=Origin(source="s3://after"))]]
    receipts = together(place, asks_of(requests))
    assert receipts[-1].versions("model-1").keys() == {41}
    with Store(Repository.at(place)) as store:
        view = store.view(store.head())
        state = view.state("model-1")
        assert isinstance(state.versions[41], ModelVersion)
        assert state.last_version == 41 and state.live(7) is None
        for number in chance.sample(range(8, 40), 5):
            assert state.versions[number].version == number
