from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from typing import Any

import pytest

RAW = (
    "broadcast",
    "not iterable",
    "has no attribute",
    "not supported between",
    "unsupported operand",
    "unhashable",
    "not subscriptable",
    "ambiguous",
    "out of bounds",
    "has no len",
)
"""Words of other packages' messages, which tell a user nothing."""


@pytest.fixture
def judge() -> Callable[[Callable[[], Any], Any], None]:
    """Holds a careless call to what is expected of it.

    A text: refused by a ValueError or TypeError whose message begins so or holds it. A function:
    what the call gives is right. Any other exception is a fault, whatever it says.
    """

    def held(call: Callable[[], Any], expected: Any) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if not isinstance(expected, str):
                assert expected(call())
                return
            try:
                found = call()
            except (ValueError, TypeError, FileNotFoundError, FileExistsError) as error:
                text = " ".join(str(error).split())
                assert re.search(re.escape(expected), text), text
                assert not any(word in text for word in RAW), text
                return
        raise AssertionError(f"taken silently: {found!r:.200}")

    return held
