from __future__ import annotations

import difflib
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitreg.domain.model import (
    Code,
    Dataset,
    Evaluation,
    Mark,
    ModelVersion,
    RegisteredModel,
    VersionTombstone,
)
from gitreg.domain.settings import Settings, Stage
from gitreg.errors import IntegrityError, InvalidManifests
from gitreg.manifest import codec, encode, rendering, spans
from gitreg.manifest.edit import same
from gitreg.manifest.yaml import parse
from tests.manifest import values

NOW = datetime(2026, 11, 23, 10, 0, 0, 123000, tzinfo=UTC)
LATER = datetime(2026, 11, 24, tzinfo=UTC)
BEFORE = """\
# yaml-language-server: $schema=../../../schemas/model-version.v1.schema.json
# By hand.

version: 7   # the number
created: '2026-11-23T10:00:00Z'
updated: "2026-11-23T10:00:00.123Z"  # set by tools
source: "runs:/0a1b2c/model"
x-mine: {b: 1, a: [1,2]}   # free
params: {depth: "6"}
# what it scored
metrics:
  # area
  auc: 0.90 # good
  # smaller is better
  loss: 1.0e-05
  # no more

datasets:
  # the first
  - name: one   # eins
  - {name: two}
parents: [ models:/A/1 , models:/B/2 ] # both
stages: {Staging: "2026-11-23T10:00:00.123Z"} # st
description: | # for people
  Hello

    indented

# before tags
tags:
  team: growth
  lang: 'en'   # quoted by hand
# the end
"""


def version(text: str = BEFORE) -> ModelVersion:
    value = codec.decode_version(text.encode(), name="Fraud", version=7, path=values.PATH)
    assert isinstance(value, ModelVersion)
    return value


def changed_lines(new: ModelVersion, text: str = BEFORE) -> list[str]:
    result = rendering.render_version(new, text.encode(), values.PATH).decode()
    assert version(result) == new
    diff = difflib.unified_diff(text.splitlines(), result.splitlines(), n=0, lineterm="")
    return [line for line in diff if not line.startswith(("---", "+++", "@@"))]


def origin(**change: Any) -> ModelVersion:
    before = version()
    return replace(before, origin=replace(before.origin, **change))


def test_no_change_changes_nothing() -> None:
    assert rendering.render_version(version(), BEFORE.encode(), values.PATH) == BEFORE.encode()


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ({"updated": LATER},
         ['-updated: "2026-11-23T10:00:00.123Z"  # set by tools', '+updated: "2026-11-24T00:00:00.000Z"  # set by tools']),
        ({"stages": {"Staging": NOW, "Live": LATER}},
         ['-stages: {Staging: "2026-11-23T10:00:00.123Z"} # st',
          '+stages: {Staging: "2026-11-23T10:00:00.123Z", Live: "2026-11-24T00:00:00.000Z"} # st']),
        ({"stages": {}}, ['-stages: {Staging: "2026-11-23T10:00:00.123Z"} # st']),
        ({"tags": {"team": "growth", "lang": "de"}},
         ["-  lang: 'en'   # quoted by hand", '+  lang: "de"   # quoted by hand']),
        ({"tags": {"team": "growth", "lang": "en", "area": "eu"}}, ["+  area: eu"]),
        ({"tags": {"lang": "en"}}, ["-  team: growth"]),
        ({"tags": {}}, ["-tags:", "-  team: growth", "-  lang: 'en'   # quoted by hand"]),
        ({"description": "one line"},
         ["-description: | # for people", "-  Hello", "-", "-    indented", "+description: one line # for people"]),
        ({"description": "a\nb"},
         ["-description: | # for people", "-  Hello", "-", "-    indented", "+description: |- # for people", "+  a",
          "+  b"]),
        ({"description": "a\nb \n"},
         ["-description: | # for people", "-  Hello", "-", "-    indented", '+description: "a\\nb \\n" # for people']),
        ({"deprecated": Mark(at=LATER, reason="old")},
         ["+deprecated:", '+  at: "2026-11-24T00:00:00.000Z"', "+  reason: old"]),
        ({"status": "FAILED_REGISTRATION"}, ["+status: FAILED_REGISTRATION"]),
        ({"extra": {"x-mine": {"b": 2, "a": [1, 2]}}},
         ["-x-mine: {b: 1, a: [1,2]}   # free", "+x-mine: {b: 2, a: [1, 2]}   # free"]),
        ({"extra": {}}, ["-x-mine: {b: 1, a: [1,2]}   # free"]),
        ({"evaluations": (Evaluation(name="eu", at=LATER, metrics={"auc": 1}),)},
         ["+evaluations:", "+  - name: eu", '+    at: "2026-11-24T00:00:00.000Z"', "+    metrics:", "+      auc: 1"]),
    ],
)  # fmt: skip
def test_state_changes_touch_their_lines_alone(change: dict[str, Any], want: list[str]) -> None:
    assert changed_lines(replace(version(), **change)) == want


@pytest.mark.parametrize(
    ("change", "want"),
    [
        ({"metrics": {"auc": 0.91, "loss": 1e-05}}, ["-  auc: 0.90 # good", "+  auc: 0.91 # good"]),
        ({"metrics": {"auc": 0.9, "loss": 1e-05, "zeta": float("inf")}}, ['+  zeta: "Infinity"']),
        ({"metrics": {"auc": 0.9, "loss": 1e-05, "aaa": 1}}, ["+  aaa: 1"]),
        ({"metrics": {"loss": 1e-05}}, ["-  auc: 0.90 # good"]),
        ({"params": {"depth": "6", "a": "b: c"}}, ['-params: {depth: "6"}', '+params: {depth: "6", a: "b: c"}']),
        ({"datasets": (Dataset(name="one"), Dataset(name="two"), Dataset(name="three", digest="1"))},
         ["+  - name: three", '+    digest: "1"']),
        ({"datasets": (Dataset(name="two"),)}, ["-  - name: one   # eins"]),
        ({"datasets": (Dataset(name="one"), Dataset(name="2"))}, ["-  - {name: two}", '+  - name: "2"']),
        ({"datasets": ()}, ["-datasets:", "-  # the first", "-  - name: one   # eins", "-  - {name: two}"]),
        ({"parents": ("models:/A/1",)}, ["-parents: [ models:/A/1 , models:/B/2 ] # both", "+parents: # both",
                                         "+  - models:/A/1"]),
        ({"run_id": "abc"}, ["+run_id: abc"]),
    ],
)  # fmt: skip
def test_entries_change_one_by_one(change: dict[str, Any], want: list[str]) -> None:
    assert changed_lines(origin(**change)) == want


def test_a_new_field_leaves_the_comment_above_the_next_one_to_it() -> None:
    result = rendering.render_version(origin(run_id="abc"), BEFORE.encode(), values.PATH).decode()
    assert 'source: "runs:/0a1b2c/model"\nrun_id: abc\nx-mine' in result
    result = rendering.render_version(
        replace(version(), status_message="m"), BEFORE.encode(), values.PATH
    ).decode()
    assert "} # st\nstatus_message: m\ndescription: | # for people" in result


def test_an_entry_behind_trailing_comments() -> None:
    text = BEFORE.replace("datasets:\n  # the first\n  - name: one   # eins\n  - {name: two}\n", "")
    before = version(text)
    new = replace(before, evaluations=(Evaluation(name="e", at=NOW),))
    result = rendering.render_version(new, text.encode(), values.PATH).decode()
    assert "  loss: 1.0e-05\n  # no more\nevaluations:\n" in result


def test_block_collections_grow_out_of_empty_ones() -> None:
    text = 'version: 7\ncreated: "2026-11-23T10:00:00Z"\nupdated: "2026-11-23T10:00:00Z"\nsource: x\ntags: {} # none'
    assert changed_lines(replace(version(text), tags={"a": "1"}), text) == [
        "-tags: {} # none",
        "+tags: # none",
        '+  a: "1"',
    ]


def test_a_block_map_shrinks_to_nothing() -> None:
    text = BEFORE.replace("# what it", "code: # where from\n  dirty: true # alas\n# what it")
    before = version(text)
    new = replace(before, origin=replace(before.origin, code=Code()))
    assert changed_lines(new, text) == [
        "-code: # where from",
        "-  dirty: true # alas",
        "+code: {} # where from",
    ]


def test_crlf_becomes_lf() -> None:
    crlf = BEFORE.replace("\n", "\r\n").encode()
    assert rendering.render_version(version(), crlf, values.PATH) == BEFORE.encode()
    new = replace(version(), tags={"lang": "en"})
    assert rendering.render_version(new, crlf, values.PATH) == rendering.render_version(
        new, BEFORE.encode(), values.PATH
    )


def test_flow_style_from_top_to_bottom() -> None:
    text = '{version: 7, created: "2026-11-23T10:00:00Z", updated: "2026-11-23T10:00:00Z", source: x, x-a: NaN} # all\n'
    new = replace(version(text), description="a\nb", tags={"k": "v"})
    result = rendering.render_version(new, text.encode(), values.PATH).decode()
    assert version(result) == new
    assert result.endswith('description: "a\\nb", tags: {k: v}} # all\n')


def test_settings_and_models() -> None:
    text = b"# ours\nformat: 1\nstages: # in order\n  - Dev # first\n  - Live\n"
    new = Settings(
        branch="trunk", stages=(Stage(name="Dev"), Stage(name="Live", exclusive=True), Stage(name="Old"))
    )
    assert rendering.render_settings(new, text).decode() == (
        "# ours\nformat: 1\nbranch: trunk\nstages: # in order\n  - Dev # first\n"
        "  - name: Live\n    exclusive: true\n  - Old\n"
    )
    model = RegisteredModel(name="M", created=NOW, updated=NOW, aliases={"b": 2})
    fresh = rendering.render_model(model, None, "models/M/model.yaml")
    after = rendering.render_model(replace(model, aliases={"a": 1, "b": 3}), fresh, "models/M/model.yaml")
    assert after.endswith(b"aliases:\n  a: 1\n  b: 3\n")


def test_a_comment_that_would_be_lost_is_refused() -> None:
    text = BEFORE.replace(
        'source: "runs:/0a1b2c/model"', 'source: "x"\nrun_id: # which\n  abc # that'
    ).encode()
    before = version(text.decode())
    inline = replace(before, origin=replace(before.origin, run_id="def"))
    assert b"run_id: # which\n  def # that\n" in rendering.render_version(inline, text, values.PATH)
    text = text.replace(b"  abc # that", b"  |-\n  abc")
    with pytest.raises(IntegrityError, match="refused to edit") as caught:
        rendering.render_version(inline, text, values.PATH)
    assert caught.value.hint == f"gitreg fmt {values.PATH}"


def test_deleting_and_restoring() -> None:
    gone = VersionTombstone(name="Fraud", version=7, deleted=Mark(at=LATER, reason="leaked"))
    tombstone = rendering.render_version(gone, BEFORE.encode(), values.PATH)
    assert codec.decode_version(tombstone, name="Fraud", version=7, path=values.PATH) == gone
    assert b"# By hand.\n\nversion: 7   # the number\n" in tombstone
    restored = rendering.render_version(version(), tombstone, values.PATH)
    assert version(restored.decode()) == version()


def test_an_invalid_file_is_not_edited() -> None:
    with pytest.raises(InvalidManifests):
        rendering.render_version(version(), b"version: 7\n", values.PATH)


# From here on: any version, commented by hand in any place, changed into any other.


def commented(text: str, picks: list[int]) -> str:
    """The text with comments above and behind some of its lines, none inside of block scalars."""
    document = parse(text.encode())
    free = {0}
    stack = [document.node]
    while stack:
        node = stack.pop()
        for item in getattr(node, "value", ()) if not isinstance(getattr(node, "value", ""), str) else ():
            for below in item if isinstance(item, tuple) else (item,):
                free.add(below.start_mark.line)
                stack.append(below)
    lines = text.split("\n")
    inside = {
        line
        for token in spans.ENGINE.tokens(text)
        if getattr(token, "style", None) == "|"
        for line in range(token.start_mark.line + 1, token.end_mark.line)
    }
    out: list[str] = []
    for at, line in enumerate(lines):
        pick = picks[at % len(picks)]
        indent = line[: len(line) - len(line.lstrip())]
        if at in free - inside and line and pick & 1:
            out.append(f"{indent}# above {at}")
        out.append(f"{line}   # behind {at}" if at in free - inside and line and pick & 2 else line)
    return "\n".join(out)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[ModelVersion, ModelVersion]:
    one, other = draw(values.versions), draw(values.versions)
    names = [field.name for field in fields(ModelVersion) if field.name not in ("name", "version")]
    chosen = draw(st.sets(st.sampled_from(names), max_size=4))
    return one, replace(one, **{name: getattr(other, name) for name in chosen})


def top_level(text: str) -> dict[str, str]:
    """The lines of each field at the top, without comments that stand alone at its end."""
    document = parse(text.encode())
    out = {}
    for key, value in document.node.value if document.node else ():
        start = spans.line_start(text, key.start_mark.index)
        out[key.value] = text[start : spans.line_end(text, spans.end_of(text, value))]
    return out


@values.steady(max_examples=120)
@given(pairs(), st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=7))
def test_edits_change_what_they_must_and_no_more(
    pair: tuple[ModelVersion, ModelVersion], picks: list[int]
) -> None:
    one, two = pair
    before = commented(rendering.render_version(one, None, values.PATH).decode(), picks)
    after = rendering.render_version(two, before.encode(), values.PATH).decode()
    assert codec.decode_version(after.encode(), name="Fraud", version=7, path=values.PATH) == two
    old, new = encode.encode_version(one), encode.encode_version(two)
    was, now = top_level(before), top_level(after)
    for name, value in old.items():
        if name in new and same(value, new[name]):
            assert now[name] == was[name]
    changed = [was[name] for name in old if name not in new or not same(old[name], new[name])]
    lost = {one.text for one in spans.comments(before)} - {one.text for one in spans.comments(after)}
    assert all(any(comment in lines for lines in changed) for comment in lost)
