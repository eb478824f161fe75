"""Who a commit is by, asked inside real Flask requests."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest

from gitreg.gitstore.objects import Person
from gitreg.mlflow.caller import caller, person_of
from gitreg.mlflow.errors import MlflowError

flask = pytest.importorskip("flask")


def asked(headers: dict[str, str | bytes], let_in: str = "") -> Person | None:
    """What ``caller`` says inside a request with those headers."""
    with flask.Flask("server").test_request_context("/", headers=list(headers.items())):
        if let_in:
            flask.g.mlflow_authenticated_user = let_in
        return caller()


def basic(user: str, password: str = "secret") -> dict[str, str | bytes]:
    return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}


def test_outside_of_a_request_it_is_nobody() -> None:
    assert caller() is None
    script = "import sys; from gitreg.mlflow.caller import caller; print(caller(), 'flask' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "None False\n"


def test_the_user_of_basic_authentication() -> None:
    assert asked(basic("ada")) == Person(name="ada", email="ada@users.noreply.invalid")
    assert asked(basic("ada@example.com")) == Person(name="ada@example.com", email="ada@example.com")
    assert asked(basic("Zoë")) == Person(name="Zoë", email="Zo%C3%AB@users.noreply.invalid")
    for headers in ({}, {"Authorization": "Bearer ada"}, {"Authorization": "Basic ???"}, basic("")):
        assert asked(dict(headers)) is None


def test_the_header_counts_when_it_is_trusted_and_then_before_all_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = {"X-Forwarded-User": "grace", **basic("mallory")}
    assert asked(sent) == person_of("mallory")
    monkeypatch.setenv("GITREG_USER_HEADER", "X-Forwarded-User")
    assert asked(sent) == person_of("grace")
    assert asked(sent, let_in="service") == person_of("grace")
    # A proxy is there to say who it is: what nobody has checked counts no more.
    assert asked(basic("mallory")) is None
    assert asked(basic("mallory"), let_in="ada") == person_of("ada")
    assert asked({"X-Forwarded-User": "Zoë".encode().decode("latin-1")}) == person_of("Zoë")


def test_the_domain_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITREG_USER_DOMAIN", "example.org")
    assert person_of("ada").email == "ada@example.org"
    assert person_of("ada@example.com").email == "ada@example.com"
    monkeypatch.setenv("GITREG_USER_DOMAIN", "exa mple>")
    with pytest.raises(MlflowError, match="GITREG_USER_DOMAIN is not the name of a domain"):
        person_of("ada")


@pytest.mark.parametrize(
    "user",
    [
        "a\nb",
        "ada\x00",
        "ada <ada@example.com>",
        "a>b",
        " ",
        "...",
        "x" * 251,
        "\u202eada",
        "ada@example.com.",
    ],
)
def test_a_name_that_git_would_change_is_refused(user: str) -> None:
    with pytest.raises(MlflowError) as error:
        person_of(user)
    assert error.value.code == "INVALID_PARAMETER_VALUE"


def test_two_users_never_share_an_address() -> None:
    users = ["ada", "Ada", "ada ", "a da", "a%20da", "a-da", "a+da", ".ada", "%2Eada", "ada.", "ada@", "@ada"]
    users += ["ada@x y", '"ada"', "'ada'", "ada,", "ada;", "ada:", "ada\\", "ad@a@b"]
    assert len({person_of(user).email for user in users}) == len(users)
