"""``gitreg delete``."""

from __future__ import annotations

import click

from gitreg.cli.options import URI, current_registry, yes_option
from gitreg.cli.writing import How, Target, confirm, target_of, warn_of_empty, write, writes
from gitreg.domain.references import version_selector
from gitreg.domain.requests import DeleteModel, DeleteVersion
from gitreg.registry.documents import registered_aliases
from gitreg.registry.view import View
from gitreg.render.text import plural


@click.command("delete")
@click.argument("uri", metavar="NAME[/VERSION]", type=URI)
@click.option("--reason", metavar="TEXT", default="", help="Why; it stands in what is left of the manifest.")
@yes_option
@writes
def command(uri: str, reason: str, yes: bool, how: How) -> None:
    """Delete a version, or a model with all its versions.

    The deletion is a commit: gitreg restore brings back what it took, and numbers are never used again.
    """
    registry = current_registry()
    target = target_of(registry, uri)
    if target.version is not None:
        version = registry.at().version(str(target))
        warn_of_empty(registry, version, version.stages)
    if not how.dry_run:
        confirm(f"delete {_what_goes(registry.at(), target)}", yes=yes)
    request: DeleteModel | DeleteVersion
    if target.version is None:
        request = DeleteModel(name=target.name, reason=reason)
    else:
        selector = version_selector(target.version)
        request = DeleteVersion(name=target.name, selector=selector, reason=reason)
    write(registry, [request], target, how, unchanged=f"{target} is deleted already")


def _what_goes(view: View, target: Target) -> str:
    """``churn/3 (in Production; alias champion)``, or the same for a whole model."""
    state = view.state(target.name)
    if target.version is None:
        living = list(state.newest_first())
        model = view.model(target.name)
        held = [f"{stage}: {v.version}" for v in reversed(living) for stage in v.stages]
        parts = [plural(len(living), "version"), *held, *(f"alias {name}" for name in sorted(model.aliases))]
        return f"the model {target} ({'; '.join(parts)})"
    version = view.version(str(target))
    parts = [f"in {', '.join(version.stages)}"] if version.stages else []
    parts += [f"alias {alias}" for alias in sorted(registered_aliases(state.model, version.version))]
    return f"{target}{' (' + '; '.join(parts) + ')' if parts else ''}"
