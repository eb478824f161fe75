"""What a repository's tags tell GTO: one event for each tag that has GTO's form."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from gitreg.gitstore.objects import Person, parse_signature
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.signatures import split_tag
from gitreg.gitstore.tagrefs import tags

Kind = Literal["deprecate", "register", "deregister", "assign", "unassign"]

# Events of one second: GTO looks at artifacts first, then at versions, then at stages.
_ORDER: tuple[Kind, ...] = ("register", "deregister", "assign", "unassign", "deprecate")

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9/_-]*[A-Za-z0-9])?"
_FORM = re.compile(
    rf"(?P<artifact>(?:[A-Za-z0-9_./-]+=)?{_NAME})"
    rf"(?:#(?P<stage>{_NAME})(?P<lost>!)?|@(?P<version>v[0-9][^#!@]*)(?P<gone>!)?|@(?P<mark>deprecated|created))"
    r"(?:#[0-9]+)?"
)
_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"v({_NUMBER})\.({_NUMBER})\.({_NUMBER})(?:-({_LABEL}(?:\.{_LABEL})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GtoEvent:
    """One tag that GTO reads.

    Attributes:
        tag: Its name, without ``refs/tags/``.
        artifact: The artifact's name as GTO shows it: ``churn``, ``models:churn``.
        version: ``v1.2.3`` for a registration or its end, else ``""``.
        stage: For an assignment or its end, else ``""``.
        commit: Full hex id of the commit that it points at.
    """

    tag: str
    kind: Kind
    artifact: str
    version: str
    stage: str
    commit: str
    when: datetime
    tagger: Person
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The events in order, and the tags of GTO's form that GTO does not read, with the reason."""

    events: tuple[GtoEvent, ...]
    ignored: Mapping[str, str]


def read_events(reader: Reader) -> Told:
    """The events that a repository's tags tell, by the tagger's time as GTO orders them."""
    events, ignored = [], {}
    for name, oid in tags(reader.repository).items():
        match = _FORM.fullmatch(name)
        if match is None or (match["version"] and not _SEMVER.fullmatch(match["version"])):
            continue
        if match["mark"] == "created":
            ignored[name] = "GTO can't read a creation by itself"
            continue
        kind, data = reader.object(oid)
        if kind != "tag":
            ignored[name] = "a lightweight tag, which GTO does not read"
            continue
        event = _event(name, match, split_tag(data)[0])
        if event is None:
            ignored[name] = "it says neither when nor by whom, or points at no commit"
        else:
            events.append(event)
    events.sort(key=lambda one: (one.when, _ORDER.index(one.kind), semver_key(one.version), one.tag))
    return Told(events=tuple(events), ignored=ignored)


def _event(name: str, match: re.Match[str], data: bytes) -> GtoEvent | None:
    head, _, message = data.partition(b"\n\n")
    fields = dict(line.partition(b" ")[::2] for line in head.split(b"\n"))
    if b"tagger" not in fields or fields.get(b"type") != b"commit":
        return None
    signature = parse_signature(fields[b"tagger"])
    return GtoEvent(
        tag=name,
        kind=_kind(match),
        artifact=match["artifact"].replace("=", ":"),
        version=match["version"] or "",
        stage=match["stage"] or "",
        commit=fields[b"object"].decode("ascii", "replace"),
        when=signature.when,
        tagger=signature.person,
        message=message.decode("utf-8", "replace").strip(),
    )


def _kind(match: re.Match[str]) -> Kind:
    if match["mark"]:
        return "deprecate"
    if match["stage"]:
        return "unassign" if match["lost"] else "assign"
    return "deregister" if match["gone"] else "register"


def semver_key(text: str) -> tuple[object, ...]:
    """By what versions are sorted (semver.org, 11): ``v1.0.0-rc.1`` before ``v1.0.0``; ``""`` before all."""
    match = _SEMVER.fullmatch(text)
    if match is None:
        return ()
    numbers = tuple(int(match[at]) for at in (1, 2, 3))
    before = match[4]
    parts = tuple(
        (0, int(part), "") if part.isdigit() else (1, 0, part) for part in (before or "").split(".") if part
    )
    return (*numbers, before is None, parts)
