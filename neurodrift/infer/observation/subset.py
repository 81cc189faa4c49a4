"""Some of many: inputs or sessions that stand for all, from the first to the last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from neurodrift.infer.observation.counts import Observed


def evenly(n: int, most: int) -> np.ndarray:
    """At most so many of n numbers from 0, evenly over all."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).astype(np.int64))


def nearest_sessions(times: np.ndarray, wanted: Sequence[float] | np.ndarray) -> np.ndarray:
    """Which sessions are nearest to wanted ones, when both go from the first to the last.

    Parameters
    ----------
    times
        Of all sessions (session), increasing.
    wanted
        Times of fewer sessions, increasing; their unit and beginning do not matter.

    Returns
    -------
    numpy.ndarray
        Numbers of sessions, each once. All of them where fewer than two are wanted, or as many as
        there are or more.

    Examples
    --------
    >>> import numpy as np
    >>> from neurodrift.infer.observation.subset import nearest_sessions
    >>> nearest_sessions(np.arange(8), [0, 1, 4]).tolist()
    [0, 2, 7]
    """
    if not 2 <= len(wanted) < times.size:
        return np.arange(times.size)
    at = (np.asarray(wanted) - wanted[0]) / (wanted[-1] - wanted[0])
    have = (times - times[0]) / (times[-1] - times[0])
    kept = np.abs(have[None] - at[:, None]).argmin(axis=1)
    for i in range(1, kept.size):  # a session is seen once
        kept[i] = max(kept[i], kept[i - 1] + 1)
    return np.minimum(kept, times.size - kept.size + np.arange(kept.size))


def some_sessions(seen: Observed, n: int | None) -> Observed:
    """So many sessions of what was seen, evenly from the first to the last.

    Parameters
    ----------
    seen
        What was seen.
    n
        Number of sessions; all when None.

    Returns
    -------
    Observed
        The sessions.

    Raises
    ------
    ValueError
        If there are not as many, or fewer than two are asked for.
    """
    if n is None:
        return seen
    n_sessions = seen.day.size
    if not 2 <= n <= n_sessions:
        raise ValueError(f"{n} sessions are asked for, expected 2 to {n_sessions}")
    even = np.round(np.linspace(0, n_sessions - 1, n))
    kept = nearest_sessions(np.arange(n_sessions), even)
    return replace(
        seen,
        events=seen.events[:, kept],
        seconds=seen.seconds[:, kept],
        detected=seen.detected[kept],
        day=seen.day[kept],
    )
