"""Whatever happens to the index's files: the next read answers right, and nothing else has changed."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gitreg.cli import app
from gitreg.index.schema import FORMAT
from gitreg.registry.open import open_registry
from gitreg.registry.registry import Registry
from tests.index import proof
from tests.index.histories import OPENING
from tests.index.reference import Reference
from tests.index.steps import Ask, Back, Register, Write
from tests.index.world import Step, World, template

STEPS: tuple[Step, ...] = (
    *OPENING,
    Ask("rename", 1, 1, 2),
    Write(0, 1, ("Staging", "Archived")),
    Ask("delete", 0, 2),
    Back("revert"),
    Register(3),
)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A registry with an index that is up to date; only copies of it are hurt."""
    with pytest.MonkeyPatch.context() as patch:
        for role in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{role}_NAME", "Ada Lovelace")
            patch.setenv(f"GIT_{role}_EMAIL", "ada@example.com")
        place = tmp_path_factory.mktemp("origin") / "registry"
        template(place)
        world = World(place)
        world.play(STEPS)
        world.registry.store.index.slice()
        world.registry.close()
        yield place


@pytest.fixture
def place(origin: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(origin, tmp_path / "registry", symlinks=True))


def folder(place: Path) -> Path:
    """Where the index of the registry at ``place`` lies."""
    return place / ".git" / "gitreg" / "index"


def files(place: Path) -> list[Path]:
    return sorted(path for path in folder(place).iterdir() if path.name != "lock")


def base(place: Path) -> Path:
    """The database itself."""
    (found,) = folder(place).glob("*.db")
    return found


def outside(place: Path) -> dict[str, bytes]:
    """Every file of the repository but the index."""
    return {
        str(path): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file() and not path.is_relative_to(folder(place))
    }


def right(place: Path, *, registry: Registry | None = None) -> None:
    """All that is answered is right, twice: by whoever finds the damage, and by the next one."""
    before = outside(place)
    reference = Reference(place)
    if registry is not None:
        proof.check(registry, reference)
    for _ in range(2):
        with open_registry(place) as opened:
            proof.check(opened, reference)
    assert verify(place) == 0
    assert outside(place) == before


def verify(place: Path) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITREG_REGISTRY", str(place))
        return app.run(["index", "--verify"])


def rewrite(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


Damage = Callable[[Path], None]


def _garbage(place: Path) -> None:
    base(place).write_bytes(random.Random(1).randbytes(base(place).stat().st_size))


def _folder_for_base(place: Path) -> None:
    base(place).unlink()
    (folder(place) / "x.db").mkdir()
    (folder(place) / "current").write_text("x.db\n")


def _folder_for_pointer(place: Path) -> None:
    (folder(place) / "current").unlink()
    (folder(place) / "current").mkdir()


def _file_for_folder(place: Path) -> None:
    shutil.rmtree(folder(place))
    folder(place).write_text("not a folder\n")


def _sql(*statements: str) -> Damage:
    def damage(place: Path) -> None:
        with closing(sqlite3.connect(base(place))) as db, db:
            for statement in statements:
                db.execute(statement)

    return damage


def _truncated(share: float, less: int = 0) -> Damage:
    def damage(place: Path) -> None:
        os.truncate(base(place), int(base(place).stat().st_size * share) - less)

    return damage


def _headers(place: Path, chance: random.Random) -> None:
    """Random bytes over the header of some of the pages."""
    path = base(place)
    size = int.from_bytes(path.read_bytes()[16:18], "big")
    pages = path.stat().st_size // size
    for page in chance.sample(range(1, pages), k=max(1, pages // 3)):
        rewrite(path, page * size, chance.randbytes(12))


DAMAGE: dict[str, Damage] = {
    "deleted": lambda place: shutil.rmtree(folder(place)),
    "all of it deleted": lambda place: shutil.rmtree(folder(place).parent),
    "pointer deleted": lambda place: (folder(place) / "current").unlink(),
    "file deleted": lambda place: base(place).unlink(),
    "pointer empty": lambda place: (folder(place) / "current").write_bytes(b""),
    "pointer to nothing": lambda place: (folder(place) / "current").write_bytes(b"none.db\n"),
    "pointer outside": lambda place: (folder(place) / "current").write_bytes(b"../../config\n"),
    "pointer garbage": lambda place: (folder(place) / "current").write_bytes(b"\xff\0\x1b.db"),
    "pointer a folder": _folder_for_pointer,
    "a folder in its place": _folder_for_base,
    "a file for the folder": _file_for_folder,
    "garbage": _garbage,
    "empty": _truncated(0),
    "half": _truncated(0.5),
    "one byte less": _truncated(1, 1),
    "one page less": _truncated(1, 4096),
    "first page alone": lambda place: os.truncate(base(place), 4096),
    "header alone": lambda place: os.truncate(base(place), 100),
    "magic": lambda place: rewrite(base(place), 0, b"SQLite format 4\0"),
    "newer file format": lambda place: rewrite(base(place), 18, b"\x09\x09"),
    "schema page": lambda place: rewrite(base(place), 100, b"\xff" * 32),
    "journal of another": lambda place: base(place).with_suffix(".db-wal").write_bytes(b"\x37\x7f" * 4000),
    "older format": _sql(f"UPDATE meta SET value = {FORMAT - 1} WHERE key = 'format'"),
    "newer format": _sql(
        f"UPDATE meta SET value = {FORMAT + 1} WHERE key = 'format'", "ALTER TABLE chain RENAME TO links"
    ),
    "no format": _sql("DELETE FROM meta WHERE key = 'format'"),
    "no stand": _sql("DELETE FROM meta WHERE key = 'stand'"),
    "odd stand": _sql("UPDATE meta SET value = 'x y z' WHERE key = 'stand'"),
    "no tables": _sql("DROP TABLE version"),
    "another database": _sql(
        *(f"DROP TABLE {t}" for t in ("meta", "chain", "event")), "CREATE TABLE mine (x)"
    ),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_index_is_made_anew(place: Path, how: str) -> None:
    DAMAGE[how](place)
    right(place)


@pytest.mark.parametrize("seed", range(int(os.environ.get("GITREG_DAMAGES", "6"))))
def test_random_bytes_in_page_headers(place: Path, seed: int) -> None:
    _headers(place, random.Random(seed))
    right(place)


@pytest.mark.parametrize("how", ["deleted", "file deleted", "garbage", "half", "newer format", "schema page"])
def test_an_index_that_is_damaged_while_it_is_open(place: Path, how: str) -> None:
    world = World(place)
    with world.registry as registry:
        assert registry.store.index.slice().commit == world.git("rev-parse", "HEAD")
        DAMAGE[how](place)
        right(place, registry=registry)
        world.git("commit", "--allow-empty", "-qm", "On it goes")
        right(place, registry=registry)


@pytest.mark.parametrize("again", ["behind", "rewritten"])
def test_an_old_copy_that_is_put_back(place: Path, tmp_path: Path, again: str) -> None:
    world = World(place)
    with world.registry as registry:
        shutil.copytree(folder(place), tmp_path / "old")
        world.play([Register(0), Ask("rename", 0, 1, 5), Back("reset", 5 if again == "rewritten" else 1)])
        world.play([Register(2), Register(2), Ask("transition", 0, 1, 1)])
        proof.check(registry, Reference(place))
    shutil.rmtree(folder(place))
    shutil.move(tmp_path / "old", folder(place))
    right(place)


def test_an_old_copy_that_is_put_back_under_a_reader(place: Path, tmp_path: Path) -> None:
    world = World(place)
    with world.registry as registry, open_registry(place) as reader:
        shutil.copytree(folder(place), tmp_path / "old")
        world.play([Register(0), Back("reset", 3), Register(2)])
        proof.check(registry, Reference(place))
        proof.check(reader, Reference(place))
        shutil.rmtree(folder(place))
        shutil.move(tmp_path / "old", folder(place))
        right(place, registry=reader)
        world.do(Register(0))
        right(place, registry=reader)


def test_the_index_of_another_repository(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "registry"
    template(other)
    world = World(other)
    world.play([Register(0), Register(0), Register(0), Register(5)])
    world.registry.store.index.slice()
    world.registry.close()
    shutil.rmtree(folder(place))
    shutil.copytree(folder(other), folder(place))
    right(place)


def test_the_index_of_another_folder_of_the_same_repository(tmp_path: Path) -> None:
    place = tmp_path / "registry"
    template(place, prefix="one/")
    first = World(place, "one/")
    shutil.copytree(place / "one", place / "two")
    first.commit("A second registry")
    second = World(place, "two/")
    first.play([Register(0), Register(1)])
    second.play([Register(2)])
    with first.registry as one, second.registry as two:
        proof.check(one, Reference(place, "one/"))
        proof.check(two, Reference(place, "two/"))
        paths = [registry.store.index.folder.path for registry in (one, two)]
    assert paths[0] != paths[1]
    shutil.rmtree(paths[1])
    shutil.copytree(paths[0], paths[1])
    with second.opened() as two:
        proof.check(two, Reference(place, "two/"))


def test_branches_in_linked_work_trees_share_an_index(place: Path, tmp_path: Path) -> None:
    world = World(place)
    world.git("worktree", "add", "-q", "-b", "topic", str(tmp_path / "linked"), "HEAD~2")
    other = World(tmp_path / "linked")
    with world.registry as here, other.registry as there:
        for number in range(3):
            other.do(Register(number))
            world.do(Register(number + 1))
            proof.check(here, Reference(place))
            proof.check(there, Reference(tmp_path / "linked"))


TAMPERED = {
    "chain": "UPDATE chain SET author = 'Mallory' WHERE seq = 3",
    "settings": "DELETE FROM settings",
    "model": "UPDATE model SET doc = replace(doc, 'churn', 'fraud')",
    "model_tag": "INSERT INTO model_tag VALUES (1, 'k', 'v')",
    "alias": "UPDATE alias SET number = number + 1",
    "version": "DELETE FROM version WHERE row = 2",
    "attribute": "UPDATE attribute SET value = 0.99 WHERE kind = 'metric' AND key = 'auc'",
    "holding": "UPDATE holding SET until = until - 1 WHERE until < 100",
    "event": "UPDATE event SET event = 'delete' WHERE seq = 4 AND place = 0",
    "unread": "INSERT INTO unread VALUES (2, 'models/x/model.yaml')",
}


@pytest.mark.parametrize("table", TAMPERED)
def test_verify_finds_what_was_tampered_with(
    place: Path, table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(base(place))) as db, db:
        assert db.execute(TAMPERED[table]).rowcount > 0
    assert verify(place) == 1
    assert table in capsys.readouterr().out
    assert verify(place) == 0
    right(place)


def _namespaces() -> bool:
    return subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode == 0


# Root may write where the mode forbids it: only a mount that is read-only keeps it out.
@pytest.mark.skipif(not _namespaces(), reason="needs root and mount namespaces of Linux")
@pytest.mark.parametrize("state", ["current", "stale", "none"])
def test_an_index_folder_that_can_not_be_written_to(place: Path, state: str) -> None:
    world = World(place)
    world.registry.close()
    if state == "stale":
        world.git("commit", "--allow-empty", "-qm", "The index does not know of it")
        world.do(Write(0, 2, ("Production",)))
    elif state == "none":
        shutil.rmtree(folder(place))
        folder(place).mkdir()
    before = {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    script = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", script, "sh", str(folder(place)), sys.executable, "-c", _READ]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([*command, str(place)], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {str(path): path.read_bytes() for path in place.rglob("*") if path.is_file()} == before
    right(place)


_READ = """
import sys
from pathlib import Path
from gitreg.registry.open import open_registry
from tests.index import proof
from tests.index.reference import Reference
place = Path(sys.argv[1])
with open_registry(place) as registry:
    proof.check(registry, Reference(place))
"""
