"""Servers of the tests: MLflow's own as a child process, and a receiver of webhooks. Loopback alone."""

from __future__ import annotations

import contextlib
import http.server
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PATIENCE = 240.0  # seconds: four workers import MLflow at once, beside other tests


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def mlflow_server(
    folder: Path,
    registry_uri: str,
    *,
    workers: int | None = None,
    app: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """``mlflow server`` over a registry, with runs and artifacts below ``folder``; yields its address.

    Args:
        workers: None: MLflow's default, four.
        app: Such as ``basic-auth``.
        env: More variables.
    """
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--registry-store-uri", registry_uri]
    command += ["--artifacts-destination", (folder / "artifacts").as_uri()]
    command += ["--workers", str(workers)] if workers else []
    command += ["--app-name", app] if app else []
    # Without its job runners the server starts four processes instead of fourteen.
    variables = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **(env or {})}
    with open(folder / "server.log", "wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/health", process, folder / "server.log")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return  # it answers, and wants a password
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start:\n{log.read_text(errors='replace')[-4000:]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A request that the receiver got."""

    path: str
    headers: Mapping[str, str]
    body: bytes


class Receiver:
    """A web server that keeps what it is sent, and answers 200, or 418 below ``/teapot``."""

    def __init__(self) -> None:
        self.deliveries: queue.Queue[Delivery] = queue.Queue()
        deliveries = self.deliveries

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                deliveries.put(Delivery(path=self.path, headers=dict(self.headers), body=body))
                self.send_response(418 if self.path.startswith("/teapot") else 200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"

    def take(self, count: int) -> Sequence[Delivery]:
        """The next ``count`` requests, waited for."""
        return [self.deliveries.get(timeout=60) for _ in range(count)]

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
