"""A change of the rules as its reviewer and the history tell it, from a proposal on a server with our hooks."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from gitreg.domain.contrast_rules import RuleChange
from gitreg.gitstore.repository import Repository
from gitreg.registry.contrasting_rules import told_to_approve
from gitreg.registry.store import Store
from tests.registry.team import with_rules
from tests.servers import plain
from tests.servers.people import GITREG, Person

GATE = '{"properties": {"metrics": {"properties": {"auc": {"minimum": %s}}}}}\n'
RULES = """\
stages:
  - name: Staging
    approvals:
      count: 2
      approvers: [bob@example.com, carol@example.com]
  - name: Production
    exclusive: true
    gate: gates/production.json
  - name: Archived
"""


@pytest.fixture(scope="module")
def bob(tmp_path_factory: pytest.TempPathFactory) -> Person:
    """Ann has tidied up the settings: fewer approvals, and a gate that asks for less. It is proposal 1, and Bob looks at it."""
    with plain.plain(tmp_path_factory.mktemp("team") / "team", ("ann", "bob", "carol")) as server:
        people = server.people
        ann = people["ann"]
        ann.work.mkdir()
        ann.gitreg("init", ".")
        settings = (ann.work / "gitreg.yaml").read_text()
        ann.write("gitreg.yaml", with_rules(settings, RULES))
        ann.write("gates/production.json", GATE % 0.8)
        ann.write("keys/allowed_signers", "".join(f"{p.email} {p.public_key}\n" for p in people.values()))
        ann.commit("rules")
        ann.git("remote", "add", "origin", ann.url)
        ann.git("push", "-q", "-u", "origin", "main")
        ann.edit("gitreg.yaml", "count: 2", "count: 1")
        ann.write("gates/production.json", GATE % 0.1)
        ann.commit("Tidy up the settings")
        ann.git("push", "-q", "-o", "topic=tidy", "origin", "HEAD:refs/for/main")
        bob = people["bob"].clone()
        bob.git("fetch", "-q", "origin", "refs/proposals/*:refs/proposals/*")
        return bob


def test_the_reviewer_is_told_what_it_means(bob: Person) -> None:
    said = bob.gitreg("review", "1").out
    flat = " ".join(said.split())
    assert "It would lower the bar for Staging: 1 approval instead of 2." in flat
    assert "It would lower the bar for a change of the rules: 1 approval instead of 2." in flat
    asked = "what gates/production.json asks: metrics.auc.minimum 0.1 instead of 0.8."
    assert f"It would lower the bar for {asked}" in flat
    assert "\nWaiting for 2 approvals of the change of the rules.\n" in said
    assert "2 approvals missing: may be given by bob@example.com, carol@example.com" in said, "the stage's"
    lines = [line.strip() for line in said.splitlines()]
    assert lines.index("The rules") < lines.index("▼ lowers the bar: Staging: approvals 2 → 1")
    assert '-           "minimum": 0.8' in lines and '+           "minimum": 0.1' in lines
    assert "What else would change" not in lines, "it was told already"
    again = next(line for line in lines if line.startswith("to approve it"))
    assert again.split(None, 3)[3] == "gitreg approve 1 --policy"


def test_programs_are_told_the_same(bob: Person) -> None:
    found = json.loads(bob.gitreg("review", "1", "--json").out)["policy"]
    told = [(each["subject"], each["before"], each["after"], each["effect"]) for each in found["changes"]]
    assert told[:2] == [("Staging", 2, 1, "lowers"), ("policy", 2, 1, "lowers")]
    assert told[2:] == [("gates/production.json", 0.8, 0.1, "lowers")]
    gate = found["changes"][2]
    assert (gate["rule"], gate["left_out"]) == ("metrics.auc.minimum", 0)
    assert '-           "minimum": 0.8' in gate["diff"]
    assert found["approvals"]["approvers"] == ["bob@example.com", "carol@example.com"]


def test_the_command_that_is_printed_approves(bob: Person) -> None:
    said = bob.gitreg("approve", "1", "--policy", "--yes", "--dry-run")
    assert "Would approve the change of the rules as bob@example.com" in said.out


def test_the_difference_tells_it_too(bob: Person) -> None:
    then = ("--from", "origin/main", "--to", "refs/proposals/1/head")
    rows = [row.split("\t") for row in bob.gitreg("diff", *then).out.splitlines()]
    assert rows[1][:6] == ["", "", "rules", "Staging.approvals.count", "2", "1"]
    page = bob.gitreg("diff", *then, "--markdown").out
    assert "- ▼ lowers the bar: `Staging`: approvals 2 → 1" in page
    assert '+           "minimum": 0.1' in page
    data = json.loads(bob.gitreg("diff", *then, "--json").out)
    assert not data["equal"] and data["registry"]["rules"][0]["effect"] == "lowers"


class Hand:
    """A registry without a server, in which rules are changed by hand, and what is told of it."""

    def __init__(self, root: Path, prefix: str = "") -> None:
        self.root = root
        self.top = root / prefix
        self.top.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.run("gitreg", "init", str(self.top))
        settings = (self.top / "gitreg.yaml").read_text()
        (self.top / "gitreg.yaml").write_text(with_rules(settings, RULES))

    def run(self, *argv: str) -> str:
        program = (str(GITREG), *argv[1:]) if argv[0] == "gitreg" else argv
        return subprocess.run(program, cwd=self.top, check=True, capture_output=True, text=True).stdout

    def git(self, *argv: str) -> str:
        return self.run("git", *argv).strip()

    def write(self, path: str, text: str | bytes) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text if isinstance(text, bytes) else text.encode())

    def commit(self) -> None:
        self.git("add", "-A", ":/")
        self.git("commit", "-q", "-m", "by hand")

    def told(self) -> list[RuleChange]:
        with Store(Repository.discover(self.top)) as store:
            return list(
                told_to_approve(store, self.git("rev-parse", "HEAD~1"), self.git("rev-parse", "HEAD"))
            )

    def page(self, form: str = "text") -> str:
        return self.run("gitreg", "review", "HEAD~1", "HEAD", "--format", form)


@pytest.fixture
def hand(tmp_path: Path) -> Hand:
    return Hand(tmp_path / "registry")


HEAD_OF_KEY = b"\0\0\0\x0bssh-ed25519\0\0\0 "
BOB, EVE = (
    f"ssh-ed25519 {base64.b64encode(HEAD_OF_KEY + bytes([number]) * 32).decode()}" for number in (1, 2)
)


def test_a_key_that_comes_is_told_by_its_fingerprint(hand: Hand) -> None:
    hand.write("keys/allowed_signers", f"# us\nbob@example.com {BOB} laptop\n")
    hand.commit()
    hand.write("keys/allowed_signers", f"bob@example.com {BOB}\nbob@example.com {EVE}\n")
    hand.commit()
    (change,) = hand.told()
    assert change.effect == "lowers", "another key signs as an approver"
    assert change.before is None
    assert str(change.after).startswith("ssh-ed25519 SHA256:") and "of bob@example.com" in str(change.after)


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        (
            "keys/allowed_signers",
            f"bob@example.com {BOB}\n",
            f"# our keys\nbob@example.com {BOB} new laptop\n",
        ),
        ("gates/production.json", GATE % "0.80", '{"properties":\n ' + (GATE % "0.8")[15:]),
        ("gitreg.yaml", None, None),
    ],
    ids=["keys", "gate", "settings"],
)
def test_what_is_only_written_otherwise(hand: Hand, path: str, before: str | None, after: str | None) -> None:
    if before is not None and after is not None:
        hand.write(path, before)
        hand.commit()
        hand.write(path, after)
    else:
        hand.commit()
        hand.write(path, (hand.top / path).read_text() + "# a comment\n")
    hand.commit()
    assert [(each.subject, each.effect) for each in hand.told()] == [(path, "none")]
    page = hand.page()
    assert "Nobody would be asked for anything else." in " ".join(page.split())
    assert f"= asks for nothing else: {path}: written otherwise, and means the same" in page


def test_a_long_gate_on_one_line_hides_nothing(hand: Hand) -> None:
    """A change behind the thousandth column is on a line of its own."""
    gate = {"properties": {f"p{n:03}": {"minimum": 1} for n in range(300)}}
    hand.write("gates/a.json", json.dumps(gate))
    hand.commit()
    gate["properties"]["p250"]["minimum"] = 0
    hand.write("gates/a.json", json.dumps(gate))
    hand.commit()
    page = hand.page()
    assert '-       "minimum": 1' in page and '+       "minimum": 0' in page and '"p250": {' in page


def test_what_does_not_fit_names_the_command_that_shows_it(tmp_path: Path) -> None:
    hand = Hand(tmp_path / "big", "team models/ä")
    path = "team models/ä/gates/a b.json"
    hand.write(path, json.dumps({f"x{n}": n for n in range(300)}))
    hand.commit()
    hand.write(path, json.dumps({f"y{n}": n for n in range(300)}))
    hand.commit()
    page = hand.page()
    command = next(line.partition("all of it: ")[2] for line in page.splitlines() if "all of it: " in line)
    assert '"y299": 299' not in page
    shown = subprocess.run(
        shlex.split(command), cwd=hand.top, check=True, capture_output=True, text=True
    ).stdout
    assert '"y299": 299' in shown


def test_what_a_gate_asks_may_have_to_be_read(hand: Hand) -> None:
    hand.write("gates/a.json", '{"not": {"minimum": 2}}')
    hand.commit()
    hand.write("gates/a.json", '{"not": {"minimum": 1}}')
    hand.commit()
    page = " ".join(hand.page().split())
    assert "gates/a.json would change: what is asked there has to be read." in page
    assert "• changes: gates/a.json: it asks for something else: read it" in page


@pytest.mark.parametrize("codeowners", [True, False])
def test_owners_count_where_somebody_goes_by_them(hand: Hand, codeowners: bool) -> None:
    if codeowners:
        text = (hand.top / "gitreg.yaml").read_text()
        hand.write("gitreg.yaml", text.replace("count: 2\n", "count: 2\n      codeowners: true\n"))
    hand.write(".github/CODEOWNERS", "models/ @ml/leads\n")
    hand.commit()
    hand.write(".github/CODEOWNERS", "models/ @eve\n")
    hand.commit()
    assert [each.texts for each in hand.told()] == (
        [("models/ @ml/leads\n", "models/ @eve\n")] if codeowners else []
    )


def test_settings_that_cannot_be_read_are_told_as_text(hand: Hand) -> None:
    hand.commit()
    text = (hand.top / "gitreg.yaml").read_text()
    hand.write("gitreg.yaml", text.replace("count: 2", "count: [1"))
    hand.commit()
    (change,) = hand.told()
    assert (change.subject, change.effect) == ("gitreg.yaml", "changes")
    assert change.texts is not None and "count: [1" in change.texts[1]


def test_a_link_has_no_text(hand: Hand) -> None:
    hand.write("gates/a.json", "{}")
    hand.commit()
    (hand.top / "gates/a.json").unlink()
    (hand.top / "gates/a.json").symlink_to("/etc/hostname")
    hand.commit()
    (change,) = hand.told()
    assert change.after == "no plain file (mode 120000)" and change.texts is None


EVIL = "```\n</details><script>alert(1)</script> @org/team \x1b[31m\u202e\n# heading\n"


def test_a_hostile_gate_stays_inert(hand: Hand) -> None:
    hand.write("gates/`x` @org|</details>.json", "{}")
    hand.commit()
    hand.write("gates/`x` @org|</details>.json", EVIL)
    hand.commit()
    page = hand.page("markdown")
    found = MarkdownIt("commonmark", {"html": True}).enable("table").parse(page)
    html = [
        each.content for token in found for each in (token, *(token.children or ())) if "html" in each.type
    ]
    assert not [each for each in html if "script" in each or "org" in each]
    assert not [t for t in found if t.type == "heading_open" and t.tag == "h1"]
    assert "\x1b" not in page + hand.page() and "\u202e" not in page + hand.page()
