"""A receiver on loopback that keeps what it gets and answers what it is told to."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.body)


@dataclass
class Says:
    """One answer: a status, headers, or what is done instead of answering."""

    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    instead: str = ""  # "close": hang up; "hang": say nothing; "drip": a header byte now and then


class Receiver:
    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.script: list[Says] = []
        self.always = Says()
        self.arrived = threading.Condition()
        self.let_go = threading.Event()
        self.on_request: Callable[[Request], None] = lambda request: None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def events(self) -> list[dict[str, Any]]:
        return [request.event for request in self.requests]

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("gitreg.") for event in self.events]

    def wait_for(self, count: int, seconds: float = 30.0) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.requests) >= count, seconds), self.types

    def close(self) -> None:
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {key.lower(): value for key, value in self.headers.items()}
            request = Request(self.path, headers, body)
            with receiver.arrived:
                receiver.requests.append(request)
                says = receiver.script.pop(0) if receiver.script else receiver.always
                receiver.arrived.notify_all()
            receiver.on_request(request)
            if says.instead == "close":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            if says.instead == "hang":
                receiver.let_go.wait(60)
                return
            if says.instead == "drip":
                with contextlib.suppress(OSError):
                    while not receiver.let_go.is_set():
                        self.wfile.write(b"H")
                        time.sleep(0.05)
                return
            self.send_response(says.status)
            for key, value in says.headers.items():
                self.send_header(key, value)
            self.send_header("content-length", str(len(says.body)))
            self.end_headers()
            self.wfile.write(says.body)

        do_GET = do_POST  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        made.close()
