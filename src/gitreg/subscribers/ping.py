"""The event that tries a webhook."""

from __future__ import annotations

import secrets
from datetime import datetime

from gitreg.subscribers.event import Event
from gitreg.subscribers.kinds import PING
from gitreg.subscribers.webhook import Webhook


def ping(webhook: Webhook, now: datetime) -> Event:
    """An event that tells of nothing; each has an id of its own.

    Args:
        webhook: Whom it is for.
        now: The time.
    """
    data = {"summary": f"a ping for the webhook {webhook.name}"}
    return Event(id=f"ping:{secrets.token_hex(16)}", kind=PING, subject="", time=now, data=data)
