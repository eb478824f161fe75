"""Sentences in pieces: own words, and those that somebody else wrote, which each renderer makes harmless."""

from __future__ import annotations


class Quoted(str):
    """Text that somebody else wrote."""

    __slots__ = ()


Words = tuple[str, ...]
"""Pieces that follow each other; those that are ``Quoted`` come from the registry."""
