"""``commit-msg``: trailers may only tell what the commit really does.

Nothing in gitreg believes a trailer, but people and other programs do. What is a trailer is what Git
takes for one, so that none slips past that ``git log`` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from gitreg.domain.changes import Change
from gitreg.domain.compare import Snapshot, compare
from gitreg.domain.model import AnyModel, AnyVersion, ModelState, versions_of
from gitreg.domain.settings import Settings
from gitreg.errors import EnvironmentFailure, InvalidInput
from gitreg.githooks.staged import staged
from gitreg.gitstore.process import run
from gitreg.gitstore.roots import work_tree_of
from gitreg.manifest import codec
from gitreg.manifest.layout import SETTINGS_FILE, Layout
from gitreg.registry.content import Content, in_commit
from gitreg.registry.messages import MOST_LISTED, trailers_of
from gitreg.render.text import safe

Claim = frozenset[tuple[str, str]]
"""Lower-case key and value of the trailers that tell of one event."""

_OTHERWISE_TOLD = frozenset({("gitreg-event", "approve")})  # by files that are no manifests
_TEMPORARY = (
    b"amend! ",
    b"fixup! ",
    b"squash! ",
)  # rebase --autosquash melts them into others, then asks again


def commit_msg(file: Path, *, at: Path, env: Mapping[str, str]) -> int:
    """Judge a commit's message; 0 or 1.

    Args:
        file: Where Git put it.
        at: The folder in which Git runs the hook.
        env: The hook's environment.
    """
    fault = _fault(_read(file), at, env)
    if fault is None:
        return 0
    sys.stderr.write(f"gitreg: the message is refused: {safe(fault[0])}\nhelp: {safe(fault[1])}\n")
    return 1


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise EnvironmentFailure(
            f"the message can't be read: {error.strerror}", where=str(file), hint="Git runs this hook"
        ) from None


def _fault(message: bytes, at: Path, env: Mapping[str, str]) -> tuple[str, str] | None:
    """What is wrong, and what to do about it."""
    if b"gitreg-" not in message.lower() or message.lstrip().startswith(_TEMPORARY):
        return None
    groups = [group for group in claims(message, at) if not group & _OTHERWISE_TOLD]
    if not groups:
        return None
    coming, amended = _truth(at, env)
    wrong = [group for group in groups if not any(group <= each for each in coming)]
    # Git does not say whether the last commit is being amended. Then the message tells all of what
    # it and the index hold together; one that was merely copied from it tells of a part.
    whole = len(groups) >= min(len(amended), MOST_LISTED)
    if not wrong or (whole and all(group in amended for group in groups)):
        return None
    told = ", ".join(value for _, value in sorted(wrong[0]))
    return (
        f"its trailers tell of what the commit does not do ({told})",
        "take the Gitreg- lines out: history is told by the manifests, not by trailers",
    )


def claims(message: bytes, at: Path) -> list[Claim]:
    """What the trailers of a message say: one set of lower-case key and value for each event.

    Args:
        message: As Git gives it to the hook, with its comments.
        at: A folder of the repository, whose settings say what a comment is.
    """
    comment = work_tree_of(at).setting("core.commentchar", "#")
    settings = [f"core.commentChar={comment}"]
    said = run(["interpret-trailers", "--parse", "--no-divider"], at=at, stdin=message, settings=settings)
    return _grouped(said.stdout.decode("utf-8", "surrogateescape").split("\n"))


def _grouped(trailers: Iterable[str]) -> list[Claim]:
    groups: list[set[tuple[str, str]]] = []
    for line in trailers:
        key, _, value = line.partition(":")
        key = key.strip().casefold()
        if not key.startswith("gitreg-"):
            continue
        if key == "gitreg-event" or not groups:
            groups.append(set())
        groups[-1].add((key, value.strip()))
    return [frozenset(group) for group in groups]


def _truth(at: Path, env: Mapping[str, str]) -> tuple[list[Claim], list[Claim]]:
    """What trailers may say: of the coming commit, and of one that takes the last one's place."""
    coming: list[Claim] = []
    amended: list[Claim] = []
    for store, content, base in staged(at, env):
        coming += _claims_of(changes_between(base, content))
        head = store.repository.head().oid
        parents = store.reader.commit(head).parents if head else ()
        before = in_commit(store, parents[0]) if parents else None
        amended += _claims_of(changes_between(before, content)) if head else []
    return coming, amended


def _claims_of(changes: Sequence[Change]) -> list[Claim]:
    return [claim for change in changes for claim in _grouped(trailers_of([change]))]


def changes_between(before: Content | None, after: Content) -> Sequence[Change]:
    """What compare finds between two states; files that can't be read are left out."""
    paths = _differing(before, after)
    return compare(_snapshot(before, paths), _snapshot(after, paths))


def _differing(before: Content | None, after: Content) -> list[str]:
    old = before.oids if before else {}
    return sorted(path for path in {*old, *after.oids} if old.get(path) != after.oids.get(path))


def _snapshot(content: Content | None, paths: Sequence[str]) -> Snapshot:
    if content is None:
        return Snapshot()
    settings = _settings(content)
    layout = Layout(settings.layout if settings else "flat")
    models: dict[str, AnyModel] = {}
    versions: dict[str, dict[int, AnyVersion]] = {}
    for path in paths:
        place, data = layout.parse(path), content.one(path)
        if place is None or data is None:
            continue
        try:
            if place.kind == "model":
                models[place.name] = codec.decode_model(data, name=place.name, path=path)
            elif place.kind == "version":
                value = codec.decode_version(data, name=place.name, version=place.version, path=path)
                versions.setdefault(place.name, {})[place.version] = value
        except InvalidInput:
            continue
    states = {
        name: ModelState(name=name, model=models.get(name), versions=versions_of(versions.get(name, {})))
        for name in {*models, *versions}
    }
    return Snapshot(settings=settings, models=states)


def _settings(content: Content) -> Settings | None:
    data = content.one(SETTINGS_FILE)
    try:
        return codec.decode_settings(data) if data is not None else None
    except InvalidInput:
        return None
