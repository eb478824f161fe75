"""GitHub and GitHub Enterprise: https://docs.github.com/rest (pulls, issue comments)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import quote

from gitreg.errors import GitregError, NotAllowed
from gitreg.forge.http import Api
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.rest import MAX_PAGES, field, items, number_in
from gitreg.forge.services import Place
from gitreg.forge.token import Token

ACTIONS = "github-actions[bot]"


def github_api(place: Place, token: Token) -> Api:
    """The API of github.com, or of an own GitHub Enterprise."""
    base = f"{place.web}/api/v3"
    if place.host == "github.com" or place.host.endswith(".ghe.com"):  # data residency: docs.github.com
        base = f"https://api.{place.host}"
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
        text = {"body": body if body.startswith(marker) else f"{marker}\n{body}"}
        mine = self._me()
        for each in self._pages(f"{self._root}/issues/{number:d}/comments", {}):
            begins = str(each.get("body") or "").lstrip().startswith(marker)
            if begins and field(each, "user", "login", api=self.api) in mine:
                path = f"{self._root}/issues/comments/{number_in(each, 'id', api=self.api)}"
                return str(field(self.api.ask("PATCH", path, body=text).data, "html_url", api=self.api))
        path = f"{self._root}/issues/{number:d}/comments"
        return str(field(self.api.ask("POST", path, body=text).data, "html_url", api=self.api))

    def _me(self) -> tuple[str, ...]:
        """The name that the token comments under; several where only the kind of token is known."""
        try:
            return (str(field(self.api.ask("GET", "/user").data, "login", api=self.api)),)
        except NotAllowed:
            return self._app()

    def _app(self) -> tuple[str, ...]:
        # A workflow's own token and that of an app may not ask /user who they are; they may here.
        graph = replace(self.api, base=self.api.base.removesuffix("/v3"))
        try:
            told = graph.ask("POST", "/graphql", body={"query": "query { viewer { login } }"}).data
            return (str(field(told, "data", "viewer", "login", api=graph)),)
        except GitregError:
            return (ACTIONS,)

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
        repo = field(data, "head", "repo", api=self.api)  # null: the fork was removed
        return isinstance(repo, dict) and str(repo.get("full_name", "")).lower() == self.path.lower()

    def _pages(self, path: str, query: dict[str, str]) -> list[Mapping[str, Any]]:
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
            number=number_in(data, "number", api=self.api),
            url=str(field(data, "html_url", api=self.api)),
            branch=str(field(data, "head", "ref", api=self.api)),
            title=str(data.get("title", "")),
        )
