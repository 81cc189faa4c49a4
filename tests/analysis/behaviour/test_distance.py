"""Distances of behaviour between sessions, against their literal definition and known truths."""

import itertools

import known_animals as animals
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift import testing
from neurodrift.analysis.behaviour.distance import squared_distance


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 2, "n_sessions": 4, "n_laps": 24} | options
    return animals.make(truth, np.random.default_rng([11, seed]), **options).recording


def literal(features, session, n):
    """Mean product of differences in two laps of each session, no lap twice."""
    found = np.full((n, n), np.nan)
    variances = []
    for s in range(n):
        for f in range(features.shape[1]):
            own = features[session == s, f]
            own = own[np.isfinite(own)]
            if own.size > 1:
                variances.append(own.var(ddof=1))
    for a in range(n):
        for b in range(n):
            each = []
            for f in range(features.shape[1]):
                one, other = features[session == a, f], features[session == b, f]
                one, other = one[np.isfinite(one)], other[np.isfinite(other)]
                if min(one.size, other.size) < 2:
                    continue
                products = [
                    (one[i] - other[k]) * (one[j] - other[m])
                    for i, j in itertools.permutations(range(one.size), 2)
                    for k, m in itertools.permutations(range(other.size), 2)
                ]
                each.append(np.mean(products))
            if each:
                found[a, b] = 0.0 if a == b else np.mean(each) / np.mean(variances)
    return found


def test_squared_distance__is_the_mean_product_of_disjoint_laps():
    rng = np.random.default_rng(3)
    features = 50 + rng.standard_normal((14, 4))
    features[rng.random(features.shape) < 0.2] = np.nan
    session = np.sort(rng.integers(0, 3, 14))
    features[session == 1, 2] = np.nan
    np.testing.assert_allclose(
        squared_distance(features, session, 3), literal(features, session, 3), atol=1e-9
    )


def test_squared_distance__of_alike_sessions_is_0_on_average():
    rng = np.random.default_rng(4)
    found = [
        squared_distance(rng.standard_normal((20, 5)), np.repeat([0, 1], 10), 2)[0, 1]
        for _ in range(2000)
    ]
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(2000)


def test_compute_behaviour_distance__sees_speed_and_nothing_else():
    found = nd.compute_behaviour_distance(animal("behaviour", speeds=[1, 1.6, 1, 1.6]))
    speed = found["speed"].values
    assert speed[0, 1] > 1.5 and speed[2, 3] > 1.5
    assert abs(speed[0, 2]) < 0.6 and abs(speed[1, 3]) < 0.6
    np.testing.assert_array_equal(speed, speed.T)
    assert found["lag_day"].values[0].tolist() == [0, 2, 4, 6]
    assert found["n_laps"].values.tolist() == [24] * 4


def test_compute_behaviour_distance__takes_series_of_the_user():
    recording = animal()
    pupil = xr.DataArray(
        np.random.default_rng(0).standard_normal(recording.sizes["time"]), dims="time", name="pupil"
    )
    pupil = pupil + 2.0 * (recording["session_index"] == 3)
    found = nd.compute_behaviour_distance(recording, pupil.rename("pupil"))
    assert found["pupil"].values[0, 3] > 1.0 > abs(found["pupil"].values[0, 1])
    assert '"pupil"' in found.attrs["distances"]


@pytest.mark.parametrize(
    ("series", "error", "text"),
    [
        (np.zeros(4), TypeError, "expected a DataArray"),
        ({"pupil": np.zeros(4)}, TypeError, "expected a DataArray over time"),
        (xr.DataArray(np.zeros(4), dims="time"), ValueError, "no name"),
        (xr.DataArray(np.zeros(4), dims="time", name="pupil"), ValueError, "one number for each"),
        (xr.DataArray(np.zeros(4), dims="time", name="speed"), ValueError, "choose another"),
    ],
)
def test_compute_behaviour_distance__refuses_a_series(series, error, text):
    with pytest.raises(error, match=text):
        nd.compute_behaviour_distance(animal(n_sessions=2), series)


def test_compute_behaviour_distance__of_odd_recordings():
    recording = animal(n_sessions=3)
    expected = nd.compute_behaviour_distance(recording)
    xr.testing.assert_identical(nd.compute_behaviour_distance(recording.chunk(time=50)), expected)
    alone = nd.compute_behaviour_distance(nd.select_sessions(recording, ["1"]))
    assert alone["speed"].values.tolist() == [[0.0]]
    slow = nd.compute_behaviour_distance(recording.drop_vars("speed"))
    assert np.isfinite(slow["speed"].values).all()
    lost = recording.copy(deep=True)
    lost["x"].values[lost["session_index"].values == 1] = np.nan
    found = nd.compute_behaviour_distance(lost)
    assert np.isnan(found["overall"].values[0, 1]) and np.isfinite(found["overall"].values[0, 2])
    with pytest.raises(ValueError, match="no position"):
        nd.compute_behaviour_distance(recording.drop_vars("x"))
    field = nd.compute_behaviour_distance(testing.open_field(n_units=2, n_sessions=2, minutes=4))
    assert np.isfinite(field["occupancy"].values).all()
