"""The few routes of GitHub's, Gitea's and GitLab's APIs, with their documented shapes and codes."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


class Service(BaseHTTPRequestHandler):
    """Two items a page, whatever is asked for; ``lose`` drops the answers to changes."""

    store: dict[str, Any]

    def log_message(self, format: str, *args: object) -> None:
        """Keep the test's output clean."""

    def handle_any(self) -> None:
        """Answer one request."""
        parts = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = json.loads(raw) if raw else {}
        store = self.store
        store["seen"].append((self.command, self.path))
        if store.get("fail"):
            return self.reply(*store["fail"])
        if "good" not in " ".join(str(value) for value in self.headers.values()):
            return self.reply(401, {"message": "Bad credentials"})
        found = self.route(unquote(parts.path), query, body)
        if store.get("lose") and self.command != "GET":
            self.close_connection = True
            return None
        return self.reply(*found) if found else self.reply(404, {"message": "Not Found"})

    do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815 - http.server asks for these names

    def route(self, path: str, query: dict[str, str], body: dict[str, Any]) -> tuple[Any, ...] | None:
        """Status, data and headers of a path."""
        gitlab = "/api/v4" in path
        what = path.split("/org/reg", 1)[-1]
        kind, _, rest = what.strip("/").partition("/")
        store = self.store
        if path.endswith("/user"):
            return 200, {"login": "bot", "username": "bot"}
        if kind in ("pulls", "merge_requests") and not rest:
            if self.command == "GET":
                state = [each for each in store["pulls"] if each["state"].startswith("open")]
                return self.paged(state, query)
            return self.opened(body, gitlab)
        if "notes" in rest or "comments" in rest:
            return self.comments(rest, query, body, gitlab)
        pull = store["pulls"][int(rest) - 1]
        pull.update(body)
        if body.get("state_event") == "close":
            pull["state"] = "closed"
        return 200, pull

    def opened(self, body: dict[str, Any], gitlab: bool) -> tuple[Any, ...]:
        """A new pull or merge request."""
        pulls = self.store["pulls"]
        branch = body["source_branch"] if gitlab else body["head"]
        if any(branch in (each["source_branch"], each["head"]["ref"]) for each in pulls):
            if gitlab:
                return 409, {"message": ["Another open merge request already exists"]}
            return 422, {"message": "Validation Failed", "errors": [{"message": "already exists for bot:x"}]}
        number = len(pulls) + 1
        url = f"https://example.com/org/reg/{number}"
        head = {"ref": branch, "repo": {"full_name": "org/reg"}}
        ids = {"number": number, "iid": number, "source_project_id": 1, "target_project_id": 1}
        new = {**body, **ids, "html_url": url, "web_url": url, "head": head, "source_branch": branch}
        pulls.append({**new, "state": "opened" if gitlab else "open"})
        return 201, pulls[-1]

    def comments(
        self, rest: str, query: dict[str, str], body: dict[str, Any], gitlab: bool
    ) -> tuple[Any, ...]:
        """The comments of a pull request."""
        comments = self.store["comments"]
        if self.command == "GET":
            return self.paged(comments, query)
        if self.command == "POST":
            comments.append(comment(len(comments) + 1, "bot", body["body"]))
            return 201, comments[-1]
        found = comments[int(rest.rsplit("/", 1)[1]) - 1]
        found.update(body)
        return 200, found

    def paged(self, found: list[Any], query: dict[str, str]) -> tuple[Any, ...]:
        """Two of the list, with the headers that lead on."""
        page = int(query.get("page", "1"))
        more = len(found) > page * 2
        path = urlsplit(self.path).path
        base = self.store.get("elsewhere") or f"http://{self.headers['Host']}"
        headers = {"X-Next-Page": str(page + 1) if more else ""}
        if more:
            headers["Link"] = f'<{base}{path}?page={page + 1}>; rel="next", <{base}/>; rel="last"'
        return 200, found[page * 2 - 2 : page * 2], headers

    def reply(self, status: int, data: Any, headers: dict[str, str] | None = None) -> None:
        """Send an answer."""
        raw = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


def comment(number: int, login: str, body: str) -> dict[str, Any]:
    """A comment as both kinds of service show it."""
    author = {"login": login, "username": login}
    url = f"https://example.com/c/{number}"
    return {"id": number, "body": body, "user": author, "author": author, "system": False, "html_url": url}


@contextmanager
def serve() -> Iterator[tuple[str, dict[str, Any]]]:
    """The address of a fresh service, and its store."""
    store: dict[str, Any] = {"pulls": [], "comments": [], "seen": []}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Service,), {"store": store})) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", store
        httpd.shutdown()
