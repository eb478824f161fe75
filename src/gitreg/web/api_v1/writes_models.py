"""What changes a model: create, update, rename, delete, restore, its aliases, rollback."""

from __future__ import annotations

from gitreg.domain import names
from gitreg.domain import requests as ask
from gitreg.registry import documents
from gitreg.web.api_v1 import meant
from gitreg.web.api_v1.acting import carried_out, check_head, named, told
from gitreg.web.api_v1.operation import Act, Found, Operation, Parameter, Values
from gitreg.web.api_v1.parameters import MESSAGE, NAME, NUMBER, REASON, SOME_TEXT, TEXT
from gitreg.web.api_v1.schemas import fields
from gitreg.web.api_v1.shapes import nullable, record, ref
from gitreg.web.identity import Role

WHY = {"message": {**TEXT, "description": "Why; it stands in the commit message."}}
TAG_CHANGES = {
    "type": "object",
    "description": "Tags to set; null removes one. Others stay.",
    "propertyNames": {"minLength": 1, "maxLength": 250},
    "additionalProperties": {"type": ["string", "null"], "maxLength": 100_000},
}
_ALIAS = Parameter(name="alias", where="path", schema=SOME_TEXT, description="The alias, without @.")


def _create(act: Act, asked: Values) -> Found:
    request = ask.CreateModel(
        name=asked["name"],
        description=asked.get("description", ""),
        tags=asked.get("tags", {}),
        owners=tuple(asked.get("owners", ())),
    )
    return carried_out(act, asked, request, name=request.name, made=True)


def tag_request(asked: Values, name: str, number: int | None) -> list[ask.Request]:
    """The request that sets and removes tags; none where no tag is named."""
    tags = asked.get("tags")
    if not tags:
        return []
    from gitreg.domain.references import version_selector

    return [
        ask.Tag(
            name=name,
            selector=None if number is None else version_selector(number),
            put={key: value for key, value in tags.items() if value is not None},
            remove=tuple(key for key, value in tags.items() if value is None),
        )
    ]


def _update(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    act.registry.at().model(name)
    requests: list[ask.Request] = []
    if "description" in asked or "owners" in asked:
        owners = tuple(asked["owners"]) if "owners" in asked else None
        requests.append(ask.UpdateModel(name=name, description=asked.get("description"), owners=owners))
    requests += tag_request(asked, name, None)
    return carried_out(act, asked, *requests, name=name)


def _rename(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    request = ask.Rename(name=name, new_name=asked["new_name"])
    return carried_out(act, asked, request, name=request.new_name)


def _both_names(asked: Values) -> tuple[str, ...]:
    return (*named(asked), asked["new_name"])


def _delete(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    request = ask.DeleteModel(name=name, reason=asked.get("reason", ""))
    return carried_out(act, asked, request, name=name)


def _restore(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    act.registry.at()  # an index at hand makes the search for the past short
    request = act.registry.restoration(f"models:/{name}")
    return carried_out(act, asked, request, name=name)


def _set_alias(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    wanted = asked["to"]
    text = wanted if isinstance(wanted, str) else str(int(wanted))  # 12.0 is a whole number in JSON, too
    version = meant.version(act.registry.at(), name, text)
    from gitreg.domain.references import version_selector

    request = ask.SetAlias(name=name, alias=asked["alias"], selector=version_selector(version.version))
    return carried_out(act, asked, request, name=name, number=version.version)


def _remove_alias(act: Act, asked: Values) -> Found:
    (name,) = named(asked)
    act.registry.at().model(name)
    request = ask.RemoveAlias(name=name, alias=names.check_alias(asked["alias"]))
    return carried_out(act, asked, request, name=name)


def _rollback(act: Act, asked: Values) -> Found:
    from gitreg.registry.rollback import rollback

    (name,) = named(asked)
    check_head(act)
    to = None if asked.get("to") is None else int(asked["to"])
    rolled = rollback(act.registry, name, asked["stage"], to=to, message=asked.get("message", ""))
    return told(
        act,
        rolled.receipt,
        name=name,
        number=max(rolled.plan.back),
        more=documents.rolled_document(rolled),
    )


OPERATIONS = (
    Operation(
        id="createModel",
        method="POST",
        path="/models",
        group="Models",
        summary="Create a registered model without versions",
        body=record(
            {**fields("ModelManifest", "name", "description", "tags", "owners"), **WHY},
            optional=("description", "tags", "owners", "message"),
        ),
        answer=ref("Written"),
        status=201,
        failures=(409,),
        write=_create,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="updateModel",
        method="PATCH",
        path="/models/{name}",
        group="Models",
        summary="Change a model's description, owners or tags",
        parameters=(NAME,),
        body=record(
            {**fields("ModelManifest", "description", "owners"), "tags": TAG_CHANGES, **WHY},
            optional=("description", "owners", "tags", "message"),
        ),
        answer=ref("Written"),
        failures=(404, 409),
        write=_update,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="renameModel",
        method="POST",
        path="/models/{name}/rename",
        group="Models",
        summary="Give a model a new name; its versions and their numbers come along",
        parameters=(NAME,),
        body=record({"new_name": SOME_TEXT, **WHY}, optional=("message",)),
        answer=ref("Written"),
        failures=(404, 409),
        write=_rename,
        role=Role.WRITER,
        models=_both_names,
    ),
    Operation(
        id="deleteModel",
        method="DELETE",
        path="/models/{name}",
        group="Models",
        summary="Delete a model with all its versions; restoring brings it back",
        parameters=(NAME, REASON, MESSAGE),
        answer=ref("Written"),
        failures=(404, 409),
        write=_delete,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="restoreModel",
        method="POST",
        path="/models/{name}/restore",
        group="Models",
        summary="Bring a deleted model back",
        parameters=(NAME,),
        body=record(WHY, optional=("message",)),
        body_needed=False,
        answer=ref("Written"),
        failures=(404, 409),
        write=_restore,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="setAlias",
        method="PUT",
        path="/models/{name}/aliases/{alias}",
        group="Models",
        summary="Point an alias at a version",
        parameters=(NAME, _ALIAS),
        body=record(
            {
                "to": {
                    "anyOf": [NUMBER, SOME_TEXT],
                    "description": "The version: its number, a stage, latest, or another alias as @alias.",
                },
                **WHY,
            },
            optional=("message",),
        ),
        answer=ref("Written"),
        failures=(404, 409),
        write=_set_alias,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="removeAlias",
        method="DELETE",
        path="/models/{name}/aliases/{alias}",
        group="Models",
        summary="Remove an alias; one that is not there is no error",
        parameters=(NAME, _ALIAS, MESSAGE),
        answer=ref("Written"),
        failures=(404, 409),
        write=_remove_alias,
        role=Role.WRITER,
        models=named,
    ),
    Operation(
        id="rollBack",
        method="POST",
        path="/models/{name}/rollback",
        group="Models",
        summary="Give a stage back to the version that held it before, in one commit",
        parameters=(NAME,),
        body=record(
            {
                "stage": SOME_TEXT,
                "to": {**nullable(NUMBER), "description": "Go back to this version, which held it once."},
                **WHY,
            },
            optional=("to", "message"),
        ),
        answer=ref("Written"),
        failures=(404, 409),
        write=_rollback,
        role=Role.WRITER,
        models=named,
    ),
)
