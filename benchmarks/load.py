"""A client that keeps a server busy: one thread, some connections, each asks anew once it is answered."""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server did in a time.

    Attributes:
        rate: Answers a second.
        own: Part of the time in which the client itself had a processor: near 1 it would be the bottleneck.
    """

    rate: float
    own: float


@dataclass(slots=True)
class _Connection:
    link: socket.socket
    asked: Iterator[bytes]
    got: bytearray = field(default_factory=bytearray)
    whole: int = 0  # length of the answer; 0 as long as its head is not there

    def ask(self) -> None:
        self.got.clear()
        self.whole = 0
        self.link.sendall(next(self.asked))

    def take(self) -> bool:
        """Whether the answer is complete now."""
        more = self.link.recv(262_144)
        if not more:
            raise SystemExit("the server hung up")
        self.got += more
        if not self.whole:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return False
            head = bytes(self.got[:end])
            length = _LENGTH.search(head)
            if not head.startswith(b"HTTP/1.1 200") or length is None:
                raise SystemExit(f"a server answered: {bytes(self.got[:600])!r}")
            self.whole = end + 4 + int(length[1])
        return len(self.got) >= self.whole


def keep_busy(port: int, requests: list[bytes], *, clients: int, seconds: float) -> Load:
    """Ask a server on this machine for some seconds.

    Args:
        port: Where it listens.
        requests: Whole HTTP/1.1 requests; every client begins at another one, and goes round.
        clients: How many connections ask at the same time.
        seconds: How long at least.

    Raises:
        SystemExit: An answer is not 200; so does the benchmark.
    """
    chooser = selectors.DefaultSelector()
    parts = [len(requests) * number // clients for number in range(clients)]
    connections = []
    for start in parts:
        link = socket.create_connection(("127.0.0.1", port), timeout=60)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made = _Connection(link, cycle(requests[start:] + requests[:start]))
        chooser.register(link, selectors.EVENT_READ, made)
        connections.append(made)
    answered = 0
    began, used = time.perf_counter(), time.process_time()
    until = began + seconds
    for each in connections:
        each.ask()
    while time.perf_counter() < until or answered < clients:  # a slow server is waited for
        for key, _ in chooser.select(1):
            if key.data.take():
                answered += 1
                key.data.ask()
    took, own = time.perf_counter() - began, time.process_time() - used
    chooser.close()
    for each in connections:
        each.link.close()
    return Load(rate=answered / took, own=own / took)
