"""Answers as JSON data: the command line's ``--json`` and the HTTP API say the same thing by these."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from gitreg.manifest.encode import encode_settings, time_text
from gitreg.render.values import change_document, model_document, plain, version_document

if TYPE_CHECKING:
    from gitreg.domain.model import ModelState, ModelVersion
    from gitreg.domain.settings import Settings
    from gitreg.registry.approval_commit import Added
    from gitreg.registry.approving import Plan, Statement
    from gitreg.registry.merge_proposal import Merged
    from gitreg.registry.numbered import Numbered
    from gitreg.registry.open_proposals import Listed, OpenProposal
    from gitreg.registry.overview import Summary
    from gitreg.registry.receipt import Receipt
    from gitreg.registry.rollback import Rolled
    from gitreg.registry.searching import FoundModel, VersionPage
    from gitreg.registry.store import Store
    from gitreg.registry.verdict import Judged
    from gitreg.registry.view import VersionDocument, View
    from gitreg.registry.withdrawing import Withdrawn

Document = dict[str, Any]
Aliases = Mapping[tuple[str, int], Sequence[str]]


def summary_document(found: Summary) -> Document:
    """A registered model at a glance, as ``list`` tells it."""
    return {
        **model_document(found.model),
        "updated": plain(found.updated),
        "version_count": found.count,
        "latest_version": found.latest,
        "stages": {stage: list(held) for stage, held in found.stages.items()},
    }


def found_model_document(found: FoundModel) -> Document:
    """A registered model that a search found."""
    return {**model_document(found.model), "latest_version": found.latest}


def listed_version_document(version: VersionDocument, aliases: Aliases) -> Document:
    """As ``render.values.version_document``, from a manifest's data.

    Args:
        version: One of a long list.
        aliases: Model and version → the aliases that point to it, of all that are listed.
    """
    name, number, data = version
    return {
        "name": name,
        **data,
        "stages": data.get("stages", {}),
        "status": data.get("status", "READY"),
        "aliases": list(aliases.get((name, number), ())),
    }


def found_version_documents(page: VersionPage) -> list[Document]:
    """The versions that a search found."""
    return [version_document(each, page.aliases.get((each.name, each.version), ())) for each in page.versions]


def shown_version_document(store: Store, view: View, version: ModelVersion) -> Document:
    """A version as ``show`` tells it: with the commit that registered it, and its author."""
    from gitreg.registry.registration import registration

    found = version_document(version, view.aliases(version))
    made = registration(store, view, version)
    if made:
        author = {"name": made.author.name, "email": made.author.email}
        found["registered"] = {"commit": made.commit, "author": author}
    return found


def resolution_document(version: ModelVersion) -> Document:
    """Where a version's model lies, as ``resolve`` tells it."""
    found: Document = {"name": version.name, "version": version.version, "source": version.source}
    artifact = version.origin.artifact
    if artifact and artifact.digest:
        found["digest"] = artifact.digest
    return found


def policy_document(settings: Settings) -> Document:
    """The rules of the registry, under the field names of ``gitreg.yaml``."""
    data = encode_settings(settings)
    return {key: data[key] for key in ("stages", "policy", "merge_keys") if key in data}


def judged_document(judged: Judged) -> Document:
    """What the rules say of a version that would enter a stage."""
    entering = judged.entering
    return {
        "model": entering.version.name,
        "version": entering.version.version,
        "stage": entering.stage.name,
        "incumbent": entering.incumbent.version if entering.incumbent else None,
        "passed": judged.passed,
        "rules": [
            {"rule": each.rule, "passed": each.passed, "message": each.message}
            | ({"help": each.help} if each.help and not each.passed else {})
            for each in judged.judgements
        ],
    }


def held_document(version: ModelVersion, stage: str) -> Document:
    """The same of a version that holds the stage already: no rule is asked."""
    told = {"model": version.name, "version": version.version, "stage": stage}
    return {**told, "incumbent": version.version, "passed": True, "rules": []}


# What writes answer


def receipt_document(receipt: Receipt, warnings: Iterable[str]) -> Document:
    """The outcome of a write: its commit, its tags and what changed.

    Args:
        receipt: The outcome.
        warnings: What the caller should know, one sentence each.
    """
    return {
        "commit": receipt.commit,
        "branch": receipt.branch,
        "tags": list(receipt.tags),
        "changes": [change_document(change) for change in receipt.changes],
        "warnings": list(warnings),
    }


def written_document(state: ModelState, number: int | None) -> Document:
    """The model that was written to as it is afterwards, and the version where it was one.

    Args:
        state: The model's.
        number: Of the version; None: it was the model itself.
    """
    found: Document = {}
    if state.model is not None:
        found["model"] = model_document(state.model)
    if number is not None:
        aliases = registered_aliases(state.model, number)
        found["version"] = version_document(state.versions[number], aliases)
    return found


def registered_number(receipt: Receipt) -> int | None:
    """The number that a registration was given; None for every other change."""
    numbers = (change.version for change in receipt.changes if change.event == "register")
    return next((number for number in numbers if number is not None), None)


def registered_aliases(model: Any, version: int) -> list[str]:
    """The aliases of ``model`` (any of its forms) that point to ``version``."""
    return [alias for alias, number in getattr(model, "aliases", {}).items() if number == version]


def rolled_document(rolled: Rolled) -> Document:
    """Who got a stage back and who lost it."""
    held = [
        {
            "version": number,
            "since": time_text(rolled.held[number].since),
            "until": time_text(until) if (until := rolled.held[number].until) else None,
        }
        for number in rolled.plan.back
    ]
    commit = rolled.receipt.commit
    return {
        "rollback": {
            "stage": rolled.stage,
            "back": held,
            "left": list(rolled.plan.left),
            "passed_over": list(rolled.plan.passed_over),
            "vacated": {stage: list(numbers) for stage, numbers in rolled.plan.vacated.items()},
            "undo": f"gitreg revert {commit[:10]}" if commit else None,
        }
    }


# Proposals


def proposal_document(one: OpenProposal) -> Document:
    """Which proposal it is."""
    return {
        "number": one.number,
        "branch": one.branch or None,
        "ref": one.ref,
        "head": one.head,
        "target": one.target,
        "url": one.url or None,
        "shared": one.shared,
    }


def listed_proposal_document(one: Listed) -> Document:
    """A proposal with what it does and what it lacks, as ``proposals`` lists it."""
    from gitreg.render.findings import document

    findings = one.verdict.findings if one.verdict else ()
    return {
        **proposal_document(one.proposal),
        "subject": one.subject,
        "by": one.proposal.by or f"{one.author.name} <{one.author.email}>",
        "when": time_text(one.when),
        "state": one.state,
        "passes": one.verdict is not None and one.verdict.clean,
        "findings": [document(each) for each in findings],
    }


def numbered_document(one: Numbered) -> Document:
    """A proposal that its server has closed, with the keys of ``listed_proposal_document``."""
    return {
        "number": one.number,
        "branch": one.topic or None,
        "ref": one.ref,
        "head": one.head,
        "target": one.target,
        "url": None,
        "shared": True,
        "subject": one.title or one.topic,
        "by": one.by,
        "when": time_text(one.updated) if one.updated else None,
        "state": one.state,
        "passes": False,
        "findings": [],
    }


def approved_document(wanted: Plan, added: Added | None) -> Document:
    """What was signed; ``commit`` is null where nothing was written."""
    return {
        "branch": wanted.proposal.branch,
        "commit": added.commit if added else None,
        "changes": [change_document(change) for change in added.changes] if added else [],
        "approvals": [
            {
                "path": path,
                "approver": each.approver,
                "at": time_text(each.at),
                "expires": time_text(each.expires),
                **_about(each),
            }
            for path, each in wanted.statements.items()
        ],
        "words": list(added.words) if added else [],
        "warnings": list(added.notes) if added else [],
    }


def _about(statement: Statement) -> Document:
    from gitreg.domain.approval import PolicyApproval

    if isinstance(statement, PolicyApproval):
        return {"policy": statement.after}
    return {
        "model": statement.model,
        "version": statement.version,
        "stage": statement.stage,
        "number": statement.number,
    }


def merged_document(done: Merged) -> Document:
    """What came of merging a proposal."""
    return {
        "commit": done.commit,
        "branch": done.upstream.branch,
        "base": done.upstream.base,
        "proposal": proposal_document(done.proposal),
        "changes": [change_document(change) for change in done.changes],
        "followed": done.followed,
        "words": list(done.words),
        "warnings": list(done.notes),
    }


def withdrawn_document(done: Withdrawn) -> Document:
    """What came of withdrawing a proposal."""
    return {
        "proposal": proposal_document(done.proposal),
        "words": list(done.words),
        "warnings": list(done.notes),
    }
