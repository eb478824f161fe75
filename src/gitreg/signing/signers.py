"""Whose key is whose: ``keys/allowed_signers``, in OpenSSH's format (ssh-keygen(1), ALLOWED SIGNERS)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from gitreg.domain.approval import address_key
from gitreg.domain.findings import Finding
from gitreg.domain.names import twin_key
from gitreg.errors import InvalidManifests, NotAllowed
from gitreg.signing.sshsig import PublicKey

_PATH = "keys/allowed_signers"
_MOST_BYTES = 1024 * 1024
_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com",
        "sk-ecdsa-sha2-nistp256@openssh.com",
    }
)
_WORD = re.compile(r'([^ \t"]*(?:"[^"]*"[^ \t"]*)*)(?:[ \t]+|$)')
_TYPE = re.compile(r"(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+")  # of a key, whether supported or not
_OPTION = re.compile(r'([A-Za-z-]+)(?:="([^"]*)")?(?:,(?!$)|$)')
_TIME = re.compile(r"(\d{8})(\d{4}(?:\d{2})?)?(?:Z|UTC)?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One human being, by all the names that the file gives; ``@org/team`` among them is a group."""

    principals: frozenset[str]

    def answers_to(self, name: str) -> bool:
        """Whether ``name`` is one of the principals; the case of A–Z does not count."""
        return address_key(name) in set(map(address_key, self.principals))

    def may_be(self, name: str) -> bool:
        """Whether ``name`` could be taken for one of the principals, by whatever rule letters are folded.

        For what somebody may not do: where in doubt it is they. What they may do is asked of ``answers_to``.
        """
        return twin_key(name) in set(map(twin_key, self.principals))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerLine:
    """One line of the file.

    Attributes:
        line: Its number, from 1.
        principals: Who holds the key.
        key: The public key.
        valid_after: Before it the key does not count.
        valid_before: After it the key does not count; that moment itself does, as for ssh-keygen.
        namespaces: Patterns of what it may sign; None for everything.
        comment: What follows the key.
    """

    line: int
    principals: tuple[str, ...]
    key: PublicKey
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    namespaces: tuple[str, ...] | None = None
    comment: str = ""


class Signers:
    """The persons of a registry and their keys.

    Lines that share a principal (groups aside) or a key are one person. Times without a ``Z`` are read as
    UTC, where ssh-keygen takes the machine's zone: a verdict must not depend on where it is made.

    Args:
        lines: Of the file, in order.
    """

    def __init__(self, lines: Iterable[SignerLine]) -> None:
        self.lines = tuple(lines)
        self._by_key: dict[bytes, list[SignerLine]] = {}
        for each in self.lines:
            self._by_key.setdefault(each.key.blob, []).append(each)
        self._persons = _persons(self.lines)
        self._by_name: dict[str, list[SignerLine]] = {}
        for each in self.lines:
            for name in dict.fromkeys(map(address_key, each.principals)):
                self._by_name.setdefault(name, []).append(each)

    @classmethod
    def parse(cls, data: bytes, *, path: str = _PATH) -> Signers:
        """Read the file's bytes.

        Args:
            data: Of the file; ``b""`` where there is none.
            path: For messages.

        Raises:
            InvalidManifests: A line can't be read (GR210), with file and line; all of them are told.
        """
        if len(data) > _MOST_BYTES:
            raise InvalidManifests([_finding(f"the file has more than {_MOST_BYTES} bytes", path, 0, "")])
        lines, faults = [], []
        for number, raw in enumerate(data.split(b"\n"), 1):
            text = raw.decode("utf-8", "replace").strip(" \t\r")
            if not text or text.startswith("#"):
                continue
            try:
                if "\ufffd" in text:
                    raise ValueError("it is not UTF-8")
                lines.append(_line(text, number))
            except ValueError as error:
                faults.append(_finding(str(error), path, number, text))
        if faults:
            raise InvalidManifests(faults)
        return cls(lines)

    @property
    def persons(self) -> tuple[Person, ...]:
        """Everybody, in the order of the file."""
        return tuple(dict.fromkeys(self._persons[each.line] for each in self.lines))

    def person_of_key(self, key: PublicKey) -> Person | None:
        """Who holds a key, whether it is valid or not; None for a stranger."""
        found = self._by_key.get(key.blob)
        return self._persons[found[0].line] if found else None

    def person_of(self, name: str) -> Person | None:
        """Who has that principal or e-mail; None for strangers and groups."""
        found = () if "/" in name else self.lines_of(name)
        return self._persons[found[0].line] if found else None

    def lines_of(self, name: str) -> Sequence[SignerLine]:
        """The lines that give a principal, a group among them; the case of A–Z does not count."""
        return self._by_name.get(address_key(name), ())

    def check(self, key: PublicKey, namespace: str, when: datetime) -> Person:
        """The person whose key it is, if it counts.

        Args:
            key: That signed.
            namespace: What it signed for.
            when: At what moment, with a zone.

        Raises:
            NotAllowed: Nobody's key, not valid at the time, or not for this purpose.
        """
        fault = f"the key {key.fingerprint} is nobody's"
        for line in self._by_key.get(key.blob, []):
            fault = _fault(line, namespace, when)
            if not fault:
                return self._persons[line.line]
        raise NotAllowed(
            fault,
            where=_PATH,
            hint="list the key in keys/allowed_signers, or sign with one that is listed and valid",
        )


def _fault(line: SignerLine, namespace: str, when: datetime) -> str:
    whose = f"the key {line.key.fingerprint} of {line.principals[0]!a} (line {line.line})"
    if line.namespaces is not None and not _allowed(line.namespaces, namespace):
        return f"{whose} may not sign for {namespace!a}"
    if line.valid_after is not None and when < line.valid_after:
        return f"{whose} is valid only after {line.valid_after:%Y-%m-%dT%H:%M:%SZ}"
    if line.valid_before is not None and when > line.valid_before:
        return f"{whose} was valid only before {line.valid_before:%Y-%m-%dT%H:%M:%SZ}"
    return ""


def _allowed(patterns: tuple[str, ...], namespace: str) -> bool:
    # As OpenSSH's match_pattern_list: one pattern with "!" that fits refuses, wherever it stands.
    # "[" is no wildcard there.
    fits = [p for p in patterns if fnmatchcase(namespace, p.removeprefix("!").replace("[", "[[]"))]
    return bool(fits) and not any(p.startswith("!") for p in fits)


def _persons(lines: tuple[SignerLine, ...]) -> dict[int, Person]:
    """Number of a line → who holds its key: lines with a principal or a key in common are one person's."""
    tied: dict[int, int] = {each.line: each.line for each in lines}  # to an earlier line, or to itself

    def first(line: int) -> int:
        while tied[line] != line:
            tied[line] = line = tied[tied[line]]
        return line

    seen: dict[object, int] = {}
    for each in lines:
        names = (address_key(name) for name in each.principals if "/" not in name)
        for tie in (each.key.blob, *names):
            one, other = sorted((first(each.line), first(seen.setdefault(tie, each.line))))
            tied[other] = one
    principals: dict[int, set[str]] = {}
    for each in lines:
        principals.setdefault(first(each.line), set()).update(each.principals)
    persons = {line: Person(principals=frozenset(names)) for line, names in principals.items()}
    return {each.line: persons[first(each.line)] for each in lines}


def _finding(message: str, path: str, line: int, text: str) -> Finding:
    return Finding(
        code="GR210",
        message=message,
        path=path,
        line=line,
        column=1 if line else 0,
        excerpt=text,
        help='write PRINCIPAL[,PRINCIPAL] [valid-before="20270101Z"] KEY-TYPE BASE64, as ssh-keygen(1) says',
    )


def _line(text: str, number: int) -> SignerLine:
    first, rest = _word(text)
    if _TYPE.fullmatch(first):
        raise ValueError("the line begins with the key: whose it is must stand before it")
    principals = tuple(first.strip('"').split(","))
    if not all(principals):
        raise ValueError("a name is missing beside a comma: lists of names hold no spaces")
    if any(set(name) & set('*?!"') for name in principals):
        raise ValueError("principals are plain names: patterns would make many persons one")
    kind, rest = _word(rest)
    options = ""
    if not _TYPE.fullmatch(kind):
        options, (kind, rest) = kind, _word(rest)
    given = _options(options)
    text, comment = _word(rest)
    if not (kind and text):
        raise ValueError("the line lacks principals, a key's type or a key")
    if kind not in _KEY_TYPES:
        raise ValueError(_other_type(kind))
    after, before = _moment(given.get("valid-after")), _moment(given.get("valid-before"))
    if after is not None and before is not None and before <= after:
        raise ValueError("valid-before is not after valid-after")
    namespaces = given.get("namespaces")
    return SignerLine(
        line=number,
        principals=principals,
        key=_key(kind, text),
        valid_after=after,
        valid_before=before,
        namespaces=None if namespaces is None else tuple(namespaces.split(",")),
        comment=" ".join(comment.split()),
    )


def _other_type(kind: str) -> str:
    if "-cert-" in kind:
        return f"{kind} is a certificate: list the key itself"
    if _TYPE.fullmatch(kind):
        return f"keys of the type {kind} are not supported: list ssh-ed25519, ECDSA or RSA keys"
    return f"a key's type is missing where {kind!a} stands; options hold no spaces"


def _word(text: str) -> tuple[str, str]:
    """The first word, in which quoted parts may hold spaces, and what follows it."""
    found = _WORD.match(text)
    if text and found is None:
        raise ValueError("a quotation mark has no other one")
    return (found[1], text[found.end() :]) if found else ("", "")


def _options(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        option = _OPTION.match(text, at)
        if option is None:
            raise ValueError("the options can't be read")
        name, value = option[1].lower(), option[2]
        if name == "cert-authority":
            raise ValueError("cert-authority is not supported: list the persons' keys themselves")
        if name not in ("valid-after", "valid-before", "namespaces") or not value:
            raise ValueError(f"the option {name} is unknown or has no value")
        if name in found:
            raise ValueError(f"the option {name} stands twice")
        found[name] = value
        at = option.end()
    return found


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError("times are written YYYYMMDD[HHMM[SS]][Z]")
    digits = (found[1] + (found[2] or "")).ljust(14, "0")
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise ValueError("a time names no day or hour of the calendar") from None


def _key(kind: str, text: str) -> PublicKey:
    try:
        key = PublicKey(blob=base64.b64decode(text, validate=True))
        # More padding than there must be is nothing to Python, and a fault to ssh-keygen.
        if key.key_type != kind or base64.b64encode(key.blob).decode() != text:
            raise ValueError
    except (ValueError, binascii.Error):
        raise ValueError(f"the key is no {kind} key in base64") from None
    return key
