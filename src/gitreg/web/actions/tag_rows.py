"""Tags in a form: a row for each that is there, and some that are empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest

from gitreg.errors import InvalidInput
from gitreg.web.actions.typed import Typed, as_shown, plain, same_text

FIELDS = frozenset({"tag_key", "tag_value", "tag_remove"})
_EMPTY = 2
_LONGEST = 2000
"""Characters of a value that can be edited; a longer one can be removed alone."""
_MOST = 200
"""Rows of a form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One tag in a form.

    Attributes:
        key: Its key.
        value: Its value, cut where it can't be edited.
        new: Whether it is not there yet.
        fixed: Whether the value can't be edited here: it is too long.
        removed: Whether it is to be removed.
    """

    key: str = ""
    value: str = ""
    new: bool = False
    fixed: bool = False
    removed: bool = False

    @property
    def lines(self) -> int:
        """How many lines its value has."""
        return self.value.count("\n") + 1


def rows(typed: Typed, present: Mapping[str, str]) -> tuple[Row, ...]:
    """The rows that a form shows: the tags that are there, with what was typed over them, and new ones."""
    given = _given(typed)
    made = []
    for key in sorted(present)[:_MOST]:
        shown, value = as_shown(key), plain(present[key])
        edited = next((one for one in given if one[0] == shown), None)
        if edited is not None:
            given.remove(edited)
            value = edited[1]
        fixed = edited is None and len(value) > _LONGEST
        removed = shown in typed.many("tag_remove")
        made.append(
            Row(key=key, value=f"{value[:_LONGEST]}…" if fixed else value, fixed=fixed, removed=removed)
        )
    made += [Row(key=key, value=value, new=True) for key, value in given if key or value]
    made += [Row(new=True)] * _EMPTY
    return tuple(made)


def changes(typed: Typed, present: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The tags to set, and the keys of those to remove.

    Args:
        typed: The form.
        present: The tags as the form was filled in on them.

    Raises:
        InvalidInput: A value has no key, or a key stands twice.
    """
    by_shown = {as_shown(key): key for key in present}
    put: dict[str, str] = {}
    for shown, value in _given(typed):
        key = by_shown.get(shown, shown)
        if not key:
            if value:
                raise InvalidInput("a value has no key", where="tags")
            continue
        if key in put:
            raise InvalidInput(f"{as_shown(key)} stands twice", where="tags", hint="leave one of them")
        put[key] = value
    gone = tuple(by_shown.get(key, key) for key in typed.many("tag_remove"))
    changed = {
        key: value
        for key, value in put.items()
        if key not in gone and not (key in present and same_text(value, present[key]))
    }
    return changed, gone


def _given(typed: Typed) -> list[tuple[str, str]]:
    keys, values = typed.many("tag_key"), typed.many("tag_value")
    if len(keys) != len(values):
        raise InvalidInput("each tag has a key and a value", where="tags")
    return [(key.strip(), value) for key, value in zip_longest(keys, values, fillvalue="")]
