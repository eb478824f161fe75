"""GitHub and GitHub Enterprise: https://docs.github.com/rest (pulls, issue comments)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import quote

from gitreg.errors import NotAllowed
from gitreg.forge.http import Api
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.rest import MAX_PAGES, field, items
from gitreg.forge.services import Place
from gitreg.forge.token import Token

ACTIONS = "github-actions[bot]"


def github_api(place: Place, token: Token) -> Api:
    """The API of github.com, or of an own GitHub Enterprise."""
    base = "https://api.github.com" if place.host == "github.com" else f"{place.web}/api/v3"
    auth = {"Authorization": f"Bearer {token.value}", "X-GitHub-Api-Version": "2022-11-28"}
    return Api(base=base, auth=auth, name="GitHub", token=token.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitHub:
    """Pull requests of one repository, ``path`` as ``owner/name``."""

    page_size: ClassVar[dict[str, str]] = {"per_page": "100"}

    api: Api
    path: str

    @property
    def _root(self) -> str:
        return f"/repos/{quote(self.path)}"

    def open(self, proposal: Proposal) -> Opened:
        """Open a pull request."""
        body = {"head": proposal.branch, "base": proposal.target, **self._text(proposal)}
        return self._opened(self.api.ask("POST", f"{self._root}/pulls", body=body).data)

    def _text(self, proposal: Proposal) -> dict[str, Any]:
        return {"title": proposal.title, "body": proposal.body, "draft": proposal.draft}

    def find(self, branch: str) -> Opened | None:
        """The open pull request of a branch."""
        query = {"head": f"{self.path.split('/')[0]}:{branch}", "state": "open"}
        return next((each for each in self._open(query) if each.branch == branch), None)

    def update(self, number: int, proposal: Proposal) -> Opened:
        """Set title and text; whether it is a draft can't be changed here."""
        body = {key: value for key, value in self._text(proposal).items() if key != "draft"}
        return self._opened(self.api.ask("PATCH", f"{self._root}/pulls/{number:d}", body=body).data)

    def comment(self, number: int, marker: str, body: str) -> str:
        """Create or update our comment."""
        text = {"body": body if marker in body else f"{marker}\n{body}"}
        mine = self._me()
        for each in self._pages(f"{self._root}/issues/{number:d}/comments", {}):
            if marker in (each.get("body") or "") and field(each, "user", "login", api=self.api) == mine:
                path = f"{self._root}/issues/comments/{field(each, 'id', api=self.api):d}"
                return str(field(self.api.ask("PATCH", path, body=text).data, "html_url", api=self.api))
        path = f"{self._root}/issues/{number:d}/comments"
        return str(field(self.api.ask("POST", path, body=text).data, "html_url", api=self.api))

    def _me(self) -> str:
        try:
            return str(field(self.api.ask("GET", "/user").data, "login", api=self.api))
        except NotAllowed:
            return ACTIONS  # a workflow's own token may not ask who it is

    def close(self, number: int) -> None:
        """Close a pull request."""
        self.api.ask("PATCH", f"{self._root}/pulls/{number:d}", body={"state": "closed"})

    def list_open(self, prefix: str) -> tuple[Opened, ...]:
        """The open pull requests of branches that begin so."""
        return tuple(each for each in self._open({"state": "open"}) if each.branch.startswith(prefix))

    def _open(self, query: dict[str, str]) -> list[Opened]:
        found = self._pages(f"{self._root}/pulls", query)
        return [self._opened(each) for each in found if self._own(each)]

    def _own(self, data: Any) -> bool:
        repo = field(data, "head", api=self.api).get("repo")  # null: the fork was removed
        return bool(repo) and str(repo.get("full_name", "")).lower() == self.path.lower()

    def _pages(self, path: str, query: dict[str, str]) -> list[Any]:
        reply = self.api.ask("GET", path, query={**query, **self.page_size})
        found = items(reply.data, api=self.api)
        for _ in range(MAX_PAGES):
            more = self.api.next_page(reply)
            if more is None:
                break
            reply = self.api.ask("GET", more)
            found.extend(items(reply.data, api=self.api))
        return found

    def _opened(self, data: Any) -> Opened:
        return Opened(
            number=int(field(data, "number", api=self.api)),
            url=str(field(data, "html_url", api=self.api)),
            branch=str(field(data, "head", "ref", api=self.api)),
            title=str(data.get("title", "")),
        )
