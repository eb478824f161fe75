"""Runs Git with the network: the user's own ssh, askpass and credential helpers, none of the repository's."""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import IO

from gitreg.errors import GitFailure
from gitreg.gitstore.process import Answer, environment, find_git, hung, overrides, patience, printable, run
from gitreg.gitstore.remote_urls import without_password
from gitreg.gitstore.repository import Repository

NETWORK_TIMEOUT = 300.0  # seconds, for a whole fetch or push
Progress = Callable[[str], None]

# What the caller's environment says of ssh and TLS is the user's: it stays in force.
_USERS_OWN = (
    "GIT_SSH_COMMAND",
    "GIT_SSH",
    "GIT_SSH_VARIANT",
    "GIT_ASKPASS",
    "GIT_PROXY_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
)
_TRUSTED_SCOPES = frozenset({"system", "global"})
_FIXED = (
    ("push.pushOption", ""),  # an empty value clears the list: only what we are told is sent
    ("push.gpgSign", "false"),
    ("protocol.version", "2"),
)

Setting = tuple[str, str]


def online(
    repository: Repository,
    args: Sequence[str],
    *,
    accept: Sequence[int] = (0,),
    stdin: bytes = b"",
    extra: Sequence[Setting] = (),
    progress: Progress | None = None,
    timeout: float = NETWORK_TIMEOUT,
) -> Answer:
    """Run ``git ARGS`` once where it may talk to a remote; stderr comes without passwords.

    Args:
        accept: Exit codes that are an answer; ``()`` takes any.
        extra: More settings, last in force.
        progress: Told each line of Git's stderr as it comes.
        timeout: Seconds, see ``process.patience``.

    Raises:
        GitDied: It came to no end in time.
        GitFailure: Git is missing.
    """
    users = user_settings(repository)
    env = _environment(users, (*_guards(users), *extra))
    argv = [find_git(), "--no-pager", *overrides(online=True), "-C", str(repository.root), *args]
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe, env=env)
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) else str(error)
        raise GitFailure(f"git {args[0]} could not be run: {words}", where=argv[0]) from None
    said, words = _talk(process, stdin, args, repository, progress, patience(timeout))
    answer = Answer(code=process.returncode, stdout=said, stderr=words)
    if accept and answer.code not in accept:
        from gitreg.gitstore.remote_errors import failed

        raise failed(args[0], answer, repository)
    return answer


def user_settings(repository: Repository) -> dict[str, tuple[Setting, ...]]:
    """The system's and the user's settings: lower-case key → each (key as written, value) in order."""
    answer = run(["config", "--list", "--show-scope", "-z"], at=repository.root)
    words = answer.stdout.decode("utf-8", "surrogateescape").split("\0")
    found: dict[str, tuple[Setting, ...]] = {}
    for scope, entry in zip(words[::2], words[1::2], strict=False):
        key, has_value, value = entry.partition("\n")
        if scope in _TRUSTED_SCOPES:
            found[key.lower()] = (*found.get(key.lower(), ()), (key, value if has_value else "true"))
    return found


def _guards(users: dict[str, tuple[Setting, ...]]) -> list[Setting]:
    # Given last, so that they win over the repository's: there is no switch for one scope alone.
    def last(key: str, default: str) -> str:
        return users[key][-1][1] if key in users else default

    helpers = [
        setting
        for key, settings in users.items()
        if key.startswith("credential.") and key.endswith(".helper")
        for setting in settings
    ]
    return [
        ("core.sshCommand", last("core.sshcommand", "ssh")),
        # Even an empty one keeps Git from SSH_ASKPASS, which is the user's.
        ("core.askPass", last("core.askpass", os.environ.get("SSH_ASKPASS", ""))),
        ("credential.helper", ""),  # forgets every helper so far, those of one address too
        *helpers,
        *_FIXED,
    ]


def _environment(users: dict[str, tuple[Setting, ...]], settings: Sequence[Setting]) -> dict[str, str]:
    env = environment(online=True)
    env.update({key: os.environ[key] for key in _USERS_OWN if key in os.environ})
    if "GIT_SSH" in env and "GIT_SSH_COMMAND" not in env and "core.sshcommand" not in users:
        env["GIT_SSH_COMMAND"] = shlex.quote(env["GIT_SSH"])  # GIT_SSH would lose to our core.sshCommand
    # Of core.gitProxy the first counts, not the last: only the variable overrides it (git's connect.c).
    proxies = users.get("core.gitproxy", ())
    plain = [value for _, value in proxies if " for " not in value]
    env.setdefault("GIT_PROXY_COMMAND", plain[0] if plain else "")
    env["GIT_CONFIG_COUNT"] = str(len(settings))  # not `-c`: a key may hold `=`, and argv is for all to see
    for number, (key, value) in enumerate(settings):
        env[f"GIT_CONFIG_KEY_{number}"], env[f"GIT_CONFIG_VALUE_{number}"] = key, value
    return env


def _talk(
    process: subprocess.Popen[bytes],
    stdin: bytes,
    args: Sequence[str],
    repository: Repository,
    progress: Progress | None,
    seconds: float,
) -> tuple[bytes, str]:
    assert process.stderr is not None
    if progress is None:
        try:
            said, words = process.communicate(stdin, timeout=seconds)
        except subprocess.TimeoutExpired:
            _end(process)
            raise hung(args, repository.root, seconds) from None
        except BaseException:
            _end(process)
            raise
        return said, without_password(printable(words.replace(b"\r\n", b"\n")))
    lines: list[str] = []
    stream, process.stderr = process.stderr, None  # communicate leaves it to the thread
    reader = threading.Thread(target=_pass_on, args=(stream, lines, progress), daemon=True)
    reader.start()
    try:
        said, _ = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        raise hung(args, repository.root, seconds) from None
    except BaseException:
        _end(process)
        raise
    reader.join(2.0)  # a helper that outlives Git may hold the pipe
    return said, "\n".join(lines)


def _pass_on(stream: IO[bytes], lines: list[str], progress: Progress) -> None:
    with suppress(OSError, ValueError):
        for raw in stream:
            for part in raw.replace(b"\r", b"\n").split(b"\n"):
                line = without_password(printable(part))
                if line:
                    lines.append(line)
                    progress(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()  # Git ends its own ssh and remote helpers on SIGTERM only
    try:
        process.communicate(timeout=2.0)
    except (subprocess.TimeoutExpired, ValueError):
        process.kill()
        with suppress(subprocess.TimeoutExpired, ValueError):
            process.communicate(timeout=1.0)
