"""What Git's and a server's words about a fetch or push mean."""

from __future__ import annotations

from gitreg.errors import EnvironmentFailure, GitregError, NotAllowed
from gitreg.gitstore.process import Answer
from gitreg.gitstore.repository import Repository

_LOGIN = (
    "Authentication failed",
    "could not read Username",
    "could not read Password",
    "terminal prompts disabled",
    "Permission denied (",
    "error: 401",
)
_FORBIDDEN = ("error: 403", "DENIED by", "access denied", "not exported", "You are not allowed")
_UNREACHED = (
    "Could not resolve host",
    "Could not connect",
    "Failed to connect",
    "Connection refused",
    "Connection timed out",
    "unable to connect",
    "unable to look up",
    "No route to host",
    "Host key verification failed",
    "SSL certificate problem",
    "server certificate verification failed",
    "Repository not found",
    "does not appear to be a git repository",
    "does not exist",
    "error: 404",
    "not found",
)
_NO_OPTIONS = "does not support push options"
_UNTOLD = "Could not read from remote repository"  # what ssh said of it stands before
_PROGRAM = ("transport 'ext' not allowed", "not allowed", "strange hostname", "strange pathname")


def words_of_server(stderr: str) -> tuple[str, ...]:
    """The lines that the server itself said (``remote: …``), without Git's mark and blank ends."""
    lines = [line.rstrip() for line in stderr.splitlines() if line.startswith("remote:")]
    said = [line.removeprefix("remote:").removeprefix(" ") for line in lines]
    while said and not said[-1].strip():
        said.pop()
    while said and not said[0].strip():
        said.pop(0)
    return tuple(said)


def never_reached(stderr: str) -> bool:
    """Whether Git's words show that the server took nothing: no connection, no login, no permission."""
    # What a hook says (`remote: …`) comes after the pack, and may hold any of these words.
    gits_own = "\n".join(line for line in stderr.splitlines() if not line.startswith("remote:"))
    signs = (*_LOGIN, *_FORBIDDEN, *_UNREACHED, *_PROGRAM, _NO_OPTIONS)
    return any(sign in gits_own for sign in signs)


def failed(verb: str, answer: Answer, repository: Repository) -> GitregError:
    """The error that the end of ``git VERB`` without any answer for single refs means."""
    text, where = answer.stderr, str(repository.root)
    said = words_of_server(text)
    whole = "; ".join([_fault(text) or f"exit code {answer.code}", *said])
    if _NO_OPTIONS in text:
        hint = (
            "git config receive.advertisePushOptions true there, or set proposals.forge: none in gitreg.yaml"
        )
        return EnvironmentFailure(
            "the server takes no push options: nothing was pushed", where=where, hint=hint
        )
    if any(sign in text for sign in _FORBIDDEN):
        return NotAllowed(
            f"the server refused git {verb}: {whole}", where=where, hint="ask its owner for access"
        )
    if any(sign in text for sign in _LOGIN):
        hint = "check your key or credential helper: git ls-remote"
        return EnvironmentFailure(f"the server did not let you in: {whole}", where=where, hint=hint)
    if any(sign in text for sign in _UNREACHED):
        hint = "check the address and the network: git remote -v; git ls-remote"
        return EnvironmentFailure(f"git {verb} did not reach the repository: {whole}", where=where, hint=hint)
    hint = "see what Git says: git ls-remote"
    return EnvironmentFailure(f"git {verb} failed: {whole}", where=where, hint=hint)


def _fault(stderr: str) -> str:
    """Git's own word of what is wrong, or that of the ssh which it ran."""
    lines = [each for each in stderr.splitlines() if each.strip() and not each.startswith("remote:")]
    at = next((at for at, line in enumerate(lines) if line.startswith(("fatal: ", "error: "))), -1)
    if at > 0 and _UNTOLD in lines[at]:
        at -= 1
    return lines[at].removeprefix("fatal: ").removeprefix("error: ").strip() if lines else ""
