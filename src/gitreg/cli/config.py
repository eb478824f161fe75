"""``gitreg config``: the settings of the registry, and where they come from."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from gitreg.cli.options import at_option, current_registry, current_store
from gitreg.cli.output import document, line, note, table, warning
from gitreg.cli.reading import view_at
from gitreg.cli.writing import How, writes
from gitreg.errors import UsageError

if TYPE_CHECKING:
    from gitreg.registry.configure import Wish
    from gitreg.registry.registry import Registry
    from gitreg.registry.store import Store
    from gitreg.registry.view import View


@click.command("config")
@click.argument("key", required=False)
@click.argument("value", required=False)
@at_option
@writes
def command(key: str | None, value: str | None, at: str | None, how: How) -> None:
    """Show all settings, one (KEY), or set one (KEY VALUE) in a commit of its own.

    Stages are set as a list in order: Staging,Production!,Archived. With ! one version of a model
    holds the stage at a time.
    """
    if key is not None and value is not None:
        if at is not None:
            raise UsageError("the past can't be changed", where="--at")
        registry = current_registry()
        _set(registry, _wish(registry.store, key, value, how.message), how)
        return
    store = current_store()
    if key is not None:
        from gitreg.registry.configure import value_of

        found = value_of(view_at(store, at).settings, key)
        if how.as_json:
            document({key: found})
        else:
            line(found)
    else:
        _show(view_at(store, at), as_json=how.as_json)


def _show(view: View, *, as_json: bool) -> None:
    from gitreg.manifest.encode import encode_settings
    from gitreg.registry.configure import keys, value_of

    if as_json:
        document(encode_settings(view.settings))
        return
    written = _written(view)
    rows = [(key, value_of(view.settings, key), written.get(key, "default")) for key in keys()]
    table(("key", "value", "from"), rows)


def _written(view: View) -> dict[str, str]:
    """Key → ``gitreg.yaml:LINE``, for the settings that stand there."""
    from gitreg.manifest.layout import SETTINGS_FILE
    from gitreg.manifest.yaml import parse
    from gitreg.registry.configure import keys

    entry = view.states.reader.entry(view.states.root, SETTINGS_FILE)
    assert entry is not None  # the settings were read from it
    read = parse(view.states.reader.blob(entry.oid), SETTINGS_FILE)
    found = {}
    for key in keys():
        path = key.split(".")
        here = read.data
        for step in path:
            here = here.get(step) if isinstance(here, dict) else None
        if here is not None:
            found[key] = f"{SETTINGS_FILE}:{read.key_finding('', '', path).line}"
    return found


def _wish(store: Store, key: str, value: str, message: str) -> Wish:
    from gitreg.registry.clock import utc_now
    from gitreg.registry.configure import Wish

    author, committer = (store.repository.identity(os.environ, role) for role in ("author", "committer"))
    return Wish(key=key, value=value, author=author, committer=committer, when=utc_now(), reason=message)


def _set(registry: Registry, wish: Wish, how: How) -> None:
    from gitreg.cli import proposing
    from gitreg.cli.writing import diff_lines
    from gitreg.registry import configure
    from gitreg.render.values import change_document

    receipt = configure.preview(registry.store, wish) if how.dry_run else registry.configure(wish)
    if how.as_json:
        changes = [change_document(change) for change in receipt.changes]
        told = {"commit": receipt.commit, "branch": receipt.branch, "changes": changes}
        document({**told, "dry_run": how.dry_run, **proposing.document(registry)})
        return
    for text in registry.warnings:
        warning(text)
    if not receipt.changes:
        line(f"nothing to change: {wish.key} is {wish.value} already")
    elif how.dry_run:
        for file in receipt.files:
            for row in diff_lines(file):
                line(row)
        note("dry run: nothing was written")
    elif how.propose:
        for text in proposing.told(registry)(receipt):
            line(text)
    else:
        line(f"Set {wish.key} to {wish.value} (commit {(receipt.commit or '')[:10]})")
