"""Judges every ref of a push by the same rules, on the laptop before it leaves and on the server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from gitreg.domain.findings import Finding
from gitreg.domain.settings import Settings
from gitreg.errors import InvalidInput, InvalidManifests
from gitreg.githooks.drafts import judge_draft
from gitreg.githooks.own import settings_at
from gitreg.githooks.tags import TagJudge, model_of
from gitreg.githooks.updates import BRANCHES, FOR, PROPOSALS, TAGS, Update
from gitreg.registry.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One ref that may not move so.

    Attributes:
        ref: Its full name.
        findings: What is wrong with files, commits and tags.
        reason: What is wrong with the ref itself, where nothing else is.
        mend: What to do about the reason.
        asks: Commands that propose what can't be pushed directly.
    """

    ref: str
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    mend: str = ""
    asks: tuple[str, ...] = ()


class Referee:
    """Judges the updates of one push.

    Args:
        store: The repository that holds both ends of every update.
        branch: Full name of the registry's own branch on the receiving side.
        old: Its head there before the push; None where there is none yet.
        updates: All of the push.
        now: Time of the push; None: the commits' own times.
    """

    def __init__(
        self,
        store: Store,
        *,
        branch: str,
        old: str | None,
        updates: Sequence[Update],
        now: datetime | None = None,
    ) -> None:
        self.store = store
        self.branch = branch
        self.old = old
        self.updates = updates
        self.now = now

    def refusals(self) -> list[Refusal]:
        """What may not be; empty where everything may. All refs are judged, whatever the first gave."""
        found = []
        for update in self.updates:
            refusal = self._judged(update)
            if refusal is not None:
                found.append(refusal)
        return found

    def _judged(self, update: Update) -> Refusal | None:
        try:
            if self._is_own(update.ref):
                return self._own(update)
            if update.ref.startswith(TAGS):
                return _of_findings(update, self._tag(update))
            return self._other(update)
        except InvalidManifests as error:
            return _of_findings(update, error.findings)
        except InvalidInput as error:
            return Refusal(ref=update.ref, reason=error.message, mend=error.hint)

    def _is_own(self, ref: str) -> bool:
        # A symbolic ref is another name of the branch: a push to it moves the branch itself.
        return (self.store.repository.refs.symbolic(ref) or ref) == self.branch

    def _tag(self, update: Update) -> tuple[Finding, ...]:
        if self._settings is None or model_of(update.ref, self._settings) is None:
            return ()
        found = self._tags.judge(update)
        return (found,) if found else ()

    def _other(self, update: Update) -> Refusal | None:
        if update.ref.startswith(PROPOSALS):
            mend = f"push to {FOR}{self._short}; to take one back: gitreg withdraw"
            return Refusal(ref=update.ref, reason="the server alone writes here", mend=mend)
        if update.new is None or not update.ref.startswith((BRANCHES, FOR)):
            return None
        if update.ref.startswith(FOR) and update.ref.removeprefix(FOR) != self._short:
            mend = f"git push origin HEAD:{FOR}{self._short}"
            return Refusal(ref=update.ref, reason=f"the registry's branch is {self._short}", mend=mend)
        return _of_findings(update, judge_draft(self.store, main=self.old, head=update.new))

    @property
    def _short(self) -> str:
        return self.branch.removeprefix(BRANCHES)

    def _own(self, update: Update) -> Refusal | None:
        if update.new is None:
            message = "the registry's branch would be removed"
            mend = "another branch can be made the registry's: gitreg config branch NAME"
            finding = Finding(code="GR301", message=message, path=update.ref, help=mend)
            return Refusal(ref=update.ref, findings=(finding,))
        from gitreg.registry.judging import judge

        base, findings = self._base(update.old, update.new)
        verdict = judge(self.store, base, update.new, now=self.now)
        refusal = _of_findings(update, (*findings, *verdict.findings))
        if refusal is None:
            return None
        asks = {
            f"gitreg promote {judged.entering.version.name}/{judged.entering.version.version} "
            f"{judged.entering.stage.name}": None
            for step in verdict.steps
            for judged in step.judged
            if any(each.rule == "approvals" and not each.passed for each in judged.judgements)
        }
        return replace(refusal, asks=tuple(asks))

    def _base(self, old: str | None, new: str) -> tuple[str, tuple[Finding, ...]]:
        """From where on the branch is judged, and what is wrong with that state, where it is new, too."""
        if old is not None and self._registry_in(old):
            return old, ()
        from gitreg.registry.check import check
        from gitreg.registry.content import in_commit
        from gitreg.registry.root import root_of

        root = root_of(self.store, new)
        return root, check(in_commit(self.store, root), None).findings

    def _registry_in(self, commit: str) -> bool:
        return settings_at(self.store, commit) is not None

    @cached_property
    def _head(self) -> str | None:
        """Head of the registry's branch after the push."""
        return next((each.new for each in self.updates if self._is_own(each.ref)), self.old)

    @cached_property
    def _settings(self) -> Settings | None:
        return settings_at(self.store, self._head) if self._head else None

    @cached_property
    def _tags(self) -> TagJudge:
        assert self._settings is not None
        made = TagJudge(self.store, self._head, self._settings)
        found = {model_of(each.ref, self._settings) for each in self.updates}
        made.look_up({model for model in found if model is not None})
        return made


def _of_findings(update: Update, findings: Iterable[Finding]) -> Refusal | None:
    errors = tuple(dict.fromkeys(each for each in findings if each.severity == "error"))
    return Refusal(ref=update.ref, findings=errors) if errors else None
