"""``gitreg init --ci``: in the commit of a new registry, and beside one that is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_read.conftest import Git, Run

PATHS = {
    "github": ".github/workflows/gitreg.yml",
    "gitea": ".gitea/workflows/gitreg.yml",
    "gitlab": ".gitlab-ci.yml",
}
RULES = """\
format: 1
branch: main
stages: [Staging, {name: Production, approvals: {approvers: ["@ml/leads"]}}]
"""


@pytest.mark.parametrize("service", PATHS)
def test_a_new_registry_is_one_commit(service: str, run: Run, git: Git, tmp_path: Path) -> None:
    said = run("init", tmp_path / "r", "--ci", service).out
    assert "GITREG_PACKAGE" in said and "require the check verify" in said
    assert git("rev-list", "--count", "HEAD", at=tmp_path / "r") == "1"
    assert git("status", "--porcelain", at=tmp_path / "r") == ""
    assert (tmp_path / "r" / PATHS[service]).read_text().startswith(f'# Made by "gitreg init --ci {service}"')


def test_a_bare_one(run: Run, git: Git, tmp_path: Path) -> None:
    run("init", "--bare", tmp_path / "r.git", "--branch", "trunk", "--ci", "github")
    text = git("show", f"trunk:{PATHS['github']}", at=tmp_path / "r.git")
    assert 'branches: ["trunk"]' in text and 'BRANCH: "trunk"' in text


def test_a_folder_of_a_larger_repository(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", tmp_path)
    run("init", tmp_path / "ml" / "reg", "--ci", "github")
    text = (tmp_path / PATHS["github"]).read_text()
    assert 'GITREG_REGISTRY: "registry/ml/reg"' in text and 'tags: ["ml/reg/*/Production/*"]' in text
    assert git("status", "--porcelain", at=tmp_path) == ""


def test_another_file_stands_there(run: Run, git: Git, tmp_path: Path) -> None:
    git("init", "-q", tmp_path)
    path = tmp_path / PATHS["github"]
    path.parent.mkdir(parents=True)
    path.write_text("mine\n")
    told = run("init", tmp_path, "--ci", "github", code=4).err
    assert "there is another file already" in told and PATHS["github"] in told
    assert path.read_text() == "mine\n" and not (tmp_path / "gitreg.yaml").exists()


class TestBesideARegistry:
    @pytest.mark.parametrize("service", PATHS)
    def test_it_is_added(self, filled: Path, run: Run, git: Git, service: str) -> None:
        (filled / "gitreg.yaml").write_text(RULES)
        git("commit", "-q", "-a", "-m", "rules")
        head = git("rev-parse", "HEAD")
        assert f"wrote {PATHS[service]}\n" in run("init", "--ci", service).out
        assert git("rev-parse", "HEAD") == head  # to be looked at, and committed by a person
        assert "@ml/leads" in (filled / f".{service}" / "CODEOWNERS").read_text()
        run("codeowners", "--forge", service, "--check")
        again = run("init", "--ci", service, "--json").json
        assert again["written"] == [] and sorted(again["present"]) == sorted(
            [PATHS[service], f".{service}/CODEOWNERS"]
        )

    def test_from_a_folder_in_it(self, filled: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(filled / "models")
        run("init", "--ci", "github")
        assert (filled / PATHS["github"]).exists()

    def test_nothing_of_theirs_is_overwritten(self, filled: Path, run: Run, git: Git) -> None:
        (filled / ".github" / "workflows").mkdir(parents=True)
        (filled / PATHS["github"]).write_text("mine\n")
        (filled / "gitreg.yaml").write_text(RULES)
        git("commit", "-q", "-a", "-m", "rules")
        told = run("init", "--ci", "github", code=4).err
        assert PATHS["github"] in told
        assert (filled / PATHS["github"]).read_text() == "mine\n"
        assert not (filled / ".github" / "CODEOWNERS").exists()

    def test_a_pipeline_of_theirs_can_include_ours(self, filled: Path, run: Run) -> None:
        (filled / ".gitlab-ci.yml").write_text("mine: {script: [make]}\n")
        said = run("init", "--ci", "gitlab").out
        assert "wrote gitreg.gitlab-ci.yml\n" in said
        assert "In .gitlab-ci.yml: include: [{local: gitreg.gitlab-ci.yml}]\n" in said
        assert (filled / ".gitlab-ci.yml").read_text() == "mine: {script: [make]}\n"
        assert run("init", "--ci", "gitlab", "--json").json["include"] == "gitreg.gitlab-ci.yml"

    def test_owners_of_theirs_stay(self, filled: Path, run: Run, git: Git) -> None:
        (filled / "CODEOWNERS").write_text("* @everybody\n")
        (filled / "gitreg.yaml").write_text(RULES)
        git("commit", "-q", "-a", "-m", "rules")
        run("init", "--ci", "gitlab")
        assert (filled / "CODEOWNERS").read_text().startswith("* @everybody\n\n# gitreg begin")

    def test_a_bare_repository_has_no_files(self, filled: Path, run: Run, git: Git, tmp_path: Path) -> None:
        git("clone", "-q", "--bare", filled, tmp_path / "r.git")
        before = git("rev-parse", "main", at=tmp_path / "r.git")
        assert "do it in a clone" in run("init", tmp_path / "r.git", "--ci", "github", code=2).err
        assert git("rev-parse", "main", at=tmp_path / "r.git") == before

    @pytest.mark.parametrize("more", [("--name", "x"), ("--stage", "Dev"), ("--bare",)])
    def test_other_options_are_of_a_new_one(self, filled: Path, run: Run, more: tuple[str, ...]) -> None:
        assert "--ci alone" in run("init", "--ci", "github", *more, code=2).err
        assert not (filled / ".github").exists()
