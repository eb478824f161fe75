"""What holds for every form: who may send it, what it must look like, and that it lets nobody else in."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.web.identity import Role
from tests.web.actions.conftest import Log, Visit
from tests.web.actions.visiting import Visitor, forms

EVERY = (
    "/register",
    "/models/churn/update",
    "/models/churn/delete",
    "/models/churn/rollback?stage=Production",
    "/models/churn/1/update",
    "/models/churn/1/alias",
    "/models/churn/1/transition?stage=Staging",
    "/models/churn/1/deprecate",
    "/models/churn/1/delete",
)


@pytest.mark.parametrize("path", EVERY)
def test_who_may_only_read_gets_no_form(seeded: Path, visit: Visit, newest: Log, path: str) -> None:
    before = newest("%H")
    reader = visit("Eve", user_role=Role.READER)
    assert reader.get(path).status_code == 403
    at = path.partition("?")[0]
    assert reader.post(at, {"stage": "Staging", "confirm": "churn"}).status_code == 403
    assert newest("%H") == before


@pytest.mark.parametrize("path", EVERY)
def test_G02_a_form_without_the_token_or_from_elsewhere(ann: Visitor, newest: Log, path: str) -> None:
    if "rollback" in path:
        assert ann.fill("/models/churn/2/transition?stage=Production").status_code == 303
    before = newest("%H")
    form = ann.load(path)
    assert form.fields["csrf"][0]
    assert ann.send(form, csrf=None).status_code == 403
    assert ann.send(form, csrf="x" * 43).status_code == 403
    from urllib.parse import urlencode

    kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "http://evil.example"}
    done = ann.ask("POST", form.action, content=urlencode(form.fields, doseq=True), headers=kind)
    assert done.status_code == 403
    assert newest("%H") == before


def test_a_server_that_shows_the_past(seeded: Path, visit: Visit) -> None:
    visitor = visit("Ann", at="main")
    for path in EVERY:
        assert visitor.get(path).status_code == 403, path
    assert visit("Ann").get("/register?at=2020-01-01").status_code in (400, 403)


def test_the_past_has_no_forms(ann: Visitor) -> None:
    assert ann.get("/models/churn/update?at=main").status_code == 400


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"description=a&description=b&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"nonsense=1&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"description=%%ff&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"description&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"\xff=1&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"seen=--upload-pack&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b'{"description": "a"}', "application/json", 400),
        (b"tag_key=a&csrf=%s", "application/x-www-form-urlencoded", 400),
        (b"csrf=%s&message=" + b"x" * (3 * 1024 * 1024), "application/x-www-form-urlencoded", 413),
    ],
)
def test_G06_what_is_no_form_of_ours(ann: Visitor, newest: Log, body: bytes, kind: str, status: int) -> None:
    before = newest("%H")
    token = ann.load("/models/churn/update").fields["csrf"][0]
    text = body.replace(b"%s", token.encode()).replace(b"%%", b"%")
    headers = {"Content-Type": kind, "Origin": "http://localhost:8080", "X-CSRF-Token": token}
    done = ann.ask("POST", "/models/churn/update", content=text, headers=headers)
    assert done.status_code == status, done.text
    assert newest("%H") == before


@pytest.mark.parametrize(
    "path",
    [
        "/models/nothing/update",
        "/models/churn/99/update",
        "/models/churn/0/update",
        "/models/churn/99/transition?stage=Production",
        "/models/churn/unalias?alias=none",
        "/proposals/none/withdraw",
    ],
)
def test_what_is_not_there(ann: Visitor, path: str) -> None:
    assert ann.get(path).status_code == 404


@pytest.mark.parametrize("verb", ["approve", "merge"])
def test_proposals_that_are_not_there_are_told_to_approvers(seeded: Path, visit: Visit, verb: str) -> None:
    assert visit("Ann", user_role=Role.APPROVER).get(f"/proposals/none/{verb}").status_code == 404
    assert visit("Ann", user_role=Role.WRITER).get(f"/proposals/none/{verb}").status_code == 403


def test_no_page_with_a_form_is_kept(ann: Visitor) -> None:
    for path in EVERY[:3]:
        page = ann.get(path)
        assert page.headers["cache-control"] == "no-store"
        assert "style=" not in page.text and "onclick" not in page.text


def test_C05_a_forged_trailer_is_never_one(ann: Visitor, newest: Log) -> None:
    done = ann.fill("/models/churn/update", description="x", message="why\r\n\r\nGitreg-Event: delete")
    assert done.status_code == 303
    assert newest("%(trailers:key=Gitreg-Event,valueonly)").split() == ["update"]


def test_whose_commit_it_is_on_this_machine(seeded: Path, visit: Visit, newest: Log) -> None:
    """Nobody is named: whom Git's configuration names is."""
    visitor = visit("", user_header="", email_header="")
    assert visitor.fill("/models/churn/update", description="x").status_code == 303
    assert newest("%an") == newest("%cn")
    (form,) = forms(visitor.get("/models/churn/update").text)
    assert form.fields["description"] == ["x"]
