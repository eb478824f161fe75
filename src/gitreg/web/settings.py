"""What a server was told: the options of ``gitreg serve`` in one value that other processes can be given."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from gitreg.errors import UsageError

Network = IPv4Network | IPv6Network
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a registry is served.

    Args:
        place: The registry: a folder in it, or a bare repository.
        at: A date or revision that all reads are of; then nothing can be written.
        propose: Whether a transition that policy refuses becomes a proposal.
        host: The address that it listens on.
        port: The port that it listens on.
        loopback: Whether only this machine can reach it.
        write: Whether others than this machine may write.
        allowed_hosts: Names in the Host header beside those of loopback and ``host``.
        allowed_origins: ``scheme://host[:port]`` of pages that may write from a browser.
        user_header: The header in which a proxy tells the user; empty: none is believed.
        trusted_proxies: Networks from which ``user_header`` is believed beside loopback.
        most_bytes: The longest body that is read.
        patience: Seconds that a client has for the head of a request, and again for its body.
    """

    place: Path
    at: str | None = None
    propose: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    loopback: bool = True
    write: bool = False
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    user_header: str = ""
    trusted_proxies: tuple[Network, ...] = ()
    # A tag of 100,000 characters is 600 kB when each of them is escaped.
    most_bytes: int = 2 * MIB
    patience: float = 20.0

    @property
    def writable(self) -> bool:
        """Whether any request may write."""
        return (self.loopback or self.write) and self.at is None


def network(text: str) -> Network:
    """An address or a network (``10.0.0.0/8``).

    Raises:
        UsageError: It is neither.
    """
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise UsageError(
            f"{text} is no address or network",
            where="--trusted-proxy",
            hint="such as 10.0.0.7 or 10.0.0.0/24",
        ) from None


def is_loopback(address: str) -> bool:
    """Whether a peer's or a socket's address is this machine's own."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def address(settings: Settings) -> str:
    """The URL that a client on this machine can give."""
    host = settings.host
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 (compared, not listened on)
        host = "127.0.0.1" if host != "::" else "::1"
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
