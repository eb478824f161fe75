"""Which hosting service an address belongs to, and where its pages are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from gitreg.errors import InvalidInput
from gitreg.gitstore.remote_urls import without_password

Service = Literal["github", "gitlab", "gitea", "gerrit", "gitreg", "plain"]

_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[^]/]+\]|[^@/:\[]+):(?!//)(?P<path>.+)", re.DOTALL)
_WORDS: tuple[tuple[str, Service], ...] = (
    ("gitlab", "gitlab"),
    ("gitea", "gitea"),
    ("forgejo", "gitea"),
    ("gerrit", "gerrit"),
)
_HOSTS: dict[str, Service] = {
    "github.com": "github",
    "ssh.github.com": "github",
    "codeberg.org": "gitea",
    "altssh.gitlab.com": "gitlab",
}
_SAME = {"ssh.github.com": "github.com", "altssh.gitlab.com": "gitlab.com"}  # ssh over port 443
_HOST = re.compile(r"[A-Za-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](?::[0-9]{1,5})?")
_NAMED: dict[str, Service] = {
    "github": "github",
    "gitlab": "gitlab",
    "gitea": "gitea",
    "gerrit": "gerrit",
    "gitreg": "gitreg",
    "none": "plain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A repository on a service: ``web`` as ``https://host``, ``path`` as ``owner/name``; no secrets."""

    web: str
    path: str

    @property
    def host(self) -> str:
        """The host, with its port where it is not the usual one."""
        return urlsplit(self.web).netloc

    @property
    def page(self) -> str:
        """The address of the repository's own page."""
        return f"{self.web}/{self.path}"


def detect(url: str, setting: str = "auto") -> Service:
    """The service behind an address.

    Args:
        url: Of the remote.
        setting: ``proposals.forge`` of the registry's settings; ``auto``: told by the host's name.
    """
    if setting in _NAMED:
        return _NAMED[setting]
    host = _split(url)[1].rpartition("@")[2].lower()
    name = re.sub(r":\d+$", "", host)
    if name in _HOSTS:
        return _HOSTS[name]
    if name.split(".")[0] == "github" or name.endswith(".ghe.com"):  # GitHub Enterprise, as most name it
        return "github"
    return next((service for word, service in _WORDS if word in name), "plain")


def repository_of(url: str) -> Place:
    """Where the repository's pages are, from an ``https``, ``ssh`` or ``user@host:path`` address.

    Raises:
        InvalidInput: The address is a local folder, or names no repository.
    """
    scheme, netloc, path = _split(url)
    host = netloc.rpartition("@")[2]
    path = path.split("?")[0].split("#")[0].strip("/").removesuffix(".git").strip("/")
    parts = path.split("/")
    good = _HOST.fullmatch(host) and path.isprintable() and " " not in path
    if not good or not all(parts) or any(part in (".", "..") for part in parts):
        raise InvalidInput(
            "this address names no repository on a hosting service",
            where=without_password(url) if url.isprintable() else "",
            hint="see: git remote -v; set proposals.forge: none in gitreg.yaml",
        )
    if scheme not in ("http", "https"):
        host = re.sub(r":\d+$", "", host)  # the port of ssh says nothing about the pages
    host = _SAME.get(host.lower(), host)
    return Place(web=f"{'http' if scheme == 'http' else 'https'}://{host}", path=path)


def _split(url: str) -> tuple[str, str, str]:
    scheme, separator, rest = url.partition("://")
    if separator:
        netloc, _, path = rest.partition("/")
        return scheme.lower(), netloc, path
    scp = _SCP.fullmatch(url)
    return ("ssh", scp["host"], scp["path"]) if scp else ("", "", url)
