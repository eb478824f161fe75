"""Which addresses others than this network's own may be told to connect to, however they are written."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

PATIENCE = 5.0
"""Seconds for a name server."""

_UNICAST = ipaddress.IPv6Network("2000::/3")  # all that IANA has given out for IPv6
# IANA's special-purpose registries, as of 2026, in full: what ``is_global`` says depends on Python's version.
# Those that are reached from everywhere (AS112, AMT, relays) are no place for a webhook either.
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24"),
            *("192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),
            *("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20"),
        ),
    )
)
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # an IPv4 address at the end of an IPv6 one (RFC 6052)


def is_public(text: str) -> bool:
    """Whether an address is one of the whole internet: neither private, loopback, link-local nor reserved.

    Args:
        text: As ``getaddrinfo`` gives it, a zone included.
    """
    address = _meant(ipaddress.ip_address(text.partition("%")[0]))
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, or itself."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _TRANSLATED:
            inner = ipaddress.IPv4Address(address.packed[-4:])
        return inner or address
    return address


def looked_up(host: str, port: int | None, *, patience: float = PATIENCE) -> list[tuple[int, Any]]:
    """The family and socket address of each address of a host, as ``socket.connect`` takes them.

    In a thread, since nothing else ends a wait for a name server.

    Args:
        host: A name, or an address in any spelling that the system knows (``0x7f.1``).
        port: The port; None for none.
        patience: Seconds to wait.

    Raises:
        OSError: The host has no address; a TimeoutError where none came in time.
    """
    found: list[tuple[int, Any]] = []
    failed: list[OSError] = []

    def ask() -> None:
        try:
            asked = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.extend((info[0], info[4]) for info in asked)
        except OSError as error:
            failed.append(error)
        except ValueError as error:  # a label that is too long to be asked for
            failed.append(OSError(str(error)))

    thread = threading.Thread(target=ask, name="gitreg-host", daemon=True)
    thread.start()
    thread.join(max(patience, 0.0))
    if failed:
        raise failed[0]
    if thread.is_alive():
        raise TimeoutError(f"no name server answered within {patience:g} seconds")
    return found
