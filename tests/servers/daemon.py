"""Starts a server and ends it with all that it started."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

PATIENCE = 20.0  # seconds until a server must answer
_TRIES = 5


class NotStarted(Exception):
    """The server ended by itself, or does not answer."""


@contextmanager
def daemon(
    argv: Sequence[str], *, ready: Callable[[], bool], log: Path, env: Mapping[str, str] | None = None
) -> Iterator[int]:
    """Run a server in the foreground until the end of the block; gives its process id.

    Its children belong to its process group, which is ended as a whole: fcgiwrap's outlive it otherwise.

    Raises:
        NotStarted: With what it wrote.
    """
    with log.open("ab") as words:
        process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=words, stderr=words, env=env, start_new_session=True
        )
    try:
        _await(process, ready, log)
        yield process.pid
    finally:
        _end(process)


def _await(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise NotStarted(f"{process.args!r}: {log.read_text(errors='replace')}")
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.02)  # the next look; at once when it ends


def _end(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
    process.wait()


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def answers(port: int, greeting: bytes = b"") -> bool:
    """Whether a server takes connections, and greets as it should."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as one:
        return not greeting or one.recv(64).startswith(greeting)
    return False


def at_free_port(stack: ExitStack, serve: Callable[[int], AbstractContextManager[int]]) -> int:
    """Enter ``serve(port)`` on a free port; again on another one where somebody took it meanwhile."""
    for left in reversed(range(_TRIES)):
        port = free_port()
        try:
            stack.enter_context(serve(port))
        except NotStarted:
            if not left:
                raise
        else:
            return port
    raise AssertionError
