"""Weights that fluctuate: step by step, the steady state, the analysis, and when interrupted."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.seeds import generator
from neurodrift.simulate.settings.kinds import settings_from_values
from neurodrift.simulate.synapses.fluctuation import FluctuationSettings


def test_simulate__equals_the_equation_session_by_session():
    s = FluctuationSettings(
        seed=3, n_units=4, n_inputs=5, log_mean=-1, log_sd=0.7, tau=3, interval=2, n_sessions=4
    )
    found = s.simulate()
    decay = math.exp(-2 / 3)
    for i in range(4):
        for j in range(5):
            noise = [
                generator(3, "synaptic fluctuation", k).standard_normal((4, 5)) for k in range(4)
            ]
            log = -1 + 0.7 * noise[0][i, j]
            for k in range(4):
                if k:
                    spread = 0.7 * math.sqrt(1 - decay**2)
                    log = -1 + decay * (log + 1) + spread * noise[k][i, j]
                assert found.weights[k, i, j] == pytest.approx(math.exp(log), rel=1e-9)
    x = (np.arange(200) + 0.5) / 2
    for at in (0, 77):
        bumps = [math.exp(-0.5 * ((x[at] - 10 - 20 * j) / 5) ** 2) for j in range(5)]
        drive = [sum(found.weights[1, i, j] * bumps[j] for j in range(5)) for i in range(4)]
        wanted = [max(d - 1.5 * sum(drive) / 4, 0) for d in drive]
        np.testing.assert_allclose(found.activity(1)[at], wanted, rtol=0, atol=1e-9)


def test_simulate__small_steps_of_the_equation_end_in_the_same_law():
    """Euler steps of the equation itself, which the exact solution does not know."""
    rng = np.random.default_rng(1)
    mean, sd, tau, dt = 0.5, 0.8, 4.0, 0.02
    log = np.full(40_000, 2.0)
    for _ in range(round(3 / dt)):
        step = math.sqrt(2 * sd**2 / tau * dt) * rng.standard_normal(log.size)
        log = log - (log - mean) / tau * dt + step
    decay = math.exp(-3 / tau)
    assert log.mean() == pytest.approx(mean + decay * 1.5, abs=0.02)
    assert log.std() == pytest.approx(sd * math.sqrt(1 - decay**2), rel=0.02)


def test_simulate__weights_stay_log_normal():
    s = FluctuationSettings(n_units=200, n_inputs=200, log_mean=0.3, log_sd=0.6, tau=5)
    run = s.simulate()
    logs = np.log(run.weights[-1]).ravel()
    away = (logs - 0.3) / 0.6
    assert abs(away.mean()) < 5 / 200
    assert abs(away.var() - 1) < 5 * math.sqrt(2) / 200
    assert abs((away**3).mean()) < 5 * math.sqrt(15) / 200
    assert abs((away**4).mean() - 3) < 5 * math.sqrt(96) / 200
    assert run.weights[-1].mean() == pytest.approx(math.exp(0.3 + 0.6**2 / 2), rel=0.02)
    correlation = run.table()["log_weight_correlation"].values
    np.testing.assert_allclose(correlation, np.exp(-np.arange(10) / 5), atol=0.025)


def test_recording__goes_through_the_analysis_and_the_store():
    small = {"n_units": 20, "n_inputs": 20, "n_sessions": 4, "n_positions": 100}
    run = nd.simulate.simulate("morales2025-multiplicative", small)
    results = nd.analyze(run.recording(), measures=["maps", "drift", "sparsity"])
    drift = results["drift"]
    assert drift["lag_day"].values[0, -1] == 3
    back = run.settings.restore(run.groups())
    np.testing.assert_array_equal(back.weights, run.weights)
    assert set(run.settings.outline().variables) == set(run.table().variables)
    assert "correlation with the first session" in run.text()


def test_simulate__interrupted_ends_bit_for_bit(tmp_path):
    s = FluctuationSettings(n_units=3, n_inputs=4, n_sessions=5)
    whole = s.simulate(checkpoint=tmp_path / "whole.npz")
    again = s.simulate(checkpoint=tmp_path / "whole.npz")
    np.testing.assert_array_equal(whole.weights, again.weights)
    np.testing.assert_array_equal(whole.weights, s.simulate().weights)


def test_simulate__without_spread_nothing_moves():
    run = FluctuationSettings(n_units=3, n_inputs=4, n_sessions=3, log_sd=0).simulate()
    assert (run.weights == 1).all()
    assert np.isnan(run.table()["log_weight_correlation"]).all()


@pytest.mark.parametrize("values", [{"tau": 0}, {"log_sd": -1}, {"n_units": 0}, {"noise": 1}])
def test_settings__faults_are_named(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        settings_from_values({"simulation": "fluctuation"} | values)
