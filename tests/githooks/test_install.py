"""Installing hooks: chained, never overwritten, twice as good as once, and gone again without a trace."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gitreg.githooks.install import CLIENT, PROPOSALS, SERVER, running, script, shipped
from tests.githooks.conftest import VERSION, Clone

NAMES = (*CLIENT, *SERVER, PROPOSALS)


def hooks(clone: Clone) -> dict[str, str]:
    folder = clone.folder / ".git" / "hooks"
    found = sorted(path for path in folder.iterdir() if not path.name.endswith(".sample"))
    return {path.name: path.read_text() for path in found}


def put(clone: Clone, name: str, text: str) -> Path:
    path = clone.folder / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def states(clone: Clone, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    capsys.readouterr()
    clone.gitreg("hooks", "status", "--json")
    return {each["name"]: each["state"] for each in json.loads(capsys.readouterr().out)["hooks"]}


def test_every_hook_is_installed_once(first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    first.gitreg("hooks", "install")
    made = hooks(first)
    assert sorted(made) == sorted(CLIENT)
    first.gitreg("hooks", "install")
    assert hooks(first) == made
    assert {name: states(first, capsys)[name] for name in CLIENT} == dict.fromkeys(CLIENT, "installed")
    for name in CLIENT:
        assert stat.S_IMODE((first.folder / ".git" / "hooks" / name).stat().st_mode) == 0o755


def test_a_dry_run_writes_nothing(first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    before = hooks(first)
    first.gitreg("hooks", "install", "--dry-run")
    assert "would do: pre-commit: new" in capsys.readouterr().out
    assert hooks(first) == before


def test_a_former_hook_runs_first_and_comes_back(first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    text = '#!/bin/sh\necho "former: $# $1" >>seen\ntest ! -e closed\n'
    for name in ("pre-commit", "commit-msg"):
        put(first, name, text)
    first.gitreg("hooks", "install")
    assert states(first, capsys)["pre-commit"] == "chained"
    assert hooks(first)["pre-commit.before-gitreg"] == text
    first.write("NOTES.md", "x")
    first.git("add", "NOTES.md")
    first.git("commit", "-q", "-m", "notes")
    assert first.read("seen").splitlines() == ["former: 0 ", "former: 1 .git/COMMIT_EDITMSG"]
    first.write("closed", "")
    first.git("commit", "-q", "--allow-empty", "-m", "x", code=1)
    first.gitreg("hooks", "uninstall")
    assert hooks(first) == {"pre-commit": text, "commit-msg": text}


def test_what_stands_there_twice_is_never_overwritten(first: Clone) -> None:
    put(first, "pre-commit", "#!/bin/sh\n# one\n")
    first.gitreg("hooks", "install")
    put(first, "pre-commit", "#!/bin/sh\n# two\n")
    before = hooks(first)
    first.gitreg("hooks", "install", code=4)
    assert hooks(first) == before


def test_an_older_one_of_ours_is_made_anew(first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
    first.gitreg("hooks", "install")
    path = put(first, "pre-commit", hooks(first)["pre-commit"] + "# of another version\n")
    assert states(first, capsys)["pre-commit"] == "outdated"
    first.gitreg("hooks", "install")
    assert path.read_text() == script("pre-commit", running())


def test_a_link_of_another_program_is_chained_as_it_is(first: Clone, tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("#!/bin/sh\nexit 0\n")
    (tmp_path / "theirs").chmod(0o755)
    (first.folder / ".git" / "hooks" / "pre-push").symlink_to(tmp_path / "theirs")
    first.gitreg("hooks", "install")
    former = first.folder / ".git" / "hooks" / "pre-push.before-gitreg"
    assert former.is_symlink()
    assert (tmp_path / "theirs").read_text() == "#!/bin/sh\nexit 0\n"


def test_gitolites_update_hook_is_left_alone(server: Clone, tmp_path: Path) -> None:
    (server.folder / "hooks" / "update").symlink_to(tmp_path / "gitolite-update")
    server.gitreg("hooks", "install", "--server")
    assert os.readlink(server.folder / "hooks" / "update") == str(tmp_path / "gitolite-update")


class TestHooksPath:
    def test_a_shared_folder_is_refused_unless_it_is_meant(self, first: Clone, tmp_path: Path) -> None:
        first.git("config", "core.hooksPath", str(tmp_path / "shared"))
        first.gitreg("hooks", "install", code=4)
        assert not (tmp_path / "shared").exists()
        first.gitreg("hooks", "install", "--force-path")
        assert (tmp_path / "shared" / "pre-commit").exists()
        first.edit(VERSION.format(2), "version: 2", "version: 3")
        assert "GR016" in first.git("commit", "-am", "x", code=1).err

    def test_one_of_its_own_is_as_good_as_none(self, first: Clone) -> None:
        first.git("config", "core.hooksPath", ".git/hooks")
        first.gitreg("hooks", "install")
        assert "pre-commit" in hooks(first)

    @pytest.mark.parametrize("nowhere", ["", "/dev/null"])
    def test_hooks_that_are_switched_off(
        self, first: Clone, capsys: pytest.CaptureFixture[str], nowhere: str
    ) -> None:
        first.git("config", "core.hooksPath", nowhere)
        first.gitreg("hooks", "install", "--force-path", code=4)
        said = capsys.readouterr().err
        assert "Git runs no hooks in this repository" in said
        subprocess.run(said.partition("help: ")[2], shell=True, cwd=first.folder, check=True)
        first.gitreg("hooks", "install")
        assert "pre-commit" in hooks(first)

    def test_committed_hooks_name_no_place_of_this_machine(
        self, first: Clone, capsys: pytest.CaptureFixture[str]
    ) -> None:
        first.git("config", "core.hooksPath", ".githooks")
        first.gitreg("hooks", "install", "--force-path")
        assert "\ngitreg=gitreg\n" in first.read(".githooks/pre-commit")
        assert states(first, capsys)["pre-commit"] == "installed"

    def test_husky_is_told_what_to_write(self, first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
        first.git("config", "core.hooksPath", ".husky/_")
        first.gitreg("hooks", "install", code=4)
        typed = capsys.readouterr().err.partition("help: ")[2]
        (first.folder / ".husky").mkdir()
        subprocess.run(typed, shell=True, cwd=first.folder, check=True)
        assert first.read(".husky/commit-msg") == 'gitreg hook commit-msg "$1"\n'
        assert first.read(".husky/pre-push") == 'gitreg hook pre-push "$@"\n'

    def test_lefthook_is_told_where_to_write(self, first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
        first.write("lefthook.yml", "pre-commit: {}\n")
        before = hooks(first)
        first.gitreg("hooks", "install", code=4)
        assert "lefthook runs the hooks of this repository" in capsys.readouterr().err
        assert hooks(first) == before


class TestBehindTheFramework:
    """The pre-commit framework was installed after gitreg, and runs what it found as NAME.legacy."""

    THEIRS = "#!/bin/sh\n# File generated by pre-commit: https://pre-commit.com\n"

    def behind(self, clone: Clone) -> None:
        clone.gitreg("hooks", "install")
        path = clone.folder / ".git/hooks/pre-commit"
        path.rename(path.with_name("pre-commit.legacy"))
        put(clone, "pre-commit", self.THEIRS)

    def test_ours_goes_away_and_theirs_stays(self, first: Clone, capsys: pytest.CaptureFixture[str]) -> None:
        self.behind(first)
        assert states(first, capsys)["pre-commit"] == "behind pre-commit"
        first.gitreg("hooks", "install")
        first.gitreg("hooks", "uninstall", "--dry-run")
        assert "pre-commit.legacy" in hooks(first)
        first.gitreg("hooks", "uninstall")
        assert hooks(first) == {"pre-commit": self.THEIRS}

    @pytest.mark.parametrize("former", ["mine", "theirs"])
    def test_what_stood_before_ours(self, first: Clone, former: str) -> None:
        text = self.THEIRS if former == "theirs" else "#!/bin/sh\n# mine\n"
        put(first, "pre-commit", text)
        self.behind(first)
        first.gitreg("hooks", "uninstall")
        kept = {} if former == "theirs" else {"pre-commit.legacy": text}
        assert hooks(first) == {"pre-commit": self.THEIRS, **kept}


class TestServer:
    def test_settings_are_made_where_there_are_none(self, own_home: Path, tmp_path: Path) -> None:
        bare = Clone(tmp_path / "s.git")
        subprocess.run(["git", "init", "-q", "--bare", str(bare.folder)], check=True)
        bare.git("config", "receive.fsckObjects", "false")
        bare.gitreg("hooks", "install", "--server", "--proposals")
        assert bare.git("config", "receive.procReceiveRefs").out.strip() == "refs/for"
        assert bare.git("config", "receive.fsckObjects").out.strip() == "false"

    def test_hooks_of_a_clone_do_not_go_into_a_bare_repository(
        self, server: Clone, capsys: pytest.CaptureFixture[str]
    ) -> None:
        server.gitreg("hooks", "install", code=2)
        assert "gitreg hooks install --server" in capsys.readouterr().err
        capsys.readouterr()
        server.gitreg("hooks", "status")
        assert [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
            *SERVER,
            PROPOSALS,
        ]

    def test_without_proposals_there_is_no_proc_receive(self, own_home: Path, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "s.git")], check=True)
        bare = Clone(tmp_path / "s.git")
        bare.gitreg("hooks", "install", "--server")
        assert not (bare.folder / "hooks" / "proc-receive").exists()
        assert bare.git("config", "receive.procReceiveRefs", code=1).out == ""

    def test_another_proc_receive_stays(self, own_home: Path, tmp_path: Path) -> None:
        subprocess.run(["git", "init", "-q", "--bare", str(tmp_path / "s.git")], check=True)
        bare = Clone(tmp_path / "s.git")
        (bare.folder / "hooks" / "proc-receive").write_text("#!/bin/sh\n")
        bare.gitreg("hooks", "install", "--server", "--proposals", code=4)
        assert (bare.folder / "hooks" / "proc-receive").read_text() == "#!/bin/sh\n"
        assert not (bare.folder / "hooks" / "pre-receive").exists()

    def test_proposals_are_for_servers(self, first: Clone) -> None:
        first.gitreg("hooks", "install", "--proposals", code=2)


@pytest.mark.parametrize("name", NAMES)
class TestScripts:
    def test_they_are_plain_shell(self, name: str) -> None:
        assert shipped(name).startswith("#!/bin/sh\n")
        subprocess.run(["sh", "-n"], input=shipped(name), text=True, check=True)

    def test_the_running_gitreg_is_written_in(self, name: str) -> None:
        assert f"gitreg={Path(sys.executable).with_name('gitreg')}\n" in script(name, running())

    def test_without_gitreg_they_say_so_and_fail(self, name: str, tmp_path: Path) -> None:
        text = script(name, running()).replace(
            str(Path(sys.executable).with_name("gitreg")), "/nowhere/gitreg"
        )
        (tmp_path / name).write_text(text)
        done = subprocess.run(
            ["/bin/sh", str(tmp_path / name), "a", "b"], input="", capture_output=True, text=True,
            env={"PATH": "/usr/bin:/bin"}, check=False,
        )  # fmt: skip
        assert done.returncode == 1
        assert f"the hook {name} does not find gitreg; " in done.stderr

    def test_where_its_python_is_gone_the_path_is_searched(self, name: str, tmp_path: Path) -> None:
        """As after an upgrade of Python: the program stands there, and what it runs in does not."""
        (tmp_path / "old").write_text("#!/nowhere/python\n")
        (tmp_path / "old").chmod(0o755)
        (tmp_path / name).write_text(script(name, str(tmp_path / "old")))
        command = ["/bin/sh", str(tmp_path / name), "a"]

        def run(path: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                command, input="lines\n", capture_output=True, text=True, env={"PATH": path}, check=False
            )

        done = run("/usr/bin:/bin")
        assert done.returncode == 1 and f"the hook {name} does not find gitreg; " in done.stderr
        (tmp_path / "gitreg").write_text('#!/bin/sh\necho "$@"; cat\nexit 6\n')
        (tmp_path / "gitreg").chmod(0o755)
        done = run(f"{tmp_path}:/usr/bin:/bin")
        assert (done.returncode, done.stdout) == (6, f"hook {name} a\nlines\n")

    def test_where_it_has_moved_the_path_is_searched(self, name: str, tmp_path: Path) -> None:
        text = script(name, running()).replace(
            str(Path(sys.executable).with_name("gitreg")), "/nowhere/gitreg"
        )
        (tmp_path / name).write_text(text)
        (tmp_path / "gitreg").write_text('#!/bin/sh\necho "$@"; cat\n')
        (tmp_path / "gitreg").chmod(0o755)
        done = subprocess.run(
            ["/bin/sh", str(tmp_path / name), "a b", "c"], input="lines\n", capture_output=True, text=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, check=True,
        )  # fmt: skip
        assert done.stdout == f"hook {name} a b c\nlines\n"
