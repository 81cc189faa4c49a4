"""Lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence


def listing(words: Sequence[str]) -> str:
    """Words one after the other, with "and" before the last.

    Parameters
    ----------
    words
        Words or names.

    Returns
    -------
    str
        ``a``, ``a and b``, ``a, b and c``; nothing of none.

    Examples
    --------
    >>> from neurodrift.schema.words import listing
    >>> listing(["a"]), listing(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
