"""Tables, TSV, JSON and diffs, on terminals and pipes, with hostile text in them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.cli import output

HOSTILE = "a\x1b]52;c;eA==\x07b\u202ec\u200bd\x9be\x7ff"
FORBIDDEN = [chr(n) for n in (*range(9), *range(11, 32), *range(127, 160))] + ["\u202e", "\u200b", "\u2066"]


def terminal(
    *args: str, answer: str = "", env: dict[str, str] | None = None, columns: int = 100
) -> tuple[int, str]:
    """Run a command on a pseudo-terminal, typing ``answer``; give its exit code and what it showed."""
    main, side = pty.openpty()
    os.set_blocking(main, True)
    given = {**os.environ, "COLUMNS": str(columns), "TERM": "xterm-256color", **(env or {})}
    command = [sys.executable, "-m", "gitreg", *args]
    with subprocess.Popen(command, stdin=side, stdout=side, stderr=side, env=given) as running:
        os.close(side)
        os.write(main, answer.encode())
        shown = b""
        while True:
            try:
                part = os.read(main, 4096)
            except OSError:  # Linux's way to say that the other side is closed
                break
            if not part:
                break
            shown += part
    os.close(main)
    return running.returncode, shown.decode().replace("\r\n", "\n")


def test_piped_tables_are_tsv_with_a_header(capsys):
    output.table(("name", "last_version"), [("a\tb\nc", 1), (None, 2.5)])
    assert capsys.readouterr().out == "name\tlast_version\na\\tb\\nc\t1\n\t2.5\n"


def test_a_table_on_a_terminal_is_aligned_and_has_no_tabs(churn):
    code, shown = terminal("list", env={"NO_COLOR": "1"})
    header, row = shown.splitlines()
    assert code == 0 and "\t" not in shown
    assert header.index("versions") == row.index("2")


def test_no_color_is_honoured(churn):
    assert "\x1b[" in terminal("list")[1]
    assert "\x1b[" not in terminal("list", env={"NO_COLOR": "1"})[1]


def test_markup_in_a_name_is_text(registry, run):
    run("register", "[red]x[bold]", "s3://x")
    assert "[red]x[bold]" in terminal("list", env={"NO_COLOR": "1"})[1]


def test_hints_are_for_terminals_alone(registry, run):
    assert "next: gitreg transition 'a b/1' Staging" in terminal("register", "a b", "s3://x")[1]
    assert "next:" not in run("register", "a b", "s3://x").out


@pytest.mark.parametrize("as_json", [[], ["--json"]])
def test_hostile_text_is_shown_as_escapes(registry, run, as_json):
    run("register", "m", "s3://x", "-d", HOSTILE, "--tag", f"k={HOSTILE}", "--param", f"p={HOSTILE}")
    for args in (
        ["show", "m/1"],
        ["list", "m"],
        ["log"],
        ["tag", "m/1", f"k={HOSTILE}!"],
        ["update", "m", "-d", HOSTILE],
    ):
        shown = run(*args, *as_json)
        for text in (shown.out, shown.err):
            assert not [char for char in FORBIDDEN if char in text], args
    if as_json:
        assert run("show", "m/1", "--json").json["description"] == HOSTILE


def test_dry_run_diffs_escape_hostile_text(registry, run):
    out = run("register", "m", "s3://x", "-d", HOSTILE, "--dry-run").out
    assert not [char for char in FORBIDDEN if char in out]


def test_json_is_readable_utf8_or_ascii(process, registry, run):
    run("register", "Größe", "s3://x", "-d", "grün 🦊")
    for encoding in ("utf-8", "latin-1", "ascii"):
        out = process("show", "Größe/1", "--json", env={"PYTHONIOENCODING": encoding}).stdout
        assert json.loads(out.decode(encoding))["description"] == "grün 🦊"
    assert (
        "grün 🦊".encode() in process("show", "Größe/1", "--json", env={"PYTHONIOENCODING": "utf-8"}).stdout
    )


def test_text_that_the_encoding_lacks_is_escaped(process, registry, run):
    run("register", "Größe", "s3://x", "-d", "grün 🦊")
    done = process("show", "Größe/1", env={"PYTHONIOENCODING": "latin-1"})
    assert done.returncode == 0 and "grün \\U0001f98a" in done.stdout.decode("latin-1")


def test_json_escapes_keep_the_value():
    value = {"text": HOSTILE + "\ud800\U000e0001\u2028"}
    text = output.json_text(value, indent=None)
    assert json.loads(text) == value
    assert not [char for char in FORBIDDEN if char in text]
    text.encode("utf-8")


def test_deleting_asks_on_a_terminal(churn, run, head):
    before = head()
    code, shown = terminal("delete", "churn/1", answer="n\n")
    assert code == 130 and "Delete churn/1 (in Production; alias champion)? [y/N]" in shown
    assert head() == before
    code, shown = terminal("delete", "churn/1", answer="y\n")
    assert code == 0 and "Deleted churn/1" in shown and head() != before


def test_deleting_a_model_says_all_that_goes(churn):
    _, shown = terminal("delete", "churn", answer="n\n", columns=200)
    assert "Delete the model churn (2 versions; Production: 1; alias champion)?" in shown


def test_progress_is_shown_on_a_terminal_alone(registry, tmp_path, run):
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(f'{{"name": "m{n}", "source": "s3://x"}}\n' for n in range(20)))
    assert "reading: " in terminal("register", "--batch", str(lines), "--dry-run")[1]
    assert run("register", "--batch", str(lines)).err == ""


def test_a_diff_can_be_applied_with_git(churn, run, head):
    out = run("transition", "churn/2", "Staging", "--dry-run").out
    patch = churn / "x.patch"
    patch.write_text(out[out.index("--- a/") :])
    before = Path("models/churn/versions/2.yaml").read_text()
    subprocess.run(["git", "apply", "x.patch"], cwd=churn, check=True)
    assert Path("models/churn/versions/2.yaml").read_text() != before
    assert "Staging:" in Path("models/churn/versions/2.yaml").read_text()
