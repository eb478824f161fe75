"""Signatures in commits and tags, taken out and put in as Git does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gitreg.gitstore.signatures import sign_commit, sign_tag, split_commit, split_tag


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_what_git_signs_splits_and_what_we_sign_git_verifies(tmp_path: Path, algorithm: str) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (tmp_path / "signers").write_text(f"ann@example.com {key.with_suffix('.pub').read_text()}")
    settings = {
        "user.name": "Ann",
        "user.email": "ann@example.com",
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "gpg.ssh.allowedSignersFile": str(tmp_path / "signers"),
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def git(*arguments: str, data: bytes = b"") -> bytes:
        command = ["git", "-C", str(tmp_path / "repo"), *options, *arguments]
        return subprocess.run(command, input=data, capture_output=True, check=True).stdout

    def signed(payload: bytes) -> bytes:
        command = ["ssh-keygen", "-Y", "sign", "-q", "-n", "git", "-f", str(key)]
        return subprocess.run(command, input=payload, capture_output=True, check=True).stdout

    def stored(kind: str, raw: bytes) -> str:
        return git("hash-object", "-w", "-t", kind, "--stdin", data=raw).decode().strip()

    (tmp_path / "repo").mkdir()
    git("init", "-q", f"--object-format={algorithm}")
    git("commit", "-q", "-S", "--allow-empty", "-m", "Subject\n\nBody")
    git("tag", "-s", "-m", "A tag", "v1")
    raw, tag = git("cat-file", "commit", "HEAD"), git("cat-file", "tag", "v1")
    payload, signature = split_commit(raw, algorithm=algorithm)
    assert signature == signed(payload)  # ed25519 is deterministic
    assert sign_commit(payload, signature, algorithm=algorithm) == raw
    text, mark = split_tag(tag)
    assert mark == signed(text)
    assert sign_tag(text, mark) == tag
    assert split_commit(payload, algorithm=algorithm) == (payload, None)
    assert split_tag(text) == (text, None)
    changed = payload.replace(b"Body", b"Our body")
    ours = stored("commit", sign_commit(changed, signed(changed), algorithm=algorithm))
    renamed = text.replace(b"tag v1", b"tag v2")
    ours_tag = stored("tag", sign_tag(renamed, signed(renamed)))
    git("verify-commit", ours)
    git("verify-tag", ours_tag)
    git("fsck", "--strict")
    with pytest.raises(subprocess.CalledProcessError):
        git("verify-commit", stored("commit", raw.replace(b"Body", b"Else")))
