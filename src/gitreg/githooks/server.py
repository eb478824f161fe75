"""The hooks of a server as Git starts them: what they read, where they stand, and the time of the push."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from gitreg.registry.clock import utc_now


def run_hook(name: str) -> int:
    """Run ``pre-receive`` or ``post-receive`` on what Git writes to stdin; its exit code.

    The folder in which Git runs it alone says which registry is meant: neither GITREG_REGISTRY nor Git's
    own variables do, which a user may have set for something else.
    """
    text, at = sys.stdin.buffer.read(), Path.cwd()
    if name == "pre-receive":
        from gitreg.githooks.receive import pre_receive

        return pre_receive(text, at=at, env=os.environ, now=utc_now())
    from gitreg.githooks.arrived import post_receive

    return post_receive(text, at=at, env=os.environ, now=utc_now())
