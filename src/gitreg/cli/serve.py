"""``gitreg serve``: answer over HTTP."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import at_option, chosen_place, open_store
from gitreg.cli.output import line, note
from gitreg.cli.reading import view_at
from gitreg.errors import EnvironmentFailure

if TYPE_CHECKING:
    from gitreg.web.settings import Settings

_NEEDED = ("starlette", "uvicorn", "anyio")


@click.command("serve")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="Where to listen.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="0 takes any port that is free.",
)
@click.option("--write", is_flag=True, help="Let others than this machine write, not only read.")
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
    "--trusted-proxy",
    "trusted_proxies",
    metavar="ADDRESS",
    multiple=True,
    help="An address or network that --user-header is believed from, beside this machine. May be repeated.",
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="How many processes answer."
)
@click.option(
    "--propose",
    is_flag=True,
    help="A transition that the policy refuses becomes a proposal; see gitreg promote.",
)
@at_option
def command(
    host: str,
    port: int,
    write: bool,
    allowed_hosts: tuple[str, ...],
    allowed_origins: tuple[str, ...],
    user_header: str,
    trusted_proxies: tuple[str, ...],
    workers: int,
    propose: bool,
    at: str | None,
) -> None:
    """Answer MLflow's registry REST API, so that MLflow's clients need nothing of gitreg's.

    Only this machine can reach it unless --host says otherwise; then it is read-only unless --write is
    given. Passwords are not checked: put a proxy that does in front of it.
    """
    if not all(map(find_spec, _NEEDED)):
        raise EnvironmentFailure(
            "the packages that serve over HTTP are not installed", hint="pip install 'gitreg-models[web]'"
        )
    from gitreg.web.server import bind, listening_on, serve
    from gitreg.web.settings import Settings, network

    context = click.get_current_context()
    place = chosen_place(context)
    with open_store(context) as store:
        name = view_at(store, at).settings.name
    settings = Settings(
        place=place,
        at=at,
        propose=propose,
        host=host,
        write=write,
        allowed_hosts=allowed_hosts,
        allowed_origins=allowed_origins,
        user_header=user_header,
        trusted_proxies=tuple(map(network, trusted_proxies)),
    )
    with bind(host, port) as listening:
        settings = listening_on(settings, listening)
        _tell(settings, name)
        serve(settings, listening, workers=workers)


def _tell(settings: Settings, name: str) -> None:
    """Say where the server is and what a client needs; a program that started it waits for this."""
    from gitreg.web.settings import address

    where = address(settings)
    line(f"Serving {name or settings.place.name} on {where}" + ("" if settings.writable else ", read-only"))
    line("MLflow's client needs these two lines:")
    line("  import mlflow")
    line(f'  mlflow.set_registry_uri("{where}")')
    if not settings.loopback:
        note(
            "others than this machine reach it, and passwords are not checked: put a proxy that does in front"
        )
    sys.stdout.flush()
