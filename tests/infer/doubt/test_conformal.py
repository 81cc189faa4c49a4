from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.doubt.conformal import conformal_p, half_width, surprise


def test_surprise__is_the_mass_above():
    p = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    assert surprise(p) == pytest.approx(np.array([[0, 0.5, 0.8], [0.8, 0.8, 0]]))


def test_conformal_p__counts():
    scores, weight = np.array([0.3, 0.1, 0.2, 0.2]), np.array([1.0, 2.0, 3.0, 4.0])
    for new in (0.05, 0.2, 0.25, 0.4):
        expected = (weight[scores >= new].sum() + 2.5) / 12.5
        assert conformal_p(scores, weight, np.array(new)) == pytest.approx(expected)


def test_half_width__counts():
    assert half_width(np.array([-3.0, 1.0, 2.0, 4.0, -5.0, 6.0, 7.0, 8.0, 9.0]), 0.9) == 9.0
    assert half_width(np.array([1.0, 2.0]), 0.9) == np.inf
