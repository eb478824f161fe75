"""Who may do what: each operation asks for the role that its description names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import gitreg
from gitreg.web import identity
from gitreg.web.api_v1.answering import Api as Core
from gitreg.web.api_v1.answering import Asked, Reply
from gitreg.web.api_v1.page import BODIES, SAMPLES
from gitreg.web.api_v1.table import OPERATIONS
from gitreg.web.identity import Identity, Role
from gitreg.web.registries import Registries
from tests.web.api_v1.conftest import Api
from tests.web.conftest import Asking, Git

WRITES = [each for each in OPERATIONS if each.write is not None]
READS = [each for each in OPERATIONS if each.read is not None]


def path_of(operation: Any) -> str:
    path = operation.path
    for name, value in SAMPLES.items():
        path = path.replace(f"{{{name}}}", str(value))
    return path


def body_of(operation: Any) -> bytes:
    import json

    return b"" if operation.body is None else json.dumps(BODIES.get(operation.id, {})).encode()


@contextmanager
def asking_as(place: Path, who: Identity, *, key: str = "") -> Iterator[Callable[..., Reply]]:
    """The core of the API, asked by somebody; ``key``: the server's."""
    registries = Registries(place)
    core = Core(registries, key=key)

    def ask(method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        path, _, query = path.partition("?")
        identity.remember(who)
        given = {"content-type": "application/json", **(headers or {})}
        pairs = tuple(tuple(each.split("=", 1)) for each in query.split("&") if each)
        return core.answer(Asked(method=method, path=path, query=pairs, headers=given, body=body))

    yield ask
    registries.close()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.id)
def test_nobody_is_told_to_sign_in(asking: Callable[..., Asking], operation: Any) -> None:
    api = Api(asking(host="0.0.0.0", loopback=False, sign_in=True))
    found = api(operation.method, path_of(operation), content=body_of(operation), peer="192.0.2.7",
                headers={"Content-Type": "application/json"})  # fmt: skip
    assert found.status_code == 401, found.text
    assert found.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("operation", WRITES, ids=lambda each: each.id)
def test_G04_a_reader_writes_nothing(full: Api, place: Path, git: Git, operation: Any) -> None:
    before = git("for-each-ref")
    for who in (
        Identity(role=Role.READER, kind="token"),
        Identity(role=Role.READER, models={"other*": Role.ADMIN}, kind="token"),
    ):
        with asking_as(place, who) as ask:
            found = ask(operation.method, path_of(operation), body_of(operation))
            # One who may write to another model may ask for a proposal, which is not there.
            expected = (403, 404) if "{proposal}" in operation.path and who.models else (403,)
            assert found.status in expected, found.content
    with asking_as(place, Identity(role=Role.READER)) as ask:
        assert ask(operation.method, path_of(operation), body_of(operation)).status == 401
    assert git("for-each-ref") == before


@pytest.mark.parametrize("operation", WRITES, ids=lambda each: each.id)
def test_what_a_description_promises_is_enough(full: Api, place: Path, operation: Any) -> None:
    role = max(operation.somewhere, operation.role)
    with asking_as(place, Identity(role=role, kind="token")) as ask:
        found = ask(operation.method, path_of(operation), body_of(operation))
    assert found.status not in (401, 403), found.content
    below = Identity(role=Role(role - 1), kind="token")
    with asking_as(place, below) as ask:
        assert ask(operation.method, path_of(operation), body_of(operation)).status == 403


def test_a_grant_for_one_model_is_for_that_one(full: Api, place: Path) -> None:
    who = Identity(role=Role.READER, models={"churn*": Role.WRITER}, kind="token")
    with asking_as(place, who) as ask:
        assert ask("PATCH", "/models/churn", b'{"description": "mine"}').status == 200
        assert ask("PATCH", "/models/fraud", b'{"description": "mine"}').status == 403
        assert ask("POST", "/models", b'{"name": "churn-2"}').status == 201
        assert ask("POST", "/models", b'{"name": "other"}').status == 403
        assert ask("POST", "/models/churn-2/rename", b'{"new_name": "stolen"}').status == 403
        assert ask("POST", "/models/fraud/rename", b'{"new_name": "churn-3"}').status == 403
        assert ask("POST", "/models/churn-2/rename", b'{"new_name": "churn-3"}').status == 200
        assert ask("PUT", "/settings/name", b'{"value": "x"}').status == 403
        assert ask("POST", "/proposals", b'{"version": "churn/1", "stage": "Staging"}').status == 201
        assert ask("POST", "/proposals", b'{"version": "fraud/1", "stage": "Staging"}').status == 403
        branch = "gitreg%2Fpromote%2Fchurn%2F1%2FStaging"
        assert ask("POST", f"/proposals/{branch}/merge").status == 403
    with asking_as(place, Identity(role=Role.READER, models={"churn": Role.APPROVER}, kind="token")) as ask:
        assert ask("POST", f"/proposals/{branch}/merge").status == 200


def test_a_branch_whose_name_lies_is_judged_by_what_it_changes(full: Api, place: Path, git: Git) -> None:
    """A proposal that says churn and changes fraud needs an approver of fraud."""
    git("switch", "-qc", "gitreg/promote/churn/1/Staging")
    file = place / "models" / "fraud" / "model.yaml"
    file.write_text(file.read_text().replace("Cards", "Stolen"))
    git("commit", "-qam", "a lie")
    git("switch", "-q", "main")
    branch = "gitreg%2Fpromote%2Fchurn%2F1%2FStaging"
    with asking_as(place, Identity(role=Role.READER, models={"churn": Role.ADMIN}, kind="token")) as ask:
        assert ask("POST", f"/proposals/{branch}/merge").status == 403
        assert ask("DELETE", f"/proposals/{branch}").status == 403
    with asking_as(place, Identity(role=Role.APPROVER, kind="token")) as ask:
        assert ask("POST", f"/proposals/{branch}/merge").status == 200


CHURN = Identity(role=Role.READER, models={"churn*": Role.APPROVER}, kind="token")


def test_the_new_name_of_a_model_counts(full: Api, place: Path, git: Git, tmp_path: Path) -> None:
    for name, new in (("out", "other"), ("within", "churn-old")):
        clone = tmp_path / name
        git("clone", "-q", str(place), str(clone))
        with gitreg.open(clone) as registry:
            registry.rename("churn", new)
        git("fetch", "-q", str(clone), f"main:gitreg/{name}")
    with asking_as(place, CHURN) as ask:
        assert ask("POST", "/proposals/gitreg%2Fout/merge").status == 403
        assert ask("DELETE", "/proposals/gitreg%2Fout").status == 403
        assert ask("POST", "/proposals/gitreg%2Fwithin/merge").status == 200


@pytest.mark.parametrize(
    "path",
    [
        ".github/workflows/ci.yaml",
        ".github/CODEOWNERS",
        "README.md",
        "gates/x.json",
        "keys/allowed_signers",
        "schemas/x.json",
        "approvals/.policy/x",
        "approvals/fraud/1/Staging/1/ann%40example.com.sig",
        "models/churn/.gitattributes",
        "models/x",
    ],
)
def test_other_files_are_beyond_a_grant(full: Api, place: Path, git: Git, path: str) -> None:
    """A proposal for churn that brings another file along needs an approver of the registry."""
    git("switch", "-qc", "gitreg/mixed")
    file = place / "models" / "churn" / "model.yaml"
    file.write_text(file.read_text() + "description: better\n")
    (place / path).parent.mkdir(parents=True, exist_ok=True)
    (place / path).write_text("{}\n")
    git("add", "-A")
    git("commit", "-qm", "churn: update description of model")
    git("switch", "-q", "main")
    with asking_as(place, CHURN) as ask:
        assert ask("POST", "/proposals/gitreg%2Fmixed/merge").status == 403
        assert ask("DELETE", "/proposals/gitreg%2Fmixed").status == 403


def test_what_a_later_commit_takes_back_counts(full: Api, place: Path, git: Git) -> None:
    """A rebase would bring each of the commits to the branch."""
    git("switch", "-qc", "gitreg/back")
    file = place / "models" / "fraud" / "model.yaml"
    file.write_text(file.read_text().replace("Cards", "Stolen"))
    git("commit", "-qam", "there")
    git("revert", "--no-edit", "HEAD")
    mine = place / "models" / "churn" / "model.yaml"
    mine.write_text(mine.read_text() + "description: better\n")
    git("commit", "-qam", "mine")
    git("switch", "-q", "main")
    with asking_as(place, CHURN) as ask:
        assert ask("POST", "/proposals/gitreg%2Fback/merge", b'{"mode": "rebase"}').status == 403


def test_what_came_from_the_branch_itself_does_not_count(full: Api, place: Path, git: Git) -> None:
    git("switch", "-qc", "gitreg/mine")
    mine = place / "models" / "churn" / "model.yaml"
    mine.write_text(mine.read_text() + "description: better\n")
    git("commit", "-qam", "mine")
    git("switch", "-q", "main")
    full.write("PATCH", "/models/fraud", {"description": "Cards, all of them"})
    git("switch", "-q", "gitreg/mine")
    git("merge", "-q", "--no-edit", "main")
    git("switch", "-q", "main")
    with asking_as(place, CHURN) as ask:
        assert ask("POST", "/proposals/gitreg%2Fmine/merge").status == 200


@pytest.mark.parametrize("operation", WRITES, ids=lambda each: each.id)
def test_who_may_not_is_told_nothing_else(full: Api, place: Path, operation: Any) -> None:
    with asking_as(place, Identity(role=Role.READER, kind="token")) as ask:
        for body in (b"{", b'{"no": "such"}', b"[]"):
            found = ask(operation.method, path_of(operation), body)
            assert found.status == 403, found.content
        query = f"{path_of(operation)}?no=such"
        assert ask(operation.method, query, body_of(operation)).status == 403
        assert ask(operation.method, path_of(operation), b"x", {"content-type": "text/plain"}).status == 403


@pytest.mark.parametrize("operation", READS, ids=lambda each: each.id)
def test_readers_read(full: Api, place: Path, operation: Any) -> None:
    with asking_as(place, Identity(role=Role.READER)) as ask:
        path = path_of(operation).replace("12", "2")
        if "{proposal}" in operation.path:
            path = path.replace("Production", "Staging")
            assert full("POST", "/proposals", {"version": "churn/2", "stage": "Staging"}).status_code == 201
        query = {"resolve": "?uri=churn/2", "compare": "?from=HEAD"}.get(operation.id, "")
        assert ask("GET", path + query).status == 200
    with asking_as(place, Identity(role=Role.NONE)) as ask:
        assert ask("GET", path_of(operation)).status == 401
        assert ask("GET", "/nothing").status == 401  # nor is told which paths there are


def test_a_token_of_the_command_line(full: Api, place: Path, asking: Callable[..., Asking], git: Git) -> None:
    """From ``gitreg token create`` to the author of a commit."""
    import re
    import subprocess
    import sys

    made = subprocess.run(
        [sys.executable, "-m", "gitreg", "--registry", str(place), "token", "create",
         "--user", "Ann Lee <ann@example.com>", "--role", "writer"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    token = re.search(r"grt_\w+", made.stdout)
    assert token, made.stdout + made.stderr
    api = Api(asking(host="0.0.0.0", loopback=False, sign_in=True))
    headers = {"Authorization": f"Bearer {token[0]}"}
    found = api("PATCH", "/models/fraud", {"description": "by Ann"}, headers=headers, peer="192.0.2.7")
    assert found.status_code == 200, found.text
    assert git("log", "-1", "--format=%an <%ae>") == "Ann Lee <ann@example.com>"
    assert api("PUT", "/settings/name", {"value": "x"}, headers=headers, peer="192.0.2.7").status_code == 403
