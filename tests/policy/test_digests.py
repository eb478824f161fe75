"""What approvals are bound to."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.model import Code, Dataset, Evaluation, Mark
from gitreg.domain.settings import Approvals, NoWorse, Stage
from gitreg.policy.digests import origin_digest, policy_digest, rule_digest
from tests.policy.making import NOW, version

TEXTS = st.text("ab\ud800é", max_size=2)
ORIGINS = st.fixed_dictionaries(
    {},
    optional={
        "run_id": TEXTS,
        "params": st.dictionaries(TEXTS, TEXTS, max_size=2),
        "metrics": st.dictionaries(TEXTS, st.floats(), max_size=2),
        "datasets": st.lists(st.builds(Dataset, name=TEXTS, digest=st.none() | TEXTS), max_size=2).map(tuple),
        "code": st.builds(Code, commit=st.none() | TEXTS),
        "evaluations": st.lists(
            st.builds(
                Evaluation, name=TEXTS, at=st.just(NOW), metrics=st.dictionaries(TEXTS, st.floats(0, 1))
            ),
            max_size=2,
        ).map(tuple),
    },
)


def content(one: Any) -> str:
    """What is told of a version, with NaN like NaN and a map whatever its order; an empty map says nothing."""
    parts = [one.version, one.created, one.origin, one.evaluations]
    return repr([_sorted(each) for each in parts])


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, _sorted(each)) for key, each in value.items())
    if isinstance(value, tuple | list):
        return [_sorted(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _sorted(getattr(value, name)) for name in value.__dataclass_fields__}
    return value


@given(ORIGINS, ORIGINS, st.integers(1, 2), st.integers(1, 2))
def test_it_changes_with_the_content_alone(one: Any, two: Any, first: int, second: int) -> None:
    left, right = version(first, **one), version(second, **two)
    assert (origin_digest(left) == origin_digest(right)) is (content(left) == content(right))


def test_what_a_promotion_changes_is_no_part_of_it() -> None:
    one = version(metrics={"auc": 0.9})
    later = replace(
        one,
        stages={"Production": NOW},
        updated=NOW,
        status="PENDING_REGISTRATION",
        status_message="soon",
        description="good",
        tags={"a": "b"},
        deprecated=Mark(at=NOW),
        extra={"x-note": 1},
    )
    assert origin_digest(later) == origin_digest(one)
    assert origin_digest(replace(one, created=NOW + timedelta(seconds=1))) != origin_digest(one)


STAGES = st.builds(
    Stage,
    name=st.sampled_from(["Production", "Staging"]),
    exclusive=st.booleans(),
    allowed_from=st.none() | st.just(("Staging",)) | st.just(()),
    gate=st.none() | st.sampled_from(["gates/a.json", "gates/b.json"]),
    no_worse=st.lists(
        st.builds(
            NoWorse,
            metric=st.just("auc"),
            direction=st.just("higher"),
            tolerance=st.sampled_from([0.0, 0.1]),
            percent=st.sampled_from([0.0, 0.1]),
        ),
        max_size=1,
    ).map(tuple),
    requires=st.sampled_from([(), ("card",), ("card", "digest")]),
    approvals=st.none() | st.builds(Approvals, count=st.integers(1, 2), codeowners=st.booleans()),
    signed=st.booleans(),
)
GATES = st.none() | st.binary(max_size=1)


@given(STAGES, STAGES, GATES, GATES)
def test_a_rule_changes_with_the_rule_alone(one: Stage, two: Stage, first: Any, second: Any) -> None:
    same = (one, first) == (two, second)
    assert (rule_digest(one, first) == rule_digest(two, second)) is same
    assert rule_digest(replace(one, description="said better"), first) == rule_digest(one, first)


def test_approvals_stay_good_when_gitreg_learns_of_a_rule() -> None:
    """The digest of a rule that uses nothing new is the one that was signed before."""
    rule = NoWorse(metric="auc", direction="higher", tolerance=0.1)
    stage = Stage(name="Production", no_worse=(rule,), approvals=Approvals(approvers=("ann@example.com",)))
    assert rule_digest(stage, None) == "037d7c9cbe04fae1fb376f99a9e88e924c91a293452f5aabe13e7ac8cf544c6f"


def test_another_gate_with_the_same_text_is_another_rule() -> None:
    one, two = (Stage(name="Production", gate=f"gates/{each}.json") for each in "ab")
    assert rule_digest(one, b"{}") != rule_digest(two, b"{}")
    assert rule_digest(one, None) != rule_digest(replace(one, gate=None), None)


FILES = st.dictionaries(st.sampled_from(["gitreg.yaml", "gates/a.json", "keys/x"]), st.binary(max_size=2))


@given(FILES, FILES)
def test_the_rules_change_with_the_files_alone(one: dict[str, bytes], two: dict[str, bytes]) -> None:
    assert (policy_digest(one) == policy_digest(two)) is (one == two)
    assert policy_digest(dict(reversed(one.items()))) == policy_digest(one)
    assert len(policy_digest(one)) == 64
