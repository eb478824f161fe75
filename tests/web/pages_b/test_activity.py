"""What happened, and one commit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry.activity import activity
from gitreg.registry.log import log
from gitreg.registry.looking import wanted_of
from gitreg.registry.service import ServiceStore
from tests.web.pages_b.conftest import ODD, PROPOSED, Browser, Read, git


def test_it_tells_every_change_by_day_newest_first(browser: Browser) -> None:
    read = browser.get("/activity")
    days = ["Tue 29 Jul 2025", "Mon 28 Jul 2025", "Mon 13 Jan 2025"]
    assert [read.text.index(day) for day in days] == sorted(read.text.index(day) for day in days)
    assert "Warn of version 6" in read.text, "a person’s own subject"
    assert "churn: register version 8" not in read.text, "a subject that says the same is left out"


@pytest.mark.parametrize(
    ("query", "there", "absent"),
    [
        ("model=customer-embedding", "version 2", "churn"),
        ("model=churn/4", "Archived", "version 8"),
        ("stage=production", "Production", "register"),
        ("author=GRACE", "Grace Hopper", "Ada Lovelace"),
        ("author=turing", "Alan Turing", "Ada Lovelace"),
        ("event=alias", "challenger", "register"),
        ("since=2025-07-01&until=2025-07-21", "Mon 21 Jul 2025", "Jun 2025"),
        ("model=churn&author=ada&event=register&since=2025-06-01", "version 7", "version 6"),
    ],
)
def test_it_can_be_narrowed(browser: Browser, query: str, there: str, absent: str) -> None:
    text = browser.get(f"/activity?{query}").text.rpartition("Up to")[2]
    assert there in text and absent not in text


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("model=churm", 404, "churn"),
        ("model=churn/99", 404, "99"),
        ("stage=Prodction", 400, "Production"),
        ("event=explode", 400, "events: register"),
        ("since=soon", 400, "since"),
        ("since=2999-01-01", 400, "future"),
        ("before=abc", 404, "no commit"),
        ("before=" + "0" * 40, 404, "no commit"),
    ],
)
def test_what_makes_no_sense_is_told(browser: Browser, query: str, status: int, said: str) -> None:
    assert said in browser.get(f"/activity?{query}", status=status).text


def test_nothing_found_says_so(browser: Browser) -> None:
    assert "Nothing like that happened" in browser.get("/activity?author=nobody").text


def test_its_links_lead_somewhere(browser: Browser, leads_nowhere: Callable[[Read], list[str]]) -> None:
    assert leads_nowhere(browser.get("/activity")) == []


def test_pages_together_are_the_log(story: Path) -> None:
    with ServiceStore(Repository.discover(story)) as store:
        part = store.index.slice()
        for asked in ({}, {"uri": "churn"}, {"uri": "churn/5"}, {"stage": "Production"}, {"author": "ada"}):
            wanted = wanted_of(
                store, part, asked.get("uri"), **{k: v for k, v in asked.items() if k != "uri"}
            )
            expected = [(entry.commit.oid, set(entry.changes)) for entry in _brief(log(part, wanted))]
            found, before = [], None
            while True:
                page = activity(part, wanted, before=before, size=4)
                found += [(entry.link.oid, len(entry.changes)) for entry in page.entries]
                before = page.before
                if before is None:
                    break
            assert found == [(oid, len(changes)) for oid, changes in expected]


def _brief(entries):  # type: ignore[no-untyped-def]
    """Entries whose changes can be put into sets."""
    from dataclasses import replace

    for entry in entries:
        yield replace(entry, changes=tuple(replace(each, before=None, after=None) for each in entry.changes))


def test_a_commit_says_who_why_and_what(browser: Browser, leads_nowhere: Callable[[Read], list[str]]) -> None:
    oid = git(browser.place, "log", "--format=%H", "--grep=roll Production back", "-1")
    read = browser.get(f"/activity/{oid}")
    for said in (
        "Alan Turing",
        "alan@example.com",
        "Scores of all new customers are 0; pager 4711",
        "Gitreg-Event: transition",
        "churn/Production/6",
        "churn/Staging/7",
        f"gitreg revert {oid[:10]}",
        "not signed",
    ):
        assert said in read.text
    assert leads_nowhere(read) == []
    assert browser.get(f"/activity/{oid[:8]}").text.count(oid) == read.text.count(oid)


def test_the_tags_of_each_commit_are_those_that_git_has(browser: Browser) -> None:
    told = git(browser.place, "for-each-ref", "--format=%(*objectname) %(refname:short)", "refs/tags/")
    by_commit: dict[str, set[str]] = {}
    for line in told.splitlines():
        oid, name = line.split(" ", 1)
        by_commit.setdefault(oid, set()).add(name)
    assert len(by_commit) > 20
    for oid, names in list(by_commit.items())[::4]:
        read = browser.get(f"/activity/{oid}")
        shown = {name for names in by_commit.values() for name in names if f"\n{name}\n" in _lines(read)}
        assert shown == names


def _lines(read: Read) -> str:
    start = read.text.index("Git tags")
    rest = read.text[start + len("Git tags") :]
    tags = rest[: min(rest.find(word) for word in ("Trailers", "On the command line") if word in rest)]
    known = "\n".join(tags.replace("churn/", "\nchurn/").replace("customer-", "\ncustomer-").split())
    return f"\n{known}\n"


@pytest.mark.parametrize("oid", ["0" * 40, "zz", "HEAD", "main", "abc", "%00", "a" * 300])
def test_what_is_no_commit_of_the_history_is_not_found(browser: Browser, oid: str) -> None:
    browser.get(f"/activity/{oid}", status=404)


def test_a_proposal_s_commit_is_not_of_the_history(browser: Browser) -> None:
    head = git(browser.place, "rev-parse", PROPOSED)
    browser.get(f"/activity/{head}", status=404)


def test_the_past_does_not_know_what_came_later(browser: Browser) -> None:
    newest = git(browser.place, "rev-parse", "main")
    browser.get(f"/activity/{newest}?at=2025-03-01", status=404)
    assert "Jul 2025" not in browser.get("/activity?at=2025-03-01").text.partition("Commit")[0]


def test_forged_trailers_are_no_trailers(hostile: Browser) -> None:
    read = hostile.get("/activity")
    commits = [link for link in read.links if link.startswith("/activity/")]
    assert len(commits) > 5
    for link in commits:
        text = hostile.get(link).text
        after = text.partition("Trailers")[2].partition("On the command line")[0]
        assert "Gitreg-Event: delete" not in after and "Gitreg-Model: other" not in after
        assert "delete model" not in text and "delete version" not in text


def test_hostile_texts_stay_texts(hostile: Browser) -> None:
    read = hostile.get("/activity")
    assert "hand edit <script>alert(1)</script>" in read.text
    assert ODD in read.text
    assert "Mallory" in read.text


def test_a_commit_of_very_many_changes_is_told_in_part(tmp_path: Path) -> None:
    from tests.web.pages_b.making import made

    place = made(tmp_path, versions=300)
    browser = Browser(place)
    assert "more changes" in browser.get("/activity").text
    oid = git(place, "rev-parse", "HEAD")
    answer = browser.asking("GET", f"/activity/{oid}")
    assert answer.status_code == 200 and len(answer.content) < 60_000
    assert "too long for a page" in answer.text


def test_a_signed_commit_says_by_whom(tmp_path: Path) -> None:
    from tests.web.pages_b.making import made, signed_commit

    place = made(tmp_path, versions=1)
    signed_commit(place)
    browser = Browser(place)
    assert "Signed by ann@example.com" in browser.get("/activity").text
    assert "Signed by ann@example.com" in browser.get(f"/activity/{git(place, 'rev-parse', 'HEAD')}").text
