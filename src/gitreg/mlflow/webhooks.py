"""MLflow's webhook methods, for the store plugin. MLflow's server does the delivering.

Of MLflow only what every version has is imported before it is needed: the last 2.x knows no webhooks.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gitreg.mlflow.errors import MlflowError, invalid
from gitreg.mlflow.webhook_checks import check_name, check_page, check_url
from gitreg.mlflow.webhook_rows import Event, WebhookRow, WebhookStore, now

if TYPE_CHECKING:
    from mlflow.entities.webhook import Webhook, WebhookEvent, WebhookStatus, WebhookTestResult
    from mlflow.store.entities import PagedList


class Webhooks:
    """The part of a store of MLflow's that concerns webhooks: in a file of their own, not in the commits."""

    def webhook_file(self) -> Path:
        """Where they are kept: ``webhooks.db`` in the folder ``gitreg`` of the repository's Git folder."""
        raise NotImplementedError

    def create_webhook(
        self,
        name: str,
        url: str,
        events: list[WebhookEvent],
        description: str | None = None,
        secret: str | None = None,
        status: WebhookStatus | None = None,
    ) -> Webhook:
        """Deliver ``events`` to ``url`` from now on, signed with ``secret`` if there is one."""
        with _as_mlflow():
            check_name(name)
            check_url(url)
            created = now()
            row = WebhookRow(
                id=str(uuid.uuid4()),
                name=name,
                url=url,
                description=description,
                status=status.value if status else "ACTIVE",
                secret=secret,
                created=created,
                updated=created,
                events=_pairs(events),
            )
            return _entity(self._webhooks().add(row))

    def get_webhook(self, webhook_id: str) -> Webhook:
        """The webhook with that id."""
        with _as_mlflow():
            return _entity(self._webhooks().get(webhook_id))

    def list_webhooks(
        self, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Webhook]:
        """A page of all webhooks, the newest first."""
        with _as_mlflow():
            return self._page(max_results, page_token, None)

    def list_webhooks_by_event(
        self, event: WebhookEvent, max_results: int | None = None, page_token: str | None = None
    ) -> PagedList[Webhook]:
        """A page of the webhooks that wait for an event: what MLflow's server asks for before it delivers."""
        with _as_mlflow():
            return self._page(max_results, page_token, (event.entity.value, event.action.value))

    def update_webhook(
        self,
        webhook_id: str,
        name: str | None = None,
        description: str | None = None,
        url: str | None = None,
        events: list[WebhookEvent] | None = None,
        secret: str | None = None,
        status: WebhookStatus | None = None,
    ) -> Webhook:
        """Change what is not None; ``events`` take the place of all former ones."""
        with _as_mlflow():
            webhooks = self._webhooks()
            webhooks.require(webhook_id)
            if name is not None:
                check_name(name)
            if url is not None:
                check_url(url)
            pairs = None if events is None else _pairs(events)
            fields = {
                "name": name,
                "url": url,
                "description": description,
                "secret": secret,
                "status": status.value if status else None,
            }
            return _entity(webhooks.change(webhook_id, fields, pairs))

    def delete_webhook(self, webhook_id: str) -> None:
        """Forget a webhook."""
        with _as_mlflow():
            self._webhooks().remove(webhook_id)

    def test_webhook(self, webhook_id: str, event: WebhookEvent | None = None) -> WebhookTestResult:
        """Send an example to a webhook, and tell how it was answered."""
        from mlflow.webhooks.delivery import test_webhook

        return test_webhook(self.get_webhook(webhook_id), event)

    def _webhooks(self) -> WebhookStore:
        return WebhookStore(self.webhook_file())

    def _page(
        self, max_results: int | None, page_token: str | None, event: Event | None
    ) -> PagedList[Webhook]:
        from mlflow.store.entities import PagedList
        from mlflow.utils.search_utils import SearchUtils

        size = check_page(max_results)
        offset = SearchUtils.parse_start_offset_from_page_token(page_token)
        rows = self._webhooks().page(offset=min(offset, 2**62), limit=size + 1, event=event)
        token = SearchUtils.create_page_token(offset + size) if len(rows) > size else None
        return PagedList([_entity(row) for row in rows[:size]], token)


@contextmanager
def _as_mlflow() -> Iterator[None]:
    """Errors of ours as MLflow's own exception."""
    try:
        yield
    except MlflowError as error:
        from mlflow.exceptions import MlflowException
        from mlflow.protos.databricks_pb2 import ErrorCode

        raise MlflowException(error.message, ErrorCode.Value(error.code)) from error


def _pairs(events: Any) -> tuple[Event, ...]:
    from mlflow.entities.webhook import WebhookEvent

    good = isinstance(events, list) and events and all(isinstance(event, WebhookEvent) for event in events)
    if not good:
        raise invalid(f"Webhook events must be a non-empty list of WebhookEvent objects: {events}.")
    return tuple((event.entity.value, event.action.value) for event in events)


def _entity(row: WebhookRow) -> Webhook:
    from mlflow.entities.webhook import Webhook, WebhookEvent

    return Webhook(
        webhook_id=row.id,
        name=row.name,
        url=row.url,
        events=[WebhookEvent(*event) for event in row.events],
        creation_timestamp=row.created,
        last_updated_timestamp=row.updated,
        description=row.description,
        status=row.status,
        secret=row.secret,
    )
