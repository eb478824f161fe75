"""A change of the rules that is approved on the server's word: what is signed is shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.signing.conftest import key_of
from tests.web.actions.test_deciding import guarded, key, people
from tests.web.actions.visiting import Visitor

__all__ = ["guarded", "key", "key_of", "people"]

TIDY = "gitreg/rules/tidy"
POLICY = """\
policy:
  approvals:
    count: 1
    approvers: [bob@example.com]
    signed_in: [models@example.com]
"""


@pytest.fixture
def tidied(guarded: Path, git: Callable[..., str]) -> str:
    """Ann proposes that Eve may approve, too."""
    settings = guarded / "gitreg.yaml"
    settings.write_text(settings.read_text() + POLICY)
    git("commit", "-q", "-a", "-m", "who approves the rules")
    git("checkout", "-q", "-b", TIDY)
    settings.write_text(settings.read_text().replace("ann@example.com]", "ann@example.com, eve@example.com]"))
    git("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "commit", "-q", "-a", "-m", "Tidy up")
    git("checkout", "-q", "-")
    return f"/proposals/{TIDY}"


def test_what_is_signed_is_shown(people: Callable[[str], Visitor], tidied: str) -> None:
    page = people("Bob").get(f"{tidied}/approve").text
    assert "the change of the rules" in page
    assert "▼ lowers the bar: Production: eve@example.com may approve, too" in page
