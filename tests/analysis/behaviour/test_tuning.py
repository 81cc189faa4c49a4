"""Tuning change beyond behaviour: against statsmodels, and truths with and without a new map."""

import known_animals as animals
import numpy as np
import pytest
import statsmodels.api as sm

import neurodrift as nd
from neurodrift import testing
from neurodrift.analysis.behaviour.glm import deviance, fit_poisson, spline_basis
from neurodrift.analysis.behaviour.tuning import folds_of, shifted


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 8, "n_sessions": 2, "n_laps": 24} | options
    return animals.make(truth, np.random.default_rng([13, seed]), **options).recording


def test_fit_poisson__is_the_glm_of_statsmodels():
    rng = np.random.default_rng(0)
    design = np.column_stack([np.ones(200), rng.standard_normal((200, 3))])
    log_time = np.log(rng.uniform(0.1, 2.0, 200))
    counts = rng.poisson(
        np.exp(design @ np.array([[0.5, 0.2, -0.4, 0.0]] * 3).T + log_time[:, None])
    )
    found = fit_poisson(counts.astype(float), design, log_time, np.zeros(4))
    for u in range(3):
        model = sm.GLM(counts[:, u], design, family=sm.families.Poisson(), offset=log_time)
        fit = model.fit(tol=1e-12)
        np.testing.assert_allclose(found[u], fit.params, atol=1e-7)
        own = deviance(counts.astype(float), design, log_time, found)[u]
        assert own == pytest.approx(fit.deviance, rel=1e-9)


def test_fit_poisson__penalises_what_it_should():
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(60), rng.standard_normal((60, 2))])
    counts = rng.poisson(1.0, (60, 1)).astype(float)
    slopes = fit_poisson(counts, design, np.zeros(60), np.array([0.0, 2.0, 2.0]))
    mean = np.exp(slopes @ design.T)[0]
    gradient = design.T @ (counts[:, 0] - mean) - np.array([0.0, 2.0, 2.0]) * slopes[0]
    np.testing.assert_allclose(gradient, 0.0, atol=1e-4)


@pytest.mark.parametrize("circular", [False, True])
def test_spline_basis__adds_up_to_1_with_the_one_left_out(circular):
    at = np.linspace(0.0, 99.9, 400)
    found = spline_basis(at, 8, 0.0, 100.0, circular)
    assert found.shape == (400, 7) and found.min() >= 0 and found.sum(axis=1).max() <= 1 + 1e-12
    assert np.linalg.matrix_rank(np.column_stack([np.ones(400), found])) == 8
    if circular:
        ends = spline_basis(np.array([0.0, 100.0]), 8, 0.0, 100.0, True)
        np.testing.assert_allclose(ends[0], ends[1], atol=1e-12)


def test_shifted__keeps_neighbouring_laps_together_and_repeats_nothing():
    way = np.repeat([0, 1], 16)
    second = np.tile(np.repeat([False, True], 8), 2)
    found = shifted(way, second, 100, np.random.default_rng(0))
    assert len(found) == 7  # 16 shifts, of which half exchange the sessions, without the true one
    for moved in found:
        assert moved.sum() == 16
        assert (np.diff(np.append(moved[:16], moved[0]).astype(int)) != 0).sum() == 2
        np.testing.assert_array_equal(moved[:16], moved[16:])
    fold = folds_of(way, second, 4)
    assert np.bincount(fold).tolist() == [8] * 4


def test_compute_tuning_change__tells_a_new_map_from_a_new_speed():
    options = {"n_units": 16, "n_laps": 40}
    changed = nd.compute_tuning_change(animal("independent", size=20.0, **options), n_repeats=9)
    faster = nd.compute_tuning_change(
        animal("behaviour", speeds=[1.0, 1.6], **options), n_repeats=9
    )
    assert changed["mean_gain"] > 0.1 and changed["mean_p"] == pytest.approx(0.1)
    assert faster["mean_gain"] < 0.02
    by_behaviour = [
        float((found["behaviour_gain"] * found["n_events"]).sum() / found["n_events"].sum())
        for found in (changed, faster)
    ]
    assert by_behaviour[0] < 0 < by_behaviour[1]


def test_compute_tuning_change__of_odd_recordings():
    recording = animal()
    recording["detected"].values[1, 3] = False
    found = nd.compute_tuning_change(recording, n_repeats=2)
    assert np.isnan(found["gain"].values[3]) and found["n_units"] == 7
    lazy = nd.compute_tuning_change(recording.chunk(time=100, unit=3), n_repeats=2)
    np.testing.assert_array_equal(found["gain"], lazy["gain"])
    slow = nd.compute_tuning_change(recording.isel(unit=[0]).drop_vars("speed"), n_repeats=0)
    assert np.isfinite(slow["gain"]).all() and np.isnan(slow["mean_p"])
    few = nd.compute_tuning_change(animal(n_laps=8), n_repeats=0)
    assert few.attrs["cut_at"] == "block" and few["n_laps"] > 20
    lost = recording.copy(deep=True)
    lost["x"].values[lost["session_index"].values == 1] = np.nan
    found = nd.compute_tuning_change(lost)
    assert np.isnan(found["gain"]).all() and "fewer than 6 laps" in found.attrs["left_out"]


def test_compute_tuning_change__refuses_what_it_cannot_use():
    recording = animal()
    with pytest.raises(ValueError, match="one session"):
        nd.compute_tuning_change(nd.select_sessions(recording, ["1"]))
    with pytest.raises(ValueError, match="two labels"):
        nd.compute_tuning_change(recording, "1")
    with pytest.raises(ValueError, match="one axis"):
        nd.compute_tuning_change(testing.open_field(n_units=2, n_sessions=2, minutes=2))
    with pytest.raises(ValueError, match="5 or more"):
        nd.compute_tuning_change(recording, n_splines=3)
