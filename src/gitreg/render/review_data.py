"""A review as JSON data."""

from __future__ import annotations

from gitreg.domain.review import Approved, Approver, Move, Review, Ruling
from gitreg.manifest.encode import time_text
from gitreg.render.contrast_data import registry_data, rule_document, version_data
from gitreg.render.findings import document as finding_document
from gitreg.render.review_words import sentence
from gitreg.render.values import Document, change_document, version_document


def review_document(review: Review) -> Document:
    """The review; ``ready`` says whether every rule is met, ``summary`` all of it in a sentence."""
    found: Document = {
        "base": review.base,
        "head": review.head,
        "ready": review.clean,
        "exit_code": review.exit_code,
        "summary": "".join(sentence(review)),
        "moves": [_move(move) for move in review.moves],
        "changes": [change_document(change) for change in review.others],
        "findings": [finding_document(one) for one in review.findings],
    }
    if review.vacated:
        found["vacated"] = [{"model": name, "stage": stage} for name, stage in review.vacated]
    if review.rules:
        found["policy"] = {"rules": [_ruling(one) for one in review.rules.rulings]}
        found["policy"]["changes"] = [rule_document(one) for one in review.rules.changes]
        found["policy"] |= _approved(review.rules.approved)
    if review.contrast:
        found["difference"] = registry_data(review.contrast)
    for key in ("approve", "merge"):
        if getattr(review, key):
            found[key] = getattr(review, key)
    return found


def _move(move: Move) -> Document:
    found: Document = {
        **change_document(move.change),
        "candidate": version_document(move.version),
        "incumbent": version_document(move.incumbent) if move.incumbent else None,
        "ready": move.passed,
        "rules": [_ruling(one) for one in move.rulings],
        **_approved(move.approved),
    }
    if move.better:
        found["better"] = dict(move.better)
    if move.contrast:
        found["difference"] = version_data(move.contrast)
    found["undo"] = move.undo
    return found


def _ruling(ruling: Ruling) -> Document:
    found: Document = {"rule": ruling.rule, "passed": ruling.passed, "message": ruling.message}
    return found | ({"help": ruling.help} if ruling.help else {})


def _approved(approved: Approved | None) -> Document:
    return {} if approved is None else {"approvals": approvals_document(approved)}


def approvals_document(approved: Approved) -> Document:
    """The approvals that a change needs and has."""
    return {
        "needed": approved.needed,
        "given": [_approver(one) for one in approved.given],
        "refused": [_approver(one) for one in approved.refused],
        "approvers": list(approved.may),
    }


def _approver(one: Approver) -> Document:
    found: Document = {"approver": one.principal}
    if one.at:
        found["at"] = time_text(one.at)
    if one.expires:
        found["expires"] = time_text(one.expires)
    if one.attester:
        found["attester"] = one.attester
    return found | ({"reason": one.refused} if one.refused else {})
