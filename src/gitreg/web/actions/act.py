"""What a form is, and what carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gitreg.domain.requests import Request
from gitreg.errors import Conflict, InvalidInput
from gitreg.gitstore.objects import Person, is_oid
from gitreg.registry.receipt import Receipt
from gitreg.registry.registry import Registry
from gitreg.registry.view import View
from gitreg.web.identity import Role
from gitreg.web.links import Links

if TYPE_CHECKING:
    from gitreg.web.pages.look import Page

Witness = Callable[[View], object]
"""What a form was filled in on: where it is another by now, the form is not carried out."""

SEEN = "seen"
"""The field with the commit that the page with the form was made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a form is carried out with.

    Attributes:
        registry: Open for writing in the name of ``person``.
        person: Whose commit it will be; None: whom Git's configuration names.
        place: A folder of the registry, or a bare repository.
        links: Gives the addresses of pages.
    """

    registry: Registry
    person: Person | None
    place: Path
    links: Links

    def proposal(self, name: str, done: str) -> str:
        """The address of a proposal's page, which says what was done with it (see ``done.html``)."""
        return f"{self.links.proposal(name)}?done={done}"

    def write(
        self,
        *requests: Request,
        message: str = "",
        title: str = "",
        seen: str = "",
        witness: Witness | None = None,
    ) -> Receipt:
        """Make one commit of what a form asks for.

        Args:
            requests: What is wanted.
            message: Why.
            title: The commit's subject; ``""``: the usual one.
            seen: Full hex id of the commit that the form was filled in on; ``""``: it does not matter.
            witness: What must be as it was then.

        Raises:
            Conflict: It is another by now.
        """
        asked = self.registry.asked(requests, message=message, title=title)
        if seen and witness is not None:
            check = partial(self.refuse_changed, seen, witness)
            asked = replace(asked, check=lambda edit: check())
        return self.registry.carry_out(asked)

    def refuse_changed(self, seen: str, witness: Witness) -> None:
        """Refuse what was asked for on a state that is another by now; arguments as for ``write``.

        Raises:
            Conflict: It is.
        """
        if seen and witness(self.registry.at()) != witness(view_at(self.registry, seen)):
            raise Changed


class Changed(Conflict):
    """What a form was filled in on was changed by somebody else."""

    def __init__(self) -> None:
        super().__init__(
            "this was changed meanwhile, by somebody else or in another tab",
            hint="What you see now is how it stands. Look, and send the form again if it is still right.",
        )


def view_at(registry: Registry, seen: str) -> View:
    """The registry as the page with a form showed it.

    Raises:
        InvalidInput: That is no commit.
    """
    if not is_oid(seen):
        raise InvalidInput("that is no commit", where=SEEN, hint="load the page again")
    return registry.at(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form with a page of its own.

    Attributes:
        path: Pattern of its address.
        show: Makes its page of a ``Look``, of what was typed, and of what the address names.
        carry_out: Does what it asks for; gives the address of the page that shows the outcome.
        single: Its fields that stand once.
        several: Those that may be repeated.
        places: What errors call the things that they are about → the field that they are told at.
        role: What one must be allowed to do for the model in its address; for any, where that names none.
    """

    path: str
    show: Callable[..., Page]
    carry_out: Callable[..., str]
    single: frozenset[str]
    several: frozenset[str] = frozenset()
    places: Mapping[str, str] = field(default_factory=dict)
    role: Role = Role.WRITER
