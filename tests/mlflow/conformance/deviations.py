"""Where gitreg's store answers otherwise than MLflow's own, each with its reason: rows of the compatibility page."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """One difference that is meant.

    Args:
        title: What is different, in a few words.
        mlflow: What MLflow's SQL store does.
        gitreg: What gitreg does instead.
        why: The reason.
    """

    title: str
    mlflow: str
    gitreg: str
    why: str


DEVIATIONS = {
    "control-characters": Deviation(
        title="Names with control characters",
        mlflow="Takes a newline, NUL or ESC in a model's name.",
        gitreg="Refuses the name.",
        why="A name stands in file names, tags, commit messages and terminals.",
    ),
    "long-names": Deviation(
        title="Very long names",
        mlflow="Takes any length on SQLite; other databases end at 256 characters.",
        gitreg="Refuses a name whose folder would be longer than a file system holds.",
        why="A model is a folder and a tag.",
    ),
    "twins": Deviation(
        title="Names that differ in case alone",
        mlflow="`Fraud` and `fraud` are two models; one can be renamed to the other.",
        gitreg="Refuses the second, and names the first; refuses a rename that changes case alone.",
        why="They would be one folder on macOS and Windows.",
    ),
    "numbers-go-on": Deviation(
        title="Numbers after a model is deleted",
        mlflow="A model that is made again under the name begins at version 1.",
        gitreg="Its versions go on from the last number.",
        why="The tag of version 1 names the commit that registered the first one; no tag is ever moved.",
    ),
    "used-names": Deviation(
        title="A rename to a name under which another model had versions",
        mlflow="Takes it.",
        gitreg="Refuses it, unless they were the model's own. A new model can have the name: its numbers go on.",
        why="The versions that come along would have numbers, and so tags, that others have had.",
    ),
    "passwords": Deviation(
        title="Passwords in addresses",
        mlflow="Takes a source or run link with a user name and password in it.",
        gitreg="Refuses it.",
        why="A commit keeps it for good, and every clone has it.",
    ),
    "manifest-size": Deviation(
        title="Size of a model or version",
        mlflow="No limit to all descriptions and tags together.",
        gitreg="Refuses what would make a manifest larger than its limit.",
        why="A manifest is a file that people read and Git compares.",
    ),
    "no-change": Deviation(
        title="Calls that change nothing",
        mlflow="Gives a new last_updated_timestamp to what is described, moved or renamed as it is already.",
        gitreg="Makes no commit, and moves no time.",
        why="A commit says what changed.",
    ),
    "model-times": Deviation(
        title="A model's time after a version left a stage or was deleted",
        mlflow="Gives the model a new last_updated_timestamp.",
        gitreg="The model shows the latest of its own update, its newest version's creation and the transitions "
        "into the stages that are held now.",
        why="A change of one version writes one file: branches that change two versions merge without a conflict.",
    ),
    "rename-times": Deviation(
        title="Times after a rename",
        mlflow="Gives every version a new last_updated_timestamp.",
        gitreg="Gives the model one; its versions keep theirs.",
        why="A rename moves the versions' files without a change to any of them.",
    ),
    "webhook-secrets": Deviation(
        title="Where webhooks are kept",
        mlflow="In the database.",
        gitreg="In a file of the repository's own folder, outside of every commit; clones don't have them.",
        why="A secret that was committed once can be read by everyone who ever clones.",
    ),
    "test-webhook": Deviation(
        title="Who sends the test of a webhook",
        mlflow="The server alone: the SQL store itself raises NotImplementedError.",
        gitreg="The store, too.",
        why="A webhook can be tested from a script, without a server.",
    ),
    "as-mlflow-3": Deviation(
        title="With MLflow 2, the rules of MLflow 3",
        mlflow="MLflow 2 takes `/`, `:` and blanks as names, knows no alias `latest`, ends tag values at 5,000 "
        "characters, and gives INVALID_PARAMETER_VALUE for an alias of a model that is not there.",
        gitreg="Answers as with MLflow 3. Filters are read by the parser of the MLflow that is installed.",
        why="Clients of both work on one registry.",
    ),
    "is-null": Deviation(
        title="IS NULL in filters",
        mlflow="MLflow 3's parser fails with a ValueError, its server with HTTP 500.",
        gitreg="Refuses the clause.",
        why="A filter that can't be read is the caller's mistake.",
    ),
    "page-size": Deviation(
        title="Pages of models below zero",
        mlflow="Answers a page that leaves models out, with a token that leads nowhere or none.",
        gitreg="Refuses the size, as both do for versions.",
        why="No caller can mean it.",
    ),
    "empty-description": Deviation(
        title="Empty descriptions",
        mlflow='Tells None and "" apart.',
        gitreg="Both are None.",
        why="A manifest leaves out a description that says nothing.",
    ),
}
