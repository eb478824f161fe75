"""How checks ask: an error that must come, a page walked to its end, values without what is random in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

INVALID = "INVALID_PARAMETER_VALUE"
MISSING = "RESOURCE_DOES_NOT_EXIST"
EXISTS = "RESOURCE_ALREADY_EXISTS"
INTERNAL = "INTERNAL_ERROR"


@contextmanager
def refused(code: str, message: str | re.Pattern[str]) -> Iterator[list[str]]:
    """The call raises ``MlflowException`` with this code and message (whole, or a pattern found in it).

    Gives a list in which the message stands afterwards.
    """
    told: list[str] = []
    with pytest.raises(MlflowException) as caught:
        yield told
    assert caught.value.error_code == code, caught.value
    told.append(caught.value.message)
    if isinstance(message, str):
        assert caught.value.message == message
    else:
        assert message.search(caught.value.message), caught.value.message


def names(entities: Any) -> list[str]:
    return [entity.name for entity in entities]


def numbers(entities: Any) -> list[tuple[str, int]]:
    return [(entity.name, int(entity.version)) for entity in entities]


def pages(search: Callable[..., Any], **asked: Any) -> list[list[Any]]:
    """The pages of a search, walked by their tokens."""
    found, token = [], None
    for _ in range(1000):
        page = search(**asked, page_token=token)
        found.append(list(page))
        token = page.token
        if not token:
            return found
    raise AssertionError("the tokens go round in a circle")
