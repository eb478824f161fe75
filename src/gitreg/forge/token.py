"""Finds the token for a service, and gives it to no other host than its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gitreg.forge.services import Place, Service

Fill = Callable[[str, str], "tuple[str, str] | None"]
"""Asks Git's credential helpers: scheme and host → name and password."""

_PUBLIC: dict[str, tuple[str, ...]] = {
    "github": ("github.com",),
    "gitlab": ("gitlab.com",),
    "gitea": ("codeberg.org", "gitea.com"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token; ``source`` tells a person where it came from.

    ``job``: GitLab's CI_JOB_TOKEN, which can read only: it opens no merge request and writes no note.
    """

    value: str = field(repr=False)
    source: str
    job: bool = False


def token_for(
    service: Service, place: Place, *, env: Mapping[str, str], fill: Fill | None = None
) -> Token | None:
    """The token for a repository: from the environment, ``gh auth token``, or Git's credential helpers.

    Args:
        env: The environment, most often ``os.environ``.
        fill: Asks Git's credential helpers; None: they are not asked.
    """
    host = place.host.lower()
    for name, hosts in _named(service, env):
        if env.get(name) and host in hosts:
            return Token(value=env[name].strip(), source=name)
    if service == "github" and (value := _gh(host, env)):
        return Token(value=value, source="gh auth token")
    if fill and (found := fill(urlsplit(place.web).scheme, place.host)):
        return Token(value=found[1], source="git credential")
    if service == "gitlab" and env.get("CI_JOB_TOKEN") and host == _ci_host(env):
        return Token(value=env["CI_JOB_TOKEN"], source="CI_JOB_TOKEN", job=True)
    return None


_TELLS = {
    "GITREG_TOKEN": "GITREG_TOKEN_HOST",
    "GH_ENTERPRISE_TOKEN": "GH_HOST",
    "GITLAB_TOKEN": "GITLAB_HOST",
    "GITEA_TOKEN": "GITEA_HOST",
}


def withheld(service: Service, place: Place, *, env: Mapping[str, str]) -> str:
    """That a token of the environment is for another host, and how that is changed; ``""``: none is."""
    for name, hosts in _named(service, env):
        if env.get(name) and name in _TELLS and place.host.lower() not in hosts:
            return f"{name} is not sent to {place.host}: set {_TELLS[name]}={place.host}"
    return ""


def _named(service: Service, env: Mapping[str, str]) -> Iterator[tuple[str, set[str]]]:
    public = set(_PUBLIC.get(service, ()))
    named = _host(env, "GITREG_TOKEN_HOST")
    # A clone's remote may point anywhere: without a host that the user named, only the public ones.
    yield "GITREG_TOKEN", {named} if named else public
    actions = urlsplit(env.get("GITHUB_SERVER_URL", "")).netloc.lower()
    if service == "github":
        own = {actions} if actions else {"github.com"}
        yield "GH_TOKEN", own
        yield "GITHUB_TOKEN", own
        yield "GH_ENTERPRISE_TOKEN", {_host(env, "GH_HOST")}
    if service == "gitlab":
        yield "GITLAB_TOKEN", {_ci_host(env) or _host(env, "GITLAB_HOST") or "gitlab.com"}
    if service == "gitea":
        named = _host(env, "GITEA_HOST")
        yield "GITEA_TOKEN", {named} if named else {actions} if actions else public
        if env.get("GITEA_ACTIONS") or env.get("FORGEJO_ACTIONS"):  # these call their own token so, too
            yield "GITHUB_TOKEN", {actions}


def _host(env: Mapping[str, str], name: str) -> str:
    told = env.get(name, "").strip().lower().rstrip("/")
    return urlsplit(told).netloc or told  # people give its address, too


def _ci_host(env: Mapping[str, str]) -> str:
    host, port = env.get("CI_SERVER_HOST", "").lower(), env.get("CI_SERVER_PORT", "")
    return f"{host}:{port}" if host and port not in ("", "80", "443") else host


def _gh(host: str, env: Mapping[str, str]) -> str:
    program = next(
        (
            path
            for folder in env.get("PATH", "").split(os.pathsep)
            if os.path.isabs(folder) and os.access(path := os.path.join(folder, "gh"), os.X_OK)
        ),
        None,
    )
    if program is None or host.startswith("-"):
        return ""
    # What the environment holds was judged above: gh would give it out for any host that it knows.
    hidden = {"GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"}
    clean = {key: value for key, value in env.items() if key not in hidden}
    try:
        done = subprocess.run(
            [program, "auth", "token", "--hostname", host],
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10.0,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
