"""Activity that lasts for several frames: how long, and its information from whole laps."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, compute_spatial_information, recording_from_arrays
from neurodrift.analysis.information._kernels import frames_per_event

BINS = Binning(bin_width=5.0, min_occupancy=0.0)


def laps_of(n_laps: int, per_lap: int = 100) -> dict[str, np.ndarray]:
    x = np.tile((np.arange(per_lap) + 0.5) * 100 / per_lap, n_laps)
    return {"x": x, "lap": np.repeat(np.arange(n_laps), per_lap)}


def lasting(rate: np.ndarray, n_frames: int, rng: np.random.Generator) -> np.ndarray:
    """Events of so many frames that begin at a rate [1/frame]."""
    begin = (rng.random(rate.shape) < rate).astype(int)
    return sum(np.pad(begin, ((k, 0), (0, 0)))[: len(begin)] for k in range(n_frames))


def recording_of(activity: np.ndarray, run: dict[str, np.ndarray]) -> xr.Dataset:
    return recording_from_arrays(
        activity, kind="events", geometry="linear", frame_duration=0.1, **run
    )


def test_frames_per_event__equals_loops() -> None:
    rng = np.random.default_rng(0)
    state = np.tile(np.repeat(np.arange(5), 6), 16)
    values = lasting(np.full((state.size, 1), 0.05), 3, rng)[:, 0].astype(float)
    n, blocks = state.size, np.arange(state.size) * 16 // state.size
    rest = np.zeros((2, n))
    for t in range(n):
        for half in (0, 1):
            other = (blocks % 2 == half) & (blocks != blocks[t]) & (state == state[t])
            rest[half, t] = values[t] - values[other].mean()
    expected, whole = 1.0, (rest[0] * rest[1]).sum()
    for lag in range(1, 20):
        product = (rest[0, :-lag] * rest[1, lag:] + rest[1, :-lag] * rest[0, lag:]).sum()
        if product <= 0:
            break
        expected += product / whole
    assert frames_per_event(values, state, 19, 16) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_frames", [1, 2, 6])
def test_frames_per_event__is_how_long_events_last(n_frames: int) -> None:
    rng = np.random.default_rng(1)
    run = laps_of(60)
    place = np.exp(-((run["x"][:, None] - rng.uniform(10, 90, 40)) ** 2) / 200)
    for rate in (np.full(place.shape, 0.01), 0.002 + 0.04 * place):  # with and without a field
        activity = lasting(rate, n_frames, rng)
        found = compute_spatial_information(recording_of(activity, run), binning=BINS, n_repeats=4)
        assert found["frames_per_event"].mean() == pytest.approx(n_frames, rel=0.12)
        assert bool(found["population_ssr_parts"].notnull()) == (n_frames > 1)


def test_ssr_parts__nothing_is_left_of_flat_units_and_tuned_ones_keep_theirs() -> None:
    rng = np.random.default_rng(2)
    run = laps_of(60)
    flat = recording_of(lasting(np.full((6000, 80), 40 / 6000), 6, rng), run)
    found = compute_spatial_information(flat, binning=BINS, n_repeats=20)
    assert found["population_ssr"] > 0.1
    assert abs(found["population_ssr_parts"]) < 0.04
    place = np.exp(-((run["x"][:, None] - rng.uniform(10, 90, 80)) ** 2) / 128)
    rate = 0.03 + place
    rate *= 40 / rate.sum(axis=0)
    lasted = sum(np.pad(rate, ((k, 0), (0, 0)))[:6000] for k in range(6))
    state = (run["x"] // 5).astype(int)
    maps = np.array([lasted[state == s].mean(axis=0) for s in range(20)]) / lasted.mean(axis=0)
    truth = (maps * np.log2(maps)).mean(axis=0).mean()
    tuned = recording_of(lasting(rate, 6, rng), run)
    found = compute_spatial_information(tuned, binning=BINS, n_repeats=20)
    assert found["population_ssr"] > 1.1 * truth
    assert found["population_ssr_parts"] == pytest.approx(truth, rel=0.1)
    assert found.attrs["parts"] == "lap"


def test_spatial_information__published_corrections_do_not_depend_on_subsample() -> None:
    rng = np.random.default_rng(3)
    recording = recording_of(lasting(np.full((2000, 4), 0.02), 4, rng), laps_of(20))
    options = {"binning": BINS, "n_repeats": 10}
    frames = compute_spatial_information(recording, subsample="frames", **options)
    assert "ssr_parts" not in frames
    for subsample in ("auto", "laps", "blocks"):
        found = compute_spatial_information(recording, subsample=subsample, **options)
        for name in frames.data_vars:
            xr.testing.assert_identical(found[name], frames[name])
        assert found["ssr_parts"].notnull().all()
    lazy = compute_spatial_information(recording.chunk(unit=2, time=500), **options)
    xr.testing.assert_identical(lazy.compute(), compute_spatial_information(recording, **options))
    with pytest.raises(ValueError, match="needs corrections with 'ssr'"):
        compute_spatial_information(recording, subsample="laps", corrections="none")
