"""The REST adapters against a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gitreg.errors import EnvironmentFailure, InvalidInput, NotAllowed, OutcomeUnknown
from gitreg.forge.github import github_api
from gitreg.forge.http import Api
from gitreg.forge.proposal import Proposal
from gitreg.forge.rest import Hosting, hosting
from gitreg.forge.services import Place, Service, detect, repository_of
from gitreg.forge.token import Token
from tests.forge.server import comment, serve

MARKER = "<!-- gitreg-review -->"
Store = dict[str, Any]


def proposal(branch: str) -> Proposal:
    return Proposal(branch=branch, target="main", title=f"Promote {branch}", body="Why\nnot")


def adapter(service: Service, base: str, token: str = "good") -> Hosting:
    found = hosting(service, Place(web=base, path="org/reg"), Token(value=token, source="GITREG_TOKEN"))
    assert found is not None
    return found


@pytest.fixture
def server() -> Iterator[tuple[str, Store]]:
    with serve() as found:
        yield found


@pytest.fixture(params=["github", "gitlab", "gitea"])
def service(request: pytest.FixtureRequest) -> Service:
    found: Service = request.param
    return found


def test_a_proposal_from_start_to_end(service: Service, server: tuple[str, Store]) -> None:
    host = adapter(service, server[0])
    names = [f"gitreg/m-{number}" for number in range(5)] + ["other"]
    opened = [host.open(proposal(name)) for name in names]
    assert [each.number for each in opened] == [1, 2, 3, 4, 5, 6]
    assert [each.branch for each in host.list_open("gitreg/")] == names[:5], "from three pages"
    found = host.find("gitreg/m-4")
    assert found is not None
    assert found.number == 5
    assert host.find("gitreg/m") is None
    host.update(5, Proposal(branch="gitreg/m-4", target="main", title="New", body="text"))
    assert server[1]["pulls"][4]["title"] == "New"
    host.close(5)
    assert host.find("gitreg/m-4") is None
    with pytest.raises(InvalidInput, match="already exists"):
        host.open(proposal("other"))


def test_one_comment_of_our_own(service: Service, server: tuple[str, Store]) -> None:
    host, comments = adapter(service, server[0]), server[1]["comments"]
    host.open(proposal("a"))
    comments.extend(comment(number, "mallory", f"{MARKER} forged") for number in (1, 2, 3))
    first = host.comment(1, MARKER, "one")
    assert host.comment(1, MARKER, f"{MARKER}\ntwo") == first
    assert [each["body"] for each in comments] == [f"{MARKER} forged"] * 3 + [f"{MARKER}\ntwo"]


def test_a_token_is_in_no_message(service: Service, server: tuple[str, Store]) -> None:
    host = adapter(service, server[0], token="s3cr3t")
    with pytest.raises(NotAllowed, match="Bad credentials") as caught:
        host.find("a")
    assert "GITREG_TOKEN" in caught.value.hint
    server[1]["fail"] = (422, {"message": "you sent s3cr3t\x1b"})
    with pytest.raises(InvalidInput) as told:
        host.open(proposal("a"))
    assert "s3cr3t" not in str(told.value) + repr(host)
    assert "\x1b" not in str(told.value)


def test_a_lost_answer(service: Service, server: tuple[str, Store]) -> None:
    host = adapter(service, server[0])
    server[1]["lose"] = True
    with pytest.raises(OutcomeUnknown):
        host.open(proposal("a"))
    assert len(server[1]["pulls"]) == 1
    with pytest.raises(EnvironmentFailure, match="not reached"):
        adapter(service, "http://127.0.0.1:1").open(proposal("a"))


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}),
        (503, b"<html>"),
        (200, b"<html>"),
        (200, {"a": 1}),
        (200, [1, 2]),
        (200, [None]),
        (302, {}, {"Location": "http://x/"}),
        (429, {"message": "slow down"}),
        (403, {"message": "API rate limit exceeded"}, {"X-RateLimit-Remaining": "0"}),
        (403, {"message": "secondary rate limit"}, {"Retry-After": "60"}),
    ],
)
def test_odd_answers(service: Service, answer: tuple[Any, ...], server: tuple[str, Store]) -> None:
    server[1]["fail"] = answer
    with pytest.raises(EnvironmentFailure):
        adapter(service, server[0]).list_open("")


PULL = {"html_url": "u", "web_url": "u", "source_branch": "b", "head": {"ref": "b", "repo": None}}


@pytest.mark.parametrize("told", ["7", 1.5, True, None, -1, [], {}])
@pytest.mark.parametrize(
    "more", [{}, {"head": None}, {"head": [], "source_branch": 5}], ids=["", "head", "b"]
)
def test_a_pull_request_of_another_shape(
    service: Service, told: Any, more: dict[str, Any], server: tuple[str, Store]
) -> None:
    server[1]["fail"] = (200, {**PULL, **more, "number": told, "iid": told})
    with pytest.raises(EnvironmentFailure, match=r"answered .*(number|iid|head)"):
        adapter(service, server[0]).update(1, proposal("a"))
    server[1]["fail"] = (200, [{**PULL, **more, "source_project_id": [], "target_project_id": []}])
    if service == "gitlab" or more:
        with pytest.raises(EnvironmentFailure):
            adapter(service, server[0]).list_open("")


def test_it_is_told_when_to_come_again(service: Service, server: tuple[str, Store]) -> None:
    server[1]["fail"] = (403, {"message": "rate limit"}, {"Retry-After": "61"})
    with pytest.raises(EnvironmentFailure) as caught:
        adapter(service, server[0]).find("a")
    assert caught.value.hint == "try again in 61 seconds"


def test_an_answer_without_end(server: tuple[str, Store]) -> None:
    server[1]["fail"] = (200, b"[" * 200_000)  # more than is read at once
    api = Api(base=server[0], auth={"Authorization": "good"}, name="GitHub", patience=-1.0)
    with pytest.raises(EnvironmentFailure, match="not reached: it took more than"):
        api.ask("GET", "/user")
    with pytest.raises(OutcomeUnknown):
        api.ask("POST", "/user", body={})


def test_a_redirect_and_a_next_page_elsewhere_get_no_token(server: tuple[str, Store]) -> None:
    host = adapter("github", server[0])
    for name in "abc":
        host.open(proposal(name))
    with serve() as (other, store):
        server[1]["elsewhere"] = other
        assert len(host.list_open("")) == 2
        server[1]["fail"] = (307, {}, {"Location": f"{other}/x"})
        with pytest.raises(EnvironmentFailure, match="redirect"):
            host.list_open("")
        assert store["seen"] == []


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("github.com", "https://api.github.com"),
        ("octocorp.ghe.com", "https://api.octocorp.ghe.com"),
        ("github.example.com", "https://github.example.com/api/v3"),
    ],
)
def test_where_the_api_of_github_is(host: str, base: str) -> None:
    place = repository_of(f"git@{host}:org/reg.git")
    assert detect(f"git@{host}:org/reg.git") == "github"
    assert github_api(place, Token(value="x", source="")).base == base


def test_no_token_without_tls() -> None:
    api = Api(base="http://git.example.com/api", auth={"Authorization": "Bearer x"}, name="GitHub")
    with pytest.raises(NotAllowed, match="https only"):
        api.ask("GET", "/user")
