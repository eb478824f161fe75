"""GTO on the same work: the same versions, promotions and dates, as the annotated tags that it reads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count, product
from pathlib import Path

from fixtures import Shape, model_name, source
from history import Step, steps
from pairs import Row, Timed, at_least, in_turns, timed
from programs import GIT, GITREG, git, run
from workshop import HISTORY, Workshop

import gitreg
from gitreg.domain.references import Selector
from gitreg.domain.requests import Register, Transition
from gitreg.registry.registry import Registry

VERSION = "1.10.1"
NOTE = (
    f"GTO {VERSION}, installed from PyPI into an environment of its own. One model; GTO's repository has a "
    "commit and a tag `NAME@vX.Y.Z` for each version and a tag `NAME#STAGE#N` for each promotion of our "
    "history. *Command* is from process start to end: `gto show NAME` and `gitreg list NAME` (the versions "
    "with their stages), `gto history NAME` and `gitreg log NAME`, `gto register NAME` and `gitreg register "
    "NAME SOURCE`. *In process* is `gto.api`, which opens its repository in every call, and a `Registry` "
    "that is opened anew for every call, or held open. gitreg has a work tree, writes manifest and commit "
    "besides the tag, and syncs all to the disk; GTO makes the tag alone and syncs nothing."
)
_LEAST = {10: 8, 1000: 70}  # versions → how many times as fast gitreg is to be
_NAME = model_name(0)
_CALLS = ("show", "history", "register")
_WAYS = ("command", "in process, opened anew", "in process, held open")


def beside(workshop: Workshop, rounds: dict[int, int]) -> list[Row]:
    """Show, history and register at several sizes (versions → rounds), as commands and in process."""
    try:
        programs = _installed(workshop.folder / f"gto-{VERSION}")
    except subprocess.CalledProcessError as error:
        reason = error.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        print(f"GTO can't be installed, is PyPI within reach? {reason}", file=sys.stderr)
        return [Row(what="GTO could not be installed", target="", ours="not measured")]
    return [row for size, turns in rounds.items() for row in _at(workshop, programs, size, turns)]


def _at(workshop: Workshop, programs: Path, size: int, rounds: int) -> Iterator[Row]:
    shape = Shape(models=1, versions=size)
    with ExitStack() as stack:
        theirs = _theirs(stack, programs, _tagged(workshop.place(), shape))
        ours = _ours(stack, workshop, shape)
        sides: dict[str, Timed] = {}
        for what in _CALLS:  # neighbours in time, for their ratio
            sides |= {f"theirs {way}: {what}": theirs[f"{way}: {what}"] for way in ("command", "in process")}
            sides |= {f"ours {way}: {what}": ours[f"{way}: {what}"] for way in _WAYS}
        times = in_turns(sides, rounds=rounds, warmup=1)
    for way, what in product(_WAYS, _CALLS):
        rival = "command" if way == "command" else "in process"
        yield at_least(
            f"{way}: {what}, {size:,} versions",
            _LEAST.get(size),
            times[f"ours {way}: {what}"],
            times[f"theirs {rival}: {what}"],
        )


def _installed(folder: Path) -> Path:
    """The folder with GTO's ``python`` and ``gto``; the environment is made where it is not there yet."""
    programs = folder / "bin"
    if not (programs / "gto").exists():
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"gto=={VERSION}"]
        for argv in ([sys.executable, "-m", "venv", str(folder)], [str(programs / "python"), *install]):
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return programs


def _tagged(place: Path, shape: Shape) -> Path:
    """A repository that holds the history of that shape as GTO does."""
    git(place.parent, "init", "--quiet", str(place))
    stream = "".join(_stream(shape))
    argv = [GIT, "-C", str(place), "fast-import", "--quiet"]
    subprocess.run(argv, input=stream.encode(), check=True)
    git(place, "reset", "--hard", "--quiet")
    git(place, "pack-refs", "--all")
    git(place, "commit", "--quiet", "--allow-empty", "-m", "the next model")  # a version each commit
    return place


def _stream(shape: Shape) -> Iterator[str]:
    """The repository in the words of git-fast-import(1): registrations and promotions, nothing else."""
    versions, assigned = count(1), count(1)
    for step in steps(shape):
        match step.request:
            case Register(name=name):
                number = next(versions)
                yield f"commit refs/heads/main\nmark :{number}\ncommitter {_signed(step)}\n"
                yield _data(f"train {name}\n") + f"M 100644 inline model.txt\n{_data(f'{number}')}"
                yield _tag(step, f"{name}@v0.0.{number}", number, f"Registering artifact {name} version")
            case Transition(name=name, selector=Selector(version=number), stage=stage):
                # One count for all stages: GTO numbers the assignments of an artifact.
                tag = f"{name}#{stage.lower()}#{next(assigned)}"
                yield _tag(step, tag, number, f"Assigning stage {stage.lower()} to artifact {name} version")


def _tag(step: Step, tag: str, number: int, message: str) -> str:
    return f"tag {tag}\nfrom :{number}\ntagger {_signed(step)}\n{_data(f'{message} v0.0.{number}')}"


def _signed(step: Step) -> str:
    return f"{step.author.name} <{step.author.email}> {int(step.when.timestamp())} +0000"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _theirs(stack: ExitStack, programs: Path, place: Path) -> dict[str, Timed]:
    gto = str(programs / "gto")
    ask = stack.enter_context(_process(programs / "python", place))

    def fresh(act: Timed) -> Timed:
        # GTO refuses a second version on one commit: the tag goes again, and so the size stays as it is.
        def again() -> float:
            before = set(git(place, "tag").splitlines())
            took = act()
            made = set(git(place, "tag").splitlines()) - before
            if len(made) != 1:
                raise SystemExit(f"gto register made {len(made)} tags")
            git(place, "tag", "--delete", *made)
            return took

        return again

    return {
        "command: show": _started([gto, "show", _NAME], place),
        "command: history": _started([gto, "history", _NAME], place),
        "command: register": fresh(_started([gto, "register", _NAME], place)),
        "in process: show": lambda: ask("show"),
        "in process: history": lambda: ask("history"),
        "in process: register": fresh(lambda: ask("register")),
    }


@contextmanager
def _process(python: Path, place: Path) -> Iterator[Callable[[str], float]]:
    """GTO in a process that stays; gives the function that has it do something."""
    script = Path(__file__).with_name("gto_process.py")
    argv = [str(python), str(script), str(place), _NAME]
    with (
        open(os.devnull, "wb") as nothing,
        subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=nothing) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        speak, hear = process.stdin, process.stdout

        def ask(call: str) -> float:
            speak.write(call.encode() + b"\n")
            speak.flush()
            answer = hear.readline()
            if not answer:
                raise SystemExit(f"GTO's process ended at {call}")
            return float(answer)

        yield ask


def _ours(stack: ExitStack, workshop: Workshop, shape: Shape) -> dict[str, Timed]:
    place = workshop.work_tree(shape, HISTORY)
    held = stack.enter_context(gitreg.open(place))
    uri = source(_NAME, shape.versions)
    words = {
        "show": ["list", _NAME],
        "history": ["log", _NAME],
        "register": ["register", _NAME, uri, "--metric", "roc_auc=0.9"],
    }
    calls: dict[str, Callable[[Registry], object]] = {
        "show": lambda registry: registry.versions(_NAME),
        "history": lambda registry: list(registry.log(_NAME)),
        "register": lambda registry: registry.register(_NAME, uri, metrics={"roc_auc": 0.9}),
    }

    def opened(call: Callable[[Registry], object]) -> object:
        with gitreg.open(place) as registry:
            return call(registry)

    sides: dict[str, Timed] = {}
    for what, call in calls.items():
        sides[f"command: {what}"] = _started([GITREG, *words[what]], place)
        sides[f"in process, opened anew: {what}"] = timed(partial(opened, call))
        sides[f"in process, held open: {what}"] = timed(partial(call, held))
    return sides


def _started(argv: list[str], at: Path) -> Timed:
    return timed(lambda: run(argv, at))
