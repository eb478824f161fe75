"""An event as it is sent: a CloudEvent, as structured JSON or with its attributes in headers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from gitreg.manifest.encode import time_text
from gitreg.subscribers.kinds import Kind
from gitreg.subscribers.webhook import Mode

Data = dict[str, Any]

SCHEMA = "urn:gitreg:schema:event.v1"
"""The attribute ``dataschema``: the ``$id`` of ``event.v1.schema.json`` beside this file."""

MOST_BYTES = 256 * 1024
"""The longest body."""

_LONGEST_TEXT = 1000  # characters of a name, subject or summary
# What goes first where a body would be too long; ``left_out`` says so.
_LEAVE_OUT = ("after", "before", "params", "tags", "metrics", "changes", "message", "source", "approvals")
_VISIBLE = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) not in '"%')


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened.

    Attributes:
        id: The same each time that this is told; printable ASCII without dots.
        kind: Its type.
        subject: ``churn/12``, ``churn``, ``proposals/7``, or ``""`` for the registry.
        time: When: of the commit.
        data: What is told of it, see ``event.v1.schema.json``.
    """

    id: str
    kind: Kind
    subject: str
    time: datetime
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request's headers and body, not signed yet."""

    headers: dict[str, str]
    body: bytes


def message(event: Event, *, source: str, mode: Mode) -> Message:
    """An event by CloudEvents' HTTP binding (CloudEvents 1.0.2, http-protocol-binding).

    Args:
        event: What happened.
        source: Which registry: a URI.
        mode: ``structured``: all in one JSON document; ``binary``: the attributes in headers.
    """
    attributes = {
        "specversion": "1.0",
        "id": event.id,
        "source": source,
        "type": event.kind.type,
        **({"subject": event.subject} if event.subject else {}),
        "time": time_text(event.time),
        "dataschema": SCHEMA,
    }
    if mode == "binary":
        named = {
            f"ce-{key}": quote(value, safe=_VISIBLE, errors="replace") for key, value in attributes.items()
        }
        return Message(headers={"content-type": "application/json", **named}, body=_bounded({}, event.data))
    envelope = {**attributes, "datacontenttype": "application/json"}
    content_type = "application/cloudevents+json; charset=utf-8"
    return Message(headers={"content-type": content_type}, body=_bounded(envelope, event.data))


def schema_text() -> str:
    """The JSON Schema of ``Event.data``."""
    from importlib import resources  # slow to import, and rarely asked for

    return resources.files("gitreg.subscribers").joinpath("event.v1.schema.json").read_text("utf-8")


def short(text: str) -> str:
    """``text``, cut where it is very long."""
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _bounded(envelope: Data, data: Data) -> bytes:
    body = _json(envelope, data)
    left_out: list[str] = []
    for key in _LEAVE_OUT:
        if len(body) <= MOST_BYTES:
            break
        if data.get(key):
            left_out.append(key)
            kept = {name: value for name, value in data.items() if name not in left_out}
            body = _json(envelope, {**kept, "left_out": left_out})
    return body


def _json(envelope: Data, data: Data) -> bytes:
    document = {**envelope, "data": data} if envelope else data
    # A commit may hold bytes that are no UTF-8: no JSON may.
    return json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
