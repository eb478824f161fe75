from __future__ import annotations

import pytest

pytest.register_assert_rewrite("tests.index.proof", "tests.index.rows", "tests.index.adding")
