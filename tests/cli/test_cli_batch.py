"""``register --batch``: JSON lines, all of them or none."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import git

FULL = {
    "name": "m", "source": "s3://x/1", "run_id": "r", "run_link": "https://t/r", "experiment": "e", "model_id": "m-1",
    "code": {"repository": "https://example.org/x", "commit": "abc", "path": "train.py", "dirty": True},
    "datasets": [{"name": "d", "uri": "s3://d", "digest": "1"}], "parents": ["models:/other/3"],
    "artifact": {"size": 3, "flavors": {"sklearn": "1.5"}}, "params": {"lr": "0.1"}, "metrics": {"auc": 0.5, "n": "NaN"},
    "description": "one\ntwo", "tags": {"k": "v"}, "aliases": ["champion"], "status": "READY", "status_message": "fine",
}  # fmt: skip


def lines(*objects: object) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


def plain(name: str = "m", **more: object) -> dict[str, object]:
    return {"name": name, "source": "s3://x", **more}


def test_every_key_reaches_the_manifest(registry, run):
    run("register", "--batch", "-", "--no-look-up", stdin=lines(FULL))
    shown = run("show", "m/1", "--json").json
    for key, value in FULL.items():
        if key != "status":
            assert shown[key] == value, key


def test_one_commit_for_each_line(registry, run):
    before = git(registry, "rev-list", "--count", "HEAD")
    made = run("register", "--batch", "-", "--json", stdin=lines(plain(), plain("n"), plain()) + "\n\n").json
    assert [(v["name"], v["version"]) for v in made["versions"]] == [("m", 1), ("n", 1), ("m", 2)]
    assert made["commits"] == 3 and made["commit"] == made["versions"][-1]["commit"] == git(
        registry, "rev-parse", "HEAD"
    )
    assert int(git(registry, "rev-list", "--count", "HEAD")) == int(before) + 3
    assert git(registry, "tag").split() == ["m/v1", "m/v2", "n/v1"]
    assert git(registry, "rev-parse", "m/v1^{commit}") == made["versions"][0]["commit"]
    assert git(registry, "status", "--porcelain") == ""


def test_one_commit_for_all_lines(registry, run, tmp_path):
    file = tmp_path / "lines.jsonl"
    file.write_text(lines(plain(), plain("n"), plain()))
    before = int(git(registry, "rev-list", "--count", "HEAD"))
    out = run("register", "--batch", str(file), "--one-commit", "-m", "from the old registry").out
    assert out.startswith("Registered 3 versions of 2 models in 1 commit (up to ")
    assert int(git(registry, "rev-list", "--count", "HEAD")) == before + 1
    body = git(registry, "log", "-1", "--format=%B")
    assert body.startswith("register 3 versions of 2 models\n\nfrom the old registry\n")


def test_a_line_may_build_on_a_line_before(registry, run):
    run(
        "register",
        "--batch",
        "-",
        stdin=lines(plain(aliases=["best"]), plain("n", parents=["m/1", "s3://other"])),
    )
    assert run("show", "n/1", "--json").json["parents"] == ["models:/m/1", "s3://other"]


def test_parents_are_kept_by_their_number(churn, run):
    run("register", "--batch", "-", stdin=lines(plain("n", parents=["churn@champion"])))
    assert run("show", "n/1", "--json").json["parents"] == ["models:/churn/1"]


@pytest.mark.parametrize("how", [[], ["--one-commit"]])
@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ('{"name": "m", "source": "s3://x", "sorce": 1}', 3, 'no key "sorce"\n  --> line 2\nhelp: did you mean "source"?'),
        ('{"name": "m"}', 3, "source: the field is missing\n  --> line 2"),
        ('{"source": "s3://x"}', 3, "a model's name is due\n  --> line 2, name"),
        ('{"name": "m", "source": 1}', 3, "source: "),
        ('{"name": "m", "name": "n", "source": "s3://x"}', 3, 'the key "name" comes twice'),
        ('["m"]', 3, "no JSON object"),
        ("name: m", 3, "no JSON: "),
        ("[" * 100_000, 3, "can't be read"),
        ('{"name": "m", "source": "s3://x", "version": ' + "1" * 5000 + "}", 3, "can't be read"),
        ('{"name": "m", "source": "s3://x", "metrics": {"a": 1' + "0" * 400 + "}}", 3, "too large\n  --> line 2, metrics.a"),
        ('{"name": "m", "source": "s3://x", "metrics": {"a": 1e400}}', 3, "1e400 is too large for a number"),
        ('{"name": "m", "source": "s3://x", "metrics": {"a": Infinity}}', 0, ""),
        ('{"name": "m", "source": "s3://x", "metrics": {"a": "high"}}', 3, "metrics.a: "),
        ('{"name": "m", "source": "s3://x", "aliases": "a"}', 3, "a list of texts is due\n  --> line 2, aliases"),
        ('{"name": "m", "source": "s3://x", "aliases": ["latest"]}', 3, '"latest" is reserved'),
        ('{"name": "m", "source": "s3://x", "parents": ["no@such"]}', 3, "line 2, parents"),
        ('{"name": "a/b", "source": "s3://x"}', 3, '"a/b" is no model name'),
        ('{"name": "M", "source": "s3://x"}', 4, 'differs from the registered model "m"'),
        ('{"name": "m", "source": "s3://x", "version": 7}', 4, "7 is not the next version of m\n  --> line 2"),
        ('{"name": "m", "source": "https://u:secret@x/y"}', 3, "carried a password"),
        ('{"name": "m", "source": "s3://x", "description": "\\ud800"}', 3, "line 2"),
        ('{"name": "m", "source": "s3://x", "stages": {"Production": "x"}}', 3, 'there is no key "stages"'),
        ('{"name": "m", "source": "s3://' + "x" * (1 << 20) + '"}', 3, "bytes long, over 1,048,576"),
    ],
)  # fmt: skip
def test_one_faulty_line_and_none_stands(registry, run, head, line, code, said, how):
    before = head()
    result = run(
        "register",
        "--batch",
        "-",
        *how,
        stdin=f"{lines(plain()).strip()}\n{line}\n{lines(plain())}",
        code=code,
    )
    assert said in result.err and "secret" not in result.err
    assert (head() == before) == (code != 0)
    assert git(registry, "status", "--porcelain") == ""
    if code:
        assert git(registry, "tag") == "" and result.out == ""


def test_a_line_that_is_not_utf8(registry, run):
    assert "line 1" in run("register", "--batch", "-", stdin=b'{"name": "\xff"}\n', code=3).err


def test_no_lines(registry, run, head):
    before = head()
    assert run("register", "--batch", "-").out == "nothing to register: there are no lines\n"
    assert head() == before


def test_a_file_that_is_not_there(registry, run):
    assert "no such file or directory\n  --> /nosuch" in run("register", "--batch", "/nosuch", code=7).err


@pytest.mark.parametrize(
    "more", [["m"], ["--metric", "a=1"], ["--alias", "a"], ["--version", "1"], ["-d", "x"]]
)
def test_a_batch_takes_no_other_values(registry, run, more):
    assert "--batch takes everything from its lines" in run("register", "--batch", "-", *more, code=2).err


def test_a_dry_run_tells_all_and_writes_nothing(registry, run, head):
    before = head()
    out = run("register", "--batch", "-", "--dry-run", stdin=lines(plain(), plain())).out
    assert (
        out
        == "would do: m: register version 1\nwould do: m: register version 2\nwould do: m: register model\n"
    )
    made = run("register", "--batch", "-", "--dry-run", "--json", stdin=lines(plain(), plain())).json
    assert made["commit"] is None and [v["version"] for v in made["versions"]] == [1, 2]
    assert head() == before


def test_warnings_name_their_line(registry, run):
    result = run("register", "--batch", "-", stdin=lines(plain(), {"name": "m", "source": "runs:/abc/m"}))
    assert result.err.startswith("warning: line 2: ")


def test_another_branch_is_warned_of_once(registry, run):
    git(registry, "switch", "-q", "-c", "topic")
    result = run("register", "--batch", "-", stdin=lines(plain(), plain()))
    assert result.err.count("warning: ") == 1 and "committed to topic" in result.err


def test_params_may_be_numbers_as_in_mlflow(registry, run):
    run("register", "--batch", "-", stdin=lines(plain(params={"lr": 0.1, "deep": True, "n": 3})))
    assert run("show", "m/1", "--json").json["params"] == {"deep": "True", "lr": "0.1", "n": "3"}
