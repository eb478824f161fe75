"""How every writing operation ends: one commit, unless the registry moved on, and what it did as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from gitreg.domain import names
from gitreg.registry import documents
from gitreg.web.api_v1 import links, meant
from gitreg.web.api_v1.operation import Act, Document, Found, Values
from gitreg.web.api_v1.problem import HeadMoved

if TYPE_CHECKING:
    from gitreg.domain.edits import Edit
    from gitreg.domain.model import ModelVersion
    from gitreg.domain.requests import Request
    from gitreg.registry.receipt import Receipt


def named(asked: Values) -> tuple[str, ...]:
    """The model in the path, which the caller must be allowed to write to."""
    return (names.check_model_name(asked["name"]),)


def version_of(act: Act, asked: Values) -> ModelVersion:
    """The version in the path; what is done is done to its number, whatever a stage means by then."""
    return meant.version(act.registry.at(), asked["name"], asked["version"])


def carried_out(
    act: Act,
    asked: Values,
    *requests: Request,
    name: str,
    number: int | None = None,
    made: bool = False,
    warnings: tuple[str, ...] = (),
) -> Found:
    """Make one commit of some requests and tell what it did.

    Args:
        act: Where, and on whose behalf.
        asked: May hold ``message``: why.
        requests: What is wanted.
        name: The model that the answer shows as it is afterwards.
        number: The version that it shows; of a registration it is found.
        made: Whether the request makes something, which then has an address.
        warnings: What the caller should know besides.

    Raises:
        HeadMoved: The registry is not at the commit that was asked for.
    """
    wanted = act.registry.asked(requests, message=asked.get("message", ""))
    receipt = act.registry.carry_out(replace(wanted, check=_check(act)))
    return told(act, receipt, name=name, number=number, made=made, warnings=warnings)


def told(
    act: Act,
    receipt: Receipt,
    *,
    name: str,
    number: int | None = None,
    made: bool = False,
    warnings: tuple[str, ...] = (),
    more: Mapping[str, Any] | None = None,
) -> Found:
    """What a commit did; arguments as of ``carried_out``, ``more`` is told besides."""
    part = receipt.edit.get(name)
    state = part.after if part else act.registry.at().state(name)
    number = number or documents.registered_number(receipt)
    said = dict.fromkeys((*warnings, *act.registry.warnings, *receipt.warnings))
    document: Document = documents.receipt_document(receipt, said)
    document |= documents.written_document(state, number) | dict(more or {})
    if "version" in document and "deleted" not in document["version"]:
        document["version"]["uri"] = links.uri(name, document["version"]["version"])
    where = links.version_path(name, number) if number else links.model_path(name)
    fresh = made and receipt.commit is not None
    return Found(
        document=document,
        status=201 if fresh else 200,
        location=where if fresh else "",
        commit=receipt.commit,
    )


def check_head(act: Act) -> None:
    """Refuse where the registry is not at a commit of ``If-Match``.

    Raises:
        HeadMoved: It is not.
    """
    if act.match is None:
        return
    head = act.registry.store.head()
    if head not in act.match:
        raise HeadMoved(
            f"the registry is at commit {head[:10]} now",
            where="If-Match",
            hint="read again what you want to change, then send the request with the new ETag",
        )


def _check(act: Act) -> Any:
    if act.match is None:
        return None

    # Called under the write lock: what is read here is what the commit will follow on.
    def check(edit: Edit) -> None:
        check_head(act)

    return check
