"""GitLab, hosted or own: https://docs.gitlab.com/api (merge requests, notes)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from gitreg.errors import NotAllowed
from gitreg.forge.http import Api
from gitreg.forge.proposal import Opened, Proposal
from gitreg.forge.rest import MAX_PAGES, field, items, number_in
from gitreg.forge.services import Place
from gitreg.forge.token import Token


def gitlab_api(place: Place, token: Token) -> Api:
    """The API of a GitLab server; a credential of Git's is a personal token there, too."""
    auth = {"JOB-TOKEN" if token.job else "PRIVATE-TOKEN": token.value}
    source = token.source
    if token.job:
        source += " (which can only read: set GITLAB_TOKEN to a project token with the scope api)"
    return Api(base=f"{place.web}/api/v4", auth=auth, name="GitLab", token=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class GitLab:
    """Merge requests of one project, ``path`` as ``group/…/name``."""

    api: Api
    path: str

    @property
    def _root(self) -> str:
        return f"/projects/{quote(self.path, safe='')}/merge_requests"

    def open(self, proposal: Proposal) -> Opened:
        """Open a merge request."""
        body = {"source_branch": proposal.branch, "target_branch": proposal.target, **_text(proposal)}
        return self._opened(self.api.ask("POST", self._root, body=body).data)

    def find(self, branch: str) -> Opened | None:
        """The open merge request of a branch."""
        found = self._open({"source_branch": branch})
        return next((each for each in found if each.branch == branch), None)

    def update(self, number: int, proposal: Proposal) -> Opened:
        """Set title and text."""
        reply = self.api.ask("PUT", f"{self._root}/{number:d}", body=_text(proposal))
        return self._opened(reply.data)

    def comment(self, number: int, marker: str, body: str) -> str:
        """Create or update our note."""
        text = {"body": body if body.startswith(marker) else f"{marker}\n{body}"}
        notes = f"{self._root}/{number:d}/notes"
        page = str(field(self.api.ask("GET", f"{self._root}/{number:d}").data, "web_url", api=self.api))
        mine = self._me()
        for each in self._pages(notes, {}):
            author = field(each, "author", "username", api=self.api)
            begins = str(each.get("body") or "").lstrip().startswith(marker)
            if begins and author == mine and not each.get("system"):
                note = number_in(each, "id", api=self.api)
                self.api.ask("PUT", f"{notes}/{note}", body=text)
                return f"{page}#note_{note}"
        note = number_in(self.api.ask("POST", notes, body=text).data, "id", api=self.api)
        return f"{page}#note_{note}"

    def _me(self) -> str:
        try:
            return str(field(self.api.ask("GET", "/user").data, "username", api=self.api))
        except NotAllowed:
            return ""  # then a new note is written, or refused with the service's own words

    def close(self, number: int) -> None:
        """Close a merge request."""
        self.api.ask("PUT", f"{self._root}/{number:d}", body={"state_event": "close"})

    def list_open(self, prefix: str) -> tuple[Opened, ...]:
        """The open merge requests of branches that begin so."""
        return tuple(each for each in self._open({}) if each.branch.startswith(prefix))

    def _open(self, query: dict[str, str]) -> list[Opened]:
        found = self._pages(self._root, {"state": "opened", **query})
        same = [each for each in found if each.get("source_project_id") == each.get("target_project_id")]
        return [self._opened(each) for each in same]

    def _pages(self, path: str, query: dict[str, str]) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []
        page = "1"
        for _ in range(MAX_PAGES):
            reply = self.api.ask("GET", path, query={**query, "per_page": "100", "page": page})
            found.extend(items(reply.data, api=self.api))
            page = reply.headers.get("x-next-page", "").strip()
            if not page.isdecimal():
                break
        return found

    def _opened(self, data: Any) -> Opened:
        return Opened(
            number=number_in(data, "iid", api=self.api),
            url=str(field(data, "web_url", api=self.api)),
            branch=str(field(data, "source_branch", api=self.api)),
            title=str(data.get("title", "")),
        )


def _text(proposal: Proposal) -> dict[str, str]:
    title = f"Draft: {proposal.title}" if proposal.draft else proposal.title
    return {"title": title, "description": proposal.body}
