"""The page that asks before something is done that is not easily undone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gitreg.web.actions.since import seen_now, since
from gitreg.web.actions.typed import Typed
from gitreg.web.pages.look import Look, Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A field of a confirmation.

    Attributes:
        name: Of the field.
        label: What stands above it.
        help: What stands below it.
        needed: Whether it may not be empty.
    """

    name: str
    label: str
    help: str = ""
    needed: bool = False


MESSAGE = Text(name="message", label="Why", help="It stands in the commit’s message. You can leave it empty.")


def confirmation(
    look: Look,
    typed: Typed,
    *,
    title: str,
    subject: tuple[str, int | None],
    about: str,
    label: str,
    action: str,
    danger: bool = False,
    facts: Sequence[str] = (),
    hidden: Mapping[str, str] | None = None,
    texts: Sequence[Text] = (MESSAGE,),
) -> Page:
    """A page with a button.

    Args:
        look: What is looked at.
        typed: What was typed.
        title: Of the page.
        subject: The model, and the version where it is about one.
        about: What will happen, in a sentence or two.
        label: On the button.
        action: Where the form is sent.
        danger: Whether the button is to look like it.
        facts: What else is to be known, a sentence each.
        hidden: Fields that nobody sees.
        texts: The fields that can be filled in.
    """
    name, number = subject
    return Page(
        template="confirm.html",
        title=title,
        section="models",
        values={
            "name": name,
            "number": number,
            "typed": typed,
            "seen": seen_now(look, typed),
            "since": since(look, typed, name),
            "about": about,
            "facts": facts,
            "label": label,
            "danger": danger,
            "action": action,
            "hidden": hidden or {},
            "texts": texts,
        },
    )
