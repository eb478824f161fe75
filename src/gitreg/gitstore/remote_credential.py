"""Asks the user's own credential helpers, as Git would, without ever asking the person."""

from __future__ import annotations

from gitreg.gitstore.remote_process import online
from gitreg.gitstore.repository import Repository


def credential(repository: Repository, *, scheme: str, host: str) -> tuple[str, str] | None:
    """Name and password that the user's credential helpers know for a host; None: they know none.

    Args:
        scheme: ``https`` or ``http``.
        host: The host, with ``:PORT`` where it is not the usual one.
    """
    if any(not char.isprintable() for char in scheme + host):  # a newline would add a line to the question
        return None
    question = f"protocol={scheme}\nhost={host}\n\n".encode()
    quiet = (("core.askPass", ""), ("credential.interactive", "false"))
    answer = online(repository, ["credential", "fill"], stdin=question, accept=(), extra=quiet, timeout=20.0)
    if answer.code:
        return None
    lines = answer.stdout.decode("utf-8", "replace").splitlines()
    found = dict(line.split("=", 1) for line in lines if "=" in line)
    password = found.get("password", "")
    return (found.get("username", ""), password) if password else None
