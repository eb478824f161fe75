"""Where proposals go: the registry's branch on its server as it is there now, and branches beside it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gitreg.domain.branches import OURS
from gitreg.errors import Conflict, EnvironmentFailure, InvalidInput, MovedRef, NotARegistry
from gitreg.forge.proposal import Proposal
from gitreg.forge.pushing import push_plan
from gitreg.forge.rest import Hosting, hosting
from gitreg.forge.services import Place, Service, detect, repository_of
from gitreg.forge.token import token_for
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.refs import RefMove, check_ref_name, move
from gitreg.gitstore.remote import ANY, PushRef, fetch, push, url_of
from gitreg.gitstore.remote_alias import without_alias
from gitreg.gitstore.remote_credential import credential
from gitreg.gitstore.remote_urls import without_password
from gitreg.gitstore.writer import open_session
from gitreg.registry.commands import command
from gitreg.registry.store import Store

if TYPE_CHECKING:
    from gitreg.domain.settings import Settings

BRANCHES = "refs/heads/"
NUMBERED = "refs/proposals/"
"""Below this a plain server with our hooks keeps proposals."""

_REMOTE_URL = re.compile(r"remote\.(?!-)[^/:\s]+\.url")  # what Git takes for a name
_WITH_PAGES = ("github", "gitlab", "gitea")


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """The registry's own branch where it is shared.

    Attributes:
        branch: Its short name.
        base: Full hex id of its newest commit there.
        remote: The remote's name; None: there is none, and proposals stay here.
        url: The address that is pushed to; it may hold a password.
        service: What kind of server that is.
    """

    branch: str
    base: str
    remote: str | None = None
    url: str = ""
    service: Service = "plain"

    @property
    def place(self) -> Place | None:
        """The repository's place on a hosting service that has pages for proposals.

        Raises:
            InvalidInput: The service has them, and the address names no repository.
        """
        return repository_of(self.url) if self.service in _WITH_PAGES else None

    @property
    def address(self) -> str:
        """The address as it can be shown."""
        return without_password(self.url)

    def tracking(self, branch: str) -> str:
        """The ref here that says where a branch of the remote was when it was last asked."""
        return f"refs/remotes/{self.remote}/{branch}"


def upstream(store: Store, named: str | None = None, *, online: bool = True) -> Upstream:
    """Fetch the registry's branch and all proposals.

    Args:
        store: The registry.
        named: The remote; None: see ``usual_remote``.
        online: Whether to fetch; otherwise what was fetched last is taken.

    Raises:
        InvalidInput: There is no remote ``named``, its address would run a program, or it names no
            repository on its service.
        EnvironmentFailure, NotAllowed: The server was not reached, or did not let us in.
    """
    settings = store.view(store.head()).settings
    remote = usual_remote(store, settings) if named is None else _remote(store, named)
    if remote is None:
        base = store.reader.ref(f"{BRANCHES}{settings.branch}")
        if base is None:
            raise NotARegistry(f"there is no branch {settings.branch}", hint=f"git switch {settings.branch}")
        return Upstream(branch=settings.branch, base=base)
    url = without_alias(url_of(store.repository, remote, push=True))
    service = detect(url, settings.proposals.forge)
    found = Upstream(branch=settings.branch, base="", remote=remote, url=url, service=service)
    _ = found.place  # an address that is of no use is told before anything is done
    if online:
        _fetch(store, found)
    base = store.reader.ref(found.tracking(settings.branch))
    if base is None:
        raise _no_branch(found)
    return Upstream(branch=settings.branch, base=base, remote=remote, url=url, service=service)


def usual_remote(store: Store, settings: Settings) -> str | None:
    """The remote that proposals go to; None where there is none.

    It is the one that ``proposals.remote`` names; in a clone that calls it otherwise the one that its branch
    of the registry follows, or its only one.
    """
    repository = store.repository
    known = [key[len("remote.") : -len(".url")] for key in repository.config if _REMOTE_URL.fullmatch(key)]
    followed = repository.setting(f"branch.{settings.branch}.remote")
    for name in (settings.proposals.remote, followed):
        if name in known:
            return name
    return known[0] if len(known) == 1 else None


def _remote(store: Store, named: str) -> str:
    if f"remote.{named}.url" in store.repository.config and "/" not in named and ":" not in named:
        return named
    raise InvalidInput(
        f"there is no remote {without_password(named)}",
        where="--remote",
        hint="see: git remote -v; git remote add NAME URL",
    )


def _fetch(store: Store, up: Upstream) -> None:
    assert up.remote is not None
    specs = [f"+{BRANCHES}{name}:{up.tracking(name)}" for name in (up.branch, f"{OURS}*")]
    if not store.repository.bare:  # a server's own numbers are not another server's
        specs.append(f"+{NUMBERED}*:{NUMBERED}*")
    try:
        fetch(store.repository, up.remote, specs, prune=True)
    except EnvironmentFailure as error:
        if "couldn't find remote ref" in error.message:
            raise _no_branch(up) from error
        raise


def _no_branch(up: Upstream) -> Conflict:
    return Conflict(
        f"{up.remote} has no branch {up.branch} yet: there is nothing to propose to",
        where=up.address,
        hint=f"git push -u {up.remote} {up.branch}",
    )


def fetch_branch(store: Store, up: Upstream, branch: str) -> str | None:
    """The head of any branch on the remote, fetched; None where there is none."""
    if up.remote is None:
        return None
    if branch.startswith(OURS) or branch == up.branch:  # fetched with the registry's own
        return store.reader.ref(up.tracking(branch))
    check_ref_name(f"{BRANCHES}{branch}")
    try:
        fetch(store.repository, up.remote, [f"+{BRANCHES}{branch}:{up.tracking(branch)}"])
    except EnvironmentFailure as error:
        if "couldn't find remote ref" in error.message:
            return None
        raise
    return store.reader.ref(up.tracking(branch))


def hosting_of(store: Store, up: Upstream) -> Hosting | None:
    """The service's REST API with a token of the user's; None where there is no such thing at hand."""
    place = up.place
    if place is None:
        return None
    repository = store.repository
    token = token_for(
        up.service,
        place,
        env=os.environ,
        fill=lambda scheme, host: credential(repository, scheme=scheme, host=host),
    )
    return hosting(up.service, place, token) if token is not None and not token.job else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a push said: the ref that it went to, and the server's own lines."""

    target: str
    words: tuple[str, ...] = ()


def send(
    store: Store, up: Upstream, proposal: Proposal, head: str, *, there: str | None, plain: bool
) -> Sent:
    """Push a proposal's branch, where it stands as it was seen.

    Args:
        store: The registry.
        up: Where to.
        proposal: What is pushed, with its title and text.
        head: Full hex id of its newest commit.
        there: Full hex id of what the branch is there now; None: it is not.
        plain: Push the branch alone: the service is told of it by other ways.

    Raises:
        MovedRef: Somebody else was faster.
        NotAllowed, EnvironmentFailure, OutcomeUnknown: See ``gitstore.remote.push``.
    """
    assert up.remote is not None
    plan = push_plan("plain" if plain else up.service, proposal, update=there is not None)
    update = PushRef(source=head, target=plan.target, expected=there if plan.lease else ANY)
    try:
        answer = push(store.repository, up.remote, [update], options=plan.options)
    except MovedRef as error:
        raise Conflict(
            "somebody else changed the proposal meanwhile",
            where=proposal.branch,
            hint=f"look at it: git fetch, {command('review', proposal.branch)}; then run the command again",
        ) from error
    if plan.lease:
        note(store, up.tracking(proposal.branch), head)
    return Sent(target=plan.target, words=answer.words)


def note(store: Store, ref: str, oid: str | None) -> None:
    """Write down where a branch of the remote is; Git does it by itself only where it is set up to."""
    now = store.reader.ref(ref)
    if now != oid:
        with write_lock(store.repository.state_dir) as lock:
            move(store.repository.refs, [RefMove(name=ref, new=oid, old=now)], reason="gitreg", held=(lock,))


def remove_there(store: Store, up: Upstream, branch: str, head: str) -> tuple[str, ...]:
    """Remove a branch of the remote, where it stands at ``head`` still; what the server said."""
    assert up.remote is not None
    update = PushRef(source=None, target=f"{BRANCHES}{branch}", expected=head)
    answer = push(store.repository, up.remote, [update])
    note(store, up.tracking(branch), None)
    return answer.words


def point(store: Store, ref: str, oid: str | None, *, was: str | None, reason: str) -> None:
    """Let a branch here point to a commit that is there, and its work tree follow; None removes it.

    Args:
        store: The registry.
        ref: Full name.
        oid: Full hex id.
        was: What it points to now.
        reason: For the reflog.

    Raises:
        Conflict: A person's edits stand in the way, or another work tree has the branch.
        MovedRef: It points elsewhere by now.
    """
    if oid is None:
        with write_lock(store.repository.state_dir) as lock:
            move(store.repository.refs, [RefMove(name=ref, new=None, old=was)], reason=reason, held=(lock,))
        return
    with open_session(store.repository, store.reader, ref=ref) as session:
        if session.base != was:
            raise MovedRef("the branch moved meanwhile", where=ref)
        session.adopt(oid, reason=reason)
        session.publish()


def checked_out(store: Store, ref: str) -> bool:
    """Whether any work tree has a branch checked out."""
    repository = store.repository
    here = not repository.bare and repository.head().branch == ref
    return here or repository.checked_out_elsewhere(ref) is not None
