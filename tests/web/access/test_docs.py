"""docs/access.md: its commands are carried out, its options exist, its roles are the program's."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.cli.serve import command as serve
from gitreg.web.access.headers import CONTENT_SECURITY_POLICY
from gitreg.web.access.request_log import line
from gitreg.web.access.store import AccessStore
from gitreg.web.identity import Identity, Role
from gitreg.web.settings import Settings
from tests.web.access.conftest import ANN

DOCS = Path(__file__).resolve().parents[3] / "docs"
Run = Callable[..., subprocess.CompletedProcess[str]]


def commands(page: str) -> list[list[str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = "".join(block for language, block in blocks if not language).replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.startswith("gitreg ")]


def test_the_commands_do_what_is_said(gitreg: Run, place: Path) -> None:
    found = [args for args in commands("access.md") if args[0] in ("token", "access")]
    assert len(found) >= 9
    for args in found:
        if args[:2] == ["token", "revoke"]:
            args[2] = next(iter(AccessStore(place).read().tokens))
        done = gitreg(*args)
        assert done.returncode == 0, (args, done.stderr)
    access = AccessStore(place).read()
    assert set(access.grants) == {"ann@example.com", "eve@example.com"} and len(access.tokens) == 1


@pytest.mark.parametrize("page", ["access.md", "serve.md"])
def test_the_servers_take_their_options(page: str) -> None:
    found = [args for args in commands(page) if args[0] == "serve"]
    assert len(found) >= 2
    for args in found:
        serve.make_context("serve", args[1:])


def test_every_option_of_the_server_is_told() -> None:
    text = (DOCS / "serve.md").read_text(encoding="utf-8")
    options = {name for param in serve.params for name in param.opts if name.startswith("--")}
    assert len(options) >= 14
    assert {name for name in options - {"--registry"} if f"`{name}" not in text} == set()


def test_the_roles() -> None:
    text = (DOCS / "access.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \| (?:also|read)", text, re.MULTILINE) == [r.word for r in Role if r]


def test_the_line_of_the_log() -> None:
    shown = re.findall(r"^20\d\d-.*$", (DOCS / "access.md").read_text(encoding="utf-8"), re.MULTILINE)
    scope = {
        "method": "POST",
        "path": "/api/2.0/mlflow/model-versions/create",
        "query_string": b"secret=1",
        "headers": [],
        "client": ("203.0.113.9", 1),
    }
    settings = Settings(place=Path("x"))
    made = line(scope, settings, Identity(person=ANN, kind="token"), 200, 0.0114)
    assert [made.split(" ", 1)[1]] == [each.split(" ", 1)[1] for each in shown]
    assert "unsafe" not in CONTENT_SECURITY_POLICY
