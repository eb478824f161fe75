"""``gitreg site``: the registry as files that any web server or browser can show."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import at_option, json_option
from gitreg.cli.output import document, hint, line
from gitreg.cli.reading import current_slice, tell_shallow
from gitreg.errors import EnvironmentFailure, InvalidInput

if TYPE_CHECKING:
    from gitreg.web.site.build import Built

_NEEDED = ("jinja2", "markdown_it")


@click.command("site")
@click.argument("out", metavar="OUT", type=click.Path(path_type=Path))
@click.option(
    "--title", metavar="TEXT", default="", help="What it is called.  [default: the registry's name]"
)
@click.option(
    "--base-url", metavar="URL", default="", help="Where it will be; for whole addresses in the feed."
)
@click.option(
    "--models",
    metavar="PATTERN",
    multiple=True,
    help="Only models with such names (fraud-*); may be given several times.",
)
@click.option(
    "--jobs", metavar="N", type=click.IntRange(1, 256), help="How many processes.  [default: one a processor]"
)
@click.option("--full", is_flag=True, help="Make everything anew, not only what changed since the last run.")
@click.option("--force", is_flag=True, help="Write between what else is in OUT; files of the same name go.")
@at_option
@json_option
def command(
    out: Path,
    title: str,
    base_url: str,
    models: tuple[str, ...],
    jobs: int | None,
    full: bool,
    force: bool,
    at: str | None,
    as_json: bool,
) -> None:
    """Write the registry into the folder OUT: pages that work from disk and from any web server, and JSON.

    The next run makes only what has changed since, with the same outcome as if all were made.
    """
    if not all(map(find_spec, _NEEDED)):
        raise EnvironmentFailure(
            "the packages that make pages are not installed", hint="pip install 'gitreg-models[web]'"
        )
    from gitreg.cli.progress import Progress
    from gitreg.registry.registry import Registry
    from gitreg.web.site.build import Wish, build
    from gitreg.web.site.making import Choice

    store, part = current_slice(at)
    wish = Wish(
        out=out,
        commit=part.commit,
        choice=Choice(title=title, base_url=_address(base_url), models=models),
        jobs=jobs or _processors(),
        anew=full,
        forced=force,
    )
    with Progress() as progress:
        built = build(Registry(store), wish, lambda done, total: progress.bar("pages", done, total))
    if as_json:
        document(_document(built))
    else:
        _tell(built)
    tell_shallow(part)


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _address(text: str) -> str:
    """``text`` with a slash at its end, if it is the address of a site."""
    if not text:
        return ""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise InvalidInput(
            f"{text!r} is no address of a site",
            where="--base-url",
            hint="https://models.example.com/registry/",
        )
    return text.rstrip("/") + "/"


def _tell(built: Built) -> None:
    since = f"since {built.since[:10]} " if built.since else ""
    line(
        f"{built.out}: {built.files:,} files of commit {built.commit[:10]}; "
        f"{since}{built.wrote:,} written, {built.removed:,} removed"
    )
    hint(f"look at it: {built.out / 'index.html'}")


def _document(built: Built) -> dict[str, object]:
    return {
        "out": str(built.out),
        "commit": built.commit,
        "since": built.since,
        "models": built.models,
        "remade": built.remade,
        "files": built.files,
        "written": built.wrote,
        "removed": built.removed,
    }
