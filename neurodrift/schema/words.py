"""Lists, a p, and a loss that rises, as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_RISES, _RISES_AGAIN = 1.05, 2.0  # last over first loss, last over lowest
_MATTERS = 0.05  # of the first loss, by which it rises again


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


def p_words(p: float) -> str:
    """A p as a sentence has it.

    Parameters
    ----------
    p
        A probability.

    Returns
    -------
    str
        Two digits, or that it is below .001.

    Examples
    --------
    >>> from neurodrift.schema.words import p_words
    >>> p_words(0.0004), p_words(0.0312)
    ('p < .001', 'p = 0.031')
    """
    return "p < .001" if p < 0.001 else f"p = {p:.2g}"


def rise_of_loss(loss: Sequence[float] | np.ndarray, steps: Sequence[float] | np.ndarray) -> str:
    """Whether a loss rises over training, as part of a sentence.

    Parameters
    ----------
    loss
        (step) training loss, NaN where it is not known.
    steps
        (step) training steps.

    Returns
    -------
    str
        From where to where; empty where the last loss is neither above the first one nor, by some
        of it, twice the lowest.

    Examples
    --------
    >>> from neurodrift.schema.words import rise_of_loss
    >>> rise_of_loss([1.0, 1.4, 2.0], [0, 10, 20])
    'the loss rises, from 1 at step 0 to 2 at step 20'
    >>> rise_of_loss([1.0, 0.1, 0.6], [0, 10, 20])
    'the loss rises again, from 0.1 at step 10 to 0.6 at step 20'
    >>> rise_of_loss([1.0, 0.1, 0.11], [0, 10, 20])
    ''
    """
    known = np.flatnonzero(np.isfinite(np.asarray(loss, dtype=float)))
    if known.size < 2:
        return ""
    values, at = np.asarray(loss, dtype=float)[known], np.asarray(steps)[known]
    first, low, last = 0, int(values.argmin()), values.size - 1
    again = values[last] - values[low] > _MATTERS * abs(values[first])
    if values[last] > _RISES * values[first]:
        start, words = first, "the loss rises"
    elif again and values[last] > _RISES_AGAIN * values[low]:
        start, words = low, "the loss rises again"
    else:
        return ""
    return (
        f"{words}, from {values[start]:.3g} at step {at[start]:g} to {values[last]:.3g} at step "
        f"{at[last]:g}"
    )
