from __future__ import annotations

import pytest

from gitreg.domain.references import LATEST, Reference, Selector, parse_reference, version_selector
from gitreg.errors import InvalidInput


@pytest.mark.parametrize("prefix", ["", "models:/"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("churn", Reference(name="churn")),
        ("churn/12", Reference(name="churn", selector=version_selector(12))),
        ("churn/v12", Reference(name="churn", selector=version_selector(12))),
        ("churn/latest", Reference(name="churn", selector=LATEST)),
        ("churn/Production", Reference(name="churn", selector=Selector(kind="stage", text="Production"))),
        ("churn/None", Reference(name="churn", selector=Selector(kind="stage", text="None"))),
        ("churn@champion", Reference(name="churn", selector=Selector(kind="alias", text="champion"))),
        ("a@b/3", Reference(name="a@b", selector=version_selector(3))),
        ("a@{1}", Reference(name="a@{1}")),
        ("@", Reference(name="@")),
        ("a b/1", Reference(name="a b", selector=version_selector(1))),
    ],
)
def test_grammar(prefix: str, text: str, expected: Reference) -> None:
    assert parse_reference(prefix + text) == expected
    assert parse_reference(str(expected)) == expected


def test_a_model_whose_name_holds_an_at_wins_over_the_alias() -> None:
    assert parse_reference("a@b", exists=lambda name: name == "a@b") == Reference(name="a@b")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "churn/",
        "churn/1/2",
        "churn/0",
        "churn/-1",
        "churn/01",
        "churn/1e3",
        "churn@latest",
        "churn@v3",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_reference(text)
