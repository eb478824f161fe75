"""One request over TLS, with certificates made here, and receivers that misbehave before they answer."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gitreg.subscribers.destination import parse
from gitreg.subscribers.posting import Patience, post
from tests.subscribers.receiving import Receiver


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "here.pem"
    pem = serialization.Encoding.PEM
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(pem)
    )
    return path


@pytest.fixture
def secure(receiver: Receiver, tmp_path: Path) -> Receiver:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path))
    receiver.server.socket = context.wrap_socket(
        receiver.server.socket, server_side=True, do_handshake_on_connect=False
    )
    return receiver


POST = """
import sys
from gitreg.subscribers.destination import parse
from gitreg.subscribers.posting import Patience, post
destination = parse(sys.argv[1], allow_http=False)
answer = post(destination, {"x-a": "b"}, b"body", allow_private=True, patience=Patience(connect=2, whole=5))
print(answer.status, answer.fault)
"""


def posted(url: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", POST, url], capture_output=True, text=True, check=True, env=env
    )
    return done.stdout.strip()


def test_a_certificate_that_is_trusted(secure: Receiver, tmp_path: Path) -> None:
    said = posted(f"https://127.0.0.1:{secure.port}/hook", SSL_CERT_FILE=str(tmp_path / "here.pem"))
    assert said == "204"
    (request,) = secure.requests
    assert request.body == b"body" and request.headers["x-a"] == "b"
    assert request.headers["host"] == f"127.0.0.1:{secure.port}"
    assert request.headers["user-agent"].startswith("gitreg/")


def test_one_that_is_not(secure: Receiver) -> None:
    said = posted(f"https://127.0.0.1:{secure.port}/hook")
    assert said == "None its certificate is not trusted: self-signed certificate"
    assert secure.requests == []


def test_one_of_another_host(secure: Receiver, tmp_path: Path) -> None:
    said = posted(f"https://localhost:{secure.port}/hook", SSL_CERT_FILE=str(tmp_path / "here.pem"))
    assert "its certificate is not trusted: Hostname mismatch" in said
    assert secure.requests == []


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_one_that_says_nothing_is_left_in_time(silent: int, scheme: str) -> None:
    begun = time.monotonic()
    answer = post(
        parse(f"{scheme}://127.0.0.1:{silent}/", allow_http=True),
        {},
        b"",
        allow_private=True,
        patience=Patience(connect=0.3, whole=0.6),
    )
    assert answer.status is None and answer.fault == "no answer within 0.6 s"
    assert time.monotonic() - begun < 5


def test_one_that_does_not_read_is_left_in_time(silent: int) -> None:
    begun = time.monotonic()
    answer = post(
        parse(f"http://127.0.0.1:{silent}/", allow_http=True),
        {},
        b"x" * (1 << 26),
        allow_private=True,
        patience=Patience(connect=0.3, whole=0.6),
    )
    assert not answer.taken and time.monotonic() - begun < 5


def test_an_endless_answer_is_not_read(receiver: Receiver) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def pour() -> None:
        connection, _ = listening.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while True:
                connection.sendall(b"x" * 65536)
        except OSError:
            connection.close()

    threading.Thread(target=pour, daemon=True).start()
    answer = post(
        parse(f"http://127.0.0.1:{listening.getsockname()[1]}/", allow_http=True),
        {},
        b"",
        allow_private=True,
        patience=Patience(connect=1, whole=5),
    )
    listening.close()
    assert answer.taken and len(answer.excerpt) == 2048 and answer.seconds < 4


@pytest.mark.parametrize(
    "said",
    [b"garbage\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500 + b"\r\n"],
)
def test_an_answer_that_is_no_http(said: bytes) -> None:
    listening = socket.create_server(("127.0.0.1", 0))

    def answer_it() -> None:
        connection, _ = listening.accept()
        connection.recv(65536)
        connection.sendall(said)
        connection.close()

    threading.Thread(target=answer_it, daemon=True).start()
    answer = post(
        parse(f"http://127.0.0.1:{listening.getsockname()[1]}/", allow_http=True),
        {},
        b"",
        allow_private=True,
        patience=Patience(connect=1, whole=5),
    )
    listening.close()
    assert not answer.taken and answer.fault.startswith("no answer: ")


def test_nothing_is_looked_up_twice(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that means another address a moment later leads nowhere else."""
    real = socket.getaddrinfo
    asked: list[object] = []

    def once(host: object, *args: object, **more: object) -> object:
        asked.append(host)
        return real("127.0.0.1", *args[:1], type=socket.SOCK_STREAM)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", once)
    answer = post(
        parse(f"http://hooks.example.com:{receiver.port}/hook", allow_http=True),
        {},
        b"",
        allow_private=True,
        patience=Patience(),
    )
    assert answer.status == 204 and asked == ["hooks.example.com"]
    assert receiver.requests[0].headers["host"] == f"hooks.example.com:{receiver.port}"
