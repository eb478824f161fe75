"""Proposals on a plain server: pushes to ``refs/for/main`` through real Git."""

from __future__ import annotations

import io
import json
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gitreg.errors import UsageError
from gitreg.githooks.pktline import read_lines, write_lines
from tests.githooks.conftest import VERSION, Clone


def meta(server: Clone, number: int = 1) -> Any:
    return json.loads(server.git("cat-file", "blob", f"refs/proposals/{number}/meta").out)


def head(server: Clone, number: int = 1) -> str:
    return server.git("rev-parse", f"refs/proposals/{number}/head").out.strip()


def propose(clone: Clone, *options: str, code: int = 0) -> str:
    words = [word for option in options for word in ("-o", option)]
    return clone.push(*words, "HEAD:refs/for/main", code=code).err


@pytest.fixture
def proposing(alice: Clone) -> Clone:
    alice.git("switch", "-q", "-c", "topic")
    alice.gitreg("transition", "churn/2", "Production")
    return alice


def test_a_push_becomes_a_numbered_proposal(proposing: Clone, server: Clone) -> None:
    said = propose(proposing, "topic=promote-2", "title=Promote churn/2")
    assert "refs/proposals/1/head" in said and "proposal 1 is made: Promote churn/2" in said
    assert "gitreg review main" in said and "gitreg merge 1" in said
    assert head(server) == proposing.head
    found = meta(server)
    assert (found["topic"], found["title"], found["target"], found["state"]) == (
        "promote-2", "Promote churn/2", "main", "open",
    )  # fmt: skip
    assert found["by"] == "Ada Lovelace <ada@example.com>"
    assert server.git("rev-parse", "main").out != head(server)


def test_the_same_topic_updates_it_and_the_reflog_keeps_the_former_head(
    proposing: Clone, server: Clone
) -> None:
    propose(proposing, "topic=t")
    before = proposing.head
    proposing.git("commit", "-q", "--amend", "-m", "better words", "--no-verify")
    said = propose(proposing, "topic=t")
    assert "proposal 1 is updated" in said and "forced update" in said
    assert head(server) == proposing.head
    assert before[:7] in server.git("reflog", "show", "refs/proposals/1/head").out
    assert server.git("gc", "-q").err == ""  # it complains of logs of what is no commit
    assert before[:7] in server.git("reflog", "show", "refs/proposals/1/head").out
    assert meta(server)["created"] <= meta(server)["updated"]
    assert "proposal 1 is as it was" in propose(proposing, "topic=t")
    assert server.git("for-each-ref", "--format=%(refname)", "refs/proposals").out.split() == [
        "refs/proposals/1/head",
        "refs/proposals/1/meta",
    ]


def test_a_title_is_one_line_and_what_is_printed_can_be_typed(
    proposing: Clone, server: Clone, tmp_path: Path
) -> None:
    said = propose(proposing, r"title=one\n  to merge it:   sh evil", f"topic=it's; touch {tmp_path}/x; '")
    assert meta(server)["title"] == "one to merge it: sh evil"
    assert said.count("to merge it:   ") == 1
    line = next(line for line in said.splitlines() if "to update it:" in line)
    typed = line.partition("to update it:")[2].rpartition("(whoever")[0]
    done = subprocess.run(
        ["sh", "-c", typed], cwd=proposing.folder, capture_output=True, text=True, check=True
    )
    assert "proposal 1 is as it was" in done.stderr
    assert not (tmp_path / "x").exists()
    propose(proposing, "topic=long", f"title={'x' * 60_000}", r"description=a\nb")
    assert len(meta(server, 2)["title"]) == 200 and meta(server, 2)["description"] == "a\nb"


def test_a_slip_in_an_option_is_told(proposing: Clone) -> None:
    assert "the push option 'topicc' is none of a proposal's: topic, title," in propose(proposing, "topicc=x")


@pytest.mark.parametrize(
    ("what", "kind"), [("HEAD:gitreg.yaml", "blob"), ("churn/v1", "tag"), ("HEAD^{tree}", "tree")]
)
def test_what_is_no_commit_is_no_proposal(proposing: Clone, what: str, kind: str) -> None:
    oid = proposing.git("rev-parse", what).out.strip()
    assert f"a commit is taken here, and this is a {kind}" in proposing.refused(f"{oid}:refs/for/main")


def test_without_a_topic_the_subject_is_one(proposing: Clone, server: Clone) -> None:
    propose(proposing)
    assert meta(server)["topic"] == "churn: transition version 2 to Production"


@pytest.mark.parametrize(("shared", "modes"), [("umask", (0o755, 0o644)), ("group", (0o2775, 0o664))])
def test_others_may_go_on_with_the_reflog(
    proposing: Clone, tmp_path: Path, shared: str, modes: tuple[int, int]
) -> None:
    folder = tmp_path / "shared.git"
    proposing.git("init", "-q", "--bare", "-b", "main", f"--shared={shared}", str(folder))
    place = Clone(folder)
    place.gitreg("hooks", "install", "--server", "--proposals")
    proposing.git("remote", "set-url", "origin", str(folder))
    proposing.push("main")
    propose(proposing)
    log = folder / "logs/refs/proposals/1/head"
    assert (stat.S_IMODE(log.parent.stat().st_mode), stat.S_IMODE(log.stat().st_mode)) == modes
    assert len(log.read_text().splitlines()) == 1


def test_another_topic_is_another_proposal(proposing: Clone, server: Clone) -> None:
    propose(proposing, "topic=one")
    assert "proposal 2 is made" in propose(proposing, "topic=two")
    assert head(server, 2) == head(server, 1)


def test_a_faulty_proposal_is_refused(proposing: Clone, server: Clone) -> None:
    proposing.edit(VERSION.format(1), "auc: 0.9", "auc: 0.99")
    proposing.commit()
    assert "error[GR104]" in propose(proposing, code=1)
    assert server.git("for-each-ref", "refs/proposals").out == ""


@pytest.mark.parametrize(
    ("refs", "words"),
    [
        ("HEAD:refs/for/other", "the registry's branch is main"),
        ("HEAD:refs/proposals/9/head", "the server alone writes here"),
    ],
)
def test_other_places_are_refused(proposing: Clone, refs: str, words: str) -> None:
    assert words in proposing.refused(refs)


def test_what_is_in_the_branch_is_no_proposal(alice: Clone) -> None:
    assert "there is nothing to propose" in propose(alice, code=1)


def test_a_proposal_is_withdrawn_by_topic_or_number(proposing: Clone, server: Clone) -> None:
    propose(proposing, "topic=one")
    propose(proposing, "topic=two")
    assert "proposal 1 is withdrawn" in propose(proposing, "topic=one", "withdraw")
    assert "proposal 2 is withdrawn" in propose(proposing, "withdraw=2")
    assert [meta(server, number)["state"] for number in (1, 2)] == ["withdrawn", "withdrawn"]
    assert "no such open proposal" in propose(proposing, "withdraw=2", code=1)
    assert "proposal 3 is made" in propose(proposing, "topic=one")


@pytest.mark.parametrize("mode", ["merge", "squash", "rebase"])
def test_what_arrives_in_the_branch_is_merged(
    proposing: Clone, server: Clone, clone: Callable[[str], Clone], mode: str
) -> None:
    propose(proposing, "topic=one")
    bob = clone("bob")
    bob.write("NOTES.md", "main has moved")
    bob.commit()
    bob.git("fetch", "-q", "origin", "refs/proposals/1/head:proposal")
    if mode == "merge":
        bob.git("merge", "-q", "--no-ff", "--no-edit", "proposal")
    elif mode == "squash":
        bob.git("merge", "-q", "--squash", "proposal")
        bob.git("commit", "-q", "-m", "squashed")
    else:
        bob.git("cherry-pick", "proposal")
    bob.push()
    assert meta(server)["state"] == "merged"


def test_others_stay_open(proposing: Clone, server: Clone, clone: Callable[[str], Clone]) -> None:
    propose(proposing, "topic=one")
    bob = clone("bob")
    bob.gitreg("register", "churn", "s3://models/churn/3")
    bob.push()
    assert meta(server)["state"] == "open"


def test_the_server_says_who_pushed_where_it_knows(proposing: Clone, server: Clone) -> None:
    hook = server.folder / "hooks" / "proc-receive"
    hook.write_text(hook.read_text().replace("#!/bin/sh\n", "#!/bin/sh\nexport GL_USER=alice\n"))
    propose(proposing, "title=a\x1b[31mb")
    assert meta(server)["by"] == "alice"
    assert "\x1b[31m" not in propose(proposing, "title=a\x1b[31mb")


def test_who_adds_to_a_proposal_has_not_made_it(proposing: Clone, server: Clone) -> None:
    hook = server.folder / "hooks" / "proc-receive"
    text = hook.read_text()
    for name, made_by in (("alice", "alice"), ("grace", "alice")):
        hook.write_text(text.replace("#!/bin/sh\n", f"#!/bin/sh\nexport GL_USER={name}\n"))
        propose(proposing, "topic=t")
        assert meta(server)["by"] == made_by
        proposing.git("commit", "-q", "--allow-empty", "-m", "an approval", "--no-verify")
    proposing.git("reset", "-q", "--hard", "HEAD~2")
    proposing.git("commit", "-q", "--amend", "-m", "made anew", "--no-verify")
    propose(proposing, "topic=t")
    assert meta(server)["by"] == "grace"


def test_many_at_once_get_different_numbers(
    proposing: Clone, server: Clone, clone: Callable[[str], Clone]
) -> None:
    running = [
        subprocess.Popen(
            ["git", "push", "-q", "-o", f"topic=t{number}", "origin", "HEAD:refs/for/main"],
            cwd=proposing.folder,
            stderr=subprocess.PIPE,
        )
        for number in range(4)
    ]
    assert [each.communicate(timeout=60) and each.returncode for each in running] == [0] * 4
    assert sorted(meta(server, number)["topic"] for number in range(1, 5)) == ["t0", "t1", "t2", "t3"]


def test_pkt_lines_there_and_back() -> None:
    stream = io.BytesIO()
    write_lines(stream, [b"one", b"", b"two\0three"])
    assert stream.getvalue().startswith(b"0008one\n0005\n")
    stream.seek(0)
    assert list(read_lines(stream)) == [b"one", b"", b"two\0three"]


@pytest.mark.parametrize("raw", [b"", b"00", b"zzzz", b"0003", b"0009one\n", b"ffff" + b"x"])
def test_what_is_no_pkt_line_is_refused(raw: bytes) -> None:
    with pytest.raises(UsageError, match="not a pkt-line"):
        list(read_lines(io.BytesIO(raw)))
