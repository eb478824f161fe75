"""What a push tells a hosting service, so that it opens a proposal by itself."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import quote

from gitreg.errors import InvalidInput
from gitreg.forge.proposal import Proposal
from gitreg.forge.services import Service, repository_of

_BRANCH = re.compile(r"[A-Za-z0-9._/@+=%-]+")
_MAX_OPTION = 60_000  # a pkt-line holds 65,516 bytes (gitprotocol-common)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushPlan:
    """The ref to push to, and the push options."""

    target: str
    options: tuple[str, ...] = ()
    lease: bool = True
    """Whether ``target`` is a ref that stays, so that a lease on it makes sense."""


def push_plan(service: Service, proposal: Proposal, *, update: bool = False) -> PushPlan:
    """How to push a proposal.

    Sources: GitLab "Push options for merge requests"; Gitea and Forgejo "AGit"; Gerrit "Upload
    changes" (a Change-Id footer is needed, see ``change_id``).

    Args:
        update: The proposal is open already: the service shall take the new commits, and nothing else.
    """
    branch, target = _checked(proposal.branch), _checked(proposal.target)
    title, body = _one_line(proposal.title, " "), _one_line(proposal.body, "\\n")
    if service == "gitlab":
        # Sent at each update, too: GitLab then changes the open request of that branch.
        options = ["merge_request.create", f"merge_request.target={target}", f"merge_request.title={title}"]
        options.append(f"merge_request.description={body}")
        if proposal.draft and not update:
            options.append("merge_request.draft")
        return PushPlan(target=f"refs/heads/{branch}", options=tuple(options))
    if service in ("gitea", "gitreg"):
        options = [f"topic={branch}", f"title={title}", f"description={body}"]
        if service == "gitea":
            options.append("force-push=true")  # the bare word does not count (Gitea's AGit page)
        return PushPlan(target=f"refs/for/{target}", options=tuple(options), lease=False)
    if service == "gerrit":
        state = ",wip" if proposal.draft else ""
        topic = quote(branch, safe="")
        return PushPlan(target=f"refs/for/{target}%topic={topic}{state}", lease=False)
    return PushPlan(target=f"refs/heads/{branch}")


def change_id(branch: str, *, root: str = "") -> str:
    """The Change-Id footer's value that Gerrit knows a proposal by: the same for the same branch.

    Args:
        branch: The proposal's branch.
        root: The registry's root commit, so that two registries on one server differ.
    """
    return "I" + hashlib.sha1(f"gitreg {root} {branch}".encode(), usedforsecurity=False).hexdigest()


def compare_url(service: Service, url: str, target: str, branch: str) -> str | None:
    """The page on which a person opens the proposal; None where the service has none.

    Raises:
        InvalidInput: The address names no repository.
    """
    if service not in ("github", "gitlab", "gitea"):
        return None
    page = repository_of(url).page
    base, head = quote(target, safe="/"), quote(branch, safe="/")
    if service == "github":
        return f"{page}/compare/{base}...{head}?expand=1"
    if service == "gitea":
        return f"{page}/compare/{base}...{head}"
    source, goal = quote(branch, safe=""), quote(target, safe="")
    return (
        f"{page}/-/merge_requests/new?merge_request%5Bsource_branch%5D={source}"
        f"&merge_request%5Btarget_branch%5D={goal}"
    )


def _checked(branch: str) -> str:
    if not _BRANCH.fullmatch(branch) or branch.startswith(("-", "/", "refs/")) or ".." in branch:
        raise InvalidInput("this is no short name of a branch that every service takes", where=branch)
    return branch


def _one_line(text: str, newline: str) -> str:
    text = text.replace("\r\n", "\n").strip().replace("\n", newline)
    text = "".join(char if char.isprintable() or char == "\t" else "?" for char in text)
    return text.encode("utf-8")[:_MAX_OPTION].decode("utf-8", "ignore")
