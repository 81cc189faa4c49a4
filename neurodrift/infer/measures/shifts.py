"""How far fields move, whether by small steps or by jumps, and whether one step follows the last.

A field's place is the phase of the first harmonic of its map along the segment, once round. On a
line its two ends are taken to be neighbours, which is wrong only for moves from one to the other.
With moves D, the mean of cos D comes from products of halves, and that of cos 2D from the second
harmonic. Changes of rate do not enter: products of rates are taken out.
"""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.pairs import Pairs, mean_of
from neurodrift.infer.measures.products import unit_similarity
from neurodrift.infer.measures.tuning import LEAST_BINS
from neurodrift.infer.measures.view import View

LEAST_MOVE = 0.01
"""Loss of the mean cosine below which the shape of moves is not told."""


def shifts(view: View, pairs: Pairs) -> dict[str, np.ndarray]:
    """Scale, tails and succession of moves of fields.

    Parameters
    ----------
    view
        What was seen.
    pairs
        Of its sessions.

    Returns
    -------
    dict
        ``scale``: 1 less the mean cosine of the move to the next session; ``tails``: 0 where moves
        are small and many (Gaussian), 1 where a field seldom moves but then anywhere;
        ``neighbours``: logarithm of the mean cosine over two steps over twice that of one, less 1:
        0 for a walk, -.5 for jitter, 1 for moves that go on.
    """
    names, where = np.unique(view.segment, return_inverse=True)
    n_bins = np.bincount(where).min() if names.size else 0
    if view.geometry == "none" or n_bins < LEAST_BINS or view.n_sessions < 2:
        return dict.fromkeys(("scale", "tails", "neighbours"), np.full(len(view.kept), np.nan))
    values = view.weighted
    members = [np.flatnonzero(where == number) for number in range(names.size)]
    means = np.stack([values[..., own].mean(axis=-1) for own in members], axis=-1)
    even = unit_similarity(view, means)
    one, two = (unit_similarity(view, _harmonic(values, members, order)) / even for order in (1, 2))
    first = one[:, pairs.first, pairs.second]
    second = two[:, pairs.first, pairs.second]
    double = pairs.second - pairs.first == 2
    near = mean_of(first, pairs.near)
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(near < 1 - LEAST_MOVE, -np.log(near), np.nan)
        wide = -np.log(np.maximum(mean_of(second, pairs.near), 0.01))
        later = -np.log(np.maximum(mean_of(first, double), 0.01))
    return {
        "scale": 1 - near,
        "tails": np.clip((4 - wide / lost) / 3, -1.0, 2.0),
        "neighbours": np.clip(later / (2 * lost) - 1, -1.0, 2.0),
    }


def _harmonic(values: np.ndarray, members: list[np.ndarray], order: int) -> np.ndarray:
    """(unit, session, half, 2 * segment) cosine and sine part of each segment's map."""
    found = []
    for own in members:
        angle = 2 * np.pi * order * (np.arange(own.size) + 0.5) / own.size
        found += [values[..., own] @ wave / own.size for wave in (np.cos(angle), np.sin(angle))]
    return np.stack(found, axis=-1)
