"""The rules in words, and what they would say of a version that entered a stage."""

from __future__ import annotations

from dataclasses import dataclass

from gitreg.domain.settings import Stage
from gitreg.errors import GitregError, InvalidInput, NotFound
from gitreg.policy.enforce import asked_of_policy
from gitreg.registry.clock import utc_now
from gitreg.registry.offering import holders, last_changed
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.trying import try_promotion
from gitreg.registry.verdict import Judged
from gitreg.render.policy_words import Sentence, of_rules, of_stage, of_tags
from gitreg.signing.signers import SignerLine, Signers
from gitreg.web.pages.cut import cut
from gitreg.web.pages.look import Look, Page

_MOST_GATE = 20_000  # characters
_MOST_PERSONS = 200
_OFFERED = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A stage with its rules: sentences, the text of its gate (None: it has none), and how many hold it."""

    stage: Stage
    sentences: tuple[Sentence, ...]
    gate: str | None
    missing: bool
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key: what it is, and what limits it in words."""

    kind: str
    fingerprint: str
    limits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Somebody whose keys count: all their names, and the keys."""

    names: tuple[str, ...]
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What was tried: version and stage as typed, and what came of it; ``refused`` where nothing could."""

    version: str
    stage: str
    judged: Judged | None = None
    refused: GitregError | None = None
    done: bool = False

    @property
    def waiting(self) -> bool:
        """Whether approvals alone are missing."""
        return self.judged is not None and all(
            each.passed or each.rule == "approvals" for each in self.judged.judgements
        )


def policy(look: Look) -> Page:
    """Each stage's rules, those of their change, the keys, and a trial of ``version`` for ``stage``."""
    rules = RuleBook(look.registry.store, look.view.commit)
    people, fault = _people(rules)
    tried = _tried(look)
    return Page(
        template="policy.html",
        title="Policy",
        section="policy",
        values={
            "stages": [_ruled(look, rules, stage) for stage in look.settings.stages],
            "of_rules": of_rules(look.settings, asked_of_policy(look.settings)),
            "of_tags": of_tags(look.settings),
            "people": people[:_MOST_PERSONS],
            "more_people": max(0, len(people) - _MOST_PERSONS),
            "pgp": sorted(rules.pgp_keys),
            "services": len(look.settings.merge_keys),
            "fault": fault,
            "tried": tried,
            "guarded": next((each.name for each in reversed(look.settings.stages) if each.guarded), ""),
            "offered": last_changed(look.part, most=_OFFERED) if look.links.live else [],
        },
    )


def _ruled(look: Look, rules: RuleBook, stage: Stage) -> Ruled:
    data = rules.gate(stage.gate) if stage.gate else None
    return Ruled(
        stage=stage,
        sentences=of_stage(stage),
        gate=None if data is None else cut(data.decode("utf-8", "replace"), _MOST_GATE),
        missing=bool(stage.gate) and data is None,
        held=holders(look.part, stage.name),
    )


def _people(rules: RuleBook) -> tuple[list[Known], str]:
    """Those in ``keys/allowed_signers``, and why they can't be read (``""``: they can)."""
    try:
        signers = rules.signers
    except GitregError as error:
        return [], error.message
    return [
        Known(
            names=tuple(sorted(person.principals, key=lambda name: (name.startswith("@"), name))),
            keys=tuple(_key(line) for line in _lines(signers, person.principals)),
        )
        for person in signers.persons
    ], ""


def _lines(signers: Signers, principals: frozenset[str]) -> list[SignerLine]:
    return [line for line in signers.lines if principals.issuperset(line.principals)]


def _key(line: SignerLine) -> Key:
    limits = []
    if line.valid_after:
        limits.append(f"from {line.valid_after:%Y-%m-%d}")
    if line.valid_before:
        limits.append(f"until {line.valid_before:%Y-%m-%d}")
    if line.namespaces is not None:
        limits.append(f"for {', '.join(line.namespaces)}")
    return Key(kind=line.key.key_type, fingerprint=line.key.fingerprint, limits=", ".join(limits))


def _tried(look: Look) -> Tried | None:
    version, stage = look.one("version"), look.one("stage")
    if not version or not look.links.live:
        return None
    if not stage:
        stage = look.settings.stages[-1].name
    try:
        judged = try_promotion(
            look.registry.store,
            version,
            stage,
            now=look.when if look.at else utc_now(),
            commit=look.view.commit,
        )
    except (InvalidInput, NotFound) as error:
        return Tried(version=version, stage=stage, refused=error)
    return Tried(version=version, stage=stage, judged=judged, done=judged is None)
