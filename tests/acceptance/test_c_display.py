"""C01, C02, C04–C06 on the terminal: what a registry holds is shown, never obeyed."""

from __future__ import annotations

import json
import os
import pty
import subprocess

import pytest

from tests.acceptance.manifests import MODEL, VERSION, put
from tests.acceptance.standard import _STEERING, INVALID, Site, program

ESC = "\x1b]52;c;aGk=\x07\x1b[2J\x1b[31mred\x07\x08\x7f\x9b31m"
BIDI = "ad\u202emin\u2066x\u2069\u200f"
READS = [
    ["show", "evil/1"], ["show", "evil/1", "--json"], ["show", "evil"], ["show", "evil", "--json"], ["list"], ["list", "--json"],
    ["list", "evil"], ["log"], ["log", "--json"], ["log", "--oneline"], ["log", "evil/1"], ["resolve", "evil/1"], ["check"],
]  # fmt: skip


def evil(site: Site, text: str) -> None:
    """Register a version that holds ``text`` wherever a text may stand."""
    key = "" if "\x1b" in text else text  # sources, keys and commit messages hold no control characters
    line = {
        "name": "evil",
        "source": f"s3://b/{key}",
        "description": text,
        "tags": {f"k{key}": text},
        "params": {f"p{key}": text},
        "metrics": {f"m{key}": 1.0},
        "run_id": text,
        "datasets": [{"name": text, "uri": text}],
        "status_message": text,
    }
    site.does("register", "--batch", "-", "-m", f"why{key}", stdin=json.dumps(line).encode())
    site.does("update", "evil", "-d", text, "--owner", text)
    site.does("evaluate", "evil/1", text, "--metric", "auc=1")
    site.does("deprecate", "evil/1", "--reason", text)


def on_a_terminal(site: Site, *args: str) -> str:
    """What a person sees: stdout and stderr of a command whose stdout is a terminal."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}
    with subprocess.Popen([*program(), *args], cwd=site.root, env=env, stdout=theirs, stderr=theirs):
        os.close(theirs)
        said = b""
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:
                break
            if not data:
                break
            said += data
    os.close(ours)
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("text", [ESC, BIDI], ids=["C01", "C04"])
def test_C01_C04_control_and_bidi_are_shown_escaped(site: Site, text: str) -> None:
    evil(site, text)
    for args in READS:
        site.does(*args)  # `clean` looks for everything that steers a terminal
    assert ("\\x1b]52" if text == ESC else "\\u202e") in site.does("show", "evil/1").out
    for args in (["show", "evil/1"], ["list"], ["list", "evil"], ["log"]):
        said = on_a_terminal(site, *args)
        assert len(said) > 50 and not _STEERING.search(said), (args, said)


def test_C01_written_by_hand(site: Site) -> None:
    # In double quotes YAML can hold what may not stand in the file itself.
    texts = b'description: "\\e]52;c;aGk=\\a \\u202e \\x9b31m"\ntags: {"\\e[2J": "\\x07"}\n'
    put(site, {"models/evil/model.yaml": MODEL % b"evil", "models/evil/versions/1.yaml": VERSION + texts})
    site.git("-c", "i18n.commitEncoding=UTF-8", "commit", "--quiet", "-m", f"by hand {ESC}\n\nand {BIDI}\n")
    for args in READS:
        site.does(*args)
    site.does("update", "evil/1", "-d", "tame", "--dry-run")
    assert "\\x1b" in site.does("show", "evil/1").out


@pytest.mark.parametrize(
    "error", [["show", ESC], ["show", f"fraud/{ESC}"], [ESC], ["show", f"--{ESC}"], ["check", ESC]]
)
def test_C01_in_messages_about_what_was_typed(site: Site, error: list[str]) -> None:
    for args in (error, [*error, "--json"]):
        assert site.run(*args).code in (2, 3)


@pytest.mark.parametrize(
    "name", ["Eve\nGitreg-Event: delete", "Eve <root@example.com>", "E\x1bve", "\u202eEve", "Eve>", "é" * 500]
)
def test_C02_author_name(site: Site, name: str) -> None:
    env = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": "eve@example.com\n>", "GIT_COMMITTER_NAME": name}
    site.does("register", "fraud", "s3://b/3", env=env)
    site.does("transition", "fraud/3", "Staging", env=env)
    site.sound()
    commit = site.git("cat-file", "commit", "HEAD")
    authors = [row for row in commit.splitlines() if row.startswith("author ")]
    assert len(authors) == 1 and authors[0].count("<") == authors[0].count(">") == 1, commit
    events = site.git("log", "-2", "--format=%(trailers:key=Gitreg-Event,valueonly,separator=%x2C)").split()
    assert events == ["transition", "register"]
    wanted = "é" * 50 if "é" in name else "eve"  # a page shows the beginning of a long one
    for args in (["log"], ["log", "--json"], ["show", "fraud/3"]):
        assert wanted in site.does(*args).out.casefold()


FORGED = "Fine.\n\nGitreg-Event: delete\nGitreg-Model: fraud\nGitreg-Version: 2\n"


def test_C05_forged_trailer(either: Site) -> None:
    either.does("register", "fraud", "s3://b/3", "-d", FORGED, "-m", FORGED)
    either.does("update", "fraud/3", "-d", FORGED + "more", "-m", "x\n---\nGitreg-Event: delete")
    either.does(
        "tag", "fraud/3", f"k={FORGED}", f"Gitreg-Event: rename={FORGED}", "-m", "Gitreg-Event: delete"
    )
    form = "--format=%(trailers:key={},valueonly,separator=%x2C)"
    real = either.git("log", "-3", form.format("Gitreg-Event")).split()
    assert [set(row.split(",")) for row in real] == [{"tag"}, {"update"}, {"register"}]
    versions = either.git("log", "-3", form.format("Gitreg-Version")).split()
    assert [set(row.split(",")) for row in versions] == [{"3"}, {"3"}, {"3"}]
    told = json.loads(either.does("log", "--json", "-n", "3").out)
    events = [{change["event"] for change in entry["changes"]} for entry in told]
    assert events == [{"tag"}, {"update"}, {"register"}]
    assert json.loads(either.does("show", "fraud/2", "--json").out)["version"] == 2
    assert json.loads(either.does("show", "fraud/3", "--json").out)["description"].startswith(
        "Fine.\n\nGitreg-Event"
    )


def test_C05_forged_trailer_in_a_commit_by_hand(site: Site) -> None:
    file = site.file("models/fraud/versions/1.yaml")
    file.write_text(file.read_text() + "description: hand\n")
    site.git("add", "--all")
    site.git("commit", "--quiet", "-m", f"by hand\n\n{FORGED}")
    entry = json.loads(site.does("log", "--json", "-n", "1").out)[0]
    assert [change["event"] for change in entry["changes"]] == [
        "update"
    ]  # what the trees say, not the message
    site.does("tag", "fraud/1", "a=b")
    assert "fraud/v2" in site.tags() and site.does("resolve", "fraud/2").out


def test_C06_tag_value_of_1_MB(site: Site) -> None:
    # MLflow's limit is 100,000 characters; no operating system passes 1 MB in one argument.
    line = json.dumps({"name": "fraud", "source": "s3://b/3", "tags": {"k": "v" * 1_000_000}}).encode()
    site.refuses("register", "--batch", "-", stdin=line, code=INVALID, says=["line 1"], mend=False)
    site.refuses("tag", "fraud/1", "k=" + "v" * 100_001, code=INVALID, says=["100,000"], mend=False)
    with site.open() as registry:
        registry.tag("fraud/1", {"k": "v" * 100_000})
    shown = site.does("show", "fraud/1").out
    assert len(shown) < 150_000
    put(site, {"models/evil/model.yaml": MODEL % b"evil" + b"tags:\n  k: " + b"v" * 1_000_000 + b"\n"})
    outcome = site.run("check", "--staged")
    assert outcome.code == 1 and "GR015" in outcome.out and len(outcome.out) < 10_000, outcome.code
