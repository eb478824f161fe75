"""A proposal gets one verdict, however it is merged: as it would be merged, by merge, by squash and by rebase."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from gitreg.gitstore.repository import Repository
from gitreg.registry.judging import judge
from gitreg.registry.store import Store
from gitreg.registry.verdict import Verdict
from tests.registry.broken_history import RULES, History


@pytest.mark.parametrize("seed", range(24))
def test_the_verdict_does_not_hang_on_how_it_is_merged(seed: int, tmp_path: Path) -> None:
    place = tmp_path / "registry.git"
    history = History(place, Random(seed), names=("churn", "fraud", "spam"), rules=False, clocks=False)
    history.make(12, rules=RULES[seed % len(RULES)], proposal=True)
    with Store(Repository.at(place)) as store:
        heads = {name: store.repository.refs.read(f"refs/heads/{name}") or "" for name in history.BRANCHES}
        main = heads.pop("main")
        verdicts = {name: judge(store, main, head, proposal=name == "side") for name, head in heads.items()}
    said = {name: _said(verdict) for name, verdict in verdicts.items()}
    assert said["merged"] == said["side"]
    assert said["squashed"] == said["side"]
    assert said["rebased"] == said["side"]
    assert len({verdict.exit_code for verdict in verdicts.values()}) == 1


def _said(verdict: Verdict) -> set[tuple[str, str, str]]:
    return {(each.code, each.path, each.message) for each in verdict.findings}
