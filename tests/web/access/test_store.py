"""Where tokens and grants are kept: whole or not at all, and seen at once by a server that runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import EnvironmentFailure, GitregError, IntegrityError
from gitreg.web.access.entries import Access
from gitreg.web.access.store import AccessStore
from gitreg.web.identity import Role
from tests.web.access.conftest import CREATE, ELSEWHERE, Keys, Make, message
from tests.web.serving import served

Run = Callable[..., subprocess.CompletedProcess[str]]


def file_of(place: Path) -> Path:
    return place / ".git" / "gitreg" / "access.json"


def test_without_a_file_there_is_nothing(place: Path) -> None:
    assert AccessStore(place).read() == Access()
    assert not file_of(place).exists()


def test_what_is_kept_is_read_by_another(place: Path, keys: Keys) -> None:
    _, ident = keys.token(Role.READER, churn=Role.ADMIN)
    keys.grant("bob", Role.NONE)
    found = AccessStore(place).read()
    assert found == keys.store.read()
    assert found.tokens[ident].models == {"churn": Role.ADMIN} and found.grants["bob"].role is Role.NONE
    assert len(found.secret) == 32


def test_changes_at_once_lose_nothing(place: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from tests.web.access.conftest import Keys\n"
        "keys = Keys(Path(sys.argv[1]))\n"
        "for _ in range(10): keys.token()"
    )
    many = [subprocess.Popen([sys.executable, "-c", script, str(place)]) for _ in range(4)]
    assert [each.wait(60) for each in many] == [0] * 4
    assert len(AccessStore(place).read().tokens) == 40


@pytest.mark.faults
def test_a_writer_that_is_killed_leaves_the_old_or_the_new(place: Path, keys: Keys) -> None:
    keys.token()
    script = (
        "import sys; from pathlib import Path; from tests.web.access.conftest import Keys\n"
        "keys = Keys(Path(sys.argv[1])); print(flush=True)\n"
        "while True: print(keys.token()[1], flush=True)"
    )
    made: set[str] = set()
    for _ in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(place)],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert writer.stdout is not None
        for _ in range(4):
            writer.stdout.readline()
        os.killpg(writer.pid, signal.SIGKILL)
        writer.wait()
        made |= set(writer.stdout.read().split())
        assert made <= set(AccessStore(place).read().tokens)
    keys.token()
    assert [each.name for each in file_of(place).parent.glob("access*")] == ["access.json"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "[" * 100_000,
        '{"format": 2}',
        '{"format": 1, "secret": "", "tokens": [], "grants": []}',
        '{"format": 1, "secret": "zz", "tokens": [], "grants": []}',
        f'{{"format": 1, "secret": "{"0" * 64}", "tokens": {{}}}}',
        f'{{"format": 1, "secret": "{"0" * 64}", "tokens": [], "grants": [{{"user": "a", "role": "king", "models": {{}}}}]}}',
        f'{{"format": 1, "secret": "{"0" * 64}", "tokens": [{{"digest": "1"}}], "grants": []}}',
    ],
)
def test_a_damaged_file_lets_nobody_in(
    place: Path, keys: Keys, asking: Make, gitreg: Run, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    bearer = keys.bearer(Role.ADMIN)
    asks = [asking(), asking(**ELSEWHERE, write=True), asking(**ELSEWHERE, sign_in=True)]
    assert asks[2]("GET", "/version", headers=bearer).status_code == 200
    file_of(place).write_text(text)
    with pytest.raises(IntegrityError):
        AccessStore(place).read()
    for ask in asks:
        for headers in ({}, bearer):
            said = ask.create(headers=headers)
            assert said.status_code == 503 and str(place) not in said.text
            assert ask("GET", "/ready", headers=headers).status_code == 503
        assert ask("GET", "/health").text == "OK"
    assert caplog.text.count("is damaged") == 3  # once a server, not once a request
    for args in (["serve", "--port", "0"], ["token", "list"], ["token", "create", "--user", "ann"]):
        done = gitreg(*args)
        assert (done.returncode, done.stdout) == (6, "") and str(file_of(place)) in done.stderr
    assert file_of(place).read_text() == text


def test_a_file_that_others_can_read_is_refused(place: Path, keys: Keys, gitreg: Run) -> None:
    keys.token()
    keys.store.read()
    file_of(place).chmod(0o640)
    with pytest.raises(EnvironmentFailure, match="mode 640"):
        keys.store.read()
    done = gitreg("serve", "--port", "0")
    assert done.returncode == 7 and f"chmod 600 {file_of(place)}" in done.stderr
    file_of(place).chmod(0o600)
    assert keys.store.read().tokens


def test_something_else_in_its_place(place: Path) -> None:
    file_of(place).mkdir(parents=True)
    with pytest.raises(GitregError):
        AccessStore(place).read()


def test_registries_in_one_repository_have_their_own(place: Path) -> None:
    nested = place / "teams" / "growth"
    nested.mkdir(parents=True)
    (nested / "gitreg.yaml").write_text("format: 1\n")
    assert AccessStore(nested).path.name == "access.teams%2Fgrowth.json"
    assert AccessStore(place).path.name == "access.json"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_that_runs_sees_each_change(place: Path, keys: Keys, gitreg: Run, workers: str) -> None:
    with served(place, "--host", "0.0.0.0", "--sign-in", "--workers", workers) as server:
        assert server.get("/version")[0] == 401
        text = gitreg("token", "create", "--user", "ann", "--role", "writer").stdout.strip()
        bearer = {"Authorization": f"Bearer {text}"}
        for number in range(6):  # whichever process answers
            assert server.ask("POST", CREATE, {"name": f"m{number}"}, bearer)[0] == 200
        ident = gitreg("token", "list").stdout.splitlines()[1].split("\t")[0]
        assert gitreg("token", "revoke", ident).returncode == 0
        for _ in range(6):
            assert server.ask("POST", CREATE, {"name": "late"}, bearer)[0] == 401
        assert server.log.read_text().count("\n") == 2  # what `serve` itself had to say


def test_a_removed_file_opens_nothing(place: Path, keys: Keys, asking: Make) -> None:
    ask, bearer = asking(**ELSEWHERE, sign_in=True), keys.bearer(Role.ADMIN)
    assert ask.create("a", headers=bearer).status_code == 200
    file_of(place).unlink()
    assert ask.create("b", headers=bearer).status_code == 401
    assert "none of this server's" in message(ask("GET", "/version", headers=bearer))
