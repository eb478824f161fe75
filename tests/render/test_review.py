"""A review as Markdown, text and JSON: what it says, that it is bounded, and that nothing in it comes alive."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from gitreg.domain.changes import Change
from gitreg.domain.contrast import contrast
from gitreg.domain.findings import Finding
from gitreg.domain.model import Artifact, Code, Dataset, ModelVersion, Origin
from gitreg.domain.review import Approved, Approver, Move, Review, RulesChange, Ruling
from gitreg.render.review_data import review_document
from gitreg.render.review_markdown import LONGEST, MARKER, markdown
from gitreg.render.review_text import text

WHEN = datetime(2025, 6, 4, 14, tzinfo=UTC)
EVIL = (
    "</details><script>alert(1)</script> @org/team #1 ![x](http://e/x.png) `tick` | "
    "[a](javascript:x) https://evil.example <!-- gitreg-review -->\n\n# heading\x1b[31m\u202e"
)


def version(number: int, auc: float, *, name: str = "churn", **more: Any) -> ModelVersion:
    origin = Origin(
        source=f"s3://models/{name}/{number}",
        run_id=f"run-{number}",
        code=Code(repository="https://git.example.com/ml", commit="1a2b3c"),
        datasets=(Dataset(name="telco", digest="sha256:" + "d" * 64),),
        artifact=Artifact(digest="sha256:" + "a" * 64, size=1_400_000),
        metrics=more.pop("metrics", {"auc": auc, "log_loss": 0.4}),
    )
    return ModelVersion(name=name, version=number, created=WHEN, updated=WHEN, origin=origin, **more)


def move(candidate: ModelVersion, incumbent: ModelVersion | None = None, **more: Any) -> Move:
    change = Change(
        event="transition",
        model=candidate.name,
        version=candidate.version,
        stage="Production",
        origin=("Staging",),
    )
    told: dict[str, Any] = {
        "rulings": (Ruling(rule="gate", passed=True, message="gates/production.json is satisfied"),),
        "approved": Approved(
            needed=2,
            given=(Approver(principal="alice@example.com", at=WHEN, expires=WHEN.replace(month=7)),),
            refused=(Approver(principal="bob@example.com", refused="an author can't approve"),),
            may=("carol@example.com", "@ml/leads"),
        ),
        "better": {"auc": "higher"},
        "undo": "gitreg rollback churn Production",
    }
    return Move(
        change=change,
        version=candidate,
        incumbent=incumbent,
        takes=True,
        contrast=contrast(incumbent, candidate) if incumbent else None,
        **{**told, **more},
    )


def review(*moves: Move, **more: Any) -> Review:
    short = Finding(code="GR206", message="1 of 2 approvals", path="models/churn/versions/12.yaml")
    told: dict[str, Any] = {
        "findings": (short,),
        "exit_code": 1,
        "approve": "gitreg approve churn/12 Production",
    }
    return Review(base="b" * 40, head="c" * 40, moves=moves, **{**told, **more})


PROMOTION = review(move(version(12, 0.93), version(11, 0.91)))


def tokens(page: str) -> list[Token]:
    """What a Markdown reader makes of it, raw HTML let through."""
    found = []
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(page):
        found += [token, *(token.children or ())]
    return found


def test_a_manager_reads_the_first_line() -> None:
    marker, _, first, _, verdict, *_ = markdown(PROMOTION).split("\n")
    assert marker == MARKER
    assert first == (
        "`churn/12` would take Production from `churn/11`: `auc` 0.91 → 0.93 (better), "
        "1 of 2 approvals, all other rules are met."
    )
    assert verdict == "⏳ **Waiting for 1 approval.**"


@pytest.mark.parametrize(("auc", "word"), [(0.93, "(better)"), (0.90, "(worse)"), (0.91, "(the same)")])
def test_the_direction_is_the_stages(auc: float, word: str) -> None:
    page = markdown(review(move(version(12, auc), version(11, 0.91))))
    assert word in page.split("\n")[2]


def test_of_a_metric_whose_direction_nobody_told_nothing_is_said() -> None:
    found = markdown(review(move(version(12, 0.93), version(11, 0.91), better={})))
    assert "better" not in found
    assert "| `auc` | 0.91 | 0.93 | +0.02 (+2.2 %) |" in found


def test_what_a_reviewer_needs_stands_there() -> None:
    found = markdown(PROMOTION)
    for due in (
        "| `Production` | `churn/12` | `Staging` | `churn/11` | ✅ | 1 of 2 |",
        "| `auc` | 0.91 | 0.93 | +0.02 (+2.2 %), better |",
        "| ✅ | `gate` | `gates/production.json is satisfied` |",
        "### Approvals: 1 of 2\n",
        "| Metric | `churn/11` | `churn/12` | Change |",
        "| ✅ | `alice@example.com` | 2025-06-04 14:00 UTC | 2025-07-04 | counts |",
        "| ❌ | `bob@example.com` | – | – | does not count: `an author can't approve` |",
        "- 1 approval missing: may be given by `carol@example.com`, `@ml/leads`",
        f"- Artifact: `sha256:{'a' * 64}`, 1.4 MB",
        "- Code: `https://git.example.com/ml` at `1a2b3c`",
        "- to approve it: `gitreg approve churn/12 Production`",
        "- to take it back afterwards: `gitreg rollback churn Production`",
        "<details><summary>Every difference between the two versions</summary>",
    ):
        assert due in found.replace("  ", " "), due


def test_without_an_incumbent() -> None:
    found = markdown(review(move(version(1, 0.9), approved=None), findings=(), exit_code=0))
    assert (
        found.split("\n")[2] == "`churn/1` would enter Production, which no version holds: all rules are met."
    )
    assert "✅ **Ready: every rule is met.**" in found
    assert "- `auc` 0.9" in found


def test_a_contradiction_is_told_apart() -> None:
    twice = Finding(code="GR201", message="churn/11 and churn/12 hold Production", path="models/churn")
    found = markdown(review(move(version(12, 0.9)), findings=(twice,), exit_code=6))
    assert "Refused: the registry would contradict itself (1 finding)." in found
    assert "- error GR201: `churn/11 and churn/12 hold Production` in `models/churn`" in found


def test_a_change_of_the_rules() -> None:
    rules = RulesChange(
        rulings=(Ruling(rule="policy", passed=False, message="0 of 1 approvals"),),
        approved=Approved(needed=1),
    )
    change = Change(event="policy", field="stages", before=(), after=())
    found = markdown(review(rules=rules, others=(change,)))
    assert "The rules of the registry themselves would change, with 0 of 1 approval." in found
    assert "- registry: `change stages of the registry`" in found


def test_nothing_changes() -> None:
    assert Review(base="b" * 40, head="c" * 40).empty
    found = markdown(Review(base="b" * 40, head="c" * 40)).split("\n")
    assert found[:3] == [MARKER, "", "Nothing of the registry changes."]
    assert text(Review(base="b" * 40, head="c" * 40)) == "Nothing of the registry changes.\n"


def hostile() -> Review:
    old = version(11, 0.91, description="fine", tags={EVIL: EVIL})
    origin = replace(
        old.origin,
        source=EVIL,
        run_id=EVIL,
        parents=(EVIL,),
        code=Code(repository=EVIL, commit=EVIL),
        datasets=(Dataset(name=EVIL, uri=EVIL),),
        artifact=Artifact(digest=EVIL),
        metrics={EVIL: 1.0, "auc": 0.9},
        params={EVIL: EVIL},
    )
    new = replace(old, version=12, origin=origin, description=EVIL, tags={"a": EVIL})
    told = move(
        new,
        old,
        rulings=(Ruling(rule="gate", passed=False, message=EVIL, help=EVIL),),
        approved=Approved(needed=1, refused=(Approver(principal=EVIL, refused=EVIL),), may=(EVIL,)),
        undo=f"gitreg rollback '{EVIL}' Production",
    )
    told = replace(told, change=replace(told.change, model=EVIL))
    other = Change(event="tag", model=EVIL, version=1, field=f"tags.{EVIL}", after=EVIL)
    return review(
        told, others=(other,), findings=(Finding(code="GR203", message=EVIL, path=EVIL),), merge=EVIL
    )


def test_nothing_of_the_registry_comes_alive() -> None:
    page = markdown(hostile())
    assert page.count(MARKER) >= 1
    found = tokens(page)
    html = {token.content.strip() for token in found if token.type.startswith("html_")}
    assert html <= {
        MARKER,
        "<sub>",
        "</sub>",
        "</details>",
        "<details><summary>Every difference between the two versions</summary>",
    }
    assert not [token for token in found if token.type in ("link_open", "image")]
    prose = "".join(token.content for token in found if token.type == "text")
    for alive in ("@org", "#1", "http", "alert", "evil"):
        assert alive not in prose, alive
    headings = [each for at, each in enumerate(found) if at and found[at - 1].type == "heading_open"]
    assert "heading" not in {each.content for each in headings}
    assert "\x1b" not in page and "\u202e" not in page


def test_text_is_safe_to_print() -> None:
    found = text(hostile(), everything=True)
    assert not set(found) & {"\x1b", "\u202e", "\r"}


@pytest.mark.parametrize("count", [1, 200])
def test_it_is_never_too_long(count: int) -> None:
    metrics = {f"metric-{at:05}": at / 7 for at in range(10_000)}
    worse = {key: value - 0.01 for key, value in metrics.items()}
    old = version(1, 0, metrics=metrics)
    first = move(version(2, 0, metrics=worse), old)
    moves = [replace(first, change=replace(first.change, version=number + 2)) for number in range(count)]
    others = tuple(
        Change(event="tag", model="churn", version=at, field="tags.x", after="y" * 900) for at in range(500)
    )
    found = markdown(review(*moves, others=others))
    assert len(found) <= LONGEST
    assert found.count("<details>") == found.count("</details>")
    assert "gitreg rollback churn Production" in found, "how to take it back stands there, whatever is cut"
    assert "more" in found
    assert found.split("\n")[2].startswith("`churn/2` would take Production")


@pytest.mark.parametrize("longest", [2_500, 5_000, 20_000])
def test_any_bound_is_kept(longest: int) -> None:
    assert len(markdown(hostile(), longest=longest * 4)) <= longest * 4
    assert len(markdown(PROMOTION, longest=longest)) <= longest


def test_the_same_review_gives_the_same_text() -> None:
    assert markdown(hostile()) == markdown(hostile())


def test_json() -> None:
    found = json.loads(json.dumps(review_document(PROMOTION)))
    assert found["ready"] is False
    (told,) = found["moves"]
    assert told["candidate"]["version"] == 12
    assert told["incumbent"]["version"] == 11
    assert told["difference"]["metrics"]["auc"]["change"] == 0.02
    assert told["approvals"]["needed"] == 2
    assert told["approvals"]["refused"] == [
        {"approver": "bob@example.com", "reason": "an author can't approve"}
    ]
    assert found["summary"].startswith(
        "churn/12 would take Production from churn/11: auc 0.91 → 0.93 (better)"
    )
