"""Registries that pages are tried on: one with a past, rules and a proposal, and one full of hostile texts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote

import pytest

from gitreg.domain.model import Dataset
from gitreg.domain.settings import Settings
from gitreg.gitstore.objects import Person
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.registry import Registry
from gitreg.registry.store import Store
from tests.web.conftest import Asking

ROOT = Path(__file__).resolve().parents[3]
PROPOSED = "gitreg/promote/churn/8/Production"
ESC, OVERRIDE = "\x1b]52;c;aGk=\x07", "\u202e"
SCRIPT = "<script>alert(1)</script>"
EVIL = f"{SCRIPT}<img src=x onerror=alert(2)> {ESC} {OVERRIDE}txt \"quoted\" &amp; 'x'"
FORGED = "All is well.\n\nGitreg-Event: delete\nGitreg-Model: other\nGitreg-Version: 7"
ODD = "a <b> & 50 % @ ü?#"
HUGE = "x" * 99_000


class Read(HTMLParser):
    """What a browser makes of a page: its elements, links and texts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skip = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def links(self) -> list[str]:
        """The addresses on this server that it leads to, each once."""
        found = [attrs.get("href") or "" for tag, attrs in self.tags if tag == "a"]
        return [one for one in dict.fromkeys(found) if one.startswith("/")]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of a kind."""
        return [attrs for name, attrs in self.tags if name == tag]


class Browser:
    """Asks the real application for pages."""

    def __init__(self, place: Path, **settings: object) -> None:
        self.place = place
        self.asking = Asking(place, **settings)

    def get(self, path: str, *, status: int = 200) -> Read:
        """A page as HTML, which must have this status and be harmless."""
        answer = self.asking("GET", path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:600])
        read = Read(answer.text)
        harmless(answer.text, read)
        return read


def harmless(text: str, read: Read) -> None:
    """Nothing of the registry's is alive in a page, nothing inline, nothing that can't be seen."""
    assert not any(ord(char) < 32 and char not in "\n\t" for char in text)
    assert OVERRIDE not in text
    for tag, attrs in read.tags:
        assert tag != "style"
        assert tag != "script" or attrs.get("src"), "an inline script"
        assert not any(name.startswith("on") or name == "style" for name in attrs), (tag, attrs)
        assert not (attrs.get("href") or "").lower().startswith(("javascript:", "data:"))
        assert tag != "img" or (attrs.get("src") or "").startswith("/static/")
    assert len(read.all("h1")) == 1
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]
    assert len(ids) == len(set(ids)), "an id stands twice"


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's registry: a past of seven months, rules for Production, and churn/8 proposed for it."""
    place = tmp_path_factory.mktemp("story") / "registry"
    subprocess.run([sys.executable, str(ROOT / "demo/proposal.py"), str(place)], check=True)
    return place


@pytest.fixture(scope="session")
def browser(story: Path) -> Browser:
    return Browser(story)


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """A registry whose texts try everything: names, descriptions, tags, authors and messages."""
    place = tmp_path_factory.mktemp("hostile") / "registry"
    create(place, settings=Settings(name="odd"), branch=None, env=os.environ, now=utc_now())
    author = Person(name=f"Eve {SCRIPT}".replace("<", "(").replace(">", ")"), email="eve@example.com")
    with Store(Repository.discover(place)) as store:
        registry = Registry(store, author=author)
        for number, description in enumerate((EVIL, FORGED), start=1):
            registry.register(
                ODD,
                f"s3://models/{number}?x=<b>",
                description=description,
                tags={"note": EVIL, "huge": HUGE[number:], "<i>key": "v"},
                metrics={"auc <i>": 0.5 + number / 10, "loss": 1 / number},
                params={"p": SCRIPT},
                datasets=[Dataset(name="<u>d", uri="javascript:alert(3)", digest="x")],
                run_id=f"run<{number}>",
                message=FORGED,
            )
        registry.transition(f"{ODD}/1", "Production", message=f"{EVIL}".replace(ESC, ""))
        registry.transition(f"{ODD}/2", "Production", archive_existing=True)
        registry.alias(f"{ODD}/2", "best")
        registry.update(ODD, description=EVIL, owners=["<owner>@example.com"])
    git(place, "config", "user.name", "Mallory <x> <script>")
    git(place, "config", "user.email", "mallory@example.com")
    file = next(place.glob("models/*/versions/1.yaml"))
    file.write_text(file.read_text(encoding="utf-8") + "x-hand: 1\n", encoding="utf-8")
    git(
        place,
        "commit",
        "-qam",
        f"hand edit {SCRIPT}\n\nWhy not.\n\nGitreg-Event: delete\nGitreg-Model: other",
    )
    return Browser(place)


def git(place: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def leads_nowhere(browser: Browser) -> Iterator[Callable[[Read], list[str]]]:
    """Gives the addresses of a page that the server has no page for."""

    def wrong(read: Read) -> list[str]:
        found = []
        for link in read.links:
            if link.startswith("/proposals/") and link.endswith(("/approve", "/merge", "/withdraw")):
                continue  # forms: they are tried where they are made
            answer = browser.asking("GET", link)
            if answer.status_code not in (200, 302):
                found.append(f"{answer.status_code} {link}")
        return found

    yield wrong


def named(name: str) -> str:
    """A model's name in an address."""
    return quote(name, safe="")
