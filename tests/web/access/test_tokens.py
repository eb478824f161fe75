"""Tokens as text, and ``gitreg token`` and ``gitreg access`` as commands."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from gitreg.registry.clock import utc_now
from gitreg.web.access import tokens
from gitreg.web.access.store import AccessStore
from gitreg.web.identity import Role
from tests.web.conftest import Git

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_a_token_has_a_prefix_and_a_checksum() -> None:
    made = [tokens.new() for _ in range(500)]
    assert len(set(made)) == 500
    for text in made:
        assert text.startswith("grt_") and len(text) == 53 and text.isascii() and text[4:].isalnum()
        assert tokens.is_whole(text)


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t[:-1],
        lambda t: t + "a",
        lambda t: t[:10] + ("a" if t[10] != "a" else "b") + t[11:],
        lambda t: "GRT_" + t[4:],
        lambda t: t[:20] + t[21] + t[20] + t[22:] if t[20] != t[21] else t[:-1],
        lambda t: f" {t}",
        lambda t: f"{t}\n",
        lambda t: "٣" + t[1:],
        lambda t: "",
    ],
)
def test_a_mistyped_token_is_noticed(change: Callable[[str], str]) -> None:
    assert not tokens.is_whole(change(tokens.new()))


def test_it_is_shown_once_and_kept_as_a_digest(gitreg: Run, place: Path, git: Git) -> None:
    before = git("rev-parse", "HEAD")
    done = gitreg(
        *("token", "create", "--user", "Ann Lee <ann@example.com>", "--role", "writer"),
        *("--model", "churn*=approver", "--expires", "90d", "--note", "nightly training"),
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout.removesuffix("\n")
    assert tokens.is_whole(text) and "not shown again" in done.stderr
    file = place / ".git" / "gitreg" / "access.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert text not in file.read_text() and text[4:20] not in file.read_text()

    listed = gitreg("token", "list")
    head, row = (line.split("\t") for line in listed.stdout.splitlines())
    assert head == ["id", "user", "role", "models", "created", "expires", "note"]
    assert row[0] == tokens.digest(text)[:10]
    assert (
        row[1:4] == ["Ann Lee <ann@example.com>", "writer", "churn*=approver"]
        and row[6] == "nightly training"
    )
    [document] = json.loads(gitreg("token", "list", "--json").stdout)["tokens"]
    assert document["models"] == {"churn*": "approver"} and document["expired"] is False
    expires = AccessStore(place).read().tokens[row[0]].expires
    assert expires is not None and timedelta(days=89) < expires - utc_now() <= timedelta(days=90)

    assert gitreg("token", "revoke", row[0]).stdout == f"revoked {row[0]}\n"
    assert gitreg("token", "list").stdout.splitlines() == ["\t".join(head)]
    assert git("rev-parse", "HEAD") == before and git("status", "--porcelain") == ""


def test_its_json(gitreg: Run) -> None:
    done = gitreg("token", "create", "--user", "ann", "--json")
    made = json.loads(done.stdout)
    assert tokens.is_whole(made.pop("token")) and done.stderr == ""
    assert made["user"] == {"name": "ann", "email": "ann@users.noreply.invalid"}
    assert (made["role"], made["expires"], made["note"]) == ("reader", None, "")
    assert json.loads(gitreg("token", "revoke", made["id"], "--json").stdout) == {"revoked": [made["id"]]}


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["create"], 2, "--user"),
        (["create", "--user", "ann", "--role", "owner"], 2, "--role"),
        (["create", "--user", "eve> <ann@example.com"], 3, "can't be an author"),
        (["create", "--user", " "], 3, "can't be an author"),
        (["create", "--user", "a\x1bnn"], 3, "can't be an author"),
        (["create", "--user", "."], 3, "can't be an author"),
        (["create", "--user", f"{'x' * 300} <a@example.com>"], 3, "can't be an author"),
        (["create", "--user", "ann", "--model", "churn"], 2, 'holds no "="'),
        (["create", "--user", "ann", "--model", "churn=owner"], 3, "is no role"),
        (["create", "--user", "ann", "--model", "=writer"], 3, "is no pattern"),
        (["create", "--user", "ann", "--model", "a=writer", "--model", "a=reader"], 2, "is given twice"),
        (["create", "--user", "ann", "--expires", "2001-01-01"], 3, "is over already"),
        (["create", "--user", "ann", "--expires", "0d"], 3, "is no time to come"),
        (["create", "--user", "ann", "--expires", "soon"], 3, "is no time to come"),
        (["create", "--user", "ann", "--expires", "99999w"], 3, "is no time to come"),
        (["create", "--user", "ann", "--note", "a\nb"], 3, "is no note"),
        (["revoke"], 2, "ID"),
        (["revoke", "--", "-x"], 3, "there is no token"),
        (["revoke", "0123456789"], 3, "there is no token"),
    ],
)
def test_what_is_refused(gitreg: Run, place: Path, args: list[str], code: int, says: str) -> None:
    done = gitreg("token", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr and "\x1b" not in done.stderr and "Traceback" not in done.stderr
    assert not (place / ".git" / "gitreg" / "access.json").exists()


def test_without_a_registry(tmp_path: Path, gitreg: Run) -> None:
    (tmp_path / "empty").mkdir()
    done = gitreg("token", "list", "--registry", str(tmp_path / "empty"))
    assert done.returncode == 7 and "no registry here" in done.stderr


def test_grants(gitreg: Run, place: Path) -> None:
    assert gitreg("access", "grant", "Ann@Example.com", "approver").stdout == "ann@example.com: approver\n"
    done = gitreg("access", "grant", "ann@example.com", "admin", "--model", "churn*", "--model", "x=y")
    assert done.stdout == "ann@example.com: approver, churn*=admin x=y=admin\n"
    assert gitreg("access", "grant", "Bob", "none").stdout == "Bob: none\n"
    assert gitreg("access", "grant", "eve", "writer", "--model", "m").stdout == "eve: default, m=writer\n"
    assert gitreg("access", "list").stdout.splitlines() == [
        "user\trole\tmodels",
        "ann@example.com\tapprover\tchurn*=admin x=y=admin",
        "Bob\tnone\t",
        "eve\tdefault\tm=writer",
    ]
    grants = AccessStore(place).read().grants
    assert grants["ann@example.com"].models == {"churn*": Role.ADMIN, "x=y": Role.ADMIN}
    assert gitreg("access", "revoke", "ann@example.com", "--model", "x=y").stdout.endswith("churn*=admin\n")
    assert gitreg("access", "revoke", "bob").returncode == 3  # a name is taken as it is
    assert gitreg("access", "revoke", "Bob").returncode == 0
    assert set(AccessStore(place).read().grants) == {"ann@example.com", "eve"}
    assert json.loads(gitreg("access", "list", "--json").stdout)["grants"][1] == {
        "user": "eve",
        "role": None,
        "models": {"m": "writer"},
    }


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["grant", "ann"], 2, "ROLE"),
        (["grant", "ann", "owner"], 2, "ROLE"),
        (["grant", " ", "reader"], 3, "is no user"),
        (["grant", "a\x07", "reader"], 3, "is no user"),
        (["grant", "ann", "none", "--model", "churn"], 2, "never less"),
        (["grant", "ann", "writer", "--model", ""], 3, "is no pattern"),
        (["revoke", "ann"], 3, "nothing was granted"),
    ],
)
def test_grants_that_are_refused(gitreg: Run, place: Path, args: list[str], code: int, says: str) -> None:
    done = gitreg("access", *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr and "Traceback" not in done.stderr
    assert not (place / ".git" / "gitreg" / "access.json").exists()
