"""Change the registry's settings: one commit that edits ``gitreg.yaml`` and keeps its comments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.names import check_stage_name, shown
from gitreg.domain.settings import FORMAT, Settings, Stage, did_you_mean
from gitreg.domain.tagging import Style, check_settings, style_of
from gitreg.errors import Conflict, EnvironmentFailure, InvalidInput, MovedRef
from gitreg.gitstore.objects import Person
from gitreg.gitstore.refs import check_ref_name
from gitreg.gitstore.writer import Session
from gitreg.manifest import codec, rendering
from gitreg.manifest.layout import SETTINGS_FILE
from gitreg.registry.guarding import refuse_policy
from gitreg.registry.history import commits_between
from gitreg.registry.messages import commit_message
from gitreg.registry.receipt import FileChange, Receipt
from gitreg.registry.signer import session_of
from gitreg.registry.store import Store
from gitreg.registry.view import View

_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One setting to change: who asks, when and why.

    Attributes:
        key: As ``keys`` lists them.
        value: As a person types it.
    """

    key: str
    value: str
    author: Person
    committer: Person
    when: datetime
    reason: str = ""

    def asked(self, settings: Settings) -> Settings:
        """``settings`` with the value that is wished for."""
        return _CHANGES[_known(self.key)](settings, self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """Settings to change by a rule: who asks, when and why.

    Attributes:
        asked: The settings as they are → as they are to be.
        title: Takes the place of the commit's subject.
    """

    asked: Callable[[Settings], Settings]
    author: Person
    committer: Person
    when: datetime
    reason: str = ""
    title: str = ""


def keys() -> tuple[str, ...]:
    """The settings that can be asked for, in the order of ``gitreg.yaml``."""
    plain = ("format", "name", "description", "branch", "layout", "stages")
    return (*plain, "tags.prefix", "tags.for", "tags.style")


def value_of(settings: Settings, key: str) -> str:
    """The value of one setting as a person types it: ``Staging,Production!`` for stages.

    Raises:
        InvalidInput: There is no such setting.
    """
    match _known(key):
        case "stages":
            return ",".join(stage.name + ("!" if stage.exclusive else "") for stage in settings.stages)
        case "tags.prefix":
            return settings.tags.prefix
        case "tags.for":
            return settings.tags.made_for
        case "tags.style":
            return settings.tags.style
        case plain:
            return str(getattr(settings, plain))


def _known(key: str) -> str:
    if key in keys():
        return key
    hint = did_you_mean(key, keys()) or f"settings: {', '.join(keys())}"
    raise InvalidInput(f"there is no setting {shown(key)}", hint=hint)


def preview(store: Store, wish: Wish | Amendment) -> Receipt:
    """What ``configure`` would do now; nothing is written."""
    branch = store.branch()
    edit = _edit(store, _writable(store.view(branch.commit or store.head())), wish)
    if edit.before == edit.after:
        return Receipt(branch=branch.name)
    return Receipt(branch=branch.name, changes=edit.changes, files=(edit.file(store.prefix),))


def configure(store: Store, wish: Wish | Amendment) -> Receipt:
    """Change settings in one commit; no commit where they have those values already.

    Raises:
        InvalidInput: There is no such setting, or it can't have that value.
        Conflict: A stage that versions hold would go, or the work tree stands in the way.
    """
    for _ in range(_TRIES):
        try:
            return _attempt(store, wish)
        except MovedRef:
            continue
    raise EnvironmentFailure(
        f"the branch moved {_TRIES} times while the change was being made", hint="try again"
    )


def _attempt(store: Store, wish: Wish | Amendment) -> Receipt:
    branch = store.branch()
    with session_of(store, branch.ref) as session:
        if session.base is None:
            raise EnvironmentFailure("the branch has no commit", hint="gitreg init")
        edit = _edit(store, _writable(store.view(session.base)), wish)
        if edit.before == edit.after:
            return Receipt(branch=branch.name)
        if branch.official:
            refuse_policy(edit.before)
        commit = _commit(session, store, wish, edit, parent=session.base)
        session.publish()
    return Receipt(commit=commit, branch=branch.name, changes=edit.changes)


def configure_on(store: Store, wish: Wish | Amendment, *, ref: str, base: str, footer: str = "") -> Receipt:
    """The same on ``base``, for a branch that holds a proposal; see ``write.apply_on``."""
    with session_of(store, ref) as session:
        edit = _edit(store, _writable(store.view(base)), wish)
        branch = ref.removeprefix("refs/heads/")
        if edit.before == edit.after:
            return Receipt(branch=branch)
        commit = _commit(session, store, wish, edit, parent=base, footer=footer)
        session.publish()
    return Receipt(commit=commit, branch=branch, changes=edit.changes)


def amended(store: Store, wish: Wish | Amendment, *, base: str) -> tuple[tuple[Change, ...], bytes]:
    """What ``configure`` would change on ``base``, and the text of ``gitreg.yaml`` afterwards."""
    edit = _edit(store, _writable(store.view(base)), wish)
    return (edit.changes if edit.before != edit.after else ()), edit.text_after


def _commit(
    session: Session, store: Store, wish: Wish | Amendment, edit: _Edit, *, parent: str, footer: str = ""
) -> str:
    title = wish.title if isinstance(wish, Amendment) else ""
    return session.commit(
        parent=parent,
        changes={f"{store.prefix}{SETTINGS_FILE}": edit.text_after},
        message=commit_message(edit.changes, reason=wish.reason, title=title, footer=footer),
        author=wish.author,
        committer=wish.committer,
        when=wish.when,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    before: Settings
    after: Settings
    text_before: bytes
    text_after: bytes

    @property
    def changes(self) -> tuple[Change, ...]:
        return compare(Snapshot(settings=self.before), Snapshot(settings=self.after))

    def file(self, prefix: str) -> FileChange:
        return FileChange(path=f"{prefix}{SETTINGS_FILE}", before=self.text_before, after=self.text_after)


def _writable(view: View) -> View:
    if view.settings.format > FORMAT:
        raise EnvironmentFailure(
            f"the registry has format {view.settings.format}; this gitreg writes format {FORMAT}",
            where=SETTINGS_FILE,
            hint="upgrade gitreg",
        )
    return view


def _edit(store: Store, view: View, wish: Wish | Amendment) -> _Edit:
    before = view.settings
    after = check_settings(wish.asked(before))
    _refuse_lost_stages(view, after)
    if after.tags != before.tags:
        _refuse_untold(store, view, style_of(after.tags))
    entry = view.states.reader.entry(view.states.root, SETTINGS_FILE)
    assert entry is not None  # the settings were read from it
    text = view.states.reader.blob(entry.oid)
    new = rendering.render_settings(after, text) if after != before else text
    codec.decode_settings(new)
    return _Edit(before=before, after=after, text_before=text, text_after=new)


def _refuse_lost_stages(view: View, after: Settings) -> None:
    kept = {stage.name for stage in after.stages}
    for at, stage in enumerate(after.stages):
        for name in stage.allowed_from or ():
            if view.settings.has_stage(name) and not after.has_stage(name):
                raise Conflict(
                    f"versions come to {stage.name} from {name}, by its rules",
                    where=f"stages[{at}].from",
                    hint=f"keep {name}, or take it out of from in {SETTINGS_FILE} first",
                )
    for stage in view.settings.stages:
        if stage.name not in kept:
            holder = next(view.holders(stage.name), None)
            if holder:
                raise Conflict(
                    f"{holder.name}/{holder.version} holds the stage {stage.name}",
                    where="stages",
                    hint=f"gitreg list --stage {stage.name}; gitreg unassign NAME/VERSION {stage.name}",
                )


def _refuse_untold(store: Store, view: View, style: Style) -> None:
    """Refuse a style of tags that can't tell what the history holds: the tags of all of it are made anew."""
    living = {state.name for state in view.models()}  # the names of others are in nobody's way
    for name in sorted(living):
        if reason := style.misfit([Change(event="register", model=name)]):
            raise Conflict(reason, where="tags.style", hint=f"gitreg rename {name} NEW_NAME")
    for commit, changes in commits_between(store, None, view.commit):
        reason = style.misfit([one for one in changes if one.model in living and one.version is not None])
        if reason:
            where = f"tags.style, commit {commit.oid[:10]}"
            raise Conflict(f"the history holds what these tags can't tell: {reason}", where=where)


def _branch(settings: Settings, value: str) -> Settings:
    _refuse_ref(f"refs/heads/{value}", value)
    return replace(settings, branch=value)


def _prefix(settings: Settings, value: str) -> Settings:
    _refuse_ref(f"refs/tags/{value}m/v1", value)
    return replace(settings, tags=replace(settings.tags, prefix=value))


def _refuse_ref(ref: str, value: str) -> None:
    try:
        check_ref_name(ref)
    except Conflict:
        raise InvalidInput(
            f"Git allows no ref called {shown(value)}", hint="see: git help check-ref-format"
        ) from None


def _made_for(settings: Settings, value: str) -> Settings:
    for known in ("all", "stages", "none"):
        if value == known:
            return replace(settings, tags=replace(settings.tags, made_for=known))
    raise InvalidInput(f"{shown(value)} is none of all, stages, none", where="tags.for")


def _style(settings: Settings, value: str) -> Settings:
    for known in ("gitreg", "gto"):
        if value == known:
            return replace(settings, tags=replace(settings.tags, style=known))
    raise InvalidInput(f"{shown(value)} is none of gitreg, gto", where="tags.style")


def _stages(settings: Settings, value: str) -> Settings:
    return replace(settings, stages=tuple(stage_of(text.strip(), settings) for text in value.split(",")))


def stage_of(text: str, settings: Settings | None = None) -> Stage:
    """A stage as a person types it, ``Production`` or ``Production!`` (exclusive).

    Args:
        text: The stage.
        settings: Where a stage of that name keeps its description and rules from.
    """
    name = check_stage_name(text.removesuffix("!"))
    known = [stage for stage in settings.stages if stage.name == name] if settings else []
    return replace(known[0] if known else Stage(name=name), exclusive=text.endswith("!"))


def _fixed(settings: Settings, value: str) -> Settings:
    raise InvalidInput(
        "this setting can't be changed in place", hint="it was chosen when the registry was made: gitreg init"
    )


_CHANGES: dict[str, Callable[[Settings, str], Settings]] = {
    "format": _fixed,
    "layout": _fixed,
    "name": lambda settings, value: replace(settings, name=value),
    "description": lambda settings, value: replace(settings, description=value),
    "branch": _branch,
    "stages": _stages,
    "tags.prefix": _prefix,
    "tags.for": _made_for,
    "tags.style": _style,
}
