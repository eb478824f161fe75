"""Whose signature a commit of the history bears, by the keys that the registry held before it."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Literal

from gitreg.errors import GitregError, NotAllowed
from gitreg.gitstore.signatures import split_commit
from gitreg.index.reading import Link
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.store import Store
from gitreg.signing import sshsig
from gitreg.signing.commits import who_signed

State = Literal["none", "good", "service", "unknown", "bad", "openpgp", "untold"]

_SSH = b"-----BEGIN SSH SIGNATURE-----"
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What is to be said of a commit's signature.

    Attributes:
        state: ``none``: there is none; ``good``: by somebody whose key stands in ``keys/allowed_signers``;
            ``service``: by a hosting service's key that ``merge_keys`` names; ``unknown``: by nobody's
            key, or one that is not valid; ``bad``: it does not fit the commit; ``openpgp``: of that kind,
            which is checked by ``gitreg verify`` and not here; ``untold``: a shallow clone lacks the keys.
        who: The first principal of whoever signed; ``""`` where that is nobody.
        why: What is wrong with it; ``""`` where nothing is.
    """

    state: State
    who: str = ""
    why: str = ""


_NONE = Signed(state="none")
# A commit's id tells all that its signature is judged by: its own bytes and its parents' trees.
_KNOWN: OrderedDict[str, Signed] = OrderedDict()
_LOCK = Lock()


def signed(store: Store, link: Link) -> Signed:
    """Whose signature a commit bears: by the keys of its first parent, as ``verify`` judges it.

    Nothing is started for it but the process that reads objects; answers are kept.

    Args:
        store: The registry.
        link: The commit.
    """
    with _LOCK:
        known = _KNOWN.get(link.oid)
    if known is None:
        known = _judged(store, link)
        with _LOCK:
            _KNOWN[link.oid] = known
            if len(_KNOWN) > _MOST_KEPT:
                _KNOWN.popitem(last=False)
    return known


def _judged(store: Store, link: Link) -> Signed:
    _, raw = store.reader.object(link.oid)
    payload, armor = split_commit(raw, algorithm=store.repository.algorithm)
    if armor is None:
        return _NONE
    if not armor.startswith(_SSH):
        return Signed(state="openpgp")
    try:
        sshsig.verify(payload, armor, namespace="git")
    except NotAllowed as error:
        return Signed(state="bad", why=error.message)
    try:
        rules = RuleBook(store, link.parents[0] if link.parents else link.oid)
        found = who_signed(
            payload,
            armor,
            signers=rules.signers,
            pgp_keys={},
            merge_keys=rules.merge_keys,
            when=link.time,
        )
    except NotAllowed as error:
        return Signed(state="unknown", why=error.message)
    except GitregError as error:
        return Signed(state="untold", why=error.message)
    if found.person is None:
        return Signed(state="service")
    named = sorted(found.person.principals, key=lambda name: ("/" in name, name))  # persons before groups
    return Signed(state="good", who=link.email if link.email in named else named[0])
