"""A registry with a history, the application over it, and what its pages link to."""

from __future__ import annotations

import html
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

import gitreg
from gitreg.domain.model import Artifact, Code, Dataset, Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import NoWorse, Stage
from gitreg.domain.settings import Settings as RegistrySettings
from gitreg.gitstore.objects import Person
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from tests.web.conftest import Asking

ADA = Person(name="Ada Lovelace", email="ada@example.com")
GRACE = Person(name="Grace Hopper", email="grace@example.com")
STAGES = (
    Stage(name="Staging"),
    Stage(
        name="Production",
        exclusive=True,
        no_worse=(
            NoWorse(metric="auc", direction="higher", tolerance=1.0),
            NoWorse(metric="log_loss", direction="lower", tolerance=1.0),
        ),
    ),
    Stage(name="Archived"),
)
SIGNATURE = {
    "inputs": [{"name": "age", "type": "long"}, {"name": "income", "type": "double", "required": False}],
    "outputs": [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}],
}


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry, which nobody changes: churn with four versions, and embedding that one came from."""
    place = tmp_path_factory.mktemp("history") / "models"
    settings = RegistrySettings(name="models", stages=STAGES)
    create(place, settings=settings, branch=None, env=os.environ, now=utc_now())
    with by(place, ADA) as registry:
        registry.register("embedding", "s3://models/embedding/1")
        for number, auc in ((1, 0.8), (2, 0.85), (3, 0.9), (4, 0.88)):
            registry.apply(Register(name="churn", origin=origin(number, auc), description=f"About {number}"))
        registry.transition("churn/2", "Production")
        registry.transition("churn/3", "Staging")
        registry.alias("churn/3", "challenger")
        registry.evaluate("churn/2", "holdout", {"auc": 0.8})
        registry.evaluate("churn/3", "holdout", {"auc": 0.75})
        registry.update("churn", description="Who *cancels*", owners=["team@example.com"])
        registry.tag("churn", {"domain": "telco"})
        registry.deprecate("churn/1", reason="too old")
        registry.register("gone", "s3://models/gone/1")
        registry.register("old-name", "s3://models/old/1")
    with by(place, GRACE) as registry:
        registry.transition("churn/3", "Production", archive_existing=True)
        registry.delete("churn/4", reason="a leak")
        registry.delete("gone", reason="nobody used it")
        registry.rename("old-name", "new-name")
    return place


def origin(number: int, auc: float) -> Origin:
    """Where a version of churn came from."""
    return Origin(
        source=f"s3://models/churn/{number}",
        run_id=f"run{number}",
        run_link=f"https://runs.example.com/{number}" if number != 2 else "javascript:alert(1)",
        experiment="churn-2026",
        code=Code(repository="https://git.example.com/churn", commit="ab" * 20, path="train", dirty=True),
        datasets=(Dataset(name="telco", uri="s3://data/telco", digest="sha256:" + "cd" * 32),),
        parents=("models:/embedding/1", "hf://org/other"),
        artifact=Artifact(
            digest="sha256:" + "ef" * 32,
            size=1_234_567,
            files={"model.pkl": "sha256:" + "01" * 32, "MLmodel": "sha256:" + "23" * 32},
            flavors={"sklearn": "1.5.2"},
            signature=SIGNATURE,
        ),
        params={"depth": str(number)},
        metrics={"auc": auc, "log_loss": round(1 - auc, 2), "seconds": 10.0 * number},
    )


def by(place: Path, person: Person) -> Registry:
    """The registry, open for somebody's commits."""
    opened = gitreg.open(place)
    return Registry(opened.store, author=person)


def commit_all(place: Path, *options: str) -> str:
    """Commit the work tree as it stands, as a person does; gives the commit's id."""
    git = ["git", "-c", "user.name=Hand", "-c", "user.email=hand@example.com"]
    subprocess.run([*git, "add", "-A"], cwd=place, check=True)
    subprocess.run([*git, *options, "commit", "-q", "--allow-empty", "-m", "by hand"], cwd=place, check=True)
    found = subprocess.run([*git, "rev-parse", "HEAD"], cwd=place, check=True, capture_output=True, text=True)
    return found.stdout.strip()


@dataclass
class Pages:
    """The application's pages."""

    ask: Asking

    def get(self, path: str) -> httpx.Response:
        return self.ask("GET", path)

    def text(self, path: str) -> str:
        found = self.get(path)
        assert found.status_code == 200, f"{path}: {found.status_code} {found.text[:2000]}"
        return found.text

    def moved(self, path: str) -> str:
        found = self.get(path)
        assert found.status_code == 302, f"{path}: {found.status_code}"
        return found.headers["location"]


def links(text: str) -> list[str]:
    """The addresses on this server that a page leads to, without their fragments."""
    found = re.findall(r'(?:href|action|src)="([^"]*)"', text)
    inner = [html.unescape(each).partition("#")[0] for each in found if each[:1] == "/"]
    return list(dict.fromkeys(filter(None, inner)))


def section(text: str, begin: str, end: str = "</section>") -> str:
    """The part of a page from ``begin`` up to the next ``end``."""
    assert begin in text, begin
    return text.partition(begin)[2].partition(end)[0]


def words(text: str) -> str:
    """What a reader sees of some HTML."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


@pytest.fixture
def pages(history: Path) -> Pages:
    return Pages(Asking(history))


@pytest.fixture
def own(place: Path) -> Iterator[Callable[[], Pages]]:
    """Pages of the test's own registry at ``place``, opened when they are asked for."""
    yield lambda: Pages(Asking(place))
