"""Earth mover's distance against SciPy and against every cut of the circle."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import wasserstein_distance

import neurodrift as nd
from neurodrift.analysis.fields.transport import _distance

X = np.arange(1.0, 100, 2.0)
WIDTH = np.full(X.size, 2.0)


def test_distance__on_a_line_is_that_of_scipy():
    rng = np.random.default_rng(0)
    a, b = rng.gamma(1.0, 1.0, (2, 5, X.size))
    found = _distance(a, b, WIDTH, circular=False)
    want = [wasserstein_distance(X, X, p, q) for p, q in zip(a, b, strict=True)]
    np.testing.assert_allclose(found, want, atol=1e-9)


def test_distance__on_a_circle_is_the_smallest_of_all_cuts():
    rng = np.random.default_rng(1)
    a, b = rng.gamma(0.3, 1.0, (2, 5, X.size))
    found = _distance(a, b, WIDTH, circular=True)
    for k in range(5):
        away = np.cumsum(a[k] / a[k].sum() - b[k] / b[k].sum())
        cuts = [np.abs(away - cut).sum() * 2.0 for cut in away]
        np.testing.assert_allclose(found[k], min(cuts), atol=1e-9)


def test_distance__of_a_shift_is_the_shift():
    field = np.exp(-0.5 * ((X - 50) / 5) ** 2)[None]
    for circular in (False, True):
        found = _distance(field, np.roll(field, 4, axis=1), WIDTH, circular)
        np.testing.assert_allclose(found, 8.0, atol=1e-3)
    far = _distance(field, np.roll(field, -45, axis=1), WIDTH, True)
    np.testing.assert_allclose(far, 10.0, atol=1e-3)


def test_distance__of_an_empty_map_is_not_known():
    assert np.isnan(_distance(np.zeros((1, 50)), np.ones((1, 50)), WIDTH, False)).all()


def halves(shift=0.0, n_units=60, events=30, seed=2):
    rng = np.random.default_rng(seed)
    centre = rng.uniform(25, 75, n_units)
    rate = np.empty((2, 2, n_units, 1, X.size))
    for s in range(2):
        field = np.exp(-0.5 * ((X - centre[:, None] - shift * s) / 6) ** 2)
        mean = events * field / field.sum(axis=1, keepdims=True)
        rate[s, :, :, 0] = rng.poisson(mean, (2, *mean.shape))
    coords = {
        "session": ["a", "b"],
        "half": [0, 1],
        "unit": np.arange(n_units),
        "direction": [0],
        "x_bin": ("position", X, {"geometry": nd.geometry.linear().to_json()}),
        "x_width": ("position", WIDTH),
    }
    return xr.Dataset(
        {"rate": (("session", "half", "unit", "direction", "position"), rate)}, coords=coords
    )


def test_earth_movers__noise_alone_is_0():
    found = nd.compute_earth_movers_distance(halves())
    assert float(found["distance"][0, 1]) > 0.8
    assert abs(float(found["distance_relative"][0, 1])) < 0.15
    assert int(found["n_maps"][0, 1]) == 60


def test_earth_movers__a_move_is_found():
    found = nd.compute_earth_movers_distance(halves(10.0))
    assert 8.0 < float(found["distance_relative"][0, 1]) < 10.5
    assert np.isnan(found["distance_relative"][0, 0])


def test_earth_movers__takes_place_cells_of_either_session():
    given = halves()
    mask = xr.DataArray(
        np.arange(60) < 10, dims="unit", coords={"unit": given["unit"]}
    ).expand_dims(session=given["session"])
    assert int(nd.compute_earth_movers_distance(given, place_cells=mask)["n_maps"][0, 1]) == 10


def test_earth_movers__refuses_mazes_by_name():
    given = halves()
    maze = nd.geometry.t_maze(50, 25)
    given["x_bin"].attrs["geometry"] = maze.to_json()
    with pytest.raises(ValueError, match="not in a maze"):
        nd.compute_earth_movers_distance(given)
    with pytest.raises(ValueError, match="half_maps"):
        nd.compute_earth_movers_distance(given.drop_vars("half"))
