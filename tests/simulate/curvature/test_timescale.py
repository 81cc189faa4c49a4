"""Timescales of known declines: bias, coverage, censoring; the published fit, literally."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from neurodrift.simulate.curvature.timescale import (
    estimate_sparsification_time,
    fit_published_timescale,
)


def curve(values, step):
    return xr.DataArray(np.asarray(values, float), coords={"step": step}, dims="step")


def declines(kind, *, tau, level, n_runs, n_samples=120, end=5000.0, seed=1):
    """Runs of 100 units that fall silent at random, or of a smooth decline with noise."""
    rng = np.random.default_rng(seed)
    step = np.linspace(0, end, n_samples)
    if kind == "units":
        stay = round(100 * level)
        lives = rng.exponential(tau, (n_runs, 1, 95 - stay))
        values = (stay + (lives > step[:, None]).sum(axis=-1)) / 100
    else:
        noise = rng.normal(0, 0.02, (n_runs, n_samples))
        memory = 0.8 if kind == "slow noise" else 0.0
        for i in range(1, n_samples):
            noise[:, i] = memory * noise[:, i - 1] + noise[:, i] * math.sqrt(1 - memory**2)
        values = level + (0.95 - level) * np.exp(-step / tau) + noise
    return xr.DataArray(values, dims=("run", "step"), coords={"step": step})


@pytest.mark.parametrize("tau", [3.0, 40.0, 1234.5, 9e4])
@pytest.mark.parametrize("level", [0.0, 0.2])
def test_sparsification_time__exact_exponential(tau, level):
    step = np.r_[0, np.geomspace(1, 3e5, 300).astype(int)]
    step = np.unique(step)
    result = estimate_sparsification_time(
        curve(level + 0.7 * np.exp(-step / tau), step), n_repeats=19
    )
    assert str(result["status"].values) == "fitted"
    assert float(result["timescale"]) == pytest.approx(tau, rel=1e-3)
    assert float(result["level_end"]) == pytest.approx(level, abs=1e-4)
    assert float(result["level_start"]) == pytest.approx(level + 0.7, abs=1e-4)
    assert float(result["r_squared"]) > 0.999999
    assert float(result["timescale_low"]) <= float(result["timescale"]) * 1.001
    assert float(result["timescale_high"]) < tau * 1.01


def test_sparsification_time__first_sample_is_the_origin():
    step = np.arange(0, 4000, 20)
    u = 0.1 + 0.5 * np.exp(-step / 600)
    first = estimate_sparsification_time(curve(u, step), n_repeats=0)
    later = estimate_sparsification_time(curve(u, step + 10_000), n_repeats=0)
    xr.testing.assert_allclose(first["timescale"], later["timescale"])
    assert float(later["half_time"]) == float(first["half_time"]) + 10_000
    assert np.isnan(float(first["timescale_low"]))


@pytest.mark.parametrize(("kind", "n_units"), [("units", 100), ("noise", None)])
def test_sparsification_time__little_bias_and_honest_intervals(kind, n_units):
    runs = declines(kind, tau=1000, level=0.1, n_runs=40)
    result = estimate_sparsification_time(runs, n_units=n_units, n_repeats=99)
    log = np.log(result["timescale"].values / 1000)
    assert abs(log.mean()) < 4 * log.std() / np.sqrt(40)
    covered = (result["timescale_low"] <= 1000) & (result["timescale_high"] >= 1000)
    assert covered.mean() >= 0.85
    # standard errors of the intervals are those that the runs show
    width = np.log(result["timescale_high"] / result["timescale_low"]) / (2 * 1.96)
    assert 0.6 < float(width.mean()) / log.std() < 1.6


@pytest.mark.parametrize("kind", ["units", "noise"])
def test_sparsification_time__many_samples(kind):
    runs = declines(kind, tau=300, level=0.1, n_runs=12, n_samples=3000)
    n_units = 100 if kind == "units" else None
    result = estimate_sparsification_time(runs, n_units=n_units, n_repeats=49)
    assert ((result["timescale_low"] <= 300) & (result["timescale_high"] >= 300)).sum() >= 9
    # a curve that is shortened loses little
    half = estimate_sparsification_time(runs[:, ::8], n_units=n_units, n_repeats=49)
    width, half_width = (
        np.log(r["timescale_high"] / r["timescale_low"]).mean() for r in (result, half)
    )
    assert float(width) < 1.15 * float(half_width)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["units", "noise", "slow noise"])
@pytest.mark.parametrize("tau", [300, 3000, 8000])
def test_sparsification_time__coverage(kind, tau):
    runs = declines(kind, tau=tau, level=0.1, n_runs=100, n_samples=60)
    n_units = 100 if kind == "units" else None
    result = estimate_sparsification_time(runs, n_units=n_units, n_repeats=99)
    covered = (result["timescale_low"] <= tau) & (result["timescale_high"] >= tau)
    assert float(covered.mean()) >= 0.88
    half = -tau * np.log((0.475 - 0.1) / 0.85)
    if kind == "units":
        covered = (result["half_time_low"] <= half) & (result["half_time_high"] >= half)
        assert float(covered.mean()) >= 0.88


def test_sparsification_time__says_when_there_is_nothing_to_fit():
    step = np.arange(0, 2000, 10)
    rng = np.random.default_rng(0)
    noise = 0.003 * rng.normal(size=step.size)
    runs = xr.concat(
        [
            curve(0.9 + noise, step),  # stays
            curve(0.5 + step / 1e4 + noise, step),  # rises
            curve(0.9 * np.exp(-step / 9000) + noise, step),  # the run is too short
            curve(np.where(step < 40, 0.9, np.nan), step),  # stopped at once
            curve(np.zeros(step.size), step),  # dead from the start
            curve(0.2 + 0.7 * np.exp(-step / 200), step),
        ],
        "run",
    )
    result = estimate_sparsification_time(runs, n_repeats=49)
    assert list(result["status"].values) == [
        *("not sparsified", "not sparsified", "incomplete", "too short", "too short", "fitted")
    ]
    assert list(np.isnan(result["timescale"].values)) == [True, True, False, True, True, False]
    assert list(np.isnan(result["half_time"].values)) == [True, True, True, True, True, False]
    assert list(result["last_step"].values) == [1990, 1990, 1990, 30, 1990, 1990]
    low, high = float(result["timescale_low"][2]), float(result["timescale_high"][2])
    assert 2000 < low < 9000 < high
    # the run says that the half time lies beyond its end
    units = estimate_sparsification_time(runs[0], n_units=100, n_repeats=0)
    assert float(units["half_time_low"]) == 1990
    assert float(units["half_time_high"]) == np.inf


def test_sparsification_time__unbounded_when_a_line_would_do():
    step = np.arange(0, 1000, 10)
    noise = 0.02 * np.random.default_rng(0).normal(size=step.size)
    result = estimate_sparsification_time(curve(0.9 - 1e-4 * step + noise, step), n_repeats=49)
    assert str(result["status"].values) in ("incomplete", "fitted")
    assert float(result["timescale_high"]) > 5000


@pytest.mark.parametrize("n_units", [10, 30])
def test_sparsification_time__half_time_is_the_first_step_at_half(n_units):
    u = [0.8, 0.7, 0.5, 0.4, 0.4, 0.3, 0.2, 0.2]
    result = estimate_sparsification_time(curve(u, np.arange(8) * 5), n_units=n_units, n_repeats=0)
    assert float(result["half_time"]) == 15
    # of the units active at first, a share within this reach of a half can be a half
    reach = 1.959964 * 0.5 / math.sqrt(0.8 * n_units)
    shares = [value / 0.8 for value in u]
    below = [5 * i for i, share in enumerate(shares) if share <= 0.5 - reach]
    above = [5 * i for i, share in enumerate(shares) if share > 0.5 + reach]
    assert float(result["half_time_low"]) == above[-1]
    assert float(result["half_time_high"]) == (below[0] if below else math.inf)


def test_sparsification_time__half_time_ignores_single_outliers():
    step = np.arange(0, 1000, 10)
    u = np.where(step < 600, 0.8, 0.3)
    u[5], u[80] = 0.35, 0.5
    result = estimate_sparsification_time(curve(u, step), n_units=100, n_repeats=0)
    assert float(result["half_time"]) == 600
    assert float(result["half_time_low"]) <= 600 <= float(result["half_time_high"])


def test_sparsification_time__does_not_depend_on_other_runs_or_chunks():
    runs = declines("units", tau=800, level=0.1, n_runs=4)
    options = {"n_units": 100, "n_repeats": 19, "seed": 2}
    whole = estimate_sparsification_time(runs, **options)
    xr.testing.assert_identical(
        whole, estimate_sparsification_time(runs[::-1], **options)[{"run": slice(None, None, -1)}]
    )
    xr.testing.assert_identical(
        whole, estimate_sparsification_time(runs.chunk(run=1), **options).compute()
    )
    xr.testing.assert_identical(
        whole.isel(run=2), estimate_sparsification_time(runs.isel(run=2), **options)
    )
    other = estimate_sparsification_time(runs, **(options | {"seed": 3}))
    assert not (whole["timescale_low"] == other["timescale_low"]).all()
    assert (whole["timescale"] == other["timescale"]).all()


def test_sparsification_time__skips_missing_samples():
    step = np.arange(0, 4000, 20)
    u = curve(0.1 + 0.5 * np.exp(-step / 600), step)
    gap = estimate_sparsification_time(u.where((step < 500) | (step > 700)), n_repeats=0)
    assert float(gap["timescale"]) == pytest.approx(600, rel=1e-4)
    stopped = estimate_sparsification_time(u.where(step < 2000), n_repeats=0)
    assert float(stopped["last_step"]) == 1980


@pytest.mark.parametrize(
    ("array", "options", "message"),
    [
        (xr.DataArray(np.ones(9), dims="time"), {}, "expected a dimension 'step'"),
        (xr.DataArray(np.ones(9), dims="step"), {}, "training steps as its coordinate"),
        (curve(np.ones(3), [0, 2, 2]), {}, "not strictly increasing"),
        (curve(np.ones(3), [0, 1, 2]), {"level": 95}, "level is 95, expected"),
        (curve(np.ones(3), [0, 1, 2]), {"n_units": 0}, "n_units is 0"),
    ],
)
def test_sparsification_time__bad_input(array, options, message):
    with pytest.raises(ValueError, match=message):
        estimate_sparsification_time(array, **options)


def literal_published(u, x):
    """Spec section 4, sample by sample; None where the published code fails."""
    top, bottom = max(u), min(u)
    target = top - 0.9 * (top - bottom)
    end = min(range(len(u)), key=lambda i: abs(u[i] - target))
    if end < 2:
        return None
    rest, steps = u[:end], x[:end]
    logs = [math.log(v - (min(rest) - 1e-10)) for v in rest]
    # weights multiply residuals, so their squares stand in the sums
    squares = [steps[end - 1 - i] / max(steps) for i in range(end)]
    total = sum(squares)
    mean_x = sum(w * a for w, a in zip(squares, steps, strict=True)) / total
    mean_y = sum(w * a for w, a in zip(squares, logs, strict=True)) / total
    over = sum(
        w * (a - mean_x) * (b - mean_y) for w, a, b in zip(squares, steps, logs, strict=True)
    )
    return over / sum(w * (a - mean_x) ** 2 for w, a in zip(squares, steps, strict=True))


@pytest.mark.parametrize("kind", ["units", "noise", "slow noise"])
def test_published_timescale__equals_the_literal_fit(kind):
    runs = declines(kind, tau=900, level=0.1, n_runs=12, n_samples=300)
    result = fit_published_timescale(runs)
    step = runs["step"].values.tolist()
    expected = [literal_published(row.tolist(), step) for row in runs.values]
    np.testing.assert_allclose(result["rate"], expected, rtol=1e-8)
    np.testing.assert_allclose(result["log_tau"], np.log10(np.abs(expected)), rtol=1e-8)
    xr.testing.assert_identical(result, fit_published_timescale(runs.chunk(run=5)).compute())


def test_published_timescale__failures_are_zero():
    step = np.arange(0, 100, 10)
    runs = xr.concat(
        [
            curve(np.full(10, 0.5), step),  # flat
            curve(np.linspace(0.1, 0.9, 10), step),  # rises: cut at the start
            curve(np.r_[0.9, np.full(9, 0.1)], step),  # one sample is left
            curve(np.r_[0.9, np.nan, np.full(8, 0.1)], step),
        ],
        "run",
    )
    result = fit_published_timescale(runs)
    assert result["rate"].isnull().all()
    assert (result["log_tau"] == 0).all()


def test_published_timescale__two_samples():
    u = np.r_[0.9, 0.5, np.full(8, 0.1)]
    # from step 0 the second sample has weight 0 / 10, and one sample gives no slope
    from_zero = fit_published_timescale(curve(u, np.arange(0, 100, 10)))
    assert np.isnan(float(from_zero["rate"])) and float(from_zero["log_tau"]) == 0
    # from a later step both count, and the line goes through both
    later = fit_published_timescale(curve(u, np.arange(10, 110, 10)))
    expected = (math.log(1e-10) - math.log(0.4 + 1e-10)) / 10
    assert float(later["rate"]) == pytest.approx(expected, rel=1e-6)
    assert float(later["log_tau"]) == pytest.approx(math.log10(-expected), rel=1e-6)


def test_published_timescale__is_half_too_fast_on_an_exact_exponential():
    for every in (1, 100):
        step = np.arange(0, 5000, every)
        u = curve(0.1 + np.exp(-step / 1000), step)
        assert float(fit_published_timescale(u)["rate"]) == pytest.approx(-1.5e-3, rel=0.05)
        robust = estimate_sparsification_time(u, n_repeats=0)
        assert float(robust["timescale"]) == pytest.approx(1000, rel=1e-4)
