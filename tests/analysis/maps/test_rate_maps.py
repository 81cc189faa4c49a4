from __future__ import annotations

import itertools
import math

import dask
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import (
    Binning,
    bin_frames,
    compute_rate_maps,
    recording_from_arrays,
    schema,
    select_sessions,
    slice_sessions,
    smooth_maps,
)
from neurodrift.analysis.maps.rate_maps import order_by_peak
from neurodrift.schema import ACTIVITY_KINDS, COUNT_KINDS
from neurodrift.schema.results import MAPS
from neurodrift.testing import linear_track

BINNING = Binning(edges=np.arange(-4.0, 21.0, 4.0), min_occupancy=0.1)

LEVELS = ("activation", "fluorescence")


def random_recording(seed, *, kind="events", dims=1, n_units=5, n_sessions=3):
    """Every kind of frame and group; one unit is not detected in the second session."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(60, 120, n_sessions)
    n = int(lengths.sum())
    if kind in COUNT_KINDS:
        activity = rng.integers(0, 4, (n, n_units)).astype(np.uint8)
    else:
        activity = rng.exponential(1, (n, n_units)) * (rng.random((n, n_units)) < 0.3)
    detected = np.ones((n_sessions, n_units), bool)
    index = np.repeat(np.arange(n_sessions), lengths)
    if n_sessions > 1:
        detected[1, 1] = False
        activity[index == 1, 1] = 0
    given = {"x": np.where(rng.random(n) < 0.1, np.nan, rng.uniform(-4, 20, n))}
    if dims == 2:
        given["y"] = rng.uniform(0, 12, n)
    return recording_from_arrays(
        activity,
        kind=kind,
        frame_duration=rng.permuted([0.05, 0.1, 1 / 30])[:n_sessions],
        session_index=index,
        unit=[f"u{i}" for i in range(n_units)],
        detected=detected,
        speed=rng.choice([0.5, 5, 30], n),
        direction=rng.integers(-1, 2, n),
        trial=np.sort(rng.integers(-1, 3, n)) + 2 * index,
        lap=rng.integers(-1, 4, n),
        map_label=rng.integers(0, 3, n),
        day=np.arange(n_sessions) * 2.0,
        region=["CA1"] * n_units,
        **given,
    )


def reference_maps(recording, binning, groups):
    """Sum, time and rate of every group, unit, direction and bin, one frame after the other."""
    frames = bin_frames(recording, binning)
    kind = recording.activity.attrs["kind"]
    shape = frames.sizes["direction"], frames.sizes["position"]
    segments, events, occupancy, rate = [], [], [], []
    for i, where in enumerate(slice_sessions(recording)):
        for group in sorted(set(groups[where].tolist())):
            if group < 0:
                continue
            segments.append((i, group))
            summed = np.zeros((recording.sizes["unit"], *shape))
            n_frames = np.zeros(shape)
            seconds = np.zeros(shape)
            for t in range(where.start, where.stop):
                at = int(frames["direction_bin"][t]), int(frames["position_bin"][t])
                if groups[t] != group or at[1] < 0:
                    continue
                n_frames[at] += 1
                seconds[at] += float(recording["frame_duration"][t])
                for unit in range(recording.sizes["unit"]):
                    summed[(unit, *at)] += float(recording["activity"].values[t, unit])
            for unit in range(recording.sizes["unit"]):
                if not recording["detected"].values[i, unit]:
                    summed[unit] = np.nan
            divisor = np.where(n_frames > 0, n_frames if kind in LEVELS else seconds, np.nan)
            events.append(summed)
            occupancy.append(seconds)
            rate.append(summed / divisor)
    return segments, np.array(events), np.array(occupancy), np.array(rate)


def reference_smoothing(rate, time, centres, sigma):
    """Mean over the visited bins within 3 sigma along each axis, by a Gaussian and by time."""
    smoothed = np.full(rate.shape, np.nan)
    for index in itertools.product(*map(range, rate.shape[:-1])):
        for i in range(rate.shape[-1]):
            if math.isnan(rate[index][i]):
                continue
            total = weight = 0.0
            for j in range(rate.shape[-1]):
                distances = [abs(c[i] - c[j]) for c in centres]
                if math.isnan(rate[index][j]) or max(distances) > 3 * sigma + 1e-9:
                    continue
                w = math.exp(-sum(d * d for d in distances) / (2 * sigma**2)) * time[index][j]
                total += w * rate[index][j]
                weight += w
            smoothed[index][i] = total / weight
    return smoothed


def assert_same_bits(a, b):
    for name in a.data_vars:
        assert a[name].values.tobytes() == b[name].values.tobytes(), name
    xr.testing.assert_identical(a, b)


@pytest.mark.parametrize("kind", ACTIVITY_KINDS)
@pytest.mark.parametrize("dims", [1, 2])
def test_rate_maps__by_session(kind, dims):
    recording = random_recording(0, kind=kind, dims=dims)
    binning = BINNING if dims == 1 else Binning(bin_width=6.0)
    maps = compute_rate_maps(recording, binning=binning)
    groups = np.zeros(recording.sizes["time"], dtype=int)
    segments, events, occupancy, rate = reference_maps(recording, binning, groups)
    np.testing.assert_array_equal(maps["events"], events)
    np.testing.assert_allclose(maps["occupancy"], occupancy, rtol=1e-14)
    np.testing.assert_allclose(maps["rate"], rate, rtol=1e-14)
    assert maps["rate"].dims == ("session", "unit", "direction", "position")
    assert maps["rate"].attrs["units"] == {
        "activation": "a.u.",
        "fluorescence": "a.u.",
        "spikes": "Hz",
        "events": "Hz",
    }.get(kind, "a.u./s")
    assert maps["session"].values.tolist() == recording["session"].values.tolist()
    for name in ("day", "experience"):
        np.testing.assert_array_equal(maps[name], recording[name])
    for name in ("region", "subject", "environment", "unit"):
        np.testing.assert_array_equal(maps[name], recording[name])
    assert schema.structure_faults(maps, MAPS) == []
    assert len(segments) == 3


@pytest.mark.parametrize("by", ["trial", "lap", "map_label", "array"])
@pytest.mark.parametrize("kind", ["events", "activation"])
def test_rate_maps__by_group(by, kind):
    recording = random_recording(1, kind=kind)
    if by == "array":
        groups = np.random.default_rng(3).integers(-1, 2, recording.sizes["time"])
        grouping = xr.DataArray(groups, dims="time")
    else:
        groups = recording[by].values.astype(int)
        groups = np.where(groups == 0, -1, groups) if by == "map_label" else groups
        grouping = by
    maps = compute_rate_maps(recording, binning=BINNING, by=grouping)
    segments, events, occupancy, rate = reference_maps(recording, BINNING, groups)
    np.testing.assert_array_equal(maps["events"], events)
    np.testing.assert_allclose(maps["occupancy"], occupancy, rtol=1e-14)
    np.testing.assert_allclose(maps["rate"], rate, rtol=1e-14)
    name = "group" if by == "array" else by
    assert maps["rate"].dims == ("segment", "unit", "direction", "position")
    assert maps[name].values.tolist() == [group for _, group in segments]
    assert maps["session"].values.tolist() == [str(i + 1) for i, _ in segments]
    assert maps["day"].values.tolist() == [2.0 * i for i, _ in segments]
    np.testing.assert_array_equal(
        maps["detected"], recording["detected"].values[[i for i, _ in segments]]
    )
    assert schema.structure_faults(maps, MAPS) == []


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0, 30.0])
@pytest.mark.parametrize("dims", [1, 2])
def test_rate_maps__smoothing(sigma, dims):
    recording = random_recording(2, dims=dims)
    binning = Binning(bin_width=2.0, min_occupancy=0.05)
    raw = compute_rate_maps(recording, binning=binning)
    smooth = compute_rate_maps(recording, binning=binning, smoothing=sigma)
    assert np.isnan(raw["rate"]).any()
    centres = [raw[name].values for name in ("x_bin", "y_bin")[:dims]]
    # In two dimensions smoothed counts over smoothed occupancy; on a line bins count the same.
    time = raw["occupancy"] if dims == 2 else None
    weights = xr.ones_like(raw["rate"]) if time is None else time.broadcast_like(raw["rate"])
    weights = weights.transpose(*raw["rate"].dims).values
    expected = reference_smoothing(raw["rate"].values, weights, centres, sigma)
    np.testing.assert_allclose(smooth["rate"], expected, rtol=1e-12)
    xr.testing.assert_identical(smooth["events"], raw["events"])
    xr.testing.assert_identical(smooth["occupancy"], raw["occupancy"])
    assert_same_bits(
        smooth[["rate"]].drop_attrs(deep=False),
        xr.Dataset({"rate": smooth_maps(raw["rate"], sigma, time)}),
    )


def test_rate_maps__smoothing_below_zero():
    with pytest.raises(ValueError, match="smoothing is -1, expected a number"):
        compute_rate_maps(random_recording(0), smoothing=-1)


@pytest.mark.parametrize("kind", ACTIVITY_KINDS)
@pytest.mark.parametrize("by", ["session", "lap"])
def test_rate_maps__same_bits_whatever_the_chunks(kind, by):
    recording = random_recording(4, kind=kind)
    eager = compute_rate_maps(recording, binning=BINNING, smoothing=4.0, by=by)
    n_time, n_units = recording["activity"].shape
    for time, unit in itertools.product((7, 50, n_time), (1, 3, n_units)):
        lazy = recording.assign(activity=recording["activity"].chunk(time=time, unit=unit))
        maps = compute_rate_maps(lazy, binning=BINNING, smoothing=4.0, by=by)
        assert_same_bits(maps.compute(scheduler="synchronous"), eager)
    wholly_lazy = recording.chunk(time=50, unit=3, session=1)
    assert_same_bits(
        compute_rate_maps(wholly_lazy, binning=BINNING, smoothing=4.0, by=by).compute(), eager
    )


@pytest.mark.parametrize("scheduler", ["synchronous", "threads", "distributed"])
def test_rate_maps__same_bits_under_every_scheduler(scheduler):
    recording = random_recording(4, kind="deconvolved")
    eager = compute_rate_maps(recording, binning=BINNING, smoothing=4.0)
    lazy = recording.assign(activity=recording["activity"].chunk(time=30, unit=2))
    maps = compute_rate_maps(lazy, binning=BINNING, smoothing=4.0)
    if scheduler == "distributed":
        from distributed import Client

        with Client(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0"):
            assert_same_bits(maps.compute(), eager)
    else:
        assert_same_bits(maps.compute(scheduler=scheduler), eager)


def test_rate_maps__stay_lazy():
    def refuse(*_, **__):
        raise AssertionError("a lazy array was computed")

    recording = random_recording(5, dims=2)
    lazy = recording.assign(activity=recording["activity"].chunk(time=30, unit=2))
    with dask.config.set(scheduler=refuse):
        for by in ("session", "trial"):
            maps = compute_rate_maps(lazy, smoothing=3.0, by=by)
            assert maps["rate"].chunks is not None and maps["events"].chunks is not None
            assert maps["rate"].chunksizes["unit"] == (2, 2, 1)
            smooth_maps(maps["rate"], 2.0)
        with pytest.raises(AssertionError):
            maps.compute()


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    dims=st.sampled_from([1, 2]),
    kind=st.sampled_from(["events", "amplitudes"]),
)
def test_rate_maps__occupancy_and_events_are_those_of_the_used_frames(seed, dims, kind):
    recording = random_recording(seed, kind=kind, dims=dims)
    frames = bin_frames(recording, Binning())
    maps = compute_rate_maps(recording)
    used = frames["position_bin"].values >= 0
    for i, where in enumerate(slice_sessions(recording)):
        seconds = recording["frame_duration"].values[where][used[where]].sum()
        assert float(maps["occupancy"][i].sum()) == pytest.approx(seconds, rel=1e-12)
        total = recording["activity"].values[where][used[where]].sum(axis=0)
        known = recording["detected"].values[i]
        np.testing.assert_allclose(
            maps["events"][i].sum(["direction", "position"]).values[known], total[known], rtol=1e-12
        )
    visited = maps["occupancy"] > 0
    assert np.isnan(maps["rate"]).equals(
        ~(visited & maps["detected"]).transpose(*maps["rate"].dims)
    )


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), order=st.permutations(range(5)))
def test_rate_maps__follow_the_units(seed, order):
    recording = random_recording(seed)
    maps = compute_rate_maps(recording, binning=BINNING, smoothing=4.0)
    turned = compute_rate_maps(recording.isel(unit=order), binning=BINNING, smoothing=4.0)
    assert_same_bits(turned, maps.isel(unit=order))


@settings(deadline=None, max_examples=15)
@given(seed=st.integers(0, 10**6), keep=st.sets(st.sampled_from("123"), min_size=1))
def test_rate_maps__of_some_sessions_are_some_of_the_maps(seed, keep):
    recording = random_recording(seed)
    part = select_sessions(recording, sorted(keep))
    for by in ("session", "lap"):
        maps = compute_rate_maps(recording, binning=BINNING, smoothing=4.0, by=by)
        where = maps["session"].isin(sorted(keep)).values
        expected = maps.isel({maps["rate"].dims[0]: where}).sel(unit=part["unit"])
        assert_same_bits(compute_rate_maps(part, binning=BINNING, smoothing=4.0, by=by), expected)


def test_rate_maps__groups_add_up_to_the_session():
    recording = random_recording(6)
    whole = compute_rate_maps(recording, binning=BINNING)
    laps = compute_rate_maps(recording, binning=BINNING, by=recording["lap"] + 1)
    summed = laps[["events", "occupancy"]].groupby("session").sum(skipna=False)
    np.testing.assert_array_equal(summed["events"], whole["events"])
    np.testing.assert_allclose(summed["occupancy"], whole["occupancy"], rtol=1e-12)


def test_rate_maps__many_units_are_summed_in_blocks():
    recording = random_recording(7, kind="amplitudes", n_units=150)
    maps = compute_rate_maps(recording, binning=BINNING)
    few = compute_rate_maps(recording.isel(unit=[3, 70, 149]), binning=BINNING)
    assert_same_bits(few, maps.isel(unit=[3, 70, 149]))


def test_rate_maps__session_without_a_group_has_no_map():
    recording = random_recording(8)
    trial = recording["trial"].where(recording["session_index"] != 1, -1).astype(np.int32)
    maps = compute_rate_maps(recording.assign(trial=trial), binning=BINNING, by="trial")
    assert set(maps["session"].values.tolist()) == {"1", "3"}
    with pytest.raises(ValueError, match="no frame belongs to a trial"):
        compute_rate_maps(recording.assign(trial=trial * 0 - 1), binning=BINNING, by="trial")


def test_rate_maps__bad_grouping():
    recording = random_recording(9)
    times = recording["time"]
    with pytest.raises(ValueError, match="by is 'day', expected session, trial"):
        compute_rate_maps(recording, by="day")
    with pytest.raises(ValueError, match="by='lap', but the recording has no variable 'lap'"):
        compute_rate_maps(recording.drop_vars("lap"), by="lap")
    for wrong in (
        recording["x"],
        recording["lap"][1:],
        recording["session_index"].rename(time="t"),
    ):
        with pytest.raises(ValueError, match="must be integers over .time., one for each frame"):
            compute_rate_maps(recording, by=wrong)
    with pytest.raises(ValueError, match="times of the grouping are not those of the recording"):
        compute_rate_maps(recording, by=recording["lap"].assign_coords(time=times + 1))


def test_rate_maps__leave_the_recording():
    recording = random_recording(10)
    before = recording.copy(deep=True)
    compute_rate_maps(recording, smoothing=2.0, by="trial")
    xr.testing.assert_identical(recording, before)


def test_rate_maps__hold_their_parameters():
    maps = compute_rate_maps(random_recording(0), binning=BINNING, smoothing=4.0)
    assert maps.attrs == {
        "activity_kind": "events",
        "binning": BINNING.to_json(),
        "smoothing": 4.0,
    }


def test_order_by_peak__equals_the_loop():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 4, (40, 6)).astype(float)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[3], values[7] = np.nan, 0.0
    rate = xr.DataArray(values, dims=("unit", "position"), coords={"unit": np.arange(40) * 2})
    peaks = {}
    for unit, row in zip(rate["unit"].values.tolist(), values.tolist(), strict=True):
        seen = [(-v, i) for i, v in enumerate(row) if v > 0]
        peaks[unit] = min(seen)[1] if seen else 6
    expected = sorted(peaks, key=lambda unit: (peaks[unit], unit))
    assert order_by_peak(rate).tolist() == expected
    assert order_by_peak(rate.T).tolist() == expected


def test_rate_maps__trials_carry_their_map_label():
    recording = linear_track(n_units=2, n_sessions=2, minutes=5)
    labels = np.where(recording["trial"].values <= 2, 1, 2)
    labels[recording["trial"].values == 5] = 0
    at = np.flatnonzero((recording["trial"].values == 3) & (recording["session_index"] == 1))
    labels[at[: at.size // 2]] = 1  # the population switches within this trial
    recording = recording.assign(map_label=("time", labels.astype(np.int16)))
    maps = compute_rate_maps(recording, by="trial")
    assert maps["map_label"].values.tolist() == [1, 1, 2, 2, 0, 1, 1, 0, 2, 0]
