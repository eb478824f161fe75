"""``gitreg import mlflow`` from stores that the real MLflow filled."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

import gitreg
from gitreg.domain.model import Dataset, ModelVersion
from gitreg.importers.mlflow.values import moment
from tests.importers.conftest import Run, Store, needs_mlflow
from tests.importers.fill_store import CHURN, GONE_RUN, PASSWORD, PROMPT, UNICODE

pytestmark = [needs_mlflow, pytest.mark.mlflow]

LEFT_BEHIND = 3  # exit code: the twin "fraud" has no place beside "Fraud"


@pytest.fixture
def imported(run: Run, store: Store, place: Path) -> gitreg.Registry:
    """A registry that has everything."""
    run("import", "mlflow", store.uri, code=LEFT_BEHIND)
    return gitreg.open(place)


def churn(registry: gitreg.Registry, number: int) -> ModelVersion:
    return registry.version(f"{CHURN}/{number}")


def rows(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.database() as database:
        return database.execute(sql).fetchall()


class TestWhatIsCarried:
    def test_models_and_prompts_but_for_the_twin(self, imported: gitreg.Registry) -> None:
        names = [model.name for model in imported.models()]
        assert names == sorted(["Fraud", CHURN, "empty", PROMPT, "late gap", UNICODE])

    def test_a_model_with_its_own_fields(self, imported: gitreg.Registry, store: Store) -> None:
        model = imported.model(CHURN)
        created, updated = rows(
            store, "SELECT creation_time, last_updated_time FROM registered_models WHERE name = 'churn'"
        )[0]
        assert model.description == "Who leaves.\n\nSoon."
        assert dict(model.tags) == {"team": "risk", "Größe": "L"}
        assert dict(model.aliases) == {"champion": 4, "challenger": 7}
        assert (model.created, model.updated) == (moment(created), moment(updated))

    def test_numbers_are_kept_and_deleted_ones_stay_free(self, imported: gitreg.Registry) -> None:
        assert [v.version for v in imported.versions(CHURN)] == [8, 7, 6, 5, 4, 2, 1]
        assert [v.version for v in imported.versions("late gap")] == [3]
        assert imported.register("late gap", "s3://models/late/4").version == 4

    def test_times_of_versions_and_stages(self, imported: gitreg.Registry, store: Store) -> None:
        found = rows(
            store,
            "SELECT version, creation_time, last_updated_time, current_stage FROM model_versions"
            " WHERE name = 'churn' AND current_stage != 'Deleted_Internal'",
        )
        assert len(found) == 7
        for number, created, updated, stage in found:
            version = churn(imported, number)
            assert (version.created, version.updated) == (moment(created), moment(updated))
            assert dict(version.stages) == ({} if stage == "None" else {stage: moment(updated)})

    def test_the_run_behind_a_version(self, imported: gitreg.Registry, store: Store) -> None:
        version = churn(imported, 1)
        assert version.run_id == store.ids["run"]
        assert version.origin.experiment == "churn training"
        assert dict(version.params) == {"depth": "8", "note": "äöü = yes"}
        assert version.metrics["auc"] == 0.93
        assert math.isnan(version.metrics["nan"])
        assert (version.metrics["best"], version.metrics["worst"]) == (math.inf, -math.inf)
        assert version.origin.datasets == (
            Dataset(name="churn data", uri="s3://data/churn.parquet", digest="abc123"),
        )
        assert version.origin.code is not None
        assert version.origin.code.commit == "1a2b3c4d5e6f7081920a1b2c3d4e5f6071829304"
        assert version.origin.code.repository == "https://git.example/churn.git"

    def test_a_run_in_the_trash_and_a_run_that_is_gone(self, imported: gitreg.Registry) -> None:
        assert churn(imported, 4).metrics["auc"] == 0.93
        assert churn(imported, 4).origin.run_link == "https://mlflow.example/#/runs/1"
        assert churn(imported, 2).run_id == GONE_RUN
        assert not churn(imported, 2).metrics

    def test_a_logged_model_counts_before_its_run(self, imported: gitreg.Registry, store: Store) -> None:
        version = churn(imported, 5)
        assert version.source == f"models:/{store.ids['logged']}"
        assert version.metrics["recall"] == 0.75
        assert version.params["depth"] == "8"  # the run's own; the logged model adds what it lacks
        assert version.params["seed"] == "of the model"

    def test_texts_tags_and_status(self, imported: gitreg.Registry) -> None:
        assert churn(imported, 7).description == "Ümläut\n\twith a tab\n"
        assert dict(churn(imported, 7).tags) == {"checked": "yes", "empty": ""}
        assert (churn(imported, 8).status, churn(imported, 8).status_message) == (
            "FAILED_REGISTRATION",
            "disk full",
        )

    def test_prompts_are_tagged_models(self, imported: gitreg.Registry) -> None:
        assert imported.model(PROMPT).tags["mlflow.prompt.is_prompt"] == "true"
        assert imported.model(PROMPT).aliases == {"best": 2}
        assert imported.version(f"{PROMPT}/2").tags["mlflow.prompt.text"] == "Good day {{name}}"


class TestTheReport:
    def test_everything_that_could_not_be_carried(self, run: Run, store: Store) -> None:
        document = run("import", "mlflow", store.uri, "--json", code=LEFT_BEHIND).json
        remarks = {
            (r["model"], tuple(r.get("versions", ())), r.get("what", "")): r for r in document["remarks"]
        }
        assert remarks["fraud", (), ""]["kind"] == "skipped"
        assert '"Fraud"' in remarks["fraud", (), ""]["reason"]
        assert remarks[CHURN, (2,), "params and metrics"]["reason"] == "its run is gone"
        assert remarks[CHURN, (2,), "user_id"]["kind"] == "lost"
        assert remarks[CHURN, (6,), "source"]["reason"] == "the password in it was taken out"
        assert len(remarks) == 4
        assert (document["models"], document["versions"], document["stages"]) == (6, 12, 3)
        assert (document["aliases"], document["skipped"]) == (3, 1)

    def test_as_a_table(self, run: Run, store: Store) -> None:
        result = run("import", "mlflow", store.uri, code=LEFT_BEHIND)
        table = dict(line.split("\t") for line in result.out.splitlines())
        assert table["what"] == "imported"
        assert (table["versions"], table["commits"]) == ("12", "24")
        assert f"not carried: {CHURN}/2, user_id: it has no place here" in result.err
        assert "left behind: fraud: the name differs from" in result.err

    def test_a_dry_run_counts_the_same_and_writes_nothing(
        self, run: Run, store: Store, git: Callable[..., str]
    ) -> None:
        before = git("for-each-ref"), git("status", "--porcelain")
        document = run("import", "mlflow", store.uri, "--dry-run", "--json", code=LEFT_BEHIND).json
        assert (document["models"], document["versions"], document["stages"]) == (6, 12, 3)
        assert (document["commits"], document["commit"], document["dry_run"]) == (0, None, True)
        assert (git("for-each-ref"), git("status", "--porcelain")) == before


class TestHistory:
    def test_author_dates_are_the_times_of_mlflow(
        self, imported: gitreg.Registry, git: Callable[..., str]
    ) -> None:
        log = git("log", "--format=%at%x00%ct%x00%s", "--reverse")
        lines = [line.split("\0") for line in log.splitlines()]
        dates = {subject: (int(author), int(committer)) for author, committer, subject in lines}
        version = churn(imported, 7)
        written, done = dates[f"{CHURN}: register version 7"]
        assert datetime.fromtimestamp(written, UTC) == version.created.replace(microsecond=0)
        assert done >= written
        moved, _ = dates[f"{CHURN}: transition version 7 to Staging"]
        assert datetime.fromtimestamp(moved, UTC) == version.stages["Staging"].replace(microsecond=0)

    def test_events_of_a_model_follow_one_another_in_time(
        self, imported: gitreg.Registry, git: Callable[..., str]
    ) -> None:
        log = git("log", "--format=%at %s", "--reverse", "--", f"models/{CHURN}")
        subjects = [line.split(" ", 1)[1] for line in log.splitlines()]
        times = [int(line.split(" ", 1)[0]) for line in log.splitlines()]
        assert times == sorted(times)
        assert subjects[0] == f"{CHURN}: register model"
        assert subjects[1] == f"{CHURN}: register version 1"
        assert subjects[-2:] == [
            f"{CHURN}: point alias challenger at version 7",
            f"{CHURN}: point alias champion at version 4",
        ]

    def test_each_version_and_stage_has_its_tag(
        self, imported: gitreg.Registry, git: Callable[..., str]
    ) -> None:
        tags = git("tag", "--list", f"{CHURN}/*").split()
        assert [tag for tag in tags if "/v" in tag] == [f"{CHURN}/v{n}" for n in (1, 2, 4, 5, 6, 7, 8)]
        assert {f"{CHURN}/Production/1", f"{CHURN}/Archived/1", f"{CHURN}/Staging/1"} <= set(tags)

    def test_commits_say_where_they_come_from(
        self, imported: gitreg.Registry, git: Callable[..., str], store: Store
    ) -> None:
        trailers = git("log", "--format=%(trailers:key=Imported-From,valueonly,separator=%x2C)")
        assert trailers.split("\n").count(f"MLflow {store.uri}") == 24

    def test_it_is_sound(self, imported: gitreg.Registry, run: Run) -> None:
        assert "no findings" in run("verify", "--all").err
        assert "no findings" in run("check").err
        assert run("doctor", code=None).code == 0

    def test_squashed_it_holds_the_same(
        self, run: Run, store: Store, git: Callable[..., str], imported: gitreg.Registry, tmp_path: Path
    ) -> None:
        tree = git("rev-parse", "HEAD:models").strip()
        other = tmp_path / "squashed"
        run("init", str(other))
        run("--registry", str(other), "import", "mlflow", store.uri, "--squash", code=LEFT_BEHIND)
        assert git("-C", str(other), "rev-parse", "HEAD:models").strip() == tree
        subjects = git("-C", str(other), "log", "--format=%s").splitlines()
        assert len(subjects) == 7
        assert f"{CHURN}: import 7 versions from MLflow" in subjects
        assert len(git("-C", str(other), "tag", "--list", f"{CHURN}/v*").split()) == 7
        assert "no findings" in run("--registry", str(other), "verify", "--all").err
        again = run("--registry", str(other), "import", "mlflow", store.uri, "--squash", code=LEFT_BEHIND)
        assert "commits\t0" in again.out


class TestChoosing:
    def test_models_by_pattern(self, run: Run, store: Store, place: Path) -> None:
        run("import", "mlflow", store.uri, "--models", "chu*", "--models", "emp?y")
        assert [model.name for model in gitreg.open(place).models()] == [CHURN, "empty"]

    def test_no_runs(self, run: Run, store: Store, place: Path) -> None:
        document = run("import", "mlflow", store.uri, "--models", CHURN, "--no-runs", "--json").json
        version = gitreg.open(place).version(f"{CHURN}/1")
        assert version.run_id == store.ids["run"]
        assert not version.params
        assert not version.metrics
        assert not any(r.get("what") == "params and metrics" for r in document["remarks"])

    def test_since_a_date(self, run: Run, store: Store, place: Path) -> None:
        with store.database() as database:
            database.execute(
                "UPDATE model_versions SET creation_time = 1600000000000, last_updated_time = 1600000000000"
                " WHERE name = 'churn' AND version <= 4"
            )
        options = ("import", "mlflow", store.uri, "--models", CHURN, "--json")
        document = run(*options, "--since", "2021-01-01").json
        registry = gitreg.open(place)
        assert [v.version for v in registry.versions(CHURN)] == [8, 7, 6, 5]
        remarks = {r.get("what", ""): r for r in document["remarks"] if r["kind"] in ("kept", "lost")}
        assert remarks[""]["versions"] == [1, 2, 4]
        assert "alias champion" in remarks  # it points to version 4
        # Numbers only grow: what was left behind can't come later.
        late = run(*options, code=LEFT_BEHIND).json
        assert [r["versions"] for r in late["remarks"] if r["kind"] == "skipped"] == [[1, 2, 4]]
        assert late["commits"] == 0


class TestSecrets:
    def test_no_password_of_mlflow_is_kept(self, imported: gitreg.Registry, git: Callable[..., str]) -> None:
        assert churn(imported, 6).source == "https://store.example/churn/6"
        objects = git("cat-file", "--batch-all-objects", "--batch")
        assert PASSWORD not in objects

    @pytest.mark.parametrize(
        "uri",
        [
            "http://ada:hush-hush@127.0.0.1:9/mlflow",
            "postgresql://ada:hush-hush@127.0.0.1:9/mlflow",
            "mysql+pymysql://ada:hush-hush@127.0.0.1:9/mlflow?password=hush-hush",
        ],
    )
    def test_passwords_in_uris_are_never_printed(self, run: Run, uri: str) -> None:
        for command in (("import",), ("export",)):
            result = run(*command, "mlflow", uri, code=7)
            assert "hush" not in result.err + result.out
            assert result.err.startswith("error: MLflow's store can't be used")
            assert "Traceback" not in result.err

    @pytest.mark.parametrize(
        ("uri", "code"),
        [("sqlite:///nowhere.db", 3), ("./nowhere", 3), ("", 3), ("gitreg+file:///x", 3), ("bad\nuri", 3)],
    )
    def test_stores_that_are_not_there_are_not_made(self, run: Run, uri: str, code: int, place: Path) -> None:
        assert "error: " in run("import", "mlflow", uri, code=code).err
        assert not (place / "nowhere.db").exists()
        assert not (place / "nowhere").exists()

    def test_a_database_of_somebody_else_is_left_alone(self, run: Run, tmp_path: Path) -> None:
        other = Store(uri=f"sqlite:///{tmp_path}/other.db", ids={})
        with other.database() as database:
            database.execute("CREATE TABLE mine (x)")
        before = other.file.read_bytes()
        assert "holds no MLflow registry" in run("import", "mlflow", other.uri, code=3).err
        assert other.file.read_bytes() == before


def test_an_error_as_json_has_no_secret_either(run: Run) -> None:
    result = run("import", "mlflow", "http://ada:hush-hush@127.0.0.1:9/", "--json", code=7)
    assert json.loads(result.err)["error"]["where"] == "http://127.0.0.1:9/"
