"""What the bytes of a site depend on beside the commit that it shows."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from gitreg import __version__
from gitreg.web import assets

if TYPE_CHECKING:
    from gitreg.web.site.making import Site

_MAKERS = ("jinja2", "markdown-it-py", "markupsafe")


def stamp(site: Site) -> dict[str, Any]:
    """Versions, templates, options, and where models lie that could not lie beside each other."""
    return {
        "gitreg": __version__,
        "by": {name: version(name) for name in _MAKERS},
        "assets": assets.stamp(),
        "choice": asdict(site.choice) | {"models": list(site.choice.models)},
        "commits": site.detailed,
        "root": site.part.index.oid_of(1),
        "twins": site.places.twins,
    }
