"""What a path means: the version that a number, a stage, ``latest`` or an alias stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gitreg.domain import names, references
from gitreg.domain.references import Selector

if TYPE_CHECKING:
    from gitreg.domain.model import ModelVersion
    from gitreg.registry.view import View


def selector(text: str) -> Selector:
    """Read ``12``, ``Production``, ``latest`` or ``@champion``.

    Raises:
        InvalidInput: It is none of these.
    """
    if text.startswith("@"):
        return Selector(kind="alias", text=names.check_alias(text[1:]))
    return references.parse_selector(text)


def version(view: View, name: str, text: str) -> ModelVersion:
    """The version of the model ``name`` that ``text`` means.

    Raises:
        InvalidInput: The name or the text is none.
        NotFound: There is no such model or version.
    """
    names.check_model_name(name)
    wanted = selector(text)
    view.model(name)  # says where it went, or what is near
    return references.select(view.state(name), wanted, view.settings)
