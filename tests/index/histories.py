"""Histories, drawn: lists of steps as they may come in any registry."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.index.steps import (
    APPROVALS,
    RAWS,
    RULES,
    SPOILS,
    VERBS,
    Approve,
    Ask,
    Back,
    Batch,
    Branch,
    Clock,
    Configure,
    Gc,
    Merge,
    Raw,
    Register,
    Rules,
    Spoil,
    Stray,
    Write,
)
from tests.index.world import AUTHORS, MESSAGES, NAMES, STAGES, Step

_small = st.integers(0, 3)
_number = st.integers(1, 3)
_branch = st.sampled_from(["main", "topic", "side"])
_message = st.sampled_from([*MESSAGES])
_author = st.sampled_from(["", *AUTHORS])

COMMANDS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Register, st.integers(0, len(NAMES) - 1), st.sampled_from([0.1, 0.9, float("inf")])),
    st.builds(Ask, st.sampled_from(VERBS), _small, _number, st.integers(0, 7)),
)
EDITS: st.SearchStrategy[Step] = st.one_of(
    st.builds(Approve, st.sampled_from(APPROVALS), _small),
    st.builds(Rules, st.sampled_from(RULES)),
    st.builds(
        Write,
        _small,
        st.integers(1, 4),
        st.lists(st.sampled_from(STAGES[:3]), max_size=3).map(tuple),
        _message,
        _author,
    ),
    st.builds(Spoil, st.sampled_from(SPOILS), st.integers(0, 9), _message),
    st.builds(
        Stray,
        st.sampled_from(["readme", "card", "stray", "odd number", "no name", "bytes", "elsewhere", "empty"]),
        _message,
        _author,
    ),
    st.builds(
        Configure,
        st.sampled_from(["stages", "name", "owners", "broken", "gone", "all gone", "layout", "layout alone"]),
    ),
)
BRANCHES: st.SearchStrategy[Step] = st.one_of(
    st.builds(Branch, _branch),
    st.builds(Merge, st.sampled_from(["commit", "squash", "rebase", "foxtrot"]), _branch),
    st.builds(
        Back, st.sampled_from(["revert", "revert", "amend", "reword", "reset", "squash"]), st.integers(1, 4)
    ),
    st.builds(Back, st.sampled_from(["orphan", "reset"]), st.integers(1, 8)),
    st.builds(Clock, st.sampled_from([-30, -1, 48])),
    st.builds(Raw, st.sampled_from(RAWS)),
    st.builds(Gc),
)
STEPS = st.one_of(
    COMMANDS,
    COMMANDS,
    COMMANDS,
    EDITS,
    EDITS,
    BRANCHES,
    BRANCHES,
    st.builds(Batch, st.lists(COMMANDS, min_size=2, max_size=4).map(tuple)),
)
# A few versions first, so that later steps find something to act on.
OPENING: tuple[Step, ...] = (Register(0), Register(1), Register(0), Ask("transition", 0, 1, 1))
HISTORIES = st.lists(STEPS, min_size=4, max_size=22)
