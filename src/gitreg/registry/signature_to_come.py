"""What the signature of a commit will be worth that is only thought of: nothing is signed to find out."""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime
from typing import TYPE_CHECKING

from gitreg.errors import GitregError, NotAllowed
from gitreg.gitstore.objects import Person
from gitreg.policy.context import CommitSignature

if TYPE_CHECKING:
    from gitreg.registry.rulebook import RuleBook
    from gitreg.registry.setting import Coming
    from gitreg.registry.store import Store


def signature_to_come(store: Store, author: Person) -> Coming:
    """How a commit of the author's would be signed by who runs this, as their Git configuration says.

    Args:
        store: The registry.
        author: Whom the commit would name.
    """

    def found(rules: RuleBook, now: datetime) -> CommitSignature:
        try:
            return _coming(store, rules, now, author)
        except GitregError as error:
            return CommitSignature(commit="", author=author.email, fault=error.message)

    return found


def _coming(store: Store, rules: RuleBook, now: datetime, author: Person) -> CommitSignature:
    from gitreg.registry.signer import signing_of, ssh_key, users_own
    from gitreg.signing import keygen
    from gitreg.signing.sshsig import PublicKey

    signing = signing_of(store.repository)
    if signing is None or signing.commit is None:
        raise NotAllowed("it would not be signed")
    users = users_own(store.repository)
    if users.get("gpg.format") != "ssh":
        # Which OpenPGP key gpg takes shows when it signs; that somebody has put one here says enough.
        if not rules.pgp_keys:
            raise NotAllowed("it would be signed with OpenPGP, and keys/ has nobody's OpenPGP key")
        return CommitSignature(commit="", author=author.email, signer=(author.email,))
    key = ssh_key(users)
    if not key:
        raise NotAllowed("no key is chosen to sign it with: git config --global user.signingKey FILE")
    blob = keygen.public_key(key)
    if any(b64encode(blob) in line.split() for line in rules.merge_keys):
        return CommitSignature(commit="", author=author.email, merge=True)
    person = rules.signers.check(PublicKey(blob=blob), "git", now)
    return CommitSignature(commit="", author=author.email, signer=tuple(sorted(person.principals)))
