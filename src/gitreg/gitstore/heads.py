"""Where HEAD of a server points."""

from __future__ import annotations

from gitreg.gitstore.process import run
from gitreg.gitstore.refs import check_ref_name
from gitreg.gitstore.repository import Repository


def point_head(repository: Repository, ref: str) -> None:
    """Make HEAD name the branch ``ref`` (``refs/heads/main``)."""
    run(
        ["symbolic-ref", "-m", "gitreg: the registry's branch", "HEAD", check_ref_name(ref)],
        at=repository.root,
    )
