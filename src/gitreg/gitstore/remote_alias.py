"""Which host an address means whose host is a name of the user's own in ``~/.ssh/config``."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

_SSH = re.compile(
    r"(?P<before>(?:(?:git\+)?ssh(?:\+git)?://)?(?:[^@/:]+@)?)(?P<host>[A-Za-z0-9_][A-Za-z0-9_-]*)(?P<after>[:/].*)",
    re.DOTALL,
)
_TIMEOUT = 5.0  # seconds


def without_alias(url: str) -> str:
    """``url`` with the host that ssh would reach, so that its service is known: ``git@work:org/reg`` too.

    Only a host without a dot is asked for; what ssh does not know, and every other address, stays as it is.
    """
    found = _SSH.fullmatch(url)
    by_path = found is not None and "://" not in found["before"] and not found["after"].startswith(":")
    if found is None or by_path or found["host"].lower() == "localhost":
        return url
    host = _asked(found["host"])
    return f"{found['before']}{host}{found['after']}" if host else url


def _asked(alias: str) -> str:
    ssh = shutil.which("ssh")
    if ssh is None or not os.path.isabs(ssh):
        return ""
    try:
        done = subprocess.run(  # reads the configuration, and connects to nothing: ssh(1)
            [ssh, "-G", alias],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    return next((line.partition(" ")[2] for line in lines if line.startswith("hostname ")), "")
