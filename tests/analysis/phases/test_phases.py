from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy.stats import rankdata

from neurodrift import testing
from neurodrift.analysis.analyze import analyze
from neurodrift.analysis.phases._fit import drift_of
from neurodrift.analysis.phases._series import Series, from_series
from neurodrift.analysis.phases.phases import describe_phases, detect_phases
from neurodrift.schema import structure_faults
from neurodrift.schema.results import PHASES
from neurodrift.simulate.gradient.engine import train
from neurodrift.simulate.gradient.tasks import predictive_track


def _run(
    step: np.ndarray, learned: float, settled: float, *, noise: float = 0.02, seed: int = 0
) -> xr.Dataset:
    """A run whose loss falls in a line until `learned` and whose units fall until `settled`."""
    rng = np.random.default_rng(seed)
    noises = noise * rng.standard_normal((3, step.size))
    fall = np.minimum(step / settled, 1)
    log_loss = -3 * np.minimum(step / learned, 1)
    return xr.Dataset(
        {
            "loss": ("step", np.exp(log_loss + 3 * noises[0])),
            "active_fraction": ("step", 0.5 * (1 - 0.6 * fall + noises[1])),
            "fraction_active_units": ("step", 1 - 0.5 * fall + noises[2]),
        },
        {"step": step},
    )


def _results(
    statistics: dict[str, Any], similarity: np.ndarray | None = None, **coords: Any
) -> xr.DataTree:
    """Results as `analyze` makes them, of given values."""
    n = len(next(iter(statistics.values())))
    labels = np.array([str(i + 1) for i in range(n)], dtype=object)
    given = {"experience": 15.0 * np.arange(n)} | statistics | coords
    nodes = {
        "sessions": xr.Dataset(
            {name: ("session", np.asarray(v, float)) for name, v in given.items()},
            {"session": labels},
        )
    }
    if similarity is not None:
        nodes["session_drift"] = xr.Dataset(
            {"rate_map_correlation_relative": (("session_a", "session_b"), similarity)},
            {"session_a": labels, "session_b": labels},
        )
    return xr.DataTree.from_dict(nodes)


def _drifting(n: int, rate: float = 0.2, noise: float = 0.02, seed: int = 0) -> np.ndarray:
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    r = np.exp(-rate * lag) + noise * np.random.default_rng(seed).standard_normal((n, n))
    r = np.triu(r, 1)
    return r + r.T + np.eye(n)


@pytest.mark.parametrize("spacing", ["even", "growing"])
@pytest.mark.parametrize("n", [21, 60, 400])
def test_phases__known_borders_of_a_run(n: int, spacing: str) -> None:
    if spacing == "even":
        step, learned, settled = np.linspace(0, 1e5, n), 2e4, 7e4
    else:
        step, learned, settled = np.r_[0, np.geomspace(1, 1e5, n - 1)], 30.0, 8000.0
    found = detect_phases(_run(step, learned, settled))
    assert found.attrs["verdict"] == "fast learning, then directed drift, then null drift or none"
    low, high = found["change_point_ci_low"].values, found["change_point_ci_high"].values
    truth = 0.95 * np.array([learned, settled])
    assert (low <= truth).all() and (truth <= high).all()
    ratio = found["change_point"].values / truth
    assert (np.abs(np.log10(ratio)) < (0.1 if spacing == "even" else 0.35)).all()
    np.testing.assert_array_equal(found["trend"], -1)
    dominant = found["dominant"].values
    assert (dominant[found["at"] < low[0]] == "fast learning").all()
    between = (found["at"].values > high[0]) & (found["at"].values < low[1])
    assert (dominant[between] == "directed drift").all()
    observed = found["observed"].sel(phase="null drift")
    seen = ["constant"] if n > 21 else ["constant", "undecided"]  # 5 sessions cannot tell
    assert observed.drop_sel(quantity="loss").isin(seen).all()
    assert found["n_sessions"].sum() == found.sizes["session"] == min(n, 101)
    assert structure_faults(found, PHASES) == []


def test_phases__evidence_within_each_phase() -> None:
    step = np.linspace(0, 1e5, 61)
    found = detect_phases(_run(step, 2e4, 7e4, noise=0.01))
    learning = found.sel(phase="fast learning", quantity="loss")
    assert float(learning["change"]) == pytest.approx(np.exp(-3) - 1, abs=0.03)
    assert learning["observed"] == learning["expected"] == "changes"
    directed = found.sel(phase="directed drift", quantity="fraction_active_units")
    # from 1 - 0.5 * 2/7 on, where fast learning ends, to 0.5
    assert float(directed["change"]) == pytest.approx(0.5 / (1 - 1 / 7) - 1, abs=0.05)
    assert directed["change_ci_low"] < directed["change"] < directed["change_ci_high"] < 0
    constant = found.sel(phase="directed drift", quantity="loss")
    assert constant["observed"] == constant["expected"] == "constant"
    expected = found["expected"].to_pandas().T
    assert expected.loc["loss"].tolist() == ["changes", "constant", "constant"]
    assert expected.loc["active_fraction"].tolist() == ["may change", "changes", "constant"]


def test_phases__probabilities_follow_the_borders() -> None:
    found = detect_phases(_run(np.linspace(0, 1e5, 61), 2e4, 7e4))
    chance = found["probability"].values
    np.testing.assert_allclose(chance.sum(axis=0), 1, atol=1e-6)
    assert (np.diff(chance[0]) <= 1e-12).all() and (np.diff(chance[2]) >= -1e-12).all()
    assert chance[0, 0] > 0.99 and chance[1, 30] > 0.99 and chance[2, -1] > 0.9


@pytest.mark.parametrize(("settled", "seed"), [(13.0, 9), (15.0, 4)])
def test_phases__the_last_session_agrees_with_the_border(settled: float, seed: int) -> None:
    found = detect_phases(_run(np.arange(16.0), 3.0, settled, noise=0.1, seed=seed))
    border = float(found["change_point"].sel(border="directed drift ends"))
    at, directed = found["at"].values, found["dominant"].values == "directed drift"
    assert directed.any()
    assert (directed == ((at >= at[directed].min()) & (at < border))).all()


def test_phases__loss_that_goes_on_falling() -> None:
    found = detect_phases(_run(np.linspace(0, 1e5, 41), 4e5, 4e5))
    assert found.attrs["verdict"] == "fast learning throughout"
    assert found["change_point_ci_high"].values[0] == np.inf
    assert "The end of fast learning may lie beyond" in found.attrs["limits"]


def test_phases__loss_of_which_little_is_known() -> None:
    step = np.arange(8.0)
    loss = np.exp([3.0, -40, 20, -3, 30, -20, 5, -1])
    found = detect_phases(xr.Dataset({"loss": ("step", loss)}, {"step": step}))
    size = [float(found[f"total_change{end}"][0]) for end in ("_ci_low", "", "_ci_high")]
    assert -1 <= size[0] <= size[1] <= size[2]


def test_phases__without_loss_directed_drift_may_be_learning() -> None:
    rng = np.random.default_rng(3)
    falling = 1 - 0.4 * np.minimum(np.arange(16) / 7, 1) + 0.01 * rng.standard_normal(16)
    results = _results({"fraction_active_units": falling}, _drifting(16))
    found = detect_phases(results)
    assert found.attrs["verdict"] == "fast learning or directed drift, then null drift"
    assert "cannot be told from directed drift" in found.attrs["limits"]
    assert found["probability"].sel(phase="fast learning").isnull().all()
    assert np.isnan(found["change_point"].values[0])
    low, high = (float(found[f"change_point_ci_{end}"][1]) for end in ("low", "high"))
    assert low <= 0.95 * 7 * 15 <= high
    assert found.attrs["axis"] == "experience" and found["at"].attrs["units"] == "min"
    loss = {"loss": np.full(16, 0.1) + 0.001 * rng.standard_normal(16)}
    known = detect_phases(_results({"fraction_active_units": falling}, _drifting(16), **loss))
    assert known.attrs["verdict"] == "directed drift, then null drift"
    assert "fast learning was over before" in known.attrs["conclusion"]


def test_phases__null_drift_only_and_no_drift() -> None:
    rng = np.random.default_rng(0)
    flat = {"fraction_active_units": 0.9 + 0.01 * rng.standard_normal(8)}
    null = detect_phases(_results(flat, _drifting(8)))
    assert null.attrs["verdict"] == "null drift only"
    rate = null.sel(phase="null drift")
    assert rate["drift_rate_ci_low"] < 0.2 / 15 < rate["drift_rate_ci_high"]
    assert float(rate["rate_evidence"]) < 0 and float(rate["drift_p"]) <= 0.01
    assert null["observed"].sel(phase="null drift", quantity="representation") == "changes"
    assert detect_phases(_results(flat, _drifting(8, rate=0.0))).attrs["verdict"] == "no drift only"
    assert detect_phases(_results(flat)).attrs["verdict"] == "null drift or none only"
    assert "null drift is not shown" in detect_phases(_results(flat)).attrs["limits"]
    jumpy = _drifting(8, rate=0.0, noise=0.2, seed=3)
    assert detect_phases(_results(flat, jumpy)).attrs["verdict"] == "null drift or none only"
    apart = np.full((8, 8), 0.1) + 0.01 * rng.standard_normal((8, 8))
    assert detect_phases(_results(flat, apart)).attrs["verdict"] == "null drift only"


def test_phases__one_statistic_that_leans_is_enough_for_doubt() -> None:
    rng = np.random.default_rng(1)
    values = {
        "fraction_active_units": 0.9 + 0.01 * rng.standard_normal(8),
        "active_fraction": 0.1 + 0.003 * rng.standard_normal(8),
        "fraction_place_cells": [0.305, 0.351, 0.366, 0.407, 0.474, 0.405, 0.466, 0.460],
    }
    found = detect_phases(_results(values, _drifting(8)))
    assert found.attrs["verdict"] == "undecided"
    assert "place cells +" in found.attrs["conclusion"]
    assert "the representation loses" in found.attrs["conclusion"]


def test_phases__a_slope_that_no_shape_bears_out_is_undecided() -> None:
    # five draws of 1.5 +- 3 %: p of the slope .046, Bayes factor of a change 0.58
    information = [1.4732, 1.5284, 1.5468, 1.5464, 1.5818]
    found = detect_phases(
        _results({"information": information}, _drifting(5)), measures=["information"]
    )
    row = found.sel(quantity="information")
    assert row["linear_p"] < 0.05 and row["log10_bayes_factor"] < 0
    assert found.attrs["verdict"] == "undecided" and row["state"] == "undecided"
    assert found["change_point"].isnull().all()


def test_phases__no_null_drift_in_sessions_too_few_to_tell() -> None:
    noise = 0.03 * np.random.default_rng(0).standard_normal((10, 5))
    told = set()
    for one in noise:
        falling = {"fraction_active_units": 0.5 * (1 - 0.3 * np.arange(5) / 4 + one)}
        found = detect_phases(_results(falling, _drifting(5)))
        told.add(found.attrs["verdict"])
        last = found["dominant"].values[-1] == "undecided" != found["dominant"].values[0]
        assert ("null drift needs at least 5 sessions" in found.attrs["limits"]) == last
    assert "fast learning or directed drift, then undecided" in told
    assert not any("null" in name for name in told)


@pytest.mark.parametrize("n", [1, 2, 4])
def test_phases__too_few_sessions_say_so(n: int) -> None:
    found = detect_phases(
        _results({"fraction_active_units": np.linspace(0.9, 0.5, n)}, _drifting(n))
    )
    assert found.attrs["verdict"] == "undecided"
    assert f"{n} session" in found.attrs["limits"] and "at least 5" in found.attrs["limits"]
    assert found["change_point"].isnull().all()
    assert structure_faults(found, PHASES) == []
    assert describe_phases(found).startswith("phases: undecided\n")


def test_phases__missing_values_and_constant_series() -> None:
    step = np.linspace(0, 1e5, 61)
    run = _run(step, 2e4, 7e4)
    run["loss"][[3, 20]] = np.nan
    run["active_fraction"][:] = np.nan
    run["fraction_active_units"][[0, 30, 60]] = np.nan
    found = detect_phases(run)
    assert found.attrs["verdict"].startswith("fast learning, then directed drift")
    evidence = found["log10_bayes_factor"]
    assert np.isnan(evidence.sel(quantity="active_fraction"))
    run["fraction_active_units"][:] = 1.0
    still = detect_phases(run.drop_vars("active_fraction"))
    assert still.attrs["verdict"] == "fast learning, then null drift or none"
    assert still["log10_bayes_factor"].sel(quantity="fraction_active_units") == -np.inf
    zero = detect_phases(run.assign(fraction_active_units=0 * run["fraction_active_units"]))
    assert zero.attrs["verdict"] == still.attrs["verdict"]
    nothing = detect_phases(run * np.nan)
    assert nothing.attrs["verdict"] == "undecided"


def test_phases__unit_of_the_axis_and_of_the_series_do_not_matter() -> None:
    run = _run(np.linspace(0, 1000, 41), 200, 700)
    scaled = 7 * run.assign_coords(step=run["step"] / 50)
    one, other = detect_phases(run), detect_phases(scaled)
    np.testing.assert_allclose(one["change_point"], 50 * other["change_point"])
    np.testing.assert_allclose(one["log10_bayes_factor"], other["log10_bayes_factor"], rtol=1e-6)
    np.testing.assert_allclose(one["probability"], other["probability"], atol=1e-9)
    np.testing.assert_allclose(one["change"], other["change"], rtol=1e-6)


def test_phases__confounds_are_named() -> None:
    rng = np.random.default_rng(0)
    flat = {"fraction_active_units": 0.9 + 0.01 * rng.standard_normal(8)}
    speed = [8.8, 9.8, 8.3, 8.9, 9.7, 11.7, 12.6, 13.1]
    found = detect_phases(
        _results(flat, _drifting(8), running_speed=speed, n_detected=np.full(8, 50))
    )
    assert found.attrs["confounds"] == "running_speed"
    assert "Running speed may change" in found.attrs["limits"]


def _slow_mantel(r: np.ndarray, at: np.ndarray) -> float:
    """Every order of the sessions."""
    pairs = [(i, j) for i in range(at.size) for j in range(i + 1, at.size)]
    lag = rankdata([abs(at[i] - at[j]) for i, j in pairs])

    def correlation(order: tuple[int, ...]) -> float:
        values = [r[order[i], order[j]] for i, j in pairs]
        return float(np.corrcoef(lag, values)[0, 1])

    every = [correlation(order) for order in permutations(range(at.size))]
    return float(np.mean(np.array(every) <= correlation(tuple(range(at.size))) + 1e-12))


@pytest.mark.parametrize("seed", range(4))
def test_drift_of__p_is_that_of_all_orders(seed: int) -> None:
    at = np.array([0.0, 1, 3, 4, 8])
    similarity = _drifting(5, rate=0.05, noise=0.1, seed=seed)
    series = Series(
        labels=list("abcde"),
        at=at,
        when=at,
        axis="day",
        units="d",
        loss=None,
        measures={},
        similarity=similarity,
    )
    options = {"level": 0.95, "negligible": 0.05, "done": 0.95, "n_repeats": 4000, "seed": 0}
    found = drift_of(series, np.arange(5), **options)
    assert found["p"] == pytest.approx(_slow_mantel(similarity, at), abs=0.03)
    neighbours = np.diag(similarity, 1)
    assert found["rate"] == pytest.approx((-np.log(neighbours) / np.diff(at)).mean(), rel=0.5)
    assert found["c_low"] < 1 - neighbours.mean() < found["c_high"]


def test_from_series__long_series_are_thinned_where_phases_are_long() -> None:
    step = np.arange(0.0, 5000, 5)
    even = from_series(_run(step, 100, 2000), None, None)
    assert even.at.size == 101
    assert even.at[:10].tolist() == step[:10].tolist() and even.at[-1] == step[-1]
    assert (np.diff(even.at) > 0).all()
    growing = from_series(_run(np.r_[0, np.geomspace(1, 1e6, 999)], 30, 1e5), None, None)
    assert growing.at.size == 101 and growing.at[-1] == pytest.approx(1e6)
    ratio = growing.at[2:] / growing.at[1:-1]
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=0.02)


def test_phases__clear_errors() -> None:
    run = _run(np.arange(20.0), 5, 10)
    with pytest.raises(ValueError, match="no measure .'information'.; there are"):
        detect_phases(run, measures=["information"])
    with pytest.raises(ValueError, match="done is 1"):
        detect_phases(run, done=1)
    with pytest.raises(ValueError, match="axis is 'hour', expected one of"):
        detect_phases(_results({"active_fraction": np.ones(6)}), axis="hour")
    with pytest.raises(ValueError, match="'day' is not known for every session"):
        detect_phases(_results({"active_fraction": np.ones(6)}), axis="day")
    with pytest.raises(ValueError, match="does not increase"):
        detect_phases(run.isel(step=slice(None, None, -1)))
    with pytest.raises(ValueError, match="no node 'sessions'"):
        detect_phases(xr.DataTree())
    with pytest.raises(ValueError, match="no loss and no statistic"):
        detect_phases(xr.Dataset({"speed": ("step", np.ones(4))}))
    with pytest.raises(ValueError, match="expected one and the same dimension"):
        detect_phases(run.assign(loss=("other", np.ones(5))))


def test_phases__of_synthetic_mice() -> None:
    recording = testing.linear_track(n_units=20, n_sessions=8, minutes=2, frame_rate=5)
    results = analyze(recording, n_repeats=20, n_draws=1)
    found = detect_phases(results)
    # 20 units cannot show that nothing changes, and the text says what they could have shown
    assert found.attrs["verdict"] == "undecided"
    assert "would have been found with a power of 80 %" in found.attrs["conclusion"]
    assert found["trend"].sel(quantity="fraction_active_units") == 0
    wide = detect_phases(results, measures=["fraction_active_units"], margin=1.0)
    assert wide.attrs["verdict"] == "null drift only"
    silent = testing.linear_track(n_units=20, n_sessions=8, minutes=2, frame_rate=5, silencing=0.08)
    falling = detect_phases(analyze(silent.drop_vars(["x", "speed", "direction", "lap"])))
    assert falling.attrs["verdict"] == "fast learning or directed drift throughout"
    assert falling["trend"].sel(quantity="fraction_active_units") == -1
    assert falling.attrs["similarity"] == "ensemble_rate_correlation"
    assert "no noise ceiling" in falling.attrs["limits"]


def test_phases__of_a_simulated_run() -> None:
    steps = np.unique(np.geomspace(1, 400, 16).astype(int))
    run = train(predictive_track(n_samples=60), n_steps=400, snapshots=[0, *steps])
    results = analyze(run.recording())
    found = detect_phases(results)
    assert found.attrs["axis"] == "training_step" and found.attrs["has_loss"] == 1
    assert found.attrs["similarity"] == "rate_map_correlation"
    assert found["dominant"].values[0] == "fast learning"
    np.testing.assert_allclose(
        found["series"].sel(quantity="loss"), run.recording()["loss"], rtol=1e-12
    )
    alone = detect_phases(run.measures[["loss", "active_fraction", "fraction_active_units"]])
    assert alone["quantity"].values.tolist()[0] == "loss"
