"""The commits that make a change are signed by their authors, or with a hosting service's merge key."""

from __future__ import annotations

from collections.abc import Iterator

from gitreg.domain.approval import address_key
from gitreg.errors import InvalidManifests
from gitreg.policy.context import CommitSignature, Entering, Judgement, Material
from gitreg.policy.wording import at_stage, subject_of

_ALWAYS = "git config --global commit.gpgSign true"
_AGAIN = "git commit --amend --no-edit -S"


def judge(entering: Entering, material: Material) -> Iterator[Judgement]:
    """Whether every commit that brings the version to the stage is signed."""
    if entering.stage.signed:
        yield of_commits(material, subject=subject_of(entering), path=at_stage(entering, material)[0])


def of_commits(material: Material, *, subject: str, path: str) -> Judgement:
    """Whether every commit that makes a change is signed by its author.

    Args:
        material: Knows the commits.
        subject: What is judged.
        path: The file that the change is in.
    """
    found: list[CommitSignature] = []
    try:
        found = list(material.signatures())
    except InvalidManifests as error:
        faults = [f"the keys can't be read ({error.findings[0].location}: {error.findings[0].message})"]
    else:
        faults = [fault for each in found if (fault := _fault(each))]
        if not found:
            faults = ["there is no commit whose signature could be looked at"]
    if not faults:
        return Judgement(rule="signed", passed=True, message="signed by who made it", subject=subject)
    return Judgement(
        rule="signed",
        passed=False,
        message="; ".join(faults),
        code="GR207",
        subject=subject,
        path=path,
        help=f"{_ALWAYS}, then {_AGAIN}" if any(each.commit for each in found) else _ALWAYS,
    )


def _fault(one: CommitSignature) -> str:
    name = f"the commit {one.commit[:10]}" if one.commit else "the commit"
    if one.fault:
        return f"{name} by {one.author}: {one.fault}"
    if one.merge or address_key(one.author) in map(address_key, one.signer):
        return ""
    who = ", ".join(one.signer) or "a stranger"
    return f"{name} names {one.author} as its author, and is signed by {who}"
