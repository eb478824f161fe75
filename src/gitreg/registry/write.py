"""The one way in: decide on the newest state, compare, render, commit, begin again if the branch moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from gitreg.domain.changes import Change
from gitreg.domain.compare import compare_edit
from gitreg.domain.decide import decide
from gitreg.domain.edits import Draft, Edit
from gitreg.domain.model import ModelTombstone
from gitreg.domain.requests import Request, RestoreVersion
from gitreg.domain.settings import FORMAT, Settings
from gitreg.domain.tagging import refuse_misfit, version_tag
from gitreg.errors import Conflict, EnvironmentFailure, MovedRef
from gitreg.gitstore.objects import Person
from gitreg.gitstore.trees import Entry
from gitreg.gitstore.writer import Session
from gitreg.registry import files
from gitreg.registry.growing import GrowingStates
from gitreg.registry.guarding import asks_rules, refuse, thought
from gitreg.registry.messages import commit_message
from gitreg.registry.receipt import FileChange, Receipt
from gitreg.registry.signer import session_of
from gitreg.registry.states import root_in
from gitreg.registry.store import Branch, Store
from gitreg.registry.tagbook import TagBook
from gitreg.registry.view import View

# Under the lock only a foreign Git process can move the branch: a few tries meet it, many would hide a loop.
_TRIES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What is to be written and on whose behalf.

    Attributes:
        requests: In order; each is decided on the state that the former ones leave.
        author: Who asked for it.
        committer: Who carries it out.
        clock: Gives the time, aware, UTC, in milliseconds.
        reason: Why, in the user's words; stands in the commit message.
        title: Takes the place of the message's subject.
        footer: One more line behind the trailers, for a service that wants it.
        check: Called with the edit before it is written, for a caller that relies on its outcome.
        committed: Gives the committer's time where it is another than ``clock``'s, which then stands in
            the manifests and as the author's: of what happened elsewhere long ago and is taken over now.
    """

    requests: Sequence[Request]
    author: Person
    committer: Person
    clock: Callable[[], datetime]
    reason: str = ""
    title: str = ""
    footer: str = ""
    check: Callable[[Edit], None] | None = None
    committed: Callable[[], datetime] | None = None


def preview(store: Store, ask: Ask) -> Receipt:
    """What ``apply`` would do now, with the text of each file before and after; nothing is written."""
    branch = store.branch()
    view = _writable(store, branch.commit)
    edit = draft_of(ask.requests, view, ask.clock()).edit
    changes = compare_edit(edit)
    refuse_misfit(changes, view.settings.tags)
    rendered = files.render(edit, view.states, lambda commit: store.view(commit).states) if changes else {}
    if branch.official and asks_rules(changes, view.settings):
        from gitreg.registry.signature_to_come import signature_to_come

        reader, commit = thought(store, view.commit, rendered, ask.author, ask.clock())
        refuse(store, reader, commit, base=view.commit, coming=signature_to_come(store, ask.author))
    return Receipt(
        branch=branch.name,
        changes=changes,
        edit=edit,
        files=tuple(_file_change(store, view, path, content) for path, content in sorted(rendered.items())),
    )


def _file_change(store: Store, view: View, path: str, content: files.Content) -> FileChange:
    entry = store.reader.entry(view.states.root, path)
    stored = content if isinstance(content, Entry) else None
    return FileChange(
        path=f"{store.prefix}{path}",
        before=store.reader.blob(entry.oid) if entry and not entry.mode.startswith("4") else None,
        after=content if isinstance(content, bytes) else _stored_text(store, stored),
    )


def _stored_text(store: Store, entry: Entry | None) -> bytes | None:
    return store.reader.blob(entry.oid) if entry and not entry.mode.startswith("4") else None


def apply(store: Store, ask: Ask) -> Receipt:
    """Make one commit of all requests, or none when everything is as asked already.

    The answer is given when the commit and its tags are on disk.

    Raises:
        GitregError: What ``decide`` refuses; Conflict where the work tree stands in the way;
            EnvironmentFailure where Git or the disk fails. Nothing is changed then.
    """
    for _ in range(_TRIES):
        try:
            return _attempt(store, ask)
        except MovedRef:
            continue
    raise EnvironmentFailure(
        f"the branch moved {_TRIES} times while the change was being made", hint="try again"
    )


def _attempt(store: Store, ask: Ask) -> Receipt:
    branch = store.branch()
    with session_of(store, branch.ref) as session:
        line = _Line(store, session, branch, base=session.base)
        made = line.add(ask)
        if made is None:
            return Receipt(branch=branch.name)
        line.publish()
        return Receipt(
            commit=made.commit,
            branch=branch.name,
            changes=made.changes,
            tags=made.tags,
            warnings=line.warnings(made),
            edit=made.edit,
        )


def apply_on(store: Store, ask: Ask, *, ref: str, base: str) -> Receipt:
    """Make one commit of all requests on ``base``, and let a branch that holds proposals point to it.

    The registry's own branch stays as it is, no tag is made, and no rule but the domain's is asked.

    Args:
        store: The registry.
        ask: What is wanted, decided on what ``base`` holds.
        ref: Full name of the branch; whatever it pointed to before.
        base: Full hex id of the commit that the proposal begins with.
    """
    branch = Branch(name=ref.removeprefix("refs/heads/"), commit=base, official=False)
    with session_of(store, ref) as session:
        line = _Line(store, session, branch, base=base)
        made = line.add(ask)
        if made is None:
            return Receipt(branch=branch.name)
        line.publish()
        return Receipt(commit=made.commit, branch=branch.name, changes=made.changes, edit=made.edit)


def apply_each(store: Store, asks: Iterable[Ask], done: Callable[[Receipt], None]) -> None:
    """Make one commit of each ask, all published together when the last is made (``register --batch``).

    Args:
        store: The registry.
        asks: In order. They are consumed once: a branch moved by a foreign process ends the batch.
        done: Told of each commit as it is made; none of them stands before this function returns.

    Raises:
        GitregError: As ``apply``; then none of the commits stands.
    """
    branch = store.branch()
    with session_of(store, branch.ref) as session:
        line = _Line(store, session, branch, base=session.base)
        for ask in asks:
            made = line.add(ask)
            done(
                Receipt(
                    commit=made.commit if made else None,
                    branch=branch.name,
                    changes=made.changes if made else (),
                    tags=made.tags if made else (),
                    warnings=line.warnings(made),
                    edit=made.edit if made else {},
                )
            )
        if line.head != session.base:
            line.publish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    commit: str
    changes: tuple[Change, ...]
    edit: Edit
    tags: tuple[str, ...]


class _Line:
    """The commits that one session puts on a branch, and their tags.

    Args:
        store: The registry.
        session: Writes.
        branch: Which is written to.
        base: The commit that the first of them follows on. For a proposal that is the head of the
            registry's branch, wherever the proposal's own stood.
    """

    def __init__(self, store: Store, session: Session, branch: Branch, *, base: str | None) -> None:
        self.store = store
        self.session = session
        self.branch = branch
        self.head = base
        self._states, self.view = self._begin(_writable(store, base))
        self._behind: tuple[Edit, dict[str, dict[str, Any]]] | None = (
            None  # what the states have yet to follow
        )
        self._registered: dict[str, str] = {}  # the tags of new versions, and whose they are
        self._upstream = store.repository.upstream(branch.name)
        self.book = TagBook(store, self.view.settings) if self._tagging(self.view.settings) else None
        if self.book:
            self.book.catch_up(session, self.head)

    def _begin(self, view: View) -> tuple[GrowingStates, View]:
        states = GrowingStates(self.store.decoder.on(self.session.reader), view.states.root)
        return states, replace(view, states=states)

    def _tagging(self, settings: Settings) -> bool:
        # Where the branch follows a remote one a rebase may still replace the commit: tags wait for the push.
        # Of a shallow clone the boundary commit seems to make everything that came before it.
        shallow = (self.store.repository.common_dir / "shallow").exists()
        return (
            self.branch.official and not self._upstream and not shallow and settings.tags.made_for != "none"
        )

    def add(self, ask: Ask) -> _Made | None:
        """Commit one ask on top of the line; None when it changes nothing."""
        if self._behind:
            self._states.grow(self._root(), *self._behind)
            self._behind = None
        now = ask.clock()
        draft = draft_of(ask.requests, self.view, now)
        edit = draft.edit
        changes = compare_edit(edit)
        if ask.check:
            ask.check(edit)
        if not changes:
            return None
        refuse_misfit(changes, self.view.settings.tags)
        data: dict[str, dict[str, Any]] = {}
        rendered = files.render(edit, self._states, lambda commit: self.store.view(commit).states, data)
        prefix = self.store.prefix
        when = ask.committed() if ask.committed else now
        self.head = self.session.commit(
            parent=self.head,
            changes={f"{prefix}{path}": content for path, content in rendered.items()},
            message=commit_message(changes, reason=ask.reason, title=ask.title, footer=ask.footer),
            author=ask.author,
            committer=ask.committer,
            when=when,
            author_time=now,
        )
        if self.branch.official and asks_rules(changes, self.view.settings):
            refuse(self.store, self.session.reader, self.head, base=self.session.base or "")
        tags = self._tag(ask, self.head, changes, when)
        self._behind = (edit, data)
        self.view = replace(self.view, commit=self.head)
        return _Made(commit=self.head, changes=changes, edit=edit, tags=tags)

    def _root(self) -> str:
        assert self.head is not None
        return root_in(self.session.reader, self.head, self.session.tree_of(self.head), self.store.prefix)

    def _tag(self, ask: Ask, commit: str, changes: Sequence[Change], when: datetime) -> tuple[str, ...]:
        if self.book is None:
            return ()
        restored = [(r.name, r.version) for r in ask.requests if isinstance(r, RestoreVersion)]
        made = self.book.tag(
            self.session, commit, changes, tagger=ask.committer, when=when, restored=restored
        )
        for plan in made:
            if plan.change.event == "register":
                self._registered[f"refs/tags/{plan.name}"] = plan.change.subject
        return tuple(plan.name for plan in made)

    def publish(self) -> None:
        """Move the branch and make the tags, durably.

        Raises:
            Conflict: A tag is there already: most often of a version that was removed by hand.
        """
        try:
            self.session.publish()
        except Conflict as error:
            subject = self._registered.get(error.where)
            if subject is None or "exists already" not in error.message:
                raise
            raise Conflict(
                f"{subject} was registered before and its manifest is gone: no number is used twice",
                where=error.where,
                hint=f"gitreg restore {subject} (or, where the tag is another's, set tags.prefix)",
            ) from error
        if self.book and self.head:
            self.book.completed(self.head)

    def warnings(self, made: _Made | None) -> tuple[str, ...]:
        """What the user should know about where the commit went, and what it did besides."""
        if made is None:
            return ()
        found = []
        if not self.branch.official:
            own = self.view.settings.branch
            found.append(
                f"committed to {self.branch.name}, not to the registry's branch {own}: no tags were made"
            )
        elif self._upstream and self.view.settings.tags.made_for != "none":
            remote = self._upstream.removeprefix("refs/remotes/")
            told = "git push shares this commit, and its tags are made then"
            found.append(f"{self.branch.name} follows {remote}: {told}")
        for name, part in made.edit.items():
            was = part.before.model
            if isinstance(was, ModelTombstone) and any(
                c.event == "register" and c.model == name for c in made.changes
            ):
                what = f"renamed to {was.renamed_to}" if was.renamed_to else "deleted"
                found.append(
                    f"a model {name} was {what} before: this is a new one, and its numbers go on from "
                    f"{was.last_version}"
                )
        return tuple(found)


def _writable(store: Store, commit: str | None) -> View:
    if commit is None:
        raise EnvironmentFailure("the branch has no commit", hint="gitreg init")
    view = store.view(commit)
    if view.settings.format > FORMAT:
        raise EnvironmentFailure(
            f"the registry has format {view.settings.format}; this gitreg writes format {FORMAT}",
            where="gitreg.yaml",
            hint="upgrade gitreg",
        )
    return view


def draft_of(requests: Sequence[Request], view: View, now: datetime) -> Draft:
    """Decide all requests, each on the state that the former ones leave."""
    draft = Draft(view.state, view.states.twin)
    for request in requests:
        edit = decide(
            request,
            lookup=draft.state,
            twin=draft.twin,
            settings=view.settings,
            now=now,
            used=lambda name, version: version_is_tagged(view, name, version),
        )
        draft.add(edit)
    return draft


def version_is_tagged(view: View, name: str, version: int) -> bool:
    """Whether the version's Git tag is there: then its number was given out, whatever the files say."""
    refs = view.states.reader.repository.refs
    return refs.exists(f"refs/tags/{version_tag(name, version, view.settings.tags)}")
