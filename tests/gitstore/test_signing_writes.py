"""Sessions that sign: the same bytes as Git's own, and nothing at all where the signer fails."""

from __future__ import annotations

import subprocess
from functools import partial
from pathlib import Path

import pytest

from gitreg.errors import NotAllowed
from gitreg.gitstore.reader import Reader
from gitreg.gitstore.repository import Repository
from gitreg.gitstore.signatures import split_commit, split_tag
from gitreg.gitstore.writer import Sign, Signing, open_session
from gitreg.signing import keygen
from tests.gitstore.conftest import ADA, MAIN, NOON, assert_sound, git


@pytest.fixture
def key(tmp_path: Path, own_home: Path) -> Path:
    """A key that Git signs with, too, and knows as Ada's."""
    made = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(made)], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"ada@example.com {made.with_suffix('.pub').read_text()}")
    for name, value in (
        ("gpg.format", "ssh"),
        ("user.signingKey", str(made)),
        ("gpg.ssh.allowedSignersFile", str(signers)),
    ):
        git("config", "--global", name, value, at=own_home)
    return made


def signer(key: Path) -> Sign:
    return partial(keygen.sign, key=str(key), namespace="git")


def wrote(repository: Repository, reader: Reader, signing: Signing, *, subject: str = "two") -> str:
    """One commit with one tag; its id."""
    with open_session(repository, reader, ref=MAIN, signing=signing) as session:
        oid = session.commit(
            parent=session.base,
            changes={f"{repository.prefix}a/b.yaml": b"x\n"},
            message=f"{subject}\n\nlines\n",
            author=ADA,
            committer=ADA,
            when=NOON,
        )
        session.tag(name="a/v1", target=oid, message="a/v1", tagger=ADA, when=NOON)
        session.publish()
    return oid


def test_git_verifies_them_in_every_kind_of_repository(
    repository: Repository, reader: Reader, key: Path
) -> None:
    oid = wrote(repository, reader, Signing(commit=signer(key), tag=signer(key)))
    git("verify-commit", oid, at=repository.root)
    git("verify-tag", "a/v1", at=repository.root)
    shown = git("log", "-1", "--show-signature", "--format=%G? %GS", "main", at=repository.root)
    assert 'Good "git" signature for ada@example.com' in shown and "G ada@example.com" in shown
    header = "gpgsig-sha256" if repository.algorithm == "sha256" else "gpgsig"
    assert f"\n{header} -----BEGIN SSH SIGNATURE-----\n" in git("cat-file", "commit", oid, at=repository.root)
    assert_sound(repository)


def test_a_signed_commit_and_tag_are_byte_for_byte_gits_own(
    plain: Repository, reader: Reader, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Ed25519 signs the same bytes in the same way each time, so the ids tell of every byte.
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_DATE", "1795435200 +0000")
    ours = wrote(plain, reader, Signing(commit=signer(key), tag=signer(key)))
    our_tag = git("rev-parse", "refs/tags/a/v1", at=plain.root)
    git("tag", "-d", "a/v1", at=plain.root)
    git("reset", "-q", "--soft", "HEAD^", at=plain.root)
    git("commit", "-q", "-S", "-m", "two", "-m", "lines", at=plain.root)
    git("tag", "-s", "-m", "a/v1", "a/v1", at=plain.root)
    assert git("rev-parse", "HEAD", at=plain.root) == ours
    assert git("rev-parse", "refs/tags/a/v1", at=plain.root) == our_tag


@pytest.mark.parametrize("what", ["commit", "tag"])
def test_each_is_signed_by_itself(plain: Repository, reader: Reader, key: Path, what: str) -> None:
    oid = wrote(plain, reader, Signing(**{what: signer(key)}))
    _, commit = reader.object(oid)
    _, tag = reader.object(git("rev-parse", "refs/tags/a/v1", at=plain.root))
    signed = {"commit": split_commit(commit)[1] is not None, "tag": split_tag(tag)[1] is not None}
    assert [name for name, found in signed.items() if found] == [what]


@pytest.mark.parametrize("what", ["commit", "tag"])
def test_nothing_stands_where_the_signer_fails(
    repository: Repository, reader: Reader, key: Path, what: str
) -> None:
    missing = key.with_name("nowhere")
    before = git("for-each-ref", at=repository.root), git("count-objects", "-v", at=repository.root)
    good = {"commit": signer(key), "tag": signer(key), what: signer(missing)}
    with pytest.raises(NotAllowed, match="does not exist"):
        wrote(repository, reader, Signing(**good))
    assert (
        git("for-each-ref", at=repository.root),
        git("count-objects", "-v", at=repository.root),
    ) == before
    assert repository.bare or git("status", "--porcelain", at=repository.root) == ""
    wrote(repository, reader, Signing(commit=signer(key)))  # no lock and no journal is in the way
    assert_sound(repository)
