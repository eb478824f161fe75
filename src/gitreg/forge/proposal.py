"""What is proposed, and what a service made of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A branch that shall be merged: short names of ``branch`` and ``target``, text in Markdown."""

    branch: str
    target: str
    title: str
    body: str
    draft: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An open pull or merge request."""

    number: int
    url: str
    branch: str
    title: str = ""
