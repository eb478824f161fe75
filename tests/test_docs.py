"""The pages under ``docs``: what they show is what the commands print."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gitreg.cli.app import cli
from gitreg.domain.model import ModelVersion
from gitreg.manifest import codec
from gitreg.manifest.fields import SETTINGS, VERSION
from gitreg.manifest.fmt import format_text
from gitreg.policy.schema_gate import faults
from gitreg.registry.rules_check import check_rules

ROOT = Path(__file__).resolve().parents[1]
_ANSWER = "import pathlib, sys; import answers; sys.stdout.write(answers.answered(pathlib.Path(sys.argv[1]).read_text()))"


def steady(text: str) -> str:
    """``text`` without the ids of commits made just now, and without the index's file."""
    return re.sub(r"\b[0-9a-f]{10}\b|[0-9a-f]{16}\.db \(.*\)", "ID", text)


def printed(page: Path, script: str) -> str:
    """What a script of demo/ makes of a page."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(page)],
        cwd=ROOT / "demo",
        env={**os.environ, "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_history_shows_what_is_printed() -> None:
    page = ROOT / "docs" / "history.md"
    text = page.read_text(encoding="utf-8")
    assert text.count("\n$ gitreg ") >= 10
    assert steady(printed(page, _ANSWER)) == steady(text), "write it anew: python demo/answers.py"


@pytest.mark.mlflow
def test_moving_from_mlflow_goes_as_the_page_shows() -> None:
    page = ROOT / "docs" / "mlflow.md"
    text = page.read_text(encoding="utf-8")
    script = "import pathlib, sys; import moving; sys.stdout.write(moving.moved(pathlib.Path(sys.argv[1]).read_text()))"
    assert text.count("\n$ ") >= 15
    assert made_anew(printed(page, script)) == made_anew(text), "write it anew: python demo/moving.py"


def made_anew(text: str) -> str:
    """``text`` without what differs each time: times, and the ids of runs, models and commits."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?|\b\d{13}\b", "TIME", text)
    text = re.sub(r"(?m)^seconds\t.*$", "seconds", text)
    text = re.sub(r"\t(now|\d+ (second|minute)s?)\t", "\tAGE\t", text)
    return re.sub(r"\b(m-)?[0-9a-f]{10}(?:[0-9a-f]{22}|[0-9a-f]{30})?\b", "ID", text)


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


_PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))


def blocks(page: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in one of these languages; ``""``: those that name none."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [text for language, text in found if language in languages]


def typed(page: Path) -> Iterator[list[str]]:
    """The arguments of each ``gitreg`` that a page has people type, in a block or in a sentence."""
    prose = re.sub(r"(?ms)^```.*?^```$", "", page.read_text(encoding="utf-8"))
    found = re.findall(r"`(gitreg [^`\n…]*)`", prose)
    for block in blocks(page, "console", "sh", ""):
        found += re.findall(r"(?m)^(?:[\w@]*\$ )?(?:\w+=\S+ )*(gitreg .*)", block.replace("\\\n", ""))
    for line in found:
        words = shlex.split(re.sub(r"[][…]", "", line), comments=True)  # [--what may be left out]
        for part in re.split(r"\0(?:&&|\||;|>|&)(?:\0|$)", "\0".join(words)):
            if part.startswith("gitreg\0"):
                yield part.split("\0")[1:]


def parsed(args: list[str]) -> None:
    """Read a command line as far as click does: nothing is run, nothing is looked up.

    Raises:
        click.UsageError: There is no such command or option, or too much is said.
    """
    command: click.Command = cli
    context = click.Context(command, info_name="gitreg")
    _, rest, _ = command.make_parser(context).parse_args(list(args))
    while isinstance(command, click.Group) and rest:
        found = command.get_command(context, rest[0])
        if found is None:
            raise click.UsageError(f"there is no command {rest[0]}")
        command, context = found, click.Context(found, parent=context)
        many = isinstance(command, click.Group)
        _, after, _ = command.make_parser(context).parse_args(rest[1:])
        if after and not many:
            raise click.UsageError(f"nothing takes {after}")
        rest = after


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: page.stem)
def test_commands_can_be_typed(page: Path) -> None:
    for args in typed(page):
        try:
            parsed(args)
        except click.UsageError as error:
            pytest.fail(f"gitreg {shlex.join(args)}: {error.format_message()}")


def test_a_command_that_is_none_is_found() -> None:
    for args in (["promot"], ["promote", "--fast"], ["resolve", "churn/1", "churn/2"], ["hooks", "instal"]):
        with pytest.raises(click.UsageError):
            parsed(args)


def test_the_rules_for_a_team_hold_what_the_page_says() -> None:
    page = ROOT / "docs" / "team.md"
    rules, manifest, numbers = (block.encode() for block in blocks(page, "yaml"))
    (gate,) = (block.encode() for block in blocks(page, "json"))
    (keys,) = (block.encode() for block in blocks(page, ""))
    settings = b"format: 1\nname: registry\nbranch: main\nlayout: flat\n" + rules + numbers
    assert format_text(settings, SETTINGS) == settings
    assert format_text(manifest, VERSION) == manifest
    files = {"gitreg.yaml": settings, "gates/production.json": gate, "keys/allowed_signers": keys}
    modes = dict.fromkeys(files, "100644")
    assert list(check_rules(modes, files.get)) == []
    path = "models/churn/versions/2.yaml"
    for data, lacks in ((manifest, False), (manifest.replace(b"auc: 0.93", b"auc: 0.7"), True)):
        version = codec.decode_version(data, name="churn", version=2, path=path)
        assert isinstance(version, ModelVersion)
        assert bool(faults(gate, version)) is lacks


def test_the_rules_of_promotion_are_canonical() -> None:
    (rules,) = (block.encode() for block in blocks(ROOT / "docs" / "promotion.md", "yaml")[:1])
    settings = b"format: 1\nname: registry\nbranch: main\nlayout: flat\n" + rules
    assert format_text(settings, SETTINGS) == settings
    assert codec.decode_settings(settings).stages[1].exclusive
