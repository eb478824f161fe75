"""Signs commits and tags as the user's own Git configuration says, never as a repository's does.

What a clone's configuration says of signing is passed over: it can name programs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import partial

from gitreg.errors import EnvironmentFailure, NotAllowed
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.writer import Session, Sign, Signing, open_session
from gitreg.registry.store import Store

_NAMESPACE = "git"
_ASKED = ("commit.gpgsign", "tag.gpgsign", "tag.forcesignannotated")
_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off", ""})


def session_of(store: Store, ref: str) -> AbstractContextManager[Session]:
    """A session that signs as the user wants it; arguments and errors are those of ``open_session``."""
    return open_session(store.repository, store.reader, ref=ref, signing=signing_of(store.repository))


def signing_of(repository: Repository) -> Signing | None:
    """How to sign; None where nothing is to be signed, which costs no process to find out.

    Raises:
        NotAllowed: The user wants signatures of a kind that gitreg can't make.
        EnvironmentFailure: What the user's configuration says is neither yes nor no.
    """
    if not any(key in repository.config for key in _ASKED):
        return None
    users = users_own(repository)
    commits, tags, all_tags = (_truth(key, users.get(key, "")) for key in _ASKED)
    if not (commits or tags or all_tags):
        return None
    sign = _signer(repository, users)
    return Signing(commit=sign if commits else None, tag=sign if tags or all_tags else None)


def users_own(repository: Repository) -> dict[str, str]:
    """What the system's and the user's own configuration say: lower-case key → the value that counts."""
    from gitreg.gitstore.remote_process import user_settings

    return {key: found[-1][1] for key, found in user_settings(repository).items()}


def ssh_key(users: Mapping[str, str]) -> str:
    """The key that the user has chosen for SSH signatures; ``""``: none.

    Args:
        users: See ``users_own``.

    Raises:
        EnvironmentFailure: The command that should name it can't be run.
    """
    from gitreg.signing import keygen

    if users.get("gpg.format") != "ssh":
        return ""
    command = users.get("gpg.ssh.defaultkeycommand", "")
    return users.get("user.signingkey") or (keygen.key_of_command(command) if command else "")


def _truth(key: str, value: str) -> bool:
    """A boolean as Git reads it (git-config(1), "Values")."""
    word = value.lower()
    if word in _YES or word in _NO:
        return word in _YES
    try:
        return int(word) != 0
    except ValueError:
        raise EnvironmentFailure(
            f"{value!a} is neither true nor false", where=key, hint=f"git config --global {key} true"
        ) from None


def _signer(repository: Repository, users: Mapping[str, str]) -> Sign:
    form = users.get("gpg.format", "openpgp")
    if form == "ssh":
        return _Ssh(users)
    if form == "openpgp":
        from gitreg.signing import gpg

        who = repository.identity(os.environ, "committer")
        key = users.get("user.signingkey") or f"{who.name} <{who.email}>"
        program = users.get("gpg.openpgp.program") or users.get("gpg.program", "")
        return partial(gpg.sign, key=key, program=program)
    raise NotAllowed(
        f"gitreg can't make signatures of the format {form}",
        where="gpg.format",
        hint="git config --global gpg.format ssh (or openpgp)",
    )


class _Ssh:
    """Signs with one key, which is looked for when the first commit comes."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self._users = users
        self._key = ""

    def __call__(self, data: bytes) -> bytes:
        from gitreg.signing import keygen

        self._key = self._key or ssh_key(self._users)
        if not self._key:  # as Git: what signs commits is chosen, never guessed
            raise NotAllowed(
                "no key is chosen to sign commits and tags with",
                where="user.signingKey",
                hint="git config --global user.signingKey ~/.ssh/id_ed25519.pub",
            )
        program = self._users.get("gpg.ssh.program", "")
        return keygen.sign(data, key=self._key, namespace=_NAMESPACE, program=program)
