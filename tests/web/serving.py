"""``gitreg serve`` as a child process on a free port of loopback, and small clients of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MLFLOW = "/api/2.0/mlflow/"


@dataclass
class Served:
    """A running server."""

    url: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def ask(
        self, method: str, path: str, document: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Status and document of one request."""
        body = None if document is None else json.dumps(document).encode()
        all_headers = {"Content-Type": "application/json"} if body is not None else {}
        request = urllib.request.Request(
            self.url + path, body, {**all_headers, **(headers or {})}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as said:
                text = said.read()
                return said.status, json.loads(text) if text[:1] == b"{" else text.decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        return self.ask("GET", path if path.startswith("/") else MLFLOW + path, headers=headers)

    def post(self, path: str, **fields: Any) -> tuple[int, Any]:
        return self.ask("POST", MLFLOW + path, fields)


@contextlib.contextmanager
def served(place: Path, *options: str, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """A server over the registry at ``place``; it is ended with SIGTERM."""
    command = [sys.executable, "-m", "gitreg", "--registry", str(place), "serve", "--port", "0", *options]
    with started(command, place, env) as server:
        yield server


@contextlib.contextmanager
def started(command: list[str], place: Path, env: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Run ``command``, which prints an address, and end it."""
    log = place.parent / "serve.log"
    with open(log, "w") as errors:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    assert process.stdout is not None
    try:
        found = re.search(r"on (http://\S+?:\d+)", process.stdout.readline())
        assert found, log.read_text()
        yield Served(found[1], process, log)
    finally:
        process.terminate()
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        process.stdout.close()
