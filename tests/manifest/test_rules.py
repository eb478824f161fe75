from __future__ import annotations

import re
from pathlib import Path

import pytest

import gitreg
from gitreg.errors import NotFound
from gitreg.manifest.rules import RULES, rule

SOURCES = sorted(Path(gitreg.__file__).parent.rglob("*.py"))
LEFT_TO_THE_REGISTRY = {"GR024", *(f"GR{number}" for number in (101, 103, 104, 105, 106, 107, 109, 110))}


def test_every_code_in_the_source_is_explained() -> None:
    used = {code for path in SOURCES for code in re.findall(r'"(GR\d{3})"', path.read_text("utf-8"))}
    assert used - RULES.keys() == set()


def test_every_rule_is_used() -> None:
    texts = "".join(path.read_text("utf-8") for path in SOURCES if path.name != "rules.py")
    unused = {code for code in RULES if f'"{code}"' not in texts}
    assert unused <= LEFT_TO_THE_REGISTRY


def test_rules_are_complete_and_in_order() -> None:
    assert list(RULES) == sorted(RULES)
    for code, one in RULES.items():
        assert re.fullmatch(r"GR\d{3}", code)
        assert one.title.endswith(".")
        assert all((one.why, one.wrong, one.right))


def test_rules_are_found_by_code() -> None:
    assert rule("gr012").code == "GR012"
    with pytest.raises(NotFound) as caught:
        rule("GR0012")
    assert "GR012" in caught.value.hint
