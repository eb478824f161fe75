"""What MLflow refuses in a webhook, in its words: its own checks are no part of its public interface."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import threading
from urllib.parse import urlparse

from gitreg.mlflow.errors import invalid

SCHEMES_VARIABLE = "MLFLOW_WEBHOOK_ALLOWED_SCHEMES"
PRIVATE_VARIABLE = "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS"
MAX_NAME = 63
MAX_PAGE = 1000

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
_PATIENCE = 5.0  # seconds for a name server
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address at the end of an IPv6 one (RFC 6052)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


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
        found = _looked_up(host)
    except (OSError, ValueError) as error:
        raise invalid(f"Cannot resolve Webhook URL hostname {host!r}: {error}") from error
    for text in found:
        address = ipaddress.ip_address(text.partition("%")[0])
        if not _meant(address).is_global:
            raise invalid(
                f"Webhook URL must not resolve to a non-public IP address. {host!r} resolves to {address}."
            )


def _looked_up(host: str) -> list[str]:
    """The addresses of a host. In a thread, since nothing else ends a wait for a name server."""
    found: list[str] = []
    failed: list[OSError | ValueError] = []

    def ask() -> None:
        try:
            found.extend(str(info[4][0]) for info in socket.getaddrinfo(host, None))
        except (OSError, ValueError) as error:
            failed.append(error)

    thread = threading.Thread(target=ask, name="gitreg-webhook-host", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise invalid(f"Timed out resolving Webhook URL hostname {host!r} after {_PATIENCE:g} seconds")
    return found


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        return inner or address
    return address
