"""Wrong matches: thresholds of the score, exchanged units, and the bound on false drift."""

import known_animals as animals
import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.drift.drift import Population
from neurodrift.analysis.identity.sensitivity import exchange
from neurodrift.schema import check
from neurodrift.seeds import generator

QUICK = {"shares": (0.2, 1.0), "n_draws": 1}


def animal(truth="stable", seed=0, **options):
    options = {"n_units": 24, "n_sessions": 3, "n_laps": 16} | options
    return animals.make(truth, np.random.default_rng(seed), **options).recording


def same_units(recording, order, session):
    """The recording with units of one session exchanged, frame by frame."""
    activity = recording["activity"].values.copy()
    here = recording["session_index"].values == session
    activity[here] = activity[here][:, order]
    return recording.assign(activity=(recording["activity"].dims, activity)).assign_attrs(
        recording.attrs
    )


def halves_of(recording):
    return nd.compute_half_maps(
        recording, smoothing=nd.Binning().smoothing_or_default(None), split="lap"
    )


@pytest.mark.parametrize("partner", ["random", "rate"])
def test_exchange__is_the_drift_of_a_recording_with_exchanged_units(partner):
    recording = animal("independent", n_sessions=2)
    recording["activity"].attrs["kind"] = "events"
    found = nd.compute_identity_sensitivity(recording, **QUICK)
    halves = halves_of(recording)
    population = Population(halves, "segment", "all", None, None, None)
    units = np.argsort(recording["unit"].values.astype(str), kind="stable")
    sides = []
    for session, rows in ((0, np.array([0, 1])), (1, np.array([2, 3]))):
        name = recording["session"].values[session]
        rng = generator(0, "wrong matches", partner, 0.2, 0, name)
        order, _ = exchange(population, rows, 0.2, partner, rng)
        plain = np.arange(units.size)
        plain[units] = units[order]
        other = same_units(recording, plain, session)
        other["activity"].attrs.update(recording["activity"].attrs)
        sides.append(nd.compute_session_drift(nd.compute_drift(halves_of(other), units="all")))
    for name in (
        "rate_map_correlation",
        "population_vector_correlation",
        "ensemble_rate_correlation",
        "rate_map_correlation_relative",
    ):
        literal = np.mean([side[name].values[0, 1] for side in sides])
        ours = found["exchanged"].sel(measure=name, partner=partner, wrong_share=0.2)
        np.testing.assert_allclose(ours.values[0, 1], literal, atol=1e-9)


def test_similarity__is_that_of_session_drift():
    recording = animal("independent")
    found = nd.compute_identity_sensitivity(recording, **QUICK)
    drift = nd.compute_session_drift(nd.compute_drift(halves_of(recording), units="all"))
    for name in found["measure"].values:
        if name.endswith("_relative"):
            continue
        np.testing.assert_allclose(
            found["similarity"].sel(measure=name).values, drift[name].values, atol=1e-9
        )


def test_bound__literal():
    recording = animal("independent")
    found = nd.compute_identity_sensitivity(recording, shares=(0.5, 1.0), n_draws=1)
    one = found.sel(measure="rate_map_correlation").isel(session_a=0, session_b=2)
    own = found["similarity"].sel(measure="rate_map_correlation").values.diagonal()
    within = np.sqrt(own[0] * own[2])
    now = float(one["similarity"])
    lost = 0.1 * (within - float(one["wrong"]))
    np.testing.assert_allclose(one["within"], within, atol=1e-12)
    np.testing.assert_allclose(one["false_drift"].sel(wrong_share=0.5), 5 * lost, atol=1e-9)
    np.testing.assert_allclose(one["needed"], (within - now) / (10 * lost), atol=1e-9)
    right = (now - 0.5 * float(one["wrong"])) / 0.5
    np.testing.assert_allclose(one["corrected"].sel(wrong_share=0.5), right, atol=1e-9)
    # the needed share brings the similarity to that without change
    eps = float(one["needed"])
    assert abs((now - eps * float(one["wrong"])) / (1 - eps) - within) < 1e-9


def test_wrong__is_the_mean_of_all_wrong_pairs():
    recording = animal(n_sessions=2, n_units=12)
    found = nd.compute_identity_sensitivity(recording, shares=(1.0,), n_draws=60)
    maps = halves_of(recording)
    rate = maps["rate"].values
    pairs = [
        np.corrcoef(rate[i, u, d], rate[j, v, d])[0, 1]
        for i in (0, 1)
        for j in (2, 3)
        for d in range(rate.shape[2])
        for u in range(12)
        for v in range(12)
        if u != v
    ]
    wrong = float(found["wrong"].sel(measure="rate_map_correlation").values[0, 1])
    assert abs(wrong - np.mean(pairs)) < 0.02


def test_needed__finds_a_known_share_of_exchanged_units():
    recording = animal(n_sessions=2, n_units=60, n_laps=30)
    order = np.arange(60)
    order[:18] = np.roll(order[:18], 1)
    wrong = same_units(recording, order, 1)
    wrong["activity"].attrs.update(recording["activity"].attrs)
    found = nd.compute_identity_sensitivity(wrong, shares=(0.3, 1.0), n_draws=3)
    one = found.sel(measure="rate_map_correlation_relative").isel(session_a=0, session_b=1)
    assert abs(float(one["needed"]) - 0.3) < 0.08
    seen = float(one["within"] - one["similarity"])
    assert seen < float(one["false_drift_high"].sel(wrong_share=0.3))
    assert abs(float(one["corrected"].sel(wrong_share=0.3)) - 1) < 0.12


def test_thresholds__extrapolate_to_right_matches():
    """Units of a low score are wrong as often as the score says."""
    rng = np.random.default_rng(3)
    recording = animal(n_sessions=2, n_units=120, n_laps=24)
    score = np.ones((2, 120))
    score[1] = rng.uniform(0.4, 1.0, 120)
    wrong = np.flatnonzero(rng.random(120) > score[1])
    order = np.arange(120)
    order[wrong] = np.roll(wrong, 1)
    mixed = same_units(recording, order, 1).assign(registration_score=(("session", "unit"), score))
    mixed["activity"].attrs.update(recording["activity"].attrs)
    found = nd.compute_identity_sensitivity(mixed, thresholds=(0.5, 0.6, 0.7, 0.8), **QUICK)
    one = found.sel(measure="rate_map_correlation").isel(session_a=0, session_b=1)
    assert float(one["at_threshold"][-1]) > float(one["at_threshold"][0]) + 0.05
    assert (np.diff(one["n_units"].values) < 0).all()
    assert abs(float(one["extrapolated"]) - float(one["within"])) < 0.1
    keep = score[1] >= 0.7
    few = mixed.isel(unit=np.flatnonzero(keep))
    literal = nd.compute_session_drift(nd.compute_drift(halves_of(few), units="all"))
    np.testing.assert_allclose(
        one["at_threshold"].sel(threshold=0.7), literal["rate_map_correlation"][0, 1], atol=1e-9
    )
    np.testing.assert_allclose(
        one["mean_wrong"].sel(threshold=0.7), 1 - score[1][keep].mean(), atol=1e-12
    )


def test_turnover_and_overlaps():
    recording = animal("turnover", n_sessions=2, n_units=30)
    active = nd.compute_sparsity(recording)["n_events"] > 10
    found = nd.compute_identity_sensitivity(recording, active=active, **QUICK)
    a, b = active.values
    one = found["similarity"].isel(session_a=0, session_b=1)
    turnover = 1 - 2 * (a & b).sum() / (a.sum() + b.sum())
    np.testing.assert_allclose(one.sel(measure="active_cell_turnover"), turnover, atol=1e-12)
    jaccard = (a & b).sum() / (a | b).sum()
    np.testing.assert_allclose(one.sel(measure="active_cell_overlap"), jaccard, atol=1e-12)
    wrong = found["wrong"].isel(session_a=0, session_b=1)
    assert float(wrong.sel(measure="active_cell_turnover")) > turnover
    low = found["false_drift"].sel(measure="active_cell_turnover", wrong_share=0.2)
    assert float(low[0, 1]) < 0  # wrong matches raise it


def test_order_chunks_and_labels_change_nothing():
    recording = animal()
    found = nd.compute_identity_sensitivity(recording, **QUICK)
    lazy = nd.compute_identity_sensitivity(recording.chunk({"unit": 7, "time": 400}), **QUICK)
    xr.testing.assert_identical(found, lazy)
    mixed = nd.compute_identity_sensitivity(recording.isel(unit=slice(None, None, -1)), **QUICK)
    xr.testing.assert_allclose(found, mixed)
    check_again = nd.compute_identity_sensitivity(recording, seed=1, **QUICK)
    assert not np.allclose(check_again["exchanged"], found["exchanged"], equal_nan=True)


@pytest.mark.parametrize(
    "options", [{"n_units": 1}, {"n_sessions": 1}, {"n_units": 2}, {"circle": True}]
)
def test_odd_recordings(options):
    found = nd.compute_identity_sensitivity(animal(**options), **QUICK)
    if options.get("n_units") == 1:
        assert np.isnan(found["needed"]).all()
        assert (found["slope_n"] == 0).all()
    if options.get("n_sessions") == 1:
        assert found["similarity"].shape[1:] == (1, 1)


def test_unregistered_and_undetected_units_stay_out():
    recording = animal(n_sessions=2)
    registered = np.ones(24, dtype=bool)
    registered[:6] = False
    detected = np.ones((2, 24), dtype=bool)
    detected[1, 6:9] = False
    there = xr.DataArray(detected[recording["session_index"].values], dims=("time", "unit"))
    some = recording.assign(
        detected=(("session", "unit"), detected),
        activity=recording["activity"] * there.astype(np.uint8),
    ).assign_coords(registered=("unit", registered))
    some["activity"].attrs.update(recording["activity"].attrs)
    found = nd.compute_identity_sensitivity(some, **QUICK)
    assert int(found["n_units"][0, 0, 1]) == 15
    alone = nd.compute_identity_sensitivity(
        some.isel(unit=slice(6, None)).drop_vars("registered"), **QUICK
    )
    np.testing.assert_allclose(found["similarity"], alone["similarity"])


def test_bad_options():
    with pytest.raises(ValueError, match="shares is"):
        nd.compute_identity_sensitivity(animal(n_sessions=2), shares=(0.0,))
    with pytest.raises(ValueError, match="thresholds is"):
        nd.compute_identity_sensitivity(animal(n_sessions=2), thresholds=(2.0,))
    check(animal())
