"""Fetches from and pushes to other repositories, with explicit leases and the server's own words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Literal

from gitreg.errors import (
    EnvironmentFailure,
    GitregError,
    InvalidInput,
    MovedRef,
    NotAllowed,
    NotFound,
    OutcomeUnknown,
)
from gitreg.gitstore.process import Answer, GitDied, run
from gitreg.gitstore.remote_errors import failed, never_reached, words_of_server
from gitreg.gitstore.remote_process import NETWORK_TIMEOUT, Progress, online, user_settings
from gitreg.gitstore.remote_urls import check_address, local_path, without_password
from gitreg.gitstore.repository import Repository

_OID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LINE = re.compile(r"(?P<flag>[ +\-*=!])\t(?P<src>[^\t]*):(?P<dst>[^\t]*)\t(?P<summary>.*)")
_REASON = re.compile(r"\[(?P<kind>[^]]*)\](?: \((?P<why>.*)\))?")
_LOST_LEASE = ("stale info", "fetch first", "non-fast-forward", "already exists", "failed to update ref")
_ECHO = ("atomic push failed", "atomic transaction failed", "transaction failed")  # another ref is the cause
_UNLISTED = ("refs/for/", "refs/drafts/")  # a server makes something else of them


class _Any(Enum):
    ANY = "any"


ANY: Final = _Any.ANY
"""As ``PushRef.expected``: no lease; Git itself refuses what is no fast-forward."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushRef:
    """One ref to change on the server.

    Attributes:
        source: The full hex id that it shall have; None deletes it.
        target: The full name of the ref there.
        expected: The id that it must have there before; None: it must not exist; ``ANY``: whatever.
    """

    source: str | None
    target: str
    expected: str | Literal[_Any.ANY] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefAnswer:
    """What became of one ref; ``reason`` says why it was rejected."""

    status: Literal["ok", "up-to-date", "rejected"]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PushAnswer:
    """What a push gave: per ref, as the server names it, and the server's own lines."""

    refs: Mapping[str, RefAnswer]
    words: tuple[str, ...] = ()


def url_of(repository: Repository, remote: str, *, push: bool = False) -> str:
    """The address of a remote, after ``pushurl`` (when asked) and ``insteadOf``; it may hold a password.

    Raises:
        NotFound: There is no such remote.
        InvalidInput: The address would run a program, see ``check_address``.
    """
    if remote.startswith("-") or not remote.isprintable() or not remote:
        raise InvalidInput("this is no name of a remote", hint="see: git remote -v")
    if "/" in remote or ":" in remote:
        if without_password(remote) != remote:
            raise InvalidInput(
                "an address on the command line must hold no password: others could see it",
                where=without_password(remote),
                hint="use a credential helper, see: git help credentials",
            )
        check_address(remote)
        return remote
    args = ["remote", "get-url", *(["--push"] if push else []), "--", remote]
    answer = run(args, at=repository.root, accept=(0, 2, 128))
    if answer.code:
        raise NotFound(
            f"there is no remote {remote}",
            where=str(repository.root),
            hint=f"add it: git remote add {remote} URL",
        )
    url = answer.stdout.decode("utf-8", "surrogateescape").splitlines()[0]
    check_address(url)
    _not_inside(repository, url)
    return url


def _not_inside(repository: Repository, url: str) -> None:
    # What came with a clone must not run as its "server": its hooks would be the repository's programs.
    path = local_path(url, at=repository.root)
    if path is None:
        return
    place, root = Path(path).resolve(), repository.root.resolve()
    if place == root or root in place.parents:
        raise InvalidInput(
            "the remote lies inside of this repository",
            where=without_password(url),
            hint="see: git remote -v",
        )


def default_remote(repository: Repository) -> str:
    """The remote that the current branch pushes to, as Git chooses it; ``origin`` or the only one else.

    Raises:
        NotFound: There is none, or several and none is named ``origin``.
    """
    branch = (repository.head().branch or "").removeprefix("refs/heads/")
    for key in (f"branch.{branch}.pushremote", "remote.pushdefault", f"branch.{branch}.remote"):
        named = repository.setting(key)
        if named and named != ".":
            return named
    names = run(["remote"], at=repository.root).stdout.decode("utf-8", "replace").split()
    if "origin" in names or len(names) == 1:
        return "origin" if "origin" in names else names[0]
    raise NotFound(
        "no remote is chosen" if names else "there is no remote",
        where=str(repository.root),
        hint="git config remote.pushDefault NAME" if names else "git remote add origin URL",
    )


def ls_remote(
    repository: Repository, remote: str, patterns: Sequence[str] = (), *, timeout: float = NETWORK_TIMEOUT
) -> dict[str, str]:
    """The refs of a remote, full name → id; peeled tags are left out.

    Args:
        patterns: As of ``git ls-remote``; none: all.

    Raises:
        NotFound, InvalidInput: See ``url_of``.
        EnvironmentFailure, NotAllowed: The server was not reached, or did not let us in.
    """
    url_of(repository, remote)
    args = ["ls-remote", "--refs", _program(repository, remote, "upload-pack"), "--", remote, *patterns]
    answer = online(repository, args, timeout=timeout)
    found = {}
    for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
        oid, _, name = line.partition("\t")
        if _OID.fullmatch(oid):
            found[name] = oid
    return found


def fetch(
    repository: Repository,
    remote: str,
    refspecs: Sequence[str],
    *,
    prune: bool = False,
    tags: bool = False,
    progress: Progress | None = None,
    timeout: float = NETWORK_TIMEOUT,
) -> None:
    """Fetch exactly these refspecs; the configured ones do not count, and ``FETCH_HEAD`` is left alone.

    Raises:
        NotFound, InvalidInput: See ``url_of``.
        MovedRef: A local ref can't be moved without force.
        EnvironmentFailure, NotAllowed: The server was not reached, or did not let us in.
    """
    url_of(repository, remote)
    args = ["fetch", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--refmap="]
    args += ["--prune" if prune else "--no-prune", "--tags" if tags else "--no-tags"]
    args += ["--progress" if progress else "--quiet", _program(repository, remote, "upload-pack")]
    args += ["--", remote, *refspecs]
    answer = online(repository, args, accept=(), progress=progress, timeout=timeout)
    if answer.code == 0:
        return
    lost = [line for line in answer.stderr.splitlines() if "[rejected]" in line]
    if lost:
        raise MovedRef(
            f"a ref here can't be moved without force: {lost[0].strip()}", where=str(repository.root)
        )
    raise failed("fetch", answer, repository)


def push(
    repository: Repository,
    remote: str,
    updates: Sequence[PushRef],
    *,
    options: Sequence[str] = (),
    atomic: bool = True,
    progress: Progress | None = None,
    timeout: float = NETWORK_TIMEOUT,
) -> PushAnswer:
    """Change refs on the server, each only when it stands where it is expected.

    Args:
        options: Push options, one a line (gitprotocol-pack: none may hold a newline).
        atomic: All or none. Otherwise an answer may hold rejected refs beside others that are done.

    Raises:
        InvalidInput: An option or a ref can't be sent.
        MovedRef: A ref was not where it was expected; nothing was done.
        NotAllowed: The server refused; the message holds its words.
        EnvironmentFailure: It was not reached, or the connection was lost and the refs stand as before.
        OutcomeUnknown: The connection was lost, and what became of the refs can't be found out.
    """
    if not updates:
        return PushAnswer(refs={})
    _check(updates, options)
    url_of(repository, remote, push=True)
    args = _push_args(repository, remote, updates, options, atomic=atomic, progress=progress is not None)
    extra = () if "/" in remote or ":" in remote else ((f"remote.{remote}.mirror", "false"),)
    try:
        answer = online(repository, args, accept=(), extra=extra, progress=progress, timeout=timeout)
    except GitDied as error:
        return _after_loss(repository, remote, updates, error)
    refs, lost = _answers(answer)
    if lost or (answer.code and not refs):
        failure = failed("push", answer, repository)
        if never_reached(answer.stderr) and not lost:
            raise failure
        return _after_loss(repository, remote, updates, failure)
    words = words_of_server(answer.stderr)
    rejected = {name: found.reason for name, found in refs.items() if found.status == "rejected"}
    if rejected and (atomic or len(rejected) == len(refs)):
        raise _refused(rejected, words, remote)
    if answer.code and not rejected:
        raise failed("push", answer, repository)
    return PushAnswer(refs=refs, words=words)


def _check(updates: Sequence[PushRef], options: Sequence[str]) -> None:
    for option in options:
        if any(char in option for char in "\n\0"):
            raise InvalidInput(
                "a push option must be one line", where="push option", hint="write \\n for a newline"
            )
    for update in updates:
        ids = [oid for oid in (update.source, update.expected) if isinstance(oid, str)]
        if not all(_OID.fullmatch(oid) for oid in ids):
            raise InvalidInput("a push needs full object ids", where=update.target)
        if not update.target.startswith("refs/") or re.search(r"[\s:*?\[\\^~\x00-\x1f\x7f]", update.target):
            raise InvalidInput("this is no full name of a ref", where=update.target)


def _push_args(
    repository: Repository,
    remote: str,
    updates: Sequence[PushRef],
    options: Sequence[str],
    *,
    atomic: bool,
    progress: bool,
) -> list[str]:
    args = ["push", "--porcelain", "--no-signed", "--no-follow-tags", "--recurse-submodules=no"]
    args += ["--progress" if progress else "--no-progress", _program(repository, remote, "receive-pack")]
    if atomic and len(updates) > 1:  # one ref is always atomic, and not every server knows the word
        args.append("--atomic")
    for update in updates:
        if update.expected is not ANY:
            args.append(f"--force-with-lease={update.target}:{update.expected or ''}")
    for option in options:
        args.append(f"--push-option={option}")
    return [*args, "--", remote, *(f"{update.source or ''}:{update.target}" for update in updates)]


def _program(repository: Repository, remote: str, service: str) -> str:
    # The repository's remote.NAME.uploadpack names a program; on the command line it is overruled.
    key = f"remote.{remote}.{service.replace('-', '')}".lower()
    named = user_settings(repository).get(key)
    return f"--{service}={named[-1][1] if named else f'git-{service}'}"


def _answers(answer: Answer) -> tuple[dict[str, RefAnswer], bool]:
    refs: dict[str, RefAnswer] = {}
    lost = False
    for line in answer.stdout.decode("utf-8", "surrogateescape").splitlines():
        found = _LINE.fullmatch(line)
        if not found:
            continue
        flag, target = found["flag"], found["dst"]
        if flag == "!":
            reason = _REASON.match(found["summary"])
            lost = lost or (reason is not None and reason["kind"] == "remote failure")
            why = (reason["why"] or reason["kind"]) if reason else found["summary"]
            refs[target] = RefAnswer(status="rejected", reason=_clean(why))
        else:
            refs[target] = RefAnswer(status="up-to-date" if flag == "=" else "ok")
    return refs, lost


def _clean(text: str) -> str:
    return "".join(char if char.isprintable() else "?" for char in without_password(text))


def _refused(rejected: Mapping[str, str], words: tuple[str, ...], remote: str) -> GitregError:
    causes = {name: why for name, why in rejected.items() if why not in _ECHO} or dict(rejected)
    name, why = next(iter(causes.items()))
    if any(sign in why for sign in _LOST_LEASE):
        hint = f"look at what is there now: git fetch {without_password(remote)}"
        return MovedRef(f"it moved on the server meanwhile ({why})", where=name, hint=hint)
    said = "\n".join(words) or why
    return NotAllowed(f"the server refused the push ({why}):\n{said}" if words else said, where=name)


def _after_loss(
    repository: Repository, remote: str, updates: Sequence[PushRef], error: GitregError
) -> PushAnswer:
    # The pack may have arrived although the answer did not: only the server knows.
    hint = "repeating is safe: every ref is pushed with its lease"
    names = [update.target for update in updates]
    if any(name.startswith(_UNLISTED) for name in names):
        raise OutcomeUnknown(
            f"the answer to the push was lost: {error.message}", where=names[0], hint=hint
        ) from error
    try:
        now = ls_remote(repository, remote, names, timeout=30.0)
    except GitregError:
        raise OutcomeUnknown(
            f"the answer to the push was lost, and the server does not answer: {error.message}",
            where=names[0],
            hint=hint,
        ) from error
    done = [update.target for update in updates if now.get(update.target) == update.source]
    if len(done) == len(updates):
        return PushAnswer(refs={name: RefAnswer(status="ok") for name in names})
    if done:
        raise OutcomeUnknown(
            f"the answer to the push was lost; of {len(updates)} refs {len(done)} stand as pushed",
            where=names[0],
            hint=hint,
        ) from error
    raise EnvironmentFailure(
        f"the push was not done: {error.message}", where=names[0], hint=error.hint or hint
    ) from error
