"""A server that vouches for those who signed in there: under which name the registry knows it."""

from __future__ import annotations

from gitreg.errors import NotAllowed
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.store import Store
from gitreg.signing import keygen
from gitreg.signing.sshsig import PublicKey


def attester(store: Store, base: str, key: str) -> str:
    """The first principal that ``keys/allowed_signers`` lists for a server's key.

    Args:
        store: The registry.
        base: Full hex id of the commit whose keys count.
        key: The server's private key: see ``signing.keygen.sign``.

    Raises:
        NotAllowed: The key is nobody's there, or can't be read.
    """
    public = PublicKey(blob=keygen.public_key(key))
    for line in RuleBook(store, base).signers.lines:
        named = [name for name in line.principals if "/" not in name]
        if named and line.key.blob == public.blob:
            return named[0]
    raise NotAllowed(
        f"this server's key {public.fingerprint} is nobody's: it can vouch for no one",
        where="keys/allowed_signers",
        hint='propose a line for it: SERVER namespaces="gitreg-attestation@v1" KEY-TYPE KEY, '
        "and approvals.signed_in: [SERVER]",
    )
