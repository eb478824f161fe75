"""Source URIs as text: which are refused, which name local files, which carry secrets."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import unquote

from gitreg.domain.names import shown
from gitreg.errors import InvalidInput

MAX_SOURCE_BYTES = 8192

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")
_USERINFO = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^/?#\s@]*)@")
# "@sha256:" begins the digest in docker://image:tag@sha256:…, where nothing is secret.
_PASSWORD = re.compile(r"(?P<open>[A-Za-z][A-Za-z0-9+.-]*://[^/?#\s:@]*):[^/?#\s]*@(?!sha\d+:)")
_LOCAL_FILE = re.compile(r"file:(?://(?:localhost)?)?(?P<path>/[^?#]*)", re.IGNORECASE)
_QUERY_KEY = re.compile(r"[?&#;]([^=?&#;]+)=(?=[^&#;])")
_SECRET_KEY = re.compile(
    r"sig|(?:x-(?:amz|goog)-)?(?:signature|credential|security-token)|(?:\w*[_-])?token|password|passwd|pwd"
    r"|(?:\w*[_-])?secret(?:[_-]\w+)?|api[_-]?key|awsaccesskeyid|access[_-]?key(?:[_-]id)?|auth",
    re.IGNORECASE,
)
# Zl and Zp end a line for some readers although they are no control characters.
_UNPRINTABLE = frozenset({"Cc", "Zl", "Zp"})


def check_source(source: str) -> tuple[str, ...]:
    """Return what the user should be warned of about a source, without looking at anything.

    Args:
        source: A URI or a local path, as the user gave it.

    Raises:
        InvalidInput: It is blank, too long, not UTF-8, holds control characters or a password, or
            climbs with ``..`` (MLflow's server refuses the same spellings for a version's source).
    """
    fault = _fault(source)
    if fault:
        raise InvalidInput(fault[0], where="source", hint=fault[1])
    return _secrets_in(source)


def _fault(source: str) -> tuple[str, str] | None:
    if not source.strip():
        return (
            "the source is blank",
            "give a URI or a path: gitreg register NAME SOURCE",
        )
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError:
        return (
            f"the source {shown(source)} is not UTF-8",
            "rename the file, or percent-encode it in a URI",
        )
    if size > MAX_SOURCE_BYTES:
        return f"the source is {size} bytes long, over {MAX_SOURCE_BYTES}", ""
    if not source.isprintable() and any(unicodedata.category(char) in _UNPRINTABLE for char in source):
        return (
            f"the source {shown(source)} holds a control character",
            "percent-encode it in a URI",
        )
    if _PASSWORD.match(source):
        return (
            f"the source {shown(without_secrets(source))} carried a password; a registry is no place for one",
            "leave it out of the URI and give it to the tool that reads the model",
        )
    if _climbs(source):
        return (
            f'the source {shown(source)} climbs out of its own path with ".."',
            "give the path it leads to",
        )
    return None


def _climbs(source: str) -> bool:
    """Whether ``..`` is a part of the path, however it is spelled; plain local paths may have it."""
    text = source
    for _ in range(10):  # MLflow's bound for repeated percent-encoding
        decoded = unquote(text)
        if decoded == text:
            break
        text = decoded
    plain_path = text == source and not has_scheme(source) and "\\" not in source
    return not plain_path and ".." in re.split(r"[/\\?#:=&;]", text)


def has_scheme(source: str) -> bool:
    """Whether ``source`` is a URI rather than a path (one letter is a Windows drive, not a scheme)."""
    return bool(_SCHEME.match(source))


def local_path(source: str, *, cwd: Path) -> Path | None:
    """The path that ``source`` names on this machine, or None; nothing is looked at.

    Args:
        source: A ``file:`` URI without a foreign host, or a path without scheme and backslash.
        cwd: Where relative paths begin.
    """
    if has_scheme(source):
        match = _LOCAL_FILE.fullmatch(source)
        text = unquote(match["path"], errors="surrogateescape") if match else ""
        # "//host/share" means something else than a path to many a reader.
        if not text or text.startswith("//") or any(unicodedata.category(c) in _UNPRINTABLE for c in text):
            return None
        return Path(text)
    return None if "\\" in source or source.startswith("//") else cwd / source


def _secrets_in(source: str) -> tuple[str, ...]:
    warnings = []
    user = _USERINFO.match(source)
    if user and user["scheme"].lower().endswith(("http://", "https://")):
        warnings.append('the source names a user before "@"; if that is a token, it will be committed')
    keys = [key for key in _QUERY_KEY.findall(source) if _SECRET_KEY.fullmatch(key)]
    if keys:
        warnings.append(
            f"the source's query holds {shown(keys[0])}, which looks like a secret and will be committed: "
            "register the URI without its query"
        )
    return tuple(warnings)


def without_secrets(text: str) -> str:
    """``text`` with user and password taken out of every ``http`` URL and the password out of all others."""
    text = _PASSWORD.sub(lambda match: f"{match['open']}@", text)
    return _USERINFO.sub(
        lambda match: (
            match["scheme"] if match["scheme"].lower().endswith(("http://", "https://")) else match[0]
        ),
        text,
    )
