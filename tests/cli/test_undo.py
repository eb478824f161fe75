"""``gitreg rollback`` and ``gitreg revert``."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import git

TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d UTC"


@pytest.fixture
def promoted(churn, run):
    """The model churn: version 1 was in Production, version 2 is."""
    run("transition", "churn/2", "Staging")
    run("transition", "churn/2", "Production", "--archive-existing")
    return churn


def test_rollback_says_who_has_it_and_what_became_of_the_other(promoted, run, head):
    out = run("rollback", "churn", "production", "-m", "it burns").out
    commit = head()[:10]
    assert re.fullmatch(
        rf"Gave Production of churn back to version 1 \(held it {TIME} … {TIME}\) "
        rf"\(commit {commit}, tags churn/Production/3, churn/Staging/2\)\n"
        "Version 2 is in Staging again\nVersion 1 is out of Archived\n",
        out,
    )
    assert "\n\nit burns\n" in git(promoted, "log", "-1", "--format=%B")
    again = run("rollback", "churn", "Production", code=4)
    assert again.err.splitlines() == [
        "error: no version held Production before churn/1 did",
        "  --> churn",
        "help: version 2 held it later: gitreg rollback churn Production --to 2",
    ]
    assert run("rollback", "churn", "Production", "--to", "1").out == (
        "nothing to change: churn/1 alone holds Production already\n"
    )
    assert run("rollback", "churn", "Production", "--to", "2").out.startswith(
        "Gave Production of churn back to version 2 (held it "
    )


def test_a_second_rollback_tells_of_what_the_first_one_left(promoted, run):
    run("register", "churn", "s3://models/churn/3")
    run("transition", "churn/3", "Production", "--archive-existing")
    run("rollback", "churn", "Production")
    result = run("rollback", "churn", "Production")
    assert result.out.startswith("Gave Production of churn back to version 1 ")
    assert "Version 2 is in Staging again" in result.out
    assert re.fullmatch(
        rf"version 3 held Production later \({TIME} … {TIME}\); to go there instead: "
        "gitreg rollback churn Production --to 3\n",
        result.err,
    )


def test_rollback_where_two_hold_it(churn, run):
    run("transition", "churn/2", "Production")
    out = run("rollback", "churn", "Production").out
    assert re.match(rf"Left Production of churn to version 1 \(which held it since {TIME}\) \(commit ", out)
    assert out.splitlines()[1:] == ["Version 2 holds no stage"]


def test_rollback_passes_over_what_is_deleted(promoted, run):
    run("register", "churn", "s3://models/churn/3")
    run("transition", "churn/3", "Production", "--archive-existing")
    run("delete", "churn/2", "--yes")
    result = run("rollback", "churn", "Production")
    assert result.err == "warning: version 2 held Production before and is deleted: it is passed over\n"
    assert result.out.startswith("Gave Production of churn back to version 1 ")


def test_rollback_names_what_it_would_need(promoted, run):
    run("delete", "churn/1", "--yes")
    assert run("rollback", "churn", "Production", code=4).err.splitlines() == [
        "error: churn/1, which held Production before churn/2 did, is deleted",
        "  --> churn",
        "help: gitreg restore churn/1, then roll back",
    ]
    run("restore", "churn/1")
    assert run("rollback", "churn", "Production").out.startswith(
        "Gave Production of churn back to version 1 "
    )


def test_rollback_warns_of_a_stage_that_nothing_holds_then(churn, run):
    run("transition", "churn/1", "Archived")
    run("transition", "churn/1", "Production")
    result = run("rollback", "churn", "Archived")
    assert result.err == "warning: version 1 leaves Production, which no version holds then\n"
    run("revert", "HEAD")
    found = run("rollback", "churn", "Archived", "--json").json
    assert found["rollback"]["vacated"] == {"Production": [1]}


def test_rollback_to_what_is_deprecated_must_be_asked_for(promoted, run):
    run("deprecate", "churn/1", "--reason", "leaks\x1b[31m")
    err = run("rollback", "churn", "Production", code=4).err
    assert "error: version 1, which held Production before, is deprecated: leaks\\x1b[31m\n" in err
    assert "gitreg rollback churn Production --to 1" in err
    run("rollback", "churn", "Production", "--to", "1")


def test_rollback_tries_without_writing(promoted, run, head):
    before = head()
    result = run("rollback", "churn", "Production", "--dry-run")
    lines = result.out.splitlines()
    assert lines[0].startswith("Would give Production of churn back to version 1 (held it ")
    assert "would do: churn: transition version 1 to Production (from Archived)" in lines
    assert "--- a/models/churn/versions/1.yaml" in lines
    assert result.err == "dry run: nothing was written\n" and head() == before


def test_rollback_as_json(promoted, run, head):
    found = run("rollback", "churn", "Production", "--json").json
    assert found["commit"] == head() and found["version"]["version"] == 1
    assert found["version"]["stages"].keys() == {"Production"}
    rolled = found["rollback"]
    assert rolled["back"][0].keys() == {"version", "since", "until"} and rolled["back"][0]["version"] == 1
    assert (rolled["stage"], rolled["left"], rolled["passed_over"]) == ("Production", [2], [])
    assert rolled["undo"] == f"gitreg revert {head()[:10]}"
    dry = run("rollback", "churn", "Production", "--to", "2", "--json", "--dry-run").json
    assert dry["commit"] is None and dry["rollback"]["undo"] is None and dry["dry_run"]


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("nothing", "Production"), 3),
        (("churn", "Prodction"), 3),
        (("churn/1", "Production"), 3),
        (("churn", "Production", "--to", "0"), 2),
        (("churn", "Production", "--to", "9"), 3),
        (("churn", "Staging", "--to", "1"), 3),
        (("churn",), 2),
    ],
)
def test_rollback_refuses(promoted, run, head, args, code):
    before = head()
    result = run("rollback", *args, code=code)
    assert result.out == "" and result.err and head() == before


def test_revert_says_what_it_took_back(promoted, run, head):
    taken = head()[:10]
    out = run("revert", "HEAD", "-m", "too early").out
    assert out == (
        f"Took back commit {taken}: churn: transition version 2 to Production (from Staging) "
        f"(commit {head()[:10]}, tags churn/Production/3, churn/Staging/2)\n"
        "  Moved churn/1 to Production (from Archived)\n"
        "  Moved churn/2 to Staging (from Production)\n"
    )
    assert run("revert", taken).out == (
        f"nothing to change: what commit {taken} changed is as before already\n"
    )
    message = git(promoted, "log", "-1", "--format=%B")
    assert message.startswith(
        'Revert "churn: transition version 2 to Production (from Staging)"\n\ntoo early\n'
    )


def test_revert_of_one_change(promoted, run, head):
    taken = head()[:10]
    out = run("revert", "HEAD:2").out
    assert out.startswith(f"Took back change 2 of commit {taken}: ")
    assert out.splitlines()[1:] == ["  Moved churn/1 to Production (from Archived)"]
    assert run("revert", f"{taken}:9", code=3).err.splitlines() == [
        f"error: commit {taken} has no change 9",
        f"  --> {taken}:9",
        "help: its changes: 1 to 2 (gitreg log)",
    ]


def test_revert_names_what_came_since(promoted, run, head):
    before = head()
    err = run("revert", "churn/v1", code=4).err
    assert re.match(r"error: churn was changed since, by commit [0-9a-f]{10} \(churn: ", err)
    assert head() == before


def test_revert_as_json_and_without_writing(promoted, run, head):
    before = head()
    dry = run("revert", "HEAD", "--dry-run", "--json").json
    assert dry["dry_run"] and dry["commit"] is None and head() == before
    found = run("revert", "HEAD", "--json").json
    assert (found["reverted"], found["change"], found["commit"]) == (before, None, head())
    assert {change["version"] for change in found["changes"]} == {1, 2}
    assert found["model"]["name"] == "churn" and "version" not in found
    assert run("revert", "HEAD:1", "--json").json["version"]["version"] in (1, 2)


def test_revert_of_settings(churn, run):
    run("config", "description", "mine")
    assert run("revert", "HEAD", "--dry-run").out.splitlines()[0] == (
        "would do: registry: change description of the registry"
    )
    found = run("revert", "HEAD", "--json").json
    assert found["changes"][0]["event"] == "policy" and "model" not in found
    assert run("config", "description").out == "\n"
    out = run("revert", "HEAD").out
    assert out.splitlines()[1:2] == ["  registry: change description of the registry"]


def test_revert_of_nothing(churn, run, head):
    (churn / "NOTES").write_text("x\n")
    git(churn, "add", "NOTES")
    git(churn, "commit", "-qm", "notes")
    assert run("revert", "HEAD").out == (
        f"nothing to change: commit {head()[:10]} changed nothing in the registry\n"
    )


@pytest.mark.parametrize("text", ["nosuch", "HEAD:0", "HEAD:x", "HEAD^2", "\x1b[31m"])
def test_revert_refuses_what_is_no_commit(churn, run, head, text):
    before = head()
    result = run("revert", text, code=3)
    assert result.out == "" and "\x1b" not in result.err and head() == before


def test_help_tells_about_the_second_rollback(run):
    assert "a second one goes one further back" in " ".join(run("rollback", "--help").out.split())
