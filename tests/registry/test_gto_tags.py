"""With tags.style: gto the real GTO reads the registry, and says what gitreg says."""

from __future__ import annotations

import itertools
import random
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.domain.model import Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import Settings, TagSettings
from gitreg.errors import Conflict, GitregError, InvalidInput, NotFound
from gitreg.gitstore.objects import Person
from gitreg.gitstore.tagrefs import tags
from gitreg.registry.configure import Wish
from gitreg.registry.create import create
from gitreg.registry.event import event_of
from gitreg.registry.expected import registry_tags, wanted_tags
from gitreg.registry.open import open_registry
from gitreg.registry.reconcile import reconcile, survey
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from tests.registry.gto_reads import gto, happenings, read, versions

ADA = Person(name="Ada Lovelace", email="ada@example.com")
ONE_SECOND = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def made(folder: Path, settings: Settings) -> Path:
    env = {
        f"GIT_{role}_{part}": getattr(ADA, part.lower())
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    create(folder, settings=settings, branch="main", env=env, now=ONE_SECOND)
    for key, value in (("user.name", ADA.name), ("user.email", ADA.email)):
        subprocess.run(["git", "config", key, value], cwd=folder, check=True)
    return folder


def opened(folder: Path, start: int = 0) -> Registry:
    """The registry with a clock that goes by a millisecond each time: all happens within one second."""
    ticks = itertools.count(start)
    found = open_registry(folder, author=ADA)
    return Registry(found.store, author=ADA, clock=lambda: ONE_SECOND + timedelta(milliseconds=next(ticks)))


GTO = Settings(tags=TagSettings(style="gto"))


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in which everything has happened that can; nothing in the tests changes it."""
    folder = made(tmp_path_factory.mktemp("gto") / "registry", GTO)
    with opened(folder) as registry:
        for number in range(1, 5):
            registry.register("churn", f"s3://models/churn/{number}")
        registry.transition("churn/1", "Production")
        registry.transition("churn/2", "Staging")
        registry.transition("churn/2", "Production", archive_existing=True)
        registry.assign("churn/2", "Staging")
        registry.assign("churn/3", "Staging")
        registry.unassign("churn/2", "Staging")
        registry.deprecate("churn/1", reason="old")
        registry.delete("churn/4", reason="broken")
        registry.register("fraud_model", "s3://models/fraud/1")
        registry.assign("fraud_model/1", "Production")
        registry.rename("fraud_model", "Fraud-2")
        registry.register("gone", "s3://models/gone/1")
        registry.delete("gone")
    return folder


class TestGtoReadsTheRegistry:
    def test_show_tells_the_models_with_their_latest_versions_and_stages(self, told: Path) -> None:
        found = read(told, "show")
        assert found == {
            "churn": {
                "version": "v3.0.0",
                "stage": {"Archived": "v1.0.0", "Production": "v2.0.0", "Staging": "v3.0.0"},
                "registered": True,
                "active": True,
            },
            "Fraud-2": {
                "version": "v1.0.0",
                "stage": {"Archived": None, "Production": "v1.0.0", "Staging": None},
                "registered": True,
                "active": True,
            },
        }
        assert set(read(told, "show", "--deprecated")) == {"churn", "Fraud-2", "fraud_model", "gone"}

    def test_show_of_a_model_is_what_gitreg_says(self, told: Path) -> None:
        with opened(told) as registry:
            for name in ("churn", "Fraud-2"):
                assert versions(told, name) == stages_here(registry, name)
        assert versions(told, "churn") == {
            "v1.0.0": {"Archived"},
            "v2.0.0": {"Production"},
            "v3.0.0": {"Staging"},
        }
        assert gto(told, "show", "churn@latest", "--version").split() == ["v3.0.0"]
        assert gto(told, "show", "churn#Production", "--version").split() == ["v2.0.0"]

    def test_history_is_told_in_order_though_all_happened_in_one_second(self, told: Path) -> None:
        assert happenings(told, "churn") == [
            *(("registration", f"v{number}.0.0", None) for number in range(1, 5)),
            ("assignment", "v1.0.0", "Production"),
            ("assignment", "v2.0.0", "Staging"),
            ("unassignment", "v1.0.0", "Production"),
            ("assignment", "v1.0.0", "Archived"),
            ("unassignment", "v2.0.0", "Staging"),
            ("assignment", "v2.0.0", "Production"),
            ("assignment", "v2.0.0", "Staging"),
            ("assignment", "v3.0.0", "Staging"),
            ("unassignment", "v2.0.0", "Staging"),
            ("deregistration", "v4.0.0", None),
        ]
        assert happenings(told, "Fraud-2") == [
            ("registration", "v1.0.0", None),
            ("assignment", "v1.0.0", "Production"),
        ]
        assert happenings(told, "fraud_model")[-1] == ("deprecation", None, None)
        assert happenings(told, "gone") == [("registration", "v1.0.0", None), ("deprecation", None, None)]

    def test_a_row_names_the_author_and_the_commit_of_the_registration(self, told: Path) -> None:
        rows = {row["ref"]: row for row in read(told, "history", "churn")}
        first, promoted = rows["churn@v2.0.0"], rows["churn#Production#6"]
        assert promoted["commit"] == first["commit"] == commit_of(told, "churn@v2.0.0")
        assert (promoted["author"], promoted["author_email"]) == (ADA.name, ADA.email)
        assert promoted["message"].startswith("churn version 2 in Production\n")

    @pytest.mark.parametrize(
        ("tag", "event", "version", "stage"),
        [
            ("churn@v2.0.0", "registration", "v2.0.0", None),
            ("churn#Production#6", "assignment", "v2.0.0", "Production"),
            ("churn#Production!#3", "unassignment", "v1.0.0", "Production"),
            ("churn@v4.0.0!#10", "deregistration", "v4.0.0", None),
        ],
    )
    def test_check_ref_reads_every_kind_of_tag(
        self, told: Path, tag: str, event: str, version: str, stage: str | None
    ) -> None:
        found = read(told, "check-ref", f"refs/tags/{tag}")
        assert (found["event"], found["version"], found.get("stage")) == (event, version, stage)

    def test_event_tells_of_the_tag_what_happened_and_where(self, told: Path) -> None:
        with Store(open_registry(told).store.repository) as store:
            promoted = event_of(store, "churn#Production#6")
            lost = event_of(store, "refs/tags/churn#Production!#3")
            renamed = event_of(store, "Fraud-2#Production#1")
            deleted = event_of(store, "churn@v4.0.0!#10")
            with pytest.raises(InvalidInput, match="no name of a tag") as caught:
                event_of(store, "churn/v1")
            with pytest.raises(NotFound):
                event_of(store, "churn@v9.0.0")
        assert (promoted["event"], promoted["version"], promoted["previous"]["version"]) == (
            "transition",
            2,
            1,
        )
        assert promoted["commit"] == lost["commit"] != commit_of(told, "churn#Production#6")
        assert (lost["event"], lost["version"], lost["stage"]) == ("unassign", 1, "Production")
        assert (renamed["event"], renamed["version"], renamed["source"]) == (
            "assign",
            1,
            "s3://models/fraud/1",
        )
        assert (deleted["event"], deleted["version"], deleted["source"]) == ("delete", 4, None)
        assert "NAME@v12.0.0" in caught.value.hint


def stages_here(registry: Registry, name: str) -> dict[str, set[str]]:
    state = registry.store.view(registry.store.head()).state(name)
    return {f"v{one.version}.0.0": set(one.stages) for one in state.newest_first()}


def commit_of(folder: Path, tag: str) -> str:
    words = ["git", "rev-parse", f"refs/tags/{tag}^{{commit}}"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


class TestAnythingMayHappen:
    """Random work, of which GTO and gitreg must make the same; and all ways to the tags make the same tags."""

    @pytest.mark.parametrize("seed", range(2))
    def test_both_tell_the_same_in_the_end(self, tmp_path: Path, seed: int) -> None:
        dice = random.Random(seed)
        folder = made(tmp_path / "registry", GTO)
        for turn in range(6):  # each time anew, as a command does: what it knows it has from the tags
            with opened(folder, turn * 100) as registry:
                for _ in range(30):
                    _anything(registry, dice)
        with opened(folder) as registry:
            store = registry.store
            present = registry_tags(store, GTO.tags)
            again = {each.name: each for each in wanted_tags(store, store.head(), GTO.tags)}
            assert set(again) == set(present) and len(present) > 40
            assert not survey(store).missing and not survey(store).drift
            living = [state.name for state in store.view(store.head()).models()]
            known = {name: stages_here(registry, name) for name in living}
            known = {name: found for name, found in known.items() if found}
        shown = read(folder, "show")
        assert set(known) <= set(shown)
        for name in shown:
            assert versions(folder, name) == known.get(name, {}), name

    def test_tags_made_at_once_are_those_that_were_made_one_by_one(self, told: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        subprocess.run(["git", "clone", "-q", "--no-tags", str(told), str(copy)], check=True)
        with open_registry(copy) as registry, open_registry(told) as first:
            assert reconcile(registry.store).made
            assert tags(registry.store.repository) == tags(first.store.repository)
            assert reconcile(registry.store).made == ()

    def test_tags_made_in_some_steps_are_the_same(self, told: Path, tmp_path: Path) -> None:
        copy = tmp_path / "copy"
        subprocess.run(["git", "clone", "-q", "--no-tags", str(told), str(copy)], check=True)
        made_in_all = 0
        for back in (14, 9, 5, 2, 0):  # as the remote branch grows
            followed = ["git", "update-ref", "refs/remotes/origin/main", f"main~{back}"]
            subprocess.run(followed, cwd=copy, check=True)
            with open_registry(copy) as registry:
                done = reconcile(registry.store)
                assert not done.drift
                made_in_all += len(done.made)
        with open_registry(copy) as registry, open_registry(told) as first:
            assert tags(registry.store.repository) == tags(first.store.repository)
            assert made_in_all == len(tags(first.store.repository))


def _anything(registry: Registry, dice: random.Random) -> None:
    names = ["a1", "b2", "c3"]
    name = dice.choice(names)
    number = dice.randint(1, 4)
    version, stage = f"{name}/{number}", dice.choice(["Staging", "Production", "Archived"])
    other = dice.choice([*names, "d4", "e5"])
    does: list[Callable[[], object]] = [
        lambda: registry.register(name, "s3://models/x"),
        lambda: registry.register(name, "s3://models/y"),
        lambda: registry.transition(version, stage),
        lambda: registry.transition(version, "Production", archive_existing=True),
        lambda: registry.transition(version, "None"),
        lambda: registry.assign(version, stage),
        lambda: registry.unassign(version, stage),
        lambda: registry.delete(version),
        lambda: registry.restore(version),
    ]
    if dice.random() < 0.1:
        does = [
            lambda: registry.delete(name),
            lambda: registry.restore(name),
            lambda: registry.rename(name, other),
            lambda: registry.rename(other, name),
            lambda: registry.deprecate(version),
        ]
    try:
        dice.choice(does)()
    except GitregError as error:  # the model is not there, the name is taken …
        assert error.exit_code in (3, 4), error


class TestWhatTheFormCantHold:
    @pytest.fixture
    def registry(self, tmp_path: Path) -> Iterator[Registry]:
        with opened(made(tmp_path / "registry", GTO)) as found:
            yield found

    @pytest.mark.parametrize("name", ["fraud.v2", "a b", "_x", "x-", "modèle", "x@y"])
    def test_a_name_that_gto_does_not_take_is_refused_before_anything_is_written(
        self, registry: Registry, name: str
    ) -> None:
        registry.register("churn", "s3://m")
        head = registry.store.head()
        for does in (
            lambda: registry.register(name, "s3://m"),
            lambda: registry.create_model(name),
            lambda: registry.rename("churn", name),
            lambda: registry.preview(Register(name=name, origin=Origin(source="s3://m"))),
        ):
            with pytest.raises(InvalidInput, match="can't be the name of a GTO artifact") as caught:
                does()
            assert "tags.style gitreg" in caught.value.hint
        assert registry.store.head() == head

    def test_two_versions_of_a_model_in_one_commit_are_refused_those_of_two_models_are_not(
        self, registry: Registry
    ) -> None:
        refused = pytest.raises(InvalidInput, match="one commit would register 2 of churn")
        with refused, registry.batch("two at once") as batch:
            batch.register("churn", "s3://m/1")
            batch.register("churn", "s3://m/2")
        with registry.batch("one of each") as batch:
            batch.register("churn", "s3://m/1")
            batch.register("fraud", "s3://m/2")
        assert set(tags(registry.store.repository)) == {"churn@v1.0.0", "fraud@v1.0.0"}

    @pytest.mark.parametrize(
        ("key", "value", "words"),
        [
            ("tags.prefix", "models/", "must be empty"),
            ("tags.for", "stages", "must be all"),
            ("stages", "Staging,Live_", "can't be a stage of GTO"),
            ("tags.style", "dvc", "none of gitreg, gto"),
        ],
    )
    def test_settings_that_contradict_it_are_refused(
        self, registry: Registry, key: str, value: str, words: str
    ) -> None:
        with pytest.raises(InvalidInput, match=words):
            registry.configure(wish(key, value))


def wish(key: str, value: str) -> Wish:
    return Wish(key=key, value=value, author=ADA, committer=ADA, when=ONE_SECOND)


class TestSwitching:
    def test_the_tags_of_the_whole_history_are_made_anew_and_the_old_ones_stay(self, tmp_path: Path) -> None:
        folder = made(tmp_path / "registry", Settings())
        with opened(folder) as registry:
            registry.register("churn", "s3://m/1")
            registry.transition("churn/1", "Production")
            registry.configure(wish("tags.style", "gto"))
            registry.register("churn", "s3://m/2")  # the next write catches up
            assert set(tags(registry.store.repository)) == {
                "churn/v1",
                "churn/Production/1",
                "churn@v1.0.0",
                "churn#Production#1",
                "churn@v2.0.0",
            }
            assert not survey(registry.store).drift
            registry.configure(wish("tags.style", "gitreg"))
            assert reconcile(registry.store).made == ("churn/v2",)
        assert versions(folder, "churn") == {"v1.0.0": {"Production"}, "v2.0.0": set()}

    def test_it_is_refused_where_the_history_holds_what_gto_can_not(self, tmp_path: Path) -> None:
        with opened(made(tmp_path / "registry", Settings())) as registry:
            registry.register("fraud.v2", "s3://m/1")
            with pytest.raises(Conflict, match="can't be the name of a GTO artifact") as caught:
                registry.configure(wish("tags.style", "gto"))
            assert caught.value.hint == "gitreg rename fraud.v2 NEW_NAME"
            registry.rename("fraud.v2", "fraud")
            with registry.batch("two at once") as batch:
                batch.register("churn", "s3://m/1")
                batch.register("churn", "s3://m/2")
            with pytest.raises(Conflict, match="one commit would register 2 of churn"):
                registry.configure(wish("tags.style", "gto"))

    def test_a_tag_of_a_hand_that_gto_would_read_is_told(self, tmp_path: Path) -> None:
        folder = made(tmp_path / "registry", GTO)
        with opened(folder) as registry:
            registry.register("churn", "s3://m/1")
            for name in ("churn@v1.2.3", "churn#Production#7", "churn@created"):
                subprocess.run(["git", "tag", "-a", "-m", "by hand", name], cwd=folder, check=True)
            subprocess.run(["git", "tag", "-a", "-m", "of others", "release-1"], cwd=folder, check=True)
            drift = {each.path: each.code for each in survey(registry.store).drift}
        assert drift == dict.fromkeys(("churn@v1.2.3", "churn#Production#7", "churn@created"), "GR305")


class TestOnTheWayIn:
    def test_two_versions_that_came_by_hand_are_found_and_one_has_a_tag(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        folder = made(tmp_path / "registry", GTO)
        with opened(folder) as registry:
            registry.register("churn", "s3://m/1")
            base = registry.store.head()
            registry.register("churn", "s3://m/2")
            registry.register("churn", "s3://m/3")
            for words in (["reset", "-q", "--soft", base], ["commit", "-q", "-m", "squashed"]):
                subprocess.run(["git", *words], cwd=folder, check=True)
            for name in ("churn@v2.0.0", "churn@v3.0.0"):
                subprocess.run(["git", "tag", "-d", name], cwd=folder, check=True, capture_output=True)
        assert app.run(["--registry", str(folder), "verify", base, "main"]) == 1
        said = capsys.readouterr()
        assert "GR310" in said.out + said.err and "would register 2 of churn" in said.out + said.err
        with opened(folder) as registry:
            assert reconcile(registry.store).made == ("churn@v2.0.0",)
        assert set(versions(folder, "churn")) == {"v1.0.0", "v2.0.0"}  # GTO goes on working

    def test_a_server_takes_the_right_tags_and_no_others(self, told: Path, tmp_path: Path) -> None:
        server = tmp_path / "server.git"
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(server)], check=True)
        assert app.run(["--registry", str(server), "hooks", "install", "--server"]) == 0

        def push(*refs: str) -> subprocess.CompletedProcess[str]:
            words = ["git", "push", "-q", str(server), *refs]
            return subprocess.run(words, cwd=copy, capture_output=True, text=True, check=False)

        copy = tmp_path / "copy"
        subprocess.run(["git", "clone", "-q", str(told), str(copy)], check=True)
        done = push("main", "refs/tags/churn#*:refs/tags/churn#*", "refs/tags/Fraud-2@v1.0.0")
        assert done.returncode == 0, done.stderr
        for words in (
            ["tag", "-a", "-m", "by hand", "churn#Production#99", "churn@v1.0.0^{commit}"],
            ["tag", "-f", "-a", "-m", "moved", "churn@v1.0.0", "churn@v2.0.0^{commit}"],
        ):
            subprocess.run(["git", *words], cwd=copy, check=True, capture_output=True)
        for tag in ("churn#Production#99", "churn@v1.0.0"):
            refused = push("--force", f"refs/tags/{tag}")
            assert refused.returncode != 0 and "GR30" in refused.stderr, refused.stderr
