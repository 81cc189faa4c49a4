"""Maps, population vectors and mean rates of two sessions, held against each other."""

from __future__ import annotations

import numpy as np

from neurodrift.infer.measures.products import population_similarity, unit_similarity
from neurodrift.infer.measures.view import View


def maps(view: View) -> np.ndarray:
    """(replicate, session, session) correlation of each unit's map, pooled over units."""
    values = view.weighted
    return unit_similarity(view, values - values.mean(axis=-1, keepdims=True))


def vectors(view: View) -> np.ndarray:
    """(replicate, session, session) correlation of population vectors, pooled over conditions."""
    return population_similarity(view, view.rate)


def rates(view: View) -> np.ndarray:
    """(replicate, session, session) correlation of the units' mean rates."""
    return population_similarity(view, view.rate.mean(axis=-1, keepdims=True))
