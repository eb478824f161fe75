"""The list of models as a page, without a browser."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import gitreg
from tests.web.conftest import Asking


def page(asking: Callable[..., Asking], path: str, **settings: object) -> str:
    found = asking(**settings)("GET", path)
    assert found.status_code == 200, found.text
    return found.text


def test_an_empty_registry_says_what_to_type(asking: Callable[..., Asking]) -> None:
    said = page(asking, "/models")
    assert "There is no model yet" in said
    assert "gitreg register churn s3://models/churn/1" in said
    assert "mlflow.set_registry_uri(&#34;http://localhost:8080&#34;)" in said


def test_hostile_texts_are_only_text(place: Path, asking: Callable[..., Asking]) -> None:
    with gitreg.open(place) as registry:
        registry.create_model(
            "<b>bold", description="<script>alert(1)</script>\x1b[31m\u202e", owners=['"><img src=x>']
        )
    said = page(asking, "/models")
    assert "<script>alert" not in said and "<img src=x" not in said and "<b>bold" not in said
    assert "\x1b" not in said and "\\x1b" in said
    assert "\u202e" not in said and "\\u202e" in said


def test_names_that_need_care_lead_to_their_pages(place: Path, asking: Callable[..., Asking]) -> None:
    odd = ["a b", "é@%~^?*[\\", "a..b", ".hidden", "CON", ".git", "-x", "HEAD", "a@{1}", "a&b=c#d"]
    with gitreg.open(place) as registry:
        for name in odd:
            registry.register(name, "s3://m/1")
    asked = asking()
    said = asked("GET", "/models").text
    for address in re.findall(r'<th scope="row"><a href="([^"]+)"', said):
        assert asked("GET", address.replace("&amp;", "&")).status_code == 200, address
    assert said.count('<th scope="row">') == len(odd)


def test_no_style_or_script_stands_in_a_page(place: Path, asking: Callable[..., Asking]) -> None:
    with gitreg.open(place) as registry:
        for number in range(3):
            registry.register("churn", f"s3://m/{number}", metrics={"auc": number / 10})
    said = page(asking, "/models")
    assert not re.search(r"<style|<script(?! src=)|\sstyle=|\son\w+=", said)


def test_the_browser_need_not_fetch_again_what_is_the_same(
    place: Path, asking: Callable[..., Asking]
) -> None:
    asked = asking()
    first = asked("GET", "/models")
    again = asked("GET", "/models", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and not again.content
    with gitreg.open(place) as registry:
        registry.create_model("churn")
    later = asked("GET", "/models", headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200 and "churn" in later.text


def test_the_past(place: Path, asking: Callable[..., Asking]) -> None:
    with gitreg.open(place) as registry:
        registry.create_model("first")
        before = registry.at().commit
        registry.create_model("second")
    said = page(asking, f"/models?at={before}")
    assert "first" in said and "second" not in said
    assert f"/models/first?at={before}" in said
    assert "Back to now" in said
    assert asking()("GET", "/models?at=2999-01-01").status_code == 400
    assert asking()("GET", "/models?at=1999-01-01").status_code == 404
    assert asking()("GET", "/models?at=--upload-pack=touch").status_code in (400, 404)


def test_bad_questions_are_refused_in_words(asking: Callable[..., Asking]) -> None:
    for query in (
        "page=0",
        "page=-1",
        "page=1e3",
        "page=99999999999999999999",
        "order=size",
        "q=" + 60_000 * "a",
        "stage=Prodction",
    ):
        found = asking()("GET", f"/models?{query}")
        assert found.status_code == 400, query
        assert "<h1>" in found.text
    assert "did you mean" in asking()("GET", "/models?stage=Prodction").text
    assert asking()("GET", "/models?q=%00%ff%27").status_code == 200


def test_a_manifest_that_cannot_be_read_is_named(place: Path, asking: Callable[..., Asking]) -> None:
    with gitreg.open(place) as registry:
        registry.create_model("good")
        registry.create_model("bad")
    (place / "models/bad/model.yaml").write_text("a: [", encoding="utf-8")
    subprocess.run(["git", "commit", "-qam", "break it"], cwd=place, check=True)
    said = page(asking, "/models")
    assert "models/bad/model.yaml" in said and "good" in said


def test_files_are_kept_by_the_browser_until_they_change(asking: Callable[..., Asking]) -> None:
    asked = asking()
    said = asked("GET", "/models").text
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', said)):
        found = asked("GET", address)
        assert found.status_code == 200 and "immutable" in found.headers["cache-control"]
    assert asked("GET", "/static/../app.py").status_code == 404
    assert asked("GET", "/static/%2e%2e%2fapp.py").status_code == 404
