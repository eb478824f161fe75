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
from gitreg.domain.contrast_rules import RuleChange
from gitreg.domain.findings import Finding
from gitreg.domain.model import Artifact, Code, Dataset, Evaluation, ModelVersion, Origin
from gitreg.domain.review import Approved, Approver, Move, Review, RulesChange, Ruling
from gitreg.render.review_data import review_document
from gitreg.render.review_markdown import LONGEST, MARKER, markdown, marker_of
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
        takes=incumbent is not None,
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
        found.split("\n")[2]
        == "`churn/1` would enter Production, which no version holds: `auc` 0.9, all rules are met."
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
    assert "- the setting `stages` of the registry would change" in found


def test_many_changes_of_the_rules_leave_room_for_the_rest() -> None:
    """Nobody hides a promotion behind long gates, nor what lowers the bar behind other changes."""
    long = "\n".join("`" * 300 + str(number) for number in range(500))
    gates = tuple(
        RuleChange(kind="file", subject=f"gates/{n}{EVIL}.json", texts=("{}", long), path=f"gates/{n}.json")
        for n in range(80)
    )
    lowered = RuleChange(
        kind="stage", subject="Production", rule="exclusive", before=True, after=False, effect="lowers"
    )
    rules = RulesChange(rulings=(), changes=(lowered, *gates))
    told = replace(PROMOTION, rules=rules)
    page = markdown(told)
    assert len(page) <= LONGEST
    assert "It would lower the bar for `Production`: no longer exclusive." in page
    assert "| `Production` | `churn/12` | `Staging` | `churn/11` |" in page
    assert "`git diff bbbbbbbbbbbb...cccccccccccc -- gates/0.json`" in page
    found = tokens(page)
    assert not [each for each in found if each.type == "heading_open" and each.tag == "h1"]
    assert not [each for each in found if "html" in each.type and "script" in each.content]


def test_nothing_changes() -> None:
    assert Review(base="b" * 40, head="c" * 40).empty
    found = markdown(Review(base="b" * 40, head="c" * 40)).split("\n")
    assert found[:3] == [MARKER, "", "Nothing of the registry changes."]
    assert review_document(Review(base="b" * 40, head="c" * 40))["summary"] == found[2]
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
    back = "gitreg rollback churn Production" if count == 1 else "gitreg revert COMMIT"
    if count > 1:
        moves = [replace(each, undo=f"{each.undo} --to {at}") for at, each in enumerate(moves, 1)]
        found = markdown(review(*moves, others=others))
        assert len(found) <= LONGEST
    assert back in found, "how to take it back stands there, whatever is cut"
    assert "more" in found
    first_words = "`churn/2` would take Production" if count == 1 else "200 versions would enter Production"
    assert found.split("\n")[2].startswith(first_words)


def test_it_fits_where_bytes_are_counted() -> None:
    """GitHub takes 262,144 bytes of a comment; a character has four at most."""
    key = "\N{MATHEMATICAL FRAKTUR CAPITAL A}" * 200
    others = tuple(
        Change(event="tag", model=f"{key}{at}", field=f"tags.{key}", after=key) for at in range(500)
    )
    rules = tuple(
        Ruling(rule="gate", passed=False, message=f"{at}{key}", help=f"{at}{key}") for at in range(500)
    )
    found = markdown(review(move(version(1, 0.9), rulings=rules), others=others))
    assert len(found) <= LONGEST and len(found.encode()) <= 262_144


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


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change(event="register", model="m", version=3), "m/3 would be registered."),
        (
            Change(event="update", model="m", version=3, field="description"),
            "The field description of m/3 would change.",
        ),
        (
            Change(event="tag", model="m", version=3, field="tags.team", after="a"),
            "m/3 would be tagged with team.",
        ),
        (
            Change(event="tag", model="m", field="tags.team", before="a"),
            "The tag team of m would be removed.",
        ),
        (
            Change(event="alias", model="m", field="aliases.best", before=2, after=3),
            "The alias best of m would point at version 3 in the place of version 2.",
        ),
        (
            Change(event="alias", model="m", field="aliases.best", before=2),
            "The alias best of m would be removed.",
        ),
        (Change(event="deprecate", model="m", version=3, after="old"), "m/3 would be deprecated."),
        (Change(event="deprecate", model="m", version=3, before="old"), "m/3 would be deprecated no longer."),
        (
            Change(event="evaluate", model="m", version=3, after=Evaluation(name="holdout", at=WHEN)),
            "m/3 would get the results of the evaluation holdout.",
        ),
        (Change(event="rename", model="m", after="n"), "m would be renamed to n."),
        (Change(event="delete", model="m"), "m would be deleted."),
        (Change(event="restore", model="m", version=3), "m/3 would be restored."),
        (Change(event="unassign", model="m", version=3, stage="Production"), "m/3 would leave Production."),
        (
            Change(event="transition", model="m", version=3, stage="Archived", origin=("Staging",)),
            "m/3 would move from Staging to Archived.",
        ),
        (
            Change(event="transition", model="m", version=3, origin=("Staging",)),
            "m/3 would move from Staging to None.",
        ),
        (
            Change(event="rewrite", model="m", version=3, field="metrics"),
            "The metrics of m/3 would be rewritten, which never change after registration.",
        ),
        (Change(event="vanish", model="m", version=3), "The manifest of m/3 would vanish."),
    ],
    ids=lambda value: value.event if isinstance(value, Change) else "",
)
def test_every_change_is_a_sentence(change: Change, told: str) -> None:
    found = text(review(others=(change,), findings=(), exit_code=0, approve=""))
    assert found.split("\n")[0] == told


def test_what_a_promotion_brings_besides_is_told_at_once() -> None:
    others = (
        Change(event="register", model="churn", version=12, after="s3://x"),
        Change(event="transition", model="churn", version=11, stage="Archived", origin=("Production",)),
        Change(event="delete", model="fraud"),
    )
    found = replace(PROMOTION, others=others, vacated=(("fraud", "Production"),))
    first, _, rest = "".join(review_document(found)["summary"]).partition(". ")
    assert first.startswith("churn/12, which it registers, would take Production from churn/11: ")
    assert rest == "fraud would be deleted. fraud would have no version in Production any more."
    assert review_document(found)["vacated"] == [{"model": "fraud", "stage": "Production"}]


def test_a_proposal_that_cannot_be_read() -> None:
    broken = Finding(
        code="GR003", message="not YAML", path="models/m/versions/1.yaml", line=9, help="mend it"
    )
    found = markdown(review(findings=(broken,), approve=""))
    assert found.split("\n")[2] == "What it would do can't be told."
    assert "- error GR003: `not YAML` in `models/m/versions/1.yaml:9:1` – `mend it`" in found


def test_a_metric_that_is_worse_is_not_left_out() -> None:
    old = version(1, 0, metrics={"a": 1.0, "b": 1.0, "c": 1.0, "d": 1.0})
    new = version(2, 0, metrics={"a": 1.1, "b": 1.1, "c": 0.9, "d": 1.1})
    better = dict.fromkeys("abcd", "higher")
    assert (
        "`c` 1 → 0.9 (worse), `a` 1 → 1.1 (better)"
        in markdown(review(move(new, old, better=better))).split("\n")[2]
    )


def test_a_metric_of_an_evaluation_is_told_apart() -> None:
    def measured(number: int, auc: float) -> ModelVersion:
        holdout = Evaluation(name="holdout", at=WHEN, metrics={"auc": auc})
        return version(number, 0.9, evaluations=(holdout,))

    found = markdown(review(move(measured(2, 0.8), measured(1, 0.7)))).split("\n")[2]
    assert "`auc` 0.9 (the same), `auc` in `holdout` 0.7 → 0.8 (better)" in found


def test_where_no_rule_is_asked_none_is_called_met() -> None:
    found = markdown(review(move(version(1, 0.9), rulings=(), approved=None), findings=(), exit_code=0))
    assert "| `Production` | `churn/1` | `Staging` | – | – | – |" in found


def test_how_to_meet_a_rule() -> None:
    rule = Ruling(
        rule="gate", passed=False, message="metrics.f1 is missing", help="gitreg evaluate churn/12 …"
    )
    by_hand = Ruling(rule="approvals", passed=False, message="1 of 2 approvals", help="gitreg approve …")
    wrong = Finding(code="GR203", message="metrics.f1 is missing")
    found = markdown(review(move(version(12, 0.9), rulings=(rule, by_hand)), findings=(wrong,)))
    assert "❌ **Not ready: 1 of 1 rule is not met, 1 approval is missing.**" in found
    assert "- to meet `gate`: `gitreg evaluate churn/12 …`" in found
    assert "- to meet `approvals`" not in found and "### Findings" not in found


def many(count: int, bad: int) -> Review:
    """So many promotions, of which one breaks a rule."""
    good, wrong = (Ruling(rule="gate", passed=each, message="f1 is low") for each in (True, False))
    moves = [
        move(version(1, 0.9, name=f"m{at:03}"), approved=None, rulings=(wrong if at == bad else good,))
        for at in range(count)
    ]
    return review(
        *moves, findings=(Finding(code="GR203", message=f"m{bad:03}/1 → Production: f1 is low"),), approve=""
    )


def test_of_many_the_one_that_fails_stands_first() -> None:
    found = markdown(many(200, bad=150))
    lines = found.split("\n")
    assert lines[2] == "200 versions would enter Production: `m150/1`, `m000/1`, `m001/1` and 197 more."
    assert lines[4] == "❌ **Not ready: 1 of 200 rules is not met.**"
    rows = [line for line in lines if line.startswith("| `Production`")]
    assert "`m150/1`" in rows[0] and "❌" in rows[0] and len(rows) == 50
    assert "- `m150/1` → `Production`: `f1 is low`" in lines


def test_the_parts_of_many_are_folded_away_together() -> None:
    found = markdown(many(4, bad=1))
    head, summary, tail = found.partition("<details><summary>Each of the 4 versions</summary>")
    assert summary and "Lineage" not in head and tail.count("#### Lineage of") == 4
    assert found.count("<details>") == found.count("</details>") == 1
    assert tail.index("</details>") < tail.index("<sub>")
    assert "Lineage" not in text(many(4, bad=1)) and "Each of the 4 versions: --all" in text(many(4, bad=1))
    assert text(many(4, bad=1), everything=True).count("Lineage of") == 4
    assert "Lineage" in markdown(many(3, bad=1)).partition("<details>")[0]


@pytest.mark.parametrize("folder", ["eu/", "a b/--></b>/", "Größe/", "x--y/", "\udcff/"])
def test_each_registry_of_a_repository_has_its_own_comment(folder: str) -> None:
    marker = marker_of(folder)
    assert marker not in {MARKER, marker_of("other/")}
    assert MARKER not in marker and marker.isascii()
    assert marker.startswith("<!-- ") and marker.count("--") == 2 and marker.endswith(" -->")
    assert markdown(PROMOTION, prefix=folder).startswith(f"{marker}\n")


def test_the_comment_says_which_registry_it_is_about() -> None:
    assert markdown(PROMOTION, prefix="models/eu/").endswith(
        f"<sub>`models/eu`: gitreg review {'b' * 12} {'c' * 12}</sub>\n"
    )
