"""``proc-receive``: pushes to ``refs/for/BRANCH`` become numbered proposals (githooks(5)).

Whoever may push may update a proposal: a plain Git server knows no owners. The reflog keeps each
former head, and ``by`` names who made it.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from gitreg.errors import GitregError, MovedRef, UsageError
from gitreg.githooks.own import receiving
from gitreg.githooks.pktline import read_lines, write_lines
from gitreg.githooks.proposals import Meta, Proposal, next_number, proposals, save, stamp
from gitreg.githooks.updates import BRANCHES, FOR, Update, received
from gitreg.gitstore.lock import write_lock
from gitreg.gitstore.log import is_ancestor
from gitreg.registry.store import Store
from gitreg.render.text import safe, safe_block

_USERS = ("GL_USERNAME", "GL_USER", "REMOTE_USER")
_LONGEST_LINE = 200
_KNOWN = ("topic", "title", "description", "withdraw", "expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pusher:
    """Who pushes when, and what was said with ``-o``."""

    by: str
    now: datetime
    options: Mapping[str, str]


def proc_receive(
    stdin: IO[bytes], stdout: IO[bytes], *, at: Path, env: Mapping[str, str], now: datetime
) -> int:
    """Answer one push by the protocol; what people should read goes to stderr.

    Args:
        stdin: From receive-pack.
        stdout: To receive-pack.
        at: The folder in which Git runs the hook.
        env: The hook's environment.
        now: Time of the push.
    """
    features = _negotiate(stdin, stdout)
    updates = received(b"".join(line + b"\n" for line in read_lines(stdin)))
    options = _options(read_lines(stdin) if "push-options" in features else ())
    by = next((env[name] for name in _USERS if env.get(name)), "")
    pusher = Pusher(by=by, now=now, options=options)
    _tell_unknown(options)
    answers: list[str] = []
    repository = receiving(at)
    with Store(repository) as store, write_lock(repository.state_dir) as lock:
        for update in updates:
            try:
                answers += _answer(store, update, pusher, lock)
            except GitregError as error:
                said = f"{error.message}; {error.hint}" if error.hint else error.message
                answers.append(f"ng {update.ref} {safe(said)}")
    write_lines(stdout, (line.encode("utf-8", "surrogateescape") for line in answers))
    return 0


def _negotiate(stdin: IO[bytes], stdout: IO[bytes]) -> frozenset[str]:
    said = next(iter(list(read_lines(stdin))), b"")
    version, _, features = said.decode("utf-8", "replace").partition("\0")
    if version != "version=1":
        raise UsageError(f"Git speaks another version: {version!r}", hint="see githooks(5), proc-receive")
    offered = frozenset(features.split())
    known = sorted(offered & {"push-options"})
    write_lines(stdout, [f"version=1\0{' '.join(known)}".encode()])
    return frozenset(known)


def _options(lines: Iterable[bytes]) -> dict[str, str]:
    r"""``-o topic=NAME`` and the like; the last of a name counts. In a description ``\n`` is a new line."""
    found: dict[str, str] = {}
    for line in lines:
        key, _, value = line.decode("utf-8", "replace").partition("=")
        found[key.strip().casefold()] = value.strip()
    return found


def _tell_unknown(options: Mapping[str, str]) -> None:
    # Other hooks may know them, so that they are no reason to refuse; a slip must not pass unseen.
    for name in options:
        if name not in _KNOWN:
            _say(f"the push option {_line(name)!r} is none of a proposal's: {', '.join(_KNOWN)}")


def _answer(store: Store, update: Update, pusher: Pusher, lock: int) -> list[str]:
    target = update.ref.removeprefix(FOR)
    if target == update.ref:
        return [f"ok {update.ref}", "option fall-through"]
    main = store.repository.refs.read(f"{BRANCHES}{target}")
    if main is None:
        raise UsageError(f"there is no branch {target}", hint=f"git push origin HEAD:{FOR}BRANCH")
    if update.new is None or "withdraw" in pusher.options:
        return _withdrawn(store, update, target, pusher, lock)
    if is_ancestor(store.repository, update.new, main):
        raise UsageError(f"{target} holds this commit already", hint="there is nothing to propose")
    before = _matching(store, target, _topic(store, update.new, pusher))
    _refuse_moved(before, pusher.options.get("expected", ""))
    proposal = _made(store, update.new, target, pusher, before)
    save(store, proposal, before=before, held=(lock,))
    _tell(proposal, before)
    return _report(store, update, proposal, before)


def _topic(store: Store, head: str | None, pusher: Pusher) -> str:
    """What tells proposals apart: ``-o topic=…``, else the subject of the newest commit."""
    topic = _line(pusher.options.get("topic", ""))
    if not topic and head is not None:
        topic = _line(store.reader.commit(head).message.strip().partition("\n")[0])
    if not topic:
        raise UsageError("which proposal is not said", hint="gitreg withdraw N, or git push -o topic=NAME …")
    return topic


def _line(text: str) -> str:
    """One line of a bearable length."""
    text = " ".join(text.replace("\\n", " ").split())
    return text if len(text) <= _LONGEST_LINE else f"{text[: _LONGEST_LINE - 1]}…"


def _matching(store: Store, target: str, topic: str) -> Proposal | None:
    open_ones = (each for each in proposals(store) if each.meta.state == "open")
    return next((each for each in open_ones if each.meta.target == target and each.meta.topic == topic), None)


def _refuse_moved(before: Proposal | None, expected: str) -> None:
    """Refuse what ``-o expected=ID`` does not find: a lease of Git's can't stand on ``refs/for/``."""
    if expected and expected != (before.head if before else ""):
        raise MovedRef("stale info: the proposal is another one by now", hint="gitreg proposals")


def _made(store: Store, head: str, target: str, pusher: Pusher, before: Proposal | None) -> Proposal:
    commit = store.reader.commit(head)
    subject, _, body = commit.message.strip().partition("\n")
    author = f"{commit.author.person.name} <{commit.author.person.email}>"
    given = pusher.options
    now = stamp(pusher.now)
    old = before.meta if before else None
    # Who adds something, an approval say, has not proposed it.
    goes_on = before is not None and is_ancestor(store.repository, before.head, head)
    by = before.meta.by if before is not None and goes_on else pusher.by or author
    return Proposal(
        number=before.number if before else next_number(store),
        head=head,
        meta=Meta(
            topic=_topic(store, head, pusher),
            title=_line(given.get("title", "")) or (old.title if old else _line(subject)),
            description=given.get("description", "").replace("\\n", "\n")
            or (old.description if old else body.strip()),
            target=target,
            by=by,
            created=old.created if old else now,
            updated=now,
            state="open",
        ),
    )


def _withdrawn(store: Store, update: Update, target: str, pusher: Pusher, lock: int) -> list[str]:
    number = pusher.options.get("withdraw", "")
    if number:
        found = next((each for each in proposals(store) if str(each.number) == number), None)
    else:
        found = _matching(store, target, _topic(store, update.new, pusher))
    if found is None or found.meta.state != "open" or found.meta.target != target:
        raise UsageError("there is no such open proposal", hint="gitreg proposals")
    after = replace(found, meta=replace(found.meta, state="withdrawn", updated=stamp(pusher.now)))
    save(store, after, before=found, held=(lock,))
    _say(f"proposal {found.number} is withdrawn: {found.meta.title}")
    return _report(store, update, after, found)


def _report(store: Store, update: Update, proposal: Proposal, before: Proposal | None) -> list[str]:
    old = before.head if before else "0" * len(proposal.head)
    lines = [
        f"ok {update.ref}",
        f"option refname {proposal.ref}",
        f"option old-oid {old}",
        f"option new-oid {proposal.head}",
    ]
    if before and not is_ancestor(store.repository, before.head, proposal.head):
        lines.append("option forced-update")
    return lines


def _tell(proposal: Proposal, before: Proposal | None) -> None:
    number, meta = proposal.number, proposal.meta
    what = (
        "is as it was" if before and before.head == proposal.head else "is updated" if before else "is made"
    )
    _say(
        f"proposal {number} {what}: {meta.title}\n"
        f"  to see all:    gitreg proposals\n"
        f"  to review it:  git fetch origin {proposal.ref}; gitreg review {meta.target} FETCH_HEAD\n"
        f"  to update it:  git push -o {shlex.quote(f'topic={meta.topic}')} origin HEAD:{FOR}{meta.target} "
        "(whoever may push may)\n"
        f"  to merge it:   gitreg merge {number}"
    )


def _say(text: str) -> None:
    sys.stderr.write(safe_block(text) + "\n")
    sys.stderr.flush()
