"""Sites of small registries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gitreg.web.site.build import Built
from tests.web.site.building import build

pytest.register_assert_rewrite("tests.web.site.checking")

Build = Callable[..., Built]


@pytest.fixture
def site(place: Path, tmp_path: Path) -> Path:
    """The site of the registry as it stands."""
    out = tmp_path / "site"
    build(place, out)
    return out
