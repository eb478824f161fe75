"""One writing session: commits on a branch and tags, published together or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gitreg.errors import Conflict, EnvironmentFailure, GitFailure
from gitreg.gitstore import journal, recovery, transaction
from gitreg.gitstore.difference import diff_trees
from gitreg.gitstore.durable import disk_failure
from gitreg.gitstore.edits import apply, plan
from gitreg.gitstore.housekeeping import keep_house, packing
from gitreg.gitstore.lock import DEFAULT_WAIT, write_lock
from gitreg.gitstore.objects import Person, Signature, encode_commit, encode_tag
from gitreg.gitstore.pack import PackSink
from gitreg.gitstore.packed import add_tags, prepared
from gitreg.gitstore.pending import PendingReader
from gitreg.gitstore.process import GitDied
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.refs import RefMove, move, refuse_locked
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.signatures import sign_commit, sign_tag
from gitreg.gitstore.trees import FILE, Entry, Touched, Tree
from gitreg.gitstore.worktree import WorkTree

MANY_REFS = 64  # more than these are written into one file at once (packed.py)


Sign = Callable[[bytes], bytes]
"""What is signed → the armored signature over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """How a session signs; None: it does not.

    Attributes:
        commit: Signs commits.
        tag: Signs tags.
    """

    commit: Sign | None = None
    tag: Sign | None = None


class Session:
    """What is being written while the lock is held; made by ``open_session``.

    Attributes:
        base: The branch's commit, read under the lock; None: it has none yet.
        tip: The last commit made here, ``base`` before the first one: what will be published.
        reader: Sees the session's own objects, too.
    """

    def __init__(
        self,
        repository: Repository,
        reader: Reader,
        *,
        ref: str,
        sink: PackSink,
        held: tuple[int, ...],
        signing: Signing | None = None,
    ) -> None:
        self.base = repository.refs.read(ref)
        self.reader = PendingReader(reader, sink)
        self._repository = repository
        self._ref = ref
        self._sink = sink
        self._held = held
        self._signing = signing or Signing()
        self.tip = self.base
        self._made: tuple[str, str] | None = None  # the last commit made here and its tree
        self._tags: dict[str, tuple[str, str]] = {}  # ref → the tag object's id, and what it points to
        self._committer = Person(name="", email="")
        self._subject = "make tags"

    def commit(
        self,
        *,
        parent: str | None,
        changes: Mapping[str, bytes | Entry | None],
        message: str,
        author: Person,
        committer: Person,
        when: datetime,
        author_time: datetime | None = None,
        merged: Sequence[str] = (),
    ) -> str:
        """Make a commit on ``parent``, which becomes the one to be published, and give its id.

        Args:
            parent: ``base``, or an earlier commit of this session; None for the first one of all.
            changes: Path from the repository's root → new content, an existing file or folder, or
                None to delete.
            message: Subject, blank line, body.
            when: Author's and committer's time, with a zone.
            author_time: The author's, where it is another: of a commit that is made anew.
            merged: Full hex ids of further parents, for a merge commit.

        Raises:
            Conflict: A path can't stand in a tree.
        """
        entries = {path: self._entry(value) for path, value in changes.items()}
        id_bytes = 32 if self._repository.algorithm == "sha256" else 20
        before = self.tree_of(parent) if parent else None
        tree = apply(plan(entries), before, read=self.reader.tree, write=self._write_tree, id_bytes=id_bytes)
        if tree is None:
            tree = self._write_tree(Tree(b"", id_bytes, {}), None)
        data = encode_commit(
            tree=tree,
            parents=((parent,) if parent else ()) + tuple(merged),
            author=Signature(person=author, when=author_time or when),
            committer=Signature(person=committer, when=when),
            message=message,
        )
        if self._signing.commit is not None:
            signature = self._signing.commit(data)
            data = sign_commit(data, signature, algorithm=self._repository.algorithm)
        self._committer, self._subject = committer, message.partition("\n")[0]
        self.tip = self.reader.add("commit", data)
        self._made = (self.tip, tree)
        return self.tip

    def adopt(self, commit: str, *, reason: str) -> None:
        """Have a commit that is there already published in place of a new one.

        Args:
            commit: Full hex id.
            reason: For the reflog.
        """
        self.tip, self._subject = commit, reason

    def tag(self, *, name: str, target: str, message: str, tagger: Person, when: datetime) -> str:
        """Make an annotated tag of a commit, and give the tag object's id.

        Args:
            name: Without ``refs/tags/``.
        """
        signature = Signature(person=tagger, when=when)
        data = encode_tag(name=name, target=target, tagger=signature, message=message)
        if self._signing.tag is not None:
            data = sign_tag(data, self._signing.tag(data))
        oid = self.reader.add("tag", data)
        self._tags[f"refs/tags/{name}"] = (oid, target)
        return oid

    def tree_of(self, commit: str) -> str:
        """The id of a commit's tree."""
        if self._made and self._made[0] == commit:
            return self._made[1]
        return self.reader.commit(commit).tree

    def publish(self) -> str | None:
        """Move the branch to the last commit and make the tags, durably; gives the branch's new commit.

        When it returns, a power cut can't undo it. When it raises, nothing has changed, but for
        ``EnvironmentFailure`` with the words "the change is committed".

        Raises:
            MovedRef: The branch moved meanwhile: read again and decide again.
            Conflict: A tag exists, or a person's edits stand in the way.
            EnvironmentFailure: The disk, a lock or Git failed.
        """
        moves = [RefMove(name=name, new=oid, old=None) for name, (oid, _) in self._tags.items()]
        if self.tip is not None and self.tip != self.base:
            moves.insert(0, RefMove(name=self._ref, new=self.tip, old=self.base))
        if not moves:
            return self.base
        following = self._work_tree_follows()
        plan = journal.Journal(
            ref=self._ref,
            old=self.base,
            new=self.tip or "",
            tags={name: oid for name, (oid, _) in self._tags.items()},
            git_dir=str(self._repository.git_dir) if following else "",
            work_tree=str(self._repository.work_tree) if following else "",
            touched=self._touched() if following else (),
        )
        state = self._repository.state_dir
        journal.save(state, plan, fsync=bool(plan.git_dir) or len(moves) > MANY_REFS)
        try:
            self._carry_out(plan, moves)
        except BaseException as error:
            made = self.tip != self.base and recovery.published(self._repository, plan)
            if not made:  # else the journal stays, and the next command goes on from there
                with suppress(EnvironmentFailure, OSError):
                    recovery.drop_tags(self._repository, plan, self._held)
                _done(state)
            if not isinstance(error, OSError):
                raise
            words = (
                "the change is committed, but its last step failed" if made else "the change can't be written"
            )
            raise disk_failure(error, words) from None
        _done(state)
        if self.tip:
            self.reader.published(self.tip)
        return self.tip

    def _carry_out(self, plan: journal.Journal, moves: list[RefMove]) -> None:
        with ExitStack() as stack:
            work_tree = None
            if plan.git_dir:
                work_tree = stack.enter_context(WorkTree(self._repository, self.reader, self._held))
                work_tree.guard(plan.touched)
            refuse_locked(self._repository.refs, moves)
            with work_tree.staging() if work_tree else nullcontext():
                self._sink.flush()
            self._move(plan, moves)
            # Many tags are packed in process; what Git says it did is the branch alone.
            self._read_back(plan, moves if len(moves) <= MANY_REFS else moves[:1])
            self._sink.stands()
            if work_tree:
                work_tree.finish()

    def _move(self, plan: journal.Journal, moves: list[RefMove]) -> None:
        who = (self._committer.name, self._committer.email)
        refs = self._repository.refs
        try:
            if len(moves) > MANY_REFS:
                self._move_many(moves, who)
            elif transaction.fits(self._repository, moves, who):
                transaction.move_here(self._repository, moves, reason=self._subject, who=who)
            else:
                move(refs, moves, reason=self._subject, held=self._held, who=who)
        except GitDied:
            # Its transaction may be half done: some refs moved, locks left. It is settled here, one
            # way or the other, as the next writer would settle it.
            recovery.mend_refs(self._repository, self.reader, plan, self._held)
            if any(refs.read(each.name) != each.new for each in moves):
                raise

    def _move_many(self, moves: list[RefMove], who: tuple[str, str]) -> None:
        refs = self._repository.refs
        branch = [each for each in moves if each.name == self._ref]
        with (
            packing(self._repository.state_dir),
            prepared(refs, branch, reason=self._subject, held=self._held, who=who),
        ):
            add_tags(refs, self._tags)

    def _read_back(self, plan: journal.Journal, moves: list[RefMove]) -> None:
        for each in moves:
            if self._repository.refs.read(each.name) == each.new:
                continue
            # A foreign Git may have gone on from our commit already.
            if each.name != self._ref or not recovery.published(self._repository, plan):
                raise GitFailure(
                    "git update-ref said that it moved the ref, but it did not",
                    where=each.name,
                    hint="is this really git? try: git --version",
                )

    def _touched(self) -> tuple[Touched, ...]:
        old = self.tree_of(self.base) if self.base else None
        new = self.tree_of(self.tip) if self.tip else None
        return tuple(diff_trees(self.reader, old, new))

    def _work_tree_follows(self) -> bool:
        elsewhere = self._repository.checked_out_elsewhere(self._ref)
        if elsewhere is not None:
            raise Conflict(
                "the branch is checked out in another work tree, which would be left behind",
                where=str(elsewhere),
                hint=f"run the command there: cd {elsewhere}",
            )
        return not self._repository.bare and self._repository.head().branch == self._ref

    def _entry(self, value: bytes | Entry | None) -> Entry | None:
        return Entry(FILE, self.reader.add("blob", value)) if isinstance(value, bytes) else value

    def _write_tree(self, tree: Tree, like: str | None) -> str:
        return self.reader.add_tree(tree, like)


def _done(state_dir: Path) -> None:
    with suppress(OSError):  # a journal that stays is looked at again, and nothing is found to do
        journal.clear(state_dir)


@contextmanager
def open_session(
    repository: Repository,
    reader: Reader,
    *,
    ref: str,
    wait: float = DEFAULT_WAIT,
    signing: Signing | None = None,
) -> Iterator[Session]:
    """Take the write lock, finish what a killed writer left, and begin.

    Args:
        ref: Full name of the branch, ``refs/heads/main``.
        wait: Seconds to wait for another writer.
        signing: How commits and tags are signed; None: they are not.

    Raises:
        EnvironmentFailure: Another writer holds the lock for longer, or the folder can't be written.
    """
    with write_lock(repository.state_dir, wait=wait) as lock:
        recovery.recover(repository, reader, held=(lock,))
        sink = PackSink(repository.common_dir / "objects", repository.algorithm)
        try:
            yield Session(repository, reader, ref=ref, sink=sink, held=(lock,), signing=signing)
        finally:
            sink.drop()
        with suppress(
            EnvironmentFailure, OSError
        ):  # the change is made; doctor tells what housekeeping lacks
            keep_house(repository, held=(lock,))
