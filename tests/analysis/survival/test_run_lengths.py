"""Run lengths against a literal walk along every unit, and against units without a history."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import xarray as xr

from neurodrift import compute_run_lengths
from neurodrift.analysis.survival.run_lengths import _counts, _expected, _in_order


def states(values) -> xr.DataArray:
    return xr.DataArray(np.asarray(values), dims=("session", "unit"))


def literal(on, start):
    """#(run -> 1), #(run -> 0 or 1), #(run -> missing) by run, one unit at a time."""
    n = on.shape[0]
    stay, risk, missing = np.zeros((3, n - 1))
    for unit in on.T:
        run, seen = 0, False
        for s in range(n - 1):
            if unit[s] == 1:
                if run == 0:
                    seen = s > 0 and unit[s - 1] == 0
                run += 1
            else:
                run = 0
            if run and (start == "any" or seen):
                if np.isnan(unit[s + 1]):
                    missing[run - 1] += 1
                else:
                    risk[run - 1] += 1
                    stay[run - 1] += unit[s + 1] == 1
    return stay, risk, missing


def drawn(seed, n_sessions=9, n_units=80, gone=0.1):
    rng = np.random.default_rng(seed)
    on = (rng.random((n_sessions, n_units)) < rng.beta(0.5, 0.5, n_units)).astype(float)
    on[rng.random(on.shape) < gone] = np.nan
    return on


@pytest.mark.parametrize("start", ["any", "onset"])
def test_run_lengths__are_the_literal_ones(start):
    on = drawn(1)
    stay, risk, missing = literal(on, start)
    found = compute_run_lengths(states(on), start=start, min_runs=1, n_permutations=9)
    want = np.divide(stay, risk, out=np.full(8, np.nan), where=risk > 0)
    np.testing.assert_allclose(found["stay"], want, atol=1e-9)
    assert found["n_runs"].values.tolist() == risk.tolist()
    assert found["n_to_missing"].values.tolist() == missing.tolist()
    few = compute_run_lengths(states(on), start=start, n_permutations=9)
    assert (np.isnan(few["stay"]) == (risk < 6)).all()


@pytest.mark.parametrize("start", ["any", "onset"])
def test_run_lengths__fixed_is_the_mean_over_every_order(start):
    unit = np.array([1, 1, -1, 0, 1, 0, 1])
    known = np.flatnonzero(unit >= 0)
    sums = np.zeros((2, 6))
    orders = list(itertools.permutations(unit[known]))
    for order in orders:
        moved = unit.copy()
        moved[known] = order
        counts = _counts(moved[:, None].astype(np.int8), start)
        sums += np.array(counts[:2])[..., 0]
    found = np.array(_expected(unit[:, None], start))[..., 0]
    np.testing.assert_allclose(found, sums / len(orders), atol=1e-9)


def test_run_lengths__orders_leave_what_is_missing_in_its_place():
    on = np.array([[1, 0], [-1, 1], [0, 1], [1, -1]], dtype=np.int8)
    keys = np.random.default_rng(0).random((4, 50, 2), dtype=np.float32)
    moved = _in_order(np.broadcast_to(on[:, None, :], keys.shape), keys)
    assert ((moved < 0) == (on < 0)[:, None, :]).all()
    assert ((moved == 1).sum(axis=0) == (on == 1).sum(axis=0)).all()
    assert len({tuple(one) for one in moved[:, :, 0].T}) == 3


def test_run_lengths__units_without_history_rise_and_have_no_excess():
    rng = np.random.default_rng(7)
    rates = rng.beta(0.5, 0.5, 20_000)
    found = compute_run_lengths(states(rng.random((10, 20_000)) < rates), n_permutations=99)
    want = [0.584, 0.729, 0.801, 0.856, 0.886, 0.910]
    np.testing.assert_allclose(found["stay"][:6], want, atol=0.012)
    assert abs(float(found["overall"])) < 0.005
    assert float(found["overall_ci_low"]) < 0 < float(found["overall_ci_high"])


def with_history(rng, n_units=300, n_sessions=8, more=0.12):
    """Every active day in a row makes the next likelier, from .45 on."""
    on = np.zeros((n_sessions, n_units), dtype=bool)
    run = np.zeros(n_units)
    for s in range(n_sessions):
        p = np.where(run > 0, np.minimum(0.45 + more * (run - 1), 0.95), 0.25)
        on[s] = rng.random(n_units) < p
        run = np.where(on[s], run + 1, 0)
    return on


def test_run_lengths__a_real_history_is_found():
    found = compute_run_lengths(states(with_history(np.random.default_rng(8))))
    assert float(found["overall_p"]) < 0.01 and float(found["overall_ci_low"]) > 0


def test_run_lengths__false_alarms():
    p = []
    for i in range(60):
        rng = np.random.default_rng([9, i])
        on = rng.random((8, 60)) < rng.beta(0.5, 0.5, 60)
        p.append(float(compute_run_lengths(states(on), n_permutations=99)["overall_p"]))
    assert np.mean(np.array(p) <= 0.05) <= 0.1 and 0.35 < np.mean(p) < 0.65


def test_run_lengths__returns_are_a_hazard_and_a_share():
    on = np.array([[1, 1, 1, 1], [0, 0, 0, 1], [1, 0, 0, 1], [1, 1, 0, 1]], dtype=float)
    found = compute_run_lengths(states(on), min_runs=1, n_permutations=9)
    np.testing.assert_allclose(found["return_hazard"], [1 / 3, 1 / 2, np.nan])
    np.testing.assert_allclose(found["return_share"], [1 / 3, 1 / 3, 0])


@pytest.mark.parametrize("shape", [(1, 5), (3, 1), (3, 0), (0, 2)])
def test_run_lengths__say_nothing_of_nothing(shape):
    found = compute_run_lengths(states(np.zeros(shape, dtype=bool)), n_permutations=9)
    assert np.isnan(found["overall"]) and np.isnan(found["overall_p"])
