"""With what the branches of proposals begin, so that commands find them again.

Registries that lie in folders of one repository share its branches, so theirs begin with the folder:
``gitreg/in/FOLDER/…``, where the registry at the root has ``gitreg/…``.
"""

from __future__ import annotations

import hashlib

from gitreg.domain.names import MAX_FOLDER_BYTES, folder, is_model_name

OURS = "gitreg/"
"""With this begin the branches of proposals that commands make."""

IN = f"{OURS}in/"
"""With this those of registries in folders; nothing that is proposed is of this kind."""


def home(prefix: str) -> str:
    """With what the branches of a registry's proposals begin.

    Args:
        prefix: The registry's folder in its repository, with a slash at its end; ``""``: none.
    """
    if not prefix:
        return OURS
    parts = [
        folder(each) if is_model_name(each) else short_digest(each) for each in prefix.split("/") if each
    ]
    name = "+".join(parts)
    return f"{IN}{name if len(name) <= MAX_FOLDER_BYTES else short_digest(prefix)}/"


def belongs(branch: str, prefix: str) -> bool:
    """Whether a branch is one of a proposal of the registry in a folder."""
    return branch.startswith(home(prefix)) and (bool(prefix) or not branch.startswith(IN))


def elsewhere(branch: str, prefix: str) -> bool:
    """Whether it is one of another registry of the repository."""
    return branch.startswith(OURS) and not belongs(branch, prefix)


def short_digest(text: str) -> str:
    """Eight hex digits of the SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
