"""Who owns a path by CODEOWNERS, in the dialects of GitHub, GitLab, and Gitea or Forgejo.

Sources: GitHub "About code owners" and gitignore(5); GitLab "Syntax of CODEOWNERS file" (its patterns are
those of Ruby's ``File.fnmatch``); Gitea "Code Owners". A line that can't be read owns nothing, as there.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Dialect = Literal["github", "gitlab", "gitea"]

_MOST_BYTES = 3 * 1024 * 1024  # GitHub does not look at a larger one
_SECONDS = 0.25  # of the processor, for all lines and one path
_SECTION = re.compile(r"\^?\[([^\]]+)\](?:\[\d*\])?(?:\s+(.*))?")
_OWNER = re.compile(r"@\S+|[^@\s]+@[^@\s]+")
_GAP = re.compile(r"(?<!\\)\s+")
_NOTHING = "(?!)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line: which paths it is about, and who owns them.

    Attributes:
        expression: Found in the paths that it is about. It is compiled when a path is asked about that begins
            with ``prefix``: compiling all lines of a large file would take minutes.
        owners: ``@name``, ``@org/team`` or e-mail addresses; empty: nobody.
        section: GitLab's section, without regard to case; ``""`` elsewhere.
        inverted: It is about the paths that do not match (Gitea's ``!``).
        excluding: Its section leaves those that match without an owner, whatever the other lines say
            (GitLab's ``!``).
        prefix: How every path begins that it is about, as far as that is plain text.
    """

    expression: str
    owners: tuple[str, ...]
    section: str = ""
    inverted: bool = False
    excluding: bool = False
    prefix: str = ""

    def fits(self, path: str, seconds: float) -> bool:
        """Whether it is about a path; a line that can't be read is about none.

        Raises:
            TimeoutError: It took more than ``seconds`` of the processor's time to tell.
        """
        if not path.startswith(self.prefix):
            return False
        from gitreg.policy.patterns import BadPattern, found  # only those who go by CODEOWNERS need it

        try:
            return found(self.expression, path, seconds=seconds) is not self.inverted
        except BadPattern:
            return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Owners:
    """The rules of one file, in its order."""

    dialect: Dialect
    rules: tuple[Rule, ...]

    def owners_of(self, path: str) -> tuple[str, ...]:
        """Who owns a path, from the repository's root.

        On GitHub and GitLab the last line that fits says it, on GitLab in each section; on Gitea every line
        that fits counts. Nobody does where that can't be told in time.
        """
        try:
            fitting = list(self._fitting(path))
        except TimeoutError:
            return ()
        if self.dialect == "gitea":
            return _unique(owner for rule in fitting for owner in rule.owners)
        last = {rule.section: rule for rule in fitting}
        left_out = {rule.section for rule in fitting if rule.excluding}
        named = (rule for section, rule in last.items() if section not in left_out)
        return _unique(owner for rule in named for owner in rule.owners)

    def _fitting(self, path: str) -> Iterator[Rule]:
        end = time.thread_time() + _SECONDS
        for rule in self.rules:
            left = end - time.thread_time()
            if left <= 0:
                raise TimeoutError
            if rule.fits(path, left):
                yield rule


def dialect_of(path: str, forge: str = "auto") -> Dialect:
    """The dialect that a file at ``path`` is written in: its folder says so, else the hosting service.

    Args:
        path: From the repository's root.
        forge: ``proposals.forge`` of the settings; where that leaves it open it is GitHub's.
    """
    dialects: tuple[Dialect, ...] = ("github", "gitlab", "gitea")
    for each in dialects:
        if path.startswith(f".{each}/"):
            return each
    return next((each for each in dialects if each == forge), "github")


@lru_cache(maxsize=8)
def parse(data: bytes, dialect: Dialect) -> Owners:
    """Read a CODEOWNERS file."""
    text = data.decode("utf-8-sig", "replace") if len(data) <= _MOST_BYTES else ""
    lines = (line.strip() for line in text.split("\n"))
    kept = [line for line in lines if line and not line.startswith("#")]
    read = {"github": _github, "gitlab": _gitlab, "gitea": _gitea}[dialect]
    return Owners(dialect=dialect, rules=tuple(read(kept)))


def _github(lines: Iterable[str]) -> Iterator[Rule]:
    for line in lines:
        pattern, *owners = _GAP.split(_without_comment(line))
        if pattern.startswith(("!", "\\#")) or "[" in pattern:  # these forms of gitignore do not work there
            continue
        if all(_OWNER.fullmatch(each) for each in owners):  # else it leaves out the whole line
            pattern = pattern.replace("\\ ", " ")
            start = _plain(pattern) if "/" in pattern.rstrip("/") else ""
            yield Rule(expression=_ignored(pattern), owners=tuple(owners), prefix=start)


def _gitlab(lines: Iterable[str]) -> Iterator[Rule]:
    section, default = "", ()  # type: tuple[str, tuple[str, ...]]
    for line in lines:
        head = _SECTION.fullmatch(line)
        if head:
            section, default = head[1].strip().casefold(), _owners(head[2] or "")
            continue
        excluding = line.startswith("!")
        pattern, *rest = _GAP.split(_without_comment(line).removeprefix("!"), maxsplit=1)
        named = _owners(rest[0]) if rest else ()
        yield Rule(
            expression=_fnmatch(pattern),
            owners=named or default,
            section=section,
            excluding=excluding,
            prefix=_plain(pattern) if pattern.startswith("/") else "",
        )


def _gitea(lines: Iterable[str]) -> Iterator[Rule]:
    for line in lines:
        pattern, *owners = _tokens(line) or [""]
        named = tuple(each for each in owners if _OWNER.fullmatch(each))
        if named:
            # As there, without a group: "a|b" fits what begins with "a" or ends in "b".
            expression = f"^{pattern.removeprefix('!')}\\Z"
            yield Rule(expression=expression, owners=named, inverted=pattern.startswith("!"))


def _plain(pattern: str) -> str:
    """The beginning of a pattern, from the repository's root, that stands for itself."""
    return re.split(r"[*?\[\\]", pattern.lstrip("/"), maxsplit=1)[0].rstrip("/")


def _without_comment(line: str) -> str:
    return re.sub(r"(?<!\\)\s#.*", "", line)


def _owners(text: str) -> tuple[str, ...]:
    return tuple(each for each in text.split() if _OWNER.fullmatch(each))


def _tokens(line: str) -> list[str]:
    """The words of Gitea's line: a backslash takes any character as it is, ``#`` ends the line."""
    out = [""]
    taken = False
    for char in line.replace("\t", " "):
        if taken or char not in "\\# ":
            out[-1] += char
            taken = False
        elif char == "\\":
            taken = True
        elif char == "#":
            break
        else:
            out.append("")
    return [word for word in out if word]


def _ignored(pattern: str) -> str:
    """A pattern of gitignore's kind, as GitHub takes it, as a regular expression.

    With a slash in front or inside it is about that place alone, else about any; a folder's pattern is about
    all that lies in it.
    """
    parts = pattern.strip("/").split("/")
    if parts == [""]:
        return _NOTHING
    anchored = "/" in pattern.rstrip("/")
    out = "^" if anchored else "^(?:.*/)?"
    for part in parts[:-1]:
        out += "(?:.*/)?" if part == "**" else f"{_starred(part)}/"
    if parts[-1] == "**":
        return f"{out}.+\\Z"
    out += _starred(parts[-1])
    if pattern.endswith("/"):
        return f"{out}/.+\\Z"
    # docs/* owns the files of the folder, and not what lies deeper.
    return f"{out}\\Z" if anchored and parts[-1].endswith("*") else f"{out}(?:/.+)?\\Z"


def _starred(part: str) -> str:
    told = re.split(r"(\*+|\?)", part)
    return "".join(
        {"*": "[^/]*", "?": "[^/]"}.get(each[:1] if index % 2 else "", re.escape(each))
        for index, each in enumerate(told)
    )


_PIECES = re.compile(r"(\\.)|(?<=/)(\*\*/)|(\*+)|(\?)|(\[[!^]?\]?[^\]]*\])|(.)", re.DOTALL)


def _fnmatch(pattern: str) -> str:
    """A pattern of GitLab's, as ``File.fnmatch`` takes it, as a regular expression.

    Without a slash in front it is about any place, with one at its end about all that lies in the folder.
    """
    pattern = re.sub(r"\\\s", " ", pattern)
    pattern = "/**/*" if pattern == "*" else pattern if pattern.startswith("/") else f"/**/{pattern}"
    if pattern.endswith("/"):
        pattern = f"{pattern}**/*"
    out = ""
    for piece in _PIECES.finditer(pattern):
        escaped, folders, stars, any_one, chosen, _ = piece.groups()
        if folders:
            out += "(?:.*/)?"
        elif stars:
            out += "[^/]*"
        elif any_one:
            out += "[^/]"
        elif chosen:
            out += f"(?!/){_set(chosen)}"
        else:
            out += re.escape(escaped[1] if escaped else piece[0])
    return f"^{out.removeprefix('/')}\\Z"  # paths here have no slash in front


def _set(chosen: str) -> str:
    negated = chosen[1:2] in ("!", "^")
    inside = chosen[2 if negated else 1 : -1]
    told = "".join(char if char.isalnum() or char == "-" else f"\\{char}" for char in inside)
    return f"[{'^' * negated}{told}]"


def _unique(owners: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(owners))
