"""``gitreg codeowners`` on a real registry: printed, written, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli_read.conftest import Git, Run

RULES = """\
format: 1
branch: main
stages:
  - name: Staging
  - name: Production
    exclusive: true
    approvals: {approvers: [grace@example.com, "@ml/leads"]}
policy:
  approvals: {approvers: ["@ml/admins", root]}
"""
LINES = [
    "/models/ grace@example.com @ml/leads",
    "/models/churn/ grace@example.com @ml/leads @growth ada@example.com",
    "/gitreg.yaml @ml/admins",
    "/gates/ @ml/admins",
    "/keys/ @ml/admins",
    "/.github/CODEOWNERS @ml/admins",
    "/.github/workflows/gitreg.yml @ml/admins",
]


@pytest.fixture
def ruled(filled: Path, run: Run) -> Path:
    """With rules in the work tree that nobody has committed yet."""
    run("update", "churn", "--owner", "@growth", "--owner", "ada@example.com", "--owner", "the team")
    (filled / "gitreg.yaml").write_text(RULES)
    return filled


def test_printed(ruled: Path, run: Run, git: Git) -> None:
    said = run("codeowners")
    assert said.out.splitlines()[1:-1] == LINES
    assert "root is left out" in said.err and "the team is left out" in said.err
    assert git("status", "--porcelain") == "M gitreg.yaml"


def test_written_and_checked(ruled: Path, run: Run) -> None:
    path = ruled / ".github" / "CODEOWNERS"
    assert "+/models/ grace@example.com @ml/leads" in run("codeowners", "--check", code=1).out
    assert not path.exists()
    assert run("codeowners", "--write").out == "wrote .github/CODEOWNERS\n"
    assert path.read_text() == run("codeowners").out
    assert run("codeowners", "--check").out == ""
    assert run("codeowners", "--write").out == ".github/CODEOWNERS is up to date\n"
    path.write_text("* @everybody\n" + path.read_text() + "/docs/ @writers\n")
    run("codeowners", "--check")  # around the marks everybody writes
    (ruled / "gitreg.yaml").write_text(RULES.replace("@ml/leads", "@ml/heads"))
    said = run("codeowners", "--check", code=1)
    assert "-/models/ grace@example.com @ml/leads" in said.out and "gitreg codeowners --write" in said.err
    run("codeowners", "--write")
    text = path.read_text()
    assert text.startswith("* @everybody\n# gitreg begin") and text.endswith(
        "# gitreg end\n/docs/ @writers\n"
    )
    assert "@ml/leads" not in text


@pytest.mark.parametrize(
    ("forge", "there", "place"),
    [
        ("github", "docs/CODEOWNERS", "docs/CODEOWNERS"),
        ("gitlab", "", ".gitlab/CODEOWNERS"),
        ("gitlab", "CODEOWNERS", "CODEOWNERS"),
        ("gitea", "", ".gitea/CODEOWNERS"),
    ],
)
def test_the_place(ruled: Path, run: Run, forge: str, there: str, place: str) -> None:
    if there:
        (ruled / there).parent.mkdir(exist_ok=True)
        (ruled / there).write_text("")
    run("codeowners", "--forge", forge, "--write")
    assert place in (ruled / place).read_text().replace("[.]", ".")
    run("codeowners", "--forge", forge, "--check")


def test_the_usual_dialect(ruled: Path, run: Run, git: Git) -> None:
    assert run("codeowners", "--json").json["forge"] == "github"
    git("remote", "add", "origin", "git@gitlab.example.com:ml/registry.git")
    assert run("codeowners", "--json").json["forge"] == "gitlab"
    (ruled / ".gitea").mkdir()
    (ruled / ".gitea" / "CODEOWNERS").write_text("")
    assert run("codeowners", "--json").json["forge"] == "gitea"


def test_json(ruled: Path, run: Run) -> None:
    found = run("codeowners", "--json").json
    assert (found["path"], found["current"], found["written"]) == (".github/CODEOWNERS", False, False)
    assert found["owned"][0] == {"path": "models/", "owners": ["grace@example.com", "@ml/leads"]}
    assert found["left_out"] == ["the team", "root"]
    assert run("codeowners", "--json", "--write").json["written"] is True


def test_a_registry_in_a_folder(tmp_path: Path, run: Run, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    git("init", "-q", tmp_path / "big")
    run("init", tmp_path / "big" / "ml" / "reg")
    monkeypatch.chdir(tmp_path / "big" / "ml" / "reg")
    Path("gitreg.yaml").write_text(RULES)
    lines = run("codeowners").out.splitlines()
    assert (
        "/ml/reg/models/ grace@example.com @ml/leads" in lines and "/.github/CODEOWNERS @ml/admins" in lines
    )
    run("codeowners", "--write")
    assert (tmp_path / "big" / ".github" / "CODEOWNERS").exists()


def test_nobody_is_asked(filled: Path, run: Run) -> None:
    assert "# The policy names no approvers." in run("codeowners").out
    run("codeowners", "--check")
    run("codeowners", "--write")
    assert not (filled / ".github").exists()


def test_a_bare_repository(ruled: Path, run: Run, git: Git, tmp_path: Path) -> None:
    run("codeowners", "--write")
    git("add", "-A")
    git("commit", "-q", "-m", "rules")
    git("clone", "-q", "--bare", ruled, tmp_path / "bare.git")
    at = ("--registry", tmp_path / "bare.git")
    run("codeowners", "--check", *at)
    assert run("codeowners", *at).out.splitlines()[1:-1] == LINES
    run("codeowners", "--write", *at)  # nothing to do
    assert "bare repository" in run("codeowners", "--forge", "gitlab", "--write", *at, code=2).err


def test_a_link_is_not_followed(ruled: Path, run: Run, tmp_path: Path) -> None:
    (ruled / ".github").symlink_to(tmp_path)
    assert "a link or a folder stands in its place" in run("codeowners", "--write", code=4).err
    assert not (tmp_path / "CODEOWNERS").exists()


def test_faulty_settings(ruled: Path, run: Run) -> None:
    (ruled / "gitreg.yaml").write_text(RULES.replace("approvers", "aprovers", 1))
    run("codeowners", code=3)


def test_options_that_exclude_each_other(ruled: Path, run: Run) -> None:
    run("codeowners", "--write", "--check", code=2)
