"""Fields matched between sessions, against every possible match and against known moves."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.fields.matching import assign

WIDTH = 2.0


def maps_of(centres, *, circle=False, length=100.0, sd=5.0, peak=None) -> xr.Dataset:
    """Rate maps with a Gaussian field at every centre (session, unit, field), NaN = none."""
    x = np.arange(WIDTH / 2, length, WIDTH)
    away = x - np.asarray(centres, dtype=float)[..., None]
    if circle:
        away = (away + length / 2) % length - length / 2
    heights = np.exp(-0.5 * (away / sd) ** 2)
    if peak is not None:
        heights = heights * np.asarray(peak)[..., None]
    rate = np.nansum(heights, axis=2)[:, :, None]
    n, u = rate.shape[:2]
    geometry = nd.geometry.circular(length) if circle else nd.geometry.linear()
    coords = {
        "session": [f"s{i}" for i in range(n)],
        "unit": [f"u{i:03d}" for i in range(u)],
        "direction": [0],
        "x_bin": ("position", x, {"units": "cm", "geometry": geometry.to_json()}),
        "x_width": ("position", np.full(x.size, WIDTH)),
    }
    return xr.Dataset(
        {
            "rate": (("session", "unit", "direction", "position"), rate),
            "detected": (("session", "unit"), np.ones((n, u), dtype=bool)),
        },
        coords=coords,
    )


def fields_of(centres, **options) -> xr.Dataset:
    return nd.detect_place_fields(maps_of(centres, **options))


@pytest.mark.parametrize("seed", range(8))
def test_assign__is_the_cheapest_of_all_matches(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 5, 2)
    cost = rng.random((1, n, m)) * 2
    best = np.inf
    for k in range(min(n, m) + 1):
        for rows in itertools.combinations(range(n), k):
            for columns in itertools.permutations(range(m), k):
                found = sum(cost[0, i, j] for i, j in zip(rows, columns, strict=True))
                best = min(best, found + (n + m - 2 * k) * 0.5)  # who stays alone, half of 1
    _, rows, columns = assign(cost, 1.0)
    value = cost[0, rows, columns].sum() + (n + m - 2 * rows.size) * 0.5
    np.testing.assert_allclose(value, best, atol=1e-9)


def test_match_fields__kept_moved_lost_and_formed():
    nan = np.nan
    before = [[20.0], [50.0], [50.0], [30.0], [30.0]] * 2
    after = [[22.0], [62.0], [90.0], [30.0], [nan]] * 2
    found = nd.match_fields(fields_of([before, after]))
    got = {
        name: float(found[name][0, 1]) for name in ("kept", "moved", "lost", "formed", "mean_shift")
    }
    assert got["kept"] == pytest.approx(0.4)  # the fifth map was looked at, and has no field
    assert got["moved"] == pytest.approx(0.2) and got["lost"] == pytest.approx(0.4)
    assert got["formed"] == pytest.approx(0.25)
    assert got["mean_shift"] == pytest.approx((2 + 12 + 0) / 3, abs=0.3)
    assert found["match"].values[0, 1, :, 0, 0].tolist() == [1, 1, 0, 1, 0] * 2
    np.testing.assert_allclose(found["field_shift"][0, 1, 1, 0, 0], 12, atol=0.3)


def test_match_fields__both_ways_mirror_each_other():
    rng = np.random.default_rng(1)
    found = nd.match_fields(fields_of(rng.uniform(10, 90, (3, 40, 2))))
    for name in ("mean_shift",):
        np.testing.assert_allclose(found[name][0, 1], -found[name][1, 0], atol=1e-12)
    np.testing.assert_allclose(found["lost"][0, 1], found["formed"][1, 0], atol=1e-12)
    total = found["kept"] + found["moved"] + found["lost"]
    assert np.allclose(total.values[~np.eye(3, dtype=bool)], 1)
    assert np.isnan(np.diag(found["kept"])).all()


def test_match_fields__wraps_on_a_circle():
    before = np.linspace(1, 99, 12)[:, None]
    found = nd.match_fields(fields_of([before, (before + 4) % 100], circle=True))
    assert float(found["kept"][0, 1]) == 1.0
    assert float(found["mean_shift"][0, 1]) == pytest.approx(4, abs=0.05)


def test_match_fields__fields_drawn_anew_are_matched_as_by_chance():
    rng = np.random.default_rng(2)
    found = nd.match_fields(fields_of(rng.uniform(0, 100, (2, 400, 1)), circle=True), n_draws=20)
    for name, chance in (("kept", "kept_chance"),):
        assert float(found[name][0, 1]) == pytest.approx(float(found[chance][0, 1]), abs=0.06)
    assert float(found["kept_chance"][0, 1]) > 0.1


def test_match_fields__two_fields_that_both_move_are_not_crossed():
    before = [[[30.0, 50.0]]] * 1
    after = [[[36.0, 56.0]]] * 1
    fields = fields_of(np.concatenate([before, after]), peak=[1.0, 0.9])
    found = nd.match_fields(fields)
    np.testing.assert_allclose(found["field_shift"].values[0, 1, 0, 0], [6, 6], atol=0.5)
    assert np.isnan(found["kept"][0, 1])  # two fields are too few for a share


def test_match_fields__order_of_units_changes_nothing():
    rng = np.random.default_rng(3)
    fields = fields_of(rng.uniform(0, 100, (3, 30, 1)))
    one = nd.match_fields(fields, per_field=False)
    other = nd.match_fields(fields.isel(unit=rng.permutation(30)), per_field=False)
    xr.testing.assert_allclose(one, other, rtol=1e-12)


def test_match_fields__refuses_planes_and_mazes():
    recording = nd.testing.open_field(n_units=2, n_sessions=2, minutes=3)
    fields = nd.detect_place_fields(nd.compute_rate_maps(recording, smoothing=4.0))
    with pytest.raises(ValueError, match="not in two dimensions"):
        nd.match_fields(fields)
    with pytest.raises(ValueError, match="detect_place_fields"):
        nd.match_fields(maps_of(np.full((1, 1, 1), 50.0)))


def test_match_fields__one_session_and_no_field():
    for centres in (np.full((1, 4, 1), 50.0), np.full((2, 4, 1), np.nan)):
        found = nd.match_fields(fields_of(centres))
        assert not np.isfinite(found["kept"]).any() and not found["n_fields"].any()


def test_follow_fields__a_field_returns_to_its_place_and_another_is_new():
    nan = np.nan
    centres = np.array([[[30.0]], [[32.0]], [[nan]], [[34.0]], [[80.0]]])
    found = nd.follow_fields(fields_of(centres), detected=fields_detected(centres))
    assert found["state"].values.T.tolist() == [[1, 1, 0, 1, 0], [0, 0, 0, 0, 1]]
    assert found["unit"].values.tolist() == ["u000", "u000"]
    turnover = nd.compute_turnover(found["state"])
    assert int(turnover["n_still"][0, 1]) == 1


def fields_detected(centres):
    n, u = np.shape(centres)[:2]
    coords = {"session": [f"s{i}" for i in range(n)], "unit": [f"u{i:03d}" for i in range(u)]}
    return xr.DataArray(np.ones((n, u), dtype=bool), coords=coords, dims=("session", "unit"))


def test_follow_fields__undetected_is_not_off():
    centres = np.array([[[30.0]], [[32.0]], [[31.0]]])
    maps = maps_of(centres)
    maps["detected"][1] = False
    fields = nd.detect_place_fields(maps)
    found = nd.follow_fields(fields, detected=maps["detected"])
    state = found["state"].values[:, 0]
    assert state[0] == 1 and np.isnan(state[1]) and state[2] == 1
