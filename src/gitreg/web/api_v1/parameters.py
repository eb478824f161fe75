"""The parameters that several operations share."""

from __future__ import annotations

from gitreg.registry.searching import MOST, PAGE
from gitreg.web.api_v1.operation import Parameter, Schema

TEXT: Schema = {"type": "string"}
SOME_TEXT: Schema = {"type": "string", "minLength": 1}
NUMBER: Schema = {"type": "integer", "minimum": 1, "maximum": 999_999_999}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": SOME_TEXT}

NAME = Parameter(
    name="name",
    where="path",
    schema=SOME_TEXT,
    description="The registered model's name, percent-encoded once.",
)
VERSION = Parameter(
    name="version",
    where="path",
    schema=SOME_TEXT,
    description="Which version: its number, a stage (the highest version that holds it), latest, or @alias.",
)
AT = Parameter(
    name="at",
    schema=SOME_TEXT,
    description=(
        "Answer as the registry was: a date (2026-01-15; a day means its end, UTC), a date with time, a "
        "commit, branch or tag."
    ),
)
LIMIT = Parameter(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": 1000, "default": PAGE},
    description="How many at most on a page.",
)
SEARCH_LIMIT = Parameter(
    name="limit",
    schema={"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE},
    description="How many at most on a page.",
)
PAGE_TOKEN = Parameter(
    name="page_token",
    schema=SOME_TEXT,
    description="next_page_token of the page before; all pages are of the commit of the first.",
)
FILTER = Parameter(
    name="filter",
    schema=TEXT,
    description="Such as metrics.auc > 0.9 AND stage = 'Production': MLflow's grammar and more.",
)
ORDER_BY = Parameter(
    name="order_by",
    schema=TEXTS,
    description="Such as metrics.auc DESC or name; may be repeated.",
)
STAGE = Parameter(name="stage", schema=SOME_TEXT, description="A stage of the registry.")
SINCE = Parameter(
    name="since", schema=SOME_TEXT, description="Only from this date on; a day means its beginning."
)
UNTIL = Parameter(name="until", schema=SOME_TEXT, description="Only up to this date; a day means its end.")
REASON = Parameter(name="reason", schema=TEXT, description="Why; it is kept in the tombstone.")
MESSAGE = Parameter(name="message", schema=TEXT, description="Why; it stands in the commit message.")
