"""``gitreg completion``, and what the shell asks while somebody types.

Everything here is silent: when the registry can't be read there is nothing to offer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    ShellComplete,
    add_completion_class,
    get_completion_class,
    split_arg_string,
)

from gitreg.cli import output
from gitreg.cli.options import open_store

if TYPE_CHECKING:
    from gitreg.registry.view import View

_MOST = 200
# What every shell takes as one word as it is. A name like $(…) would be run by the shell that it is
# offered to, so it is never offered.
_PLAIN = re.compile(r"[\w.@/:+%-]+")

_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line kind value
    COMPREPLY=()
    # Bash splits words at @, = and : too; gitreg gets the whole line and splits it as a shell does.
    for line in $(COMP_LINE="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" \
%(complete_var)s=bash_complete %(prog_name)s 2>/dev/null); do
        kind=${line%%%%,*} value=${line#*,}
        case $kind in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            *) COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
# For `git reg …`: Git's own completion looks for a function of this name.
_git_reg() { COMP_LINE="%(prog_name)s ${COMP_LINE#*reg }" COMP_POINT=${#COMP_LINE} %(complete_func)s; }
"""


class Bash(BashComplete):
    """Bash, with words that hold ``@`` and ``=`` completed as one."""

    source_template = _BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the cursor and the one under it, from the line itself."""
        line = os.environ["COMP_LINE"]
        words = split_arg_string(line)[1:]
        incomplete = "" if line[-1:].isspace() or not words else words.pop()
        return words, incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """``type,value``, the value without what Bash does not replace: all up to the last break."""
        breaks = set(os.environ.get("COMP_BREAKS", "")) & set("@=:")
        _, incomplete = self.get_completion_args()
        kept = max((incomplete.rfind(char) for char in breaks), default=-1) + 1
        return f"{item.type},{item.value[kept:]}"


add_completion_class(Bash, "bash")


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """Print the script that completes gitreg in a shell.

    \b
    bash:  eval "$(gitreg completion bash)"     in ~/.bashrc
    zsh:   eval "$(gitreg completion zsh)"      in ~/.zshrc
    fish:  gitreg completion fish > ~/.config/fish/completions/gitreg.fish
    """  # noqa: D301 (click's mark for lines that stay as they are is the character itself)
    from gitreg.cli.app import COMPLETE_VARIABLE, PROGRAM, cli

    found: type[ShellComplete] | None = get_completion_class(shell)
    assert found is not None  # click.Choice lets no other through
    made = found(cli, {}, PROGRAM, COMPLETE_VARIABLE)
    output.block((made.source_template % made.source_vars()).rstrip("\n"))


def candidates(what: str, incomplete: str, context: click.Context) -> list[CompletionItem]:
    """What ``incomplete`` can become.

    Args:
        what: ``names``, ``uris``, ``stages`` or ``rules``.
        incomplete: What was typed so far.
        context: Of the command that is typed; it may name the registry.
    """
    try:
        if what == "rules":
            return _items(_rules(), incomplete)
        with open_store(context) as store:
            return _items(_SOURCES[what](store.view(store.head()), incomplete), incomplete)
    except Exception:  # noqa: BLE001 (nothing may land in the line that is being typed)
        return []


def _items(found: Iterable[str], incomplete: str) -> list[CompletionItem]:
    matching = (text for text in found if text.startswith(incomplete) and _PLAIN.fullmatch(text))
    return [CompletionItem(text) for _, text in zip(range(_MOST), matching, strict=False)]


def _rules() -> Iterator[str]:
    from gitreg.manifest.rules import RULES

    return iter(RULES)


def _names(view: View, incomplete: str) -> Iterator[str]:
    from gitreg.domain.model import RegisteredModel

    for name in sorted(name for name, _ in view.states.folders() if name.startswith(incomplete)):
        if isinstance(view.state(name).model, RegisteredModel):
            yield name


def _uris(view: View, incomplete: str) -> Iterator[str]:
    prefix = "models:/" if incomplete.startswith("models:/") else ""
    rest = incomplete.removeprefix(prefix)
    name, slash, _ = rest.partition("/")
    if slash:
        state = view.state(name)
        for number in sorted(state.versions, reverse=True):
            if not incomplete[len(prefix) + len(name) + 1 :] or str(number).startswith(rest[len(name) + 1 :]):
                yield f"{prefix}{name}/{number}"
        yield f"{prefix}{name}/latest"
        yield from (f"{prefix}{name}/{stage.name}" for stage in view.settings.stages)
        return
    name, at, _ = rest.rpartition("@")
    if at:
        yield from (f"{prefix}{name}@{alias}" for alias in sorted(view.model(name).aliases))
        return
    yield from (f"{prefix}{name}" for name in _names(view, rest))


def _stages(view: View, incomplete: str) -> Iterator[str]:
    yield from (stage.name for stage in view.settings.stages)


_SOURCES = {"names": _names, "uris": _uris, "stages": _stages}
