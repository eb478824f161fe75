"""``gitreg serve``: answer over HTTP."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitreg.cli.granting import ROLES
from gitreg.cli.options import at_option, chosen_place, open_store
from gitreg.cli.output import line, note
from gitreg.cli.reading import view_at
from gitreg.errors import EnvironmentFailure, NotAllowed, UsageError

if TYPE_CHECKING:
    from gitreg.web.settings import Settings

_NEEDED = ("anyio", "jinja2", "markdown_it", "prometheus_client", "starlette", "uvicorn")


@click.command("serve")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="0 takes any port that is free.",
)
@click.option("--write", is_flag=True, help="Let others than this machine write without signing in.")
@click.option(
    "--sign-in",
    is_flag=True,
    help="Answer nobody, not even this machine, without a token or a user that a proxy names.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    metavar="NAME",
    multiple=True,
    help="A name under which clients reach the server, beside those of this machine. May be repeated.",
)
@click.option(
    "--allowed-origin",
    "allowed_origins",
    metavar="URL",
    multiple=True,
    help="A site (https://models.example.com) whose pages may write. May be repeated.",
)
@click.option(
    "--user-header",
    metavar="NAME",
    default="",
    help="The header in which a proxy tells the user, such as X-Forwarded-User; the commit is theirs.",
)
@click.option(
    "--email-header",
    metavar="NAME",
    default="",
    help="The header in which it tells their address, such as X-Forwarded-Email.",
)
@click.option(
    "--user-role",
    type=click.Choice(("none", *ROLES)),
    default="writer",
    show_default=True,
    help="What users may do whom the proxy names and gitreg access does not list.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    metavar="ADDRESS",
    multiple=True,
    help="An address or network whose headers are believed, beside this machine's. May be repeated.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes answer."
)
@click.option(
    "--propose",
    is_flag=True,
    help="A transition that the policy refuses becomes a proposal; see gitreg promote.",
)
@click.option(
    "--signing-key",
    metavar="FILE",
    default="",
    help="A private SSH key with which it vouches for approvers who sign in, where the rules allow that.",
)
@click.option("--log", is_flag=True, help="Write a line for each request to stderr.")
@at_option
def command(
    host: str,
    port: int,
    write: bool,
    sign_in: bool,
    allowed_hosts: tuple[str, ...],
    allowed_origins: tuple[str, ...],
    user_header: str,
    email_header: str,
    user_role: str,
    trusted_proxies: tuple[str, ...],
    workers: int,
    propose: bool,
    signing_key: str,
    log: bool,
    at: str | None,
) -> None:
    """Show the registry in a browser, and answer its JSON API and MLflow's registry REST API.

    Only this machine can reach it unless --host says otherwise; then it is read-only, but for those who
    have a token (gitreg token) or whom a proxy names.
    """
    if not all(map(find_spec, _NEEDED)):
        raise EnvironmentFailure(
            "the packages that serve over HTTP are not installed", hint="pip install 'gitreg-models[web]'"
        )
    from gitreg.web.access.addresses import server_name, site
    from gitreg.web.access.entries import role_of
    from gitreg.web.access.store import AccessStore
    from gitreg.web.server import bind, listening_on, serve
    from gitreg.web.settings import Settings, network

    if email_header and not user_header:
        raise UsageError(
            "an address belongs to a user: the header that names them is due, too",
            where="--email-header",
            hint="--user-header X-Forwarded-User",
        )

    context = click.get_current_context()
    place = chosen_place(context)
    with open_store(context) as store:
        name = view_at(store, at).settings.name
    access = AccessStore(place).read()
    settings = Settings(
        place=place,
        at=at,
        propose=propose,
        host=host,
        write=write,
        sign_in=sign_in,
        allowed_hosts=tuple(map(server_name, allowed_hosts)),
        allowed_origins=tuple(map(site, allowed_origins)),
        user_header=user_header,
        email_header=email_header,
        user_role=role_of(user_role, "--user-role"),
        trusted_proxies=tuple(map(network, trusted_proxies)),
        signing_key=_usable(signing_key),
        log=log,
    )
    with bind(host, port) as listening:
        settings = listening_on(settings, listening)
        _tell(settings, name, tokens=bool(access.tokens))
        serve(settings, listening, workers=workers)


def _usable(key: str) -> str:
    """A key that signs without asking anybody: a server has nobody to ask."""
    if not key:
        return ""
    from gitreg.signing import keygen
    from gitreg.signing.statement import ATTESTATION_NAMESPACE

    path = str(Path(key).expanduser().absolute())
    try:
        keygen.sign(b"", key=path, namespace=ATTESTATION_NAMESPACE)
    except NotAllowed as error:
        hint = "a key without a passphrase: ssh-keygen -t ed25519 -N '' -f FILE"
        raise NotAllowed(f"{error.message} ({key})", where="--signing-key", hint=hint) from error
    return path


def _tell(settings: Settings, name: str, *, tokens: bool) -> None:
    """Say where the server is and what a client needs; a program that started it waits for this."""
    from gitreg.web.settings import address, address_for_others

    where = address(settings)
    others = address_for_others(settings)
    known = tokens or bool(settings.user_header)
    line(f"Serving {name or settings.place.name} on {where}{_limits(settings, known=known)}")
    line("MLflow's client needs these two lines:")
    line("  import mlflow")
    line(f'  mlflow.set_registry_uri("{others or where}")')
    if not settings.loopback and not others:
        note("others reach it by its address, and by the names that --allowed-host gives")
    if not settings.sign_in and (not settings.loopback or settings.allowed_hosts or settings.trusted_proxies):
        asked = "nobody" if settings.write else "who only reads"
        verb = "is" if settings.write else "is not"
        note(f"others than this machine reach it, and {asked} {verb} asked who it is: see --sign-in")
    if settings.sign_in and not known:
        note('nobody has a token yet: gitreg token create --user "Ann Lee <ann@example.com>" --role writer')
    sys.stdout.flush()


def _limits(settings: Settings, *, known: bool) -> str:
    if settings.at is not None:
        return ", read-only"
    if settings.sign_in:
        return ", for those who sign in"
    if settings.write or settings.alone:
        return ""
    return ", read-only for those who do not sign in" if known else ", read-only"
