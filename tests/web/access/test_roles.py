"""Who may do what: tokens and roles, per model too, and every route without credentials."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from starlette.routing import BaseRoute, Mount, Route

from gitreg.mlflow import rest
from gitreg.registry.clock import utc_now
from gitreg.web.access import tokens
from gitreg.web.identity import Denied, Identity, Role, remember, require, require_somewhere
from gitreg.web.settings import network
from tests.web.access.conftest import API, CREATE, ELSEWHERE, Keys, Make, message
from tests.web.conftest import Git

OPEN = {"/health", "/ready", "/sign-in"}


def author(git: Git) -> str:
    return git("log", "-1", "--format=%an <%ae>, %cn")


# Tokens


def test_a_token_names_the_author(asking: Make, keys: Keys, git: Git) -> None:
    bearer = keys.bearer()
    assert asking().create("a", headers=bearer).status_code == 200
    assert author(git) == "Ann Lee <ann@example.com>, Ada Lovelace"
    for number, settings in enumerate([ELSEWHERE, {**ELSEWHERE, "sign_in": True}, {"sign_in": True}]):
        assert asking(**settings).create(f"m{number}", headers=bearer).status_code == 200
        assert author(git).startswith("Ann Lee <ann@example.com>")


def test_it_can_be_the_password_of_basic_authentication(asking: Make, keys: Keys, git: Git) -> None:
    """As MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD send it; the name is the token's."""
    text, ident = keys.token()
    basic = {"Authorization": "Basic " + base64.b64encode(f"eve:{text}".encode()).decode()}
    ask = asking(**ELSEWHERE, sign_in=True)
    assert ask.create(headers=basic).status_code == 200
    assert author(git).startswith("Ann Lee <")
    keys.revoke(ident)
    assert ask.create("b", headers=basic).status_code == 401


def test_a_bad_token_is_never_nobody(asking: Make, keys: Keys, git: Git) -> None:
    text, ident = keys.token(Role.ADMIN)
    keys.revoke(ident)
    over, _ = keys.token(Role.ADMIN, expires=utc_now() - timedelta(seconds=1))
    before = git("rev-parse", "HEAD")
    asks = [asking(), asking(**ELSEWHERE, write=True), asking(**ELSEWHERE, sign_in=True)]
    for bad in (text, over, tokens.new(), "grt_", text[:-1], over.swapcase()):
        for ask in asks:
            for method, path in (("GET", "/version"), ("POST", CREATE)):
                said = ask(method, path, json={"name": "m"}, headers={"Authorization": f"Bearer {bad}"})
                if bad == over.swapcase() and ask is asks[0]:
                    continue  # none of ours by its look: where everything is open it is passed over
                assert (said.status_code, said.json()["error_code"]) == (401, "UNAUTHENTICATED")
                assert said.headers["www-authenticate"].startswith("Bearer")
                assert bad not in said.text or len(bad) < 10
    assert git("rev-parse", "HEAD") == before or author(git).startswith("Ada")


def test_a_token_of_another_server_is_passed_over_on_this_machine(asking: Make, git: Git) -> None:
    """MLflow's client sends the tracking server's token to the registry as well."""
    foreign = {"Authorization": "Bearer dapi1234"}
    assert asking().create(headers=foreign).status_code == 200
    for settings in (ELSEWHERE, {**ELSEWHERE, "write": True}, {"sign_in": True}):
        assert asking(**settings)("GET", "/version", headers=foreign).status_code == 401


def test_two_authorization_headers_are_none(asking: Make, keys: Keys) -> None:
    text, _ = keys.token()
    both = [("Authorization", f"Bearer {text}"), ("Authorization", f"Bearer {text}")]
    assert asking()("GET", "/version", headers=both).status_code == 400


def test_where_tokens_are_nobody_is_believed_who_only_claims(asking: Make, keys: Keys, git: Git) -> None:
    basic = {"Authorization": "Basic " + base64.b64encode(b"ann@example.com:x").decode()}
    ask = asking(**ELSEWHERE, write=True)
    assert ask.create("a", headers=basic).status_code == 200
    assert author(git).startswith("ann@example.com <")
    keys.token()
    assert ask.create("b", headers=basic).status_code == 200
    assert author(git).startswith("Ada Lovelace <")


# Roles


def test_G04_a_readers_token_writes_nothing(asking: Make, keys: Keys, git: Git) -> None:
    asking().create("churn")
    bearer, before = keys.bearer(Role.READER), git("rev-parse", "HEAD")
    for settings in ({}, ELSEWHERE, {**ELSEWHERE, "write": True}):
        ask = asking(**settings)
        assert ask("GET", f"{API}registered-models/get?name=churn", headers=bearer).status_code == 200
        for path, methods in rest.ENDPOINTS.items():
            for method, endpoint in methods.items():
                if endpoint.writes:
                    said = ask(method, f"{API}{path}", json={"name": "churn"}, headers=bearer)
                    assert (said.status_code, said.json()["error_code"]) == (403, "PERMISSION_DENIED"), path
                    assert "reader" in message(said)
    assert git("rev-parse", "HEAD") == before


def test_a_role_for_some_models(asking: Make, keys: Keys, git: Git) -> None:
    asking().create("fraud")
    bearer = keys.bearer(Role.READER, **{"churn*": Role.WRITER})
    ask = asking(**ELSEWHERE)
    assert ask.create("churn-eu", headers=bearer).status_code == 200
    assert author(git).startswith("Ann Lee <")
    before = git("rev-parse", "HEAD")
    for name in ("fraud", "Churn", "xchurn", "new"):
        said = ask.create(name, headers=bearer)
        assert said.status_code == 403 and f'for "{name}"' in message(said)

    def write(method: str, path: str, **asked: Any) -> int:
        return ask(method, f"{API}{path}", json=asked, headers=bearer).status_code

    assert write("POST", "registered-models/rename", name="churn-eu", new_name="fraud-eu") == 403
    assert write("POST", "registered-models/rename", name="fraud", new_name="churn-x") == 403
    assert write("DELETE", "registered-models/delete", name="fraud") == 403
    # The name that counts is the one that is acted on, however it is written.
    twice = '{"name": "churn-eu", "name": "fraud", "description": "x"}'
    more = {"content": twice, "headers": {**bearer, "Content-Type": "application/json"}}
    assert ask("PATCH", f"{API}registered-models/update?name=churn-eu", **more).status_code == 403
    assert git("rev-parse", "HEAD") == before
    assert write("POST", "registered-models/rename", name="churn-eu", new_name="churn-us") == 200
    assert write("POST", "model-versions/create", name="churn-us", source="s3://b/1") == 200
    assert write("POST", "model-versions/create", name="fraud", source="s3://b/1") == 403
    assert write("DELETE", "registered-models/delete", name="churn-us") == 200


def test_roles_in_order() -> None:
    who = Identity(kind="token", role=Role.READER, models={"churn*": Role.APPROVER, "churn-x": Role.WRITER})
    remember(who)
    assert who.role_for("churn-x") is Role.APPROVER and who.role_for("fraud") is Role.READER
    assert require(Role.READER) is who and require(Role.APPROVER, "churn-1") is who
    assert require_somewhere(Role.APPROVER) is who
    for role, model in ((Role.WRITER, None), (Role.WRITER, "fraud"), (Role.ADMIN, "churn-1")):
        with pytest.raises(Denied, match=f"needs the role {role.word}") as refused:
            require(role, model)
        assert refused.value.status == 403
    remember(Identity(role=Role.READER))
    with pytest.raises(Denied) as refused:
        require(Role.WRITER)
    assert refused.value.status == 401
    remember(Identity())


def test_a_writer_of_the_past_is_a_reader(asking: Make, keys: Keys, git: Git) -> None:
    asking().create("first")
    commit, bearer = git("rev-parse", "HEAD"), keys.bearer(Role.READER, **{"*": Role.ADMIN})
    for settings in ({}, ELSEWHERE):
        said = asking(at=commit, **settings).create("second", headers=bearer)
        assert said.status_code == 403 and commit in message(said)
    assert git("rev-parse", "HEAD") == commit


# On this machine


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.9"},
        {"Forwarded": "for=203.0.113.9"},
        {"X-Real-IP": "203.0.113.9"},
        {"Via": "1.1 proxy"},
        {"Host": "models.example"},
    ],
)
def test_what_a_proxy_hands_on_is_not_from_this_machine(
    asking: Make, git: Git, headers: dict[str, str]
) -> None:
    hosts = {"allowed_hosts": ("models.example",)}
    before = git("rev-parse", "HEAD")
    assert asking(**hosts).create(headers=headers).status_code == 403
    assert git("rev-parse", "HEAD") == before
    assert asking(**hosts, write=True).create(headers=headers).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [
        {"allowed_hosts": ("models.example",)},
        {"trusted_proxies": (network("10.0.0.1"),)},
        {"user_header": "X-Forwarded-User"},
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost"])
def test_a_proxy_that_names_the_server_by_its_address_makes_nobody_local(
    asking: Make, keys: Keys, git: Git, settings: dict[str, Any], host: str
) -> None:
    """As nginx does with proxy_pass alone; it does not say that it is there either."""
    asking().create("churn")
    bearer, before, ask = keys.bearer(), git("rev-parse", "HEAD"), asking(**settings)
    assert ask.create("fraud", headers={"Host": host}).status_code == 401
    assert ask("PUT", "/api/v1/settings/name", json={"value": "x"}, headers={"Host": host}).status_code == 401
    assert git("rev-parse", "HEAD") == before
    assert ask("GET", "/api/v1/models", headers={"Host": host}).status_code == 200
    assert ask.create("fraud", headers={"Host": host, **bearer}).status_code == 200


# Every route


def _paths(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        if isinstance(route, Mount):
            yield f"{prefix}{route.path}/", {"GET", "POST"}
            yield from _paths(route.routes or (), prefix + route.path)
            if f"{route.path}/" in rest.PREFIXES:
                for endpoint, methods in rest.ENDPOINTS.items():
                    yield f"{route.path}/{endpoint}", set(methods)
        else:
            assert isinstance(route, Route), route
            filled = re.sub(r"{(\w+)(:\w+)?}", "1", route.path)
            yield prefix + filled, set(route.methods or {"GET", "POST", "PATCH", "DELETE"})


@pytest.mark.parametrize("settings", [{"sign_in": True}, {**ELSEWHERE, "sign_in": True, "write": True}])
def test_G03_every_route_needs_credentials(asking: Make, git: Git, settings: dict[str, Any]) -> None:
    ask, before = asking(**settings), git("rev-parse", "HEAD")
    asked = [(path, methods) for path, methods in _paths(ask.app.routes) if not path.startswith("/static/")]
    assert len(asked) > 2 * len(rest.ENDPOINTS) + 4
    assert {path for path, _ in asked} >= {"/version", "/sign-in", "/sign-out", CREATE}
    basic = {"Authorization": "Basic " + base64.b64encode(b"ann:x").decode()}
    for path, methods in asked:
        if path in OPEN:
            continue
        for method in {*methods, "GET", "OPTIONS", "HEAD", "PUT"}:
            for headers in ({}, basic, {"Accept": "text/html"}, {"Origin": "http://localhost:8080"}):
                said = ask(method, path, json={"name": "m"}, headers=headers)
                assert said.status_code == 401, (method, path, said.text)
                assert said.headers["www-authenticate"].startswith("Bearer")
    for path in ("/", "/nothing", "/api", "/health/", "/healthy", "/static", "/sign-in/x", "//health"):
        assert ask("GET", path).status_code == 401, path
    assert ask("GET", "/health").text == "OK"
    assert ask("GET", "/sign-in").status_code == 200
    assert git("rev-parse", "HEAD") == before


def test_a_preflight_has_no_credentials(asking: Make) -> None:
    ask = asking(**ELSEWHERE, sign_in=True, allowed_origins=("https://models.example",))
    asks_first = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    said = ask("OPTIONS", CREATE, headers={**asks_first, "Origin": "https://models.example"})
    assert said.status_code == 200 and "POST" in said.headers["access-control-allow-methods"]
    assert ask("OPTIONS", CREATE, headers={**asks_first, "Origin": "https://evil.example"}).status_code == 401


def test_G04_a_readers_token_changes_nothing_on_any_route(asking: Make, keys: Keys, git: Git) -> None:
    asking().create("1")
    ask, bearer, before = asking(**ELSEWHERE), keys.bearer(Role.READER), git("rev-parse", "HEAD")
    refs = git("for-each-ref")
    for path, methods in _paths(ask.app.routes):
        for method in methods - {"GET", "HEAD", "OPTIONS"}:
            for more in ({"json": {"name": "1"}}, {"data": {"name": "1"}}):
                said = ask(method, path, headers=bearer, **more)
                assert said.status_code < 500, (method, path, said.text)
                if path not in ("/sign-in", "/sign-out") and not path.endswith("-versions"):
                    assert said.status_code >= 400 or "search" in path, (method, path)
    assert (git("rev-parse", "HEAD"), git("for-each-ref")) == (before, refs)
