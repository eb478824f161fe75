"""What follows on a push: tags, index, subscribers; and that nothing of it fails the push."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from gitreg.gitstore.programs import executables, run_program
from tests.githooks.conftest import Clone


def subscriber(server: Clone, name: str, text: str) -> Path:
    folder = server.folder / "gitreg" / "subscribers"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_the_tags_of_what_was_pushed_are_made(alice: Clone, server: Clone) -> None:
    alice.gitreg("transition", "churn/2", "Production")
    alice.push()
    assert server.git("rev-parse", "churn/Production/2^{commit}").out.strip() == alice.head


def test_the_index_is_up_to_date(alice: Clone, server: Clone) -> None:
    from gitreg.gitstore.repository import Repository
    from gitreg.registry.store import Store

    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.push()
    with Store(Repository.at(server.folder)) as store:
        assert store.index.figures()["commit"] == alice.head


def test_subscribers_get_one_event_a_line(alice: Clone, server: Clone) -> None:
    subscriber(server, "first", 'cat >"$PWD/seen"')
    alice.gitreg("register", "churn", "s3://models/churn/3")
    alice.gitreg("transition", "churn/3", "Production")
    alice.push()
    events = [json.loads(line) for line in (server.folder / "seen").read_text().splitlines()]
    assert len(events) == 2


def test_one_that_fails_is_told_and_hinders_nothing(alice: Clone, server: Clone) -> None:
    subscriber(server, "a-bad", "echo no disk >&2; exit 3")
    subscriber(server, "b-good", 'cat >"$PWD/seen"')
    subscriber(server, "c-off", 'touch "$PWD/never"').chmod(0o644)
    alice.gitreg("register", "churn", "s3://models/churn/3")
    said = alice.push()
    assert "the subscriber a-bad failed: exit code 3: no disk" in said.err
    assert (server.folder / "seen").exists() and not (server.folder / "never").exists()


def test_head_of_a_new_server_follows_the_registry(first: Clone, server: Clone) -> None:
    server.git("symbolic-ref", "HEAD", "refs/heads/master")
    first.git("push", "-q", f"file://{server.folder}", "main")
    assert server.git("symbolic-ref", "HEAD").out.strip() == "refs/heads/main"
    first.edit("models/churn/versions/1.yaml", "auc: 0.9", "auc: 0.99")
    first.commit()
    first.git("push", "-q", f"file://{server.folder}", "main", code=1)


class TestPrograms:
    def test_one_that_does_not_end_is_ended_with_all_that_it_started(self, tmp_path: Path) -> None:
        path = tmp_path / "slow"
        path.write_text("#!/bin/sh\nsleep 60 &\nwait\n")
        path.chmod(0o755)
        begun = time.monotonic()
        outcome = run_program(path, b"x" * 200_000, at=tmp_path, seconds=0.5)
        assert outcome.fault == "it was still at work after 0.5 s and was ended"
        assert time.monotonic() - begun < 30  # the pipe is closed: nobody holds its other end any more

    def test_one_that_cannot_be_run(self, tmp_path: Path) -> None:
        (tmp_path / "none").write_text("#!/nowhere\n")
        (tmp_path / "none").chmod(0o755)
        assert "could not be run" in run_program(tmp_path / "none", b"", at=tmp_path, seconds=1.0).fault

    def test_none_of_gits_variables_reach_it(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("GIT_DIR", "elsewhere")
        (tmp_path / "look").write_text('#!/bin/sh\ntest -z "$GIT_DIR"\n')
        (tmp_path / "look").chmod(0o755)
        assert run_program(tmp_path / "look", b"", at=tmp_path, seconds=5.0).fault == ""

    def test_hidden_files_and_folders_are_no_programs(self, tmp_path: Path) -> None:
        for name in (".hidden", "b", "a"):
            (tmp_path / name).write_text("#!/bin/sh\n")
            (tmp_path / name).chmod(0o755)
        (tmp_path / "folder").mkdir()
        assert [path.name for path in executables(tmp_path)] == ["a", "b"]
        assert executables(tmp_path / "nowhere") == []
