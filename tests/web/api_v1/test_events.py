"""Server-sent events of a real server: all that happens, once, in order, to many, and to none for ever."""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

import gitreg
from gitreg.registry.clock import utc_now
from gitreg.web.access import cookies
from gitreg.web.identity import Role
from tests.web import looping
from tests.web.access.conftest import Keys
from tests.web.conftest import Git
from tests.web.serving import Served, served


class Stream:
    """One client of ``/api/v1/events``."""

    def __init__(
        self, server: Served, last: str = "", headers: Mapping[str, str] | None = None, **query: Any
    ) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        path = "/api/v1/events" + (f"?{urlencode(query, doseq=True)}" if query else "")
        self.connection.request(
            "GET", path, headers={**({"Last-Event-ID": last} if last else {}), **(headers or {})}
        )
        self.response = self.connection.getresponse()
        if self.response.status == 200:
            assert self.block() == ["retry: 2000", ": gitreg"]

    def block(self) -> list[str]:
        """The lines up to the next blank one; none at the end."""
        lines = []
        while (line := self.response.readline().decode()) not in ("\n", ""):
            lines.append(line.rstrip("\n"))
        return lines

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next events: their data, under ``sse`` their name and id."""
        found = []
        while len(found) < count:
            block = [line for line in self.block() if not line.startswith(":")]
            if block:
                fields = dict(line.split(": ", 1) for line in block)
                found.append({**json.loads(fields["data"]), "sse": (fields["event"], fields.get("id"))})
        return found

    def close(self) -> None:
        self.response.close()
        self.connection.close()


@contextmanager
def listening(server: Served, last: str = "", **query: Any) -> Iterator[Stream]:
    stream = Stream(server, last, **query)
    try:
        yield stream
    finally:
        stream.close()


def register(server: Served, name: str = "churn") -> str:
    status, told = server.ask("POST", f"/api/v1/models/{name}/versions", {"source": "s3://m"})
    assert status == 201, told
    return str(told["commit"])


def test_what_happens_is_told_as_the_log_tells_it(server: Served) -> None:
    with listening(server) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.response.headers["cache-control"] == "no-store"
        commit = register(server)
        server.ask("POST", "/api/v1/models/churn/versions/1/transition", {"stage": "Production"})
        server.ask("PUT", "/api/v1/models/churn/aliases/champion", {"to": 1})
        found = stream.events(4)
    assert [each["event"] for each in found] == ["register", "register", "transition", "alias"]
    assert [each["sse"] for each in found] == [(each["event"], each["id"]) for each in found]
    assert found[0]["id"] == f"{commit}.0" and found[1]["id"] == f"{commit}.1"
    entries = server.get("/api/v1/log")[1]["entries"]
    told = [change for entry in reversed(entries) for change in entry["changes"]]
    for event, change in zip(
        sorted(found, key=lambda e: e["summary"]), sorted(told, key=lambda c: c["summary"]), strict=True
    ):
        assert {key: event[key] for key in change} == change
    assert found[2]["stage"] == "Production" and found[2]["author"] == entries[0]["author"]


def test_commits_by_other_hands_are_told(server: Served, place: Path, git: Git) -> None:
    """A command beside the server, and an edit by hand."""
    register(server)
    with listening(server) as stream:
        file = place / "models" / "churn" / "model.yaml"
        file.write_text(file.read_text() + "description: by hand\n")
        git("commit", "-qam", "edit")
        (found,) = stream.events(1)
    assert (found["event"], found["field"], found["commit"]) == (
        "update",
        "description",
        git("rev-parse", "HEAD"),
    )


def test_nothing_is_lost_and_nothing_comes_twice(server: Served) -> None:
    """A client that comes back at any point hears what it has not heard, whatever happens meanwhile."""
    with listening(server) as stream:
        for number in range(6):
            register(server, f"model-{number}")
        whole = stream.events(12)
    ids = [each["id"] for each in whole]
    assert len(set(ids)) == 12
    for at in (0, 1, 5, 10):
        with listening(server, ids[at]) as stream:
            assert [each["id"] for each in stream.events(11 - at)] == ids[at + 1 :]
    with listening(server, since=ids[3]) as stream:
        more = register(server, "later")
        found = [each["id"] for each in stream.events(10)]
        assert found == [*ids[4:], f"{more}.0", f"{more}.1"]
    with listening(server, since=whole[4]["commit"]) as stream:
        assert stream.events(1)[0]["id"] == ids[6]
    with listening(server, since="2020-01-01") as stream:
        assert [each["id"] for each in stream.events(12)] == ids


def test_long_pasts_come_in_pieces(place: Path, git: Git) -> None:
    """More changes than are read at a time."""
    from gitreg.domain import requests as ask
    from gitreg.domain.model import Origin
    from gitreg.registry.open import open_registry

    start = git("rev-parse", "HEAD")
    with open_registry(place) as registry:
        for part in range(2):
            registry.apply(
                *(ask.Register(name="churn", origin=Origin(source=f"s3://m/{part}/{n}")) for n in range(700))
            )
    with served(place) as server, listening(server, since=start) as stream:
        found = stream.events(1401)
        assert [each.get("version") for each in found] == [None, *range(1, 1401)]
        assert len({each["id"] for each in found}) == 1401
        register(server, "next")
        assert stream.events(1)[0]["model"] == "next"


def test_only_what_is_wanted(server: Served) -> None:
    with (
        listening(server, model="fraud") as fraud,
        listening(server, event=["transition", "alias"]) as moves,
        listening(server, model=["fraud", "churn"], event="transition") as both,
    ):
        for name in ("churn", "fraud"):
            register(server, name)
            server.ask("POST", f"/api/v1/models/{name}/versions/1/transition", {"stage": "Staging"})
        server.ask("PUT", "/api/v1/models/churn/aliases/best", {"to": 1})
        assert [each["event"] for each in fraud.events(3)] == ["register", "register", "transition"]
        assert [each["model"] for each in moves.events(3)] == ["churn", "fraud", "churn"]
        assert [each["model"] for each in both.events(2)] == ["churn", "fraud"]


def test_proposals_are_told(server: Served) -> None:
    register(server)
    with listening(server, event="propose", model="churn") as stream:
        time.sleep(0.7)  # the first look at the proposals that are there
        status, made = server.ask("POST", "/api/v1/proposals", {"version": "churn/1", "stage": "Staging"})
        assert status == 201
        (found,) = stream.events(1)
    assert found["sse"] == ("propose", None)  # nothing to come back to: no commit of the branch tells it
    assert (found["head"], found["version"], found["stage"]) == (made["commit"], 1, "Staging")
    assert found["proposal"] == made["branch"]


def test_several_processes_tell_the_same(place: Path) -> None:
    with served(place, "--workers", "2") as server:
        streams = [Stream(server) for _ in range(6)]
        register(server)
        ids = [[each["id"] for each in stream.events(2)] for stream in streams]
        assert ids.count(ids[0]) == 6
        # Another process may not have seen the last commit yet: its client must not hear it again.
        for _ in range(6):
            commit = register(server)
            with listening(server, f"{commit}.0") as stream:
                following = register(server)
                assert stream.events(1)[0]["commit"] == following
        for stream in streams:
            stream.close()


def test_a_rewritten_branch_is_said_so(server: Served, git: Git) -> None:
    base = git("rev-parse", "HEAD")
    commit = register(server)
    with listening(server) as stream:
        git("reset", "-q", "--hard", base)
        (found,) = stream.events(1)
        assert found["event"] == "rewritten"
        register(server, "anew")
        assert [each["model"] for each in stream.events(2)] == ["anew", "anew"]
    with listening(server, f"{commit}.0") as stream:
        assert stream.events(1)[0]["event"] == "rewritten"
    gone = Stream(server, since=f"{commit}.0")
    assert gone.response.status == 404


@pytest.mark.parametrize(
    ("last", "query", "status"),
    [
        ("nonsense", {}, 400),
        ("", {"since": "nonsense"}, 404),
        ("", {"since": "2999-01-01"}, 400),
        ("", {"event": "exploded"}, 400),
        ("", {"modl": "churn"}, 400),
    ],
)
def test_what_is_refused(server: Served, last: str, query: dict[str, str], status: int) -> None:
    found = Stream(server, last, **query)
    assert found.response.status == status
    assert found.response.headers["content-type"] == "application/problem+json"
    assert json.loads(found.response.read())["status"] == status
    assert server.ask("POST", "/api/v1/events")[0] == 405


def test_it_ends_soon_when_the_server_does(place: Path) -> None:
    for options in ((), ("--workers", "2")):
        with served(place, *options) as server:
            streams = [Stream(server) for _ in range(4)]
            begun = time.monotonic()
            server.process.terminate()
            assert server.process.wait(timeout=20) == 0
            assert time.monotonic() - begun < 4
            for stream in streams:
                assert stream.block() == []  # the end of the answer, not of the connection alone


def test_many_listeners_cost_the_others_nothing(server: Served) -> None:
    """No listener keeps a thread from those who ask: the limit of threads is far lower."""
    streams = [Stream(server) for _ in range(60)]
    begun = time.monotonic()
    register(server)
    for _ in range(20):
        assert server.get("/api/v1/models")[0] == 200
    assert time.monotonic() - begun < 5
    assert {tuple(each["id"] for each in stream.events(2)) for stream in streams[::7]}.__len__() == 1
    for stream in streams:
        stream.close()


def many_changes(place: Path) -> None:
    """6,000 changes in four commits: more than wait for any listener."""
    from gitreg.registry.open import open_registry

    with open_registry(place) as registry:
        for part in range(4):
            registry.register("churn", "s3://m")
            with registry.batch(f"part {part}"):
                for number in range(1500):
                    registry.tag(f"churn/{part + 1}", {f"k{number}": "v" * 200})


def test_more_than_waits_is_read_from_the_index(server: Served, place: Path) -> None:
    """A client that is slow for a while loses nothing, and what waits for it stays bounded."""
    with listening(server, event="tag") as stream:
        many_changes(place)  # meanwhile the client takes nothing
        found = stream.events(6000)
    assert len({each["id"] for each in found}) == 6000
    entries = server.get("/api/v1/log?limit=20")[1]["entries"]
    commits = [each["commit"] for each in reversed(entries) if len(each["changes"]) == 1500]
    assert list(dict.fromkeys(each["commit"] for each in found)) == commits


def test_a_client_that_takes_nothing_is_dropped(place: Path) -> None:
    """Its connection ends when its patience does; nothing is kept for it."""
    import anyio

    from gitreg.web import identity
    from gitreg.web.api_v1.streaming import EventStream
    from gitreg.web.registries import Registries

    registries = Registries(place)
    stream = EventStream(registries, patience=0.2)
    started: list[int] = []

    async def receive() -> dict[str, str]:
        await anyio.sleep_forever()
        raise AssertionError

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            started.append(message["status"])
        else:
            await anyio.sleep_forever()  # as a full socket does

    async def once() -> None:
        identity.remember(identity.Identity(role=identity.Role.READER))
        scope = {"type": "http", "method": "GET", "query_string": b"", "headers": []}
        with anyio.fail_after(10):
            await stream(scope, receive, send)

    looping.run(once)
    assert started == [200]
    assert stream.hub.listening == 0
    registries.close()


@pytest.mark.parametrize("how", ["revoked", "signed out"])
def test_who_may_not_hear_any_more_hears_nothing(place: Path, how: str) -> None:
    """A stream that was begun with a token ends with it."""
    keys = Keys(place)
    text, ident = keys.token(Role.READER)
    access = keys.store.read()
    session = cookies.session_of(access.tokens[ident], access, utc_now())
    with served(place, "--sign-in") as server:
        with urllib.request.urlopen(f"{server.url}/sign-in") as page:
            name = re.search(r"gitreg-csrf-\w+", page.headers["Set-Cookie"])
        assert name
        cookie = {"Cookie": f"{name[0].replace('csrf', 'session')}={session}"}
        told = {"Authorization": f"Bearer {text}"} if how == "revoked" else cookie
        stream = Stream(server, headers=told)
        with gitreg.open(place) as registry:
            registry.register("churn", "s3://m/1")
        assert len(stream.events(2)) == 2
        if how == "revoked":
            keys.revoke(ident)
        else:
            keys.store.change(lambda access: cookies.ended(session, access, utc_now()))
        with gitreg.open(place) as registry:
            registry.register("churn", "s3://m/2")
        assert [line for line in stream.block() if not line.startswith(":")] == []
        stream.close()


def test_no_more_listen_than_may_however_many_come_at_once(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import anyio

    from gitreg.web import identity
    from gitreg.web.api_v1 import streaming
    from gitreg.web.registries import Registries

    monkeypatch.setattr(streaming, "MOST_LISTENERS", 3)
    registries = Registries(place)
    stream = streaming.EventStream(registries)
    statuses: list[int] = []

    async def at_once() -> None:
        answered = anyio.Event()

        async def receive() -> dict[str, str]:
            await answered.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                if len(statuses) == 10:
                    answered.set()

        scope = {"type": "http", "method": "GET", "query_string": b"", "headers": []}
        with anyio.fail_after(20):
            async with anyio.create_task_group() as group:
                for _ in range(10):
                    group.start_soon(stream, dict(scope), receive, send)
        assert sorted(statuses) == [200] * 3 + [503] * 7
        statuses.clear()

    async def twice() -> None:
        identity.remember(identity.Identity(role=identity.Role.READER))
        await at_once()
        await at_once()  # who has left makes room

    looping.run(twice)
    registries.close()


def test_a_client_that_leaves_is_forgotten(place: Path) -> None:
    import anyio

    from gitreg.web import identity
    from gitreg.web.api_v1.streaming import EventStream
    from gitreg.web.registries import Registries

    registries = Registries(place)
    stream = EventStream(registries)
    sent = []

    async def once() -> None:
        identity.remember(identity.Identity(role=identity.Role.READER))
        left = anyio.Event()

        async def receive() -> dict[str, str]:
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            sent.append(message)
            if message.get("body"):
                assert stream.hub.listening == 1
                left.set()

        scope = {"type": "http", "method": "GET", "query_string": b"", "headers": []}
        with anyio.fail_after(10):
            await stream(scope, receive, send)

    looping.run(once)
    assert len(sent) == 2
    assert stream.hub.listening == 0
    registries.close()
