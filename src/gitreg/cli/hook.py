"""``gitreg hook NAME``: what the scripts of Git and of pre-commit call."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import click

from gitreg.errors import UsageError


@click.command("hook", context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("args", nargs=-1, type=click.UNPROCESSED)
def command(name: str, args: tuple[str, ...]) -> int:
    """Run as the hook NAME, in the folder and environment that Git gives it.

    Git's hooks: pre-commit, pre-merge-commit, commit-msg FILE, pre-push REMOTE URL, pre-receive,
    post-receive, proc-receive. For pre-commit's framework: validate FILES, check, fmt FILES.
    """
    run = _HOOKS.get(name)
    if run is None:
        raise UsageError(f"there is no hook {name}", hint=f"hooks: {', '.join(_HOOKS)}")
    return run(args)


def _here() -> Path:
    # The folder of the repository alone says which registry is meant: neither GITREG_REGISTRY nor
    # Git's own variables do, which a user may have set for something else.
    return Path.cwd()


def _pre_commit(args: tuple[str, ...]) -> int:
    from gitreg.githooks.staged import pre_commit

    return pre_commit(at=_here(), env=os.environ)


def _check(args: tuple[str, ...]) -> int:
    from gitreg.githooks.staged import check_all

    return check_all(at=_here(), env=os.environ)


def _commit_msg(args: tuple[str, ...]) -> int:
    from gitreg.githooks.message import commit_msg

    if len(args) != 1:
        raise UsageError("commit-msg takes the file with the message", hint="gitreg hook commit-msg FILE")
    return commit_msg(Path(args[0]), at=_here(), env=os.environ)


def _pre_push(args: tuple[str, ...]) -> int:
    from gitreg.githooks.push import pre_push
    from gitreg.registry.clock import utc_now

    if not args:
        raise UsageError("pre-push takes the remote's name", hint="gitreg hook pre-push REMOTE URL")
    return pre_push(args[0], sys.stdin.buffer.read(), at=_here(), env=os.environ, now=utc_now())


def _pre_receive(args: tuple[str, ...]) -> int:
    from gitreg.githooks.server import run_hook

    return run_hook("pre-receive")


def _post_receive(args: tuple[str, ...]) -> int:
    from gitreg.githooks.server import run_hook

    return run_hook("post-receive")


def _proc_receive(args: tuple[str, ...]) -> int:
    from gitreg.githooks.proc_receive import proc_receive
    from gitreg.registry.clock import utc_now

    return proc_receive(sys.stdin.buffer, sys.stdout.buffer, at=_here(), env=os.environ, now=utc_now())


def _validate(args: tuple[str, ...]) -> int:
    from gitreg.githooks.validate import main

    return main(args)


def _fmt(args: tuple[str, ...]) -> int:
    from gitreg.cli.fmt import command as fmt
    from gitreg.cli.fmt import is_manifest

    files = tuple(path for path in map(Path, args) if is_manifest(path))
    if not files or fmt.callback is None:
        return 0
    outcome: int = fmt.callback(files, check=False, diff=False)
    return outcome


_HOOKS: dict[str, Callable[[tuple[str, ...]], int]] = {
    "pre-commit": _pre_commit,
    "pre-merge-commit": _pre_commit,
    "commit-msg": _commit_msg,
    "pre-push": _pre_push,
    "pre-receive": _pre_receive,
    "post-receive": _post_receive,
    "proc-receive": _proc_receive,
    "validate": _validate,
    "check": _check,
    "fmt": _fmt,
}
