"""The key that an approver signs with: one that is listed for them, or words on how it comes to be."""

from __future__ import annotations

import base64
from collections.abc import Collection
from shlex import join, quote

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.branches import home
from gitreg.errors import NotAllowed
from gitreg.manifest.layout import KEYS_DIR, SIGNERS_FILE
from gitreg.registry.remote_branch import Upstream
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.signer import ssh_key, users_own
from gitreg.registry.store import Store
from gitreg.signing import keygen
from gitreg.signing.signers import Person
from gitreg.signing.sshsig import PublicKey


def key_for(
    store: Store, up: Upstream, statements: Collection[Approval | PolicyApproval], *, given: str = ""
) -> str:
    """The key to sign with, as ``keygen.sign`` takes it; nobody is asked for a passphrase to find it.

    Args:
        store: The registry.
        up: What the proposal is for.
        statements: What is signed; all by one person.
        given: A private key's file; ``""``: the one that the user's own Git configuration names, or one of
            the SSH agent's or in ``~/.ssh``: first of all one that is listed for whoever signs.

    Raises:
        NotAllowed: There is no key, or it is known to be none that counts.
    """
    rules = RuleBook(store, up.base)
    name = next(each.attester or each.approver for each in statements)
    person = rules.signers.person_of(name)
    known = frozenset(
        line.key.blob for line in rules.signers.lines if rules.signers.person_of_key(line.key) == person
    )
    key = given or keygen.signing_key(chosen=ssh_key(users_own(store.repository)), known=known)
    blob = keygen.blob_of(key)
    if not blob or blob in known:
        return key
    public = PublicKey(blob=blob)
    whose = rules.signers.person_of_key(public)
    if whose is not None:
        raise _refused(
            f"the key {public.fingerprint} is {_name(whose)}'s, and not {name}'s",
            f"where that is you: the same with --as {quote(_name(whose))}",
        )
    raise _refused(
        f"the key {public.fingerprint} is nobody's",
        f"sign with the one that is listed for {name}: --key FILE; or propose yours: "
        + listing(store, up, name, public),
    )


def stranger(store: Store, up: Upstream, name: str, again: str) -> NotAllowed:
    """What to tell somebody whose name the registry's keys don't know.

    Args:
        store: The registry.
        up: What the proposal is for.
        name: How they are called.
        again: What they have typed.
    """
    signers = RuleBook(store, up.base).signers
    known = frozenset(line.key.blob for line in signers.lines)
    message = f"{name} has no key in {SIGNERS_FILE} of {up.branch}"
    try:
        key = keygen.signing_key(chosen=ssh_key(users_own(store.repository)), known=known)
    except NotAllowed as error:
        return NotAllowed(message, where=SIGNERS_FILE, hint=error.hint)
    public = PublicKey(blob=keygen.blob_of(key))
    whose = signers.person_of_key(public) if public.blob else None
    if whose is not None:
        return NotAllowed(
            f"{message}, but yours is there as {_name(whose)}'s",
            where=SIGNERS_FILE,
            hint=f"{again} --as {quote(_name(whose))}",
        )
    how = listing(store, up, name, public) if public.blob else f"{key} is none that can be read"
    return NotAllowed(
        message,
        where=SIGNERS_FILE,
        hint=f"another name of yours: {again} --as NAME; or propose your key: {how}",
    )


def listing(store: Store, up: Upstream, name: str, key: PublicKey) -> str:
    """What to type, at the registry's root, to propose that a key be listed."""
    line = f"{name} {key.key_type} {base64.b64encode(key.blob).decode()}"
    branch = f"{home(store.prefix)}keys/{name.partition('@')[0] or 'mine'}"
    start = f"{up.remote}/{up.branch}" if up.remote else up.branch
    held = RuleBook(store, up.base).file(SIGNERS_FILE) or b""
    fresh = f"echo >> {SIGNERS_FILE}; " if held and not held.endswith(b"\n") else ""
    push = f"; git push -u {quote(up.remote)} HEAD" if up.remote else ""
    return (
        f"{join(['git', 'switch', '--no-track', '-c', branch, start])}; mkdir -p {KEYS_DIR}; "
        f"{fresh}echo {quote(line)} >> {SIGNERS_FILE}; git add {KEYS_DIR}; "
        f"git commit -m {quote(f'Key of {name}')}{push}"
    )


def _refused(message: str, hint: str) -> NotAllowed:
    return NotAllowed(f"your approval would not count: {message}", where=SIGNERS_FILE, hint=hint)


def _name(person: Person) -> str:
    """A name of theirs that no others share, an address first."""
    return min(person.principals, key=lambda name: ("/" in name, name.startswith("@"), name))
