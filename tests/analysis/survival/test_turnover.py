"""Turnover against loops over units, and against animals whose change is known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import compute_turnover
from neurodrift.analysis.survival._chain import log_likelihood


def states(values, **coords) -> xr.DataArray:
    values = np.asarray(values)
    labels = {
        "session": np.arange(values.shape[0]),
        "unit": [f"u{i:04d}" for i in range(values.shape[1])],
    }
    return xr.DataArray(values, dims=("session", "unit"), coords=labels | coords)


def drawn(seed=0, n_sessions=5, n_units=40):
    rng = np.random.default_rng(seed)
    on = (rng.random((n_sessions, n_units)) < 0.5).astype(float)
    on[rng.random(on.shape) < 0.2] = np.nan
    power = rng.uniform(0.5, 0.95, on.shape)
    return on, power


def literal(on, power, q, a, b):
    still = of = corrected = weight = gained = off = gain = room = 0.0
    for u in range(on.shape[1]):
        oa, ob = on[a, u], on[b, u]
        if np.isnan(oa) or np.isnan(ob):
            continue
        truth = (ob - q) / (power[b, u] - q)
        corrected += (oa - q) * truth
        weight += oa - q
        gain += (power[a, u] - oa) * truth
        room += power[a, u] - oa
        if oa:
            of += 1
            still += ob
        else:
            off += 1
            gained += ob
    return still / of, gained / off, corrected / weight, gain / room, of


def test_turnover__is_the_literal_one():
    on, power = drawn()
    found = compute_turnover(
        states(on), power=xr.DataArray(power, coords=states(on).coords), false_alarms=0.05
    )
    for a in range(5):
        for b in range(5):
            if a == b:
                assert np.isnan(found["still"][a, b])
                continue
            want = literal(on, power, 0.05, a, b)
            names = ("still", "gained", "still_corrected", "gained_corrected", "n_on")
            got = [float(found[name][a, b]) for name in names]
            np.testing.assert_allclose(got, want, atol=1e-9)


def test_turnover__lags_pool_their_pairs():
    on, _ = drawn()
    found = compute_turnover(states(on))
    for k in range(1, 5):
        pairs = [(a, a + k) for a in range(5 - k)]
        kept = sum(int(found["n_still"][p]) for p in pairs)
        of = sum(int(found["n_on"][p]) for p in pairs)
        np.testing.assert_allclose(found["still_by_lag"].sel(step=k), kept / of, atol=1e-12)
    assert np.isnan(found["still_corrected"]).all()


def test_chain__likelihood_is_the_sum_over_all_paths():
    rng = np.random.default_rng(2)
    chance = rng.random((2, 4, 3))
    first, loss, gain = 0.3, 0.2, 0.4
    move = np.array([[1 - gain, gain], [loss, 1 - loss]])
    want = np.zeros(3)
    for path in np.ndindex(2, 2, 2, 2):
        p = np.full(3, first if path[0] else 1 - first) * chance[path[0], 0]
        for s in range(1, 4):
            p = p * move[path[s - 1], path[s]] * chance[path[s], s]
        want += p
    found = log_likelihood(np.array([first, loss, gain]), chance)
    np.testing.assert_allclose(found, np.log(want), atol=1e-9)


def test_turnover__a_test_of_power_8_loses_nothing_after_correction():
    rng = np.random.default_rng(3)
    place = np.arange(400) < 250
    found = compute_turnover(
        states(rng.random((8, 400)) < np.where(place, 0.8, 0.05)), power=0.8, false_alarms=0.05
    )
    assert float(found["still_by_lag"][0]) < 0.81
    np.testing.assert_allclose(found["still_corrected_by_lag"], 1, atol=0.05)
    assert float(found["loss"]) < 0.02 and float(found["gain"]) < 0.02


def test_turnover__true_loss_is_found_through_the_test():
    rng = np.random.default_rng(4)
    on = [rng.random(600) < 0.5]
    for _ in range(7):
        on.append(on[-1] ^ (rng.random(600) < 0.2))
    seen = rng.random((8, 600)) < np.where(np.array(on), 0.8, 0.05)
    found = compute_turnover(states(seen), power=0.8, false_alarms=0.05)
    assert abs(float(found["loss"]) - 0.2) < 4 * float(found["loss_se"]) < 0.12
    assert abs(float(found["still_corrected_by_lag"][0]) - 0.8) < 0.05
    assert abs(float(found["still_corrected_by_lag"][1]) - 0.68) < 0.06
    low, high = (found[f"still_by_lag_ci_{end}"] for end in ("low", "high"))
    assert ((low < found["still_by_lag"]) & (found["still_by_lag"] < high)).all()


def test_turnover__missing_is_never_off_but_where_cells_were_looked_for_in_each_session():
    on = np.array([[True] * 10, [True] * 5 + [False] * 5])
    there = np.array([[True] * 10, [True] * 5 + [False] * 5])
    mask = states(there)
    assert float(compute_turnover(states(on), detected=mask)["still"][0, 1]) == 1.0
    assert int(compute_turnover(states(on), detected=mask)["n_missing"][0, 1]) == 5
    each = states(on).assign_attrs(detection="each_session")
    assert float(compute_turnover(each, detected=mask)["still"][0, 1]) == 0.5
    known = compute_turnover(each, detected=mask, undetected="missing")
    assert float(known["still"][0, 1]) == 1.0
    together = states(on).assign_attrs(detection="together")
    assert float(compute_turnover(together, detected=mask)["still"][0, 1]) == 1.0


def test_turnover__silence_that_is_known_needs_no_correction():
    on = np.array([[True] * 20, [False] * 20])
    there = np.array([[True] * 20, [False] * 20])
    found = compute_turnover(
        states(on), detected=states(there), undetected="off", power=0.8, false_alarms=0.05
    )
    assert float(found["still_corrected"][0, 1]) == 0.0


def test_turnover__unregistered_units_are_left_out_and_order_changes_nothing():
    on, power = drawn(5)
    given = states(on).assign_coords(registered=("unit", np.arange(40) < 30))
    found = compute_turnover(given)
    xr.testing.assert_identical(found, compute_turnover(given[:, :30]))
    order = np.random.default_rng(0).permutation(40)
    xr.testing.assert_identical(found, compute_turnover(given[:, order]))


@pytest.mark.parametrize("shape", [(1, 5), (3, 1), (3, 0), (0, 4)])
def test_turnover__says_nothing_of_nothing(shape):
    found = compute_turnover(states(np.zeros(shape, dtype=bool)))
    assert not np.isfinite(found["still"]).any()
    assert np.isnan(found["loss"])


def test_turnover__carries_days_and_lags():
    on, _ = drawn()
    given = states(on).assign_coords(day=("session", [0.0, 2.0, 4.0, 8.0, 9.0]))
    found = compute_turnover(given)
    assert float(found["lag_day"][0, 3]) == 8.0 and int(found["lag"][3, 0]) == -3


def test_turnover__clusters_widen_the_interval():
    rng = np.random.default_rng(6)
    base = rng.random((2, 20)) < 0.5
    given = states(np.repeat(base, 20, axis=1))
    animal = xr.DataArray(np.repeat(np.arange(20), 20), coords={"unit": given["unit"]})
    wide = [
        float(found["still_by_lag_ci_high"][0] - found["still_by_lag_ci_low"][0])
        for found in (compute_turnover(given), compute_turnover(given, clusters=animal))
    ]
    assert wide[1] > 3 * wide[0]


def test_turnover__refuses_what_is_no_state():
    on, _ = drawn()
    with pytest.raises(ValueError, match="other numbers than 0, 1 and NaN"):
        compute_turnover(states(on + 2))
    with pytest.raises(ValueError, match=r"power has 1\.5"):
        compute_turnover(states(on), power=1.5)
    with pytest.raises(ValueError, match=r"expected \(session, unit\)"):
        compute_turnover(states(on).expand_dims(direction=2))
    with pytest.raises(TypeError, match="DataArray"):
        compute_turnover(on)
    with pytest.raises(ValueError, match="undetected is 'gone'"):
        compute_turnover(states(on), undetected="gone")
