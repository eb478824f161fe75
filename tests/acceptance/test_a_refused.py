"""A01–A09: names, versions, stages and aliases that must be refused, whichever way they come in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gitreg.errors import Conflict, GitregError, InvalidInput
from gitreg.gitstore.process import run as run_git
from tests.acceptance.standard import (
    CONFLICT,
    ENVIRONMENT,
    INVALID,
    USAGE,
    Site,
    gitreg_command,
    told,
    unchanged,
)

SOURCE = "s3://models/x"

BLANK_OR_PATH = [
    "", " ", "\t", "\u00a0", "\u3000", ".", "..", "../x", "a/b", "a:b", "/etc/passwd", "a/", "/", "models:/a", "..//..",
    "fraud/../../x", "C:\\x", "a/..",
]  # fmt: skip
INJECTIONS = [
    "x\nupdate refs/heads/main 0000000000000000000000000000000000000000",
    "x\n\ndelete refs/tags/fraud/v1\n",
    "x\r\nGitreg-Event: delete",
    "x\u2028y",
    "x\u0085y",
]
INVISIBLE = [
    "a\x1bb", "a\x7f", "\x07", "a\x9bb", "a\u202eb", "a\u200bb", "\ufeffa", "a\u2066b", "a\U000e0041", "\x01", "a\u0378",
]  # fmt: skip


def refused_by_every_way(site: Site, name: str, *, typed: bool = True) -> None:
    """Refuse ``name`` on the command line, in a batch and in the API, with the same class of error."""
    if typed:
        site.refuses("register", "--", name, SOURCE, code=INVALID, says=["no model name"])
    with unchanged(site.root), site.open() as registry:
        for act in (
            lambda: registry.register(name, SOURCE),
            lambda: registry.create_model(name),
            lambda: registry.rename("fraud", name),
            lambda: registry.model(name),
            lambda: registry.register("fraud", SOURCE, parents=[name]),
        ):
            with pytest.raises(InvalidInput):
                act()


@pytest.mark.parametrize("name", BLANK_OR_PATH[:8])
def test_A01_blank_or_path(either: Site, name: str) -> None:
    refused_by_every_way(either, name)


@pytest.mark.parametrize("name", BLANK_OR_PATH[8:])
def test_A01_blank_or_path_further(site: Site, name: str) -> None:
    refused_by_every_way(site, name, typed=False)


def test_A01_every_verb_refuses_a_path_as_a_name(site: Site) -> None:
    for args in (
        ["rename", "fraud", "a/b"],
        ["show", "../x"],
        ["show", "/etc/passwd"],
        ["list", "a:b"],
        ["log", "../../x"],
        ["transition", "../x/1", "Staging"],
        ["delete", "--yes", "a/b/c"],
    ):
        site.refuses(*args, code=INVALID)
    line = json.dumps({"name": "../x", "source": SOURCE}).encode()
    good = json.dumps({"name": "fine", "source": SOURCE}).encode()
    for flags in ([], ["--one-commit"]):
        site.refuses(
            "register", "--batch", "-", *flags, stdin=good + b"\n" + line, code=INVALID, says=["line 2"]
        )


@pytest.mark.parametrize("name", INJECTIONS)
def test_A02_newline_smuggles_no_ref_update(either: Site, name: str) -> None:
    tags = either.tags()
    refused_by_every_way(either, name, typed=name == INJECTIONS[0])
    assert either.tags() == tags == ["fraud/Production/1", "fraud/v1", "fraud/v2"]


def test_A02_newline_in_every_other_value(site: Site) -> None:
    bad = INJECTIONS[0]
    tags = site.tags()
    for args in (
        ["alias", "fraud/1", bad],
        ["transition", "fraud/1", bad],
        ["register", "fraud", SOURCE, f"--version={bad}"],
        ["show", f"fraud/{bad}"],
        ["show", "fraud", "--at", bad],
    ):
        site.refuses(*args, code=INVALID)
    # These may hold any text: it is kept as text, and smuggles nothing in.
    site.does("tag", "fraud/1", f"note={bad}", "-m", bad)
    assert set(site.tags()) == set(tags)
    assert json.loads(site.does("show", "fraud/1", "--json").out)["tags"]["note"] == bad
    site.sound()


@pytest.mark.parametrize("name", INVISIBLE)
def test_A03_control_and_invisible_characters(site: Site, name: str) -> None:
    refused_by_every_way(site, name, typed=name in ("a\x1bb", "a\x7f"))


def test_A03_nul(site: Site) -> None:
    # No operating system passes NUL in an argument; a batch and the API can.
    refused_by_every_way(site, "a\0b", typed=False)
    line = json.dumps({"name": "a\0b", "source": SOURCE}).encode()
    site.refuses("register", "--batch", "-", stdin=line, code=INVALID, says=["line 1"])
    with unchanged(site.root), site.open() as registry, pytest.raises(InvalidInput):
        registry.at("a\0b")


@pytest.mark.parametrize("raw", [b"caf\xe9", b"\xff\xfe", b"a\xed\xa0\x80b", b"\xc0\xaf"])
def test_A04_bytes_that_are_not_utf8(site: Site, raw: bytes) -> None:
    site.refuses("register", b"--", raw, SOURCE, code=(USAGE, INVALID), says=["UTF-8"])
    with unchanged(site.root), site.open() as registry, pytest.raises(InvalidInput):
        registry.register(raw.decode("utf-8", "surrogateescape"), SOURCE)
    line = b'{"name": "' + raw + b'", "source": "s3://b/1"}'
    site.refuses("register", "--batch", "-", stdin=line, code=INVALID, says=["UTF-8"], mend=False)


def test_A04_in_any_other_argument(site: Site) -> None:
    for args in (
        ["transition", "fraud/1", b"\xff"],
        ["alias", "fraud/1", b"caf\xe9"],
        ["update", "fraud", "-d", b"\x80"],
        ["show", b"fraud/\xff"],
        ["--registry", b"\xff", "list"],
    ):
        site.refuses(*args, code=(USAGE, INVALID), says=["UTF-8"])


def test_A05_a_name_of_10000_bytes(either: Site) -> None:
    refused_by_every_way(either, "n" * 10_000)
    outcome = gitreg_command("register", "n" * 10_000, SOURCE, at=either.root)
    assert len(outcome.err) < 1000  # the message shows the beginning, not all of it


@pytest.mark.parametrize("name", ["n" * 201, "é" * 34, "\U0001f600" * 17, " " + "~" * 67])
def test_A05_too_long_once_encoded(site: Site, name: str) -> None:
    refused_by_every_way(site, name, typed=False)


@pytest.mark.parametrize(
    ("first", "twin"),
    [("Fraud", "FRAUD"), ("stra\u00dfe", "STRASSE"), ("caf\u00e9", "cafe\u0301"), ("ﬁne", "fine")],
)
def test_A06_twin_differs_in_case_or_form(site: Site, first: str, twin: str) -> None:
    if first != "Fraud":
        with site.open() as registry:
            registry.create_model(first)
    else:
        first = "fraud"
    site.refuses("register", twin, SOURCE, code=CONFLICT, says=[first])
    with unchanged(site.root), site.open() as registry:
        with pytest.raises(Conflict, match=first):
            registry.create_model(twin)
        with pytest.raises(Conflict):
            registry.rename("fraud", twin)


def test_A06_twin_of_a_deleted_or_renamed_model(site: Site) -> None:
    with site.open() as registry:
        registry.create_model("gone")
        registry.delete("gone")
        registry.create_model("Old")
        registry.rename("Old", "new")
    for twin in ("Gone", "OLD", "NEW"):
        site.refuses("register", twin, SOURCE, code=CONFLICT, says=[twin.casefold()])


def test_A06_two_twins_in_one_batch(bare: Site) -> None:
    lines = b"\n".join(json.dumps({"name": name, "source": SOURCE}).encode() for name in ("Abc", "aBC"))
    for flags in ([], ["--one-commit"]):
        bare.refuses("register", "--batch", "-", *flags, stdin=lines, code=CONFLICT, says=["Abc"])


VERSIONS = [
    "0",
    "-1",
    "01",
    "1e3",
    "latest1",
    "1.0",
    "+1",
    "1 ",
    " 1",
    "1_0",
    "\u0661",
    "0x1",
    "1000000000",
    "",
    "1\n",
]


@pytest.mark.parametrize("text", VERSIONS[:5])
def test_A07_version(site: Site, text: str) -> None:
    site.refuses("show", f"fraud/{text}", code=INVALID)
    site.refuses("register", "fraud", SOURCE, f"--version={text}", code=INVALID)


@pytest.mark.parametrize("text", VERSIONS)
def test_A07_version_in_the_API(site: Site, text: str) -> None:
    with unchanged(site.root), site.open() as registry:
        for act in (
            lambda: registry.version(f"fraud/{text}"),
            lambda: registry.transition(f"models:/fraud/{text}", "Staging"),
            lambda: registry.delete(f"fraud/{text}"),
        ):
            with pytest.raises(InvalidInput):
                act()
        with pytest.raises((InvalidInput, Conflict)):
            registry.register("fraud", SOURCE, version=0)


@pytest.mark.parametrize("text", ["0", "-1", "true", "1.5", '"1"', "1e3", "null"])
def test_A07_version_in_a_batch(site: Site, text: str) -> None:
    line = f'{{"name": "fraud", "source": "s3://b/1", "version": {text}}}'.encode()
    site.refuses(
        "register", "--batch", "-", stdin=line, code=(INVALID, CONFLICT), says=["line 1"], mend=False
    )


STAGES = ["v1", "None", "latest", "a/b", "LATEST", "V12", "", " ", "1st", "Pro duction", "-x", "é", "a" * 101]


TYPED_STAGES = ("v1", "None", "latest", "a/b", "")


@pytest.mark.parametrize("stage", STAGES)
def test_A08_stage(site: Site, tmp_path: Path, stage: str) -> None:
    with unchanged(site.root), site.open() as registry, pytest.raises(InvalidInput):
        registry.assign("fraud/2", stage)
    if stage in TYPED_STAGES:
        site.refuses("assign", "fraud/2", "--", stage, code=INVALID)
        there = tmp_path / "new"
        told(gitreg_command("init", str(there), f"--stage={stage}", at=tmp_path), (USAGE, INVALID))
        assert not there.exists()


@pytest.mark.parametrize("stages", [["Dev", "dev"], ["Prod", "Prod"]])
def test_A08_stages_that_differ_in_case_alone(tmp_path: Path, stages: list[str]) -> None:
    words = [f"--stage={stage}" for stage in stages]
    told(gitreg_command("init", "new", *words, at=tmp_path), INVALID, stages[1])
    assert not (tmp_path / "new").exists()


ALIASES = ["latest", "v3", "LATEST", "V03", "", "a/b", "a b", "a.b", "a@b", "a" * 256]


@pytest.mark.parametrize("alias", ALIASES)
def test_A08_alias(site: Site, alias: str) -> None:
    if alias in ("latest", "v3", "", "a/b"):
        site.refuses("alias", "fraud/1", "--", alias, code=INVALID)
        site.refuses("register", "fraud", SOURCE, f"--alias={alias}", code=INVALID)
    with unchanged(site.root), site.open() as registry, pytest.raises(InvalidInput):
        registry.alias("fraud/1", alias)


# Every place where a text is read, and the exit codes that read it as the value it was meant as.
PLACES = {
    "name": (["register", "--", "{}", SOURCE], (INVALID,)),
    "name to read": (["show", "--", "{}"], (INVALID,)),
    "new name": (["rename", "fraud", "--", "{}"], (INVALID,)),
    "version": (["register", "fraud", SOURCE, "--version", "{}"], (INVALID,)),
    "version in a URI": (["show", "fraud/{}"], (INVALID,)),
    "stage": (["transition", "fraud/1", "--", "{}"], (INVALID,)),
    "alias": (["alias", "fraud/1", "--", "{}"], (INVALID,)),
    "alias in a URI": (["resolve", "fraud@{}"], (INVALID,)),
    "revision": (["list", "--at", "{}"], (INVALID,)),
    "revision to check": (["check", "--rev", "{}"], (INVALID,)),
    "path to check": (["check", "--", "{}"], (USAGE, INVALID, ENVIRONMENT)),
    "path to format": (["fmt", "--", "{}"], (USAGE, INVALID, ENVIRONMENT)),
    "registry": (["--registry", "{}", "list"], (USAGE, ENVIRONMENT)),
    "remote": (["--registry", "ssh://{}/x", "list"], (USAGE, ENVIRONMENT)),
    "remote that runs a program": (["--registry", "ext::{}", "list"], (USAGE, ENVIRONMENT)),
    "branch": (["init", "fresh", "--branch", "{}"], (INVALID, CONFLICT)),
    "batch file": (["register", "--batch", "{}"], (USAGE, INVALID, ENVIRONMENT)),
}


# --output is known to git commands that take revisions.
OPTIONS = [("--upload-pack=touch {}", place) for place in PLACES]
OPTIONS += [("--output={}", place) for place in ("revision", "revision to check", "branch")]


@pytest.mark.parametrize(("option", "place"), OPTIONS)
def test_A09_option_as_a_value(site: Site, tmp_path: Path, option: str, place: str) -> None:
    marker = tmp_path / "executed"
    words, codes = PLACES[place]
    text = option.format(marker)
    args = [word.replace("{}", text) for word in words]
    # There is nothing to advise on a file that is not there.
    site.refuses(*args, code=codes, mend="path" not in place and "file" not in place)
    assert not marker.exists()


def test_A09_option_as_a_value_is_kept_where_any_text_is_due(site: Site, tmp_path: Path) -> None:
    text = "--upload-pack=touch executed"
    site.does("register", "--no-look-up", "--", text, text)
    site.does("tag", f"models:/{text}/1", "--", f"{text}={text}")
    assert site.does("resolve", f"models:/{text}/latest").out == text + "\n"
    assert not list(tmp_path.rglob("executed"))
    site.sound()


def test_A09_unknown_option_says_how_to_pass_it_as_a_value(site: Site) -> None:
    site.refuses("show", "--upload-pack=touch x", code=USAGE, says=["--upload-pack", "after --"])
    site.refuses("transition", "fraud/1", "--Production", code=USAGE, says=["--Production"])


def test_A09_control_git_would_read_it_as_an_option(site: Site, tmp_path: Path) -> None:
    # Shows that the marker would appear if a value ever reached Git as an option.
    marker = tmp_path / "executed"
    site.git("fetch", f"--upload-pack=touch {marker};", str(site.root), check=False)
    assert marker.exists()
    with pytest.raises(GitregError):
        run_git(["rev-parse", "--verify", "--end-of-options", f"--output={marker}x"], at=site.root)
    assert not Path(f"{marker}x").exists()
