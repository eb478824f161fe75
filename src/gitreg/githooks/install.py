"""Puts the hooks in place: what stands there is chained, never overwritten."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gitreg.errors import Conflict, EnvironmentFailure, UsageError
from gitreg.githooks.place import hooks_folder, in_work_tree
from gitreg.gitstore.repository import Repository

CLIENT = ("pre-commit", "pre-merge-commit", "commit-msg", "pre-push")
SERVER = ("pre-receive", "post-receive")
PROPOSALS = "proc-receive"
FORMER = ".before-gitreg"

_MARK = '# gitreg: {}. Made by "gitreg hooks install"'
_PLACE = re.compile(r"^gitreg=gitreg\b.*$", re.MULTILINE)
_OF_FRAMEWORK = "pre-commit.com"  # in every script of the pre-commit framework

State = Literal["missing", "installed", "chained", "outdated", "foreign", "behind pre-commit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One hook of a repository.

    Attributes:
        name: As Git calls it.
        path: Where Git looks for it.
        state: ``installed``; ``chained``: installed, and a former hook runs before it; ``outdated``:
            gitreg's, of another version or place; ``foreign``: somebody else's; ``behind pre-commit``:
            the pre-commit framework runs ours as its legacy hook.
    """

    name: str
    path: Path
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that installing does, in words; ``make`` False for what stands already."""

    words: str
    path: Path
    text: str | None = None
    former: Path | None = None
    setting: tuple[str, str] | None = None


def hooks_of(repository: Repository, *, server: bool | None = None) -> list[Hook]:
    """What stands in the place of each hook that gitreg has.

    Args:
        repository: Any.
        server: Those of a server alone, or of a clone alone; None: those that belong here, and what
            of ours stands here besides.
    """
    folder = hooks_folder(repository)
    program = _program(repository)
    known = ((CLIENT, False), ((*SERVER, PROPOSALS), True))
    found = []
    for names, serving in known:
        for name in names:
            state = _state(folder, name, program)
            here = repository.bare == serving or state not in ("missing", "foreign")
            if here if server is None else server == serving:
                found.append(Hook(name=name, path=folder / name, state=state))
    return found


def plan(repository: Repository, *, server: bool, proposals: bool) -> list[Step]:
    """What installing would do; nothing for what stands already.

    Raises:
        UsageError: The hooks of a clone would go into a bare repository.
        Conflict: A former hook was chained before, and another one stands in its place again; or
            there is a proc-receive hook, which can't be chained.
    """
    if repository.bare and not server:
        raise UsageError(
            "nobody commits in a bare repository",
            where=str(repository.root),
            hint="gitreg hooks install --server",
        )
    names = [*(SERVER if server else CLIENT), *([PROPOSALS] if proposals else [])]
    folder = hooks_folder(repository)
    program = _program(repository)
    steps = []
    for name in names:
        state = _state(folder, name, program)
        if state in ("installed", "chained", "behind pre-commit"):
            continue
        former = folder / f"{name}{FORMER}" if state == "foreign" else None
        if former is not None:
            _refuse_unchainable(name, folder / name, former)
        words = f"{name}: what stands there becomes {former.name}" if former else f"{name}: new"
        if state == "outdated":
            words = f"{name}: made anew"
        steps.append(Step(words=words, path=folder / name, text=script(name, program), former=former))
    if server:
        steps += _settings(repository, proposals=proposals)
    return steps


def _refuse_unchainable(name: str, path: Path, former: Path) -> None:
    if name == PROPOSALS:
        raise Conflict(
            "there is a proc-receive hook already, and a server can have only one",
            where=str(path),
            hint="gitreg hooks install --server, without --proposals",
        )
    if former.exists() or former.is_symlink():
        raise Conflict(
            "a hook was chained before, and another one stands in its place",
            where=str(path),
            hint=f"join the two in {former.name}, remove {name}, then gitreg hooks install",
        )


def _settings(repository: Repository, *, proposals: bool) -> Iterator[Step]:
    """Settings of a server, where it says nothing itself.

    Pushes by force and deletions are not forbidden here: proposal branches need them, and the hook
    refuses them where they do harm, on tags as well, which Git's own settings leave out.
    """
    wanted = {"receive.fsckobjects": ("receive.fsckObjects", "true")}
    if proposals:
        wanted |= {
            "receive.procreceiverefs": ("receive.procReceiveRefs", "refs/for"),
            "receive.advertisepushoptions": ("receive.advertisePushOptions", "true"),
        }
    for key, (name, value) in wanted.items():
        values = repository.config.get(key, ())
        if key == "receive.procreceiverefs" and values and value not in values:
            raise Conflict(
                "another program takes pushes already",
                where=f"receive.procReceiveRefs = {', '.join(values)}",
                hint=f"git config --add receive.procReceiveRefs {value}",
            )
        if not values:
            path = repository.common_dir / "config"
            yield Step(words=f"{name} = {value}", path=path, setting=(name, value))


def carry_out(repository: Repository, steps: Iterable[Step]) -> None:
    """Do what ``plan`` said."""
    from gitreg.gitstore.porcelain import configure

    for step in steps:
        if step.setting is not None:
            configure(repository, *step.setting)
            continue
        try:
            step.path.parent.mkdir(parents=True, exist_ok=True)
            if step.former is not None:
                os.rename(step.path, step.former)
            _write(step.path, step.text or "")
        except OSError as error:
            raise EnvironmentFailure(
                f"the hook can't be written: {error.strerror}", where=str(step.path)
            ) from None


def _write(path: Path, text: str) -> None:
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text, encoding="utf-8")
    aside.chmod(0o755)
    os.replace(aside, path)


def remove(repository: Repository, *, dry_run: bool) -> list[str]:
    """Take gitreg's hooks away and put the former ones back; gives what was done, in words."""
    done = []
    for hook in hooks_of(repository):
        former = hook.path.with_name(f"{hook.name}{FORMER}")
        back = former.exists() or former.is_symlink()
        if hook.state == "behind pre-commit":
            done.append(f"{hook.name}: removed from behind the pre-commit framework's")
            place = hook.path.with_name(f"{hook.name}.legacy")
        elif hook.state in ("installed", "chained", "outdated"):
            done.append(f"{hook.name}: {'the former hook is back' if back else 'removed'}")
            if hook.name == PROPOSALS:
                done.append("to forget refs/for/, too: git config --unset receive.procReceiveRefs refs/for")
            place = hook.path
        else:
            continue
        if dry_run:
            continue
        if hook.state == "behind pre-commit" and _OF_FRAMEWORK in _text(former):
            former.unlink()  # an older script of the framework, whose newer one stands
        _take_away(place, former)
    return done


def _take_away(place: Path, former: Path) -> None:
    """Remove a hook, and put the former one, if there is any, in its place."""
    try:
        if former.exists() or former.is_symlink():
            os.replace(former, place)
        else:
            place.unlink()
    except OSError as error:
        said = f"the hook can't be removed: {error.strerror}"
        raise EnvironmentFailure(said, where=str(place)) from None


def script(name: str, program: str) -> str:
    """The text of a hook, with what it calls as gitreg."""
    place = shlex.quote(program)
    return _PLACE.sub(lambda _: f"gitreg={place}", shipped(name), count=1)


def shipped(name: str) -> str:
    """A hook's script from the wheel, or from the source checkout.

    Raises:
        EnvironmentFailure: The installation lacks it.
    """
    from importlib import resources  # slow to import

    found = resources.files("gitreg").joinpath("_data", "hooks", name)
    if found.is_file():
        return found.read_text("utf-8")
    # An editable install has no _data: hatchling's force-include works for wheels alone.
    source = Path(__file__).resolve().parents[3] / "hooks" / name
    if source.is_file():
        return source.read_text("utf-8")
    raise EnvironmentFailure(
        "the installation lacks its hooks", where=str(source), hint="install gitreg again"
    )


def _program(repository: Repository) -> str:
    """What the hooks call; where they are committed, no place of this machine."""
    return "gitreg" if in_work_tree(repository) else running()


def running() -> str:
    """Where the gitreg that is running lies, or ``gitreg`` where that is unknown."""
    beside = Path(sys.executable).with_name("gitreg")
    return str(beside) if os.access(beside, os.X_OK) else "gitreg"


def _state(folder: Path, name: str, program: str) -> State:
    path = folder / name
    if not (path.exists() or path.is_symlink()):
        return "missing"
    text = _text(path)
    if _MARK.format(name) not in text:
        legacy = _text(folder / f"{name}.legacy")
        behind = _MARK.format(name) in legacy and _OF_FRAMEWORK in text
        return "behind pre-commit" if behind else "foreign"
    if text != script(name, program) or not os.access(path, os.X_OK):
        return "outdated"
    return "chained" if (folder / f"{name}{FORMER}").exists() else "installed"


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""


def told(steps: Sequence[Step]) -> list[str]:
    """The steps in words."""
    return [step.words for step in steps]
