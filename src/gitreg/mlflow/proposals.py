"""A transition that the rules refuse, proposed instead of refused."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from gitreg.domain.requests import Transition
from gitreg.errors import GitregError
from gitreg.gitstore.objects import Person
from gitreg.mlflow.errors import translated
from gitreg.registry.proposal_names import promotion
from gitreg.registry.proposing import open_proposing

_log = logging.getLogger("gitreg.mlflow")


def propose_transition(place: Path, request: Transition, author: Person | None) -> None:
    """Propose a transition, as ``gitreg promote`` does; where it stands is logged as a warning.

    Args:
        place: A folder of the registry.
        request: What is proposed.
        author: Who proposes it; None: whom Git's configuration names.

    Raises:
        MlflowError: It can't be proposed.
    """
    number = request.selector.version
    assert number is not None  # the facade names versions by their number
    try:
        with open_proposing(place) as registry:
            registry.branch = promotion(request.name, number, request.stage, prefix=registry.store.prefix)
            asked = registry.asked([request])
            registry.carry_out(replace(asked, author=author) if author else asked)
            found = registry.proposed
    except GitregError as error:
        raise translated(error) from error
    if found is None:
        return
    where = found.opened.url if found.opened else found.page or f"branch {found.branch}"
    _log.warning(
        "%s/%s is not in %s yet: the rules ask for more than a transition. It is proposed (%s).",
        request.name,
        number,
        request.stage,
        where,
    )
