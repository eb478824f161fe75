"""Listening: the socket, the processes, and how long clients may take."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import logging
import multiprocessing
import os
import resource
import signal
import socket
import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from multiprocessing.context import SpawnProcess
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from gitreg.errors import EnvironmentFailure
from gitreg.web.app import create
from gitreg.web.settings import Settings, is_loopback

_BACKLOG = 2048
_LOG = logging.getLogger("gitreg.web")
_LOOK_AFTER = 0.5  # seconds between looks at the workers
_MOST_CONNECTIONS = 4000
_OTHER_FILES = 200
# M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h.
_MALLOC = ((-8, 2), (-3, 256 * 1024), (-1, 256 * 1024))
_LEAVE = 10  # seconds that requests have to end when the server is told to
_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: application/json\r\n"
    b"content-length: %d\r\n\r\n%s"
)
_SLOW_DOCUMENT = b'{"error_code": "DEADLINE_EXCEEDED", "message": "The request did not come in time."}'


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Args:
        host: Address or name.
        port: 0 for any that is free.

    Raises:
        EnvironmentFailure: The port is taken, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Where the protocol is not named asyncio leaves Nagle's algorithm on: 40 ms for each answer.
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise EnvironmentFailure(
            f"can't listen on {host}: {error.strerror or error}", where="--host"
        ) from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise _not_bound(error, host, port) from None
    listening.set_inheritable(True)
    return listening


def _not_bound(error: OSError, host: str, port: int) -> EnvironmentFailure:
    if error.errno == errno.EADDRINUSE:
        return EnvironmentFailure(
            f"port {port} of {host} is in use",
            where="--port",
            hint=f"gitreg serve --port {port + 1 if port < 65535 else 0}; --port 0 takes any that is free",
        )
    where = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
    return EnvironmentFailure(f"can't listen on port {port} of {host}: {error.strerror}", where=where)


def listening_on(settings: Settings, listening: socket.socket) -> Settings:
    """The settings, with what the socket says of who can reach it."""
    address, port = listening.getsockname()[:2]
    return replace(settings, port=port, loopback=is_loopback(address))


def serve(settings: Settings, listening: socket.socket, *, workers: int = 1) -> None:
    """Answer requests until SIGTERM or SIGINT, then end those that are being answered.

    Args:
        settings: The registry, and who may do what.
        listening: From ``bind``.
        workers: How many processes.
    """
    if workers > 1:
        _Workers(settings, listening, workers).run()
        return
    config = uvicorn.Config(
        create(settings),
        http=partial(_Patient, patience=settings.patience, most=most_connections()),
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_LEAVE,
    )
    _give_memory_back()
    # uvicorn raises the signal once more when it has ended: that shall not look like a failure. One that
    # comes before uvicorn listens to signals waits until it does: here nobody would hear it.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    _Server(config).run(sockets=[listening])


def _give_memory_back() -> None:
    """Have glibc return the memory of large answers, and not keep an arena for each thread (mallopt(3))."""
    with suppress(OSError, AttributeError, TypeError):
        allocator = ctypes.CDLL(None)
        for parameter, value in _MALLOC:
            allocator.mallopt(parameter, value)


class _Server(uvicorn.Server):  # type: ignore[misc]
    """uvicorn's server, which tells the application at once that it is about to end."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        with super().capture_signals():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
            yield

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.config.app.state.ending = True  # what streams for ever looks at it
        super().handle_exit(sig, frame)


class _Workers:
    """Processes that share a socket; one that dies is replaced."""

    def __init__(self, settings: Settings, listening: socket.socket, count: int) -> None:
        self._start = partial(
            multiprocessing.get_context("spawn").Process, target=_work, args=(settings, listening)
        )
        self._processes: list[SpawnProcess] = [self._started() for _ in range(count)]
        self._told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: self._told.set())

    def run(self) -> None:
        """Wait for a signal, then for those that work."""
        while not self._told.wait(_LOOK_AFTER):
            for at, process in enumerate(self._processes):
                if not process.is_alive():
                    _LOG.warning("a worker ended with code %s: another takes its place", process.exitcode)
                    self._processes[at] = self._started()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()

    def _started(self) -> SpawnProcess:
        process = self._start()
        process.start()
        return process


def _work(settings: Settings, listening: socket.socket) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt):  # Ctrl-C reaches the whole group
        serve(settings, listening)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


def most_connections() -> int:
    """How many connections a process takes at once: files, pipes and the index need descriptors, too."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_CONNECTIONS + _OTHER_FILES
    if soft < wanted:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
            soft = min(wanted, hard)
    return max(16, min(_MOST_CONNECTIONS, soft - _OTHER_FILES))


class _Patient(AutoHTTPProtocol):  # type: ignore[misc]
    """uvicorn's protocol, which waits for ever for the head of a request, with a limit to that.

    Where there are too many connections, the one that has been silent longest goes: without descriptors left
    a process would accept none, and say so for each.
    """

    open = 0
    """Connections of this process."""
    silent: ClassVar[OrderedDict[_Patient, None]] = OrderedDict()
    """Those that have no request, the longest silent first."""

    def __init__(self, *args: Any, patience: float, most: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._patience = patience
        self._most = most
        self._waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        _Patient.open += 1
        self._wait()
        if _Patient.open > self._most:
            longest, _ = _Patient.silent.popitem(last=False)
            longest.transport.abort()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop()
        elif self._waiting is None:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        _Patient.open -= 1
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self._patience, self._give_up)
        _Patient.silent[self] = None

    def _stop(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None
        _Patient.silent.pop(self, None)

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_SLOW % (len(_SLOW_DOCUMENT), _SLOW_DOCUMENT))
            self.transport.close()
