from __future__ import annotations

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.analysis.drift.curve import drift_curve

DAYS = [0.0, 1.0, 5.0, 6.0]


@pytest.fixture(scope="module")
def pairs():
    track = nd.testing.linear_track(n_units=8, n_sessions=4, minutes=3, seed=3)
    track = track.assign_coords(day=("session", DAYS, track["day"].attrs))
    maps = nd.compute_rate_maps(track, smoothing=4)
    found = nd.compute_drift(maps, n_repeats=0)
    values = found["rate_map_correlation"].values
    np.fill_diagonal(values, [0.9, 0.8, np.nan, 0.7])
    return found


def test_drift_curve__equals_a_loop_over_pairs(pairs):
    curve = drift_curve(pairs, "rate_map_correlation")
    values = pairs["rate_map_correlation"].values
    lags, at, mean = [], [], []
    for step in (1, 2, 3):
        steps = [(DAYS[i + step] - DAYS[i], values[i, i + step]) for i in range(4 - step)]
        lags += [lag for lag, _ in steps]
        at.append(np.mean([lag for lag, _ in steps]))
        mean.append(np.mean([value for _, value in steps]))
    assert sorted(curve.lags) == sorted(lags) and curve.label == "lag [days]"
    np.testing.assert_allclose(curve.at, at)
    np.testing.assert_allclose(curve.mean, mean)
    assert curve.ceiling == pytest.approx(0.8)
    assert drift_curve(pairs, "rate_map_correlation", noise_free=True).ceiling is None


def test_drift_curve__sessions_of_one_day_are_counted(pairs):
    same = pairs.assign_coords(lag_day=pairs["lag_day"] * 0)
    curve = drift_curve(same, "rate_map_correlation")
    assert curve.label == "lag [sessions]" and curve.at.tolist() == [1.0, 2.0, 3.0]
    with pytest.raises(ValueError, match="sessions have no training_step: axis may be"):
        drift_curve(pairs, "rate_map_correlation", axis="training_step")
    with pytest.raises(ValueError, match="no measure 'x' of pairs; there are"):
        drift_curve(pairs, "x")
