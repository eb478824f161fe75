"""Gitea and Forgejo: their API is GitHub's but for a few words (``/api/swagger`` on every server)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from gitreg.forge.github import GitHub
from gitreg.forge.http import Api
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.services import Place
from gitreg.forge.token import Token

ACTIONS = ("gitea-actions", "forgejo-actions")


def gitea_api(place: Place, token: Token) -> Api:
    """The API of a Gitea or Forgejo server."""
    auth = {"Authorization": f"token {token.value}"}
    return Api(base=f"{place.web}/api/v1", auth=auth, name="Gitea", token=token.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gitea(GitHub):
    """Pull requests of one repository."""

    page_size: ClassVar[dict[str, str]] = {"limit": "50"}

    def _app(self) -> tuple[str, ...]:
        return ACTIONS  # what a job's token comments under; it may not ask who it is

    def _text(self, proposal: Proposal) -> dict[str, Any]:
        title = f"WIP: {proposal.title}" if proposal.draft else proposal.title  # its mark of a draft
        return {"title": title, "body": proposal.body}

    def find(self, branch: str) -> Opened | None:
        """The open pull request of a branch: the list can't be narrowed by it."""
        return next((each for each in self._open({"state": "open"}) if each.branch == branch), None)
