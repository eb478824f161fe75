"""A bulk write that is killed at one point of it, as a command.

    python -m tests.registry.bulk_victim PLACE COUNT POINT

Writes COUNT versions of the model ``m``, one commit each, published together. POINT is ``asks:N`` (the
process dies before it makes the ask N), ``before:NAME`` or ``after:NAME``, a function of the write path.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gitreg.domain.model import Origin
from gitreg.domain.requests import Register
from gitreg.gitstore import journal, writer
from gitreg.gitstore.objects import Person
from gitreg.gitstore.pack import PackSink
from gitreg.gitstore.repository import Repository
from gitreg.registry.clock import utc_now
from gitreg.registry.store import Store
from gitreg.registry.tagbook import TagBook
from gitreg.registry.write import Ask, apply_each

THEN = datetime(2020, 1, 1, tzinfo=UTC)
ADA = Person(name="Ada Lovelace", email="ada@example.com")
PLACES: dict[str, tuple[Any, str]] = {
    "save": (journal, "save"),
    "flush": (PackSink, "flush"),
    "add_tags": (writer, "add_tags"),
    "stands": (PackSink, "stands"),
    "clear": (journal, "clear"),
    "completed": (TagBook, "completed"),
}


def main() -> None:
    place, count, point = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    when, _, name = point.partition(":")
    if when in ("before", "after"):
        owner, attribute = PLACES[name]
        setattr(owner, attribute, _deadly(getattr(owner, attribute), when))
    last = int(name) if when == "asks" else count
    with Store(Repository.discover(place)) as store:
        apply_each(store, _asks(count, last), lambda receipt: None)
    print("done", flush=True)


def _asks(count: int, last: int) -> Iterator[Ask]:
    for number in range(1, count + 1):
        if number > last:
            _die()
        request = Register(name="m", origin=Origin(source=f"s3://m/{number}"))
        yield Ask(requests=[request], author=ADA, committer=ADA, clock=lambda: THEN, committed=utc_now)


def _deadly(real: Callable[..., Any], when: str) -> Callable[..., Any]:
    def called(*args: Any, **named: Any) -> Any:
        if when == "before":
            _die()
        real(*args, **named)
        _die()

    return called


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
