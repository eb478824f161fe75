"""The page of a registered model."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

import gitreg
from gitreg.domain.model import Origin
from gitreg.domain.requests import Register
from gitreg.gitstore.objects import Person
from tests.web.pages_a.conftest import Pages, by, commit_all, links, section, words

Own = Callable[[], Pages]
FORM = re.compile(r"/models/[^/?]+(/[0-9]+)?/[a-z]+(\?|$)")


def test_the_head_says_whose_it_is_and_who_is_in_production(pages: Pages) -> None:
    said = pages.text("/models/churn")
    assert re.search(r"<h1>churn</h1>", said) and "<em>cancels</em>" in said
    facts = words(section(said, 'aria-label="Facts"'))
    assert "team@example.com" in facts and "domain telco" in facts and "@challenger v3" in facts
    held = words(section(said, '<ul class="holders">', "</ul>"))
    assert re.search(r"Production v3 since .* by Grace Hopper, [0-9a-f]{10}", held)
    assert re.search(r"Archived v2 since .* by Grace Hopper", held)
    assert "Staging" not in held


def test_versions_stand_newest_first_with_what_tells_them_apart(pages: Pages) -> None:
    rows = re.findall(r"<tr>.*?</tr>", section(pages.text("/models/churn"), "<tbody>", "</tbody>"), re.DOTALL)
    said = [words(row) for row in rows]
    assert [row.split()[0] for row in said] == ["v3", "v2", "v1"]  # 4 is deleted
    assert "Production @challenger 0.9 0.1 30 About 3" in said[0]
    assert "v1 deprecated" in said[2] and "About 1" in said[2]
    heads = words(section(pages.text("/models/churn"), "<thead>", "</thead>"))
    assert "auc log_loss seconds" in heads  # what rules ask for comes first


def test_versions_are_chosen_to_be_compared(pages: Pages) -> None:
    said = pages.text("/models/churn")
    form = section(said, 'action="/compare"', "</form>")
    assert re.findall(r'name="version" value="([^"]*)"', form) == ["churn/3", "churn/2", "churn/1"]
    assert pages.get("/compare?version=churn/3&version=churn/1").status_code == 200


def test_a_stage_narrows_the_versions(pages: Pages) -> None:
    body = section(pages.text("/models/churn?stage=archived"), "<tbody>", "</tbody>")
    assert re.findall(r">v(\d+)</a>", body) == ["2"]
    assert "No version holds Staging" in pages.text("/models/churn?stage=Staging")
    refused = pages.get("/models/churn?stage=Prodction")
    assert refused.status_code == 400 and "did you mean" in refused.text


def test_the_plot_shows_the_metric_that_was_asked_for(pages: Pages) -> None:
    assert "churn: auc over the versions" in pages.text("/models/churn")
    assert "churn: seconds over the versions" in pages.text("/models/churn?metric=seconds")
    refused = pages.get("/models/churn?metric=aux")
    assert refused.status_code == 400 and "did you mean &#34;auc&#34;" in refused.text


def test_the_timeline_says_who_held_what(pages: Pages) -> None:
    said = pages.text("/models/churn")
    assert "churn: who held each stage when" in said
    assert "Production: version 2 from" in said and "Production: version 3 since" in said


def test_the_latest_changes_have_their_authors(pages: Pages) -> None:
    said = pages.text("/models/churn")
    told = words(section(said, '<ol class="steps">', "</ol>"))
    assert told.startswith("delete version 4 Grace Hopper ·")
    assert "transition version 3 to Production (from Staging); transition version 2 to Archived" in told
    assert 'href="/activity?model=churn"' in said
    assert len(re.findall("<li>", section(said, '<ol class="steps">', "</ol>"))) == 10


def test_the_past_is_shown_as_it_was(pages: Pages, history: Path) -> None:
    commits = subprocess.run(
        ["git", "log", "--format=%H", "--grep", "transition version 2 to Production"],
        cwd=history, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    said = pages.text(f"/models/churn?at={commits[0]}")
    assert re.findall(r">v(\d+)</a>", section(said, "<tbody>", "</tbody>")) == ["4", "3", "2", "1"]
    held = words(section(said, '<ul class="holders">', "</ul>"))
    assert re.search("Production v2 since .* by Ada Lovelace", held) and "v3" not in held
    assert "Grace" not in said
    inner = [each for each in links(said) if each.startswith("/models/churn/")]
    assert inner and all(f"at={commits[0]}" in each for each in inner)
    assert pages.get("/models/gone?at=" + commits[0]).status_code == 404  # it was not there yet


def test_every_link_leads_somewhere(pages: Pages) -> None:
    for page in ("/models/churn", "/models/gone", "/models/new-name"):
        for address in links(pages.text(page)):
            status = pages.get(address).status_code
            # A form says so where there is nothing for it to do.
            assert status in (200, 302) or (FORM.match(address) and status == 409), f"{page}: {address}"


def test_a_renamed_model_is_found_under_its_new_name(pages: Pages) -> None:
    assert pages.moved("/models/old-name") == "/models/new-name"
    assert pages.moved("/models/old-name/1") == "/models/new-name/1"
    assert "rename model to new-name" in pages.text("/models/new-name")


def test_a_deleted_model_says_by_whom_and_how_it_comes_back(pages: Pages) -> None:
    for path in ("/models/gone", "/models/gone/1"):
        said = words(pages.text(path))
        assert "by Grace Hopper" in said and "nobody used it" in said and "gitreg restore gone" in said


def test_what_never_was_is_not_found(pages: Pages) -> None:
    refused = pages.get("/models/chrun")
    assert refused.status_code == 404 and "churn" in refused.text
    assert pages.get("/models/%ff").status_code in (400, 404)
    assert pages.get("/models/" + "x" * 5000).status_code in (400, 404)


def test_versions_come_in_pages(place: Path, own: Own) -> None:
    with gitreg.open(place) as registry, registry.batch("sixty versions"):
        for number in range(60):
            registry.register("many", f"s3://m/{number}", metrics={"auc": number / 100})
    pages = own()
    for page, expected in (
        ("", range(60, 35, -1)),
        ("?page=3", range(10, 0, -1)),
        ("?page=99", range(10, 0, -1)),
    ):
        body = section(pages.text(f"/models/many{page}"), "<tbody>", "</tbody>")
        assert [int(found) for found in re.findall(r">v(\d+)</a>", body)] == [*expected]
    assert 'href="/models/many?page=2"' in pages.text("/models/many")
    assert pages.get("/models/many?page=0").status_code == 400
    told = words(section(pages.text("/models/many"), '<ol class="steps">', "</ol>"))
    assert "and 57 more changes" in told  # one commit: the model and sixty versions


ODD = ["a b", "é@%~^?*[\\", "a..b", "a.lock", ".hidden", "a.", "CON", "NUL.yaml", ".git", "git~1", "-x", "HEAD", "@", "a@{1}", "a&b=c#d", "a'b\"c", "<b>"]  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_names_that_need_care_have_pages(name: str, place: Path, own: Own) -> None:
    with gitreg.open(place) as registry:
        registry.create_model(name)
        for number in (1, 2):
            made = Origin(source=f"s3://m/{number}", metrics={"auc": 0.5})
            registry.apply(Register(name=name, origin=made))
    pages = own()
    found = [each for each in links(pages.text("/models")) if each.startswith("/models/")]
    seen = set()
    while found:
        address = found.pop()
        if address in seen or not address.startswith("/models/"):
            continue
        seen.add(address)
        answer = pages.get(address)
        assert answer.status_code in (200, 302) or FORM.match(address), f"{name}: {address}"
        found += links(answer.text)
    assert {f"/models/{quote(name, safe='')}/{number}" for number in (1, 2)} <= seen


def test_a_card_can_do_nothing(place: Path, own: Own) -> None:
    with gitreg.open(place) as registry:
        registry.register("churn", "s3://m/1")
    card = "# Hi\n<script>alert(1)</script>\n[x](javascript:alert(1)) ![p](https://e.example/p.svg)\n\x1b[31m\u202e\n"
    (place / "models" / "churn" / "README.md").write_text(card)
    commit_all(place)
    said = section(own().text("/models/churn"), 'id="card"')
    assert "<h3>Hi</h3>" in said and "&lt;script&gt;" in said and "\\u202e" in said
    assert (
        "<script" not in said and "<img" not in said and 'href="javascript' not in said and "\x1b" not in said
    )


def test_what_can_be_read_is_shown_and_the_rest_is_named(place: Path, own: Own) -> None:
    with gitreg.open(place) as registry:
        for number in (1, 2):
            registry.register("churn", f"s3://m/{number}", metrics={"auc": 0.5})
    (place / "models" / "churn" / "versions" / "2.yaml").write_text("version: [\n")
    commit_all(place)
    pages = own()
    said = pages.text("/models/churn")
    assert "1 file can’t be read" in said and "models/churn/versions/2.yaml" in said
    assert re.findall(r">v(\d+)</a>", section(said, "<tbody>", "</tbody>")) == ["1"]
    version = words(pages.text("/models/churn/2"))
    assert "unreadable" in version and "models/churn/versions/2.yaml" in version and "gitreg check" in version
    (place / "models" / "churn" / "model.yaml").write_text("name: [\n")
    commit_all(place)
    assert "models/churn/model.yaml" in pages.text("/models/churn")
    assert pages.get("/models/churn/1").status_code == 200


def test_nothing_stands_in_a_page_that_its_policy_forbids(pages: Pages) -> None:
    for path in ("/models/churn", "/models/churn/3", "/models/gone", "/models/churn/4"):
        said = pages.text(path)
        assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son\w+=", said), path
        assert said.count("<h1") == 1


def test_a_model_without_versions_says_how_to_register_one(place: Path, own: Own) -> None:
    with gitreg.open(place) as registry:
        registry.create_model("empty")
    said = own().text("/models/empty")
    assert "There is no version yet" in said and "gitreg register empty" in said


def test_a_page_stays_small_whatever_it_holds(place: Path, own: Own) -> None:
    import gzip

    long = "".join(chr(97 + (each * 7919) % 26) for each in range(90_000))
    with gitreg.open(place) as registry:
        registry.register("churn", "s3://m/1", tags={"big": long}, description=long)
        registry.tag("churn", {"big": long})
        registry.update("churn", description=long)
    pages = own()
    for path in ("/models/churn", "/models/churn/1"):
        said = pages.text(path)
        assert "(90,000 characters)" in said
        assert len(gzip.compress(said.encode())) < 100_000


def test_an_author_hides_nothing(place: Path, own: Own) -> None:
    with by(place, Person(name="\u202eEve & Co", email="eve@example.com")) as registry:
        registry.register("churn", "s3://m/1")
    for path in ("/models/churn", "/models/churn/1"):
        said = own().text(path)
        assert "\u202e" not in said and "\\u202eEve &amp; Co" in said
