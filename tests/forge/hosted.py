"""A hosting service with its repository: the API of ``server.py``, and beside it Git's own smart HTTP."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.forge.server import Service


class Hosted(Service):
    """``/org/reg.git`` is a repository below ``root``; everything else is the API."""

    root: Path

    def handle_any(self) -> None:
        """Answer one request."""
        if ".git/" in self.path:
            self.backend()
        else:
            super().handle_any()

    do_GET = do_POST = do_PATCH = do_PUT = handle_any  # noqa: N815 - http.server asks for these names

    def backend(self) -> None:
        """Have ``git http-backend`` answer (its manual: a CGI program)."""
        parts = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HOME": str(self.root),
            "REMOTE_USER": "alice",
            "REMOTE_ADDR": "127.0.0.1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": length,
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "HTTP_GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        sent = self.rfile.read(int(length))
        said = subprocess.run(
            ["git", "http-backend"], env=env, input=sent, capture_output=True, check=False
        ).stdout
        head, _, body = said.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve_with(bare: Path, root: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Serve a bare repository as ``org/reg``: the service's address, and what its API holds.

    Args:
        bare: The repository.
        root: An empty folder.
    """
    (root / "org").mkdir(parents=True)
    (root / "org/reg.git").symlink_to(bare)
    store: dict[str, Any] = {"pulls": [], "comments": [], "seen": []}
    handler = type("Own", (Hosted,), {"store": store, "root": root})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}", store
        httpd.shutdown()
