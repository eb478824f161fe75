"""``gitreg serve`` as a command: what it prints, how it fails, how it ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.conftest import Git
from tests.web.serving import Served, served


def run(place: Path, *args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "gitreg", "--registry", str(place), "serve", *args]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_it_prints_what_a_client_needs(server: Served) -> None:
    assert server.process.stdout is not None
    lines = [server.process.stdout.readline() for _ in range(3)]
    assert lines == [
        "MLflow's client needs these two lines:\n",
        "  import mlflow\n",
        f'  mlflow.set_registry_uri("{server.url}")\n',
    ]
    assert server.get("/health") == (200, "OK")
    assert server.get("/version")[0] == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_signal_ends_it(place: Path, workers: str, number: signal.Signals) -> None:
    with served(place, "--workers", workers) as server:
        assert server.get("/health") == (200, "OK")
        server.process.send_signal(number)
        code = server.process.wait(timeout=30)
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
            pass
    # 130 is Ctrl-C's; a shell that runs tests in the background has its children ignore that signal.
    assert code in ((130, 0) if number is signal.SIGINT and workers == "1" else (0,))
    assert server.log.read_text().strip() == ""


def test_a_worker_that_dies_is_replaced(place: Path) -> None:
    with served(place, "--workers", "2") as server:
        assert server.post("registered-models/create", name="m")[0] == 200
        workers = children(server.process.pid)
        assert len(workers) == 2
        subprocess.run(["kill", "-9", *map(str, workers)], check=True)
        assert server.get("registered-models/get?name=m")[0] == 200  # waits in the socket until one listens
        assert not workers & children(server.process.pid)


def test_workers_do_not_outlive_the_first(place: Path) -> None:
    with served(place, "--workers", "2") as server:
        assert server.get("/health") == (200, "OK")
        server.process.kill()
        server.process.wait()
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            while client.recv(1):  # ends when the last worker has closed it
                pass


def children(parent: int) -> set[int]:
    """The workers among a process's children; another one keeps track of what multiprocessing shares."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {int(pid) for pid in found if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}


def test_a_port_that_is_taken(place: Path, server: Served) -> None:
    done = run(place, "--port", str(server.port))
    assert done.returncode == 7
    assert done.stderr == (
        f"error: port {server.port} of 127.0.0.1 is in use\n  --> --port\n"
        f"help: gitreg serve --port {server.port + 1}; --port 0 takes any that is free\n"
    )


@pytest.mark.parametrize("host", ["192.0.2.77", "no such host.invalid"])
def test_an_address_that_is_not_ours(place: Path, host: str) -> None:
    done = run(place, "--host", host, "--port", "0")
    assert (done.returncode, done.stdout) == (7, "")
    assert "can't listen on" in done.stderr and "--> --host" in done.stderr


def test_without_the_packages_it_names_them(place: Path) -> None:
    script = "import sys; sys.modules['uvicorn'] = None; from gitreg.cli.app import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", script, "--registry", str(place), "serve"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7
    assert done.stderr.splitlines()[-1] == "help: pip install 'gitreg-models[web]'"


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["--trusted-proxy", "proxy"], 2, "no address or network"),
        (["--allowed-host", "https://models.example.com"], 2, "no name of a server"),
        (["--allowed-host", "a b"], 2, "no name of a server"),
        (["--allowed-origin", "models.example.com"], 2, "no site"),
        (["--allowed-origin", "https://models.example.com/page"], 2, "no site"),
        (["--port", "70000"], 2, "--port"),
        (["--workers", "0"], 2, "--workers"),
        (["--at", "no-such-branch"], 3, "no-such-branch"),
    ],
)
def test_bad_options(place: Path, args: list[str], code: int, says: str) -> None:
    done = run(place, *args)
    assert (done.returncode, done.stdout) == (code, "")
    assert says in done.stderr


def test_where_there_is_no_registry(tmp_path: Path) -> None:
    assert run(tmp_path).returncode == 7


def test_a_past_date(place: Path, git: Git) -> None:
    with served(place) as server:
        server.post("registered-models/create", name="m")
    with served(place, "--at", git("rev-parse", "HEAD~")) as server:
        assert server.get("registered-models/get?name=m")[0] == 404
        assert server.post("registered-models/create", name="n")[0] == 403
