"""Sessions on an equal footing: what is equal, who is left out, and that draws are fair."""

from __future__ import annotations

import json

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, bin_frames, compute_rate_maps, match_sessions, testing
from neurodrift.analysis.information.parts import cut_in_parts
from neurodrift.recording import slice_sessions


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    made = testing.linear_track(n_units=12, n_sessions=3, minutes=6, silencing=0.1, detection=0.9)
    shorter = made["x"].values.copy()
    where = slice_sessions(made)[1]
    shorter[where.start : where.start + 1500] = np.nan
    return made.assign(x=made["x"].copy(data=shorter))


def counts(made: xr.Dataset) -> np.ndarray:
    events = compute_rate_maps(made)["events"].sum(("direction", "position"))
    return events.transpose("session", "unit").values


def test_match_sessions__events_are_the_fewest_of_each_unit(recording: xr.Dataset) -> None:
    equal = match_sessions(recording, match="events")
    detected = recording["detected"].values
    whole = np.where(detected, np.nan_to_num(counts(recording)), np.inf)
    enough = whole.min(axis=0) >= 10
    assert 0 < (~enough).sum() < 12
    assert equal["unit"].values.tolist() == recording["unit"].values[enough].tolist()
    found = counts(equal)
    for u, fewest in enumerate(whole.min(axis=0)[enough]):
        own = equal["detected"].values[:, u]
        assert set(found[own, u]) == {fewest}
    told = json.loads(equal.attrs["matched"])
    assert told["n_units_left_out"] == (~enough).sum()
    before = recording["activity"].sel(unit=equal["unit"]).values
    assert (equal["activity"].values <= before).all()
    assert equal["activity"].dtype == recording["activity"].dtype
    assert equal["activity"].attrs == recording["activity"].attrs


def test_match_sessions__every_event_is_kept_equally_often(recording: xr.Dataset) -> None:
    from scipy.stats import chi2

    one = recording.isel(unit=[0])
    draws = [match_sessions(one, match="events", draw=d, min_events=1) for d in range(60)]
    kept = np.array([draw["activity"].values[:, 0] for draw in draws]).sum(axis=0)
    where = slice_sessions(recording)[0]
    there = one["activity"].values[where, 0] > 0
    there &= bin_frames(recording, Binning())["position_bin"].values[where] >= 0
    events = one["activity"].values[where, 0][there].astype(float)
    share = kept[where][there].sum() / events.sum() / 60
    expected = 60 * share * events
    statistic = ((kept[where][there] - expected) ** 2 / (expected * (1 - share))).sum()
    assert chi2.sf(statistic, events.size - 1) > 1e-3
    assert 0 < share < 1


def test_match_sessions__time_is_that_of_the_shortest(recording: xr.Dataset) -> None:
    frames = bin_frames(recording, Binning())
    part, name = cut_in_parts(recording, frames, "auto", 30.0)
    assert name == "lap"
    way = frames["direction_bin"].values
    counting = frames["position_bin"].values >= 0
    for draw in (0, 1):
        equal = match_sessions(recording, match="time", draw=draw)
        seconds = compute_rate_maps(equal)["occupancy"].sum(("direction", "position")).values
        whole = compute_rate_maps(recording)["occupancy"].sum(("direction", "position")).values
        np.testing.assert_allclose(seconds, whole.min(), atol=0.06)
        kept = np.isfinite(equal["x"].values)
        assert not kept[~counting].any()
        for where in slice_sessions(recording):  # whole laps, but for one that is cut short
            laps = [
                kept[where][counting[where] & (way[where] == d) & (part[where] == p)]
                for d in (0, 1)
                for p in np.unique(part[where])
            ]
            assert sum(0 < lap.sum() < lap.size for lap in laps) <= 1
            assert all(lap[: lap.sum()].all() for lap in laps)
    assert not np.array_equal(kept, np.isfinite(match_sessions(recording, match="time")["x"]))


def test_match_sessions__occupancy_is_the_least_of_each_bin(recording: xr.Dataset) -> None:
    equal = match_sessions(recording, match="occupancy")
    seconds = compute_rate_maps(equal)["occupancy"].values
    least = compute_rate_maps(recording)["occupancy"].values.min(axis=0)
    for session in seconds:
        np.testing.assert_allclose(session, least, atol=0.06)


@pytest.mark.parametrize("match", ["events", "time", "occupancy"])
def test_match_sessions__depends_on_nothing_but_labels(recording: xr.Dataset, match: str) -> None:
    expected = match_sessions(recording, match=match, draw=3, seed=4)
    lazy = match_sessions(recording.chunk(time=700, unit=5), match=match, draw=3, seed=4)
    assert lazy["activity"].chunks is not None
    for name in ("activity", "x"):
        np.testing.assert_array_equal(lazy[name].values, expected[name].values)
    order = np.random.default_rng(0).permutation(12)
    other = match_sessions(recording.isel(unit=order), match=match, draw=3, seed=4)
    for name in ("activity", "x"):
        found = other.sel(unit=expected["unit"].values)[name].values
        np.testing.assert_array_equal(found, expected[name].values)


def test_match_sessions__what_cannot_be_matched(recording: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="all 12 units have fewer than 100000 events"):
        match_sessions(recording, match="events", min_events=100_000)
    amplitudes = recording.assign(activity=recording["activity"].assign_attrs(kind="amplitudes"))
    with pytest.raises(ValueError, match="no events are counted: match='time'"):
        match_sessions(amplitudes, match="events")
    with pytest.raises(ValueError, match="match is 'laps', expected"):
        match_sessions(recording, match="laps")
    apart = recording["x"].values.copy()
    where = slice_sessions(recording)
    apart[where[0]] = np.where(apart[where[0]] < 50, apart[where[0]], np.nan)
    apart[where[1]] = np.where(apart[where[1]] > 60, apart[where[1]], np.nan)
    with pytest.raises(ValueError, match="share no bin"):
        match_sessions(recording.assign(x=recording["x"].copy(data=apart)), match="occupancy")
