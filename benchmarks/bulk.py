"""What an import asks for: many versions with their original times, written in chunks, and what that takes.

Run as ``python benchmarks/bulk.py each 1000 100``: one commit for each event, or ``squash``: one for each
model. Prints the rate, the peak memory of the process, and what each chunk took.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import os
import pstats
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import islice, product
from pathlib import Path

from fixtures import BEGAN, PARAMS, PERSON, TAGS, Shape, metrics, model_name, source

from gitreg.domain.model import Origin
from gitreg.domain.references import version_selector
from gitreg.domain.requests import Register, Request, SetAlias, Transition
from gitreg.domain.settings import Settings
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.create import create_bare
from gitreg.registry.store import Store
from gitreg.registry.write import Ask, apply_each

CHUNK = 5_000  # events that are published together
_STAGED, _NAMED = 3, 10  # every third version enters a stage, every tenth gets an alias
_TAGS = {**TAGS, "origin": "notebook"}


def events(name: str, number: int) -> Iterator[Request]:
    """What happened to one version, in order."""
    origin = Origin(
        source=source(name, number),
        run_id=hashlib.md5(f"{name}/{number}".encode(), usedforsecurity=False).hexdigest(),
        params={**PARAMS, "seed": str(number)},
        metrics={**metrics(number), "recall": 0.5},
    )
    yield Register(name=name, origin=origin, version=number, tags=_TAGS)
    if number % _STAGED == 0:
        stage = ("Staging", "Production")[number // _STAGED % 2]
        yield Transition(name=name, selector=version_selector(number), stage=stage)
    if number % _NAMED == 0:
        yield SetAlias(name=name, alias="champion", selector=version_selector(number))


def asks(shape: Shape, *, squash: bool) -> Iterator[Ask]:
    """One for each event, in the order of time, or one for each model."""
    names = [model_name(n) for n in range(shape.models)]
    numbers = range(1, shape.versions + 1)
    if squash:
        for at, name in enumerate(names):
            yield _ask([each for number in numbers for each in events(name, number)], at)
    else:
        for at, (number, name) in enumerate(product(numbers, names)):
            for request in events(name, number):
                yield _ask([request], at)


def _ask(requests: list[Request], minutes: int) -> Ask:
    when: datetime = BEGAN + timedelta(minutes=minutes)
    return Ask(requests=requests, author=PERSON, committer=PERSON, clock=lambda: when, committed=utc_now)


def write(place: Path, shape: Shape, *, squash: bool, chunk: int) -> list[float]:
    """Write it all; gives the seconds that each chunk took."""
    took = []
    rest = asks(shape, squash=squash)
    with Store(Repository.at(place)) as store:
        while part := list(islice(rest, chunk)):
            began = time.perf_counter()
            apply_each(store, part, lambda receipt: None)
            took.append(time.perf_counter() - began)
    return took


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure one shape, written one way."""
    parser = argparse.ArgumentParser()
    parser.add_argument("way", choices=("each", "squash"))
    parser.add_argument("models", type=int)
    parser.add_argument("versions", type=int)
    parser.add_argument("--chunk", type=int, default=CHUNK)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--keep", type=Path, help="make the registry here and leave it")
    given = parser.parse_args()
    shape = Shape(models=given.models, versions=given.versions)
    with tempfile.TemporaryDirectory() as folder:
        place = given.keep or Path(folder) / "registry"
        create_bare(place, settings=Settings(), branch=None, env=os.environ, now=BEGAN)
        before = _peak()
        act = partial(write, place, shape, squash=given.way == "squash", chunk=given.chunk)
        profile = cProfile.Profile()
        began, used = time.perf_counter(), time.process_time()
        took = profile.runcall(act) if given.profile else act()
        seconds = time.perf_counter() - began
        busy = time.process_time() - used
    print(
        f"{given.way}, {shape}: {shape.total / seconds:,.0f} versions/s, {seconds:.1f} s "
        f"({busy:.1f} s of the processor), "
        f"peak {_peak():.0f} MB (before: {before:.0f}), chunks of {given.chunk:,}: "
        + " ".join(f"{each:.2f}" for each in took)
    )
    if given.profile:
        pstats.Stats(profile, stream=sys.stdout).sort_stats("cumulative").print_stats(60)


if __name__ == "__main__":
    main()
