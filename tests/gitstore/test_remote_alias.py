"""Hosts that ``~/.ssh/config`` names otherwise."""

from __future__ import annotations

from pathlib import Path

import pytest

from gitreg.gitstore.remote_alias import without_alias

SSH = """\
#!/bin/sh
[ "$1" = -G ] || exit 1
case $2 in
    work) echo "user git"; echo "hostname gitlab.example.com"; echo "port 22" ;;
    broken) exit 255 ;;
    *) echo "hostname $2" ;;
esac
"""


@pytest.fixture(autouse=True)
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ssh with such a configuration: where that lies the real one asks the system, not ``$HOME``."""
    (tmp_path / "ssh").write_text(SSH)
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("work:org/sub/reg.git", "gitlab.example.com:org/sub/reg.git"),
        ("git@work:org/reg.git", "git@gitlab.example.com:org/reg.git"),
        ("ssh://git@work:2222/org/reg.git", "ssh://git@gitlab.example.com:2222/org/reg.git"),
        ("ssh://work/org/reg", "ssh://gitlab.example.com/org/reg"),
    ],
)
def test_an_alias(url: str, meant: str) -> None:
    assert without_alias(url) == meant


@pytest.mark.parametrize(
    "url",
    [
        "other:org/reg.git",
        "broken:org/reg.git",
        "git@github.com:org/reg.git",
        "https://work/org/reg.git",
        "work/reg.git",
        "/srv/work:reg.git",
        "file:///work/reg.git",
        "localhost:reg.git",
        "-oProxyCommand=x:reg",
        "",
    ],
)
def test_what_stays(url: str) -> None:
    assert without_alias(url) == url


def test_without_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert without_alias("git@work:org/reg.git") == "git@work:org/reg.git"
