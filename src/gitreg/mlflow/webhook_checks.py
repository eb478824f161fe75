"""What MLflow refuses in a webhook, in its words: its own checks are no part of its public interface."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from urllib.parse import urlparse

from gitreg.mlflow.errors import invalid
from gitreg.subscribers.addresses import PATIENCE, is_public, looked_up

SCHEMES_VARIABLE = "MLFLOW_WEBHOOK_ALLOWED_SCHEMES"
PRIVATE_VARIABLE = "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"
MAX_NAME = 63
MAX_PAGE = 1000

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)


def check_name(name: object) -> None:
    """Raise MlflowError unless it can be a webhook's name."""
    if not isinstance(name, str):
        raise invalid(f"Webhook name must be a string, got {type(name).__name__!r}")
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise invalid(
            f"Webhook name {name!r} is invalid. It must start and end with a letter or digit, be less than "
            f"{MAX_NAME} characters long, and contain only letters, digits, dots (.), underscores (_), and "
            "hyphens (-)."
        )


def check_url(url: object) -> None:
    """Raise MlflowError unless deliveries may go there: over HTTPS, to a public address.

    Variables of MLflow's own allow more, for tests and closed networks.
    """
    if not isinstance(url, str):
        raise invalid(f"Webhook URL must be a string, got {type(url).__name__!r}")
    if not url.strip():
        raise invalid(f"Webhook URL cannot be empty or just whitespace: {url!r}")
    try:
        parts = urlparse(url)
        host = parts.hostname
    except ValueError as error:
        raise invalid(f"Invalid webhook URL {url!r}: {error!r}") from error
    schemes = [scheme.strip() for scheme in os.environ.get(SCHEMES_VARIABLE, "https").split(",")]
    if parts.scheme not in schemes:
        raise invalid(
            f"Invalid webhook URL scheme: {parts.scheme!r}. Allowed schemes are: {', '.join(schemes)}."
        )
    if not host:
        raise invalid(f"Webhook URL must include a hostname: {url!r}")
    if os.environ.get(PRIVATE_VARIABLE, "").lower() not in ("true", "1"):
        _check_public(host)


def check_page(max_results: int | None) -> int:
    """How many webhooks a page has."""
    size = max_results or 100
    if not 1 <= size <= MAX_PAGE:
        raise invalid(f"max_results must be between 1 and {MAX_PAGE}.")
    return size


def _check_public(host: str) -> None:
    try:
        found = [str(address[0]) for _, address in looked_up(host, None)]
    except TimeoutError:
        raise invalid(
            f"Timed out resolving Webhook URL hostname {host!r} after {PATIENCE:g} seconds"
        ) from None
    except OSError as error:
        raise invalid(f"Cannot resolve Webhook URL hostname {host!r}: {error}") from error
    for text in found:
        if not is_public(text):
            address = ip_address(text.partition("%")[0])
            raise invalid(
                f"Webhook URL must not resolve to a non-public IP address. {host!r} resolves to {address}."
            )
