"""The folder of a site: what is refused, what is left alone, and what a killed run leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.errors import Conflict, EnvironmentFailure
from gitreg.registry.open import open_registry
from gitreg.web.site import workers
from tests.web.site.building import build, gitreg
from tests.web.site.checking import files

MANIFEST = ".gitreg-site.json"


@pytest.fixture
def filled(place: Path) -> Path:
    """A registry with two models."""
    with open_registry(place) as registry:
        registry.register("churn", "s3://b/1", metrics={"auc": 0.9})
        registry.register("fraud", "s3://b/2")
    return place


def test_a_folder_of_others_is_refused(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    out.mkdir()
    (out / "notes.txt").write_text("mine")
    done = gitreg("site", str(out), cwd=filled)
    assert done.returncode == 4
    assert "holds other things" in done.stderr
    assert "--force" in done.stderr
    assert files(out) == {"notes.txt": b"mine"}
    assert gitreg("site", str(out), "--force", cwd=filled).returncode == 0
    assert (out / "notes.txt").read_text() == "mine"


def test_what_others_put_there_stays(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(filled, out)
    (out / "models/fraud/notes.txt").write_text("mine")
    (out / "CNAME").write_text("models.example.com")
    with open_registry(filled) as registry:
        registry.delete("fraud")
    build(filled, out, models=("churn",))
    assert (out / "models/fraud/notes.txt").read_text() == "mine"
    assert (out / "CNAME").exists()
    assert not (out / "models/fraud/index.html").exists()
    assert not (out / "commits").exists()


@pytest.mark.parametrize("folder", ["", "models", "models/churn", ".git", ".git/gitreg/site"])
def test_the_registry_itself_is_refused(filled: Path, folder: str) -> None:
    for forced in (False, True):
        with pytest.raises(Conflict):
            build(filled, filled / folder, forced=forced)


def test_a_file_is_refused(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("mine")
    with pytest.raises(Conflict, match="this is a file"):
        build(filled, tmp_path / "site")


@pytest.mark.parametrize("link", ["models", "models/churn", "data", "static"])
def test_no_link_is_followed(filled: Path, tmp_path: Path, link: str) -> None:
    out, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "index.html").write_text("mine")
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(elsewhere)
    with pytest.raises(Conflict, match="something else lies"):
        build(filled, out, forced=True)
    assert files(elsewhere) == {"index.html": b"mine"}


def test_a_file_that_became_a_link_is_replaced_and_not_followed(filled: Path, tmp_path: Path) -> None:
    out, target = tmp_path / "site", tmp_path / "target"
    build(filled, out)
    before = files(out)
    target.write_text("mine")
    for path in ("index.html", "models/churn/1/index.html"):
        (out / path).unlink()
        (out / path).symlink_to(target)
    build(filled, out, anew=True)
    assert target.read_text() == "mine"
    assert files(out) == before
    assert not (out / "index.html").is_symlink()


def test_a_folder_behind_a_link_is_not_emptied(filled: Path, tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    build(filled, out)
    (out / "models/fraud").rename(elsewhere)
    (out / "models/fraud").symlink_to(elsewhere)
    before = files(elsewhere)
    build(filled, out, models=("churn",))
    assert files(elsewhere) == before


@pytest.mark.parametrize(
    "path", ["../victim", "/victim", "a/../../victim", "models//x", "./x", "a\n../victim", "x/"]
)
def test_a_manifest_that_names_files_outside_is_refused(filled: Path, tmp_path: Path, path: str) -> None:
    out = tmp_path / "site"
    build(filled, out)
    (tmp_path / "victim").write_text("mine")
    told = (out / MANIFEST).read_text()
    for where in ('"files": {', '"churn": {'):
        assert where in told
        (out / MANIFEST).write_text(told.replace(where, f'{where}{json.dumps(path)}: "0", '))
        with pytest.raises(Conflict, match="no manifest"):
            build(filled, out, title=where)
    assert (tmp_path / "victim").read_text() == "mine"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"site": 1}', '{"site": 1, "commit": 3}', "\udcff"])
def test_a_manifest_that_is_none_is_refused(filled: Path, tmp_path: Path, text: str) -> None:
    out = tmp_path / "site"
    build(filled, out)
    (out / MANIFEST).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(Conflict, match="no manifest"):
        build(filled, out)


def test_two_runs_at_once(filled: Path, tmp_path: Path) -> None:
    import fcntl

    out = tmp_path / "site"
    build(filled, out)
    handle = os.open(out, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        with pytest.raises(Conflict, match="another gitreg"):
            build(filled, out)
    finally:
        os.close(handle)


def test_no_change_writes_nothing(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(filled, out)
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*.html")}
    built = build(filled, out)
    assert (built.wrote, built.removed, built.remade) == (0, 0, 0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*.html")} == times


def test_a_page_that_somebody_removed_comes_back(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(filled, out)
    before = files(out)
    (out / "index.html").unlink()
    (out / "models/churn/index.html").write_text("changed")
    build(filled, out, anew=True)
    assert files(out) == before


def test_other_options_make_all_anew(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    build(filled, out)
    assert build(filled, out).since is not None
    assert build(filled, out, title="Ours").since is None
    assert "Ours" in (out / "models/churn/1/index.html").read_text()
    told = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(told.replace('"gitreg": "', '"gitreg": "0.0.'))
    assert build(filled, out, title="Ours").since is None


_KILLED = """
import os, signal, sys
from pathlib import Path
from gitreg.web.site import folder
from tests.web.site.building import build
left = [int(sys.argv[3])]
real = os.replace
def replace(source, target):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
os.replace = replace
build(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def killed(place: Path, out: Path, after: int) -> bool:
    """Whether a run was killed after it had written so many files."""
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, place, out, str(after)], cwd=Path(__file__).parents[3], check=False
    )
    assert done.returncode in (0, -signal.SIGKILL)
    return done.returncode != 0


@pytest.mark.parametrize("after", [0, 1, 2, 9, 25])
def test_a_killed_run_is_never_current(
    filled: Path, tmp_path: Path, after: int, own_home: Callable[..., object]
) -> None:
    out = tmp_path / "site"
    assert killed(filled, out, after)
    if (out / MANIFEST).exists():
        assert json.loads((out / MANIFEST).read_text())["commit"] == ""
    with open_registry(filled) as registry:  # what the killed run wrote of it is not wanted any more
        registry.rename("fraud", "theft")
    build(filled, out)
    build(filled, tmp_path / "whole")
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.parametrize("after", [1, 3, 12])
def test_a_killed_renewal(filled: Path, tmp_path: Path, after: int) -> None:
    out = tmp_path / "site"
    build(filled, out)
    with open_registry(filled) as registry:
        registry.register("churn", "s3://b/3")
        registry.register("new", "s3://b/4")
    assert killed(filled, out, after)
    assert json.loads((out / MANIFEST).read_text())["commit"] == ""
    with open_registry(filled) as registry:
        registry.delete("new")
        registry.rename("fraud", "theft")
    assert build(filled, out).since is None
    build(filled, tmp_path / "whole")
    assert files(out) == files(tmp_path / "whole")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_can_not_be_written(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    with pytest.raises(EnvironmentFailure, match="can't write"):
        build(filled, tmp_path / "closed" / "site")


def test_bad_addresses(filled: Path, tmp_path: Path) -> None:
    for address in ("models.example.com", "javascript:x", "https://", "https://[", "https://x/?q"):
        done = gitreg("site", str(tmp_path / "site"), "--base-url", address, cwd=filled)
        assert (done.returncode, "no address of a site" in done.stderr) == (3, True), done.stderr


def test_the_summary(filled: Path, tmp_path: Path) -> None:
    out = tmp_path / "site"
    done = gitreg("site", str(out), "--json", cwd=filled)
    told = json.loads(done.stdout)
    assert told["files"] == len(files(out))
    assert (told["models"], told["since"], told["removed"]) == (2, None, 0)
    again = json.loads(gitreg("site", str(out), "--json", cwd=filled).stdout)
    assert (again["since"], again["written"], again["remade"]) == (told["commit"], 0, 0)


def dies(task: object) -> None:
    """What a process that is killed looks like from outside."""
    os._exit(3)


def test_a_process_that_dies(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_registry(filled) as registry, registry.batch("Many"):
        for number in range(30):
            registry.register(f"model-{number}", "s3://b/1")
    with monkeypatch.context() as patch:
        patch.setattr(workers, "_begin", dies)
        with pytest.raises(EnvironmentFailure, match="ended before its work was done"):
            build(filled, tmp_path / "site", jobs=2)
    assert json.loads((tmp_path / "site" / MANIFEST).read_text())["commit"] == ""
    build(filled, tmp_path / "site", jobs=2)
    build(filled, tmp_path / "whole")
    assert files(tmp_path / "site") == files(tmp_path / "whole")
