from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from neurodrift import compute_rate_maps, recording_from_arrays, testing
from neurodrift.analysis.drift.ceiling import compute_half_maps, compute_session_drift
from neurodrift.analysis.drift.drift import compute_drift


def test_half_maps__odd_and_even_trials() -> None:
    recording = testing.linear_track(n_units=3, n_sessions=2, minutes=3)
    halves = compute_half_maps(recording)
    trials = compute_rate_maps(recording, by="trial")
    for session in ("1", "2"):
        for half in (0, 1):
            mine = halves.isel(
                segment=(halves["session"].values == session) & (halves["half"].values == half)
            )
            own = (trials["session"].values == session) & (trials["trial"].values % 2 != half)
            parts = trials.isel(segment=own)
            for name in ("events", "occupancy"):
                np.testing.assert_allclose(
                    mine[name].isel(segment=0).values, parts[name].sum("segment").values
                )


def test_half_maps__laps_of_both_directions_in_both_halves() -> None:
    recording = testing.linear_track(n_units=2, n_sessions=1, minutes=4)
    halves = compute_half_maps(recording, split="lap")
    assert halves.sizes["segment"] == 2
    per_direction = halves["occupancy"].sum("position").values
    assert (per_direction > 20).all()
    whole = compute_rate_maps(recording)["occupancy"].isel(session=0).values
    np.testing.assert_allclose(halves["occupancy"].sum("segment").values, whole)


def test_half_maps__blocks_of_time() -> None:
    recording = testing.linear_track(n_units=2, n_sessions=2, minutes=3).drop_vars("trial")
    with pytest.raises(ValueError, match="has no trial: use 'block'"):
        compute_half_maps(recording)
    halves = compute_half_maps(recording, split="block", block=30.0)
    first = halves["occupancy"].values[:2].sum(axis=(1, 2))
    clock = recording["time"].values[:3600] - recording["time"].values[0]
    running = recording["speed"].values[:3600] >= 1
    expected = [(running & (clock // 30 % 2 == half)).sum() * 0.05 for half in (0, 1)]
    np.testing.assert_allclose(first, expected)
    for wrong in ({"split": "day"}, {"split": "block", "block": 0}):
        with pytest.raises(ValueError, match="expected"):
            compute_half_maps(recording, **wrong)


def test_half_maps__counts_trials_of_each_map_by_themselves() -> None:
    recording = testing.linear_track(n_units=2, n_sessions=1, minutes=5)
    label = np.where(recording["trial"].values == 2, 2, 1)  # map 1 in trials 1, 3, 4, 5
    recording = recording.assign(map_label=("time", label.astype(np.int16)))
    halves = compute_half_maps(recording)
    found = list(zip(halves["map_label"].values, halves["half"].values, strict=True))
    assert found == [(1, 0), (1, 1), (2, 0)]
    trials = compute_rate_maps(recording, by="trial")["occupancy"].values
    np.testing.assert_allclose(halves["occupancy"].values[0], trials[0] + trials[3])
    np.testing.assert_allclose(halves["occupancy"].values[1], trials[2] + trials[4])


def literal_session_drift(found: xr.Dataset, name: str) -> np.ndarray:
    labels = found["session_a"].values.tolist()
    sessions = list(dict.fromkeys(labels))
    same = found["same_map"].values if "same_map" in found.coords else None
    mean = np.full((len(sessions),) * 2, np.nan)
    for a, first in enumerate(sessions):
        for b, second in enumerate(sessions):
            values = [
                found[name].values[i, j]
                for i, p in enumerate(labels)
                for j, q in enumerate(labels)
                if i != j and p == first and q == second and (same is None or same[i, j])
            ]
            values = [v for v in values if np.isfinite(v)]
            mean[a, b] = np.mean(values) if values else np.nan
    return mean


@pytest.mark.parametrize("labelled", [False, True])
def test_session_drift__equals_literal_means(labelled: bool) -> None:
    recording = testing.linear_track(n_units=8, n_sessions=3, minutes=3, detection=0.8)
    if labelled:
        label = 1 + (recording["trial"].values > 3).astype(np.int16)
        recording = recording.assign(map_label=("time", label))
    segments = compute_drift(compute_half_maps(recording, smoothing=4.0), n_repeats=5)
    found = compute_session_drift(segments)
    for name in ("rate_map_correlation", "population_vector_correlation", "cell_overlap"):
        expected = literal_session_drift(segments, name)
        np.testing.assert_allclose(found[name].values, expected, atol=1e-12)
    relative = found["rate_map_correlation_relative"].values
    np.testing.assert_allclose(relative, relative.T)
    assert set(np.diag(relative)) == {1}
    assert found["lag"].values[0].tolist() == [0, 1, 2]
    assert found["lag_day"].values[2].tolist() == [-4.0, -2.0, 0.0]
    # two maps of two halves: four equal-map pairs between sessions, two within
    assert found["n_pairs"].values.tolist() == (
        [[2, 8, 8], [8, 2, 8], [8, 8, 2]] if labelled else [[1, 4, 4], [4, 1, 4], [4, 4, 1]]
    )
    total = segments["rate_map_correlation_n"].values
    within = total[0, 1] + (total[2, 3] if labelled else 0)
    assert found["rate_map_correlation_n"].values[0, 0] == within
    with pytest.raises(ValueError, match="drift between segments"):
        compute_session_drift(found)


def test_session_drift__stable_maps_reach_the_ceiling() -> None:
    shape = {"n_units": 60, "n_sessions": 4, "tuned": 1.0, "seed": 2}
    stable = testing.linear_track(minutes=2, drift=0.0, **shape)
    options = {"smoothing": 4.0, "split": "lap"}
    found = compute_session_drift(compute_drift(compute_half_maps(stable, **options), n_repeats=0))
    raw = found["rate_map_correlation"].values
    relative = found["rate_map_correlation_relative"].values
    off = ~np.eye(4, dtype=bool)
    assert raw[off].max() < 0.9
    np.testing.assert_allclose(relative[off], 1, atol=0.06)

    moving = testing.linear_track(minutes=4, drift=0.3, **shape)
    found = compute_session_drift(compute_drift(compute_half_maps(moving, **options), n_repeats=0))
    truth = testing.linear_track_truth(drift=0.3, **shape)["rate"].values
    true = [np.corrcoef(truth[0, u, d], truth[3, u, d])[0, 1] for u in range(60) for d in (0, 1)]
    assert found["rate_map_correlation_relative"].values[0, 3] == pytest.approx(
        np.mean(true), abs=0.1
    )


def test_session_drift__no_ceiling_where_there_is_one_half() -> None:
    events = [np.random.default_rng(s).poisson(0.2, (900, 4)) for s in range(2)]
    x = 50 + 50 * np.sin(np.arange(900) / 20)
    recording = recording_from_arrays(
        events,
        kind="events",
        x=[x, x],
        trial=[np.ones(900, int), np.repeat([1, 2], 450)],
        frame_duration=0.1,
    )
    found = compute_session_drift(compute_drift(compute_half_maps(recording), n_repeats=0))
    assert np.isnan(found["rate_map_correlation"].values[0, 0])
    assert np.isfinite(found["rate_map_correlation"].values[[0, 1], [1, 1]]).all()
    assert np.isnan(found["rate_map_correlation_relative"].values[0, 1])


def test_session_drift__decay_of_real_maps(
    shared_data: Path, real_recording: Callable[[str, str], xr.Dataset]
) -> None:
    from neurodrift import Binning

    binning = Binning(edges=np.arange(0, 97, 4.0), exclude_ends=8.0)
    halves = compute_half_maps(real_recording("C12_M4", "A"), binning=binning, smoothing=4.0)
    found = compute_session_drift(compute_drift(halves, n_repeats=0))
    relative = found["rate_map_correlation_relative"].values
    lag = found["lag"].values
    means = pd.Series(relative[lag > 0]).groupby(lag[lag > 0]).mean()
    assert means.loc[1] > means.loc[6]
    assert np.nanmax(relative[lag > 0]) < 1.05
