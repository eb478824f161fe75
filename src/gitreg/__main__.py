"""``gitreg``, ``git reg`` and ``python -m gitreg``."""

from __future__ import annotations

import gc
import sys

from gitreg import __version__


def main() -> int:
    """Run the command that ``sys.argv`` names.

    Returns:
        The exit code: see ``docs/cli-conventions.md``.
    """
    if sys.argv[1:] == ["--version"]:
        # Ahead of click, whose import costs more than the whole answer.
        sys.stdout.write(f"gitreg {__version__}\n")
        return 0
    # Looking for garbage takes a tenth of a short command's time, most of it at exit; a long one still looks.
    gc.set_threshold(100_000)
    code = _validated(sys.argv[1:])
    if code is None:
        code = _received(sys.argv[1:])
    if code is not None:
        gc.freeze()
        return code
    from gitreg.cli.app import run

    code = run(sys.argv[1:])
    gc.freeze()
    return code


def _validated(args: list[str]) -> int | None:
    """The hook that runs at every commit, ahead of click, too; None for any other command.

    Whatever goes wrong is left to the command of the same name: it tells failures as all others do.
    """
    if args[:2] != ["hook", "validate"] or any(arg.startswith("-") for arg in args):
        return None
    try:
        from gitreg.githooks.validate import main as validate

        return validate(args[2:])
    except Exception:  # noqa: BLE001 (see above)
        return None


def _received(args: list[str]) -> int | None:
    """The hooks of a server, which every push waits for, ahead of click as well; None for any other command.

    What they read from stdin is gone when they fail: nothing may run them a second time.
    """
    if args not in (["hook", "pre-receive"], ["hook", "post-receive"]) or sys.stderr is None:
        return None
    try:
        from gitreg.githooks.server import run_hook

        return run_hook(args[1])
    except Exception as error:  # noqa: BLE001 (told as of any other command)
        from gitreg.cli.app import failed

        return failed(error, args)


if __name__ == "__main__":
    sys.exit(main())
