"""Distances from the runs of each rule."""

from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.doubt.clouds import (
    _left_out,
    _shrink,
)
from tests.infer.clouds import draws


def test_left_out__is_the_distance_from_all_others():
    rng = np.random.default_rng(0)
    x = draws(rng, 40, 6) @ rng.normal(size=(6, 6))
    found = _left_out(x - x.mean(axis=0))
    part = _shrink(40, 6)
    diagonal = part * np.diag(np.cov(x.T).diagonal())
    for i in (0, 7, 39):
        others = np.delete(x, i, axis=0)
        covariance = (1 - part) * np.cov(others.T) + diagonal
        apart = x[i] - others.mean(axis=0)
        assert found[i] == pytest.approx(apart @ np.linalg.inv(covariance) @ apart)
