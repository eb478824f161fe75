"""Which way a change of the rules goes.

It *lowers* the bar where whatever satisfied the rules before still does, and more besides; it *raises* it the
other way round. Of what neither can be told for sure, it is said that it *changes* what is asked. *None*:
nobody is asked for anything else.
"""

from __future__ import annotations

from typing import Literal

Effect = Literal["lowers", "raises", "changes", "none"]

INVERSE: dict[Effect, Effect] = {"lowers": "raises", "raises": "lowers", "changes": "changes", "none": "none"}
"""The effect of taking a change back."""
