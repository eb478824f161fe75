"""Move a version to a stage from its stage button: directly, or as a proposal where the rules ask for one."""

from __future__ import annotations

from dataclasses import replace

from gitreg.domain.model import ModelState, ModelVersion
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Transition
from gitreg.domain.settings import ARCHIVED, NO_STAGE, Settings, Stage
from gitreg.errors import Conflict, InvalidInput
from gitreg.registry.clock import utc_now
from gitreg.registry.proposal_names import promotion
from gitreg.registry.proposing import open_proposing
from gitreg.registry.trying import try_promotion
from gitreg.registry.verdict import Judged
from gitreg.registry.view import View
from gitreg.web.actions.act import SEEN, Act, Form, Witness
from gitreg.web.actions.move_told import rulings, standing
from gitreg.web.actions.since import seen_now, since
from gitreg.web.actions.subjects import version_if_there, version_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page

_INSTEAD = "instead"
"""The field with the head of the open proposal that a new one takes the place of."""
_PLACES = {"stage": "stage", "message": "message", "archive_existing": "archive"}


def show(look: Look, typed: Typed, name: str, number: int) -> Page:
    """What the move would do, what the rules say of it, and the button for it."""
    state, version = version_in(look.view, name, number)
    asked = typed.one("stage") if typed.sent else look.one("stage")
    stage = stage_of(look.settings, asked)
    holders = others(state, version, stage)
    judged = None
    if stage is not None and stage.name not in version.stages:
        judged = try_promotion(
            look.registry.store, f"{name}/{number}", stage.name, now=utc_now(), commit=look.view.commit
        )
    proposed = None
    if judged is not None and not judged.passed:
        proposed = standing(look.registry.store, name, number, judged.entering.stage.name)
    archivable = stage is not None and stage.name != ARCHIVED and look.settings.has_stage(ARCHIVED)
    return Page(
        template="forms/transition.html",
        title=f"{name}/{number}: {stage.name if stage else 'no stage'}",
        section="models",
        values={
            "name": name,
            "number": number,
            "version": version,
            "stage": stage,
            "none": NO_STAGE,
            "held": stage.name in version.stages if stage else not version.stages,
            "holders": holders,
            "leaves": [each for each in version.stages if stage is None or each != stage.name],
            "rulings": rulings(judged, holders, proposed),
            "direct": judged is None or judged.passed,
            "waits": judged is not None and _waits(judged),
            "proposed": proposed,
            "instead": _INSTEAD,
            "archivable": bool(holders) and archivable,
            "typed": typed,
            "seen": seen_now(look, typed),
            "since": since(look, typed, name),
        },
    )


def stage_of(settings: Settings, text: str) -> Stage | None:
    """A stage by its name; None for no stage.

    Raises:
        InvalidInput: There is no such stage, or none is named.
    """
    if not text:
        names = ", ".join(stage.name for stage in settings.stages)
        raise InvalidInput("say which stage", where="stage", hint=f"stages: {names}")
    return None if text.casefold() == NO_STAGE.casefold() else settings.stage(text)


def others(state: ModelState, version: ModelVersion, stage: Stage | None) -> list[ModelVersion]:
    """The other versions that hold a stage, highest number first."""
    if stage is None:
        return []
    return [each for each in state.holders(stage.name) if each.version != version.version]


def _waits(judged: Judged) -> bool:
    """Whether approvals are all that is missing."""
    missing = [each for each in judged.judgements if not each.passed]
    return bool(missing) and all(each.rule == "approvals" for each in missing)


def move(act: Act, typed: Typed, name: str, number: int) -> str:
    """Move it, or propose to."""
    stage = stage_of(act.registry.settings, typed.one("stage"))
    request = Transition(
        name=name,
        selector=version_selector(number),
        stage=stage.name if stage else NO_STAGE,
        archive_existing=typed.ticked("archive"),
    )
    message = typed.one("message")
    how = typed.one("how") or "move"
    if how == "propose":
        return _proposed(act, request, number, typed, _witness(name, number, request.stage))
    if how != "move":
        raise InvalidInput("a version is moved, or that is proposed", where="how")
    receipt = act.write(
        request, message=message, seen=typed.one(SEEN), witness=_witness(name, number, request.stage)
    )
    return act.links.version(name, number, committed=receipt.commit)


def _witness(name: str, number: int, stage: str) -> Witness:
    """What the page showed: the stages of the version, and who else holds the one that it goes to."""

    def shown(view: View) -> object:
        version = version_if_there(view, name, number)
        if version is None:
            return None
        state = view.state(name)
        holders = [each.version for each in state.holders(stage)]
        return dict(version.stages), holders, version.deprecated

    return shown


def _proposed(act: Act, request: Transition, number: int, typed: Typed, witness: Witness) -> str:
    """Make the proposal's branch, as ``gitreg promote`` does; the address of its page."""
    if request.stage == NO_STAGE:
        raise InvalidInput("leaving all stages needs no proposal", where="stage")
    open_now = standing(act.registry.store, request.name, number, request.stage)
    if open_now is not None and open_now.head != typed.one(_INSTEAD):
        return act.proposal(open_now.name, "open")
    act.refuse_changed(typed.one(SEEN), witness)
    with open_proposing(act.place) as proposing:
        proposing.branch = promotion(request.name, number, request.stage, prefix=proposing.store.prefix)
        asked = proposing.asked([request], message=typed.one("message"))
        proposing.carry_out(replace(asked, author=act.person) if act.person else asked)
        found = proposing.proposed
    if found is None or found.commit is None:
        raise Conflict(f"{request.name}/{number} holds {request.stage} already", where="stage")
    name = str(found.number) if found.number and not found.branch else found.branch
    return act.proposal(name, "proposed" if found.made else "open")


FORMS = (
    Form(
        path="/models/{name}/{number:version}/transition",
        show=show,
        carry_out=move,
        single=frozenset({"stage", "how", "message", "archive", _INSTEAD}),
        places=_PLACES,
    ),
)
