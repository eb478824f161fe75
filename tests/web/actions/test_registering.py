"""The form that registers a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.registry.open import open_registry
from tests.web.actions.conftest import Log, Visit
from tests.web.actions.visiting import Visitor, forms


def test_a_version_of_a_model_that_is_there(ann: Visitor, newest: Log, seeded: Path) -> None:
    page = ann.get("/register?name=churn").text
    assert '<option value="churn">' in page and 'value="churn"' in page
    (form,) = forms(page)
    done = ann.send(
        form,
        source="runs:/0123abcd/model",
        metrics="auc = 0.93\r\n\r\nlog_loss=1e-3\r\nbad=nan",
        params="depth=6\r\nurl=a=b",
        tags="team=growth",
        alias="candidate",
        parents="churn/2",
        run_link="https://mlflow.example.com/runs/1",
        description="New data",
        message="Weekly",
    )
    assert done.status_code == 303, done.text
    assert done.headers["location"] == f"/models/churn/3?committed={newest('%H')}"
    assert newest("%an <%ae>|%s") == "Ann <ann@example.com>|churn: register version 3"
    with open_registry(seeded) as registry:
        version = registry.version("churn@candidate")
    assert (version.version, version.run_id, version.description) == (3, "0123abcd", "New data")
    assert version.metrics["auc"] == 0.93 and version.metrics["log_loss"] == 0.001
    assert version.params == {"depth": "6", "url": "a=b"} and version.tags == {"team": "growth"}
    assert version.origin.parents == ("models:/churn/2",)
    assert version.origin.run_link == "https://mlflow.example.com/runs/1"


def test_a_run_alone_and_a_new_model(ann: Visitor, seeded: Path) -> None:
    assert ann.fill("/register", name="fraud", run_id="abc123").status_code == 303
    with open_registry(seeded) as registry:
        version = registry.version("fraud/1")
    assert (version.source, version.run_id) == ("runs:/abc123/model", "abc123")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"source": ""}, "source"),
        ({"source": "/etc/passwd"}, "source"),
        ({"source": "models/churn"}, "source"),
        ({"source": "file:///etc/passwd"}, "source"),
        ({"source": "FILE:/etc/passwd"}, "source"),
        ({"source": "..\\x"}, "source"),
        ({"source": "C:\\models"}, "source"),
        ({"source": "//host/share"}, "source"),
        ({"source": "http:///#/../../etc"}, "source"),
        ({"source": "s3://models/%2e%2e%2f"}, "source"),
        ({"source": "dbfs:/../"}, "source"),
        ({"source": "http://ann:secret@example.com/m"}, "source"),
        ({"source": "s3://models/\x1bx"}, "source"),
        ({"source": "http://[bad"}, "source"),
        ({"source": "runs:/abc/model", "run_id": "other"}, "run_id"),
        ({"run_id": "../x"}, "run_id"),
        ({"run_link": "javascript:alert(1)"}, "run_link"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "../x"}, "name"),
        ({"name": "x\u202ey"}, "name"),
        ({"metrics": "auc"}, "metrics"),
        ({"metrics": "auc=high"}, "metrics"),
        ({"metrics": "auc=1\r\nauc=2"}, "metrics"),
        ({"metrics": "auc=1e999"}, "metrics"),
        ({"params": "=x"}, "params"),
        ({"tags": "k"}, "tags"),
        ({"alias": "latest"}, "alias"),
        ({"parents": "churn/99"}, "parents"),
        ({"message": "a\x00b"}, "message"),
    ],
)
def test_A_D01_D02_what_is_refused_is_told_at_its_field(
    ann: Visitor, newest: Log, typed: dict[str, str], field: str
) -> None:
    before = newest("%H")
    filled = {"name": "churn", "source": "s3://models/churn/9", "description": "Kept"} | typed
    done = ann.fill("/register", **filled)
    assert done.status_code in (400, 404), done.text
    assert newest("%H") == before
    assert f'id="e-{field}"' in done.text and "secret" not in done.text.partition('class="slip"')[2][:300]
    assert "Kept</textarea>" in done.text and "\x1b" not in done.text


def test_all_that_is_wrong_is_told_at_once_by_the_labels(ann: Visitor, newest: Log) -> None:
    before = newest("%H")
    typed = {"name": "", "source": "/tmp/model", "metrics": "auc=high", "run_link": "ftp://x", "alias": "v3"}
    done = ann.fill("/register", **typed, tags="team", message="a\x07b")
    assert done.status_code == 400 and newest("%H") == before
    for field in ("name", "source", "metrics", "run_link", "alias", "tags", "message"):
        assert f'id="e-{field}"' in done.text, field
        assert f'href="#f-{field}"' in done.text, field
    assert (
        ">Link to the run</a>" in done.text and ">Model</a>" in done.text and ">run link</a>" not in done.text
    )


def test_sent_twice_it_makes_one_version(ann: Visitor, newest: Log, seeded: Path) -> None:
    form = ann.load("/register?name=churn")
    typed = {"source": "s3://models/churn/3", "metrics": "auc=0.93\r\nbad=nan", "tags": "team=growth"}
    assert ann.send(form, **typed).status_code == 303
    before = newest("%H")
    done = ann.send(form, **typed)
    assert done.status_code == 303 and newest("%H") == before
    assert done.headers["location"] == "/models/churn/3?done=registered"
    assert "registered already" in ann.get(done.headers["location"]).text
    assert ann.send(form, **(typed | {"metrics": "auc=0.94"})).status_code == 303, "another one"
    assert ann.send(ann.load("/register?name=churn"), **typed).status_code == 303, "asked for anew"
    with open_registry(seeded) as registry:
        assert registry.version("churn/5").source == "s3://models/churn/3"
    form = ann.load("/register")
    for _ in range(2):
        done = ann.send(form, name="fresh", source="s3://models/fresh/1")
    assert done.headers["location"] == "/models/fresh/1?done=registered"


def test_a_name_that_differs_in_case_alone(ann: Visitor) -> None:
    done = ann.fill("/register", name="Churn", source="s3://models/churn/9")
    assert done.status_code == 409 and "use churn" in done.text


def test_nothing_is_fetched_or_read(
    ann: Visitor, seeded: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not even where the server could look runs up: what a form names is taken as given."""
    import socket

    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s3:").mkdir()

    def refused(*args: object, **more: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    for source in ("http://169.254.169.254/latest", "http://0x7f000001/x", "runs:/abc/model", "abfs:/x"):
        assert ann.fill("/register", name="churn", source=source).status_code == 303, source


def test_those_who_may_not(seeded: Path, visit: Visit) -> None:
    from gitreg.web.identity import Role

    reader = visit("Eve", user_role=Role.READER)
    assert reader.get("/register").status_code == 403
    done = reader.post("/register", {"name": "churn", "source": "s3://x/1"})
    assert done.status_code == 403
