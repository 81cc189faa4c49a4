"""Cross-fitted information against known truth, loops, chunks, orders and odd recordings."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy.special import digamma

import neurodrift as nd
from neurodrift.analysis.information.cross_fitted import _of_mean_curve
from neurodrift.analysis.information.parts import cut_in_parts
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import CROSS_FITTED
from neurodrift.seeds import generator

STEP, LENGTH = 0.1, 100.0
BINS = nd.Binning(edges=np.linspace(0, LENGTH, 26), speed_range=(0.0, np.inf), directions=False)


def belt(rng, n_laps, irregular=0.25):
    """Position [cm] and lap of a head-fixed mouse on a belt, each lap at a speed of its own."""
    x, lap = [], []
    for number in range(n_laps):
        seconds = 5.0 * np.exp(irregular * rng.standard_normal())
        passage = np.arange(0.5 * STEP, seconds, STEP) / seconds * LENGTH
        x.append(passage)
        lap.append(np.full(passage.size, number))
    return np.concatenate(x), np.concatenate(lap)


def events(rng, x, n_events, depth, n_units, lasting=1, width=9.0):
    """Activity (time, unit) with so many expected events, and the true information of each unit."""
    centre = rng.uniform(0, LENGTH, n_units)
    rate = 1 + depth * np.exp(-0.5 * ((x[:, None] - centre) / width) ** 2)
    rate *= n_events / rate.sum(axis=0)
    onset = rng.poisson(rate)
    activity, expected = onset.copy(), rate.copy()
    for k in range(1, lasting):
        activity[k:] += onset[:-k]
        expected[k:] += rate[:-k]
    place = np.minimum(x // 4, 24).astype(int)
    occupied = np.bincount(place, minlength=25) / x.size
    share = np.array([expected[place == s].sum(axis=0) for s in range(25)])
    share /= share.sum(axis=0)
    known = np.where(share > 0, share, 1.0) / occupied[:, None]
    return activity.astype(np.uint8), (share * np.log2(known)).sum(axis=0)


def recording(sessions, **options):
    """Of (x, lap, activity) for each session."""
    x, lap, activity = zip(*sessions, strict=True)
    given = {"kind": "events", "frame_duration": STEP, "lap": list(lap)}
    given |= {"geometry": "circular:100"} | options
    return nd.recording_from_arrays(list(activity), x=list(x), **given)


def one(seed, n_events, depth, *, n_laps=60, n_units=80, lasting=1, irregular=0.25):
    rng = np.random.default_rng(seed)
    x, lap = belt(rng, n_laps, irregular)
    activity, true = events(rng, x, n_events, depth, n_units, lasting)
    return (x, lap, activity), true


def apart(found, true, name="information"):
    """Distance from the truth in standard errors."""
    return (found[name].values - true) / found[f"{name}_se"].values


@pytest.mark.parametrize("lasting", [1, 6])
@pytest.mark.parametrize("n_events", [60, 16])
def test_cross_fitted__flat_maps_have_no_information(n_events, lasting):
    made = [one([n_events, k], n_events, 0.0, lasting=lasting)[0] for k in range(4)]
    flat = recording(made)
    found = nd.compute_cross_fitted_information(flat, binning=BINS)
    assert (np.abs(apart(found, 0.0, "population")) < 3.5).all()
    error = np.sqrt((found["population_se"].values ** 2).sum()) / 4
    assert abs(found["population"].values.mean()) < 3.5 * error < 0.1
    chosen = found["n_chosen"].values > 9  # the error of fewer maps is hardly known itself
    assert (np.abs(apart(found, 0.0))[chosen] < 4).all()
    if lasting > 1:  # samples of frames take activity that lasts for a map
        by_frames = nd.compute_spatial_information(
            flat, binning=BINS, corrections="ssr", n_repeats=40, min_active_frames=5
        )
        assert (by_frames["population_ssr"].values > 0.03).all()


def test_cross_fitted__no_winner_where_events_become_few():
    counts = (72, 36, 18)
    values, published, errors = [], [], []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        made, true = [], []
        for n_events in counts:
            x, lap = belt(rng, 60)
            activity, information = events(rng, x, n_events, 1.3, 150, width=13.0)
            made.append((x, lap, activity))
            true.append(information.mean())
        weak = recording(made)
        found = nd.compute_cross_fitted_information(weak, binning=BINS, n_repeats=60)
        values.append(found["information"].values)
        errors.append(found["information_se"].values)
        by_frames = nd.compute_spatial_information(
            weak, binning=BINS, corrections="ssr", n_repeats=40, min_active_frames=5
        )
        cells = nd.detect_place_cells(weak, binning=BINS)
        published.append(by_frames["ssr"].where(cells["significant"]).mean(("unit", "direction")))
    published = np.mean([p.values for p in published], axis=0)
    assert published[0] > 2 * np.mean(true) and published[2] > 2 * published[0]
    mean, error = np.mean(values, axis=0), np.sqrt(np.mean(np.square(errors), axis=0) / 3)
    assert (np.abs(mean - true) < 3 * error + 0.02).all()
    assert abs(mean[2] - mean[0]) < 3 * np.hypot(error[0], error[2])


@pytest.mark.parametrize("irregular", [0.25, 0.005])
def test_cross_fitted__tuned_maps_keep_their_information(irregular):
    made, true = zip(*[one(k, 240, 4.0, irregular=irregular) for k in range(3)], strict=True)
    found = nd.compute_cross_fitted_information(recording(made), binning=BINS)
    assert found["population"].values.mean() == pytest.approx(np.mean(true), rel=0.05)
    # also where behaviour is like clockwork, which circular shifts leave without a control
    assert found["information"].values.mean() == pytest.approx(np.mean(true), rel=0.05)
    assert (found["n_chosen"].values > 60).all()


def test_cross_fitted__speed_chooses_no_maps():
    """Untuned units that follow speed on a track with slow ends; circular shifts chose most."""
    rng = np.random.default_rng(7)
    x, lap, speed = [], [], []
    for number in range(60):
        place, pace = 0.0, 20.0 * np.exp(0.25 * rng.normal())
        while place < LENGTH:
            x.append(place)
            lap.append(number)
            speed.append(pace * (1 - 0.7 * np.cos(2 * np.pi * place / LENGTH)))
            place += speed[-1] * STEP
    made = (
        np.array(x),
        np.array(lap),
        rng.poisson(0.1 * np.array(speed)[:, None] / 20, (len(x), 60)),
    )
    follows = recording([made], speed=[np.array(speed)], geometry="linear")
    found = nd.compute_cross_fitted_information(follows, binning=BINS, n_repeats=20)
    assert found["tested"].all() and found["chosen"].mean() < 0.15
    circular = nd.detect_place_cells(follows, binning=BINS, null="circular", n_repeats=99)
    assert circular["significant"].mean() > 0.6


def slow_information(counts, occupancy, entropy=False):
    """Spatial information by hand; with Grassberger's entropy by digamma functions."""
    total, n = sum(counts), sum(occupancy)
    pairs = [(c, o / n) for c, o in zip(counts, occupancy, strict=True) if c]
    if not pairs:
        return math.nan
    found = 0.0
    for c, p in pairs:
        log_c = math.log(c)
        if entropy:
            log_c = digamma(c) + (-1) ** int(c) / 2 * (digamma((c + 1) / 2) - digamma(c / 2))
        found += c / total * (log_c - math.log(total) - math.log(p)) / math.log(2)
    return found


def test_cross_fitted__equals_loops():
    (x, lap, activity), _ = one(5, 40, 3.0, n_laps=12, n_units=5)
    found = nd.compute_cross_fitted_information(
        recording([(x, lap, activity)]), binning=BINS, n_repeats=7, seed=3
    )
    sums, n = np.zeros(6), 0
    state = np.minimum(x // 4, 24).astype(int)
    for u in range(5):
        drawn = generator(3, "population", "1", 0, "parts").random((7, 12)).argsort(axis=1)
        shifts = generator(3, "population", "1", 0, "shifts", u).random((7, 12))
        halves = []
        for row in drawn.tolist():
            rank = {part: k for k, part in enumerate(row)}
            halves.append([p for p in range(12) if rank[p] < 6])
            halves.append([p for p in range(12) if rank[p] >= 6])

        def of(values, parts, entropy=False):
            counts, occupancy = [0.0] * 25, [0] * 25
            for t in range(x.size):
                if lap[t] in parts:
                    counts[state[t]] += values[t]
                    occupancy[state[t]] += 1
            return slow_information(
                [c for c, o in zip(counts, occupancy, strict=True) if o],
                [o for o in occupancy if o],
                entropy,
            )

        own = activity[:, u].astype(float)
        half = [value for p in halves if not math.isnan(value := of(own, p))]
        moved_half, moved_whole, moved_found = [], [], []
        for r in range(7):
            moved = np.zeros(x.size)
            for p in range(12):
                frames = np.flatnonzero(lap == p)
                moved[frames] = np.roll(own[frames], int(shifts[r, p] * frames.size))
            moved_whole.append(of(moved, range(12)))
            moved_found.append(of(moved, range(12), True))
            found_here = [of(moved, halves[2 * r + k]) for k in range(2)]
            moved_half += [value for value in found_here if not math.isnan(value)]
        curve = [np.mean(half), of(own, range(12)), of(own, range(12), True)]
        curve += [np.mean(values) for values in (moved_half, moved_whole, moved_found)]
        sums, n = sums + curve, n + 1
    i_half, i_whole, i_found, s_half, s_whole, s_found = sums / n
    expected = i_found - s_found * (i_half - i_whole) / (s_half - s_whole)
    assert found["population"].item() == pytest.approx(expected, rel=1e-10)
    assert found["n_population"].item() == n


def test_of_mean_curve__error_is_the_jackknife_over_units():
    rng = np.random.default_rng(0)
    curves = rng.uniform(1, 2, (2, 6, 2, 2, 3)) + np.array([[1.0, 0.5, 0.3], [1.2, 0.2, 0.1]])
    curves[0, 2, 1] = curves[1, 4] = np.nan

    def pooled(kept):
        rows = curves[:, kept].reshape(-1, 2, 3)
        (i_half, i_whole, i_found), (s_half, s_whole, s_found) = np.nanmean(rows, axis=0)
        return i_found - s_found * (i_half - i_whole) / (s_half - s_whole)

    estimate, error, n = _of_mean_curve(curves)
    assert estimate == pytest.approx(pooled(range(6))) and n == 24 - 1 - 2
    without = [pooled([v for v in range(6) if v != u]) for u in range(6)]
    assert error == pytest.approx(np.sqrt(5 / 6 * np.sum((without - np.mean(without)) ** 2)))
    alone = _of_mean_curve(curves[:, :1])
    assert np.isfinite(alone[0]) and np.isnan(alone[1])
    assert np.isnan(_of_mean_curve(np.full((1, 3, 1, 2, 3), np.nan))[:2]).all()


@pytest.fixture(scope="module")
def mouse():
    return nd.testing.linear_track(
        n_units=14, n_sessions=3, minutes=4, silencing=0.1, detection=0.8, seed=4
    )


@pytest.fixture(scope="module")
def whole(mouse):
    return nd.compute_cross_fitted_information(mouse, n_repeats=10)


def test_cross_fitted__fits_its_description(whole):
    faults = description_faults(whole, CROSS_FITTED)
    assert [fault for fault in faults if "format_version" not in fault] == []  # the tree has it
    assert whole.attrs["parts"] == "lap"
    np.testing.assert_array_equal(whole["n_chosen_in"].sum("half").values, whole["n_chosen"].values)


@pytest.mark.parametrize("chunks", [{"unit": 1, "time": 997}, {"unit": 5}, {"time": 300}])
def test_cross_fitted__lazy_in_any_chunks(mouse, whole, chunks):
    import dask

    lazy = mouse.assign(activity=mouse["activity"].chunk(chunks))
    with dask.config.set(scheduler=_refuse):
        found = nd.compute_cross_fitted_information(lazy, n_repeats=10)
    xr.testing.assert_identical(found.compute(), whole)


def _refuse(*_, **__):
    raise AssertionError("something was computed")


def test_cross_fitted__units_in_any_order(mouse, whole):
    order = np.random.default_rng(0).permutation(mouse.sizes["unit"])
    found = nd.compute_cross_fitted_information(mouse.isel(unit=order), n_repeats=10)
    for name in ("information", "information_se", "population", "population_se", "n_chosen"):
        np.testing.assert_array_equal(found[name].values, whole[name].values)
    xr.testing.assert_equal(found["chosen"], whole["chosen"].isel(unit=order))


def test_cross_fitted__what_was_not_detected_counts_nowhere(mouse, whole):
    activity = mouse["activity"].values.copy()
    missing = ~mouse["detected"].values[mouse["session_index"].values]
    assert missing.any()
    activity[missing] = 7
    changed = mouse.assign(activity=(mouse["activity"].dims, activity, mouse["activity"].attrs))
    found = nd.compute_cross_fitted_information(changed, n_repeats=10)
    xr.testing.assert_identical(found, whole)


def test_cross_fitted__seed_and_sessions_have_streams_of_their_own(mouse, whole):
    other = nd.compute_cross_fitted_information(mouse, n_repeats=10, seed=1)
    assert (other["information"] != whole["information"]).all()
    assert (other["chosen"] == whole["chosen"]).mean() > 0.9  # its null is sampled
    last = nd.compute_cross_fitted_information(nd.select_sessions(mouse, ["3"]), n_repeats=10)
    assert last["population"].item() == pytest.approx(whole["population"].values[2], rel=1e-12)


def test_cross_fitted__frames_of_unequal_length():
    (x, lap, activity), true = one(9, 60, 4.0, n_units=40)
    rng = np.random.default_rng(1)
    kept = rng.random(x.size) > 0.3  # the time and the events of a lost frame go to the one before
    home = np.maximum(np.cumsum(kept) - 1, 0)
    merged = np.zeros((int(kept.sum()), 40))
    np.add.at(merged, home, activity)
    durations = np.bincount(home) * STEP
    even = recording([(x, lap, activity)])
    uneven = recording([(x[kept], lap[kept], merged.astype(np.uint8))], frame_duration=[durations])
    a, b = (nd.compute_cross_fitted_information(r, binning=BINS) for r in (even, uneven))
    assert b["population"].item() == pytest.approx(a["population"].item(), rel=0.06)
    assert b["population"].item() == pytest.approx(true.mean(), rel=0.1)


@pytest.mark.parametrize("depth", [0.0, 6.0])
def test_cross_fitted__amplitudes_of_any_unit(depth):
    (x, lap, activity), true = one(11, 120, depth, lasting=4)
    size = np.random.default_rng(3).lognormal(0, 0.3, activity.shape)
    found = [
        nd.compute_cross_fitted_information(
            recording([(x, lap, activity * size * unit)], kind="deconvolved"), binning=BINS
        )
        for unit in (1.0, 0.004)
    ]
    a, b = (one["population"].item() for one in found)
    assert a == pytest.approx(b, abs=1e-9)
    assert abs(a - true.mean()) < 0.1 * true.mean() + 3 * found[0]["population_se"].item()


def test_cross_fitted__nothing_chosen_is_missing():
    made = one(0, 30, 0.0, n_units=3)[0]
    found = nd.compute_cross_fitted_information(recording([made]), binning=BINS, alpha=1e-9)
    assert found["n_chosen"].item() == 0 and found["n_population"].item() == 3
    assert np.isnan(found["information"]) and np.isnan(found["information_se"])
    few = nd.compute_cross_fitted_information(recording([made]), binning=BINS, min_events=1000)
    assert few["n_population"].item() == 0 and np.isnan(few["population"])


def test_cross_fitted__refuses_what_it_cannot():
    x, lap, activity = one(0, 30, 0.0, n_units=3)[0]
    options = {"x": [x], "frame_duration": STEP, "geometry": "circular:100"}
    without = nd.recording_from_arrays([activity], kind="events", **options)
    with pytest.raises(ValueError, match="parts='lap', but the recording has no lap"):
        nd.compute_cross_fitted_information(without, binning=BINS, parts="lap")
    with pytest.raises(ValueError, match="parts is 'laps', expected one of"):
        nd.compute_cross_fitted_information(without, binning=BINS, parts="laps")
    with pytest.raises(ValueError, match="n_repeats 0, expected more than 0"):
        nd.compute_cross_fitted_information(without, binning=BINS, n_repeats=0)
    trace = nd.recording_from_arrays([activity.astype(float)], kind="fluorescence", **options)
    with pytest.raises(ValueError, match="not defined for activity of kind 'fluorescence'"):
        nd.compute_cross_fitted_information(trace, binning=BINS)


def test_cross_fitted__box_without_laps_is_cut_in_blocks():
    rng = np.random.default_rng(2)
    n, size = 12_000, 60.0
    way = np.cumsum(rng.normal(0, 1, (n + 200, 2)), axis=0)
    smooth = np.stack([np.convolve(w, np.ones(200) / 200, "valid")[:n] for w in way.T], axis=1)
    x, y = np.abs((smooth * 3) % (2 * size) - size).T
    centre = rng.uniform(10, 50, (2, 30))
    near = np.exp(-((x[:, None] - centre[0]) ** 2 + (y[:, None] - centre[1]) ** 2) / (2 * 12**2))
    rate = 0.3 + 3 * near
    rate *= 120 / rate.sum(axis=0)
    bins = nd.Binning(bin_width=10.0, speed_range=(0.0, np.inf))
    made = {"kind": "events", "x": [x], "y": [y], "frame_duration": STEP}
    box = nd.recording_from_arrays([rng.poisson(rate).astype(np.uint8)], **made)
    found = nd.compute_cross_fitted_information(box, binning=bins)
    assert found.attrs["parts"] == "block"
    place = np.unique(np.stack([x // 10, y // 10]), axis=1, return_inverse=True)[1].reshape(-1)
    share = np.array([rate[place == s].sum(axis=0) for s in range(place.max() + 1)]) / 120
    occupied = np.bincount(place)[:, None] / n
    true = (share * np.log2(share / occupied)).sum(axis=0).mean()
    assert found["population"].item() == pytest.approx(true, rel=0.15)
    flat = nd.recording_from_arrays(
        [rng.poisson(np.full((n, 60), 120 / n)).astype(np.uint8)], **made
    )
    none = nd.compute_cross_fitted_information(flat, binning=bins)
    assert abs(none["population"].item()) < 0.02


def test_cut_in_parts__laps_trials_or_blocks():
    x, lap, activity = one(0, 30, 0.0, n_units=2, n_laps=10)[0]
    trial = np.arange(x.size) * 9 // x.size
    both = recording([(x, lap, activity)], trial=[trial])
    frames = nd.bin_frames(both, BINS)
    for name, expected in (("auto", lap), ("lap", lap), ("trial", trial)):
        part, found = cut_in_parts(both, frames, name, 30.0)
        np.testing.assert_array_equal(part, expected)
        assert found == ("trial" if name == "trial" else "lap")
    few = recording([(x, lap // 2, activity)], trial=[trial])
    assert cut_in_parts(few, nd.bin_frames(few, BINS), "auto", 30.0)[1] == "trial"
    sparse = recording([(x, np.where(lap < 7, lap, -1), activity)])
    part, found = cut_in_parts(sparse, nd.bin_frames(sparse, BINS), "auto", 3.0)
    assert found == "block"
    lengths = np.bincount(part) * STEP
    assert (np.diff(part) >= 0).all() and np.allclose(lengths[:-1], 3.0)
    part, _ = cut_in_parts(sparse, nd.bin_frames(sparse, BINS), "block", 1e6)
    assert part.max() == 7  # at least eight
