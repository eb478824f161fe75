"""What is laid before the rules: each version that enters a stage, and the material around it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache, cached_property, partial

from gitreg.domain.approval import Approval, PolicyApproval
from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelState, ModelVersion, RegisteredModel, Versions
from gitreg.domain.settings import Settings, Stage
from gitreg.errors import GitregError, InvalidInput, InvalidManifests, NotAllowed
from gitreg.gitstore.log import authors, history
from gitreg.gitstore.signatures import split_commit
from gitreg.gitstore.trees import FILE, FOLDER
from gitreg.manifest.layout import SETTINGS_FILE, Layout, approvals_dir, policy_approvals_dir
from gitreg.policy.context import (
    ApprovalFile,
    Authors,
    CommitSignature,
    Entering,
    Material,
    PolicyChange,
)
from gitreg.policy.digests import policy_digest
from gitreg.registry.approvals import proposed_by
from gitreg.registry.past import writers
from gitreg.registry.precedent import Course, Precedent, Sides
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.setting import Setting, in_future
from gitreg.registry.states import States
from gitreg.signing.commits import who_signed
from gitreg.signing.statement import decode, split_file

_FEW = 3  # folders of approvals that are looked for by their names


class Docket:
    """The cases of one step.

    Args:
        at: Where it happens.
        course: What came before it; counted on by ``done``.
        layout: Of the registry after the step.
        changes: What it changes.

    Attributes:
        unread: What is wrong with manifests that rules would have been asked about.
    """

    def __init__(self, at: Setting, course: Course, layout: Layout, changes: Sequence[Change]) -> None:
        self.at = at
        self.course = course
        self.layout = layout
        self.changes = changes
        self.unread: list[Finding] = []
        self._places: dict[tuple[str, int, str], int] = {}
        self._touched: dict[str, set[int]] = {}
        for touched in at.commit.changes:
            place = layout.parse(touched.path.removeprefix(at.store.prefix))
            if place is not None and place.kind == "version":
                self._touched.setdefault(place.name, set()).add(place.version)
        for name, numbers in self._touched.items():
            course.touched.setdefault(name, set()).update(numbers)

    def entering(self, settings: Settings) -> Iterator[Entering]:
        """The versions that enter stages, in history's order, with the rules of ``settings`` for them."""
        here: Counter[tuple[str, str]] = Counter()
        for change in self._entries(settings):
            stage = _stage(settings, change.stage or "")
            key = (change.model, stage.name)
            here[key] += 1
            at = self.course.given[key] + here[key]  # now: what comes later counts on
            try:
                found = self._case(change, stage, at)
            except InvalidManifests as error:  # of this model alone: the rules are asked about the others
                self.unread += error.findings
                continue
            if found is not None:
                yield found

    def _case(self, change: Change, stage: Stage, at: int) -> Entering | None:
        """One version that enters one stage; None where it is not there afterwards."""
        before, after = (self._state(side, change.model) for side in (self._before, self._after))
        version = after.live(change.version or 0)
        if version is None:
            return None
        self._places[change.model, version.version, stage.name] = at
        incumbent = _incumbent(before, stage.name, version.version)
        place, precedent = (change.model, stage.name, version.version), self._precedent
        return Entering(
            change=change,
            version=version,
            stage=stage,
            number=partial(self._number, (change.model, stage.name), at),
            before=before,
            after=after,
            incumbent=incumbent,
            entered=cache(partial(precedent.entered, *place)),
            predecessor=cache(partial(precedent.predecessor, *place, incumbent)),
            returning=cache(partial(precedent.returning, *place)),
        )

    @cached_property
    def _precedent(self) -> Precedent:
        return Precedent(
            self.at.store,
            self.at.before,
            self.course,
            None if self.at.unmade and self.at.before != self.course.past.commit else self._sides,
        )

    def _sides(self, name: str) -> Sides:
        settings = self.at.seen.view(self.at.before).settings
        return Sides(
            before=self._state(self._before, name),
            after=self._state(self._after, name),
            settings=settings,
            gains=tuple(
                (change.version or 0, _stage(settings, change.stage or "").name)
                for change in self._entries(settings)
                if change.model == name
            ),
            touched=frozenset(self._touched.get(name, ())),
        )

    def _entries(self, settings: Settings) -> Iterator[Change]:
        for change in self.changes:
            gains = change.event in ("transition", "assign") and change.stage not in (None, *change.origin)
            if gains and change.version is not None:
                yield change
            elif (change.event, change.version) == ("restore", None):
                yield from self._returning(change.model, settings)

    def _returning(self, name: str, settings: Settings) -> Iterator[Change]:
        """A model that comes back brings its versions' stages along: they are entered once more."""
        after = self._state(self._after, name)
        for stage in settings.stages:
            for version in after.holders(stage.name) if stage.guarded else ():
                yield Change(event="assign", model=name, version=version.version, stage=stage.name)

    def _state(self, side: States, name: str) -> ModelState:
        """A model's state that knows who may hold a stage without reading every manifest of it."""
        state = side.state(name)
        own = state.versions

        def mentions(stage: str) -> Iterable[int]:
            known = self.course.past.holders(name, stage)
            if known is None:
                return own.mentioning(stage)
            return (known | self.course.touched.get(name, set())) & own.keys()

        return replace(state, versions=Versions(own, own.__getitem__, mentions))

    def _number(self, key: tuple[str, str], since: int) -> int:
        return self.course.past.given(*key) + since

    @cached_property
    def _before(self) -> States:
        return self.at.seen.view(self.at.before).states

    @cached_property
    def _after(self) -> States:
        return self.at.seen.view(self.at.commit.oid).states

    def material(self, rules: RuleBook, files: Iterable[ApprovalFile] = ()) -> Material:
        """What the rules read besides a change.

        Args:
            rules: Those of BASE.
            files: The approvals that the change has.
        """
        now = self._now(files)
        return Material(
            root=self.course.past.root,
            now=now,
            gate=rules.gate,
            codeowners=rules.codeowners,
            signers=lambda: rules.signers,
            card=self._has_card,
            approvals=self.approvals,
            authors=self._authors,
            signatures=lambda: list(self._signatures(rules, now)),
            path=self._path,
            prefix=self.at.store.prefix,
            asks_approvals=partial(_asks_approvals, rules.settings),
        )

    def _now(self, files: Iterable[ApprovalFile]) -> datetime:
        """The time of the judgement: the push's; afterwards that of the commit, or of the last approval.

        Where a branch is rebased or fast-forwarded the approvals come after the commit that they are for.
        """
        if self.at.now is not None:
            return self.at.now
        own = self.at.commit.commit_time
        if self.at.approved == self.at.commit.oid:
            return own
        end = self.at.seen.reader.commit(self.at.approved).committer.when
        signed = [each.at for file in files if (each := _approval(file.data)) is not None]
        return max([own, *(at for at in signed if not in_future(at, end))])

    def approvals(self, name: str, version: int, stage: str, numbers: range) -> list[ApprovalFile]:
        """The approval files for assignments of a stage of some numbers."""
        if len(numbers) <= _FEW:
            return [
                file
                for number in numbers
                for file in self._files(approvals_dir(name, version, stage, number))
            ]
        reader = self.at.seen.reader
        folder = approvals_dir(name, version, stage, 1).rpartition("/")[0]
        entry = reader.entry(reader.commit(self.at.approved).tree, self.at.store.prefix + folder)
        names = reader.tree(entry.oid) if entry is not None and entry.mode == FOLDER else ()
        given = sorted(int(each) for each in names if each.isascii() and each.isdigit() and len(each) < 10)
        return [
            file
            for number in given
            if number in numbers
            for file in self._files(approvals_dir(name, version, stage, number))
        ]

    def rules_changed(self, rules: RuleBook) -> PolicyChange | None:
        """The change of the rules that the step makes, None where it makes none; ``rules`` judge it."""
        old, new = (RuleBook(self.at.seen, oid) for oid in (self.at.before, self.at.commit.oid))
        if old.mark == new.mark:
            return None
        before, after = (each.files(codeowners=rules.goes_by_codeowners) for each in (old, new))
        if before == after:
            return None
        paths = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
        if paths == [SETTINGS_FILE] and _same_settings(old, new):
            return None
        digest = policy_digest(after)
        return PolicyChange(
            before=policy_digest(before),
            after=digest,
            paths=tuple(paths),
            rules=rules.settings,
            approvals=tuple(self._files(policy_approvals_dir(digest))),
            authors=self.writers(paths),
        )

    def _files(self, folder: str) -> list[ApprovalFile]:
        reader = self.at.seen.reader
        found = reader.entry(reader.commit(self.at.approved).tree, self.at.store.prefix + folder)
        if found is None or found.mode != FOLDER:
            return []
        return [
            ApprovalFile(path=f"{folder}/{leaf}", data=reader.blob(entry.oid))
            for leaf, entry in reader.tree(found.oid).items()
            if entry.mode == FILE
        ]

    def _has_card(self, name: str) -> bool:
        reader = self.at.seen.reader
        tree = reader.commit(self.at.commit.oid).tree
        found = reader.entry(tree, self.at.store.prefix + self.layout.card(name))
        return found is not None and found.mode == FILE

    def _path(self, name: str, version: int | None) -> str:
        return self.layout.model_file(name) if version is None else self.layout.version_file(name, version)

    def _authors(self, name: str, version: int) -> Authors:
        promotion = self.writers([self._path(name, version)])
        key = (name, version)
        registrars = self.course.registered.get(key)
        if registrars is None and any(
            (one.event, one.model, one.version) == ("register", *key) for one in self.changes
        ):
            registrars = promotion
        return Authors(
            version=self.course.past.registrars(name, version) if registrars is None else registrars,
            promotion=promotion | self._told(name, version),
        )

    def _told(self, name: str, version: int) -> frozenset[str]:
        """Those whom approvals name as the ones who proposed it: a squash keeps no other trace of them."""
        return frozenset(
            person
            for (model, number, stage), at in self._places.items()
            if (model, number) == (name, version)
            for file in self.approvals(
                name,
                version,
                stage,
                range(self._precedent.entered(name, stage, version) + 1, self._number((name, stage), at) + 1),
            )
            for person in proposed_by(file.data)
        )

    def writers(self, paths: Sequence[str]) -> frozenset[str]:
        """The e-mail addresses of those who made the change of some files, paths from the registry's root."""
        placed = [self.at.store.prefix + path for path in paths]
        if not self.at.proposed:
            return writers(self.at.store, self.at.commit, placed)
        repository = self.at.store.repository
        return frozenset(authors(repository, head=self.at.proposed, after=[self.at.before], paths=placed))

    def _signatures(self, rules: RuleBook, now: datetime) -> Iterator[CommitSignature]:
        if self.at.coming is not None:
            yield self.at.coming(rules, now)
            return
        if not self.at.proposed:
            found = self._signature(self.at.commit.oid, rules, now)
            yield replace(found, commit="") if self.at.unmade else found
            return
        store = self.at.store
        for commit in history(store.repository, head=self.at.proposed, after=self.at.before):
            if len(commit.parents) < 2:
                yield self._signature(commit.oid, rules, now)

    def _signature(self, oid: str, rules: RuleBook, now: datetime) -> CommitSignature:
        """What the signature of a commit is worth by the keys of some rules."""
        reader = self.at.seen.reader
        author = reader.commit(oid).author.person.email
        _, raw = reader.object(oid)
        payload, armor = split_commit(raw, algorithm=self.at.store.repository.algorithm)
        if armor is None:
            return CommitSignature(commit=oid, author=author, fault="it is not signed")
        try:
            found = who_signed(
                payload,
                armor,
                signers=rules.signers,
                pgp_keys=rules.pgp_keys,
                merge_keys=rules.merge_keys,
                when=now,
            )
        except NotAllowed as error:
            return CommitSignature(commit=oid, author=author, fault=error.message)
        principals = tuple(sorted(found.person.principals)) if found.person else ()
        return CommitSignature(commit=oid, author=author, signer=principals, merge=found.person is None)

    def done(self) -> None:
        """Count what the step did for those that come after it."""
        moved: list[tuple[str, str, int]] = []
        for change in self.changes:
            if change.version is None:
                continue
            key = (change.model, change.version)
            if change.event == "register":
                self.course.registered[key] = self.writers([self._path(*key)])
            if change.event in ("transition", "assign") and change.stage not in (None, *change.origin):
                self.course.given[change.model, change.stage or ""] += 1
                moved.append((change.model, change.stage or "", change.version))
        for model, stage, version in moved:  # in which order they come within a commit is nobody's business
            self.course.entered[model, stage, version] = self.course.given[model, stage]


def _same_settings(old: RuleBook, new: RuleBook) -> bool:
    """Whether two texts of ``gitreg.yaml`` say the same: to reformat it changes no rule."""
    try:
        return old.settings == new.settings
    except GitregError:  # what can't be read might say anything
        return False


def _asks_approvals(settings: Settings, stage: str) -> bool:
    return settings.has_stage(stage) and settings.stage(stage).approvals is not None


def _stage(settings: Settings, name: str) -> Stage:
    """The rules for a stage; none for one that these settings don't know."""
    return settings.stage(name) if settings.has_stage(name) else Stage(name=name)


def _incumbent(before: ModelState, stage: str, number: int) -> ModelVersion | None:
    if not isinstance(before.model, RegisteredModel):
        return None
    return next((each for each in before.holders(stage) if each.version != number), None)


def _approval(data: bytes) -> Approval | PolicyApproval | None:
    try:
        return decode(split_file(data)[0])
    except InvalidInput:
        return None
