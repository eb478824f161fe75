"""Refusals as the pusher reads them, on a terminal and in the pages of hosting services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gitreg.errors import GitregError
from gitreg.githooks.referee import Refusal
from gitreg.render import findings as rendered
from gitreg.render.text import plural, safe, safe_block

MOST_TOLD = 20
"""Findings told of one ref: a push can break thousands of files at once."""

_GITLAB = ("GL_ID", "GL_REPOSITORY", "GL_PROJECT_PATH")
_SHOWN_BY_GITLAB = "GL-HOOK-ERR: "


def refused(refusals: Sequence[Refusal], env: Mapping[str, str]) -> str:
    """What the hook says; the first line names the first ref that was refused.

    Args:
        refusals: At least one.
        env: The hook's environment. GitLab's pages show only lines with its own prefix
            (GitLab's documentation of server hooks).
    """
    return _shown([line for each in refusals for line in _of_ref(each)], env)


def failed(error: GitregError, env: Mapping[str, str]) -> str:
    """What the hook says when it can't judge: then nothing is accepted."""
    lines = [f"gitreg: the push is refused: {safe(error.message)}"]
    lines += [f"  --> {safe(error.where)}"] if error.where else []
    lines += [f"help: {safe(error.hint)}"] if error.hint else []
    return _shown(lines, env)


def exit_code(refusals: Sequence[Refusal]) -> int:
    """1, or 6 where a finding says that the repository would contradict itself."""
    from gitreg.registry.verdict import exit_code

    return exit_code(tuple(one for each in refusals for one in each.findings)) or 1


def _shown(lines: Sequence[str], env: Mapping[str, str]) -> str:
    prefix = _SHOWN_BY_GITLAB if any(name in env for name in _GITLAB) else ""
    return "".join(f"{prefix}{line}\n" for line in lines)


def _of_ref(refusal: Refusal) -> list[str]:
    why = safe(refusal.reason) or plural(len(refusal.findings), "finding")
    lines = [f"gitreg: {safe(refusal.ref)} is refused: {why}"]
    if refusal.mend:
        lines.append(f"help: {safe(refusal.mend)}")
    told = rendered.text(refusal.findings[:MOST_TOLD])
    lines += safe_block(told).splitlines()
    if len(refusal.findings) > MOST_TOLD:
        lines.append(f"and {len(refusal.findings) - MOST_TOLD:,} more")
    return [*lines, *(f"propose it: {safe(ask)}" for ask in refusal.asks)]
