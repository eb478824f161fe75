"""The commands that change what is registered: stages, aliases, tags, text, results, marks."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import git


def said(result) -> str:
    """The first line without its commit and tags."""
    return result.out.splitlines()[0].partition(" (commit")[0]


def test_transition_says_where_from_and_what_it_took_along(churn, run):
    out = run("transition", "churn/2", "production", "--archive-existing", "-m", "beats the old one").out
    commit = git(churn, "rev-parse", "--short=10", "HEAD")
    assert out == (
        f"Moved churn/2 to Production (commit {commit}, tags churn/Archived/1, churn/Production/2)\n"
        "Moved churn/1 to Archived (from Production)\n"
    )
    assert "\n\nbeats the old one\n" in git(churn, "log", "-1", "--format=%B")


def test_transition_to_none_takes_all_stages(churn, run):
    assert said(run("transition", "churn/1", "None")) == "Took Production from churn/1"
    run("assign", "churn/1", "Production")
    run("assign", "churn/1", "Staging")
    out = said(run("transition", "churn/1", "None"))
    assert out == "Took Production, Staging from churn/1: it holds no stage"
    assert run("transition", "churn/1", "none").out == "nothing to change: churn/1 is in no stage already\n"


def test_assign_and_unassign(churn, run):
    assert said(run("assign", "churn@champion", "Staging")) == "Gave Staging to churn/1"
    assert set(run("show", "churn/1", "--json").json["stages"]) == {"Production", "Staging"}
    assert said(run("unassign", "churn/Production", "Staging")) == "Took Staging from churn/1"


def test_aliases(churn, run):
    assert said(run("alias", "models:/churn/latest", "champion")) == "Pointed churn@champion at version 2"
    assert run("resolve", "churn@champion").out == "s3://models/churn/2\n"
    assert said(run("alias", "churn", "champion", "--delete")) == "Removed the alias churn@champion"


def test_tags_of_models_and_versions(churn, run):
    out = run("tag", "churn", "team=growth", "note=a=b", "empty=").out.splitlines()
    assert [line.partition(" (")[0] for line in out] == [
        "Tagged churn with empty=", "Tagged churn with note=a=b", "Tagged churn with team=growth",
    ]  # fmt: skip
    assert (
        said(run("tag", "churn", "--delete", "team", "--delete", "nosuch"))
        == "Removed the tag team from churn"
    )
    run("tag", "churn/1", "k=v")
    assert run("show", "churn", "--json").json["tags"] == {"empty": "", "note": "a=b"}
    assert run("show", "churn/1", "--json").json["tags"] == {"k": "v"}


def test_updates(churn, run, tmp_path):
    text = tmp_path / "text.md"
    text.write_text("# Churn\n\nGrüße\n")
    out = run("update", "churn", "--description-file", str(text), "--owner", "ann", "--owner", "ben").out
    assert out.splitlines()[1] == "Changed owners of churn"
    model = run("show", "churn", "--json").json
    assert (model["description"], model["owners"]) == ("# Churn\n\nGrüße\n", ["ann", "ben"])
    run("update", "churn", "-d", "", "--owner", "")
    model = run("show", "churn", "--json").json
    assert "description" not in model and "owners" not in model
    run(
        "update", "churn/1", "--description-file", "-", "--status", "failed_registration", stdin="from a pipe"
    )
    version = run("show", "churn/1", "--json").json
    assert (version["description"], version["status"]) == ("from a pipe", "FAILED_REGISTRATION")


def test_evaluations_are_added(churn, run):
    args = [
        "churn/2",
        "holdout",
        "--metric",
        "auc=0.91",
        "--metric",
        "loss=inf",
        "--dataset",
        "h=s3://h@9",
        "--run-id",
        "r",
    ]
    assert said(run("evaluate", *args)) == "Added the evaluation holdout to churn/2"
    (found,) = run("show", "churn/2", "--json").json["evaluations"]
    assert found.pop("at")
    assert found == {
        "name": "holdout", "run_id": "r", "dataset": {"name": "h", "uri": "s3://h", "digest": "9"},
        "metrics": {"auc": 0.91, "loss": "Infinity"},
    }  # fmt: skip


def test_deprecation(churn, run):
    assert said(run("deprecate", "churn/1", "--reason", "leaks")) == "Deprecated churn/1"
    assert run("show", "churn/1", "--json").json["deprecated"]["reason"] == "leaks"
    assert said(run("deprecate", "churn/1", "--undo")) == "Took back the deprecation of churn/1"


def test_delete_and_restore_a_version(churn, run):
    out = run("delete", "churn/1", "--yes", "--reason", "leaks", "-m", "asked by legal").out
    assert out.splitlines()[0].startswith("Deleted churn/1 (commit ")
    assert out.splitlines()[1] == "Removed the alias churn@champion"
    assert "asked by legal" in git(churn, "log", "-1", "--format=%B")
    assert "churn/1 is deleted\nhelp: gitreg restore churn/1" in run("show", "churn/1", code=3).err
    assert said(run("restore", "churn/1")) == "Restored churn/1"
    version = run("show", "churn/1", "--json").json
    assert version["metrics"] == {"auc": 0.9} and version["stages"] == {} and version["aliases"] == []
    assert said(run("register", "churn", "s3://x")) == "Registered churn/3"


def test_delete_and_restore_a_model(churn, run):
    assert said(run("delete", "churn", "-y")) == "Deleted churn"
    assert "gitreg restore churn" in run("show", "churn", code=3).err
    assert said(run("restore", "churn")) == "Restored churn"
    assert run("show", "churn/Production", "--json").json["version"] == 1


def test_deleting_needs_consent_where_nobody_can_be_asked(churn, run, head):
    before = head()
    result = run("delete", "churn/1", code=2)
    assert result.err == (
        "error: nobody is here to be asked: delete churn/1 (in Production; alias champion)?\n"
        "help: to go ahead, add --yes\n"
    )
    assert head() == before
    assert run("delete", "churn/1", "--dry-run").out.startswith("would do: churn: delete version 1\n")
    assert head() == before


def test_rename(churn, run):
    assert said(run("rename", "churn", "Abwanderung 2")) == "Renamed churn to Abwanderung 2"
    assert run("resolve", "Abwanderung 2@champion").out == "s3://models/churn/1\n"
    assert 'is now called "Abwanderung 2"' in run("tag", "churn/1", "a=b", code=3).err


@pytest.mark.parametrize(
    ("args", "already"),
    [
        (["transition", "churn/1", "production"], "churn/1 is in Production already"),
        (["assign", "churn/1", "Production"], "churn/1 holds Production already"),
        (["unassign", "churn/1", "Staging"], "churn/1 does not hold Staging"),
        (["alias", "churn/1", "champion"], "churn@champion is churn/1 already"),
        (["alias", "churn", "nosuch", "--delete"], "churn has no alias nosuch"),
        (["tag", "churn", "--delete", "nosuch"], "the tags of churn are so already"),
        (["update", "churn", "-d", ""], "churn is so already"),
        (["update", "churn/1", "--status", "READY"], "churn/1 is so already"),
        (["deprecate", "churn/1", "--undo"], "churn/1 is not deprecated"),
        (["rename", "churn", "churn"], "churn is called so already"),
    ],
)
def test_nothing_to_do_makes_no_commit(churn, run, head, args, already):
    before = head()
    for more in ([], ["--dry-run"]):
        result = run(*args, *more)
        assert (result.out, result.err) == (f"nothing to change: {already}\n", "")
    document = run(*args, "--json").json
    assert (document["commit"], document["changes"], document["tags"]) == (None, [], [])
    assert document["model"]["name"] == "churn"
    assert head() == before


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (["transition", "churn/1", "Prodction"], 3, '"Prodction" is not a stage of this registry'),
        (["transition", "churn", "Production"], 3, "churn is a model: say which version"),
        (["transition", "churn/9", "Production"], 3, "there is no version 9 of churn"),
        (
            ["transition", "Churn/1", "Production"],
            3,
            'there is no registered model "Churn"\nhelp: did you mean "churn"?',
        ),
        (["assign", "churn/1", "None"], 3, '"None" is not a stage'),
        (["alias", "churn", "x"], 3, "churn is a model: say which version"),
        (["alias", "churn/1", "latest"], 3, '"latest" is reserved'),
        (["alias", "churn/1", "a b"], 3, '"a b" is no alias'),
        (["tag", "churn"], 2, "no tag was given"),
        (["tag", "churn", "k"], 2, '"k" holds no "="'),
        (["tag", "churn", "=v"], 3, '"" is no tag key'),
        (["tag", "churn", "k=v", "--delete", "k"], 3, '"k" is both set and removed'),
        (["update", "churn"], 2, "nothing to update was given"),
        (["update", "churn", "-d", "x", "--description-file", "y"], 2, "exclude each other"),
        (["update", "churn", "--description-file", "nosuch"], 7, "no such file or directory\n  --> nosuch"),
        (["update", "churn", "--status", "READY"], 3, "a model has no status"),
        (["update", "churn/1", "--owner", "ann"], 3, "a version has no owners"),
        (["evaluate", "churn/1", "e"], 2, "missing option '--metric'"),
        (["evaluate", "churn/1", " ", "--metric", "a=1"], 3, "the evaluation has no name"),
        (["deprecate", "churn/1", "--undo", "--reason", "x"], 2, "--undo takes no --reason"),
        (["delete", "churn/nosuch", "-y"], 3, '"nosuch" is not a stage'),
        (["restore", "churn/1"], 4, "churn/1 is not deleted"),
        (["restore", "churn"], 4, "churn is not deleted"),
        (["restore", "churn/7"], 3, "the history holds no churn/7 to restore"),
        (["restore", "churn@champion"], 3, "name the version by its number"),
        (["rename", "churn/1", "x"], 3, "churn/1 is a version: only a model can be renamed"),
        (["rename", "churn", "Churn"], 4, "differs from the old name in case"),
        (["rename", "churn", "a/b"], 3, '"a/b" is no model name'),
        (["rename", "nosuch", "x"], 3, 'there is no registered model "nosuch"'),
        (["tag", "churn/01", "a=b"], 3, '"01" is no version number'),
        (["tag", "churn/-1", "a=b"], 3, '"-1" is no version number'),
        (["tag", "churn@v3", "a=b"], 3, '"v3" is reserved'),
        (["tag", "churn/1/2", "a=b"], 3, '"churn/1/2" is no model URI'),
    ],
)
def test_what_is_refused_changes_nothing(churn, run, head, args, code, message):
    before = head()
    result = run(*args, code=code)
    assert result.err.startswith("error: ") and message in result.err and result.out == ""
    error = json.loads(run(*args, "--json", code=code).err)["error"]
    assert error["exit_code"] == code and error["message"] in message + error["message"]
    assert head() == before and git(churn, "status", "--porcelain") == ""


def test_the_document_of_a_write(churn, run):
    document = run("transition", "churn/2", "Production", "--archive-existing", "--json").json
    assert list(document) == ["commit", "branch", "tags", "changes", "warnings", "model", "version"]
    assert document["commit"] == git(churn, "rev-parse", "HEAD")
    assert document["changes"][1] == {
        "event": "transition", "model": "churn", "version": 2, "stage": "Production",
        "summary": "transition version 2 to Production",
    }  # fmt: skip
    assert document["changes"][0]["from"] == ["Production"]
    assert list(document["version"]["stages"]) == ["Production"]
    shown = run("show", "churn/2", "--json").json
    assert document["version"] == {key: shown[key] for key in document["version"]}


def test_the_document_of_a_deletion_holds_what_is_left(churn, run):
    document = run("delete", "churn/2", "-y", "--reason", "old", "--json").json
    assert document["version"]["deleted"]["reason"] == "old" and "source" not in document["version"]
    document = run("delete", "churn", "-y", "--json").json
    assert document["model"]["last_version"] == 2 and "version" not in document


def test_the_document_of_a_dry_run(churn, run, head):
    before = head()
    document = run("assign", "churn/2", "Staging", "--dry-run", "--json").json
    assert document["dry_run"] and document["commit"] is None and head() == before
    assert "+  Staging: " in document["diff"]
    assert list(document["version"]["stages"]) == ["Staging"]


def test_a_bare_registry(tmp_path, run):
    bare = str(tmp_path / "bare.git")
    run("init", "--bare", bare)
    for args in (
        ["register", "m", "s3://x"],
        ["transition", "m/1", "Staging"],
        ["delete", "m", "-y"],
        ["restore", "m"],
    ):
        run(*args, "--registry", bare)
    assert run("resolve", "m/Staging", "--registry", bare).out == "s3://x\n"


def test_comments_of_a_person_survive_a_command(churn, run):
    file = churn / "models/churn/versions/1.yaml"
    file.write_text(file.read_text().replace("source:", "# asked by Ben\nsource:"))
    git(churn, "commit", "-qam", "Say who asked")
    run("update", "churn/1", "-d", "better")
    assert "# asked by Ben\n" in file.read_text()


def test_edits_of_a_person_are_not_lost(churn, run, head):
    file = churn / "models/churn/versions/1.yaml"
    file.write_text(file.read_text() + "# not committed yet\n")
    before = head()
    result = run("update", "churn/1", "-d", "better", code=4)
    assert "models/churn/versions/1.yaml" in result.err
    assert head() == before and file.read_text().endswith("# not committed yet\n")
