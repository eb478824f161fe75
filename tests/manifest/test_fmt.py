from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from gitreg.domain.model import ModelVersion
from gitreg.errors import InvalidManifests
from gitreg.manifest import emit, encode, rendering, spans
from gitreg.manifest.edit import same
from gitreg.manifest.fields import MODEL, SETTINGS, VERSION
from gitreg.manifest.fmt import format_text, kind_of
from gitreg.manifest.yaml import parse
from tests.manifest import values
from tests.manifest.test_edit import commented
from tests.manifest.test_yaml import LINES

MESSY = """\
# yaml-language-server: $schema=../../../schemas/model-version.v1.schema.json
# About the file.

# on the number
version: 7   # nr


# on tags
tags: { # open
  # on team
  team: 'growth', # one
  area: "eu"
}
updated: "2026-11-23T10:00:00Z"
created: "2026-11-23T10:00:00Z"
source:   runs:/0a1b2c/model
x-mine: [[1, 2], {b: null, a: true}]
datasets:
# on the item
- uri: x # where
  # on the name
  name: two words
description: >
  folded
  text
metrics: {}

# the end
"""
TIDY = """\
# yaml-language-server: $schema=../../../schemas/model-version.v1.schema.json
# About the file.

# on the number
version: 7 # nr
created: "2026-11-23T10:00:00Z"
updated: "2026-11-23T10:00:00Z"
source: runs:/0a1b2c/model
datasets:
  # on the item
  # on the name
  - name: two words
    uri: x # where
metrics: {}
description: |
  folded text

# on tags
tags: # open
  area: eu
  # on team
  team: growth # one
x-mine:
  - - 1
    - 2
  - a: true
    b: null

# the end
"""


def fmt(text: str) -> str:
    return format_text(text.encode(), VERSION).decode()


def test_the_canonical_form() -> None:
    assert fmt(MESSY) == TIDY
    assert fmt(TIDY) == TIDY


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("\ufeffversion: 7\n", "version: 7\n"),
        ("version: 7\r\nsource: x\r\n", "version: 7\nsource: x\n"),
        ("version: 7", "version: 7\n"),
        ("version: 7\n\n\n", "version: 7\n"),
        ("---\nversion: 7\n", "version: 7\n"),
        ("created: 2026-11-23T10:00:00Z # at\r\n", 'created: "2026-11-23T10:00:00Z" # at\n'),
        ("stages: {Live: 2026-11-23T10:00:00.5+01:00}", 'stages:\n  Live: "2026-11-23T10:00:00.5+01:00"\n'),
        ("description: |+\n  a\n\n\nsource: x\n", 'source: x\ndescription: "a\\n\\n\\n"\n'),
        ("# modest\nsource: x\nversion: 7\n", "version: 7\n# modest\nsource: x\n"),
        ("# head\n\nsource: x\nversion: 7\n", "# head\n\nversion: 7\nsource: x\n"),
        ("version: 0x10\n", "version: 16\n"),
        ("\n\nsource: x\n\n\n\nrun_id: y1\n", "source: x\n\nrun_id: y1\n"),
    ],
)
def test_small_mends(text: str, want: str) -> None:
    assert fmt(text) == want
    assert fmt(want) == want


@pytest.mark.parametrize(
    "text", ["a: NO\n", "a: 1\na: 2\n", "a: [\n", "- a\n", "", "created: 2026-11-23\n", "a: &b 1\n"]
)
def test_what_has_no_sure_mend_is_reported(text: str) -> None:
    with pytest.raises(InvalidManifests):
        fmt(text)


def test_kinds_are_told_by_their_keys() -> None:
    assert [kind_of({"format": 1}), kind_of({"version": 1}), kind_of({"name": "x"})] == [
        SETTINGS,
        VERSION,
        MODEL,
    ]


def comments(text: str) -> Counter[str]:
    return Counter(one.text for one in spans.comments(text))


def check_formatted(text: str) -> None:
    document = parse(text.encode())
    out = fmt(text)
    assert same(parse(out.encode()).data, document.data)
    assert fmt(out) == out
    assert comments(out) == comments(document.source.text)
    assert out.endswith("\n")
    assert not out.endswith("\n\n")


@values.steady(max_examples=80)
@given(values.versions, st.lists(st.integers(min_value=0, max_value=3), min_size=1, max_size=7))
def test_comments_and_values_survive(value: ModelVersion, picks: list[int]) -> None:
    check_formatted(commented(rendering.render_version(value, None, values.PATH).decode(), picks))


@values.steady(max_examples=400)
@given(st.lists(LINES, min_size=1, max_size=8), st.sampled_from(["\n", "\n  "]))
@example(["c:", "# comment", "  d: 2"], "\n")
@example(["hh: plain", "   continued", "a: 1"], "\n")
def test_any_text_of_the_profile(lines: list[str], glue: str) -> None:
    text = glue.join(lines) + "\n"
    try:
        data = parse(text.encode()).data
    except InvalidManifests:
        return
    if isinstance(data, dict):
        check_formatted(text)


@values.steady(max_examples=80)
@given(
    values.versions,
    st.booleans(),
    st.integers(min_value=1, max_value=8),
    st.integers(min_value=20, max_value=200),
)
def test_other_emitters_come_to_the_same_form(
    value: ModelVersion, flow: bool, indent: int, width: int
) -> None:
    data: dict[str, Any] = encode.encode_version(value)
    text = yaml.safe_dump(
        data, default_flow_style=flow, indent=indent, width=width, allow_unicode=True, sort_keys=False
    )
    try:
        if parse(text.encode()).data != data:
            return  # PyYAML's folding of leading blanks in narrow texts does not read back
    except InvalidManifests:
        return  # PyYAML writes plain what 1.2 reads differently, and long keys with "?"
    assert fmt(text) == emit.document(data)
