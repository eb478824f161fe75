"""The page of a model version."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import gitreg
from gitreg.domain.model import Origin
from gitreg.domain.requests import Register
from gitreg.registry.record import ModelRecord
from gitreg.web.links import Links
from gitreg.web.pages.look import Look, Page, html
from gitreg.web.pages.version import ModelPages
from tests.web.pages_a.conftest import ADA, GRACE, Pages, by, commit_all, links, section, words

Own = Callable[[], Pages]


@pytest.mark.parametrize("which", ["Production", "production", "latest", "@challenger", "v3"])
def test_what_means_a_version_leads_to_its_number(which: str, pages: Pages) -> None:
    assert pages.moved(f"/models/churn/{which}") == "/models/churn/3"


def test_time_goes_along(pages: Pages, history: Path) -> None:
    first = subprocess.run(
        ["git", "log", "--format=%H", "--grep", "transition version 2 to Production"],
        cwd=history, capture_output=True, text=True, check=True,
    ).stdout.split()[0]  # fmt: skip
    assert pages.moved(f"/models/churn/Production?at={first}") == f"/models/churn/2?at={first}"
    said = pages.text(f"/models/churn/3?at={first}")
    assert "Grace" not in said and "evaluate" not in said
    assert f"/models/embedding/1?at={first}" in links(said)


@pytest.mark.parametrize("which", ["99", "0", "012", "Prodction", "@nobody", "1.5", "9" * 30, "Staging"])
def test_what_means_no_version_is_refused(which: str, pages: Pages) -> None:
    assert pages.get(f"/models/churn/{which}").status_code in (400, 404)


def test_it_says_where_it_came_from(pages: Pages) -> None:
    said = pages.text("/models/churn/3")
    told = words(section(said, "<h2>Origin</h2>"))
    for fact in (
        "s3://models/churn/3",
        "run3",
        "churn-2026",
        "https://git.example.com/churn",
        "abababababab"[:10],
    ):
        assert fact in told
    assert "uncommitted changes" in told and "telco" in told and "s3://data/telco" in told
    assert "embedding v1" in told and "hf://org/other" in told
    artifact = words(section(said, "<h2>Artifact</h2>"))
    assert "sha256:" + "ef" * 32 in artifact and "1.2 MB" in artifact and "sklearn 1.5.2" in artifact
    assert "2 files" in artifact and "model.pkl" in artifact
    signature = words(section(said, "<h2>Signature</h2>"))
    assert "age long" in signature and "income double optional" in signature and "float64 [-1]" in signature
    assert "depth 3" in words(section(said, "<h2>Parameters</h2>"))


def test_only_addresses_of_the_web_are_links(pages: Pages) -> None:
    assert 'href="https://runs.example.com/3"' in pages.text("/models/churn/3")
    said = pages.text("/models/churn/2")
    assert "javascript:alert(1)" in said and 'href="javascript' not in said
    outside = re.findall(r'<a href="(https?:[^"]*)"([^>]*)>', pages.text("/models/churn/3"))
    assert outside and all("noreferrer" in how for _, how in outside)


def test_stages_say_since_when_and_by_whom(pages: Pages) -> None:
    facts = words(section(pages.text("/models/churn/3"), 'aria-label="Facts"'))
    assert re.search(r"Production since .* by Grace Hopper", facts)
    assert re.search(r"Registered .* by Ada Lovelace", facts)


def test_metrics_stand_beside_those_in_production(pages: Pages) -> None:
    said = pages.text("/models/churn/2")
    table = section(said, "<h2>Metrics</h2>")
    assert "beside v3 , in Production" in words(table)
    rows = {words(row).split()[0]: row for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)[1:]}
    assert "worse" in rows["auc"] and "−0.05" in words(rows["auc"]) and "−5.6 %" in words(rows["auc"])
    assert "worse" in rows["log_loss"] and "+0.05" in words(rows["log_loss"])  # a rule says: lower is better
    assert "better" not in rows["seconds"] and "worse" not in rows["seconds"]  # no rule tells
    evaluation = words(section(said, "Evaluation holdout"))
    assert "auc 0.8 0.75 +0.05" in evaluation and "better" in evaluation
    assert "beside v2 , the version before" in words(
        section(pages.text("/models/churn/3"), "<h2>Metrics</h2>")
    )
    assert "/compare?version=churn%2F3&version=churn%2F2" in links(said)


def test_the_lineage_leads_to_other_versions(pages: Pages) -> None:
    picture = section(pages.text("/models/churn/3"), 'class="picture lineage"', "</svg>")
    assert 'href="/models/embedding/1"' in picture and "Lineage of churn/3" in picture
    assert 'role="img"' not in picture  # what is in one is hidden from readers of the screen
    below = pages.text("/models/embedding/1")
    assert "Led to" in below and {"/models/churn/1", "/models/churn/3"} <= set(links(below))
    assert "/models/churn/4" not in links(below)  # it is deleted


def test_its_history_is_its_own(pages: Pages) -> None:
    told = words(section(pages.text("/models/churn/3"), '<ol class="steps">', "</ol>"))
    found = ("transition version 3 to Production (from Staging)", "evaluate version 3: holdout",
             "point alias challenger at version 3", "transition version 3 to Staging", "register version 3")  # fmt: skip
    places = [told.index(each) for each in found]
    assert places == sorted(places)
    assert "version 2" not in told and "deprecate" not in told


def test_the_ways_to_load_it_name_this_server(pages: Pages) -> None:
    said = section(pages.text("/models/churn/3"), 'id="load"')
    assert "mlflow.set_registry_uri(&#34;http://localhost:8080&#34;)" in said
    assert "load_model(&#34;models:/churn/3&#34;)" in said and "models:/churn/Production" in said
    assert "gitreg resolve churn/3" in said
    assert "curl http://localhost:8080/api/v1/models/churn/versions/3" in said


def test_its_neighbours_are_a_click_away(pages: Pages) -> None:
    beside = section(pages.text("/models/churn/2"), 'class="beside"', "</nav>")
    assert 'rel="prev" href="/models/churn/1"' in beside and 'rel="next" href="/models/churn/3"' in beside
    assert 'rel="next"' not in pages.text("/models/churn/3")  # 4 is deleted


def test_deprecation_is_told_first(pages: Pages) -> None:
    assert "Deprecated" in pages.text("/models/churn/1") and "too old" in pages.text("/models/churn/1")


def test_a_deleted_version_says_by_whom_and_how_it_comes_back(pages: Pages) -> None:
    said = words(pages.text("/models/churn/4"))
    assert "by Grace Hopper" in said and "a leak" in said and "gitreg restore churn/4" in said
    assert "register version 4" in said


def test_every_link_leads_somewhere(pages: Pages) -> None:
    for page in ("/models/churn/1", "/models/churn/3", "/models/churn/4", "/models/embedding/1"):
        for address in links(pages.text(page)):
            assert pages.get(address).status_code in (200, 302), f"{page}: {address}"


def test_hostile_values_are_only_text(place: Path, own: Own) -> None:
    bad = "<script>alert(1)</script>\x1b]52;c;x\x07\u202e"
    made = Origin(
        source='s3://"><img src=x>', params={"<b>p": bad}, metrics={"<i>m": 1.0, "nan": float("nan")}
    )
    with gitreg.open(place) as registry:
        registry.apply(
            Register(
                name="churn", origin=made, description=bad + "\nGitreg-Stage: Production", tags={"<u>": bad}
            )
        )
        registry.evaluate("churn/1", "<s>e", {"x": float("inf")})
    for path in ("/models/churn/1", "/models/churn"):
        said = own().text(path)
        assert not re.search(r"<script>|<img src=x|<b>p|<i>m|<u>|<s>e", said), path
        assert "\x1b" not in said and "\x07" not in said and "\u202e" not in said
    said = own().text("/models/churn/1")
    assert "\\x1b" in said and "\\u202e" in said and "nan" in said
    assert "holds" not in words(section(said, 'class="badges"', "</p>"))
    assert "transition" not in words(section(said, 'class="steps"', "</ol>"))


def test_signatures_are_told(place: Path, own: Own, tmp_path: Path) -> None:
    keys = {who: keypair(tmp_path / who) for who in ("known", "stranger")}
    with gitreg.open(place) as registry:
        registry.register("churn", "s3://m/1")
    (place / "keys").mkdir()
    (place / "keys" / "allowed_signers").write_text(f"hand@example.com {keys['known']}\n")
    commit_all(place)
    manifest = place / "models" / "churn" / "versions" / "1.yaml"
    for who in keys:
        manifest.write_text(manifest.read_text().partition("description:")[0] + f"description: by {who}\n")
        key = tmp_path / who
        commit_all(place, "-c", "gpg.format=ssh", "-c", f"user.signingkey={key}", "-c", "commit.gpgsign=true")
    forge(place, manifest)
    steps = re.findall("<li>.*?</li>", own().text("/models/churn/1"), re.DOTALL)
    told = [words(step) for step in steps]
    assert told[0].endswith("bad signature")
    assert told[1].endswith("unknown key")
    assert told[2].endswith("signed hand@example.com")
    assert told[3].endswith("not signed")


def keypair(path: Path) -> str:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
    return path.with_name(path.name + ".pub").read_text().strip()


def forge(place: Path, manifest: Path) -> None:
    """Make a commit that bears the signature of the one before."""

    def git(*args: str, given: bytes = b"") -> bytes:
        return subprocess.run(["git", *args], cwd=place, input=given, capture_output=True, check=True).stdout

    manifest.write_text(manifest.read_text().replace("by stranger", "by nobody"))
    git("add", "-A")
    tree, head = git("write-tree").strip(), git("rev-parse", "HEAD").strip()
    raw = git("cat-file", "commit", "HEAD")
    lines = raw.split(b"\n")
    lines[0] = b"tree " + tree
    lines[1] = b"parent " + head
    made = git("hash-object", "-t", "commit", "-w", "--stdin", given=b"\n".join(lines)).strip().decode()
    git("update-ref", "HEAD", made)


def test_pages_without_a_server_ask_nothing_of_one(history: Path) -> None:
    class Files(Links):
        live = False

    with gitreg.open(history) as registry:
        look = Look(registry=registry, view=registry.at(), links=Files())
        whole = ModelPages(look, "churn")
        assert whole.numbers == [1, 2, 3, 4]
        shown = [whole.model(), *(whole.version(number) for number in whole.numbers)]
        for page in shown:
            assert isinstance(page, Page)
            said = html(page, look)
            assert (
                "<form" not in said
                and "hx-" not in said
                and "curl" not in said
                and "?" not in " ".join(each for each in links(said) if each.startswith("/models/"))
            ), page.title
        assert "gitreg+file:///path/to/the/clone" in html(shown[3], look)
        assert html(shown[3], look) == html(shown[3], look)


def test_a_page_can_be_rendered_with_other_links(history: Path) -> None:
    with gitreg.open(history) as registry:
        look = Look(registry=registry, view=registry.at(), links=Links())
        page = ModelPages(look, "churn").version(3)
        elsewhere = html(page, replace(look, links=Links(root="/below")))
        assert all(each.startswith("/below/") for each in links(elsewhere) if each not in ("/", "/sign-in"))
        assert 'href="/below/models/embedding/1"' in elsewhere


def test_a_stage_is_traced_through_a_rename(place: Path) -> None:
    with by(place, ADA) as registry:
        registry.register("one", "s3://m/1")
        registry.transition("one/1", "Production")
    with by(place, GRACE) as registry:
        registry.rename("one", "two")
        registry.evaluate("two/1", "e", {"x": 1})
        part = registry.store.index.slice(registry.at().commit)
        record = ModelRecord(part, registry.settings, "two")
        given = record.giving(1, "Production")
        assert given is not None and given.author == "Ada Lovelace"
        told = [change.event for each in record.entries(1) for change in each.entry.changes]
        assert told == ["evaluate", "rename", "transition", "register"]
        assert record.giving(1, "Staging") is None


def test_an_approval_and_an_alias_that_went_belong_to_the_history(place: Path) -> None:
    with by(place, ADA) as registry:
        registry.register("churn", "s3://m/1", aliases=["champion"])
        registry.register("churn", "s3://m/2")
        registry.alias("churn/2", "champion")
        registry.unalias("churn", "champion")
        part = registry.store.index.slice(registry.at().commit)
        record = ModelRecord(part, registry.settings, "churn")
        subjects = {number: [each.link.subject for each in record.entries(number)] for number in (1, 2)}
    assert subjects[2] == [
        "churn: remove alias champion", "churn: point alias champion at version 2", "churn: register version 2",
    ]  # fmt: skip
    assert subjects[1][0] == "churn: point alias champion at version 2"  # which took it away
