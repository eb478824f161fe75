"""One way in, one way out: dispatch, exit codes, messages, streams."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest

import gitreg
from gitreg import errors
from gitreg.cli import app
from gitreg.cli.commands import COMMANDS
from gitreg.domain.findings import Finding

ROOT = Path(__file__).parents[2]


def test_version_answers_without_click(process):
    code = "import sys; sys.argv = ['gitreg', '--version']; import gitreg.__main__ as m; m.main(); print('click' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"gitreg {gitreg.__version__}\nFalse\n"
    assert process("--version").stdout.decode() == f"gitreg {gitreg.__version__}\n"


def test_version_is_the_distributions():
    stated = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert stated and stated[1] == gitreg.__version__


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_and_its_name(name):
    command = import_module(f"gitreg.cli.{COMMANDS[name].module}").command
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help and len(command.help) > 10
    assert COMMANDS[name].help and not COMMANDS[name].help.endswith(".")
    for param in command.params:
        if isinstance(param, click.Option):
            assert param.help or isinstance(param.type, click.Choice), f"--{param.name} of {name} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_conventions(name):
    page = (ROOT / "docs" / "cli-conventions.md").read_text()
    assert re.search(rf"^\| `{name}[ `]", page, re.MULTILINE), f"{name} is missing from the table"


def test_conventions_name_no_command_that_is_not_there():
    page = (ROOT / "docs" / "cli-conventions.md").read_text()
    assert set(re.findall(r"^\| `([a-z]+)[ `]", page, re.MULTILINE)) == set(COMMANDS)


def test_help_lists_every_command_under_its_section(run):
    out = run("--help").out
    for name, listed in COMMANDS.items():
        assert re.search(rf"^{listed.section}:$", out, re.MULTILINE)
        row = re.search(rf"^  {name} +{re.escape(listed.help)}$", out, re.MULTILINE)
        assert (row is None) is listed.hidden, name


def test_help_imports_no_command():
    code = (
        "import sys; from gitreg.cli import app; app.run(['--help']); "
        "sys.stderr.write(str([m for m in sys.modules if m.startswith('gitreg.registry')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]"


def test_reading_imports_nothing_heavy(churn):
    code = (
        "import sys; from gitreg.cli import app; app.run(['resolve', 'churn/1']); "
        "sys.stderr.write(str([m for m in ('git', 'jsonschema', 'rich', 'mlflow') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("s3://models/churn/1\n", "[]")


def test_no_command_shows_the_help_and_is_a_usage_error(run):
    assert "Usage: gitreg" in run(code=2).err


@pytest.mark.parametrize(
    ("typed", "hint"),
    [("lisst", 'did you mean "list"?'), ("xyzzy", "gitreg --help"), ("\x1b[31m", "gitreg --help")],
)
def test_unknown_command(run, typed, hint):
    result = run(typed, code=2)
    assert result.err.startswith("error: there is no command ")
    assert hint in result.err
    assert "\x1b" not in result.err


def test_unknown_option_names_the_nearest_or_how_to_use_it_as_a_value(run, registry):
    assert 'there is no option "--jsn"' in run("list", "--jsn", code=2).err
    assert "did you mean --json?" in run("list", "--jsn", code=2).err
    assert "put it after --" in run("show", "--upload-pack=touch x", code=2).err
    assert '"--upload-pack=touch x"' in run("show", "--", "--upload-pack=touch x", code=3).err


@pytest.mark.parametrize("kind", ["name", "stage", "alias", "version"])
def test_values_that_look_like_options_are_read_as_what_they_were_meant_as(run, churn, head, kind):
    text = "--upload-pack=touch x"
    before = head()
    args = {
        "name": ["show", "--", text],
        "stage": ["transition", "--", "churn/1", text],
        "alias": ["alias", "--", "churn/1", text],
        "version": ["show", "--", f"churn/{text}"],
    }[kind]
    result = run(*args, code=3)
    assert {"name": "model"}.get(kind, kind) in result.err and text in result.err
    assert head() == before and not (churn / "x").exists()


def test_usage_errors_of_click_take_our_form(run, registry):
    err = run("transition", "churn/1", code=2).err
    assert err == (
        "error: missing argument 'STAGE'\n  --> gitreg transition\nhelp: gitreg transition --help\n"
    )


def test_arguments_that_are_not_utf8(process, registry):
    done = process(b"show", b"ch\xffurn")
    assert done.returncode == 2
    assert done.stderr.decode() == (
        'error: "ch\\udcffurn" is not UTF-8\n  --> argument 2\nhelp: names and texts are UTF-8\n'
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.UsageError, 2),
        (errors.InvalidInput, 3),
        (errors.NotFound, 3),
        (errors.Conflict, 4),
        (errors.AlreadyExists, 4),
        (errors.NotAllowed, 5),
        (errors.IntegrityError, 6),
        (errors.EnvironmentFailure, 7),
        (errors.OutcomeUnknown, 8),
    ],
)
def test_each_error_has_its_exit_code_and_form(run, monkeypatch, error, code):
    raising(monkeypatch, error("it is\x1b so", where="models/x\x07.yaml:3", hint="do\x9bthis"))
    err = run("explain", "GR012", code=code).err
    assert err == "error: it is\\x1b so\n  --> models/x\\x07.yaml:3\nhelp: do\\x9bthis\n"


def raising(monkeypatch, error):
    def callback(*args, **given):
        raise error

    monkeypatch.setattr(import_module("gitreg.cli.explain").command, "callback", callback)


def test_an_error_as_json(run, monkeypatch):
    raising(monkeypatch, errors.NotFound("no \u202emodel", where="x", hint="y"))
    err = run("explain", "--json", "GR012", code=None).err
    if "there is no option" in err:  # the flag is the command's own; the form of errors does not need it
        assert json.loads(err)["error"]["kind"] == "usage"
        return
    assert json.loads(err)["error"] == {
        "kind": "not-found", "message": "no \u202emodel", "where": "x", "help": "y", "exit_code": 3,
    }  # fmt: skip
    assert "\u202e" not in err


def test_json_errors_carry_kind_message_help_and_exit_code(run, registry):
    error = json.loads(run("show", "nosuch", "--json", code=3).err)["error"]
    assert error == {
        "kind": "not-found",
        "message": 'there is no registered model "nosuch"',
        "where": "",
        "help": "gitreg list",
        "exit_code": 3,
    }


def test_a_name_called_json_is_no_flag(run, registry):
    assert run("show", "--", "--json", code=3).err.startswith("error: ")


def test_findings_are_printed_as_check_prints_them(run, monkeypatch):
    finding = Finding(
        code="GR012", message='stage: "Prodction" is no stage', path="models/x/versions/1.yaml", line=3, column=5,
        excerpt="    Prodction: 1", length=9, help='did you mean "Production"?',
    )  # fmt: skip
    raising(monkeypatch, errors.InvalidManifests([finding]))
    err = run("explain", "GR012", code=3).err
    assert err.startswith('models/x/versions/1.yaml:3:5: error[GR012]: stage: "Prodction" is no stage\n')
    assert "^" in err and 'help: did you mean "Production"?' in err


def test_a_bug_ends_with_70_and_a_log_but_no_traceback(run, monkeypatch, home):
    raising(monkeypatch, ZeroDivisionError("https://ann:secret@example.org/x"))
    err = run("explain", "https://bob:hidden@example.org", code=70).err
    assert "Traceback" not in err and err.count("\n") == 2
    log = Path(re.search(r"with (\S+)", err)[1])
    assert log.parent == home / ".local" / "state" / "gitreg"
    assert log.stat().st_mode & 0o077 == 0
    text = log.read_text()
    assert "ZeroDivisionError" in text and "Traceback" in text and gitreg.__version__ in text
    assert "secret" not in text and "hidden" not in text


def test_a_bug_where_no_state_can_be_kept_logs_to_the_temporary_folder(run, monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(blocked))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(monkeypatch, RecursionError("deep"))
    log = Path(re.search(r"with (\S+)", run("explain", "x", code=70).err)[1])
    assert log.parent == tmp_path and "RecursionError" in log.read_text()


def test_ctrl_c_ends_with_130(run, monkeypatch):
    raising(monkeypatch, KeyboardInterrupt())
    assert run("explain", "GR012", code=130).err.strip() == ""


def test_an_os_error_is_a_failure_of_the_environment(run, monkeypatch):
    raising(monkeypatch, OSError(28, "No space left on device", "/x/y\x1b"))
    assert run("explain", "x", code=7).err == "error: no space left on device\n  --> /x/y\\x1b\n"


def test_a_reader_that_leaves_ends_it_quietly(churn):
    command = [sys.executable, "-m", "gitreg", "list"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_stdout(process, churn, head, monkeypatch, unbuffered):
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    with open("/dev/full", "wb") as full:
        assert process("list", stdout=full, stderr=subprocess.PIPE, capture_output=False).returncode == 7
        before = head()
        done = process("tag", "churn", "a=b", stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == 7 and head() != before
    assert f"the change is made (commit {head()[:10]})" in done.stderr.decode()


def test_closed_streams_do_no_harm(churn, head):
    before = head()
    code = f"exec {sys.executable} -m gitreg tag churn a=b >&- 2>&- <&-"
    assert subprocess.run(["sh", "-c", code], check=False).returncode == 0
    assert head() != before


def test_registry_is_named_before_or_after_the_command_or_by_the_environment(
    run, churn, monkeypatch, tmp_path
):
    expected = run("list").out
    monkeypatch.chdir(tmp_path)
    assert run("list", code=7).err.startswith("error: no registry here")
    assert run("list", "--registry", str(churn)).out == expected
    assert run("--registry", str(churn), "list").out == expected
    monkeypatch.setenv("GITREG_REGISTRY", str(churn))
    assert run("list").out == expected
    assert run("list", "--registry", str(tmp_path), code=7).out == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@example.org/x.git",
        "ssh://git@example.org/x",
        "git@example.org:x",
        "ext::sh -c x",
        "file:///x",
    ],
)
def test_a_url_is_no_path_yet(run, url):
    result = run("list", "--registry", url, code=2)
    assert "is a URL" in result.err and "git clone" in result.err and "secret" not in result.err


def test_a_registry_that_is_not_there_is_not_looked_for_above(run, churn):
    assert "no such folder" in run("list", "--registry", str(churn / "typo"), code=7).err


def test_git_finds_the_command_as_its_own(churn):
    script = Path(sys.executable).parent / "git-reg"
    if not script.exists():
        pytest.skip("gitreg is not installed here")
    env = {**os.environ, "PATH": f"{script.parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["git", "reg", "resolve", "churn/2"], env=env, capture_output=True, text=True, check=True
    )
    assert done.stdout == "s3://models/churn/2\n"


def test_the_group_is_what_click_calls(run):
    assert isinstance(app.cli, click.Group)
    assert app.cli.get_command(click.Context(app.cli), "nosuch") is None
