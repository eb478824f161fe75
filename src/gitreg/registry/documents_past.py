"""What the history tells as JSON data, for ``--json`` and the HTTP API alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from gitreg.domain.changes import Change, ranked
from gitreg.domain.contrast import Contrast
from gitreg.domain.contrast_model import ModelContrast
from gitreg.manifest.encode import time_text
from gitreg.render.values import change_document, plain

if TYPE_CHECKING:
    from gitreg.domain.series import Series
    from gitreg.domain.timeline import Bar, Timeline
    from gitreg.registry.blame import Blame, Credit
    from gitreg.registry.contrasting import Difference, Side
    from gitreg.registry.hands import Hands
    from gitreg.registry.log import LogEntry

Document = dict[str, Any]

_TRAILER = re.compile(r"Gitreg-[A-Za-z]+: .*")


def entry_document(entry: LogEntry, people: list[Hands]) -> Document:
    """One commit of the log, with what it changed.

    Args:
        entry: The commit.
        people: Who proposed, approved and merged its changes of stages and rules, where that is known.
    """
    commit = entry.commit
    found: Document = {
        "commit": commit.oid,
        "parents": list(commit.parents),
        "time": time_text(commit.commit_time),
        "author": {"name": commit.author.name, "email": commit.author.email},
        "committer": {"name": commit.committer.name, "email": commit.committer.email},
        "subject": commit.subject,
        "message": own_words(entry),
        "changes": [_change(change, people) for change in ranked(entry.changes)],
    }
    if entry.unread:
        found["unread"] = list(entry.unread)
    return found


def own_words(entry: LogEntry) -> str:
    """What a person wrote into the message: the body without our list of changes and trailers."""
    parts = entry.commit.body.replace("\r\n", "\n").strip("\n").split("\n\n")
    if parts and all(_TRAILER.fullmatch(row) for row in parts[-1].split("\n")):
        parts.pop()
        if parts and all(row.startswith("- ") for row in parts[-1].split("\n")):
            parts.pop()
    return "\n\n".join(parts).strip("\n")


def _change(change: Change, people: list[Hands]) -> Document:
    told = change_document(change)
    for found in people:
        if found.change is change:
            told |= _hands(found)
    return told


def _hands(found: Hands) -> Document:
    """Who had a hand in a change; of approvals that can't be judged only whose they are."""
    told: Document = {"proposed_by": [one.email for one in found.proposed_by]}
    if found.unjudged is not None:
        signers = [one.email for one in found.unjudged.signed_by]
        told["approvals_not_judged"] = {"signed_by": signers, "reason": found.unjudged.reason}
    else:
        told["approved_by"] = [one.person.email for one in found.approved_by]
        told["not_counted"] = [
            {"approver": one.person.email, "reason": one.reason} for one in found.not_counted
        ]
        attested = [one for one in found.approved_by if one.attester]
        if attested:
            told["signed_in"] = [{"approver": one.person.email, "attester": one.attester} for one in attested]
    told["merged_by"] = found.merged_by.email if found.merged_by else None
    return told


def timeline_document(found: Timeline) -> Document:
    """Who held each stage of a model when."""
    return {
        "name": found.name,
        "commit": found.commit,
        "time": time_text(found.time),
        "lanes": [{"stage": lane.stage, "bars": list(_bars(lane.bars))} for lane in found.lanes],
    }


def _bars(bars: Iterable[Bar]) -> Iterator[Document]:
    for bar in bars:
        yield {
            "version": bar.version,
            "since": None if bar.began_before else time_text(bar.since),
            "until": time_text(bar.until) if bar.until else None,
            "commit_since": bar.commit_since,
            "commit_until": bar.commit_until,
            "given_by": bar.given_by,
            "ended_by": bar.ended_by,
            **({"began_before": True} if bar.began_before else {}),
        }


def blame_document(found: Blame) -> Document:
    """Which commit set each field of a version or model."""
    subject: Document = {"name": found.name}
    if found.version is not None:
        subject["version"] = found.version
    return {**subject, "commit": found.commit, "fields": [*map(_credit, found.credits)]}


def _credit(credit: Credit) -> Document:
    found = {
        "field": credit.field,
        "key": credit.key,
        "value": credit.value,
        "commit": credit.commit,
        "author": {"name": credit.author, "email": credit.email},
        "time": time_text(credit.time),
        "subject": credit.subject,
        "event": credit.event,
    }
    if not credit.key:
        del found["key"]
    if credit.boundary:
        found["boundary"] = True
    return found


def series_document(found: Series, commit: str) -> Document:
    """Metrics over the versions of a model, as they are at a commit (full hex id)."""
    return {
        "name": found.name,
        "commit": commit,
        "evaluation": found.evaluation,
        "stage": found.stage,
        "versions": [
            {
                "version": point.version,
                "metrics": {
                    key: plain(value)
                    for key, value in zip(found.metrics, point.values, strict=True)
                    if value is not None
                },
                "stages": list(point.stages),
                "promoted": point.promoted,
                "deprecated": point.deprecated,
            }
            for point in found.points
        ],
    }


def difference_document(found: Difference, *, everything: bool) -> Document:
    """What differs between two sides.

    Args:
        found: The difference.
        everything: Of two versions, equal rows too.
    """
    from gitreg.render import contrast_data

    data: Document = {
        "before": _side(found, found.before, 0),
        "after": _side(found, found.after, 1),
        "equal": found.equal,
    }
    match found.contrast:
        case Contrast():
            data["version"] = contrast_data.version_data(found.contrast, everything=everything)
        case ModelContrast():
            data["model"] = contrast_data.model_data(found.contrast)
        case _:
            data["registry"] = contrast_data.registry_data(found.contrast)
    return data


def _side(found: Difference, side: Side, at: int) -> Document:
    data: Document = {"asked": side.asked} if side.asked else {}
    data |= {"commit": side.commit, "time": time_text(side.time)}
    if isinstance(found.contrast, Contrast):
        version = (found.contrast.before, found.contrast.after)[at]
        data |= {"name": version.name, "version": version.version}
    return data
