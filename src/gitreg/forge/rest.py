"""What gitreg asks of a hosting service, whichever it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from gitreg.errors import EnvironmentFailure
from gitreg.forge.http import Api
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.services import Place, Service
from gitreg.forge.token import Token

MAX_PAGES = 50
_NO_API = "is this the address of its API? see: git remote -v; set proposals.forge in gitreg.yaml"


class Hosting(Protocol):
    """A repository's proposals on a service; every method raises what ``Api.ask`` raises."""

    def open(self, proposal: Proposal) -> Opened:
        """Open a proposal for a branch that was pushed."""

    def find(self, branch: str) -> Opened | None:
        """The open proposal of a branch in the repository itself (not of a fork)."""

    def update(self, number: int, proposal: Proposal) -> Opened:
        """Set title and text of an open proposal."""

    def comment(self, number: int, marker: str, body: str) -> str:
        """Create or update our one comment, which begins with ``marker``; its address."""

    def close(self, number: int) -> None:
        """Close a proposal without merging it."""

    def list_open(self, prefix: str) -> tuple[Opened, ...]:
        """The open proposals whose branch begins with ``prefix``."""


def hosting(service: Service, place: Place, token: Token) -> Hosting | None:
    """The adapter for a service; None where it has no REST API that gitreg knows."""
    if service == "github":
        from gitreg.forge.github import GitHub, github_api

        return GitHub(api=github_api(place, token), path=place.path)
    if service == "gitlab":
        from gitreg.forge.gitlab import GitLab, gitlab_api

        return GitLab(api=gitlab_api(place, token), path=place.path)
    if service == "gitea":
        from gitreg.forge.gitea import Gitea, gitea_api

        return Gitea(api=gitea_api(place, token), path=place.path)
    return None


def field(data: Any, *names: str, api: Api) -> Any:
    """A value inside of a service's answer.

    Raises:
        EnvironmentFailure: The answer has not the documented shape.
    """
    for name in names:
        if not isinstance(data, Mapping) or name not in data:
            raise EnvironmentFailure(
                f"{api.name} answered without {'.'.join(names)}", where=api.base, hint=_NO_API
            )
        data = data[name]
    return data


def number_in(data: Any, name: str, *, api: Api) -> int:
    """A whole number inside of a service's answer.

    Raises:
        EnvironmentFailure: There is none.
    """
    found = field(data, name, api=api)
    if type(found) is not int or found < 1:
        raise EnvironmentFailure(f"{api.name} answered {name} without a number", where=api.base, hint=_NO_API)
    return found


def items(data: Any, *, api: Api) -> list[Mapping[str, Any]]:
    """An answer that must be a list of objects."""
    if not isinstance(data, list) or not all(isinstance(each, Mapping) for each in data):
        raise EnvironmentFailure(f"{api.name} answered no list", where=api.base, hint=_NO_API)
    return data
