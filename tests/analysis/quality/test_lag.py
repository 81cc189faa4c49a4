"""The scan of the lag, on animals and cells that are made here, and on real recordings."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

import neurodrift as nd
from neurodrift.analysis.quality.lag import check_lag, describe_lag, lag_warnings

STEP = 0.05  # s
LENGTH = 96.0  # cm


def shuttle(rng: np.random.Generator, minutes: float, regular: bool) -> np.ndarray:
    """Position of a mouse that runs to and fro with pauses at the ends (time) [cm]."""
    parts, flipped, n = [], False, 0
    while n < minutes * 60 / STEP:
        speed = 24 * (1 + 0.002 * rng.standard_normal()) if regular else rng.uniform(12, 35)
        pause = 2.0 if regular else 0.3 + rng.exponential(4)
        way = np.linspace(0, LENGTH, int(LENGTH / speed / STEP), endpoint=False)
        lap = np.concatenate([way, np.full(int(pause / STEP), LENGTH)])
        parts.append(LENGTH - lap if flipped else lap)
        flipped, n = not flipped, n + lap.size
    return np.concatenate(parts)[: int(minutes * 60 / STEP)]


def forage(rng: np.random.Generator, minutes: float, size: float = 70.0) -> np.ndarray:
    """Position of a mouse in a box (time, axis) [cm]."""
    n = int(minutes * 60 / STEP)
    heading = np.cumsum(rng.normal(0, 0.25, n))
    speed = np.repeat(rng.uniform(4, 16, n // 40 + 1), 40)[:n]
    free = np.cumsum(speed * STEP * np.array([np.cos(heading), np.sin(heading)]), axis=1).T
    return size - np.abs(free % (2 * size) - size)


def events(
    rng: np.random.Generator,
    place: np.ndarray,
    *,
    lag: float,
    n_units: int = 53,
    n_tuned: int = 20,
    by_speed: bool = False,
) -> np.ndarray:
    """Counts (time, unit): 5 to 60 events of a unit, `lag` seconds after the place they are of."""
    place = place.reshape(len(place), -1)
    n, late = len(place), round(lag / STEP)
    at = np.clip(np.arange(n) - late, 0, n - 1)
    step = np.diff(place, axis=0, prepend=place[:1])
    counts = np.empty((n, n_units), dtype=np.int64)
    for unit in range(n_units):
        rate = np.ones(n)
        if unit < n_tuned:
            centre = place[rng.integers(n)]
            rate = np.exp(-((place - centre) ** 2).sum(axis=1) / 2 / 9**2) + 0.03
            if place.shape[1] == 1:
                rate = np.where(np.sign(step[:, 0]) == rng.choice([-1, 1]), rate, 0.03)
        if by_speed:
            rate = rate * (0.1 + np.hypot.reduce(step, axis=1))
        rate = rate[at]
        counts[:, unit] = rng.poisson(rate / rate.sum() * np.exp(rng.uniform(1.6, 4.1)))
    return counts


def made(seed: int, kind: str, **options) -> xr.Dataset:
    """One session of 10 minutes without a speed."""
    rng = np.random.default_rng(seed)
    place = forage(rng, 10) if kind == "box" else shuttle(rng, 10, kind == "regular")
    axes = {"x": place} if kind != "box" else {"x": place[:, 0], "y": place[:, 1]}
    counts = events(rng, place, **options)
    return nd.recording_from_arrays(counts, kind="events", frame_duration=STEP, **axes)


@pytest.mark.parametrize("kind", ["track", "box"])
@pytest.mark.parametrize("lag", [-12.4, -3.0, 3.0, 12.4, 30.0])
def test_check_lag__finds_offsets_with_their_sign(kind, lag):
    for seed in range(3):
        found = check_lag(made(seed, kind, lag=lag))
        assert found["verdict"].item() == "out of step"
        assert found["best_lag"].item() == pytest.approx(lag, abs=0.7)
        (text,) = json.loads(found.attrs["warnings"])
        assert f"{'after' if lag > 0 else 'before'} position" in text
        assert f"--lag 1={found['best_lag'].item():.1f}`" in text
        later = f"position_time {'+' if lag > 0 else '-'} {abs(found['best_lag'].item()):.1f} in"
        assert later in text


def test_check_lag__positive_is_activity_after_position():
    # One event for each pass of a place, two seconds after it: nothing is left to chance.
    rng = np.random.default_rng(5)
    place = shuttle(rng, 10, regular=False)
    counts = np.zeros((place.size, 8), dtype=int)
    for unit, centre in enumerate(np.linspace(15, 80, 8)):
        passes = np.flatnonzero((place[:-1] < centre) & (place[1:] >= centre))
        passes = passes[passes + 40 < place.size]
        counts[passes + 40, unit] = 1
    recording = nd.recording_from_arrays(counts, kind="events", frame_duration=STEP, x=place)
    found = check_lag(recording)
    assert found["best_lag"].item() == pytest.approx(2.0, abs=0.2)
    curve = found["score"].isel(session=0)
    assert curve.sel(lag=2.0) > 2 * abs(curve.sel(lag=-2.0))


@pytest.mark.parametrize("kind", ["track", "box"])
@pytest.mark.parametrize("lag", [0.0, 1.0])
def test_check_lag__delay_of_calcium_is_in_step(kind, lag):
    for seed in range(4):
        found = check_lag(made(10 + seed, kind, lag=lag))
        assert found["verdict"].item() == "in step"
        assert found["best_lag"].item() == pytest.approx(lag, abs=0.7)
        assert lag_warnings(found) == []


@pytest.mark.parametrize("kind", ["track", "box", "regular"])
@pytest.mark.parametrize("by_speed", [False, True])
def test_check_lag__no_place_is_no_offset(kind, by_speed):
    for seed in range(4):
        found = check_lag(made(20 + seed, kind, lag=0.0, n_tuned=0, by_speed=by_speed))
        assert found["verdict"].item() == "undecided"
        assert abs(found["score"]).max() < 5.5


@pytest.mark.parametrize("lag", [0.0, 1.0])
def test_check_lag__regular_laps_are_no_offset(lag):
    verdicts = [
        check_lag(made(30 + seed, "regular", lag=lag))["verdict"].item() for seed in range(6)
    ]
    assert set(verdicts) <= {"in step", "undecided"}


def test_check_lag__few_units_short_sessions_and_rest_are_undecided():
    whole = made(1, "track", lag=12.4)
    assert check_lag(whole.isel(unit=slice(4)))["verdict"].item() == "undecided"
    assert check_lag(whole.isel(time=slice(1000)))["verdict"].item() == "undecided"
    still = whole.assign(speed=("time", np.zeros(whole.sizes["time"])))
    found = check_lag(still)
    assert found["verdict"].item() == "undecided" and found["n_seconds"] == 0
    assert found["score"].isnull().all() and np.isnan(found["best_lag"].item())
    cut = check_lag(whole.assign_attrs(only_running=1))
    assert cut["verdict"].item() == "undecided"
    assert describe_lag(cut).endswith("undecided in 1 of 1 sessions")


def test_check_lag__gaps_are_kept_to():
    whole = made(2, "track", lag=12.4)
    frames = np.arange(whole.sizes["time"])
    broken = whole.isel(time=(frames < 4000) | (frames > 5200))  # a minute is missing
    found = check_lag(broken)
    assert found["verdict"].item() == "out of step"
    assert found["best_lag"].item() == pytest.approx(12.4, abs=0.7)


def test_check_lag__chunks_and_order_of_units_change_no_bit():
    whole = made(3, "track", lag=0.5)
    plain = check_lag(whole)
    lazy = check_lag(whole.chunk(time=1700, unit=7))
    xr.testing.assert_identical(plain, lazy)
    turned = check_lag(whole.isel(unit=slice(None, None, -1)))
    xr.testing.assert_identical(plain, turned)


def test_check_lag__takes_the_busiest_units_and_minutes():
    whole = made(4, "track", lag=0.0)
    found = check_lag(whole, max_units=10, max_minutes=4)
    assert found["n_units"].item() == 10 and found["n_seconds"].item() <= 240
    reach = found["lag"].values[np.isfinite(found["score"].isel(session=0).values)]
    assert reach.min() == -60 and reach.max() == 60
    short = check_lag(whole, max_minutes=2)
    reach = short["lag"].values[np.isfinite(short["score"].isel(session=0).values)]
    assert reach.max() == 30  # a quarter


@pytest.mark.parametrize("kind", ["deconvolved", "amplitudes", "spikes"])
def test_check_lag__kinds(kind):
    whole = made(6, "track", lag=-12.4)
    activity = whole["activity"].astype("uint8" if kind == "spikes" else float)
    other = whole.assign(activity=activity)
    other["activity"].attrs |= {"kind": kind, "units": "count" if kind == "spikes" else "a.u."}
    assert check_lag(other)["best_lag"].item() == pytest.approx(-12.4, abs=0.7)


def test_check_lag__bad_input():
    whole = made(7, "track", lag=0.0)
    with pytest.raises(ValueError, match="no position 'x'"):
        check_lag(whole.drop_vars("x"))
    with pytest.raises(ValueError, match="max_lag is 0, expected a number, more than 0"):
        check_lag(whole, max_lag=0)
    with pytest.raises(ValueError, match=r"max_minutes is 0.5, expected 1 or more"):
        check_lag(whole, max_minutes=0.5)
    network = whole.assign(activity=whole["activity"].astype(float))
    network["activity"].attrs |= {"kind": "activation", "units": "a.u."}
    with pytest.raises(ValueError, match="no clock of an animal"):
        check_lag(network)


def later(recording: xr.Dataset, lag: float) -> xr.Dataset:
    """The recording with its activity `lag` seconds later, within the frames of each session."""
    moved = np.zeros_like(recording["activity"].values)
    for where in nd.slice_sessions(recording):
        time = recording["time"].values[where]
        source = np.searchsorted(time, time - lag + 1e-6, side="right") - 1
        near = (source >= 0) & (np.abs(time[source] - (time - lag)) < STEP / 2)
        own = recording["activity"].values[where]
        moved[where][near] = own[source[near]]
    return recording.assign(
        activity=(recording["activity"].dims, moved, recording["activity"].attrs)
    )


@pytest.mark.parametrize(
    ("mouse", "environment"), [("C6_M4", "A"), ("C6_M4", "B"), ("C12_M4", "A")]
)
def test_check_lag__real_sessions_are_in_step_until_they_are_shifted(
    real_recording, mouse, environment
):
    recording = real_recording(mouse, environment)
    found = check_lag(recording)
    assert (found["verdict"] == "in step").all()
    assert (found["best_lag"] > -1).all() and (found["best_lag"] < 1).all()
    for lag in (12.4, -12.4):
        shifted = check_lag(later(recording, lag))
        assert (shifted["verdict"] == "out of step").all()
        assert (abs(shifted["best_lag"] - lag) < 1).all()
