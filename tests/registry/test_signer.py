"""Commits and tags that gitreg signs are good to Git itself, and only the user decides whether and how."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.people import Person, person


@pytest.fixture
def ann(tmp_path: Path) -> Person:
    made = person("ann", tmp_path)
    made.work.mkdir()
    signers = made.home / "signers"
    signers.write_text(f"ann@example.com {made.public_key}\n")
    made.configure(("gpg.ssh.allowedSignersFile", str(signers)))
    return made


def signs(who: Person) -> None:
    who.configure(("commit.gpgSign", "true"), ("tag.gpgSign", "true"))


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_git_finds_ssh_signatures_good(ann: Person, algorithm: str) -> None:
    signs(ann)
    ann.git("init", "-q", f"--object-format={algorithm}")
    ann.gitreg("init", ".")
    ann.gitreg("register", "churn", "s3://models/churn/1")
    ann.gitreg("transition", "churn/1", "Production")
    ann.gitreg("config", "description", "ours")
    for commit in ann.git("rev-list", "HEAD").split():
        ann.git("verify-commit", commit)
    tags = ann.git("tag").split()
    assert tags == ["churn/Production/1", "churn/v1"]
    for tag in tags:
        ann.git("verify-tag", tag)
    assert "all is well" in ann.gitreg("doctor").words
    assert "no findings" in ann.gitreg("verify", "--all").words
    ann.git("fsck", "--strict")


def test_tags_that_are_made_later_are_signed_too(ann: Person) -> None:
    signs(ann)
    ann.gitreg("init", ".")
    ann.gitreg("register", "churn", "s3://models/churn/1")
    ann.git("tag", "-d", "churn/v1")
    ann.gitreg("reconcile")
    ann.git("verify-tag", "churn/v1")
    ann.git("tag", "-d", "churn/v1")
    ann.gitreg("doctor", "--fix", code=None)
    ann.gitreg("reconcile")
    ann.git("verify-tag", "churn/v1")
    assert "no findings" in ann.gitreg("verify", "--all").words


def test_nothing_is_signed_where_nobody_asks(ann: Person) -> None:
    ann.gitreg("init", ".")
    ann.gitreg("register", "churn", "s3://models/churn/1")
    assert "gpgsig" not in ann.git("cat-file", "commit", "HEAD")
    assert "BEGIN" not in ann.git("cat-file", "tag", "churn/v1")


def test_the_repository_has_no_say(ann: Person) -> None:
    ann.gitreg("init", ".")
    trap = ann.work / ".git" / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{ann.home}/sprung'\nexit 1\n")
    trap.chmod(0o755)
    for key, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("gpg.ssh.program", str(trap)),
        ("gpg.program", str(trap)),
        ("gpg.ssh.defaultKeyCommand", str(trap)),
    ):
        ann.git("config", key, value)
    ann.gitreg("register", "churn", "s3://models/churn/1")
    assert "gpgsig" not in ann.git("cat-file", "commit", "HEAD")
    signs(ann)
    ann.gitreg("register", "churn", "s3://models/churn/2")
    assert "gpgsig" in ann.git("cat-file", "commit", "HEAD")
    assert not (ann.home / "sprung").exists()


def test_a_key_that_can_not_sign(ann: Person) -> None:
    ann.gitreg("init", ".")
    signs(ann)
    ann.configure(("user.signingKey", str(ann.home / "nowhere")))
    before = ann.git("for-each-ref"), ann.git("rev-parse", "HEAD")
    said = ann.gitreg("register", "churn", "s3://models/churn/1", code=5).words
    assert "nowhere" in said and "help:" in said
    assert (ann.git("for-each-ref"), ann.git("rev-parse", "HEAD")) == before
    assert ann.git("status", "--porcelain") == ""


@pytest.mark.parametrize("value", ["", "0", "1", "2", "YES", "off", "True"])
def test_yes_and_no_are_what_git_takes_for_them(ann: Person, value: str) -> None:
    with (ann.home / ".gitconfig").open("a") as config:
        config.write(f'[commit]\n\tgpgSign = "{value}"\n')
    says = ann.run("git", "config", "--type=bool", "commit.gpgSign", at=ann.home).out.strip()
    ann.gitreg("init", ".")
    assert ("gpgsig" in ann.git("cat-file", "commit", "HEAD")) == (says == "true")


def test_what_is_neither_yes_nor_no(ann: Person) -> None:
    ann.gitreg("init", ".")
    ann.configure(("commit.gpgSign", "ture"))
    said = ann.gitreg("register", "churn", "s3://models/churn/1", code=7).words
    assert "'ture' is neither true nor false" in said and "commit.gpgsign" in said


@pytest.mark.parametrize("key", ["tag.gpgSign", "tag.forceSignAnnotated"])
def test_tags_alone(ann: Person, key: str) -> None:
    ann.configure((key, "true"))
    ann.gitreg("init", ".")
    ann.gitreg("register", "churn", "s3://models/churn/1")
    ann.git("verify-tag", "churn/v1")
    assert "gpgsig" not in ann.git("cat-file", "commit", "HEAD")


def test_a_key_is_chosen_and_never_guessed(ann: Person) -> None:
    signs(ann)
    ann.run("git", "config", "--global", "--unset", "user.signingKey", at=ann.home)
    (ann.home / ".ssh").mkdir()
    shutil.copy(ann.home / "key", ann.home / ".ssh/id_ed25519")
    said = ann.gitreg("init", ".", code=5).words
    assert "no key is chosen" in said and "git config --global user.signingKey" in said
    assert list(ann.work.iterdir()) == []
    ann.git("init", "-q")
    assert ann.run("git", "commit", "-q", "--allow-empty", "-m", "x", code=None).code, "as Git has it"


def test_a_wrong_passphrase_writes_nothing(ann: Person) -> None:
    ann.gitreg("init", ".")
    signs(ann)
    ann.run("ssh-keygen", "-q", "-p", "-P", "", "-N", "secret", "-f", str(ann.home / "key"), at=ann.home)
    before = ann.git("for-each-ref")
    for answer, code in (("wrong", 5), ("secret", 0)):
        ask = ann.home / answer
        ask.write_text(f"#!/bin/sh\necho {answer}\n")
        ask.chmod(0o755)
        more = {"SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":"}
        who = Person(name="ann", home=ann.home, work=ann.work, more=more)
        said = who.gitreg("register", "churn", "s3://models/churn/1", code=code).words
        assert code == 0 or ("passphrase" in said and ann.git("for-each-ref") == before)
    ann.git("verify-commit", "HEAD")


def test_it_costs_no_process_where_nothing_is_signed(ann: Person) -> None:
    ann.gitreg("init", ".")
    folder = ann.home / "bin"
    folder.mkdir()
    asked = folder / "asked"
    real = shutil.which("git")
    (folder / "git").write_text(f"#!/bin/sh\necho \"$*\" >> '{asked}'\nexec '{real}' \"$@\"\n")
    (folder / "git").chmod(0o755)
    who = Person(name="ann", home=ann.home, work=ann.work, more={"PATH": f"{folder}:{ann.env['PATH']}"})
    who.gitreg("register", "churn", "s3://models/churn/1")
    unsigned = asked.read_text()
    assert "update-index" in unsigned and "--show-scope" not in unsigned
    asked.unlink()
    signs(ann)
    who.gitreg("register", "churn", "s3://models/churn/2")
    assert "--show-scope" in asked.read_text()
    assert len(asked.read_text().splitlines()) == len(unsigned.splitlines()) + 1


def test_a_format_that_gitreg_can_not_make(ann: Person) -> None:
    ann.gitreg("init", ".")
    signs(ann)
    ann.configure(("gpg.format", "x509"))
    assert "x509" in ann.gitreg("register", "churn", "s3://models/churn/1", code=5).words


def test_the_key_that_a_command_names(ann: Person) -> None:
    signs(ann)
    command = ann.home / "which-key"
    command.write_text(f"#!/bin/sh\necho '{ann.home / 'key.pub'}'\n")
    command.chmod(0o755)
    ann.run("git", "config", "--global", "--unset", "user.signingKey", at=ann.home)
    ann.configure(("gpg.ssh.defaultKeyCommand", str(command)))
    ann.gitreg("init", ".")
    ann.git("verify-commit", "HEAD")


def test_the_agent_holds_the_key(ann: Person) -> None:
    agent = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    told = dict(part.split("=", 1) for part in agent.replace("\n", "").split(";") if "=" in part)
    who = Person(name="ann", home=ann.home, work=ann.work, more={"SSH_AUTH_SOCK": told["SSH_AUTH_SOCK"]})
    try:
        who.run("ssh-add", "-q", str(ann.home / "key"))
        (ann.home / "key").unlink()
        signs(who)
        who.configure(("user.signingKey", f"key::{ann.public_key}"))
        who.gitreg("init", ".")
        who.git("verify-commit", "HEAD")
    finally:
        subprocess.run(["ssh-agent", "-k"], env={**os.environ, **told}, capture_output=True, check=False)


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_git_finds_openpgp_signatures_good(ann: Person, tmp_path: Path) -> None:
    home = Path("/tmp") / f"gpg-{os.getpid()}"  # a socket's path is short
    home.mkdir(mode=0o700)
    who = Person(name="ann", home=ann.home, work=ann.work, more={"GNUPGHOME": str(home)})
    try:
        made = ["--batch", "--quick-gen-key", "--passphrase", "", "Ann <ann@example.com>", "ed25519", "sign"]
        who.run("gpg", "--quiet", "--pinentry-mode", "loopback", *made, at=ann.home)
        who.run("git", "config", "--global", "--unset", "user.signingKey", at=ann.home)
        signs(who)
        who.configure(("gpg.format", "openpgp"))
        who.gitreg("init", ".")
        who.gitreg("register", "churn", "s3://models/churn/1")
        who.git("verify-commit", "HEAD")
        who.git("verify-tag", "churn/v1")
        who.configure(("user.signingKey", "0123456789ABCDEF"))
        assert "gpg could not sign" in who.gitreg("register", "churn", "s3://x", code=5).words
    finally:
        who.run("gpgconf", "--kill", "all", code=None, at=ann.home)
        shutil.rmtree(home)
