"""Codes that have nothing in common with a session but the statistics of its tuning.

What remains alike between such codes is made by the track and by the number of units, and is no
evidence that anything was kept. Noise is that of the recording: halves are drawn as they are.

On a circle each unit's maps are turned by an angle of their own. Elsewhere a turn would make a
circle of the track; each unit takes the maps of another one of about as many events, drawn with
replacement, in all running directions together, scaled to its own mean. Two codes that were drawn
from the same units then share some of them, and both have the accidents of the code that they come
from. How much they share is known from the draws, and is taken away: :attr:`Draw.shared`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from neurodrift.analysis.relations.codes import Codes
from neurodrift.seeds import generator

_DONORS = 20  # at least so many units to draw the maps of a unit from
_SHARE = 0.2  # of all units, if that is more


@dataclass(frozen=True, eq=False)
class Draw:
    """Every session of a recording, redrawn.

    Parameters
    ----------
    rate
        (session, half, unit, point)
    shared
        (session, session) sampling variance that two redrawn sessions share by being drawn from
        the same units, and on the diagonal that of each, relative to that of as many units that
        are all different. On a circle 0, and 1 on the diagonal.
    """

    rate: np.ndarray
    shared: np.ndarray


def unrelated_codes(codes: Codes, n_draws: int, seed: int) -> Iterator[Draw]:
    """Redraw every session so that no two have anything in common.

    Parameters
    ----------
    codes
        The recording.
    n_draws
        How often.
    seed
        Seed of the draws.

    Yields
    ------
    Draw
        Off a circle all sessions of a draw come from the units of one of them, each in turn.
    """
    sessions = [str(name) for name in codes.source["session"].values[codes.firsts]]
    sizes = np.array([_size(codes, s) for s in range(codes.n_sessions)])
    useful = [s for s in range(codes.n_sessions) if (sizes[s] > 0).sum() > 1]
    for k in range(n_draws):
        if codes.is_ring:
            rate = np.stack(
                [
                    turned(codes, s, generator(seed, "unrelated", k, sessions[s]))
                    for s in range(codes.n_sessions)
                ]
            )
            yield Draw(rate, np.eye(codes.n_sessions))
            continue
        if not useful:
            yield Draw(np.full_like(codes.rate, np.nan), np.eye(codes.n_sessions))
            continue
        source = useful[k % len(useful)]
        rng = [generator(seed, "unrelated", k, name) for name in sessions]
        yield _from_others(codes, sizes, source, rng)


def turned(codes: Codes, session: int, rng: np.random.Generator) -> np.ndarray:
    """A session on a circle with each unit's maps turned by an angle of their own.

    Parameters
    ----------
    codes
        A recording whose bins are a whole circle.
    session
        Number of the session.
    rng
        Draws the angles.

    Returns
    -------
    numpy.ndarray
        (half, unit, point)
    """
    n_bins = codes.centre.shape[0]
    shift = rng.integers(n_bins, size=codes.rate.shape[2])
    bins = np.subtract.outer(-np.asarray(shift), -codes.position) % n_bins
    at = codes.direction[None, :] * n_bins + bins
    rate: np.ndarray = codes.rate[session]
    return np.take_along_axis(rate, np.stack([at, at]), axis=-1)


def _size(codes: Codes, session: int) -> np.ndarray:
    """(unit) mean activity of a session, root mean square where it can be below 0; 0 for none."""
    some = codes.rate[session][:, :, codes.visited[session]]
    if not some.shape[-1]:
        return np.zeros(some.shape[1])
    mean = some.mean(axis=0)
    size = mean.mean(axis=-1) if codes.counts else np.sqrt((mean**2).mean(axis=-1))
    return np.where(np.isfinite(size), size, 0.0)


def _from_others(
    codes: Codes, sizes: np.ndarray, source: int, rngs: list[np.random.Generator]
) -> Draw:
    """Every session with maps of units of one session."""
    useful: np.ndarray = np.flatnonzero(sizes[source] > 0)
    some: np.ndarray = rngs[source].choice(
        useful, useful.size
    )  # the code that it is a sample of is not known
    pool = some[np.argsort(sizes[source][some], kind="stable")]
    known = sizes[source][pool]
    n_donors = min(pool.size, max(_DONORS, int(_SHARE * pool.size)))
    rate = np.empty_like(codes.rate)
    weights = np.zeros((codes.n_sessions, sizes.shape[1]))
    own = np.zeros(codes.n_sessions)
    for s, rng in enumerate(rngs):
        size = sizes[s]
        start = np.searchsorted(known, size) - n_donors // 2
        start = np.clip(start, 0, pool.size - n_donors)
        at = start + rng.integers(n_donors, size=size.size)
        rate[s] = codes.rate[source][:, pool[at]] * (size / known[at])[:, None]
        rate[s][:, ~codes.detected[s]] = np.nan
        power = np.where(codes.detected[s], size**2, 0.0)
        own[s] = np.sqrt((power**2).sum())
        np.add.at(weights[s], pool[at], power)
    norm = np.outer(own, own)
    shared = weights @ weights.T
    return Draw(rate, np.divide(shared, norm, out=np.zeros_like(norm), where=norm > 0))
