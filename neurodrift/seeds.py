"""One seed, one independent random stream for every named thing."""

from __future__ import annotations

import hashlib
import operator

import numpy as np


def generator(seed: int, *names: object) -> np.random.Generator:
    """Random generator that depends on the seed and on names, never on order.

    Two calls with equal seed and names give equal streams in any process, whatever was drawn
    before, so a result cannot depend on chunks, workers or the order of units.

    Parameters
    ----------
    seed
        Seed of the whole analysis, a non-negative integer.
    *names
        What the stream is for, most general first: a purpose, a session label, a unit label.
        Names are compared as strings, so the labels ``5`` and ``"5"`` share a stream.

    Returns
    -------
    numpy.random.Generator
        A PCG64 generator.

    Raises
    ------
    TypeError
        If the seed is not an integer.
    ValueError
        If the seed is negative.

    Examples
    --------
    >>> from neurodrift.seeds import generator
    >>> a = generator(7, "circular", "day 1", 12).integers(1000, size=3)
    >>> b = generator(7, "circular", "day 1", 12).integers(1000, size=3)
    >>> bool((a == b).all())
    True
    """
    try:
        seed = operator.index(seed)
    except TypeError:
        raise TypeError(f"seed is {seed!r}, expected a whole number of 0 or more") from None
    if seed < 0:
        raise ValueError(f"seed is {seed}; expected a non-negative integer")
    digest = hashlib.blake2b(digest_size=16)
    for name in names:
        encoded = str(name).encode()
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    words = np.frombuffer(digest.digest(), dtype="<u4")
    return np.random.default_rng(np.random.SeedSequence([seed, *(int(w) for w in words)]))
