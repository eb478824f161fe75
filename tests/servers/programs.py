"""Where the programs of a server are; what is missing is named."""

from __future__ import annotations

import os
import shutil

_ADMIN = "/usr/local/sbin:/usr/sbin:/sbin"
"""Where servers lie; not on everybody's ``PATH``."""

PACKAGES = {"sshd": "openssh-server", "gitolite": "gitolite3", "nginx": "nginx-light", "fcgiwrap": "fcgiwrap"}


def find(name: str) -> str | None:
    """The absolute path of a program."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:{_ADMIN}")


def path_of(name: str) -> str:
    """The same; it must be there."""
    found = find(name)
    assert found is not None, f"{name} is missing"
    return found


def missing(*names: str) -> str:
    """Why a server can't be had; empty where it can."""
    lacking = [name for name in names if find(name) is None]
    if not lacking:
        return ""
    packages = " ".join(PACKAGES.get(name, name) for name in lacking)
    return f"not installed: {', '.join(lacking)} (as root: apt-get install {packages})"
