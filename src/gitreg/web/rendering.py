"""Templates → HTML. What the registry holds is text here: escaped, and with nothing hidden in it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gitreg import __version__
from gitreg.render import svg
from gitreg.render.scale import stage_colours
from gitreg.render.text import number, plural, safe, size
from gitreg.web.prose import line, prose

# Whatever the locale says.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def environment() -> Environment:
    """The templates, compiled once."""
    made = Environment(
        loader=PackageLoader("gitreg.web"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        auto_reload=False,
        finalize=_shown,
    )
    made.filters |= {
        "prose": prose,
        "line": line,
        "number": number,
        "size": size,
        "plural": plural,
        "time": time,
        "short": lambda oid: oid[:10],
        "picture": picture,
    }
    made.globals |= {"gitreg_version": __version__, "colour_of": colour_of}
    return made


def render(template: str, **values: Any) -> str:
    """A template with these values."""
    return environment().get_template(template).render(**values)


def _shown(value: Any) -> Any:
    """What a template prints: control and invisible characters as escapes; line ends stay."""
    if type(value) is not str or (value.isascii() and value.isprintable()):
        return value
    return "\n".join(map(safe, value.split("\n")))


def time(when: datetime) -> Markup:
    """A moment, in UTC: pages are the same for everybody; the script tells how long ago that is."""
    utc = when.astimezone(UTC)
    said = f"{utc.day} {_MONTHS[utc.month - 1]} {utc:%Y, %H:%M} UTC"
    return Markup(f'<time datetime="{utc:%Y-%m-%dT%H:%M:%SZ}">{said}</time>')


def picture(drawn: str) -> Markup:
    """A picture of ``render`` set into a page, whose style sheet has its style."""
    return Markup(svg.inlined(drawn))


def colour_of(stage: str, stages: Sequence[str]) -> int:
    """Which colour a stage has on every page and picture: ``--c0`` to ``--c7``."""
    return stage_colours(stages if stage in stages else (*stages, stage))[stage]
