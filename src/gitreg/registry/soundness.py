"""What is wrong with a step apart from the rules of its stages: manifests, approvals, time and signatures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from gitreg.domain.approval import Approval
from gitreg.domain.changes import Change
from gitreg.domain.findings import Finding
from gitreg.domain.model import ModelState, ModelVersion
from gitreg.domain.tagging import style_of
from gitreg.errors import InvalidInput, InvalidManifests, NotAllowed, NotARegistry, NotFound
from gitreg.gitstore.signatures import split_commit
from gitreg.gitstore.trees import FILE, Touched
from gitreg.manifest.layout import APPROVALS_DIR, SETTINGS_FILE, Layout, is_policy_file, parse_approval
from gitreg.manifest.yaml import parse
from gitreg.policy.context import Judgement
from gitreg.registry.content import rules_in_commit
from gitreg.registry.differing import is_manifest_path, judge_difference
from gitreg.registry.history import last_state_with
from gitreg.registry.rulebook import RuleBook
from gitreg.registry.rules_check import check_rules
from gitreg.registry.setting import Setting, backwards, in_future
from gitreg.signing import pgp, sshsig
from gitreg.signing.statement import decode, split_file


def faults(at: Setting, rules: RuleBook, changes: Sequence[Change]) -> Iterator[Finding]:
    """Everything that is wrong with a step but for what the rules of its stages say."""
    prefix = at.store.prefix
    below = [one.path.removeprefix(prefix) for one in at.commit.changes if one.path.startswith(prefix)]
    paths = [path for path in below if is_manifest_path(path)]
    yield from judge_difference(at.seen, at.before, at.commit.oid, paths, look=at.look)
    if SETTINGS_FILE not in paths and any(
        map(is_policy_file, below)
    ):  # else the rules were looked at with it
        yield from _rules(at)
    yield from _approvals(at)
    yield from _time(at)
    yield from _signature(at, rules)
    yield from _tags(at, rules, changes)
    for change in changes:
        if change.event == "restore":
            yield from _returned(at, change)


def _rules(at: Setting) -> Iterator[Finding]:
    """What other gates or keys have put wrong; what was wrong before is not the fault of this change."""
    before, after = (rules_in_commit(at.seen, oid) for oid in (at.before, at.commit.oid))
    known = {(one.code, one.path, one.message) for one in check_rules(before.modes, before.one)}
    for one in check_rules(after.modes, after.one):
        if (one.code, one.path, one.message) not in known:
            yield one


def finding_of(judgement: Judgement, at: Setting, layout: Layout) -> Finding:
    """What a rule says, as a finding at the field that it points at."""
    message = f"{judgement.subject}: {judgement.message}" if judgement.subject else judgement.message
    plain = Finding(code=judgement.code, message=message, path=judgement.path, help=judgement.help)
    if not judgement.path or not judgement.path.endswith(".yaml"):
        return plain
    reader = at.seen.reader
    tree = reader.commit(at.commit.oid).tree
    entry = reader.entry(tree, at.store.prefix + judgement.path)
    if entry is None or entry.mode != FILE:
        return plain
    try:
        document = parse(reader.blob(entry.oid), judgement.path)
        place = document.key_finding if judgement.field[:1] == ("stages",) else document.finding
        return place(judgement.code, message, judgement.field, help=judgement.help)
    except (InvalidManifests, LookupError):
        return plain


def _approvals(at: Setting) -> Iterator[Finding]:
    """Approvals come and stay: none is edited, removed, or something else than its place says."""
    prefix = f"{at.store.prefix}{APPROVALS_DIR}/"
    for touched in at.commit.changes:
        if touched.path.startswith(prefix) and not PurePosixPath(touched.path).name.startswith(".git"):
            path = touched.path.removeprefix(at.store.prefix)
            fault = _approval_fault(at, path, touched)
            if fault:
                mend = f"git checkout {at.before[:10]} -- {touched.path}" if touched.old else "gitreg approve"
                yield Finding(code="GR209", message=fault, path=path, help=mend)


def _approval_fault(at: Setting, path: str, touched: Touched) -> str:
    if touched.old is not None:
        return "an approval is removed" if touched.new is None else "an approval is edited"
    if touched.new is None or touched.new.mode != FILE:
        return "an approval must be a plain file"
    place = parse_approval(path)
    if place is None:
        return "no approval can lie here: approvals/MODEL/VERSION/STAGE/NUMBER/PERSON.sig"
    try:
        statement, _ = split_file(at.seen.reader.blob(touched.new.oid))
        found = decode(statement)
    except InvalidInput as error:
        return error.message
    if found.approver != place.principal:
        return f"the approval is by {found.approver}, its file is called after {place.principal}"
    if isinstance(found, Approval):
        said = (found.model, found.version, found.stage, found.number)
        here = (place.name, place.version, place.stage, place.number)
        return "" if said == here else f"the approval is for {_told(said)}, and lies in the place of another"
    return "" if place.digest and found.after.startswith(place.digest) else "the approval is for other rules"


def _told(said: tuple[str, int, str, int]) -> str:
    model, version, stage, number = said
    return f"{model}/{version} in {stage} ({stage}/{number})"


def _time(at: Setting) -> Iterator[Finding]:
    if at.proposed:  # its commits are made anew, or become a side branch
        return
    before = at.seen.reader.commit(at.before).committer.when
    when, short = at.commit.commit_time, at.commit.oid[:10]
    if backwards(when, before):
        message = f"the commit {short} is dated {when:%Y-%m-%d}, the one before it {before:%Y-%m-%d}"
    elif at.now is not None and in_future(when, at.now):
        message = f"the commit {short} is dated {when:%Y-%m-%d}, which lies ahead"
    else:
        return
    mend = "set the clock, then: git commit --amend --no-edit --date=now"
    yield Finding(code="GR308", message=message, help=mend)


def _tags(at: Setting, rules: RuleBook, changes: Sequence[Change]) -> Iterator[Finding]:
    """What the registry's tags can't tell; of a proposal only names count: its commits are made anew."""
    try:
        settings = rules.settings.tags
    except (InvalidInput, NotARegistry):  # told as a finding of the commit before
        return
    style = style_of(settings)
    if settings.made_for == "none":
        return
    steps = [[change] for change in changes] if at.proposed else [changes]
    for reason in dict.fromkeys(filter(None, map(style.misfit, steps))):
        mend = "one commit for each version, under names that GTO takes; or tags.style: gitreg (docs/gto.md)"
        yield Finding(code="GR310", message=f"{reason} (tags.style: {settings.style})", help=mend)


def _signature(at: Setting, rules: RuleBook) -> Iterator[Finding]:
    """A signature that is there must fit, whoever's it is; whose it must be the rules say."""
    if at.proposed:
        return
    oid = at.commit.oid
    _, raw = at.seen.reader.object(oid)
    # By the length of ids: Git's configuration, which says it too, takes a process to read.
    payload, armor = split_commit(raw, algorithm="sha1" if len(oid) == 40 else "sha256")
    if armor is None:
        return
    try:
        if armor.startswith(b"-----BEGIN SSH SIGNATURE-----"):
            sshsig.verify(payload, armor, namespace="git")
        else:
            for keys in rules.pgp_keys.values():
                if pgp.verify(payload, armor, keys=keys):
                    break
    except NotAllowed as error:
        message = f"the signature of the commit {oid[:10]} is not good: {error.message}"
        yield Finding(code="GR307", message=message, help="git commit --amend --no-edit -S")


def _returned(at: Setting, change: Change) -> Iterator[Finding]:
    """What comes back from a tombstone is what it was: else a deletion would launder an edit."""
    try:
        seen = at.seen.view(at.commit.oid)
        after = seen.state(change.model)
        past = last_state_with(at.store, at.before, change.model, change.version).state
    except (NotFound, InvalidInput):  # what can't be read is told of its file
        return
    for number in [change.version] if change.version is not None else list(after.versions):
        now = _read(after, number)
        was = _read(past, number)
        if now is None or was is None:
            continue
        if (now.created, now.origin) != (was.created, was.origin) or not _goes_on(was, now):
            message = f"{change.model}/{number} comes back as something else than it was"
            path = seen.states.layout.version_file(change.model, number)
            yield Finding(
                code="GR104", message=message, path=path, help=f"gitreg restore {change.model}/{number}"
            )


def _goes_on(was: ModelVersion, now: ModelVersion) -> bool:
    return now.evaluations[: len(was.evaluations)] == was.evaluations


def _read(past: ModelState, number: int) -> ModelVersion | None:
    try:
        return past.live(number)
    except InvalidInput:  # it could not be read then: nothing is known of it
        return None
