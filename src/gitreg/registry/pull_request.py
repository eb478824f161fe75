"""The pull request that a job of CI runs for, and the comment that is kept up to date on it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gitreg.errors import EnvironmentFailure, NotAllowed
from gitreg.forge.rest import hosting
from gitreg.forge.services import Place, Service, detect, repository_of
from gitreg.forge.token import token_for, withheld
from gitreg.gitstore.remote import url_of
from gitreg.gitstore.remote_alias import without_alias
from gitreg.gitstore.remote_credential import credential
from gitreg.gitstore.remote_urls import without_password
from gitreg.registry.remote_branch import usual_remote
from gitreg.registry.store import Store

_GITHUB_REF = re.compile(r"refs/pull/([1-9][0-9]{0,8})/(?:merge|head)")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_MOST_BYTES = 26 * 1024 * 1024  # GitHub caps the payload of an event at 25 MB
# What the jobs of a service have in their environment; Gitea's and Forgejo's have GitHub's, too.
_JOBS: tuple[tuple[str, Service], ...] = (
    ("GITEA_ACTIONS", "gitea"),
    ("FORGEJO_ACTIONS", "gitea"),
    ("GITLAB_CI", "gitlab"),
    ("GITHUB_ACTIONS", "github"),
)
_TOKENS: Mapping[Service, str] = {
    "github": "GH_TOKEN: ${{ github.token }}, with the permission pull-requests: write",
    "gitlab": "GITLAB_TOKEN: a project access token with the scope api (CI_JOB_TOKEN can only read)",
    "gitea": "GITEA_TOKEN: ${{ github.token }}, or a token with the scope write:issue",
}


def number_from(environment: Mapping[str, str]) -> int | None:
    """The number of the pull or merge request that the job's environment names, None outside of one.

    GitHub, Gitea and Forgejo tell it by ``GITHUB_REF`` (``refs/pull/N/merge``) or, for the events that run
    on the target branch, in the file of ``GITHUB_EVENT_PATH``; GitLab by ``CI_MERGE_REQUEST_IID``.
    """
    told = environment.get("CI_MERGE_REQUEST_IID", "")
    if _NUMBER.fullmatch(told):
        return int(told)
    match = _GITHUB_REF.fullmatch(environment.get("GITHUB_REF", ""))
    return int(match[1]) if match else _from_event(environment.get("GITHUB_EVENT_PATH", ""))


def _from_event(path: str) -> int | None:
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            event = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    event = event if isinstance(event, dict) else {}
    told = event.get("pull_request")
    number = told.get("number") if isinstance(told, dict) else None
    return number if type(number) is int and 0 < number < 10**9 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Where the comment goes.

    Attributes:
        service: What keeps the pull request.
        place: The repository there.
        number: Of the pull request.
    """

    service: Service
    place: Place
    number: int

    def __str__(self) -> str:
        return f"{self.place.page}, {'merge' if self.service == 'gitlab' else 'pull'} request {self.number}"


def thread(store: Store, number: int, environment: Mapping[str, str]) -> Thread:
    """The comments of a pull request on the service that the registry's remote is on.

    Args:
        store: The registry.
        number: Of the pull request.
        environment: Of the job: it tells the kind of a service whose host's name does not.

    Raises:
        NotFound: There is no such remote.
        InvalidInput: Its address names no repository on a service.
        EnvironmentFailure: The service has no comments that gitreg knows how to write.
    """
    settings = store.view(store.head()).settings
    wish = settings.proposals
    remote = usual_remote(store, settings) or wish.remote
    url = without_alias(url_of(store.repository, remote, push=True))
    service = detect(url, wish.forge)
    if service == "plain" and wish.forge == "auto":
        service = next((each for key, each in _JOBS if environment.get(key)), service)
    if service not in _TOKENS:
        raise EnvironmentFailure(
            f"what keeps the remote {remote} has no comments that gitreg could write",
            where=without_password(url),
            hint="where it is one of these, set proposals.forge in gitreg.yaml: github, gitlab or gitea",
        )
    return Thread(service=service, place=repository_of(url), number=number)


def post(store: Store, at: Thread, body: str, *, marker: str, environment: Mapping[str, str]) -> str:
    """Create or update our one comment; its address.

    Args:
        store: The registry, whose Git may know a password.
        at: See ``thread``.
        body: Markdown, with ``marker``, by which the comment is found again.
        marker: See ``body``.
        environment: Where tokens are looked for first.

    Raises:
        NotAllowed: There is no token that may write comments, or the service refused it.
        NotFound, EnvironmentFailure, OutcomeUnknown: See ``forge.http.Api.ask``.
    """
    token = token_for(
        at.service,
        at.place,
        env=environment,
        fill=lambda scheme, host: credential(store.repository, scheme=scheme, host=host),
    )
    service = hosting(at.service, at.place, token) if token is not None and not token.job else None
    if service is None:
        hint = withheld(at.service, at.place, env=environment) or f"set {_TOKENS[at.service]}"
        raise NotAllowed(f"there is no token that may comment on {at.place.host}", where=str(at), hint=hint)
    return service.comment(at.number, marker, body)
