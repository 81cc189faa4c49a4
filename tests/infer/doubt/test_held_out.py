from __future__ import annotations

import numpy as np
import pytest

from neurodrift.infer.classifier.runs import runs_of
from neurodrift.infer.doubt.held_out import (
    better_than,
    measure_pairs,
    measure_reliability,
    measure_rules,
)
from tests.infer.clouds import table


def test_measure_rules__by_hand():
    prior = table(n=10, rules=("a", "b"))
    prior = prior.assign_coords(run=[f"{i:02d}" for i in range(20)])  # sorted as texts
    prior["weight"] = ("run", np.r_[np.full(5, 3.0), np.full(15, 1.0)])
    runs = runs_of(prior)
    p = np.full((20, 2), 0.5)
    p[:5] = (0.9, 0.1)  # right, of weight 3
    p[5:10] = (0.2, 0.8)  # wrong, of weight 1
    p[10:18] = (0.3, 0.7)  # right
    p[18:] = (0.6, 0.4)  # wrong
    found = measure_rules(np.log(p), runs)
    assert found["accuracy"].values == pytest.approx([0.75, 0.8])
    assert found["confusion"].values == pytest.approx(np.array([[0.75, 0.25], [0.2, 0.8]]))
    expected = [
        -(0.75 * np.log(0.9) + 0.25 * np.log(0.2)),
        -(0.8 * np.log(0.7) + 0.2 * np.log(0.4)),
    ]
    assert found["log_loss"].values == pytest.approx(expected)
    pairs = measure_pairs(np.log(p), runs)
    assert pairs["accuracy"].values == pytest.approx([0.775])


def test_measure_reliability__by_hand():
    runs = runs_of(table(n=10, rules=("a", "b")))
    p = np.tile([0.75, 0.25], (20, 1))
    found = measure_reliability(np.log(p), runs)
    assert found["found"].sel(bin=[0.25, 0.75]).values == pytest.approx([0.5, 0.5])
    assert found.attrs["expected_calibration_error"] == pytest.approx(0.25)


def test_better_than__by_hand():
    runs = runs_of(table(n=10, rules=("a", "b")))
    right = np.log(np.where(np.eye(2)[runs.number] > 0, 0.9, 0.1))
    half = right.copy()
    half[::2] = half[::2, ::-1]
    mean, se = better_than(right, half, runs)
    assert mean == pytest.approx(0.5) and se == pytest.approx(0.5 / np.sqrt(20))
