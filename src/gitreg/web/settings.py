"""What a server was told: the options of ``gitreg serve`` in one value that other processes can be given."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from secrets import token_bytes

from gitreg.errors import UsageError
from gitreg.web.identity import Role

Network = IPv4Network | IPv6Network
MIB = 1024 * 1024
_EVERY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 (compared, not listened on)


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
        write: Whether others than this machine may write without signing in.
        sign_in: Whether nobody is answered who has not signed in, not even for reading.
        allowed_hosts: Names in the Host header beside those of loopback and ``host``.
        allowed_origins: ``scheme://host[:port]`` of pages that may write from a browser.
        user_header: The header in which a proxy tells the user; empty: none is believed.
        email_header: The header in which it tells their address; empty: none is believed.
        user_role: What users may do whom the proxy names and nothing was granted to.
        trusted_proxies: Networks from which a proxy's headers are believed beside loopback.
        log: Whether each request is written to stderr.
        signing_key: The private SSH key with which it vouches for approvers who signed in; empty: none.
        most_bytes: The longest body that is read.
        patience: Seconds that a client has for the head of a request, and again for its body.
        secret: Signs what forms carry; made by the first process, which hands it to its workers.
    """

    place: Path
    at: str | None = None
    propose: bool = False
    host: str = "127.0.0.1"
    port: int = 0
    loopback: bool = True
    write: bool = False
    sign_in: bool = False
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    user_header: str = ""
    email_header: str = ""
    user_role: Role = Role.WRITER
    trusted_proxies: tuple[Network, ...] = ()
    log: bool = False
    signing_key: str = ""
    # A tag of 100,000 characters is 600 kB when each of them is escaped.
    most_bytes: int = 2 * MIB
    patience: float = 20.0
    secret: bytes = field(default_factory=lambda: token_bytes(32), repr=False, compare=False)

    @property
    def writable(self) -> bool:
        """Whether anything can be written; who may is told by ``identity``."""
        return self.at is None

    @property
    def alone(self) -> bool:
        """Whether nobody but this machine asks, who then needs no credentials.

        Where there is a proxy, all come from this machine's address, and by which name is up to the proxy.
        """
        proxied = self.user_header or self.allowed_hosts or self.trusted_proxies
        return self.loopback and not self.sign_in and not proxied

    @property
    def anonymous(self) -> Role:
        """What those may do of whom nothing is known and who are not on this machine."""
        if self.sign_in:
            return Role.NONE
        return Role.WRITER if self.write else Role.READER


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
    if host in _EVERY:
        host = "127.0.0.1" if host != "::" else "::1"
    return _url(host, settings.port)


def address_for_others(settings: Settings) -> str:
    """The URL that clients elsewhere can give; ``""`` where the server answers to none of their names."""
    if settings.loopback:
        return ""
    if settings.allowed_hosts:
        return _url(settings.allowed_hosts[0], settings.port)
    return "" if settings.host in _EVERY else _url(settings.host, settings.port)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
