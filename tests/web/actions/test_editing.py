"""Editing, aliases, marks, deletion: each is a commit of the one who sends the form."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.registry.open import open_registry
from tests.web.actions.conftest import ADA, Log
from tests.web.actions.visiting import Visitor, forms


def test_description_owners_and_tags_of_a_model_in_one_commit(
    ann: Visitor, newest: Log, seeded: Path
) -> None:
    form = ann.load("/models/churn/update")
    assert form.fields["description"] == ["Who leaves"] and form.fields["owners"] == ["ml"]
    assert form.fields["tag_key"][0] == "team"
    done = ann.send(
        form,
        description="Who leaves\r\nus",
        owners="ml\r\nann@example.com\r\n",
        tag_key=["team", "tier"],
        tag_value=["growth", "1"],
        message="After the review",
    )
    assert done.status_code == 303, done.text
    oid = newest("%H")
    assert done.headers["location"] == f"/models/churn?committed={oid}"
    assert newest("%an <%ae>") == "Ann <ann@example.com>"
    body = newest("%B")
    assert "After the review" in body and "Gitreg-Event: update" in body and "Gitreg-Model: churn" in body
    with open_registry(seeded) as registry:
        model = registry.model("churn")
    assert model.description == "Who leaves\nus" and model.owners == ("ml", "ann@example.com")
    assert model.tags == {"team": "growth", "tier": "1"}


def test_description_and_tags_of_a_version(ann: Visitor, newest: Log, seeded: Path) -> None:
    done = ann.fill(
        "/models/churn/2/update", description="Better", tag_key=["data"], tag_value=["last\r\nweek"]
    )
    assert done.status_code == 303 and done.headers["location"].startswith("/models/churn/2?committed=")
    with open_registry(seeded) as registry:
        version = registry.version("churn/2")
        assert (version.description, version.tags) == ("Better", {"data": "last\nweek"})
    form = ann.load("/models/churn/2/update")
    assert form.fields["tag_value"][0] == "last\r\nweek"
    before = newest("%H")
    assert ann.send(form).status_code == 303 and newest("%H") == before, "nothing was edited"
    assert ann.send(form, tag_remove="data").status_code == 303
    with open_registry(seeded) as registry:
        assert registry.version("churn/2").tags == {}


def test_C01_C04_what_pages_show_as_escapes_stays_as_it_is(ann: Visitor, newest: Log, seeded: Path) -> None:
    hostile = "a\x1b]52;c;AA\x07\u202eb</textarea><script>alert(1)</script>"
    with open_registry(seeded, author=ADA) as registry:
        registry.update("churn/2", description=f"\n{hostile}\r\nend")
        registry.tag("churn/2", {"k\u202e": hostile})
    page = ann.get("/models/churn/2/update").text
    assert "\x1b" not in page and "\u202e" not in page and "<script>alert" not in page
    before = newest("%H")
    (form,) = forms(page)
    assert ann.send(form).status_code == 303
    assert newest("%H") == before


def test_C06_a_long_tag_is_kept_and_can_be_removed(ann: Visitor, seeded: Path) -> None:
    with open_registry(seeded, author=ADA) as registry:
        registry.tag("churn/2", {"long": "x" * 100_000})
    page = ann.get("/models/churn/2/update")
    assert len(page.content) < 30_000
    (form,) = forms(page.text)
    assert ann.send(form, description="new").status_code == 303
    with open_registry(seeded) as registry:
        assert len(registry.version("churn/2").tags["long"]) == 100_000
    assert ann.fill("/models/churn/2/update", tag_remove="long").status_code == 303
    with open_registry(seeded) as registry:
        assert registry.version("churn/2").tags == {}


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"tag_key": ["", "k", "k"], "tag_value": ["", "1", "2"]}, "tags", "stands twice"),
        ({"tag_key": [""], "tag_value": ["lost"]}, "tags", "no key"),
        ({"tag_key": ["k\n"], "tag_value": ["x" * 100_001]}, "tags", "100,001 characters"),
        ({"message": "a\x07b"}, "message", "control character"),
    ],
)
def test_a_slip_is_told_at_its_field_and_nothing_typed_is_lost(
    ann: Visitor, newest: Log, typed: dict[str, str], field: str, said: str
) -> None:
    before = newest("%H")
    done = ann.fill("/models/churn/update", **({"description": "typed <b>"} | typed))
    assert done.status_code == 400 and newest("%H") == before
    assert f'id="e-{field}"' in done.text and said in done.text
    assert "typed &lt;b&gt;</textarea>" in done.text
    (form,) = forms(done.text)
    assert form.fields["description"] == ["typed <b>"]
    for value in typed.get("tag_value", []):
        assert value in form.fields["tag_value"]


def test_what_others_changed_meanwhile_is_not_overwritten(ann: Visitor, newest: Log, seeded: Path) -> None:
    form = ann.load("/models/churn/update")
    with open_registry(seeded, author=ADA) as registry:
        registry.update("churn", description="Ada's words")
    before = newest("%H")
    done = ann.send(form, description="Ann's words")
    assert done.status_code == 409 and newest("%H") == before
    assert "changed meanwhile" in done.text and "Ada Lovelace" in done.text
    (again,) = forms(done.text)
    assert again.fields["description"] == ["Ann's words"]
    assert ann.send(again).status_code == 303, "having seen it, Ann may go on"
    with open_registry(seeded) as registry:
        assert registry.model("churn").description == "Ann's words"


def test_a_conflict_shows_at_each_field_how_it_stands_and_keeps_both(
    ann: Visitor, newest: Log, seeded: Path
) -> None:
    form = ann.load("/models/churn/update")
    with open_registry(seeded, author=ADA) as registry:
        registry.update("churn", description="Ada's <b>words</b>", owners=["ada@example.com"])
        registry.tag("churn", {"team": "retention", "tier": "2"})
    adas = newest("%h")
    done = ann.send(form, description="Ann's words", tag_key=["team", "new"], tag_value=["sales", "1"])
    assert done.status_code == 409
    assert "It now says:" in done.text and "Ada&#39;s &lt;b&gt;words&lt;/b&gt;</blockquote>" in done.text
    assert "retention</blockquote>" in done.text and adas in done.text and "Ada Lovelace" in done.text
    assert "What you typed is kept" in done.text and "nothing is done" not in done.text
    assert "ada@example.com</blockquote>" not in done.text
    (again,) = forms(done.text)
    assert again.fields["description"] == ["Ann's words"]
    assert again.fields["owners"] == ["ada@example.com"], "Ann did not touch them: Ada's stay"
    assert ann.send(again).status_code == 303
    with open_registry(seeded) as registry:
        model = registry.model("churn")
    assert (model.description, model.owners) == ("Ann's words", ("ada@example.com",))
    assert model.tags == {"team": "sales", "tier": "2", "new": "1"}


def test_a_tag_that_somebody_removed_meanwhile(ann: Visitor, seeded: Path) -> None:
    form = ann.load("/models/churn/update")
    with open_registry(seeded, author=ADA) as registry:
        registry.untag("churn", "team")
    done = ann.send(form, tag_key=["team"], tag_value=["sales"])
    assert done.status_code == 409 and "It was removed meanwhile" in done.text and "Ada Lovelace" in done.text
    assert ann.send(form, description="New").status_code == 303, "she did not touch the tag"
    with open_registry(seeded) as registry:
        assert registry.model("churn").tags == {} and registry.model("churn").description == "New"


def test_sent_twice_and_unchanged(ann: Visitor, newest: Log, seeded: Path) -> None:
    form = ann.load("/models/churn/update")
    typed = {"description": "New", "tag_key": ["team"], "tag_value": ["sales"]}
    assert ann.send(form, **typed).status_code == 303
    before = newest("%H")
    done = ann.send(form, **typed)
    assert done.status_code == 303 and newest("%H") == before
    assert "it says that already" in ann.get(done.headers["location"]).text
    done = ann.send(ann.load("/models/churn/2/update"))
    assert "Nothing changed" in ann.get(done.headers["location"]).text and newest("%H") == before
    assert 'class="done"' not in ann.get("/models/churn?done=%3Cb%3Eodd").text


def test_owners_between_commas_and_a_banner_that_names_all(ann: Visitor, newest: Log, seeded: Path) -> None:
    with open_registry(seeded, author=ADA) as registry:
        registry.update("churn", owners=["Team A, B"])
    typed = {"owners": "Team A, B\r\nann@example.com, bob@example.com", "description": "New"}
    done = ann.fill("/models/churn/update", **typed)
    with open_registry(seeded) as registry:
        assert registry.model("churn").owners == ("Team A, B", "ann@example.com", "bob@example.com")
    assert newest("%s") == "churn: update description and owners of model"
    assert newest("%s") in ann.get(done.headers["location"]).text


def test_what_others_changed_elsewhere_is_no_conflict(ann: Visitor, seeded: Path) -> None:
    form = ann.load("/models/churn/2/update")
    with open_registry(seeded, author=ADA) as registry:
        registry.register("churn", "s3://models/churn/3")
        registry.transition("churn/2", "Staging")
    assert ann.send(form, description="Ann's words").status_code == 303
    with open_registry(seeded) as registry:
        version = registry.version("churn/2")
    assert version.description == "Ann's words" and list(version.stages) == ["Staging"]


def test_aliases(ann: Visitor, newest: Log, seeded: Path) -> None:
    done = ann.fill("/models/churn/2/alias", alias="champion", message="Won")
    assert done.headers["location"].startswith("/models/churn/2?committed=")
    assert newest("%an|%s") == "Ann|churn: point alias champion at version 2"
    form = ann.load("/models/churn/unalias?alias=champion")
    done = ann.send(form)
    assert done.status_code == 303
    assert newest("%an|%s") == "Ann|churn: remove alias champion"
    assert ann.get("/models/churn/unalias?alias=champion").status_code == 404
    done = ann.fill("/models/churn/2/alias", alias="v3")
    assert done.status_code == 400 and 'id="e-alias"' in done.text and "reserved" in done.text


def test_an_alias_that_somebody_else_moved(ann: Visitor, seeded: Path) -> None:
    form = ann.load("/models/churn/2/alias")
    with open_registry(seeded, author=ADA) as registry:
        registry.alias("churn/1", "champion")
    assert ann.send(form, alias="other").status_code == 303
    assert ann.send(form, alias="champion").status_code == 409


def test_deprecating_and_back(ann: Visitor, newest: Log, seeded: Path) -> None:
    assert ann.fill("/models/churn/1/deprecate", reason="Leaks the label").status_code == 303
    assert newest("%an|%s") == "Ann|churn: deprecate version 1"
    with open_registry(seeded) as registry:
        mark = registry.version("churn/1").deprecated
        assert mark is not None and mark.reason == "Leaks the label"
    assert ann.fill("/models/churn/1/undeprecate").status_code == 303
    assert ann.get("/models/churn/1/undeprecate").status_code == 409


@pytest.mark.parametrize(("path", "name"), [("churn", "churn"), ("churn/2", "churn/2")])
def test_deleting_needs_the_name_and_can_be_undone(ann: Visitor, newest: Log, path: str, name: str) -> None:
    before = newest("%H")
    for typed in ("", "chrun", "churn/1"):
        done = ann.fill(f"/models/{path}/delete", confirm=typed, reason="old")
        assert done.status_code == 400 and 'id="e-confirm"' in done.text and "old</textarea>" in done.text
    assert newest("%H") == before
    done = ann.fill(f"/models/{path}/delete", confirm=name, reason="old")
    assert done.status_code == 303 and newest("%an|%s").startswith("Ann|churn: delete")
    assert ann.get(f"/models/{path}/delete").status_code == 404
    assert ann.fill(f"/models/{path}/restore").status_code == 303
    assert newest("%an|%s").startswith("Ann|churn: restore")
    assert ann.get(f"/models/{path}/restore").status_code == 409


def test_the_last_version_that_was_deleted_leads_back(ann: Visitor, seeded: Path) -> None:
    ann.fill("/models/churn/1/delete", confirm="churn/1")
    assert (
        "was deleted"
        not in ann.get("/models/churn").text.partition('id="versions"')[2].partition("</section>")[0]
    )
    ann.fill("/models/churn/2/delete", confirm="churn/2")
    page = ann.get("/models/churn").text
    assert '<a href="/models/churn/2">Version 2</a> was deleted <time' in page and "by Ann" in page
    assert "There is no version yet" not in page
    assert 'href="/models/churn/2/restore">Restore</a>' in ann.get("/models/churn/2").text


def test_a_model_that_changed_is_not_deleted_unseen(ann: Visitor, newest: Log, seeded: Path) -> None:
    form = ann.load("/models/churn/delete")
    with open_registry(seeded, author=ADA) as registry:
        registry.register("churn", "s3://models/churn/3")
    assert ann.send(form, confirm="churn").status_code == 409
    assert newest("%s") == "churn: register version 3"


@pytest.mark.parametrize("name", ["a b", "é@%", "~^?*[\\", "a..b", "CON", ".git", "-x", "@", "100%25"])
def test_A10_A15_names(ann: Visitor, seeded: Path, name: str) -> None:
    from urllib.parse import quote

    assert ann.fill("/register", name=name, source="s3://models/x/1").status_code == 303
    path = f"/models/{quote(name, safe='')}"
    assert ann.fill(f"{path}/1/alias", alias="first").status_code == 303
    assert ann.fill(f"{path}/update", description="Odd").status_code == 303
    assert ann.fill(f"{path}/1/transition?stage=Staging").status_code == 303
    with open_registry(seeded) as registry:
        assert registry.model(name).description == "Odd" and registry.model(name).aliases == {"first": 1}
