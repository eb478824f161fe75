"""Give a stage back to the version that held it before."""

from __future__ import annotations

from gitreg.errors import InvalidInput, NotAllowed
from gitreg.registry.registry import Registry
from gitreg.registry.rollback import Rolled, rollback
from gitreg.web.actions.act import Act, Changed, Form
from gitreg.web.actions.confirming import MESSAGE, confirmation
from gitreg.web.actions.subjects import model_in
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page


def show(look: Look, typed: Typed, name: str) -> Page:
    """Which version gets the stage back, and the button for it."""
    model_in(look.view, name)
    stage = typed.one("stage") if typed.sent else look.one("stage")
    rolled = _plan(look.registry, name, stage)
    back = _versions(rolled.plan.back)
    left = f" {_versions(rolled.plan.left).capitalize()} leaves it." if rolled.plan.left else ""
    return confirmation(
        look,
        typed,
        title=f"Roll {rolled.stage} of {name} back",
        subject=(name, None),
        about=f"{rolled.stage} goes back to {back}.{left}",
        label=f"Roll back to {back}",
        action=look.links.action("rollback", name),
        hidden={"stage": rolled.stage, "to": _numbers(rolled)},
        texts=(MESSAGE,),
    )


def _plan(registry: Registry, name: str, stage: str) -> Rolled:
    if not stage:
        raise InvalidInput("say which stage", where="stage")
    try:
        return rollback(registry, name, stage, dry_run=True)
    except NotAllowed as error:
        hint = f"propose it: the stage button of the version that is to hold {stage} does; {error.hint}"
        raise NotAllowed(error.message, where=error.where, hint=hint) from error


def _numbers(rolled: Rolled) -> str:
    return " ".join(map(str, rolled.plan.back))


def _versions(numbers: tuple[int, ...]) -> str:
    return f"version{'s' * (len(numbers) > 1)} {' and '.join(map(str, numbers))}"


def roll_back(act: Act, typed: Typed, name: str) -> str:
    """Give it back, if it still goes to whom the page said."""
    stage = typed.one("stage")
    if _numbers(_plan(act.registry, name, stage)) != typed.one("to"):
        raise Changed
    rolled = rollback(act.registry, name, stage, message=typed.one("message"))
    return act.links.model(name, committed=rolled.receipt.commit)


FORMS = (
    Form(
        path="/models/{name}/rollback",
        show=show,
        carry_out=roll_back,
        single=frozenset({"stage", "to", "message"}),
        places={"stage": "stage", "message": "message"},
    ),
)
