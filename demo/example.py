"""Make a registry with seven months of history: ``python demo/example.py FOLDER``.

People, times and numbers are made up and fixed, so that a command answers the same on any machine:
the pictures of the README and the answers in ``docs/history.md`` come from here.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitreg.domain.model import Artifact, Code, Dataset, Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import Settings, Stage
from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store

ADA = Person(name="Ada Lovelace", email="ada@example.com")  # trains
GRACE = Person(name="Grace Hopper", email="grace@example.com")  # approves
ALAN = Person(name="Alan Turing", email="alan@example.com")  # is on call

STAGES = (Stage(name="Staging"), Stage(name="Production", exclusive=True), Stage(name="Archived"))


def made_up(what: str, digits: int = 64) -> str:
    """Hex digits that could be those of ``what``: a digest, a commit, a run."""
    return hashlib.sha256(what.encode()).hexdigest()[:digits]


def dataset(name: str, uri: str) -> Dataset:
    """A data set with a digest."""
    return Dataset(name=name, uri=uri, digest=f"sha256:{made_up(name)}")


WINTER = dataset("telco-2024q4", "s3://data/telco/2024q4.parquet")
SPRING = dataset("telco-2025q1", "s3://data/telco/2025q1.parquet")
EVENTS = dataset("app-events", "s3://data/events/2025.parquet")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What the training of one version left."""

    about: str
    auc: float
    log_loss: float
    data: tuple[Dataset, ...]
    params: Mapping[str, str]
    parents: tuple[str, ...] = ()

    def request(self, model: str, number: int) -> Register:
        """What registers it as ``model/number``."""
        name = f"{model}/{number}"
        origin = Origin(
            source=f"s3://models/{name}",
            run_id=made_up(f"run {name}", 32),
            experiment=model,
            code=Code(repository=f"https://git.example.com/ml/{model}", commit=made_up(f"code {name}", 40)),
            datasets=self.data,
            parents=tuple(f"models:/{parent}" for parent in self.parents),
            artifact=Artifact(digest=f"sha256:{made_up(name)}", size=1_400_000 + 61_337 * number),
            params=self.params,
            metrics={"auc": self.auc, "log_loss": self.log_loss},
        )
        return Register(name=model, origin=origin, description=self.about)


EMBEDDING = {
    1: Trained(
        about="What customers do in the app, as 64 numbers",
        auc=0.741,
        log_loss=0.588,
        data=(EVENTS,),
        params={"dimensions": "64"},
    ),
    2: Trained(
        about="Twice as wide",
        auc=0.768,
        log_loss=0.561,
        data=(EVENTS,),
        params={"dimensions": "128"},
        parents=("customer-embedding/1",),
    ),
}
CHURN = {
    1: Trained(
        about="Logistic regression, the baseline",
        auc=0.842,
        log_loss=0.412,
        data=(WINTER,),
        params={"algorithm": "logistic regression", "C": "1.0"},
    ),
    2: Trained(
        about="Gradient boosting",
        auc=0.861,
        log_loss=0.391,
        data=(WINTER,),
        params={"algorithm": "lightgbm", "num_leaves": "31", "learning_rate": "0.1"},
    ),
    3: Trained(
        about="Knows what customers do in the app",
        auc=0.884,
        log_loss=0.362,
        data=(WINTER,),
        params={"algorithm": "lightgbm", "num_leaves": "31", "learning_rate": "0.1"},
        parents=("customer-embedding/1",),
    ),
    4: Trained(
        about="Deeper trees; they overfit",
        auc=0.879,
        log_loss=0.371,
        data=(WINTER,),
        params={"algorithm": "lightgbm", "num_leaves": "127", "learning_rate": "0.1"},
        parents=("customer-embedding/1",),
    ),
    5: Trained(
        about="Slower learning",
        auc=0.892,
        log_loss=0.353,
        data=(WINTER,),
        params={"algorithm": "lightgbm", "num_leaves": "31", "learning_rate": "0.05"},
        parents=("customer-embedding/1",),
    ),
    6: Trained(
        about="Retrained on the first quarter",
        auc=0.913,
        log_loss=0.331,
        data=(SPRING,),
        params={"algorithm": "lightgbm", "num_leaves": "63", "learning_rate": "0.05"},
        parents=("customer-embedding/2",),
    ),
    7: Trained(
        about="As 6, without the column that leaked",
        auc=0.905,
        log_loss=0.338,
        data=(SPRING,),
        params={"algorithm": "lightgbm", "num_leaves": "63", "learning_rate": "0.05"},
        parents=("customer-embedding/2",),
    ),
    8: Trained(
        about="Fine-tuned on the lost customers of May",
        auc=0.921,
        log_loss=0.322,
        data=(SPRING,),
        params={"algorithm": "lightgbm", "num_leaves": "63", "learning_rate": "0.02"},
        parents=("churn/7", "customer-embedding/2"),
    ),
}


@dataclass(slots=True)
class Story:
    """Acts on a registry as different people at given times."""

    folder: Path
    now: datetime = datetime(2025, 1, 13, 9, tzinfo=UTC)

    def acts(self, when: str, who: Person, what: Callable[[Registry], object]) -> None:
        """Let ``who`` do ``what`` at ``when`` (UTC), as author and as committer."""
        self.now = datetime.fromisoformat(when).replace(tzinfo=UTC)
        be(who)
        with Store(Repository.discover(self.folder)) as store:
            what(Registry(store, clock=lambda: self.now))

    def registers(self, when: str, model: str, number: int, trained: Trained) -> None:
        """Register one version, as the one who trains."""
        request = trained.request(model, number)
        self.acts(when, ADA, lambda registry: registry.apply(request))

    def moves(self, when: str, who: Person, uri: str, stage: str, why: str = "") -> None:
        """Move a version to a stage; from Production the former one goes to Archived."""

        def move(registry: Registry) -> None:
            registry.transition(uri, stage, archive_existing=stage == "Production", message=why)

        self.acts(when, who, move)

    def edits(self, when: str, who: Person, path: str, old: str, new: str, why: str) -> None:
        """Change a manifest by hand and commit it with plain Git."""
        file = self.folder / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        be(who)
        dated = {f"GIT_{role}_DATE": f"{when}+00:00" for role in ("AUTHOR", "COMMITTER")}
        command = ["git", "-c", "commit.gpgSign=false", "commit", "--quiet", "--no-verify", "-am", why]
        subprocess.run(command, cwd=self.folder, env={**os.environ, **dated}, check=True)


def be(who: Person) -> None:
    """Act as ``who`` from now on."""
    for role in ("AUTHOR", "COMMITTER"):
        os.environ[f"GIT_{role}_NAME"], os.environ[f"GIT_{role}_EMAIL"] = who.name, who.email


def make(folder: Path) -> None:
    """Make the registry in ``folder``, which must not be there."""
    story = Story(folder)
    be(ADA)
    create(folder, settings=Settings(stages=STAGES), branch="main", env=os.environ, now=story.now)
    first_quarter(story)
    second_quarter(story)
    summer(story)


def first_quarter(story: Story) -> None:
    """A baseline, then two better ones, each tried out before it serves."""
    story.registers("2025-01-13T09:20", "churn", 1, CHURN[1])
    story.moves("2025-01-15T10:00", ADA, "churn/1", "Staging")
    story.moves("2025-01-27T13:30", GRACE, "churn/1", "Production", "First model; the rules it replaces stay")
    story.registers("2025-02-10T16:05", "churn", 2, CHURN[2])
    story.moves("2025-02-12T09:00", ADA, "churn/2", "Staging")
    story.moves("2025-02-24T11:15", GRACE, "churn/2", "Production", "Two points better in the trial")
    story.registers("2025-03-03T14:40", "customer-embedding", 1, EMBEDDING[1])
    story.registers("2025-03-10T15:10", "churn", 3, CHURN[3])
    story.moves("2025-03-12T08:45", ADA, "churn/3", "Staging")
    story.moves("2025-03-24T10:30", GRACE, "churn/3", "Production", "Finds 300 customers more a month")


def second_quarter(story: Story) -> None:
    """One that is not good enough, one that is, and one that has to be taken back at night."""
    story.registers("2025-04-07T11:00", "churn", 4, CHURN[4])
    story.moves("2025-04-08T09:30", ADA, "churn/4", "Staging")
    story.moves("2025-04-18T16:20", ADA, "churn/4", "Archived", "Overfits")
    story.registers("2025-04-28T10:10", "churn", 5, CHURN[5])
    story.moves("2025-04-30T09:00", ADA, "churn/5", "Staging")
    story.moves("2025-05-12T13:00", GRACE, "churn/5", "Production", "Better in all regions")
    story.registers("2025-05-19T17:30", "customer-embedding", 2, EMBEDDING[2])
    story.registers("2025-05-26T10:50", "churn", 6, CHURN[6])
    story.moves("2025-05-27T09:15", ADA, "churn/6", "Staging")
    story.moves("2025-06-04T14:00", GRACE, "churn/6", "Production", "Best so far, on fresh data")
    why = "Scores of all new customers are 0; pager 4711"
    story.acts("2025-06-12T03:12", ALAN, lambda r: r.rollback("churn", "Production", message=why))


def summer(story: Story) -> None:
    """The mended one serves; the next one waits."""
    story.registers("2025-06-18T11:25", "churn", 7, CHURN[7])
    story.moves("2025-06-19T09:00", ADA, "churn/7", "Staging")
    story.moves("2025-06-30T10:00", GRACE, "churn/7", "Production", "The leak is closed")
    story.edits(
        "2025-07-02T08:30:00",
        GRACE,
        "models/churn/versions/6.yaml",
        CHURN[6].about,
        "Leaks the cancellation date; do not use",
        "Warn of version 6",
    )
    story.registers("2025-07-21T15:45", "churn", 8, CHURN[8])
    story.moves("2025-07-23T09:10", ADA, "churn/8", "Staging")
    story.acts("2025-07-28T12:00", ADA, lambda registry: registry.alias("churn/8", "challenger"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python demo/example.py FOLDER")
    make(Path(sys.argv[1]))
    print(f"Made a registry with seven months of history: cd {sys.argv[1]} && gitreg log")
