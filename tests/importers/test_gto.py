"""Take over repositories that the real GTO has written, and compare with what it says of them."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gitreg.cli import app
from gitreg.domain.model import ModelVersion
from gitreg.domain.settings import Settings, Stage, TagSettings
from gitreg.errors import Conflict, NotARegistry
from gitreg.gitstore.log import history
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.importers.gto.annotations import address_of
from gitreg.importers.gto.events import semver_key
from gitreg.importers.gto.report import GtoReport
from gitreg.importers.gto.take_over import GtoWish, import_gto
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from tests.registry.gto_reads import gto, read, versions

PEOPLE = {
    f"GIT_{role}_{part}": text
    for role in ("AUTHOR", "COMMITTER")
    for part, text in (("NAME", "Grace Hopper"), ("EMAIL", "grace@example.com"))
}
ANNOTATIONS = """\
churn:
  type: model
  path: models/churn.pkl
  labels:
  - growth
  - tabular
  description: Who leaves
  custom:
    team: 7
remote:
  path: s3://bucket/remote
  virtual: true
lonely:
  description: No version yet
"""


class Scene:
    """A repository that GTO works on, a minute later at each step."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.minute = 0

    def env(self) -> dict[str, str]:
        self.minute += 1
        at = f"2025-03-01T{9 + self.minute // 60:02}:{self.minute % 60:02}:00+01:00"
        return PEOPLE | {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}

    def git(self, *args: str) -> str:
        env = os.environ | self.env()
        done = subprocess.run(["git", *args], cwd=self.folder, env=env, capture_output=True, check=True)
        return done.stdout.decode().strip()

    def commit(self, message: str, files: dict[str, str] | None = None) -> str:
        for name, text in (files or {}).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def gto(self, *args: str) -> None:
        """Run GTO, and give what it tagged the time of this scene: GTO takes the clock's alone."""
        before = set(self.git("tag").splitlines())
        gto(self.folder, *args, env=PEOPLE)
        for tag in set(self.git("tag").splitlines()) - before:
            message = self.git("tag", "-l", "--format=%(contents)", tag)
            self.git("tag", "-f", "-a", "-m", message, tag, f"{tag}^{{commit}}")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """What GTO can do, done by GTO; tests that go on from it work on a copy."""
    scene = Scene(tmp_path_factory.mktemp("gto") / "models")
    scene.folder.mkdir()
    scene.git("init", "-q", "-b", "main")
    first = scene.commit("one", {"artifacts.yaml": ANNOTATIONS, "models/churn.pkl": "weights"})
    scene.gto("register", "churn", "HEAD", "-m", "The first one")
    scene.commit("two")
    scene.gto("register", "churn", "HEAD")
    scene.gto("register", "remote", "HEAD", "--version", "v2.0.0-rc.1")
    scene.commit("three", {"artifacts.yaml": ANNOTATIONS.replace("Who leaves", "Who leaves soon")})
    scene.gto("register", "churn", "HEAD", "--bump-major")
    scene.gto("assign", "churn", "--version", "v0.0.1", "--stage", "prod")
    scene.gto("assign", "churn", "--version", "v1.0.0", "--stage", "prod")
    scene.gto("assign", "churn", "--version", "v0.0.2", "--stage", "dev")
    scene.gto("assign", "churn", "--version", "v0.0.1", "--stage", "prod", "--force")
    scene.gto("deprecate", "churn", "v0.0.2", "dev")
    scene.gto("deprecate", "churn", "v0.0.2")
    scene.gto("assign", "remote", "--version", "v2.0.0-rc.1", "--stage", "prod")
    scene.gto("deprecate", "remote")
    scene.gto("assign", "late", first, "--stage", "dev", "--sr")
    scene.gto("register", "team/shared", "HEAD")
    scene.git("tag", "churn@v9.9.9")
    return scene


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    with fresh(tmp_path / "registry") as found:
        yield found


def fresh(folder: Path, settings: Settings | None = None) -> Registry:
    create(folder, settings=settings or Settings(), branch=None, env=os.environ, now=utc_now())
    return open_registry(folder)


def taken(registry: Registry, scene: Scene, **more: Any) -> GtoReport:
    return import_gto(registry, GtoWish(path=scene.folder, **more))


def living(registry: Registry, name: str) -> dict[str, ModelVersion]:
    """The versions of a model that are not deprecated, by their names in GTO."""
    state = registry.store.view(registry.store.head()).state(name)
    return {
        one.tags.get("gto.version", one.origin.code.commit if one.origin.code else ""): one
        for one in state.newest_first()
        if one.deprecated is None
    }


def copied(scene: Scene, folder: Path) -> Scene:
    subprocess.run(["cp", "-r", str(scene.folder), str(folder)], check=True)
    found = Scene(folder)
    found.minute = scene.minute
    return found


class TestWhatIsTakenOver:
    def test_versions_and_stages_are_those_that_gto_shows(self, registry: Registry, written: Scene) -> None:
        report = taken(registry, written)
        shown = read(written.folder, "show")
        for name in ("churn", "late"):
            here = living(registry, name)
            rows = read(written.folder, "show", name)
            assert set(here) == {row["version"] for row in rows}
            for row in rows:
                assert set(here[row["version"]].stages) == {stage["stage"] for stage in row["stages"]}
            stages = {stage: version for stage, version in shown[name]["stage"].items() if version}
            assert stages == {stage: version for version, one in here.items() for stage in one.stages}
        assert registry.version("churn/prod").tags["gto.version"] == "v0.0.1"  # assigned anew after v1.0.0
        assert "remote" not in shown and not living(registry, "remote")
        assert (report.models, report.versions, report.exit_code) == (4, 5, 3)

    def test_with_many_every_version_keeps_its_stages(self, registry: Registry, written: Scene) -> None:
        taken(registry, written, many=True)
        told = {name: set(one.stages) for name, one in living(registry, "churn").items()}
        assert told == versions(written.folder, "churn") == {"v0.0.1": {"prod"}, "v1.0.0": {"prod"}}

    def test_history_has_gtos_times_and_people(self, registry: Registry, written: Scene) -> None:
        taken(registry, written)
        rows = {row["ref"]: row for row in read(written.folder, "history")}
        found = {}
        for commit in history(registry.store.repository, head=registry.store.head()):
            trailers = [line for line in commit.body.splitlines() if line.startswith("Gto-Tag: ")]
            for line in trailers:
                found.setdefault(line.removeprefix("Gto-Tag: "), commit)
        carried = {ref for ref, row in rows.items() if row["artifact"] != "team/shared"}
        assert set(found) == carried
        for ref, commit in found.items():
            assert commit.author_time == datetime.fromisoformat(rows[ref]["timestamp"]), ref
            assert commit.author_time.year == 2025
            assert (commit.author.name, commit.author.email) == ("Grace Hopper", "grace@example.com")
            assert (commit.committer.name, commit.commit_time.year) == ("Ada Lovelace", utc_now().year)
        assert "The first one" in found["churn@v0.0.1"].body
        order = [ref for ref, _ in sorted(found.items(), key=lambda each: each[1].author_time)]
        assert order == sorted(carried, key=lambda ref: (rows[ref]["timestamp"], rows[ref]["priority"]))

    def test_a_version_names_its_bytes_and_what_was_said_of_it(
        self, registry: Registry, written: Scene
    ) -> None:
        taken(registry, written)
        commit = written.git("rev-parse", "churn@v0.0.1^{commit}")
        version, model = registry.version("churn/1"), registry.model("churn")
        assert version.source == f"git+{written.folder.as_uri()}@{commit}#models/churn.pkl"
        code = version.origin.code
        assert code and (code.repository, code.commit, code.path) == (
            written.folder.as_uri(),
            commit,
            "models/churn.pkl",
        )
        assert (version.description, registry.version("churn/3").description) == (
            "Who leaves",
            "Who leaves soon",
        )
        assert str(version.created).startswith("2025-03-01 08:")
        assert model.description == "Who leaves soon"
        assert model.tags == {
            "gto.artifact": "churn",
            "gto.type": "model",
            "gto.labels": "growth,tabular",
            "gto.custom": '{"team": 7}',
        }
        assert registry.version("remote/1").source == "s3://bucket/remote"
        assert registry.model("lonely").description == "No version yet"
        deprecated = registry.version("churn/2").deprecated
        assert deprecated and deprecated.reason == "Deregistering artifact churn version v0.0.2"

    def test_stages_that_are_lacking_are_added_before_the_archive(
        self, registry: Registry, written: Scene
    ) -> None:
        report = taken(registry, written)
        settings = registry.settings
        assert [stage.name for stage in settings.stages] == [
            "Staging",
            "Production",
            "prod",
            "dev",
            "Archived",
        ]
        assert report.added == ("prod", "dev")

    def test_a_stage_can_become_another(self, registry: Registry, written: Scene) -> None:
        report = taken(registry, written, stages={"prod": "production", "dev": "Staging"})
        assert registry.version("churn/Production").version == 1
        assert report.added == ()

    def test_what_can_not_be_carried_is_told(self, registry: Registry, written: Scene) -> None:
        report = taken(registry, written)
        told = {(one.kind, one.subject): one.reason for one in report.remarks}
        assert set(told) == {("skipped", "team/shared"), ("lost", "churn@v9.9.9")}
        assert "--rename team/shared=team-shared" in told["skipped", "team/shared"]
        report = taken(registry, written, rename={"team/shared": "shared"})
        assert (report.models, report.versions, report.exit_code) == (1, 1, 0)
        assert registry.version("shared/1").tags["gto.version"] == "v0.0.1"


class TestAgain:
    def test_a_second_run_brings_only_what_is_new(
        self, registry: Registry, written: Scene, tmp_path: Path
    ) -> None:
        scene = copied(written, tmp_path / "copy")
        first = taken(registry, scene)
        head = registry.store.head()
        second = taken(registry, scene)
        assert registry.store.head() == head
        assert (second.commits, second.known) == (0, first.events - 1)  # all but that of team/shared
        scene.commit("four")
        scene.gto("register", "churn", "HEAD")
        scene.gto("assign", "churn", "--version", "v1.0.1", "--stage", "prod")
        third = taken(registry, scene)
        assert (third.commits, third.versions, third.stages) == (2, 1, 2)
        assert registry.version("churn/prod").version == 4

    def test_what_was_changed_here_stays(self, registry: Registry, written: Scene, tmp_path: Path) -> None:
        scene = copied(written, tmp_path / "copy")
        taken(registry, scene)
        registry.rename("churn", "leaving")
        registry.delete("leaving/3")
        registry.transition("leaving/1", "Staging")
        registry.delete("late")
        scene.gto("assign", "churn", "--version", "v1.0.0", "--stage", "dev")
        scene.git("tag", "-a", "-m", "back", "churn@v0.0.2#9", "churn@v0.0.2^{commit}")
        report = taken(registry, scene)
        told = {one.subject: one.reason for one in report.remarks}
        assert "deleted here" in told["late"]
        assert any("deleted here" in reason for tag, reason in told.items() if tag.startswith("churn#dev#"))
        assert set(registry.version("leaving/1").stages) == {"Staging"}
        assert registry.version("leaving/2").deprecated is None  # registered again over there
        assert (report.models, report.versions, report.retired) == (0, 0, 1)

    def test_a_dry_run_writes_nothing_and_counts_the_same(self, registry: Registry, written: Scene) -> None:
        head = registry.store.head()
        dry = taken(registry, written, dry_run=True)
        assert registry.store.head() == head
        real = taken(registry, written)
        for what in ("models", "versions", "stages", "retired", "added", "events", "idle"):
            assert getattr(dry, what) == getattr(real, what), what


class TestInTheWay:
    def test_a_model_that_is_something_else_is_a_conflict(self, registry: Registry, written: Scene) -> None:
        registry.register("churn", "s3://mine")
        registry.register("Remote", "s3://mine")
        report = taken(registry, written)
        assert report.exit_code == 4
        conflicts = {one.subject for one in report.remarks if one.kind == "conflict"}
        assert conflicts == {"churn", "remote"}
        assert registry.version("churn/latest").source == "s3://mine"
        assert taken(registry, written, rename={"churn": "churn-gto", "remote": "r"}).versions == 4

    def test_the_registry_may_lie_in_the_same_repository(self, written: Scene, tmp_path: Path) -> None:
        scene = copied(written, tmp_path / "copy")
        with fresh(scene.folder) as registry:
            assert taken(registry, scene).versions == 5
            assert taken(registry, scene).commits == 0
            settings = registry.settings
        assert "churn/v1" in scene.git("tag").splitlines() and "churn@v0.0.1" in scene.git("tag").splitlines()
        shown = read(scene.folder, "show")
        shown.pop("remote")  # to GTO any commit brings back an artifact of artifacts.yaml
        assert shown == read(written.folder, "show")
        assert settings.tags.style == "gitreg"

    def test_but_not_with_tags_of_the_same_form(self, written: Scene, tmp_path: Path) -> None:
        scene = copied(written, tmp_path / "copy")
        settings = Settings(tags=TagSettings(style="gto"))
        with fresh(scene.folder, settings) as registry, pytest.raises(Conflict, match="tags have GTO's form"):
            taken(registry, scene)

    def test_there_must_be_a_repository(self, registry: Registry, tmp_path: Path) -> None:
        with pytest.raises(NotARegistry):
            import_gto(registry, GtoWish(path=tmp_path))

    def test_a_round_trip_through_tags_of_gtos_form(self, written: Scene, tmp_path: Path) -> None:
        """A registry with GTO's tags shows GTO what the repository that it was taken from showed it."""
        stages = (Stage(name="dev"), Stage(name="prod"))
        settings = replace(Settings(tags=TagSettings(style="gto")), stages=stages)
        folder = tmp_path / "registry"
        with fresh(folder, settings) as registry:
            taken(registry, written, many=True)
        there = {f"v{at}.0.0": name for at, name in enumerate(("v0.0.1", "v0.0.2", "v1.0.0"), 1)}
        found = {there[name]: stages for name, stages in versions(folder, "churn").items()}
        # GTO knows no version that is deprecated and stays: it shows it as it is here.
        assert found == {**versions(written.folder, "churn"), "v0.0.2": set()}

    def test_annotations_that_can_not_be_read_are_told(
        self, registry: Registry, written: Scene, tmp_path: Path
    ) -> None:
        scene = copied(written, tmp_path / "copy")
        commit = scene.commit("broken", {"artifacts.yaml": "churn: [1"})
        scene.git("tag", "-a", "-m", "new", "new@v1.0.0")
        report = taken(registry, scene)
        told = {one.subject: one.reason for one in report.remarks}
        assert told["annotations"].startswith(f"artifacts.yaml can't be read at {commit[:10]}: ")
        assert registry.version("new/1").source == f"git+{scene.folder.as_uri()}@{commit}"


class TestAddresses:
    @pytest.mark.parametrize(
        ("url", "address"),
        [
            ("git@example.com:team/models.git", "ssh://git@example.com/team/models.git"),
            ("https://me:secret@example.com/team/models.git", "https://example.com/team/models.git"),
            ("ssh://git@example.com/team/models", "ssh://git@example.com/team/models"),
            ("/srv/models.git", "file:///srv/models.git"),
        ],
    )
    def test_a_source_names_the_remote_and_no_secret(self, tmp_path: Path, url: str, address: str) -> None:
        for words in (["init", "-q"], ["remote", "add", "origin", url]):
            subprocess.run(["git", *words], cwd=tmp_path, check=True)
        with Reader(Repository.at(tmp_path)) as reader:
            assert address_of(reader) == address

    def test_versions_are_ordered_as_semver_says(self) -> None:
        texts = ["v1.0.0-alpha", "v1.0.0-alpha.1", "v1.0.0-alpha.beta", "v1.0.0-beta.2", "v1.0.0-beta.11"]
        texts += ["v1.0.0-rc.1", "v1.0.0", "v1.2.0", "v1.10.0", "v2.0.0+build.7"]
        assert sorted(random.Random(1).sample(texts, len(texts)), key=semver_key) == texts
        assert semver_key("v1.0") == semver_key("") == ()


class TestCommandLine:
    def test_it_prints_what_came_of_it(
        self, registry: Registry, written: Scene, capsys: pytest.CaptureFixture[str]
    ) -> None:
        begin = ["--registry", str(registry.store.repository.root), "import", "gto"]
        words = [*begin, str(written.folder), "--json", "--stage", "prod=Production"]
        assert app.run(words) == 3
        told = json.loads(capsys.readouterr().out)
        assert (told["models"], told["versions"], told["added_stages"]) == (4, 5, ["dev"])
        assert {one["subject"] for one in told["remarks"]} == {"team/shared", "churn@v9.9.9"}
        assert app.run([*words, "--dry-run"]) == 3
        assert json.loads(capsys.readouterr().out)["versions"] == 0
        assert app.run([*begin, str(written.folder)]) == 3
        said = capsys.readouterr()
        assert "left behind: team/shared" in said.err and "known" in said.out
        assert app.run([*begin, ".", "--stage", "prod"]) == 2

    def test_what_is_not_there_changes_nothing(
        self, registry: Registry, written: Scene, capsys: pytest.CaptureFixture[str]
    ) -> None:
        head = registry.store.head()
        begin = ["--registry", str(registry.store.repository.root), "import", "gto"]
        assert app.run([*begin, str(written.folder / "nope")]) == 2
        assert "does not exist" in capsys.readouterr().err
        assert app.run([*begin, str(written.folder), "--stage", "prod=Prodction"]) == 3
        assert 'did you mean "Production"?' in capsys.readouterr().err
        assert registry.store.repository.refs.read("refs/heads/main") == head
