"""What the rules would say of a promotion that nobody has proposed yet."""

from __future__ import annotations

from datetime import datetime

from gitreg.domain.compare import compare_edit
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Transition
from gitreg.gitstore.objects import Person
from gitreg.registry import files
from gitreg.registry.guarding import judged_of, thought
from gitreg.registry.signature_to_come import signature_to_come
from gitreg.registry.store import Store
from gitreg.registry.verdict import Judged
from gitreg.registry.write import draft_of


def try_promotion(
    store: Store,
    uri: str,
    stage: str,
    *,
    now: datetime,
    commit: str | None = None,
    author: Person | None = None,
) -> Judged | None:
    """What every rule says of a version that would enter a stage now; None where it holds it already.

    Args:
        store: The registry.
        uri: The version, such as ``churn/12``.
        stage: The stage.
        now: When.
        commit: Full hex id of the commit whose registry is meant; None: the head.
        author: Who would do it; None: whoever made that commit.

    Raises:
        NotFound, InvalidInput: There is no such version or stage.
    """
    view = store.view(commit or store.head())
    version = view.version(uri)
    name = view.settings.stage(stage).name
    request = Transition(name=version.name, selector=version_selector(version.version), stage=name)
    edit = draft_of([request], view, now).edit
    if not compare_edit(edit):
        return None
    rendered = files.render(edit, view.states, lambda commit: store.view(commit).states)
    author = author or store.reader.commit(view.commit).author.person
    reader, made = thought(store, view.commit, rendered, author, now)
    judged = judged_of(store, reader, made, base=view.commit, coming=signature_to_come(store, author))
    return next(
        each
        for each in judged
        if each.entering.stage.name == name and each.entering.version.version == version.version
    )
