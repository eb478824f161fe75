"""Rules for requests about a whole registered model, and for tags and aliases."""

from __future__ import annotations

from dataclasses import replace

from gitreg.domain import names, references, requests
from gitreg.domain.decide.context import Context, check_tags, check_text
from gitreg.domain.edits import Edit, ModelEdit, Revival
from gitreg.domain.model import Mark, ModelTombstone, RegisteredModel
from gitreg.errors import Conflict, InvalidInput


def create(request: requests.CreateModel, context: Context) -> Edit:
    """A new registered model; numbers go on where a deleted model of that name stopped."""
    state = context.free(request.name)
    model = RegisteredModel(
        name=request.name,
        created=context.now,
        updated=request.updated or context.now,
        description=check_text(request.description, "description"),
        tags=check_tags(request.tags),
        owners=tuple(check_text(owner, "owners") for owner in request.owners),
        last_version=state.last_version,
    )
    return {request.name: ModelEdit(before=state, model=model)}


def update(request: requests.UpdateModel, context: Context) -> Edit:
    """Set description and owners."""
    state, model = context.living(request.name)
    following = model
    if request.description is not None:
        following = replace(following, description=check_text(request.description, "description"))
    if request.owners is not None:
        owners = tuple(check_text(owner, "owners") for owner in request.owners)
        following = replace(following, owners=owners)
    if following == model:
        return {}
    return {request.name: ModelEdit(before=state, model=replace(following, updated=context.now))}


def tag(request: requests.Tag, context: Context) -> Edit:
    """Set and remove tags; as in MLflow this leaves ``updated`` alone and a missing key is no error."""
    check_tags(request.put)
    if request.selector is None:
        state, model = context.living(request.name)
        tags = _tagged(dict(model.tags), request)
        if tags == model.tags:
            return {}
        return {request.name: ModelEdit(before=state, model=replace(model, tags=tags))}
    state, version = context.version(request.name, request.selector)
    tags = _tagged(dict(version.tags), request)
    if tags == version.tags:
        return {}
    versions = {version.version: replace(version, tags=tags)}
    return {request.name: ModelEdit(before=state, versions=versions)}


def _tagged(tags: dict[str, str], request: requests.Tag) -> dict[str, str]:
    both = set(request.put) & set(request.remove)
    if both:
        raise InvalidInput(f"{names.shown(min(both))} is both set and removed", where="tags")
    for key in request.remove:
        tags.pop(key, None)
    return {**tags, **request.put}


def set_alias(request: requests.SetAlias, context: Context) -> Edit:
    """Point an alias at a version."""
    alias = names.check_alias(request.alias)
    state, version = context.version(request.name, request.selector)
    model = references.living(state)
    if model.aliases.get(alias) == version.version:
        return {}
    aliases = {**model.aliases, alias: version.version}
    return {request.name: ModelEdit(before=state, model=replace(model, aliases=aliases))}


def remove_alias(request: requests.RemoveAlias, context: Context) -> Edit:
    """Remove an alias."""
    state, model = context.living(request.name)
    if request.alias not in model.aliases:
        return {}
    aliases = {alias: to for alias, to in model.aliases.items() if alias != request.alias}
    return {request.name: ModelEdit(before=state, model=replace(model, aliases=aliases))}


def delete(request: requests.DeleteModel, context: Context) -> Edit:
    """Delete a model: its folder keeps only the tombstone."""
    state, _ = context.living(request.name)
    mark = Mark(at=context.now, reason=check_text(request.reason, "reason"))
    stone = ModelTombstone(name=request.name, last_version=state.last_version, deleted=mark)
    return {request.name: ModelEdit(before=state, model=stone, cleared=True)}


def restore(request: requests.RestoreModel, context: Context) -> Edit:
    """Bring a deleted model back with everything that it held."""
    state = context.lookup(request.name)
    if not isinstance(state.model, ModelTombstone):
        references.living(state)
        raise Conflict(f"the registered model {names.shown(request.name)} is not deleted")
    if state.model.renamed_to:
        references.living(state)  # raises, naming where it went
    past = references.living(request.past)
    model = replace(past, updated=context.now)
    revival = Revival(name=request.name, commit=request.commit)
    return {request.name: ModelEdit(before=state, model=model, revived=revival, past=request.past)}


def rename(request: requests.Rename, context: Context) -> Edit:
    """Give a model a new name, leaving a tombstone under the old one."""
    state, model = context.living(request.name)
    if request.name == request.new_name:
        return {}
    names.check_model_name(request.new_name)
    if names.twin_key(request.name) == names.twin_key(request.new_name):
        raise Conflict(
            f"{names.shown(request.new_name)} differs from the old name in case or Unicode form alone",
            hint="choose a name that differs in more than that",
        )
    target = context.free(request.new_name)
    back = isinstance(target.model, ModelTombstone) and target.model.renamed_to == request.name
    if target.last_version and not back:
        raise Conflict(
            f"a model called {names.shown(request.new_name)} had versions up to {target.last_version} before",
            hint="its numbers are never used again; choose a name that is new",
        )
    stone = ModelTombstone(name=request.name, last_version=state.last_version, renamed_to=request.new_name)
    moved = replace(model, name=request.new_name, updated=context.now)
    return {
        request.name: ModelEdit(before=state, model=stone, cleared=True),
        request.new_name: ModelEdit(before=target, model=moved, carried=request.name, past=state),
    }
