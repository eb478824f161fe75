"""Make a registry with much to look at in a browser: ``python demo/showcase.py FOLDER``.

The registry of ``example.py``, which goes on for four months: five more models, owners, descriptions, a
model card, evaluations and schemas, then the rules and the open proposal of ``proposal.py``. Everything is
made up and fixed; the screenshots of ``screens.py`` and the tests in a browser show it.
"""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import example
import proposal
from example import ADA, ALAN, GRACE, Story, Trained, dataset, made_up

from gitreg.domain.model import Artifact, Code, Dataset, Origin
from gitreg.domain.requests import Register
from gitreg.registry.registry import Registry

CARD = """\
# Churn

Scores every customer once a day with the probability that they cancel within 30 days.

## Intended use

- **Retention offers**: the 2,000 customers with the highest score are called.
- Not for prices, and not for anything that needs a reason to be given to the customer.

## Data

| source | period | rows |
|---|---|---|
| `telco-2025q1` | January to March 2025 | 1,204,331 |
| `app-events` | 2025 | 48 million |

## Limits

Customers of less than three months have few events: the score says little of them. See the
[report on fairness](https://reports.example.com/churn/fairness) for the regions.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A model, how its versions came to be, and how far they got; ``hour`` of the day they are trained at."""

    name: str
    about: str
    owner: str
    metric: str
    begins: float
    gains: float
    versions: int
    flavor: str
    data: Dataset
    hour: int
    serves: int | None = None


FAMILIES = (
    Family(
        name="demand-forecast",
        about="Units sold for each shop and article, 14 days ahead",
        owner="supply@example.com",
        metric="mape",
        begins=0.212,
        gains=-0.0065,
        versions=12,
        flavor="prophet",
        data=dataset("pos-daily", "s3://data/pos/daily.parquet"),
        hour=8,
        serves=11,
    ),
    Family(
        name="fraud-detection",
        about="Card payments that should be stopped before they are made",
        owner="payments@example.com",
        metric="recall",
        begins=0.71,
        gains=0.012,
        versions=15,
        flavor="xgboost",
        data=dataset("payments-2025", "s3://data/payments/2025.parquet"),
        hour=10,
        serves=15,
    ),
    Family(
        name="image-tagger",
        about="Names what is to be seen in a picture of an article",
        owner="catalogue@example.com",
        metric="f1",
        begins=0.62,
        gains=0.021,
        versions=6,
        flavor="pytorch",
        data=dataset("article-pictures", "s3://data/pictures/"),
        hour=9,
    ),
    Family(
        name="product-ranking",
        about="The order of the articles on a page of results",
        owner="search@example.com",
        metric="ndcg",
        begins=0.41,
        gains=0.009,
        versions=9,
        flavor="lightgbm",
        data=dataset("clicks-2025", "s3://data/clicks/2025.parquet"),
        hour=9,
        serves=8,
    ),
    Family(
        name="support-triage",
        about="Which team answers a message to customer service",
        owner="service@example.com",
        metric="accuracy",
        begins=0.78,
        gains=0.014,
        versions=4,
        flavor="transformers",
        data=dataset("tickets-2025h1", "s3://data/tickets/2025h1.jsonl"),
        hour=13,
        serves=3,
    ),
)


BEGUN = datetime(2025, 8, 4, tzinfo=UTC)


def make(folder: Path) -> None:
    """Make the registry in ``folder``, which must not be there."""
    example.make(folder)
    story = Story(folder)
    told = [act for family in FAMILIES for act in course(story, family)]
    for _, act in sorted(told, key=lambda each: each[0]):
        act()
    describe(story)
    proposal.rule(story, "2025-11-18T09:00:00")
    story.registers("2025-11-19T08:15", "churn", 9, NINTH)
    proposal.ask(story, "2025-11-20T10:00", "2025-11-20T11:00")


def course(story: Story, family: Family) -> Iterator[tuple[datetime, Callable[[], None]]]:
    """What happens to a model, and when: a version every week or so; each second one serves after a trial."""
    for number in range(1, family.versions + 1):
        trained = BEGUN + timedelta(days=6.5 * (number + 15 - family.versions), hours=family.hour)
        uri = f"{family.name}/{number}"
        yield trained, partial(_register, story, trained, family, number)
        tried = trained + timedelta(hours=20)
        if family.serves is not None and number <= family.serves and (family.serves - number) % 2 == 0:
            yield tried, partial(story.moves, f"{tried:%Y-%m-%dT%H:%M}", ADA, uri, "Staging")
            served = trained + timedelta(days=3)
            better = f"Better {family.metric} in the trial"
            yield served, partial(story.moves, f"{served:%Y-%m-%dT%H:%M}", GRACE, uri, "Production", better)
        elif number == family.versions:
            yield tried, partial(story.moves, f"{tried:%Y-%m-%dT%H:%M}", ADA, uri, "Staging")


def _register(story: Story, when: datetime, family: Family, number: int) -> None:
    request = version(family, number)
    story.acts(f"{when:%Y-%m-%dT%H:%M}", ADA, lambda registry: registry.apply(request))


def version(family: Family, number: int) -> Register:
    """What registers a version of a family."""
    name = f"{family.name}/{number}"
    value = round(family.begins + family.gains * (number - 1) + 0.011 * math.sin(2.3 * number), 4)
    run = made_up(f"run {name}", 32)
    origin = Origin(
        source=f"s3://models/{name}",
        run_id=run,
        run_link=f"https://mlflow.example.com/#/experiments/7/runs/{run}",
        experiment=family.name,
        code=Code(repository=f"https://git.example.com/ml/{family.name}", commit=made_up(f"code {name}", 40)),
        datasets=(family.data,),
        parents=(f"models:/{family.name}/{number - 1}",) if number % 3 == 0 else (),
        artifact=artifact(name, family.flavor, 21_000_000 + 417_211 * number),
        params={"seed": "42", "epochs": str(10 + 5 * number), "learning_rate": f"{0.1 / number:.4f}"},
        metrics={family.metric: value, "scoring_ms": round(8 + 0.4 * number, 1)},
    )
    return Register(name=family.name, origin=origin, description="" if number % 2 else "Weekly retraining")


def artifact(name: str, flavor: str, size: int) -> Artifact:
    """A folder of files, with what MLflow knows of it."""
    columns = [
        {"type": "string", "name": "region", "required": True},
        {"type": "double", "name": "amount", "required": True},
        {"type": "long", "name": "age_days", "required": False},
    ]
    files = (
        "MLmodel",
        "conda.yaml",
        "input_example.json",
        "model.bin",
        "python_env.yaml",
        "requirements.txt",
    )
    return Artifact(
        digest=f"sha256:{made_up(name)}",
        size=size,
        files={file: f"sha256:{made_up(name + file)}" for file in files},
        flavors={flavor: "2.1.0", "python_function": "3.12.4"},
        signature={"inputs": columns, "outputs": [{"type": "double", "name": "score", "required": True}]},
    )


NINTH = Trained(
    about="On the data of the third quarter",
    auc=0.917,
    log_loss=0.326,
    data=(dataset("telco-2025q3", "s3://data/telco/2025q3.parquet"),),
    params={"algorithm": "lightgbm", "num_leaves": "63", "learning_rate": "0.02"},
    parents=("churn/8", "customer-embedding/2"),
)


def describe(story: Story) -> None:
    """Owners, descriptions, tags, evaluations and the card of churn."""
    about = "The probability that a customer cancels within 30 days"
    _update(story, "2025-11-12T09:00", "churn", about, "retention@example.com")
    _update(
        story, "2025-11-12T09:05", "customer-embedding", "What customers do, as numbers", "ml@example.com"
    )
    for at, family in enumerate(FAMILIES):
        _update(story, f"2025-11-12T10:{at:02d}", family.name, family.about, family.owner)
    story.acts("2025-11-13T08:00", ADA, lambda r: r.tag("churn", {"domain": "telco", "tier": "1"}))
    for number, auc in ((7, 0.897), (8, 0.909)):
        metrics = {"auc": auc, "log_loss": round(1.24 - auc, 3)}
        act = partial(_evaluate, uri=f"churn/{number}", metrics=metrics)
        story.acts(f"2025-11-13T09:{number:02d}", ALAN, act)
    story.acts("2025-11-14T09:00", ALAN, lambda r: r.alias("churn/7", "champion"))
    story.acts(
        "2025-11-14T11:00", ALAN, lambda r: r.deprecate("churn/6", reason="Leaks the cancellation date")
    )
    (story.folder / "models/churn/README.md").write_text(CARD, encoding="utf-8")
    subprocess.run(["git", "add", "models/churn/README.md"], cwd=story.folder, check=True)
    tier = 'tier: "1"'
    story.edits("2025-11-17T10:00:00", ADA, "models/churn/model.yaml", tier, 'tier: "2"', "Card for churn")


def _update(story: Story, when: str, name: str, about: str, owner: str) -> None:
    story.acts(when, ADA, lambda registry: registry.update(name, description=about, owners=[owner]))


def _evaluate(registry: Registry, *, uri: str, metrics: dict[str, float]) -> None:
    registry.evaluate(
        uri, "holdout-q3", metrics, dataset=dataset("telco-2025q3", "s3://data/telco/2025q3.parquet")
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("usage: python demo/showcase.py FOLDER")
    make(Path(sys.argv[1]))
    print(f"Made a registry of seven models: cd {sys.argv[1]} && gitreg serve")
