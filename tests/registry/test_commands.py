"""Commands in messages can be typed as they stand."""

from __future__ import annotations

import shlex

import pytest

from gitreg.registry.commands import command


@pytest.mark.parametrize(
    ("words", "typed"),
    [
        (("churn/12", "Production"), "gitreg promote churn/12 Production"),
        (("Été 100%/2", "Production"), "gitreg promote 'Été 100%/2' Production"),
        (("-x/2", "Production"), "gitreg promote -- -x/2 Production"),
        (("a;b$c/2", "Production"), "gitreg promote 'a;b$c/2' Production"),
    ],
)
def test_a_command(words: tuple[str, ...], typed: str) -> None:
    assert command("promote", *words) == typed
    assert [each for each in shlex.split(typed) if each != "--"] == ["gitreg", "promote", *words]
