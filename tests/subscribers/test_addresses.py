"""Where a webhook may go: no spelling of a private address gets past."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from gitreg.errors import EnvironmentFailure, GitregError, InvalidInput, NotAllowed
from gitreg.subscribers import addresses
from gitreg.subscribers.addresses import is_public
from gitreg.subscribers.destination import parse

PRIVATE = [
    "127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1",
    "192.0.2.1", "198.18.0.1", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
    "fe80::1%lo", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254",
    "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2002:a9fe:a9fe::1",
    "2001:db8::1", "100::1", "2001:0:7f00:1::", "192.0.0.9", "192.0.0.10", "192.0.0.170", "192.88.99.1", "192.31.196.1",
    "192.52.193.1", "192.175.48.1", "2001:1::1", "2001:3::1", "2001:20::1", "2001:30::1", "2620:4f:8000::1", "3fff::1",
    "5f00::1", "::ffff:192.88.99.1", "64:ff9b::192.0.0.9", "2002:c000:9::",
]  # fmt: skip
SPELLINGS = [
    "http://127.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://0x7f000001/", "http://2130706433/",
    "http://017700000001/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/",
    "http://localhost/", "http://LOCALHOST/", "http://localhost./", "http://0/", "http://[::]/",
    "http://169.254.169.254/latest/meta-data/", "http://[::ffff:169.254.169.254]/", "http://[fd00:ec2::254]/",
    "http://[64:ff9b::169.254.169.254]/", "http://[2002:7f00:1::]/",
]  # fmt: skip


@pytest.mark.parametrize("text", PRIVATE)
def test_addresses_that_are_not_public(text: str) -> None:
    assert not is_public(text)


@pytest.mark.parametrize(
    "text",
    ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2002:101:101::"],
)
def test_addresses_that_are(text: str) -> None:
    assert is_public(text)


@pytest.mark.parametrize("url", SPELLINGS)
def test_no_spelling_of_a_private_address_gets_past(url: str) -> None:
    with pytest.raises((NotAllowed, EnvironmentFailure)) as refused:
        parse(url, allow_http=True).addresses(allow_private=False)
    # A spelling that this system does not know leads nowhere either.
    assert "private network" in str(refused.value) or "was not found" in str(refused.value)


def test_most_of_these_spellings_are_known_here() -> None:
    known = 0
    for url in SPELLINGS:
        try:
            known += bool(parse(url, allow_http=True).addresses(allow_private=True))
        except EnvironmentFailure:
            continue
    assert known >= 12


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*args: object, **more: object) -> list[object]:
        return [(socket.AF_INET, 0, 0, "", (one, 443)) for one in ("1.1.1.1", "10.0.0.1")]

    monkeypatch.setattr(socket, "getaddrinfo", told)
    with pytest.raises(NotAllowed, match=r"10\.0\.0\.1 \(hooks\.example\.com\)"):
        parse("https://hooks.example.com/", allow_http=False).addresses(allow_private=False)


def test_a_name_server_that_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: [over.wait(30)][1:])
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        addresses.looked_up("hooks.example.com", 443, patience=0.1)
    assert time.monotonic() - begun < 10
    over.set()


@pytest.mark.parametrize(
    "url",
    [
        "", "hooks.example.com", "ftp://hooks.example.com/", "https://", "https:///x", "file:///etc/passwd",
        "https://a b/", "https://x/\r\nX: 1", "https://x/\x00", "https://x:99999/", "https://[::1", "https://x/#part",
        "https://exa_mple.com:x/", "https://-\u202e/", "https://x/" + "a" * 3000, "https://ex ample.com/",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse(url, allow_http=True)


@pytest.mark.parametrize("url", ["https://ann:hunter2@x.example/", "https://hunter2@x.example/"])
def test_credentials_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse(url, allow_http=True)
    error: GitregError = refused.value
    assert "hunter2" not in f"{error} {error.hint} {error.where}"


def test_http_needs_leave() -> None:
    with pytest.raises(NotAllowed, match="TLS"):
        parse("http://x.example/", allow_http=False)
    assert not parse("http://x.example/", allow_http=True).tls


def test_what_a_request_says_of_the_url() -> None:
    found = parse("https://x.example:8443/a%20b/ü?token=hunter2&q=ä b".replace(" ", "+"), allow_http=False)
    assert (found.host, found.port, found.authority) == ("x.example", 8443, "x.example:8443")
    assert found.target == "/a%20b/%C3%BC?token=hunter2&q=%C3%A4+b"
    assert found.shown == "https://x.example:8443/a%20b/%C3%BC?…"
    assert parse("https://bücher.example", allow_http=False).host == "xn--bcher-kva.example"
    assert parse("https://[2606:4700::1111]", allow_http=False).authority == "[2606:4700::1111]"
