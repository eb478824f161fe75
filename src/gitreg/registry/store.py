"""The open repository behind a registry: its objects, its decoder and the branch that commands use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from gitreg.domain.names import is_utf8, shown
from gitreg.errors import Conflict, NotARegistry, NotFound
from gitreg.gitstore.repository import Repository
from gitreg.registry.dates import is_date, not_a_point, parse_moment, refuse_future
from gitreg.registry.states import Decoder
from gitreg.registry.view import View, view_at

if TYPE_CHECKING:
    from gitreg.gitstore.reader import Reader
    from gitreg.registry.indexing import Keeper


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The branch that a command reads and writes.

    Attributes:
        name: Without ``refs/heads/``.
        commit: Its head; None when it has no commit.
        official: Whether it is the registry's own branch.
    """

    name: str
    commit: str | None
    official: bool

    @property
    def ref(self) -> str:
        """The full ref name."""
        return f"refs/heads/{self.name}"


class Store:
    """One repository, open for reading. Close it, or use it as a context manager.

    Args:
        repository: Where the registry is.
    """

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._seen: View | None = None
        self._own: tuple[str, str] | None = None  # a commit, and the branch that its settings name

    @property
    def prefix(self) -> str:
        """The registry's folder in the repository: ``""`` or ``sub/folder/``."""
        return self.repository.prefix

    @cached_property
    def reader(self) -> Reader:
        """What reads objects; Git is started when the first is asked for."""
        from gitreg.gitstore.reader import Reader  # what the index answers needs no Git

        return Reader(self.repository)

    @cached_property
    def decoder(self) -> Decoder:
        """What decodes manifests."""
        return Decoder(self.reader)

    @cached_property
    def index(self) -> Keeper:
        """The derived index, which is opened when it is first asked."""
        from gitreg.registry.indexing import Keeper  # a writer does without

        return Keeper(self)

    def through(self, reader: Reader) -> Store:
        """The same registry, read by another reader: by one that sees what is not written yet."""
        made = Store(self.repository)
        made.__dict__ |= {"reader": reader, "decoder": self.decoder.on(reader)}
        return made

    def close(self) -> None:
        """End the Git process that reads objects, and close the index."""
        if "reader" in self.__dict__:
            self.reader.close()
        if "index" in self.__dict__:
            self.index.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def branch(self) -> Branch:
        """The branch that is checked out; in a bare repository the registry's own.

        Raises:
            Conflict: HEAD is detached.
            NotARegistry: The branch has no commit, or its tree no ``gitreg.yaml``.
        """
        head = self.repository.head()
        name = (head.branch or "").removeprefix("refs/heads/")
        if name and head.oid is None:
            raise NotARegistry(f"the branch {name} has no commit with a registry", hint="gitreg init")
        if not name or head.oid is None:
            raise Conflict("HEAD is detached: there is no branch to write to", hint="git switch BRANCH")
        settings = self.view(head.oid).settings
        if self.repository.bare and settings.branch != name:
            own = self.reader.ref(f"refs/heads/{settings.branch}")
            return Branch(name=settings.branch, commit=own, official=True)
        return Branch(name=name, commit=head.oid, official=name == settings.branch)

    def head(self) -> str:
        """Id of the commit that reads show when no other is asked for; HEAD may be detached."""
        head = self.repository.head()
        if head.oid is None:
            raise NotARegistry("there is no commit yet", hint="gitreg init")
        if head.branch is None or not self.repository.bare:
            return head.oid
        own = self._branch_in(head.oid)
        return head.oid if head.branch == own else self.repository.refs.read(own) or head.oid

    def read_branch(self) -> str:
        """Full name of the branch whose head is read; ``""`` where HEAD is detached."""
        return self.repository.head().branch or ""

    def _branch_in(self, commit: str) -> str:
        """The full name of the registry's own branch as a commit's settings name it."""
        if self._own is None or self._own[0] != commit:
            named = self.index.branch_in(commit) or self.view(commit).settings.branch
            self._own = (commit, f"refs/heads/{named}")
        return self._own[1]

    def view(self, commit: str) -> View:
        """The registry at a commit (full hex id), read from its tree: writers build on nothing else."""
        return view_at(self.decoder, commit, self.prefix)

    def look(self, at: str | date | None = None) -> View:
        """The registry as it is (None), at a revision or on a date: from the index where it is at hand."""
        from gitreg.registry.indexed import IndexedStates

        commit = self.head() if at is None else self.commit_for(at)
        if self._seen is not None and self._seen.commit == commit:
            return self._seen
        part = self.index.ready(commit, head=commit if at is None else None)
        if part is None:
            return self.view(commit)
        view = View(commit=commit, states=IndexedStates(self, part))
        _ = view.settings  # raises where the commit holds no registry, as the tree does
        self._seen = view
        return view

    def commit_for(self, at: str | date) -> str:
        """The commit that ``at`` means: a revision, or the newest one not later than a date.

        A date is committer time along the branch's first parents, UTC unless a zone is given; a day
        alone means its end.

        Raises:
            InvalidInput: It is neither, or lies in the future.
            NotFound: The history begins later, or the revision is unknown.
        """
        if isinstance(at, date) and not isinstance(at, datetime):
            at = at.isoformat()  # a day means its end, as in text
        if isinstance(at, str) and not is_date(at):
            found = self.reader.resolve(at) if is_utf8(at) else None
            if found is None:
                raise not_a_point(at)
            return found
        moment = parse_moment(at) if isinstance(at, str) else at if at.tzinfo else at.replace(tzinfo=UTC)
        refuse_future(moment, self._newest, said=str(at), where="--at")
        found = self._commit_on(moment)
        if found is None:
            if (self.repository.common_dir / "shallow").exists():
                raise NotFound(
                    f"this shallow clone does not hold the history of {shown(str(at))}",
                    where="--at",
                    hint="git fetch --unshallow",
                )
            raise NotFound(f"the history begins after {shown(str(at))}", where="--at", hint="gitreg log")
        return found

    def _newest(self) -> datetime:
        return self.reader.commit(self.head()).committer.when

    def _commit_on(self, moment: datetime) -> str | None:
        head = self.head()
        part = self.index.ready(head, head=head)
        if part is None:
            from gitreg.gitstore.log import commit_at  # reads at the head do without

            return commit_at(self.repository, head, moment)
        seq = part.at_time(moment)
        return None if seq is None else part.link(seq).oid
