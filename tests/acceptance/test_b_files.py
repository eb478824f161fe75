"""B13, B15–B18, B21: files of a registry that are not what their place, mode, schema or past asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.manifests import MODEL, VERSION, Broken, after, alone, everywhere, put
from tests.acceptance.standard import CONFLICT, INVALID, Site, clean, gitreg_command, unchanged

V1 = "models/fraud/versions/1.yaml"


def test_B13_CRLF_makes_no_second_blob(site: Site) -> None:
    file = site.file(V1)
    lf = file.read_bytes()
    blob = site.git("rev-parse", f"HEAD:{V1}")
    file.write_bytes(lf.replace(b"\n", b"\r\n"))
    outcome = site.run("check")  # a warning: Git turns it into LF when it is added
    assert outcome.code == 0 and "GR010" in outcome.out, outcome
    site.git("add", V1)
    assert site.git("rev-parse", f":{V1}") == blob
    # CRLF that somebody's Git has let through: a command that changes the file leaves LF alone.
    put(site, {V1: lf.replace(b"\n", b"\r\n")})
    site.git("commit", "--quiet", "-m", "by hand, past the attributes")
    site.does("tag", "fraud/1", "team=risk")
    stored = site.git("cat-file", "blob", f"HEAD:{V1}")
    assert "\r" not in stored and stored.startswith(lf.decode()[: len("# yaml")])
    assert file.read_bytes() == stored.encode()


def test_B13_fmt_gives_the_blob_of_LF(site: Site) -> None:
    file = site.file(V1)
    blob = site.git("rev-parse", f"HEAD:{V1}")
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    site.does("fmt", V1)
    assert site.git("hash-object", "--no-filters", V1) == blob


def test_B13_a_batch_with_CRLF_lines(bare: Site) -> None:
    lines = [
        json.dumps({"name": name, "source": "s3://b/1", "description": "a\nb"}) for name in ("lf", "crlf")
    ]
    bare.does("register", "--batch", "-", stdin=f"{lines[0]}\n{lines[1]}\r\n".encode())
    texts = [bare.git("cat-file", "blob", f"main:models/{name}/versions/1.yaml") for name in ("lf", "crlf")]
    assert "\r" not in texts[1]
    assert [row for row in texts[0].splitlines() if "Z" not in row] == [
        row for row in texts[1].splitlines() if "Z" not in row
    ]


def test_B15_no_mapping(site: Site) -> None:
    texts = [
        b"",
        b"null\n",
        b"- version: 1\n",
        b"~\n",
        b"# a comment alone\n",
        b"\n\n",
        b"---\n",
        b"version\n",
        b"3\n",
        b"[]\n",
    ]
    everywhere(site, [Broken(data=text, code="GR017") for text in texts])


def test_B16_symlink(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "secret.yaml"
    outside.write_bytes(VERSION)
    file = site.file(V1)
    file.unlink()
    file.symlink_to(outside)
    _wrong_mode(site, "symbolic link")


def test_B16_executable(site: Site) -> None:
    site.file(V1).chmod(0o755)
    _wrong_mode(site, "executable")


def test_B16_submodule(site: Site) -> None:
    head = site.git("rev-parse", "HEAD").strip()
    site.git("update-index", "--add", "--cacheinfo", f"160000,{head},models/sub")
    site.git("update-index", "--force-remove", V1)
    site.git("update-index", "--add", "--cacheinfo", f"160000,{head},{V1}")
    site.git("commit", "--quiet", "-m", "by hand")
    for where in (["--staged"], ["--rev", "HEAD"]):
        outcome = site.run("check", *where)
        assert outcome.code == 1 and "GR107" in outcome.out and V1 in outcome.out, outcome
    for args in (["show", "fraud/1"], ["transition", "fraud/1", "Staging"]):
        site.refuses(*args, code=INVALID, says=["GR107", V1], mend=False)


@pytest.mark.parametrize("folder", ["models", "models/fraud", "models/fraud/versions"])
def test_B16_folder_is_a_symlink(site: Site, tmp_path: Path, folder: str) -> None:
    away = tmp_path / "away"
    site.file(folder).rename(away)
    site.file(folder).symlink_to(away)
    outcome = site.run("check")
    assert outcome.code == 1, outcome
    with unchanged(away):
        site.refuses("transition", "fraud/1", "Staging", code=CONFLICT, says=["symbolic link"])
    site.commits_by_hand()
    outcome = site.run("check", "--rev", "HEAD")
    assert outcome.code == 1, outcome


def _wrong_mode(site: Site, says: str) -> None:
    def checked(*where: str) -> None:
        with unchanged(site.root):
            outcome = clean(gitreg_command("check", *where, at=site.root))
        assert outcome.code == 1 and "error[GR107]" in outcome.out, outcome
        assert says in outcome.out and V1 in outcome.out, outcome

    checked()
    site.git("add", V1)
    checked("--staged")
    site.git("commit", "--quiet", "-m", "by hand")
    checked("--rev", "HEAD")
    for args in (["show", "fraud/1"], ["transition", "fraud/1", "Staging"]):
        site.refuses(*args, code=INVALID, says=["GR107", V1], mend=False)


def test_B17_content_and_path_disagree(site: Site) -> None:
    everywhere(
        site,
        [
            Broken(data=VERSION.replace(b"version: 1", b"version: 8"), code="GR016", says=("8",)),
            Broken(data=VERSION.replace(b"version: 1", b'version: "1"'), code="GR014"),
            Broken(data=b'version: 2\ndeleted:\n  at: "2026-01-15T10:00:00.000Z"\n', code="GR016"),
        ],
    )


@pytest.mark.parametrize("name", [b"other", b"Fraud", b"fraud%20", b'"fraud "'])
def test_B17_model_that_is_called_otherwise(site: Site, name: bytes) -> None:
    path = "models/fraud/model.yaml"
    put(site, {path: MODEL % name})
    outcome = site.run("check")
    assert outcome.code == 1 and f"{path}:1:" in outcome.out and "GR016" in outcome.out, outcome
    site.git("commit", "--quiet", "-m", "by hand")
    with unchanged(site.root):
        assert clean(gitreg_command("check", "--rev", "HEAD", at=site.root)).code == 1
    site.refuses("show", "fraud", code=INVALID, says=["GR016"], mend=False)


@pytest.mark.parametrize(
    "leaf", ["01.yaml", "0.yaml", "1.yml", "x.yaml", "1.yaml.bak", "-1.yaml", "1e3.yaml"]
)
def test_B17_file_that_no_version_can_have(site: Site, leaf: str) -> None:
    put(site, {f"models/fraud/versions/{leaf}": VERSION})
    outcome = site.run("check", "--staged")
    assert outcome.code == 1 and "GR102" in outcome.out and leaf in outcome.out, outcome


def test_B18_unknown_field(site: Site) -> None:
    everywhere(
        site,
        [
            after(b"decription: better\n", "GR011", '"description"', line=5),
            after(b"metric:\n  auc: 1\n", "GR011", '"metrics"', line=5),
            after(b"code:\n  comit: abc\n", "GR011", '"commit"', line=6),
            after(b"datasets:\n  - name: a\n    ur: b\n", "GR011", '"uri"', line=7),
            after(b"Source: s3://x\n", "GR011", '"source"', line=5),
            after(b"zzz: 1\n", "GR011", "zzz", line=5),
        ],
    )
    assert alone(VERSION + b"x-anything:\n  deep: [1, {a: b}]\n") == []


def test_B18_unknown_field_of_model_and_settings(site: Site) -> None:
    put(site, {"models/fraud/model.yaml": MODEL % b"fraud" + b"onwers: [ann]\n"})
    settings = site.file("gitreg.yaml")
    settings.write_text(settings.read_text() + "stage: [a]\n")
    outcome = site.run("check")
    assert outcome.code == 1, outcome
    assert 'did you mean "owners"?' in outcome.out and 'did you mean "stages"?' in outcome.out, outcome


EDITS = {
    "source": (b"s3://models/fraud/1", b"s3://models/fraud/other"),
    "metrics": (b"0.91", b"0.99"),
}


@pytest.mark.parametrize("edit", ["source", "metrics", "params"])
def test_B21_immutable_part_edited(site: Site, edit: str) -> None:
    file = site.file(V1)
    if edit == "params":
        file.write_bytes(file.read_bytes() + b'params:\n  depth: "6"\n')
    else:
        old, new = EDITS[edit]
        assert old in file.read_bytes()
        file.write_bytes(file.read_bytes().replace(old, new))
    for where in ([], ["--staged"], ["--rev", "HEAD"]):
        if where == ["--staged"]:
            site.git("add", V1)
        elif where:
            site.git("commit", "--quiet", "-m", "by hand")
        with unchanged(site.root):
            outcome = clean(gitreg_command("check", *where, at=site.root))
        assert outcome.code == 1 and "error[GR104]" in outcome.out and f"{V1}:" in outcome.out, outcome
        assert edit in outcome.out and "help: " in outcome.out, outcome


def test_B21_evaluation_edited_or_taken_away(site: Site) -> None:
    site.does("evaluate", "fraud/1", "holdout", "--metric", "auc=0.8")
    file = site.file(V1)
    text = file.read_text()
    assert "0.8" in text
    file.write_text(text.replace("0.8", "0.9"))
    outcome = site.run("check")
    assert outcome.code == 1 and "GR105" in outcome.out, outcome
    file.write_text(text[: text.index("evaluations:")])
    outcome = site.run("check")
    assert outcome.code == 1 and "GR105" in outcome.out, outcome


def test_B21_state_may_be_edited_by_hand(site: Site) -> None:
    file = site.file(V1)
    file.write_text(file.read_text() + "description: better  # says Ann\ntags:\n  team: risk\n")
    site.does("check")
    site.commits_by_hand()
    site.does("check", "--rev", "HEAD")
    assert site.does("resolve", "fraud/1").out == "s3://models/fraud/1\n"
