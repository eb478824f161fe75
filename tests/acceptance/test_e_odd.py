"""E05–E08: repositories that are sound but unusual, each with a defined result."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.standard import CONFLICT, ENVIRONMENT, Site
from tests.acceptance.verbs import every_verb

V1 = "models/fraud/versions/1.yaml"


@pytest.fixture
def partial(bare: Site, tmp_path: Path) -> Site:
    """A clone without any file content, whose origin has gone away."""
    bare.git("config", "uploadpack.allowFilter", "true")
    root = tmp_path / "partial.git"
    url = f"file://{bare.root}"
    subprocess.run(["git", "clone", "-q", "--bare", "--filter=blob:none", url, str(root)], check=True)
    bare.root.rename(tmp_path / "away.git")
    return Site(root=root)


def test_E05_partial_clone_offline(partial: Site) -> None:
    blobs = set(re.findall(r"[0-9a-f]{40}", partial.git("ls-tree", "-r", "HEAD")))
    for args in (
        ["list"],
        ["show", "fraud/1"],
        ["resolve", "fraud/Production"],
        ["check"],
        ["register", "fraud", "s3://b/3"],
        ["transition", "fraud/1", "Staging"],
    ):
        outcome = partial.refuses(*args, code=ENVIRONMENT, says=["partial clone", "git fetch"])
        assert blobs & set(re.findall(r"[0-9a-f]{40}", outcome.err)), outcome


def test_E05_partial_clone_whose_past_is_missing(partial: Site, tmp_path: Path) -> None:
    away = tmp_path / "away.git"
    away.rename(tmp_path / "registry.git")
    root = tmp_path / "work"
    url = f"file://{tmp_path / 'registry.git'}"
    subprocess.run(["git", "clone", "-q", "--filter=blob:none", url, str(root)], check=True)
    (tmp_path / "registry.git").rename(away)
    work = Site(root=root)
    work.does("show", "fraud/2")
    work.does("check")
    past = work.git("rev-parse", f"HEAD~1:{V1.replace('1.yaml', '2.yaml')}").strip()
    work.refuses("show", "fraud/2", "--at", "HEAD~1", code=ENVIRONMENT, says=["partial clone", past])
    work.does("register", "fraud", "s3://b/3")
    assert work.does("resolve", "fraud/3").out == "s3://b/3\n"


def test_E06_branch_checked_out_in_another_work_tree(bare: Site, tmp_path: Path) -> None:
    bare.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    linked = Site(root=tmp_path / "linked")
    before = linked.git("status", "--porcelain")
    bare.refuses("register", "fraud", "s3://b/3", code=CONFLICT, says=[str(linked.root)])
    assert bare.does("list").out == linked.does("list").out
    linked.does("register", "fraud", "s3://b/3")
    assert linked.git("status", "--porcelain") == before == ""
    assert "fraud/v3" in bare.tags() and bare.does("resolve", "fraud/3").out == "s3://b/3\n"


def test_E06_same_branch_in_two_work_trees(site: Site, tmp_path: Path) -> None:
    site.git("worktree", "add", "--quiet", "--force", str(tmp_path / "linked"), "main")
    linked = Site(root=tmp_path / "linked")
    for one, other in ((site, linked), (linked, site)):
        one.refuses("register", "fraud", "s3://b/3", code=CONFLICT, says=[str(other.root)])
        assert other.git("status", "--porcelain") == ""


def test_E06_other_branch_in_a_linked_work_tree(site: Site, tmp_path: Path) -> None:
    site.git("worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "linked"))
    linked = Site(root=tmp_path / "linked")
    tags = site.tags()
    outcome = linked.does("register", "fraud", "s3://b/topic")
    assert "topic" in outcome.err and site.tags() == tags  # tags belong to the registry's own branch
    assert site.run("show", "fraud/3").code == 3
    site.does("register", "fraud", "s3://b/main")
    assert site.does("resolve", "fraud/3").out == "s3://b/main\n"
    for here in (site, linked):
        here.sound()
    linked.file(V1).write_text("broken")
    linked.refuses("update", "fraud/1", "-d", "x", code=CONFLICT, says=[V1])
    site.git("worktree", "remove", "--force", str(linked.root))
    site.does("register", "fraud", "s3://b/4")


@pytest.mark.parametrize("form", ["plain", "bare"])
def test_E07_every_verb_on_SHA256(tmp_path: Path, form: str) -> None:
    root = tmp_path / ("registry" if form == "plain" else "registry.git")
    words = [] if form == "plain" else ["--bare"]
    subprocess.run(
        ["git", "init", "-q", "-b", "main", "--object-format=sha256", *words, str(root)], check=True
    )
    site = Site(root=root)
    site.does("init", *words)
    site.does("register", "fraud", "s3://models/fraud/1")
    site.does("register", "fraud", "s3://models/fraud/2", "--alias", "champion")
    site.does("transition", "fraud/2", "Production")
    for _ in every_verb(site, bare=form == "bare"):
        pass
    assert len(site.git("rev-parse", "HEAD").strip()) == 64
    site.sound()


def test_E08_detached_HEAD(site: Site) -> None:
    site.git("checkout", "--quiet", "--detach", "HEAD~1")
    assert "None" in site.does("show", "fraud/2").out  # before its transition
    for args in (
        ["register", "fraud", "s3://b/3"],
        ["transition", "fraud/1", "Staging"],
        ["delete", "--yes", "fraud/1"],
    ):
        site.refuses(*args, code=CONFLICT, says=["detached", "git switch"])
    site.git("switch", "--quiet", "main")
    site.does("register", "fraud", "s3://b/3")


def test_E08_unborn_branch(site: Site, tmp_path: Path) -> None:
    site.git("checkout", "--quiet", "--orphan", "fresh")  # the files stay, no commit holds them
    for args in (["list"], ["show", "fraud/1"], ["register", "fraud", "s3://b/3"], ["log"]):
        site.refuses(*args, code=ENVIRONMENT, says=["commit"])
    empty = Site(root=tmp_path / "empty")
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(empty.root)], check=True)
    empty.refuses("list", code=ENVIRONMENT, says=["gitreg init"])
    empty.does("init")
    empty.does("register", "fraud", "s3://b/1")
    assert empty.git("symbolic-ref", "HEAD") == "refs/heads/trunk\n"
    empty.sound()


def test_E08_dirty_files_that_the_change_does_not_touch(site: Site) -> None:
    site.file("notes.txt").write_text("mine\n")
    readme = site.file("README.md")
    readme.write_text("edited\n")
    site.file(V1).write_text("half done")
    site.file("staged.txt").write_text("staged\n")
    site.git("add", "staged.txt")
    before = site.git("status", "--porcelain=v2")
    site.does("register", "fraud", "s3://b/3")
    assert site.git("status", "--porcelain=v2") == before
    assert (readme.read_text(), site.file(V1).read_text()) == ("edited\n", "half done")
    assert "staged.txt" not in site.git("show", "--stat", "HEAD")


@pytest.mark.parametrize(
    "how", ["edited", "staged", "deleted", "removed", "untracked", "ignored", "folder", "mode"]
)
def test_E08_dirty_file_in_the_way(site: Site, how: str) -> None:
    file, args = site.file(V1), ["transition", "fraud/1", "Staging"]
    if how in ("untracked", "ignored", "folder"):
        file, args = site.file("models/fraud/versions/3.yaml"), ["register", "fraud", "s3://b/3"]
    if how == "folder":
        file.mkdir()
        (file / "mine").write_text("mine")
    elif how in ("deleted", "removed"):
        file.unlink()
    elif how == "mode":
        file.chmod(0o755)
    else:
        file.write_text(file.read_text() + "# mine\n" if file.exists() else "mine\n")
    if how in ("staged", "removed", "mode"):
        site.git("add", "--all")
    if how == "ignored":
        (site.root / ".git" / "info" / "exclude").write_text("3.yaml\n")
    site.refuses(*args, code=CONFLICT, says=[file.relative_to(site.root).as_posix()])


def _conflict(site: Site) -> None:
    for branch, text in (("topic", "ours"), ("main", "theirs")):
        site.git("switch", "--quiet", *(["-c"] if branch == "topic" else []), branch)
        file = site.file(V1)
        file.write_text(file.read_text() + f"description: {text}\n")
        site.commits_by_hand(text)


@pytest.mark.parametrize("doing", ["merge", "rebase", "cherry-pick", "revert"])
def test_E08_unfinished_operation(site: Site, doing: str) -> None:
    _conflict(site)
    if doing == "revert":
        site.git("tag", "-f", "bad", "HEAD")
        site.file(V1).write_text(site.file(V1).read_text().replace("theirs", "changed"))
        site.commits_by_hand()
        site.git("revert", "--no-edit", "bad", check=False)
    else:
        site.git(doing, "topic", check=False)
    assert "UU" in site.git("status", "--porcelain")
    for args in (["register", "fraud", "s3://b/3"], ["transition", "fraud/2", "Staging"]):
        site.refuses(*args, code=CONFLICT, says=["detached" if doing == "rebase" else doing])
    assert "fraud" in site.does("list").out  # reading the last commit still works
    assert site.run("check").code == 1
    site.git(doing, "--abort")
    site.does("register", "fraud", "s3://b/3")
    site.sound()


@pytest.mark.parametrize("cone", ["--cone", "--no-cone"])
def test_E08_sparse_checkout(site: Site, cone: str) -> None:
    site.does("register", "churn", "s3://b/churn")
    site.git("status")  # Git leaves files alone whose times its index does not know, as those of a copy
    pattern = "models/churn" if cone == "--cone" else "/models/churn/"
    site.git("sparse-checkout", "set", cone, pattern, *([] if cone == "--cone" else ["/gitreg.yaml"]))
    assert not site.file(V1).exists()
    site.does("register", "fraud", "s3://b/3")
    site.does("transition", "fraud/1", "Staging")
    site.does("register", "churn", "s3://b/churn2")
    site.does("check")
    assert not site.file("models/fraud").exists() and site.file("models/churn/versions/2.yaml").exists()
    site.sound()
    site.git("sparse-checkout", "disable")
    assert site.file("models/fraud/versions/3.yaml").exists()
    site.sound()
