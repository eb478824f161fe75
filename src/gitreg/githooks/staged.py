"""``pre-commit``: what the next commit would hold, against what it follows on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from gitreg.domain.findings import Finding
from gitreg.errors import InvalidInput
from gitreg.gitstore.inherited import index_of_commit
from gitreg.gitstore.roots import registries, work_tree_of
from gitreg.manifest import codec
from gitreg.manifest.layout import SETTINGS_FILE, Layout
from gitreg.registry.check import check
from gitreg.registry.content import Content, in_commit, in_index
from gitreg.registry.store import Store
from gitreg.render.findings import summary, text


def pre_commit(*, at: Path, env: Mapping[str, str]) -> int:
    """Check the models that the next commit touches.

    Returns:
        0; 1: findings; 6: the registry would contradict itself.
    """
    return _check(at, env, touched_alone=True)


def check_all(*, at: Path, env: Mapping[str, str]) -> int:
    """Check every registry of the work tree as the next commit would hold it; as ``pre_commit``."""
    return _check(at, env, touched_alone=False)


def _check(at: Path, env: Mapping[str, str], *, touched_alone: bool) -> int:
    findings: list[Finding] = []
    files = 0
    for store, content, base in staged(at, env):
        chosen = _of_touched_models(content, base) if touched_alone else _all
        report = check(content, base, chosen=chosen)
        files += report.files
        findings += (_from_the_root(each, store.prefix) for each in report.findings)
    if not findings:
        return 0
    from gitreg.registry.verdict import exit_code

    sys.stdout.write(text(findings))
    sys.stdout.flush()
    sys.stderr.write(f"gitreg: {summary(findings, files)}\n")
    return exit_code(tuple(findings))


def _from_the_root(found: Finding, prefix: str) -> Finding:
    """A finding with the paths of the repository, from whose root Git runs the hook."""
    path = prefix + found.path
    return replace(found, path=path, help=found.help.replace(found.path, path) if found.path else found.help)


def staged(at: Path, env: Mapping[str, str]) -> Iterator[tuple[Store, Content, Content | None]]:
    """Each registry of the work tree at ``at``: the next commit's content, and HEAD's."""
    place = work_tree_of(at)
    with index_of_commit(place, env):
        for repository in registries(place):
            with Store(repository) as store:
                head = repository.head().oid
                yield store, in_index(store), in_commit(store, head, name="HEAD") if head else None


def _all(path: str) -> bool:
    return True


def _of_touched_models(content: Content, base: Content | None) -> Callable[[str], bool]:
    """Whether a path belongs to a model that differs; rules about several files need all of its files."""
    if base is None or content.oids.get(SETTINGS_FILE) != base.oids.get(SETTINGS_FILE):
        return _all
    layout = _layout(content)
    changed = {
        path
        for path in {*content.modes, *base.modes, *content.unmerged}
        if (content.modes.get(path), content.oids.get(path)) != (base.modes.get(path), base.oids.get(path))
    }
    places = {path: layout.parse(path) for path in changed}
    names = {place.name for place in places.values() if place and place.name}
    folders = tuple(f"{layout.model_dir(name)}/" for name in names)
    return lambda path: path in changed or path.startswith(folders)


def _layout(content: Content) -> Layout:
    data = content.one(SETTINGS_FILE)
    try:
        return Layout(codec.decode_settings(data).layout) if data is not None else Layout()
    except InvalidInput:
        return Layout()
