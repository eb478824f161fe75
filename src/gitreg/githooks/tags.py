"""Registry tags in a push: only what the first-parent history makes may come, stay and go."""

from __future__ import annotations

from collections.abc import Collection

from gitreg.domain.findings import Finding
from gitreg.domain.settings import Settings
from gitreg.githooks.updates import TAGS, Update
from gitreg.registry.expected import Wanted, fault_of, no_event, parse_tag
from gitreg.registry.model_tags import ModelTags
from gitreg.registry.store import Store


def model_of(ref: str, settings: Settings) -> str | None:
    """The model whose tag a ref would be; None for a name that no registry tag has."""
    found = parse_tag(ref.removeprefix(TAGS), settings.tags) if ref.startswith(TAGS) else None
    return found.model if found else None


class TagJudge:
    """Judges tags by the registry's branch as it will be after the push.

    Args:
        store: The registry.
        head: Head of the branch; None where there is none.
        settings: Of that commit.
    """

    def __init__(self, store: Store, head: str | None, settings: Settings) -> None:
        self.store = store
        self.settings = settings
        self._made = ModelTags(store, head, settings.tags)

    def look_up(self, models: Collection[str]) -> None:
        """Read the history of many models in one walk; one or a few are read when they are asked for."""
        self._made.look_up(models)

    def judge(self, update: Update) -> Finding | None:
        """What is wrong with one update of a tag; None for right ones, and for tags of other people."""
        model = model_of(update.ref, self.settings)
        if model is None:
            return None
        name = update.ref.removeprefix(TAGS)
        wanted = self._made.of(model).get(name)
        if update.new is None:
            return self._removed(name, update, wanted)
        return fault_of(self.store, wanted, update.new) if wanted else no_event(name)

    def _removed(self, name: str, update: Update, wanted: Wanted | None) -> Finding | None:
        if update.old is None or wanted is None or fault_of(self.store, wanted, update.old):
            return None  # what the history does not make may be cleared away
        mend = "registry tags stay: they say what was released and when"
        return Finding(code="GR304", message=f"the tag {name} would be removed", path=name, help=mend)
