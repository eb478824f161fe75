"""Hostile pushes to branches, where no approval is asked for: the manifests are judged all the same."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from tests.githooks.conftest import VERSION, Clone

TWO = VERSION.format(2)


def link(clone: Clone) -> None:
    (clone.folder / TWO).unlink()
    (clone.folder / TWO).symlink_to("1.yaml")


def executable(clone: Clone) -> None:
    (clone.folder / TWO).chmod(0o755)


def submodule(clone: Clone) -> None:
    (clone.folder / TWO).unlink()
    clone.git("rm", "-q", "--cached", TWO)
    clone.git("update-index", "--add", "--cacheinfo", f"160000,{clone.head},{TWO}")


def text(content: str) -> Callable[[Clone], None]:
    return lambda clone: clone.write(TWO, content)


def raw(content: bytes) -> Callable[[Clone], None]:
    def put(clone: Clone) -> None:
        (clone.folder / TWO).write_bytes(content)

    return put


def models_is_a_file(clone: Clone) -> None:
    clone.git("rm", "-rq", "models")
    clone.write("models", "x")


def settings_are_a_folder(clone: Clone) -> None:
    clone.git("rm", "-q", "gitreg.yaml")
    clone.write("gitreg.yaml/file", "x")


def settings_gone(clone: Clone) -> None:
    clone.git("rm", "-q", "gitreg.yaml")


def twin(clone: Clone) -> None:
    clone.write("models/Churn/model.yaml", clone.read("models/churn/model.yaml").replace("churn", "Churn"))


def number_used_again(clone: Clone) -> None:
    clone.gitreg("delete", "churn/2", "--yes")
    clone.gitreg("register", "churn", "s3://x")
    clone.edit("models/churn/versions/3.yaml", "version: 3", "version: 2")
    (clone.folder / "models/churn/versions/3.yaml").rename(clone.folder / TWO)


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"

CASES: dict[str, tuple[Callable[[Clone], None], str]] = {
    "B02 alias bomb": (text(BOMB), "GR00"),
    "B03 brackets": (text("[" * 100_000), "GR00"),
    "B04 tag": (text("a: !!python/object/apply:os.system [id]\n"), "GR00"),
    "B10 two documents": (text("version: 2\n---\nversion: 2\n"), "GR00"),
    "B11 conflict": (text("<<<<<<< ours\nversion: 2\n=======\nversion: 3\n>>>>>>> theirs\n"), "GR004"),
    "B12 UTF-16": (raw("version: 2\n".encode("utf-16")), "GR001"),
    "B14 size": (text("# " + "x" * 11_000_000), "GR002"),
    "B15 empty": (text(""), "GR0"),
    "B16 link": (link, "GR107"),
    "B16 executable": (executable, "GR107"),
    "B16 submodule": (submodule, "GR107"),
    "B17 number": (lambda clone: clone.edit(TWO, "version: 2", "version: 8"), "GR016"),
    "B18 unknown field": (lambda clone: clone.edit(TWO, "source:", "sourze:"), "GR0"),
    "A06 twin": (twin, "GR101"),
    "models is a file": (models_is_a_file, "GR10"),
    "settings are a folder": (settings_are_a_folder, "GR103"),
    "settings gone": (settings_gone, "GR103"),
    "stray": (lambda clone: clone.write("models/churn/versions/02.yaml", "x"), "GR102"),
    "a number used again": (number_used_again, "GR104"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_and_nothing_moves(alice: Clone, server: Clone, case: str) -> None:
    spoil, code = CASES[case]
    before = server.git("for-each-ref").out
    alice.git("switch", "-q", "-c", "topic")
    spoil(alice)
    if case != "B16 submodule":
        alice.git("add", "-A")
    alice.git("commit", "-q", "-m", "hostile", "--no-verify", code=None)
    begun = time.monotonic()
    said = alice.refused("topic")
    assert f"error[{code}" in said, said
    assert "Traceback" not in said
    assert time.monotonic() - begun < 20
    assert server.git("for-each-ref").out == before


def test_a_tag_that_is_no_tag_object_of_a_commit(alice: Clone, server: Clone) -> None:
    server.git("tag", "-d", "churn/v1")
    blob = alice.git("hash-object", "-w", "gitreg.yaml").out.strip()
    made = subprocess.run(
        ["git", "mktag"], cwd=alice.folder, capture_output=True, text=True, check=True,
        input=f"object {blob}\ntype blob\ntag churn/v1\ntagger A <a@e> 1 +0000\n\nx\n",
    )  # fmt: skip
    alice.git("update-ref", "refs/tags/churn/v1", made.stdout.strip())
    assert "error[GR303]" in alice.refused("+refs/tags/churn/v1")
    alice.git("update-ref", "refs/tags/churn/v1", blob)
    assert "error[GR306]" in alice.refused("+refs/tags/churn/v1")


def test_a_pushed_ref_that_steers_the_terminal(alice: Clone) -> None:
    alice.edit(TWO, "version: 2", "version: 8")
    alice.commit()
    alice.git("update-ref", "refs/heads/a\u202eb", "HEAD")
    said = alice.push("refs/heads/a\u202eb", code=1)
    assert "gitreg: refs/heads/a\\u202eb is refused" in said.err
