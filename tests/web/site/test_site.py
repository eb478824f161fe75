"""What a site holds, and that every address in it leads somewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from gitreg.domain.model import Origin
from gitreg.domain.requests import Register
from gitreg.domain.settings import Settings, TagSettings
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create
from gitreg.registry.open import open_registry
from tests.web.site.building import build, gitreg
from tests.web.site.checking import faults, files, read

ROOT = Path(__file__).parents[3]
# Each of them is a name that MLflow accepts, and at home in no file system or address.
NAMES = [
    *(
        "two words",
        "naïve modèle",
        "a@b",
        "50% off?",
        "~^*[\\",
        "a..b",
        "a.lock",
        ".hidden",
        "a.",
        "CON",
        "aux",
    ),
    *(
        "NUL.yaml",
        ".git",
        "git~1",
        ".gitattributes",
        "-x",
        "HEAD",
        "@",
        "a@{1}",
        "日本語",
        "#?&=+;",
        "'\"<b>",
    ),
    *("index.html", "index.json", "page", "Index.HTML2", "%2e%2e%2fx", "_next", "versions", "1", "x" * 200),
]
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>[a](javascript:alert(1))![b](https://x.example/p.png)"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The registry of the documentation, with seven months of history."""
    place = tmp_path_factory.mktemp("example") / "registry"
    subprocess.run([sys.executable, ROOT / "demo" / "example.py", place], check=True, capture_output=True)
    return place


@pytest.fixture(scope="module")
def shown(example: Path) -> Path:
    """The site of the example."""
    out = example.parent / "site"
    build(example, out, base_url="https://models.example.com/registry/")
    return out


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A registry whose names and texts are meant to break something."""
    place = tmp_path / "odd"
    settings = Settings(name=HOSTILE, tags=TagSettings(made_for="none"))
    create(place, settings=settings, branch=None, env=os.environ, now=utc_now())
    with open_registry(place) as registry:
        for name in NAMES:
            registry.register(
                name, "s3://b/1", description=HOSTILE, tags={HOSTILE: HOSTILE}, metrics={"auc": 0.5}
            )
        origin = Origin(
            source="javascript:alert(1)",
            run_id=HOSTILE,
            run_link="javascript:alert(1)",
            parents=("models:/a@b/1", "models:/@/1"),
        )
        registry.apply(
            Register(name="two words", origin=origin, description="\x1b]52;c;x\x07 \u202e \u2028 ]]>")
        )
        for alias in ("Champion", "champion", "größe"):
            registry.alias("two words/2", alias)
        registry.update("two words", description=HOSTILE, owners=[HOSTILE])
        registry.transition("two words/2", "Production")
        registry.rename("-x", "renamed")
        registry.delete("HEAD")
        registry.delete("a@b/1")
    return place


def test_every_address_leads_somewhere(shown: Path) -> None:
    assert faults(shown) == []


def test_odd_names_and_texts(odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(odd, out)
    assert faults(out) == []
    found = files(out)
    folded = [path.casefold() for path in found]
    assert len(set(folded)) == len(folded)
    assert all(path.isascii() and not set(path) & set('<>:"\\|?*') for path in found)
    assert all(max(map(len, path.split("/"))) <= 255 for path in found)
    pages = [data.decode() for path, data in found.items() if path.endswith(".html")]
    assert not any("<script>alert" in page or "<img src=x" in page for page in pages)
    assert not any('href="javascript:' in page or 'src="https:' in page for page in pages)
    assert "\x1b" not in "".join(pages)
    assert "\u202e" not in "".join(pages)
    ET.fromstring(found["feed.xml"])


def test_names_lead_to_their_pages(odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(odd, out)
    listed = {each["name"] for each in json.loads((out / "api/v1/models/index.json").read_text())["models"]}
    assert listed == {*NAMES, "renamed"} - {"-x", "HEAD"}
    told = [json.loads(path.read_text())["name"] for path in (out / "api/v1/models").glob("*/index.json")]
    assert sorted(told) == sorted(listed)


def test_what_is_gone_still_has_a_page(odd: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(odd, out)
    assert "url=../../models/renamed/index.html" in (out / "models/%2Dx/index.html").read_text()
    assert "url=../../../models/renamed/1/index.html" in (out / "models/%2Dx/1/index.html").read_text()
    assert "deleted" in (out / "models/HEAD/1/index.html").read_text()
    assert not (out / "api/v1/models/HEAD").exists()
    assert json.loads((out / "api/v1/models/a%40b/versions/1.json").read_text())["deleted"]


def test_documents_are_those_of_the_commands(example: Path, shown: Path) -> None:
    def asked(*args: str) -> object:
        done = gitreg(*args, "--json", cwd=example)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def stored(path: str) -> dict[str, object]:
        found: dict[str, object] = json.loads((shown / "api/v1" / path).read_text())
        return found

    version = stored("models/churn/versions/7.json")
    assert version.pop("uri") == "models:/churn/7"
    assert version == asked("show", "churn/7")
    assert stored("models/churn/stages/Production.json") == {**version, "uri": "models:/churn/7"}
    assert stored("models/churn/aliases/challenger.json")["version"] == 8
    assert stored("models/index.json")["models"] == asked("list")
    model = stored("models/churn/index.json")
    assert len(model.pop("versions")) == 8  # type: ignore[arg-type]
    assert model == next(each for each in asked("list") if each["name"] == "churn")  # type: ignore[attr-defined]
    log = json.loads((shown / "activity.json").read_text())
    assert log["entries"] == asked("log")


def test_the_feed(shown: Path) -> None:
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ET.parse(shown / "feed.xml").getroot()
    entries = feed.findall(f"{atom}entry")
    assert entries[0].findtext(f"{atom}title") == "churn: point alias challenger at version 8"
    for entry in entries:
        link = entry.find(f"{atom}link")
        assert link is not None
        path = link.attrib["href"].removeprefix("https://models.example.com/registry/")
        assert (shown / path).is_file()


def test_as_it_was(example: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(example, out, at="2025-03-20", title="Then")
    assert faults(out) == []
    assert read(out / "models/churn/index.html").ids
    page = (out / "models/churn/index.html").read_text()
    assert "Then</title>" in page
    assert not (out / "models/churn/5").exists()
    assert "which proposals were open then" in (out / "proposals/index.html").read_text()


def test_only_some_models(example: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(example, out, models=("cust*",))
    assert faults(out) == []
    assert not (out / "models/churn").exists()
    assert not list(out.glob("commits/*"))
    told = [path for path, data in files(out).items() if b"churn" in data]
    # What came from a version is told on its page, with a name and no more.
    assert all(path.startswith("models/customer-embedding/") for path in told), told


def test_the_same_bytes_on_any_machine(example: Path, shown: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--no-tags", example, clone], check=True)
    odd = {"LC_ALL": "C", "TZ": "Pacific/Chatham", "PYTHONHASHSEED": "7", "PYTHONUNBUFFERED": ""}
    address = "https://models.example.com/registry"
    done = gitreg("site", str(tmp_path / "site"), "--base-url", address, "--jobs", "2", cwd=clone, **odd)
    assert done.returncode == 0, done.stderr
    assert files(tmp_path / "site") == files(shown)


def test_many_processes_make_the_same(place: Path, tmp_path: Path) -> None:
    with open_registry(place) as registry, registry.batch("Many"):
        for number in range(30):
            registry.register(f"model-{number}", f"s3://b/{number}", metrics={"auc": number / 30})
    alone, together = tmp_path / "alone", tmp_path / "together"
    build(place, alone)
    build(place, together, jobs=3)
    assert files(alone) == files(together)
