"""Users whom a proxy names: who is believed, what they may do, whose commit it is."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from gitreg.web.access.people import key, named, typed
from gitreg.web.identity import Role
from tests.web.access.conftest import API, CREATE, Keys, Make, message
from tests.web.conftest import Git

BEHIND: dict[str, Any] = {
    "loopback": False,
    "host": "10.0.0.5",
    "sign_in": True,
    "user_header": "X-Forwarded-User",
    "email_header": "X-Forwarded-Email",
    "trusted_proxies": (ip_network("10.0.0.0/30"),),
}
GRACE = {"X-Forwarded-User": "grace", "X-Forwarded-Email": "Grace@Example.com"}
PROXY = "10.0.0.1"


def author(git: Git) -> str:
    return git("log", "-1", "--format=%an <%ae>, %cn")


def test_name_and_address_are_the_authors(asking: Make, git: Git) -> None:
    ask = asking(**BEHIND)
    assert ask.create("a", headers=GRACE, peer=PROXY).status_code == 200
    assert author(git) == "grace <Grace@Example.com>, Ada Lovelace"
    assert ask.create("b", headers={"X-Forwarded-User": "zoë".encode()}, peer=PROXY).status_code == 200
    assert author(git).startswith("zoë <zo%C3%AB@users.noreply.invalid>")
    assert ask.create("c", headers={"X-Forwarded-Email": "m@example.com"}, peer=PROXY).status_code == 200
    assert author(git).startswith("m@example.com <m@example.com>")


@pytest.mark.parametrize("peer", ["10.0.0.9", "192.0.2.1", "", "::ffff:10.0.0.4"])
def test_others_than_the_proxy_are_not_believed(asking: Make, git: Git, peer: str) -> None:
    before = git("rev-parse", "HEAD")
    told = {**GRACE, "X-Forwarded-For": "10.0.0.1", "Forwarded": "for=10.0.0.1", "X-Real-IP": "10.0.0.1"}
    assert asking(**BEHIND).create(headers=told, peer=peer).status_code == 401
    assert asking(**{**BEHIND, "sign_in": False}).create(headers=told, peer=peer).status_code == 401
    assert git("rev-parse", "HEAD") == before


def test_without_the_option_no_header_is_believed(asking: Make, git: Git) -> None:
    said = asking(**{**BEHIND, "user_header": "", "email_header": ""}).create(headers=GRACE, peer=PROXY)
    assert said.status_code == 401


def test_a_proxy_on_this_machine_that_names_nobody_is_nobody(asking: Make, git: Git) -> None:
    """Else whoever gets past its login would be this machine's own user."""
    before = git("rev-parse", "HEAD")
    ask = asking(user_header="X-Forwarded-User")
    for headers in ({}, {"X-Forwarded-User": ""}, {"X-Forwarded-User": "  "}):
        said = ask.create(headers=headers)
        assert (said.status_code, said.json()["error_code"]) == (401, "UNAUTHENTICATED")
        assert ask("GET", f"{API}registered-models/search", headers=headers).status_code == 200
    assert git("rev-parse", "HEAD") == before
    assert ask.create(headers={"X-Forwarded-User": "grace"}).status_code == 200


def test_a_header_that_comes_twice_is_refused(asking: Make, git: Git) -> None:
    """A proxy that adds its own to a client's: which is which can't be told."""
    before = git("rev-parse", "HEAD")
    for name in ("X-Forwarded-User", "X-Forwarded-Email"):
        twice = [(name, "eve"), (name.lower(), "grace"), ("X-Forwarded-User", "grace")]
        said = asking(**BEHIND).create(headers=twice, peer=PROXY)
        assert (said.status_code, said.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert git("rev-parse", "HEAD") == before


@pytest.mark.parametrize("user", ["eve> <ada@example.com", "x" * 300, "."])
def test_a_name_that_git_can_not_hold(asking: Make, git: Git, user: str) -> None:
    before = git("rev-parse", "HEAD")
    assert asking(**BEHIND).create(headers={"X-Forwarded-User": user}, peer=PROXY).status_code == 400
    assert git("rev-parse", "HEAD") == before


def test_roles_of_users(asking: Make, keys: Keys) -> None:
    def may(name: str, **settings: Any) -> int:
        return asking(**{**BEHIND, **settings}).create(name, headers=GRACE, peer=PROXY).status_code

    assert may("a") == 200  # a writer, where nothing else is said
    assert may("b", user_role=Role.READER) == 403
    keys.grant("grace@example.com", **{"churn*": Role.WRITER})
    assert may("churn-1", user_role=Role.READER) == 200
    assert may("fraud-1", user_role=Role.READER) == 403
    keys.grant("grace@example.com", Role.READER)
    assert may("c") == 403
    keys.grant("grace@example.com", Role.NONE)
    said = asking(**BEHIND)("GET", "/version", headers=GRACE, peer=PROXY)
    assert said.status_code == 403 and "yours is none" in message(said)
    assert (
        asking(**{**BEHIND, "sign_in": False})("GET", "/version", headers=GRACE, peer=PROXY).status_code
        == 403
    )


def test_a_user_can_not_take_the_name_of_a_grant(asking: Make, keys: Keys) -> None:
    """Where a user chooses the name, the address counts alone."""
    keys.grant("boss@example.com", Role.ADMIN)
    told = {"X-Forwarded-User": "boss@example.com", "X-Forwarded-Email": "eve@example.com"}
    ask = asking(**BEHIND, user_role=Role.READER)
    assert ask.create(headers=told, peer=PROXY).status_code == 403
    assert (
        ask.create(headers={**told, "X-Forwarded-Email": "boss@example.com"}, peer=PROXY).status_code == 200
    )


def test_a_token_counts_more_than_the_proxy(asking: Make, keys: Keys, git: Git) -> None:
    """Programs behind the same proxy; and its own token, which it may pass on, is not meant for us."""
    ask = asking(**BEHIND)
    assert ask.create("a", headers={**GRACE, **keys.bearer()}, peer=PROXY).status_code == 200
    assert author(git).startswith("Ann Lee <")
    said = ask.create("b", headers={**GRACE, "Authorization": "Bearer eyJhbGciOi.e30.x"}, peer=PROXY)
    assert said.status_code == 200 and author(git).startswith("grace <")
    reader = {**GRACE, **keys.bearer(Role.READER)}
    assert ask("POST", CREATE, json={"name": "c"}, headers=reader, peer=PROXY).status_code == 403


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" Ann@Example.COM ", "ann@example.com"),
        ("Ann", "Ann"),
        ("\N{KELVIN SIGN}im@example.com", "\N{KELVIN SIGN}im@example.com"),
    ],
)
def test_what_a_grant_is_found_by(text: str, expected: str) -> None:
    assert key(text) == expected


def test_persons() -> None:
    assert typed(" Ann Lee  <ann@example.com> ", "--user").name == "Ann Lee"
    assert typed("ann@example.com", "--user").email == "ann@example.com"
    assert named("grace", "g@example.com").name == "grace"
    assert named("", "g@example.com").name == "g@example.com"
