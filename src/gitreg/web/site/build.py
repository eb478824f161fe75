"""Builds a site: all of it, or what a commit changed since the last time; in both ways the same bytes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from gitreg.errors import Conflict
from gitreg.registry.registry import Registry
from gitreg.web.site import record as records
from gitreg.web.site import workers
from gitreg.web.site.changes import changed, related, retold
from gitreg.web.site.folder import Folder, claimed
from gitreg.web.site.making import Choice, Site
from gitreg.web.site.places import MANIFEST, PARTIAL
from gitreg.web.site.record import Files, Record
from gitreg.web.site.stamp import stamp
from gitreg.web.site.units import Done, Unit, history_units, model_units, put
from gitreg.web.site.whole import Piece, whole

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be built.

    Attributes:
        out: The folder of the site.
        commit: The commit that it shows (full hex id), on the branch's first-parent history.
        choice: What else decides about its pages.
        jobs: How many processes make them.
        anew: Whether everything is made, whatever is there.
        forced: Whether a folder that holds other things is taken.
    """

    out: Path
    commit: str
    choice: Choice
    jobs: int = 1
    anew: bool = False
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A site that stands.

    Attributes:
        out: Its folder.
        commit: What it shows.
        models: How many models it has pages of, those that are gone included.
        remade: The pages of how many of them were made in this run.
        files: How many files it has.
        wrote: How many were written in this run.
        removed: How many were removed.
        since: The commit that it showed before, where the rest was kept from; None: all was made.
    """

    out: Path
    commit: str
    models: int
    remade: int
    files: int
    wrote: int
    removed: int
    since: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """What is made, and what is kept from the last run.

    Attributes:
        remake: The models.
        kept: The files of the others, as they stand in the manifest.
        history: The place of the commit from which on the history is told anew.
        again: The places of those before it that are told anew, too.
        files: What is kept of it.
        since: What the last run showed; None: nothing is kept.
    """

    remake: list[str]
    kept: Mapping[str, str]
    history: int = 1
    again: Sequence[int] = ()
    files: Files = field(default_factory=dict)
    since: str | None = None


def build(registry: Registry, wish: Wish, progress: Progress | None = None) -> Built:
    """Write the site, or bring the one that is there up to date.

    Args:
        registry: Open for reading.
        wish: What and where.
        progress: Is told how many models are done, and of how many.

    Raises:
        Conflict: The folder holds other things, or something stands in the way.
    """
    _refuse_registry(registry, wish.out)
    with claimed(wish.out, forced=wish.forced) as folder:
        site = Site(registry, wish.commit, wish.choice)
        old = records.load(folder.path) or Record()
        made = stamp(site)
        plan = _plan(site, old if old.made == made and not wish.anew else Record())
        before = _before(folder, old, plan)
        # From here on it is of no commit, until all is there.
        folder.put(MANIFEST, replace(old, commit="").text().encode())
        known = old if old.commit and not wish.anew else Record()
        done = _carried_out(site, folder, wish, plan, known, progress)
        lines = {**plan.kept, **{name: records.line(files) for name, files in done.models.items()}}
        now = Record(commit=wish.commit, made=made, files=done.files, inputs=done.inputs, lines=lines)
        removed = folder.remove(records.gone(before, done.paths()))
        folder.put(MANIFEST, now.text().encode())
        folder.remove([PARTIAL])
        return Built(
            out=folder.path,
            commit=wish.commit,
            models=len(lines),
            remade=len(done.models),
            files=now.count() + 1,
            wrote=done.wrote,
            removed=removed,
            since=plan.since,
        )


def _before(folder: Folder, old: Record, plan: _Plan) -> list[str]:
    """The files that are there, or may be, other than those of models that are kept."""
    found = [*old.files]
    for name in old.lines.keys() - plan.kept.keys():
        found += old.of_model(name)
    return found if old.commit else found + records.unfinished(folder.path)


def _keeps(folder: Folder, plan: _Plan, known: Record, path: str, inputs: str) -> bool:
    """Whether a page that was made of the same, in the same way, stands there."""
    same = plan.since is not None and known.inputs.get(path) == inputs
    return same and path in known.files and folder.holds(path)


def _refuse_registry(registry: Registry, out: Path) -> None:
    repository = registry.store.repository
    place = Path(os.path.realpath(out))
    registry_root = repository.root / repository.prefix
    inside = (repository.git_dir, repository.common_dir, registry_root / "models")
    if place in (repository.root, registry_root) or any(each in (place, *place.parents) for each in inside):
        raise Conflict("the registry itself lies here", where=str(out), hint="choose another folder")


def _plan(site: Site, old: Record) -> _Plan:
    wanted = site.names
    everything = _Plan(remake=wanted, kept={})
    since = site.part.index.place_of(old.commit) if old.commit else None
    if since is None or since > site.part.seq:
        return everything
    differ = changed(site.registry.store, site.part, since)
    if differ is None:
        return everything
    differ = related(site.part, differ) if differ else set()
    remake = [name for name in wanted if name in differ or name not in old.lines]
    kept = {name: old.lines[name] for name in set(wanted).difference(remake)}
    past = {path: made for path, made in old.files.items() if _of_past(path)}
    return _Plan(
        remake=remake, kept=kept, history=since, again=retold(site.part, since), files=past, since=old.commit
    )


def _of_past(path: str) -> bool:
    """Whether a file tells of commits that were there before: no later one changes it."""
    return path.startswith("commits/") or (path.startswith("activity/") and path.count("/") == 2)


@dataclass(slots=True, kw_only=True)
class _Work:
    models: dict[str, Files]
    files: Files
    inputs: Files = field(default_factory=dict)
    wrote: int = 0

    def add(self, done: Done) -> None:
        """Add what came of a piece."""
        (self.models[done.name] if done.name else self.files).update(done.files)
        self.wrote += done.wrote

    def add_piece(self, piece: Piece, folder: Folder, known: Files) -> None:
        """Write a file that is of no model, or keep it as it is."""
        if piece.data is None:
            self.files[piece.path] = known[piece.path]
        else:
            self.add(put(folder, "", [(piece.path, piece.data)], known))
        if piece.inputs:
            self.inputs[piece.path] = piece.inputs

    def paths(self) -> Iterator[str]:
        """All that was made, or stays though it is of no model."""
        yield from self.files
        for files in self.models.values():
            yield from files


def _carried_out(
    site: Site, folder: Folder, wish: Wish, plan: _Plan, known: Record, progress: Progress | None
) -> _Work:
    work = _Work(models={name: {} for name in plan.remake}, files=dict(plan.files))
    pieces: list[Unit] = list(history_units(site, plan.history, plan.again, known.files))
    for name in plan.remake:
        pieces += model_units(site, name, known.of_model(name))
    with workers.started(site, folder, wish.jobs, pieces) as results:
        for piece in whole(site, partial(_keeps, folder, plan, known)):
            work.add_piece(piece, folder, known.files)
        for at, done in enumerate(results, start=1):
            work.add(done)
            if progress is not None:
                progress(at, len(pieces))
    return work
