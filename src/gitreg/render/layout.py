"""Places boxes in columns from left to right, so that lines lead to the right and boxes never overlap.

The steps are those of Sugiyama, Tagawa and Toda (1981): take out what closes a cycle, give each box a
column, lead long lines through the columns between, order each column by where its neighbours are, then
choose heights. The same graph always gives the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Arc = tuple[str, str]

_SWEEPS = 8
_PULLS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where everything is.

    Attributes:
        column: Box → its column, the leftmost being 0.
        middle: Box → the height of its middle, in the unit of the sizes given, the topmost edge at 0.
        bends: Arc → the columns that it crosses, each with the height at which it does.
        height: Of the whole.
    """

    column: Mapping[str, int]
    middle: Mapping[str, float]
    bends: Mapping[Arc, tuple[tuple[int, float], ...]]
    height: float


def layout(root: str, heights: Mapping[str, float], arcs: Sequence[Arc], *, gap: float) -> Layout:
    """Place the boxes of a graph.

    Args:
        root: What lies left of it leads to it, what lies right comes from it.
        heights: Box → its height; the order decides where nothing else does.
        arcs: From left to right, without doubles; both ends are boxes.
        gap: Room between a box and the next below.
    """
    order, forward = _acyclic(root, heights, arcs)
    column = _columns(root, order, forward)
    chains = {arc: _chain(arc, column) for arc in arcs}
    sizes = dict(heights)
    for chain in chains.values():
        for bend in chain:
            sizes[bend[0]] = gap
            column[bend[0]] = bend[1]
    links = [
        step
        for (begin, end), chain in chains.items()
        for path in [[begin, *(bend for bend, _ in chain), end]]
        for step in pairwise(path)
        if column[step[0]] < column[step[1]]
    ]
    rows = _ordered(sizes, column, links)
    middle = _heights(rows, sizes, links, gap)
    top = min((middle[box] - size / 2 for box, size in sizes.items()), default=0)
    middle = {box: at - top for box, at in middle.items()}
    return Layout(
        column={box: column[box] for box in heights},
        middle={box: middle[box] for box in heights},
        bends={arc: tuple((at, middle[bend]) for bend, at in chain) for arc, chain in chains.items()},
        height=max((middle[box] + size / 2 for box, size in sizes.items()), default=0),
    )


def _acyclic(root: str, boxes: Iterable[str], arcs: Sequence[Arc]) -> tuple[list[str], list[Arc]]:
    """The boxes so that arcs lead from earlier to later ones, and the arcs but those that close a cycle."""
    following: dict[str, list[str]] = {}
    for begin, end in arcs:
        following.setdefault(begin, []).append(end)
    done: list[str] = []
    state: dict[str, int] = {}  # 1: on the way, 2: done
    kept: list[Arc] = []
    for start in (root, *boxes):
        if start in state:
            continue
        state[start] = 1
        stack = [(start, iter(following.get(start, ())))]
        while stack:
            here, ends = stack[-1]
            near = next(ends, "")
            if not near:
                stack.pop()
                state[here] = 2
                done.append(here)
            elif state.get(near) != 1:
                kept.append((here, near))
                if near not in state:
                    state[near] = 1
                    stack.append((near, iter(following.get(near, ()))))
    return done[::-1], kept


def _columns(root: str, order: Sequence[str], arcs: Sequence[Arc]) -> dict[str, int]:
    """What led to the root stands as far right as it can, what came from it as far left."""
    before: dict[str, list[str]] = {box: [] for box in order}
    after: dict[str, list[str]] = {box: [] for box in order}
    for begin, end in arcs:
        after[begin].append(end)
        before[end].append(begin)
    column = {root: 0}
    for box in reversed(order):
        found = [column[end] for end in after[box] if end in column]
        if found and box != root:
            column[box] = min(found) - 1
    ancestors = set(column)
    for box in order:
        found = [column[begin] for begin in before[box] if begin in column]
        if found and box not in ancestors:
            column[box] = max(found) + 1
    for box in reversed(order):  # what led to something right of the root, but not to the root
        found = [column[end] for end in after[box] if end in column]
        if found and box not in column:
            column[box] = min(found) - 1
    first = min(column.values())
    return {box: column.get(box, first) - first for box in order}


def _chain(arc: Arc, column: Mapping[str, int]) -> list[tuple[str, int]]:
    """The bends of an arc: one in each column between its ends."""
    begin, end = arc
    return [(f"{begin} {end} {at}", at) for at in range(column[begin] + 1, column[end])]


def _ordered(boxes: Iterable[str], column: Mapping[str, int], links: Sequence[Arc]) -> list[list[str]]:
    """The boxes of each column from top to bottom, with few crossings."""
    rows: list[list[str]] = [[] for _ in range(max(column.values(), default=0) + 1)]
    for box in boxes:
        rows[column[box]].append(box)
    left, right = _neighbours(links)
    place = {box: at for row in rows for at, box in enumerate(row)}
    for sweep in range(_SWEEPS):
        near, turns = (left, rows[1:]) if sweep % 2 == 0 else (right, rows[-2::-1])
        for row in turns:
            weight = {box: _mean([place[one] for one in near.get(box, ())], place[box]) for box in row}
            row.sort(key=weight.__getitem__)
            place |= {box: at for at, box in enumerate(row)}
    return rows


def _neighbours(links: Sequence[Arc]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    left: dict[str, list[str]] = {}
    right: dict[str, list[str]] = {}
    for begin, end in links:
        left.setdefault(end, []).append(begin)
        right.setdefault(begin, []).append(end)
    return left, right


def _heights(
    rows: Sequence[Sequence[str]], sizes: Mapping[str, float], links: Sequence[Arc], gap: float
) -> dict[str, float]:
    """The middle of each box: as near to its neighbours as the order of its column lets it be."""
    left, right = _neighbours(links)
    middle: dict[str, float] = {}
    for row in rows:
        wanted = [0.0] * len(row)
        middle |= zip(row, _spread(wanted, [sizes[box] for box in row], gap), strict=True)
    for pull in range(_PULLS):
        for row in rows if pull % 2 == 0 else rows[::-1]:
            wanted = [
                _mean([middle[one] for one in (*left.get(box, ()), *right.get(box, ()))], middle[box])
                for box in row
            ]
            middle |= zip(row, _spread(wanted, [sizes[box] for box in row], gap), strict=True)
    return middle


def _spread(wanted: Sequence[float], sizes: Sequence[float], gap: float) -> list[float]:
    """Heights nearest to those wanted (least squares) that keep the order and leave ``gap`` between.

    With the room that each box needs taken off, heights may only grow: pool what would fall.
    """
    offsets, room = [], 0.0
    for at, size in enumerate(sizes):
        room += (sizes[at - 1] + size) / 2 + gap if at else 0.0
        offsets.append(room)
    pools: list[tuple[float, int]] = []
    for height, offset in zip(wanted, offsets, strict=True):
        mean, count = height - offset, 1
        while pools and pools[-1][0] > mean:
            above, number = pools.pop()
            mean = (above * number + mean * count) / (number + count)
            count += number
        pools.append((mean, count))
    flat = [mean for mean, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
