"""Oja's subspace rule: step by step, by theory, through the analysis, and when interrupted."""

from __future__ import annotations

import math

import numpy as np
import pytest

import neurodrift as nd
from neurodrift.simulate.settings.kinds import settings_from_values
from neurodrift.simulate.synapses.oja import (
    OjaSettings,
    measure_drift_rate,
    predict_drift_rate,
)


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_simulate__equals_the_rule_step_by_step(noise):
    settings = OjaSettings(
        seed=4,
        n_inputs=6,
        n_relevant=2,
        irrelevant_variance=0.3,
        learning_rate=0.05,
        synaptic_noise=noise,
        n_steps=5000,  # more than one block
        snapshots=3,
    )
    W = np.eye(2, 6)
    found = [W.copy()]
    blocks = [settings.draws(block) for block in (0, 1)]
    for step in range(5000):
        x = blocks[step // 4096][0][step % 4096]
        y = W @ x
        W = W + 0.05 * np.outer(y, x - W.T @ y)
        if noise:
            W = W + math.sqrt(0.05) * noise * blocks[step // 4096][1][step % 4096]
        if step + 1 in (2500, 5000):
            found.append(W.copy())
    np.testing.assert_allclose(settings.simulate().weights, found, rtol=0, atol=1e-9)


def test_draws__have_the_variances_and_do_not_depend_on_the_noise():
    settings = OjaSettings(irrelevant_variance=0.25)
    inputs, none = settings.draws(3)
    np.testing.assert_allclose(inputs.var(axis=0), [1] * 3 + [0.25] * 7, rtol=0.15)
    assert none.shape == (4096, 0, 10)
    noisy, noise = OjaSettings(irrelevant_variance=0.25, synaptic_noise=0.1).draws(3)
    np.testing.assert_array_equal(noisy, inputs)
    assert noise.shape == (4096, 3, 10)
    assert not np.array_equal(settings.draws(4)[0], inputs)


def test_predict_drift_rate__numbers_and_powers():
    base = {
        "n_inputs": 10,
        "n_relevant": 3,
        "irrelevant_variance": 0.2,
        "learning_rate": 0.02,
    }
    rate = predict_drift_rate(**base)
    assert rate == pytest.approx(0.02**3 * 0.2**2 * 2 * 7 / 8 / 0.8, rel=1e-12)
    assert predict_drift_rate(**base | {"learning_rate": 0.04}) == pytest.approx(8 * rate)
    by_m = [predict_drift_rate(**base | {"n_relevant": m}) for m in range(1, 11)]
    assert by_m[0] == by_m[-1] == 0
    assert 0 < np.argmax(by_m) < 9
    noisy = [predict_drift_rate(**base | {"synaptic_noise": 0.02})]
    assert noisy[0] - rate == pytest.approx(2 * 0.02 * 0.02**2 / 4)


def test_simulate__drifts_at_the_predicted_rate():
    """Five standard errors; those of the theory's next orders are a tenth here."""
    for changes in ({}, {"synaptic_noise": 0.02}):
        table = OjaSettings(n_steps=1_000_000, snapshots=101, **changes).simulate().table()
        rate, wanted = (table[n].item() for n in ("drift_rate", "predicted_drift_rate"))
        assert abs(rate - wanted) < 5 * table["drift_rate_se"].item() + 0.1 * wanted
        assert rate > 0.5 * wanted


def test_simulate__does_not_drift_where_all_inputs_are_relevant():
    none = OjaSettings(n_relevant=10, n_steps=400_000, snapshots=41).simulate().table()
    some = OjaSettings(n_relevant=5, n_steps=400_000, snapshots=41).simulate().table()
    assert some["drift_rate"].item() > 100 * none["drift_rate"].item()
    assert none["subspace_error"].values[-1] < 0.1


def test_measure_drift_rate__of_known_turns():
    """A walk on a circle with steps of standard deviation s decays by s² / 2."""
    turns = np.cumsum(0.1 * np.random.default_rng(0).standard_normal(40_000))
    cos, sin = np.cos(turns), np.sin(turns)
    turned = 1.2 * np.stack([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    rate, se = measure_drift_rate(turned, 10 * np.arange(turns.size))
    assert abs(rate - 0.1**2 / 2 / 10) < 4 * se
    assert se < 0.01 * rate
    assert np.isnan(measure_drift_rate(turned[:3], np.array([0, 1, 10]))).all()
    assert np.isnan(measure_drift_rate(turned[:1], np.array([0]))).all()


def test_recording__goes_through_the_analysis_and_the_store(tmp_path):
    small = {"n_steps": 6000, "snapshots": 4, "n_probes": 60}
    run = nd.simulate.simulate("pashakhanloo2025-irrelevant", small)
    recording = run.recording()
    results = nd.analyze(recording, measures=["drift"])
    assert results["drift"].sizes["session_a"] == 4
    assert recording["activity"].attrs["kind"] == "activation"
    activity = recording["activity"].transpose("time", "unit").values
    place, stimuli = run.probes()
    np.testing.assert_allclose(stimuli.var(axis=0), 1)
    np.testing.assert_allclose(activity[-60:], stimuli @ run.weights[-1][:, :3].T, atol=1e-6)
    back = run.settings.restore(run.groups())
    np.testing.assert_array_equal(back.weights, run.weights)
    assert set(run.settings.outline().variables) == set(run.table().variables)
    assert "predicted" in run.text()


def test_simulate__interrupted_ends_bit_for_bit(tmp_path, monkeypatch):
    settings = OjaSettings(n_steps=9000, snapshots=4, synaptic_noise=0.01)
    whole = settings.simulate()
    file, real, left = tmp_path / "state.npz", OjaSettings._advance, [2]

    def advance(self, *arguments):
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return real(self, *arguments)

    monkeypatch.setattr(OjaSettings, "_advance", advance)
    with pytest.raises(KeyboardInterrupt):
        settings.simulate(checkpoint=file)
    monkeypatch.undo()
    np.testing.assert_array_equal(settings.simulate(checkpoint=file).weights, whole.weights)
    with pytest.raises(ValueError, match="another run"):
        OjaSettings(n_steps=9000, snapshots=4).simulate(checkpoint=file)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"n_relevant": 11}, "is 11, expected at most n_inputs, 10"),
        ({"irrelevant_variance": 1.0}, "irrelevant_variance"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning": 1}, "learning"),
        ({"snapshots": 1}, "snapshots"),
    ],
)
def test_settings__faults_are_named(values, text):
    with pytest.raises(ValueError, match=text):
        settings_from_values({"simulation": "oja"} | values)


def test_simulate__that_grows_without_limit_says_so():
    with pytest.raises(ValueError, match="not finite after .* set learning_rate"):
        OjaSettings(learning_rate=5.0, n_steps=2000, snapshots=2).simulate()
