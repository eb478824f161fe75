"""``make demo`` runs to its end, and plain Git reads the registry that it leaves."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

ROOT = Path(__file__).resolve().parents[1]
_RUN = "import pathlib, sys; import run; run.FOLDER = pathlib.Path(sys.argv[1]); run.main()"
_REVIEW = (
    "import pathlib, sys; import review; review.FOLDER = pathlib.Path(sys.argv[1]); review.main(sys.argv[2:])"
)


@pytest.mark.mlflow
def test_demo(tmp_path: Path) -> None:
    place = tmp_path / "demo"
    command = [sys.executable, "-c", _RUN, str(place)]
    done = subprocess.run(command, cwd=ROOT / "demo", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "checked 4 files: no findings" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr

    def git(*args: str) -> list[str]:
        asked = ["git", "-C", str(place / "registry"), *args]
        return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()

    typed = [step.partition("\n") for step in re.split(r"^\$ ", done.stdout, flags=re.MULTILINE)[1:]]

    def shown(command: str) -> str:
        """What the demo printed for the first command that begins so."""
        return next(text for line, _, text in typed if line.startswith(command))

    compared = shown("gitreg diff tumor-classifier/Production tumor-classifier/Staging")
    assert re.search(r"^  auc +0\.98\d+ +0\.98\d+ +\+0\.00\d+ ", compared, re.MULTILINE)
    assert re.search(r"^  scaled +False +True$", compared, re.MULTILINE)
    lanes = shown("gitreg timeline")
    for stage, version in (("Production", 1), ("Production", 2), ("Archived", 1), ("Staging", 2)):
        assert re.search(rf"^{stage} +{version} +2", lanes, re.MULTILINE)
    before = shown("gitreg list --stage Production")
    assert re.findall(r"^tumor-classifier +(\d)", before, re.MULTILINE) == ["1"]
    found = shown("gitreg search")
    assert re.findall(r"^tumor-classifier +(\d)", found, re.MULTILINE) == ["2"]
    tree = shown("gitreg lineage")
    assert "parent     tumor-classifier/1  Archived" in tree
    assert len(re.findall(r"data set   breast-cancer  https://\S+  [0-9a-f]{8}$", tree, re.MULTILINE)) == 2
    picture = ET.parse(place / "lineage.svg").getroot()
    assert {"tumor-classifier/1", "tumor-classifier/2", "breast-cancer"} <= set(picture.itertext())
    assert "Gave Production of tumor-classifier back to version 1" in shown("gitreg rollback")
    reviewed = shown("gitreg review")
    assert "would take Production from tumor-classifier/1" in reviewed
    assert "Ready: no rule asks for anything." in reviewed
    assert "Merged gitreg/promote/tumor-classifier/2/Production" in shown("gitreg merge")
    last = shown("gitreg log -n 1")
    assert last.startswith("tumor-classifier: transition version 1 to Production (from Archived)")
    assert "Odd verdicts on young patients" in last
    assert re.fullmatch(r"runs:/[0-9a-f]{32}/model\n", shown("gitreg resolve").partition(">>>")[0])

    assert git("log", "--format=%s")[::-1][1:] == [
        "tumor-classifier: register version 1",
        "tumor-classifier: transition version 1 to Staging",
        "tumor-classifier: transition version 1 to Production (from Staging)",
        "tumor-classifier: register version 2",
        "tumor-classifier: transition version 2 to Staging",
        "Promote tumor-classifier/2 to Production",
        "tumor-classifier: roll Production back to version 1",
    ]
    assert {"tumor-classifier/v1", "tumor-classifier/v2", "tumor-classifier/Production/3"} <= set(git("tag"))
    changed = [line for line in git("diff", "-U0", "HEAD~2", "HEAD~1") if re.match(r"[+-][^+-]", line)]
    assert [line.split(":")[0].lstrip("+- ") for line in changed] == [
        *("updated", "updated", "Production", "Archived"),
        *("updated", "updated", "Staging", "Production"),
    ]
    manifest = "\n".join(git("show", "HEAD:models/tumor-classifier/versions/2.yaml"))
    for said in (
        "run_id:",
        "experiment: tumors",
        "datasets:",
        "models:/tumor-classifier/1",
        "signature:",
        "auc: 0.98",
        "sha256:",
    ):
        assert said in manifest
    assert git("status", "--porcelain") == []


@pytest.mark.parametrize("how", [(), ("--plain",)], ids=["server", "plain"])
def test_demo_review(how: tuple[str, ...], tmp_path: Path) -> None:
    place = tmp_path / "kept"
    command = [sys.executable, "-c", _REVIEW, str(place), *how]
    done = subprocess.run(command, cwd=ROOT / "demo", capture_output=True, text=True, check=False)
    said = done.stdout
    assert done.returncode == 0, said + done.stderr
    assert "Traceback" not in said + done.stderr
    steps = [
        step.partition("\n") for step in re.split(r"^(?=(?:ann|bob|carol)\$ )", said, flags=re.MULTILINE)
    ]

    def shown(command: str, at: int = 0) -> str:
        return [text for line, _, text in steps if line.startswith(command)][at]

    assert "propose it: gitreg promote churn/2 Production" in shown("ann$ git push origin main")
    assert "GR206" in shown("bob$ gitreg verify", 0)
    assert "GR206" not in shown("bob$ gitreg verify", 1)
    assert "churn/Production/2" in shown("carol$ git tag")
    last = shown("carol$ gitreg log")
    assert "proposed by Ann" in last and "merged by Carol" in last and "bob@example.com" in last
    assert shown("carol$ gitreg resolve").startswith("s3://models/churn/2\n")

    gitreg = str(Path(sys.executable).with_name("gitreg"))
    for typed, words in (
        (("approve", "churn/3", "Production", "--key", "../bob.key", "--yes"), "as bob@example.com"),
        (("merge", "churn/3", "Production"), "Took Production from churn/2"),
    ):
        assert " ".join(typed).removesuffix(" --yes") in said  # as it is told what to try
        tried = subprocess.run(
            [gitreg, *typed], cwd=place / "bob", capture_output=True, text=True, check=False
        )
        assert words in tried.stdout, tried.stderr
