"""``gitreg reconcile`` on what plain Git merged, with a remote that makes no tags by itself, and one that does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitreg.cli import app
from tests.cli.conftest import Run

BRANCH = "gitreg/promote/churn/2/Production"


@dataclass(frozen=True)
class Place:
    """A clone, the registry in it, the bare repository that it follows, and what tags begin with."""

    work: Path
    registry: Path
    remote: Path
    prefix: str

    def git(self, *args: str, code: int = 0, at: Path | None = None) -> str:
        argv = ["git", *args]
        done = subprocess.run(argv, cwd=at or self.work, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        return done.stdout.strip()

    def gitreg(self, *args: str) -> None:
        assert app.run(["--registry", str(self.registry), *args]) == 0

    def there(self) -> dict[str, str]:
        """The tags of the remote, with what they hold."""
        said = self.git(
            "for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/tags", at=self.remote
        )
        return dict(line.split() for line in said.splitlines())

    def here(self) -> dict[str, str]:
        said = self.git("for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/tags")
        return dict(line.split() for line in said.splitlines())

    def tag(self, name: str) -> str:
        return f"{self.prefix}{name}"


KINDS = {
    "plain": ([], "", ""),
    "sha256": (["--object-format=sha256"], "", ""),
    "folder": ([], "ml/registry", "ml/registry/"),
    "prefix": ([], "", "models/"),
}


def build(tmp_path: Path, kind: str) -> Place:
    """churn/1 in Production, churn/2 proposed for it on a branch; main has gone on since."""
    options, folder, prefix = KINDS[kind]
    work, remote = tmp_path / "work", tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", *options, str(work)], check=True)
    subprocess.run(["git", "init", "-q", "--bare", *options, str(remote)], check=True)
    place = Place(work, work / folder, remote, prefix)
    named = ["--tag-prefix", prefix] if kind == "prefix" else []
    assert app.run(["init", str(place.registry), *named]) == 0
    for version in ("1", "2"):
        place.gitreg("register", "churn", f"s3://models/churn/{version}")
    place.gitreg("transition", "churn/1", "Production")
    place.git("remote", "add", "origin", str(remote))
    place.git("push", "-q", "-u", "origin", "main", "--tags")
    place.git("switch", "-q", "-c", BRANCH)
    place.gitreg("transition", "churn/2", "Production", "--archive-existing")
    place.git("switch", "-q", "main")
    place.gitreg("tag", "churn", "team=growth")
    return place


def merge(place: Place) -> None:
    place.git("merge", "-q", "--no-ff", "-m", "Merge", BRANCH)


def squash(place: Place) -> None:
    place.git("merge", "-q", "--squash", BRANCH)
    place.git("commit", "-q", "-m", "Promote (#1)")


def rebase(place: Place) -> None:
    place.git("cherry-pick", BRANCH)


def merged(place: Place, way: Callable[[Place], None] = merge) -> str:
    way(place)
    place.git("push", "-q", "origin", "main")
    return place.git("rev-parse", "main")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return build(tmp_path, "plain")


@pytest.mark.parametrize("way", [merge, squash, rebase])
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_merged_gets_its_tags(
    kind: str, way: Callable[[Place], None], tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = build(tmp_path, kind)
    head = merged(place, way)
    monkeypatch.chdir(place.registry)
    before = place.there()
    said = run("reconcile").out
    name = place.tag("churn/Production/2")
    assert f"made: {name}\n" in said and "pushed 2 tags to origin" in said  # Archived/1, too
    assert place.git("rev-parse", f"{name}^{{commit}}") == head
    assert (
        place.here()
        == place.there()
        == {**before, **{tag: place.here()[tag] for tag in (name, place.tag("churn/Archived/1"))}}
    )
    assert run("reconcile").out == run("reconcile", "--check").out == "nothing to do\n"
    # Another clone, as a job of CI has it: detached, and nothing but what it fetched.
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "-q", str(place.remote), str(other)], check=True)
    place.git("checkout", "-q", "--detach", at=other)
    place.git("branch", "-q", "-D", "main", at=other)
    folder = str(other / place.registry.relative_to(place.work))
    assert run("reconcile", "--registry", folder).out == "nothing to do\n"


def test_it_is_told_before_it_is_done(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(place)
    monkeypatch.chdir(place.work)
    refs = place.here(), place.there()
    told = run("reconcile", "--dry-run").out
    assert "would be made: churn/Production/2\n" in told and "would push 2 tags to origin\n" in told
    assert run("reconcile", "--check", code=1).out == told
    assert (place.here(), place.there()) == refs


def test_json(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    head = merged(place)
    monkeypatch.chdir(place.work)
    found = run("reconcile", "--json").json
    names = ["churn/Archived/1", "churn/Production/2"]
    assert found == {
        "branch": "main",
        "ref": "refs/remotes/origin/main",
        "commit": head,
        "dry_run": False,
        "made": names,
        "taken": [],
        "remote": "origin",
        "pushed": names,
        "findings": [],
    }


def test_without_push(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(place)
    monkeypatch.chdir(place.work)
    before = place.there()
    assert "pushed" not in run("reconcile", "--no-push").out
    assert place.there() == before and "churn/Production/2" in place.here()
    assert run("reconcile").out == "pushed 2 tags to origin\n"  # made before, lacking there


def test_what_was_merged_on_the_service_is_fetched(place: Place, tmp_path: Path, run: Run) -> None:
    mine = tmp_path / "mine"
    subprocess.run(["git", "clone", "-q", str(place.remote), str(mine)], check=True)
    head = merged(place)
    run("reconcile", "--registry", str(mine))
    assert place.git("rev-parse", "churn/Production/2^{commit}", at=mine) == head
    assert "churn/Production/2" in place.there()


def test_what_is_not_pushed_yet_gets_no_tags(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merge(place)  # a rebase may still replace it
    monkeypatch.chdir(place.work)
    assert run("reconcile").out == "nothing to do\n"


def test_a_repository_that_follows_none(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    place.git("branch", "--unset-upstream", "main")
    merge(place)
    monkeypatch.chdir(place.work)
    assert "follows no branch of a remote" in run("reconcile", "--push", code=2).err
    assert run("reconcile").out == "made: churn/Archived/1\nmade: churn/Production/2\n"
    assert "churn/Production/2" not in place.there()


def test_the_bare_repository_itself(place: Place, run: Run) -> None:
    head = merged(place)
    run("reconcile", "--registry", str(place.remote))
    assert place.git("rev-parse", "churn/Production/2^{commit}", at=place.remote) == head


class TestTagsThatAreThereAlready:
    def test_the_server_made_them(self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        merged(place)
        run("reconcile", "--registry", str(place.remote))
        before = place.there()
        monkeypatch.chdir(place.work)
        assert "taken from origin: churn/Production/2\n" in run("reconcile").out
        assert place.here() == before == place.there()

    def test_it_makes_them_during_the_push(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its pre-receive hook makes the tag that is being pushed: as if another job were a moment faster."""
        merged(place)
        hook = place.remote / "hooks" / "pre-receive"
        hook.write_text(
            "#!/bin/sh\nwhile read old new ref; do\n"
            "  test -e made || env -u GIT_QUARANTINE_PATH git update-ref --no-deref $ref "
            f"$(git --git-dir={place.work}/.git rev-parse $ref) 2>err; done; touch made\nexit 0\n"
        )
        hook.chmod(0o755)
        alternates = place.remote / "objects" / "info" / "alternates"
        alternates.write_text(f"{place.work}/.git/objects\n")
        monkeypatch.chdir(place.work)
        found = run("reconcile", "--json").json
        assert found["made"] == ["churn/Archived/1", "churn/Production/2"] and found["pushed"] == []
        assert place.here() == place.there()

    def test_they_are_signed_by_another(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        merged(place)
        run("reconcile", "--registry", str(place.remote))
        sign(place, "churn/Production/2", tmp_path)
        signed = place.there()["churn/Production/2"]
        monkeypatch.chdir(place.work)
        run("reconcile")
        assert (
            place.here()["churn/Production/2"] == signed
        )  # theirs counts: a later fetch clashes with nothing
        place.git("tag", "-d", "churn/Production/2")
        run("reconcile", "--no-push")
        assert place.here()["churn/Production/2"] != signed
        assert run("reconcile").out == "nothing to do\n"  # both say the same


def sign(place: Place, name: str, tmp_path: Path) -> None:
    """Replace a tag of the remote by the same with a signature."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "key")], check=True)
    data = subprocess.run(
        ["git", "cat-file", "tag", name], cwd=place.remote, capture_output=True, check=True
    ).stdout
    command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "git", "-f", str(tmp_path / "key")]
    signature = subprocess.run(command, input=data, capture_output=True, check=True).stdout
    write = ["git", "hash-object", "-t", "tag", "-w", "--stdin"]
    made = subprocess.run(write, input=data + signature, cwd=place.remote, capture_output=True, check=True)
    place.git("update-ref", f"refs/tags/{name}", made.stdout.decode().strip(), at=place.remote)


class TestDrift:
    def test_a_tag_was_moved(self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        merged(place)
        monkeypatch.chdir(place.work)
        run("reconcile")
        place.git("tag", "-f", "-a", "-m", "x", "churn/Production/2", "main~1")
        moved = place.here()
        told = run("reconcile", code=6)
        assert "error[GR303]: the tag churn/Production/2" in told.out
        assert "git tag -d churn/Production/2; gitreg reconcile" in told.out
        assert place.here() == moved  # told, and never moved

    def test_a_tag_names_what_never_was(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(place.work)
        place.git("tag", "-a", "-m", "x", "churn/v9")
        place.git("tag", "v1.0")  # of another kind
        found = run("reconcile", "--json", code=6).json
        assert [(each["code"], each["path"]) for each in found["findings"]] == [("GR305", "churn/v9")]

    def test_a_tag_of_the_remote_was_moved(
        self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        merged(place)
        monkeypatch.chdir(place.work)
        run("reconcile")
        place.git("tag", "-f", "-a", "-m", "x", "churn/Production/2", "main~1", at=place.remote)
        there = place.there()
        told = run("reconcile", code=6).out
        assert "error[GR303]: on origin: the tag churn/Production/2" in told
        assert "git push origin :refs/tags/churn/Production/2; gitreg reconcile" in told
        assert place.there() == there

    def test_it_does_not_come_in(self, place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        head = merged(place)
        place.git("tag", "-a", "-m", "x", "churn/Production/2", "main~1", at=place.remote)
        monkeypatch.chdir(place.work)
        assert "on origin: the tag churn/Production/2" in run("reconcile", code=6).out
        assert place.git("rev-parse", "churn/Production/2^{commit}") == head


def test_a_shallow_clone_cannot_tell(place: Place, tmp_path: Path, run: Run) -> None:
    merged(place)
    shallow = tmp_path / "shallow"
    subprocess.run(["git", "clone", "-q", "--depth=1", f"file://{place.remote}", str(shallow)], check=True)
    for more in ([], ["--check"], ["--no-push"]):
        told = run("reconcile", "--registry", str(shallow), *more, code=7).err
        assert "shallow" in told and "git fetch --unshallow" in told


def test_the_server_refuses(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(place)
    hook = place.remote / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho tags are for the release team >&2\nexit 1\n")
    hook.chmod(0o755)
    monkeypatch.chdir(place.work)
    before = place.there()
    told = json.loads(run("reconcile", "--json", code=5).err)["error"]
    assert "tags are for the release team" in told["message"]
    assert place.there() == before


def test_one_of_several_is_refused(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(place)
    hook = place.remote / "hooks" / "update"
    hook.write_text('#!/bin/sh\ncase "$1" in */Production/*) exit 1;; esac\n')
    hook.chmod(0o755)
    monkeypatch.chdir(place.work)
    told = run("reconcile", code=5).err
    assert "hook declined to update refs/tags/churn/Production/2" in told
    assert "churn/Archived/1" in place.there()
    hook.unlink()
    assert run("reconcile").out == "pushed 1 tag to origin\n"


def test_the_remote_is_gone(place: Place, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    merged(place)
    os.rename(place.remote, place.remote.with_name("gone"))
    monkeypatch.chdir(place.work)
    before = place.here()
    run("reconcile", code=7)
    assert place.here() == before
