"""Where a version comes from, for ``register``: what was typed, over what can be looked up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from gitreg.artifacts.folder import Progress
from gitreg.artifacts.origin import Description, as_given, describe

Look = Callable[[str, str | None], Description]
"""A source and the run that made it, if it was named → what is known of it."""


def looking(progress: Progress) -> Look:
    """Look at local folders, and ask MLflow about runs and logged models."""
    cwd = Path.cwd()

    def look(source: str, run_id: str | None) -> Description:
        return describe(source, env=os.environ, cwd=cwd, run_id=run_id, progress=progress)

    return look


def not_looking(source: str, run_id: str | None) -> Description:
    """Take the source as it is."""
    return as_given(source)
