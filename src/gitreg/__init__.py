"""gitreg: a model registry whose database is a Git repository.

``gitreg.open(path)`` gives a ``Registry``; ``gitreg.register_model`` and ``gitreg.Client`` have the
names of MLflow's registry client. Everything is imported when it is first used, so that a command
that needs little starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gitreg.domain.model import (
        Artifact,
        Code,
        Dataset,
        Evaluation,
        ModelVersion,
        Origin,
        RegisteredModel,
    )
    from gitreg.errors import GitregError
    from gitreg.registry.client import Client, register_model
    from gitreg.registry.open import open_registry as open  # noqa: A004 (the name that the API promises)
    from gitreg.registry.registry import Registry

__version__ = "0.1.0"

__all__ = [
    "Artifact",
    "Client",
    "Code",
    "Dataset",
    "Evaluation",
    "GitregError",
    "ModelVersion",
    "Origin",
    "RegisteredModel",
    "Registry",
    "__version__",
    "open",
    "register_model",
]

_HOMES = {
    "Client": "gitreg.registry.client:Client",
    "GitregError": "gitreg.errors:GitregError",
    "Registry": "gitreg.registry.registry:Registry",
    "open": "gitreg.registry.open:open_registry",
    "register_model": "gitreg.registry.client:register_model",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gitreg' has no attribute {name!r}")
    import importlib

    module, _, attribute = _HOMES.get(name, f"gitreg.domain.model:{name}").partition(":")
    value = getattr(importlib.import_module(module), attribute)
    globals()[name] = value
    return value
