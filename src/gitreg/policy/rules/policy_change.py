"""The rules change only with the approvals that they ask for themselves."""

from __future__ import annotations

from shlex import join

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.branches import home
from gitreg.domain.settings import Approvals
from gitreg.errors import InvalidManifests
from gitreg.policy.approvals import count
from gitreg.policy.context import Judgement, Material, PolicyChange
from gitreg.policy.wording import who_may

_SUBJECT = "the rules"


def judge(change: PolicyChange, asked: Approvals | None, material: Material) -> Judgement:
    """What is said of a change of the rules; ``asked``: the approvals that it needs."""
    told = ", ".join(change.paths[:3]) + (" …" if len(change.paths) > 3 else "")
    if asked is None:
        return Judgement(
            rule="policy", passed=True, message=f"nobody need approve a change of {told}", subject=_SUBJECT
        )

    def fits(approval: Approval | PolicyApproval) -> str:
        if not isinstance(approval, PolicyApproval):
            return "it is for a promotion"
        if approval.after != change.after:
            return "it is for other rules than these"
        return "" if approval.before == change.before else "the rules were others when it was signed"

    try:
        found = count(
            asked, change.approvals, material, fits=fits, authors=change.authors, paths=change.paths
        )
    except InvalidManifests as error:
        first = error.findings[0]
        message = f"the keys can't be read ({first.location}: {first.message})"
        return _failed(change, message, first.help)
    digests = {"before": change.before, "after": change.after}
    detail = {**found.detail, **digests, "authors": sorted(change.authors)}
    if not found.enough:
        branch = f"{home(material.prefix)}rules/{change.after[:8]}"
        push = join(["git", "push", change.rules.proposals.remote, f"HEAD:refs/heads/{branch}"])
        mend = (
            f"propose it, where it is on no branch of its own yet: {push}; "
            f"gitreg approve BRANCH --policy, by {who_may(asked)}"
        )
        return _failed(change, f"{told} changed with {found.said}", mend, detail)
    return Judgement(
        rule="policy",
        passed=True,
        message=f"{told} changed with {found.said}",
        subject=_SUBJECT,
        detail=detail,
    )


def _failed(change: PolicyChange, message: str, mend: str, detail: object = None) -> Judgement:
    return Judgement(
        rule="policy",
        passed=False,
        message=message,
        code="GR208",
        subject=_SUBJECT,
        path=change.paths[0],
        help=mend,
        detail=detail if isinstance(detail, dict) else {},
    )
