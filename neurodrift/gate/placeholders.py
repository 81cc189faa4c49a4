"""The "?" that ``neurodrift inspect`` prints where something must be known: never taken for a name.

It would pass as the label of an animal, as the name of a series, or as a glob for any one letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PLACEHOLDER = "?"


def placeholders(values: Any) -> list[tuple[str | int, ...]]:
    """Where values are still a placeholder.

    Parameters
    ----------
    values
        A value, or lists and mappings of values within each other.

    Returns
    -------
    list of tuple
        Keys and places in lists that lead to each.

    Examples
    --------
    >>> from neurodrift.gate.placeholders import placeholders
    >>> placeholders({"subject": {"id": "?"}, "sessions": [{"session": 1}, {"session": "?"}]})
    [('subject', 'id'), ('sessions', 1, 'session')]
    """
    if isinstance(values, str):
        return [()] if values.strip() == PLACEHOLDER else []
    inner: Any = ()
    if isinstance(values, Mapping):
        inner = values.items()
    elif isinstance(values, list | tuple):
        inner = enumerate(values)
    return [(key, *place) for key, value in inner for place in placeholders(value)]


def refuse_placeholders(**values: Any) -> None:
    """Refuse options that are still a placeholder.

    Parameters
    ----------
    **values
        Options by their names.

    Raises
    ------
    ValueError
        If one is; all are named.

    Examples
    --------
    >>> from neurodrift.gate.placeholders import refuse_placeholders
    >>> refuse_placeholders(subject="m1", environment="track")
    >>> refuse_placeholders(subject="?", environment="track")
    Traceback (most recent call last):
    ...
    ValueError: subject is still '?', which inspect prints where something must be known: say it
    """
    found = list(dict.fromkeys(str(place[0]) for place in placeholders(values)))
    if found:
        are = "is" if len(found) == 1 else "are"
        raise ValueError(
            f"{', '.join(found)} {are} still {PLACEHOLDER!r}, which inspect prints where something "
            "must be known: say it"
        )
