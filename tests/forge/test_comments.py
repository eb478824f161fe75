"""Which comment is ours: by its first line and by who wrote it, whatever kind of token is used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from gitreg.forge.services import Service
from tests.forge import server
from tests.forge.server import comment, serve
from tests.forge.test_rest import MARKER, adapter

OTHER = "<!-- gitreg-review eu -->"
Store = dict[str, Any]


class ForApps(server.Service):
    """A service that does not tell a job's own token, or an app's, who it is; GraphQL does on GitHub."""

    viewer: ClassVar[str] = ""

    def route(self, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[Any, ...] | None:
        """Status, data and headers of a path."""
        if path.endswith("/user"):
            return 403, {"message": "Resource not accessible by integration"}
        if path == "/api/graphql" and self.viewer:
            return 200, {"data": {"viewer": {"login": self.viewer}}}
        found = super().route(path, query, body)
        if self.command == "POST" and found and "user" in found[1]:
            found[1]["user"]["login"] = self.store["me"]
        return found


@pytest.fixture
def apps(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Store]]:
    monkeypatch.setattr(server, "Service", ForApps)
    with serve() as found:
        yield found


@pytest.mark.parametrize(
    ("service", "me", "viewer"),
    [
        ("github", "registry-app[bot]", "registry-app[bot]"),
        ("github", "github-actions[bot]", "github-actions[bot]"),
        ("github", "github-actions[bot]", ""),
        ("gitea", "gitea-actions", ""),
        ("gitea", "forgejo-actions", ""),
    ],
)
def test_a_token_that_may_not_ask_who_it_is(
    apps: tuple[str, Store], service: Service, me: str, viewer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ForApps, "viewer", viewer)
    base, store = apps
    store["me"] = me
    store["comments"].append(comment(1, "mallory", f"{MARKER} forged"))
    host = adapter(service, base)
    first = host.comment(7, MARKER, f"{MARKER}\none")
    assert host.comment(7, MARKER, f"{MARKER}\ntwo") == first
    assert [each["body"] for each in store["comments"]] == [f"{MARKER} forged", f"{MARKER}\ntwo"]


@pytest.mark.parametrize("service", ["github", "gitlab", "gitea"])
def test_a_comment_that_only_quotes_the_marker_is_another_one(service: Service) -> None:
    """Two registries in one repository: what one of them says can hold the other's marker."""
    with serve() as (base, store):
        host = adapter(service, base)
        store["pulls"].append({"web_url": f"{base}/org/reg/1", "state": "open"})
        host.comment(1, OTHER, f"{OTHER}\n`{MARKER}`")
        host.comment(1, MARKER, f"{MARKER}\none")
        host.comment(1, OTHER, f"{OTHER}\n`{MARKER}` again")
        host.comment(1, MARKER, f"{MARKER}\ntwo")
        bodies = [each["body"] for each in store["comments"]]
        assert bodies == [f"{OTHER}\n`{MARKER}` again", f"{MARKER}\ntwo"]
