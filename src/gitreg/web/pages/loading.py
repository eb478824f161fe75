"""How a version is loaded: a few lines to copy for each way there is."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from gitreg.domain.model import ModelVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Code for one way.

    Attributes:
        id: Of its element, unlike others on the page.
        title: What it is for.
        code: To copy.
    """

    id: str
    title: str
    code: str


_TRACKED = re.compile(r"runs:/|models:/m-")
"""Sources that an MLflow tracking server resolves."""
_TOKEN = "MLFLOW_TRACKING_TOKEN"  # noqa: S105 (the name of a variable)


def snippets(
    version: ModelVersion, *, origin: str, pointers: Sequence[str], token: bool = False
) -> list[Snippet]:
    """The ways to load a version.

    Args:
        version: Which one.
        origin: Where the server is; ``""`` where there is none, only files made from the registry.
        pointers: What else leads to it and moves on with time: ``/Production``, ``@champion``.
        token: Whether the server asks for one.
    """
    uri = f"{version.name}/{version.version}"
    store = origin or "gitreg+file:///path/to/the/clone"
    follows = f"models:/{version.name}{pointers[0]}" if pointers else ""
    loads = ["import mlflow", ""]
    if token:
        loads.append(f"# needs {_TOKEN} in the environment: a token of this server")
    if _TRACKED.match(version.source):
        loads.append('mlflow.set_tracking_uri("…")  # the server that has the run')
    loads += [
        f"mlflow.set_registry_uri({_text(store)})",
        f"model = mlflow.pyfunc.load_model({_text(f'models:/{uri}')})",
    ]
    if follows:
        loads.append(f"# {_text(follows)} follows whichever version is there")
    made = [
        Snippet(id="load-mlflow", title="MLflow", code="\n".join(loads)),
        Snippet(
            id="load-cli",
            title="Command line",
            code=f"gitreg resolve {argument(uri)}\ngitreg show {argument(uri)} --json",
        ),
        Snippet(
            id="load-python",
            title="Python",
            code="import gitreg\n\n"
            'with gitreg.open("/path/to/the/clone") as registry:\n'
            f"    version = registry.version({_text(uri)})\n"
            "    print(version.source, version.metrics)",
        ),
    ]
    if origin:
        address = f"{origin}/api/v1/models/{quote(version.name, safe='')}/versions/{version.version}"
        sent = f'-H "Authorization: Bearer ${_TOKEN}" ' if token else ""
        made.append(Snippet(id="load-curl", title="HTTP", code=f"curl {sent}{shlex.quote(address)}"))
    return made


def _text(said: str) -> str:
    """A Python string literal, with double quotes where that needs no escapes."""
    literal = repr(said)
    return f'"{literal[1:-1]}"' if literal[0] == "'" and '"' not in literal else literal


def argument(said: str) -> str:
    """One word of a shell's command line; a name with a hyphen in front is no option."""
    return ("-- " if said.startswith("-") else "") + shlex.quote(said)
