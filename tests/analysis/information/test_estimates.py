from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from neurodrift import Binning, compute_rate_maps, recording_from_arrays, seeds, testing
from neurodrift.analysis.information import _kernels as kernels
from neurodrift.analysis.information.curves import Sampling, mutual_curves, spatial_curves
from neurodrift.analysis.information.estimates import (
    compute_mutual_information,
    compute_spatial_information,
    compute_spatial_information_from_maps,
)

TRACK_BINS = Binning(edges=np.arange(2.5, 23.5))
ALL = ("sr", "ssr", "ae", "bae")
QUICK: dict[str, Any] = {"n_repeats": 8, "min_active_frames": 3}


# ---- literal references: loops over samples, bins and responses ------------------------------


def literal_spatial(activity: np.ndarray, state: np.ndarray) -> float:
    """Bits/event, as the sum over states of p r/mean log2(r/mean)."""
    mean = activity.mean()
    if mean == 0:
        return math.nan
    total = 0.0
    for s in np.unique(state):
        rate = activity[state == s].mean()
        if rate > 0:
            total += (state == s).mean() * rate / mean * math.log2(rate / mean)
    return total


def literal_mutual(response: np.ndarray, state: np.ndarray) -> float:
    def entropy(values: np.ndarray) -> float:
        p = np.unique(values, return_counts=True)[1] / values.size
        return float(-(p * np.log2(p)).sum())

    conditional = sum((state == s).mean() * entropy(response[state == s]) for s in np.unique(state))
    return entropy(response) - conditional


def published_responses(activity: np.ndarray) -> np.ndarray:
    """The rule of Sheintuch et al. 2022 for a whole matrix (time, unit)."""
    if (activity == np.floor(activity)).all():
        return activity
    largest = activity.max()
    if 5 < largest < 20:
        return np.floor(activity + 0.5)
    some = activity[activity > 0]
    edges = np.logspace(np.log10(some.min()), np.log10(some.max()), 11)
    centres = (edges[1:] + edges[:-1]) / 2
    nearest = 1 + np.abs(activity[..., None] - centres).argmin(axis=-1)
    return np.where(activity > 0, nearest, 0)


def literal_samples(
    n_frames: int, sampling: Sampling, names: tuple[object, ...], i: int
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Frames of each sample in order of time, and the frames whose states they are paired with."""
    n = int(sampling.fractions[i] * n_frames + 1e-9)
    n_repeats = math.ceil(sampling.n_repeats / sampling.fractions[i] - 1e-9)
    samples = []
    for block in range(0, n_repeats, 64):
        stream = seeds.generator(sampling.seed, "subsample", *names, i, block // 64)
        for uniform in stream.random((min(64, n_repeats - block), n)):
            order = list(range(n_frames))
            for k in range(n):
                j = k + int(uniform[k] * (n_frames - k))
                order[k], order[j] = order[j], order[k]
            samples.append((np.sort(order[:n]), np.array(order[:n])))
    return samples


def quick_sampling(**changes: Any) -> Sampling:
    options = {
        "fractions": (0.3, 0.5, 0.8, 1.0),
        "n_repeats": 6,
        "seed": 3,
        "subsampled": True,
        "shuffled": (0, 1, 2, 3),
    }
    return Sampling(**(options | changes))


def behaviour(rng: np.random.Generator, n_frames: int, n_states: int) -> np.ndarray:
    return np.r_[np.arange(n_states), rng.integers(0, n_states, n_frames - n_states)]


# ---- kernels ---------------------------------------------------------------------------------


def test_log2__is_exact_to_two_units_in_the_last_place() -> None:
    x = np.exp(np.random.default_rng(0).uniform(-600, 600, 2000))
    found = np.array([kernels.log2(v) for v in x])
    np.testing.assert_allclose(found, np.log2(x), rtol=5e-16, atol=0)
    powers = 2.0 ** np.arange(-9, 10)
    assert [kernels.log2(v) for v in powers] == list(range(-9, 10))
    assert np.isfinite(kernels.log2(0.0))


@pytest.mark.parametrize(
    "n, a, b", [(30, 7, 12), (30, 30, 5), (30, 0, 4), (30, 25, 20), (4000, 900, 600)]
)
def test_mean_x_log_x__equals_scipy(n: int, a: int, b: int) -> None:
    c = np.arange(1, min(a, b) + 1)
    expected = (stats.hypergeom(n, a, b).pmf(c) * c * np.log2(c)).sum()
    assert kernels.mean_x_log_x(n, a, b) == pytest.approx(expected, rel=1e-9, abs=1e-12)


# ---- curves against literal references ---------------------------------------------------------


@pytest.mark.parametrize("kind", ["counts", "amplitudes", "dense", "large"])
@pytest.mark.parametrize("per_frame", [False, True])
def test_spatial_curves__equal_literal_samples(kind: str, per_frame: bool) -> None:
    rng = np.random.default_rng(1)
    state = behaviour(rng, 60, 4)
    activity = rng.poisson(0.15 * (1 + state % 3), size=(3, 60)).astype(np.uint8)
    activity[:, 5] = 2  # so that no unit is binary
    if kind == "amplitudes":
        activity = activity * rng.uniform(0.2, 3, activity.shape)
    elif kind == "dense":
        activity = rng.uniform(0.1, 1, activity.shape)
    elif kind == "large":
        activity = activity.astype(np.uint32) * 70_000
    sampling, names = quick_sampling(), ("s", 1)
    found = spatial_curves(
        activity, state, names=names, sampling=sampling, threads=1, per_frame=per_frame
    )
    for i in range(4):
        values = np.full((2, 3, 0), np.nan)
        for frames, paired in literal_samples(60, sampling, names, i):
            sample = np.array(
                [
                    [literal_spatial(a[frames], state[of]) for a in activity]
                    for of in (frames, paired)
                ]
            )
            scale = activity[:, frames].mean(axis=1) if per_frame else 1
            sample = np.nan_to_num(sample) * scale if per_frame else sample
            values = np.concatenate([values, sample[..., None]], axis=-1)
        expected = np.nanmean(values, axis=-1).T
        np.testing.assert_allclose(found[:, :, i], expected, rtol=1e-11, atol=1e-12)


def test_spatial_curves__shuffle_of_binary_events_is_the_mean_over_permutations() -> None:
    rng = np.random.default_rng(2)
    state = behaviour(rng, 12, 3)
    activity = (np.arange(12) < 4)[None].astype(np.uint8)
    found = spatial_curves(
        activity, state, names=(), sampling=quick_sampling(), threads=1, per_frame=False
    )
    shuffles = [literal_spatial(activity[0], rng.permutation(state)) for _ in range(20_000)]
    error = np.std(shuffles) / math.sqrt(len(shuffles))
    assert abs(found[0, 1, -1] - np.mean(shuffles)) < 4 * error


def test_spatial_curves__exact_and_sampled_shuffles_agree() -> None:
    rng = np.random.default_rng(3)
    state = behaviour(rng, 400, 8)
    binary = (rng.random((4, 400)) < 0.02 + 0.1 * (state == 3)).astype(np.float64)
    sampling = quick_sampling(n_repeats=400)
    options: dict[str, Any] = {
        "names": ("a",), "sampling": sampling, "threads": 2, "per_frame": False
    }  # fmt: skip
    exact = spatial_curves(binary, state, **options)
    sampled = spatial_curves(3 * binary, state, **options)  # twos are no ones: shuffles are drawn
    np.testing.assert_allclose(sampled[:, 0], exact[:, 0], rtol=1e-12)
    assert (sampled[:, 1] != exact[:, 1]).all()
    np.testing.assert_allclose(sampled[:, 1], exact[:, 1], rtol=0, atol=0.04)


@pytest.mark.parametrize("largest", [3.0, 12.0, 60.0, None])
def test_mutual_curves__equal_literal_samples_by_the_published_rule(largest: float | None) -> None:
    rng = np.random.default_rng(4)
    state = behaviour(rng, 50, 4)
    activity = rng.uniform(0.01, 1, (3, 50)) ** 3 * (rng.random((3, 50)) < 0.3)
    if largest is None:  # samples differ in their branch, and some are whole
        activity = np.where(rng.random((3, 50)) < 0.03, 19.5, np.ceil(activity))
        activity[0, :2] = 21.5
    else:
        activity *= largest / activity.max()
    pooled = np.stack(
        [
            activity.max(axis=0),
            np.where(activity > 0, activity, np.inf).min(axis=0),
            (activity == np.floor(activity)).all(axis=0),
        ]
    ).astype(float)
    sampling, names = quick_sampling(), ("s", -1)
    found = mutual_curves(
        activity, state, names=names, sampling=sampling, threads=1,
        responses="sheintuch2022", pooled=pooled,
    )  # fmt: skip
    for i in range(4):
        values = []
        for frames, paired in literal_samples(50, sampling, names, i):
            responses = published_responses(activity[:, frames])
            values.append(
                [[literal_mutual(r, state[of]) for r in responses] for of in (frames, paired)]
            )
        np.testing.assert_allclose(found[..., i], np.mean(values, axis=0).T, rtol=0, atol=1e-12)


@pytest.mark.parametrize("responses", ["counts", "binary"])
def test_mutual_curves__equal_literal_samples(responses: Any) -> None:
    rng = np.random.default_rng(5)
    state = behaviour(rng, 50, 4)
    activity = rng.poisson(0.4, (3, 50)).astype(np.uint8)
    activity[0, 3] = 90
    sampling = quick_sampling()
    found = mutual_curves(
        activity, state, names=(), sampling=sampling, threads=1, responses=responses
    )
    response = activity > 0 if responses == "binary" else activity
    for i in range(4):
        values = [
            [[literal_mutual(r[frames], state[of]) for r in response] for of in (frames, paired)]
            for frames, paired in literal_samples(50, sampling, (), i)
        ]
        np.testing.assert_allclose(found[..., i], np.mean(values, axis=0).T, rtol=0, atol=1e-12)


def test_mutual_curves__fractions_are_no_counts() -> None:
    with pytest.raises(ValueError, match="not whole"):
        mutual_curves(
            np.full((1, 9), 0.5), np.arange(9) % 2, names=(), sampling=quick_sampling(),
            threads=1, responses="counts",
        )  # fmt: skip


# ---- laws --------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(arrays(np.float64, (2, 24), elements=st.sampled_from([0, 0, 0, 0.5, 1, 2, 7.25])), st.data())
def test_information__lies_between_0_and_the_entropy_of_position(
    activity: np.ndarray, data: st.DataObject
) -> None:
    state = np.unique(
        data.draw(arrays(np.int64, 24, elements=st.integers(0, 4))), return_inverse=True
    )[1]
    names, plan = ("x",), quick_sampling(n_repeats=2)
    p = np.bincount(state) / state.size
    options: dict[str, Any] = {"names": names, "sampling": plan, "threads": 1}
    spatial = spatial_curves(activity, state, per_frame=False, **options)
    mutual = mutual_curves(activity, state, responses="binary", **options)
    assert ((spatial >= -1e-12) | np.isnan(spatial)).all()  # rounding can be below 0
    assert ((mutual >= 0) & (mutual <= 1)).all()
    last = spatial[:, 0, -1]
    assert (np.isnan(last) | (last <= -np.log2(p.min()) + 1e-12)).all()
    # States are names only, and amplitudes have no scale.
    renamed = (state.max() - state).astype(np.int64)
    again = spatial_curves(4 * activity, renamed, per_frame=False, **options)
    np.testing.assert_allclose(again[:, 0], spatial[:, 0], rtol=0, atol=1e-12)


@pytest.mark.filterwarnings("ignore:.*x jumps in 5.0 % of its frames")  # back to the first bin
def test_spatial_information__untuned_unit_has_the_bias_of_theory() -> None:
    rng = np.random.default_rng(6)
    n_bins, n_frames, n_events = 20, 20_000, 1000
    events = np.zeros((n_frames, 200), dtype=np.uint8)
    for unit in events.T:
        unit[rng.choice(n_frames, n_events, replace=False)] = 1
    recording = recording_from_arrays(
        events,
        kind="events",
        x=np.arange(n_frames) % n_bins + 0.5,
        geometry="linear",
        frame_duration=0.05,
    )
    result = compute_spatial_information(recording, binning=Binning(bin_width=1), corrections="sr")
    expected = (n_bins - 1) / (2 * n_events * math.log(2))
    assert float(result["naive"].mean()) == pytest.approx(expected, rel=0.06)
    assert abs(float(result["sr"].mean())) < 0.1 * expected


def test_spatial_information__corrections_find_the_truth_of_poisson_units() -> None:
    rng = np.random.default_rng(7)
    n_frames, n_units = 8000, 150
    x = np.abs((np.arange(n_frames) * 0.21) % 40 - 20)
    centres = np.arange(20) + 0.5
    rate = 0.2 + 8 * np.exp(-0.5 * ((centres - rng.uniform(0, 20, (n_units, 1))) / 1.5) ** 2)
    bins = np.clip(np.ceil(x).astype(int) - 1, 0, 19)
    counts = rng.poisson(rate[:, bins].T * 0.05 * rng.uniform(0.1, 0.5, n_units))
    recording = recording_from_arrays(counts, kind="spikes", x=x, frame_duration=0.05)
    result = compute_spatial_information(recording, binning=Binning(bin_width=1.0), n_repeats=60)
    p = np.bincount(bins, minlength=20) / n_frames
    relative = rate / (rate @ p)[:, None]
    truth = (p * relative * np.log2(relative)).sum(axis=1)
    true_mean = truth[(result["active_frames"] >= 10).values[0, :, 0]].mean()
    bias = {
        name: float(result[f"population_{name}"].squeeze()) / true_mean - 1
        for name in ("naive", "ssr", "bae")
    }
    assert bias["naive"] > 0.05
    assert abs(bias["ssr"]) < 0.04  # SSR and BAE leave some bias of units with a background rate
    assert abs(bias["bae"]) < 0.03


# ---- recordings ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    return testing.linear_track(
        n_units=7, n_sessions=2, minutes=3, detection=0.6, peak_rate=3.0, seed=1
    )


@pytest.fixture(scope="module")
def amplitudes(recording: xr.Dataset) -> xr.Dataset:
    scale = np.random.default_rng(0).uniform(0.1, 30, recording["activity"].shape)
    lazy = recording.copy()
    lazy["activity"] = (recording["activity"] * scale).assign_attrs(
        kind="deconvolved", units="a.u."
    )
    return lazy


def test_spatial_information__names_units_and_provenance(recording: xr.Dataset) -> None:
    result = compute_spatial_information(recording, corrections=ALL, keep_curves=True, **QUICK)
    units = {
        **dict.fromkeys(["naive", "sr", "ssr", "ae", "bae"], "bit/event"),
        "ssr_stability": "1",
        "bae_r2": "1",
        "naive_curve": "bit/event",
        "shuffle_curve": "bit/event",
    }
    for name, unit in units.items():
        for prefix, dims in (
            ("", ("session", "unit", "direction")),
            ("population_", ("session", "direction")),
        ):
            variable = result[prefix + name]
            assert variable.dims[: len(dims)] == dims
            assert variable.attrs["units"] == unit
            assert variable.attrs["long_name"].endswith("population") == bool(prefix)
    assert result["naive_curve"].dims[-1] == "fraction"
    assert result["direction"].values.tolist() == [1, -1]
    assert {"day", "experience", "subject", "environment"} <= set(result.coords)
    assert result.attrs["seed"] == 0 and result.attrs["n_repeats"] == 8
    undetected = ~recording["detected"]
    assert undetected.any()
    assert result["naive"].where(undetected, drop=True).isnull().all()
    assert (result["active_frames"].where(undetected, 0) == 0).all()
    assert set(compute_spatial_information(recording, corrections="none").data_vars) == {
        "naive", "population_naive", "population_units", "active_frames"
    }  # fmt: skip


def test_spatial_information__naive_equals_maps_and_loops(recording: xr.Dataset) -> None:
    binning = Binning(bin_width=5.0, min_occupancy=0.2)
    maps = compute_rate_maps(recording, binning=binning)
    for measure in ("bit/event", "bit/s"):
        found = compute_spatial_information(
            recording, binning=binning, measure=measure, corrections="none"
        )["naive"]
        from_maps = compute_spatial_information_from_maps(
            maps["rate"], maps["occupancy"], measure=measure
        )
        xr.testing.assert_allclose(found, from_maps.transpose(*found.dims), rtol=0, atol=1e-12)
        assert from_maps.attrs["units"] == measure.replace("bits", "bit")
    rate, time = maps["rate"].values[1, 2, 0], maps["occupancy"].values[1, 0]
    seen = np.isfinite(rate)
    p, r = time[seen] / time[seen].sum(), rate[seen]
    mean = (p * r).sum()
    expected = sum(a * b / mean * math.log2(b / mean) for a, b in zip(p, r, strict=True) if b > 0)
    assert float(found[1, 2, 0]) == pytest.approx(expected * mean, abs=1e-12)


def chunkings(recording: xr.Dataset) -> list[xr.Dataset]:
    return [
        recording.chunk(unit=size, time=time)
        for size, time in ((1, -1), (3, 500), (7, 1000), (4, 3600))
    ]


@pytest.mark.parametrize("kind", ["counts", "amplitudes"])
def test_information__same_bits_for_any_chunks_and_order(
    recording: xr.Dataset, amplitudes: xr.Dataset, kind: str
) -> None:
    source = recording if kind == "counts" else amplitudes
    options: dict[str, Any] = {**QUICK, "corrections": ALL, "keep_curves": True, "n_repeats": 70}
    options["fractions"] = (0.5, 0.7, 0.9, 1.0)
    for function in (compute_spatial_information, compute_mutual_information):
        eager = function(source, **options)
        for lazy in chunkings(source):
            xr.testing.assert_identical(function(lazy, **options).compute(), eager)
        order = np.random.default_rng(1).permutation(source.sizes["unit"])
        shuffled = function(source.isel(unit=order), **options)
        xr.testing.assert_identical(shuffled.sel(unit=eager["unit"]), eager)
        options["seed"] = 5
        assert not function(source, **options)["ssr"].equals(eager["ssr"])
        options["seed"] = 0


def test_information__sessions_do_not_depend_on_each_other(recording: xr.Dataset) -> None:
    from neurodrift import select_sessions

    both = compute_spatial_information(recording, **QUICK)
    second = compute_spatial_information(select_sessions(recording, ["2"]), **QUICK)
    both = both.sel(session=["2"], unit=second["unit"])
    for name in ("naive", "ssr", "bae", "population_ssr"):
        np.testing.assert_array_equal(second[name], both[name])


def test_information__threads_change_no_bit() -> None:
    rng = np.random.default_rng(8)
    state = behaviour(rng, 300, 6)
    activity = rng.poisson(0.2, (5, 300)) * rng.random((5, 300))
    one, three = (
        spatial_curves(
            activity, state, names=("a",), sampling=quick_sampling(n_repeats=200),
            threads=n, per_frame=False,
        )
        for n in (1, 3)
    )  # fmt: skip
    np.testing.assert_array_equal(one, three)


@pytest.mark.parametrize("density", [0.005, 0.3])
def test_spatial_curves__representation_changes_no_bit(density: float) -> None:
    """Units alone or in company, as counts or real numbers, rare or frequent."""
    rng = np.random.default_rng(9)
    state = behaviour(rng, 400, 5)
    activity = rng.poisson(density, (70, 400)).astype(np.uint8)
    activity[0] = rng.poisson(2.0, 400)
    activity[:, 3] = 3
    options: dict[str, Any] = {
        "names": (), "sampling": quick_sampling(n_repeats=70), "threads": 1, "per_frame": False
    }  # fmt: skip
    together = spatial_curves(activity, state, **options)
    alone = np.concatenate([spatial_curves(a[None], state, **options) for a in activity])
    np.testing.assert_array_equal(alone, together)
    real = spatial_curves(activity.astype(np.float64), state, **options)
    np.testing.assert_array_equal(real, together)


def test_information__stays_lazy(amplitudes: xr.Dataset) -> None:
    import dask

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("computed too early")

    with dask.config.set(scheduler=refuse):
        for function in (compute_spatial_information, compute_mutual_information):
            result = function(amplitudes.assign(activity=amplitudes["activity"].chunk(unit=2)))
            assert result["ssr"].chunks is not None
            assert result["population_ssr"].chunks is not None


def test_spatial_information__population_is_a_ratio_of_averages(recording: xr.Dataset) -> None:
    chosen = xr.DataArray(
        np.arange(7) % 2 == 0, dims="unit", coords={"unit": recording["unit"].values}
    )
    result = compute_spatial_information(recording, population=chosen, keep_curves=True, **QUICK)
    inside = chosen & (result["active_frames"] >= 3)
    xr.testing.assert_equal(result["population_units"], inside.sum("unit"))
    naive = result["naive_curve"].where(inside).mean("unit")
    shuffle = result["shuffle_curve"].where(inside).mean("unit")
    first, last = {"fraction": 0}, {"fraction": -1}
    expected = naive[last] - shuffle[last] * (naive[first] - naive[last]) / (
        shuffle[first] - shuffle[last]
    )
    np.testing.assert_allclose(result["population_ssr"], expected, rtol=1e-12)
    with pytest.raises(ValueError, match="other labels of unit"):
        compute_spatial_information(recording, population=chosen.isel(unit=slice(3)), **QUICK)
    with pytest.raises(ValueError, match="expected some of"):
        compute_spatial_information(recording, population=chosen.expand_dims("lap"), **QUICK)


def test_mutual_information__default_responses_follow_the_kind(
    recording: xr.Dataset, amplitudes: xr.Dataset
) -> None:
    assert compute_mutual_information(recording, corrections="none").attrs["responses"] == "counts"
    found = compute_mutual_information(amplitudes, corrections="none")
    assert found.attrs["responses"] == "sheintuch2022"
    binary = compute_mutual_information(amplitudes, corrections="none", responses="binary")
    events = compute_mutual_information(recording, corrections="none", responses="binary")
    xr.testing.assert_equal(binary["naive"], events["naive"])
    # Other units set the published bins, so that one louder unit changes the rest.
    louder = amplitudes.assign(
        activity=amplitudes["activity"] * xr.where(amplitudes.unit == 0, 9, 1)
    )
    louder["activity"].attrs = amplitudes["activity"].attrs
    changed = compute_mutual_information(louder, corrections="none")["naive"]
    assert not changed[:, 1:].equals(found["naive"][:, 1:])


# ---- edges ---------------------------------------------------------------------------------------


def edge_recording(**changes: Any) -> xr.Dataset:
    n = 200
    events = np.zeros((n, 3), dtype=np.uint8)
    events[::5, 0] = 1
    events[::90, 1] = 2
    options: dict[str, Any] = {
        "activity": events, "kind": "events", "x": np.arange(n) % 40.0, "frame_duration": 0.1
    }  # fmt: skip
    return recording_from_arrays(**(options | changes))


def test_information__silent_and_rare_units() -> None:
    recording = edge_recording()
    per_event = compute_spatial_information(recording, corrections=ALL, n_repeats=5).squeeze()
    per_second = compute_spatial_information(recording, measure="bit/s", n_repeats=5).squeeze()
    mutual = compute_mutual_information(recording, n_repeats=5).squeeze()
    assert per_event["active_frames"].values.tolist() == [40, 3, 0]
    assert np.isnan(per_event["naive"][2])
    assert float(per_second["naive"][2]) == 0 and float(mutual["naive"][2]) == 0
    assert (per_event["naive"][:2] >= 0).all()
    for name in ("sr", "ssr", "bae", "ssr_stability", "bae_r2", "ae"):
        assert np.isnan(per_event[name][1:]).all()
    assert int(per_event["population_units"]) == 1
    alone = compute_spatial_information(
        recording.isel(unit=[0]), corrections=ALL, n_repeats=5
    ).squeeze()
    xr.testing.assert_equal(alone["ssr"], per_event["ssr"][0])
    assert float(per_event["population_ssr"]) == float(per_event["ssr"][0])


def test_information__one_visited_bin_tells_nothing() -> None:
    recording = edge_recording(x=np.full(200, 7.0))
    for result in (
        compute_spatial_information(recording, corrections=ALL, n_repeats=5),
        compute_spatial_information(recording, measure="bit/s", corrections=ALL, n_repeats=5),
        compute_mutual_information(recording, corrections=ALL, n_repeats=5),
    ):
        for name in ("naive", "sr", "ssr", "ae", "bae"):
            assert result[name].values[0, 0, 0] == 0


def test_information__direction_without_frames_is_nan() -> None:
    heading = np.where(np.arange(200) < 150, 1, 0)
    result = compute_spatial_information(edge_recording(direction=heading), n_repeats=5)
    assert np.isnan(result["naive"].sel(direction=-1)).all()
    assert np.isnan(result["population_ssr"].sel(direction=-1)).all()
    assert np.isfinite(result["ssr"].sel(direction=1)[0, 0])
    lazy = compute_spatial_information(
        edge_recording(direction=heading).chunk(unit=1), measure="bit/s", n_repeats=5
    )
    assert np.isnan(lazy["naive"].sel(direction=-1)).all()


def test_information__fraction_without_a_frame_is_nan() -> None:
    recording = edge_recording().isel(time=slice(9))
    result = compute_spatial_information(
        recording, corrections=ALL, n_repeats=5, min_active_frames=1, keep_curves=True
    ).squeeze()
    assert np.isnan(result["naive_curve"][0, 0])
    assert np.isfinite(result["naive_curve"][0, 1:]).all()
    assert np.isfinite(result["naive"][0]) and np.isfinite(result["sr"][0])
    for name in ("ssr", "bae", "ae"):
        assert np.isnan(result[name][0])


def test_information__activations_of_simulated_units() -> None:
    x = np.arange(200) % 40.0
    activation = np.maximum(0, np.sin(x[:, None] / 6 + np.arange(3)))
    recording = edge_recording(activity=activation, kind="activation")
    result = compute_spatial_information(recording, n_repeats=10).squeeze()
    for u in range(3):
        bins = np.ceil(x / 4).clip(1)
        expected = literal_spatial(activation[:, u], bins)
        assert float(result["naive"][u]) == pytest.approx(expected, abs=1e-12)
        assert float(result["ssr"][u]) == pytest.approx(expected, rel=0.05)


def test_information__bad_input_has_one_clear_error() -> None:
    recording = edge_recording()
    negative = edge_recording(activity=np.full((200, 2), -0.5), kind="activation")
    with pytest.raises(ValueError, match="negative or NaN in session '1'"):
        compute_spatial_information(negative)
    with pytest.raises(ValueError, match="no position"):
        compute_spatial_information(recording.drop_vars("x"))
    for wrong, message in (
        ({"fractions": (0.5, 1.0)}, "fractions are"),
        ({"fractions": (0.1, 0.5, 0.4, 1.0)}, "fractions are"),
        ({"n_repeats": 0}, "n_repeats is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"corrections": ("srr",)}, "unknown corrections 'srr'"),
        ({"measure": "bits"}, "measure is 'bits'"),
    ):
        with pytest.raises(ValueError, match=message):
            compute_spatial_information(recording, **wrong)
    with pytest.raises(ValueError, match="responses is 'log'"):
        compute_mutual_information(recording, responses="log")  # type: ignore[arg-type]


def test_spatial_information_from_maps__unvisited_silent_and_bad_maps() -> None:
    rate = xr.DataArray(
        [[1.0, 3.0, np.nan], [0.0, 0.0, np.nan], [np.nan] * 3], dims=("unit", "position")
    )
    occupancy = xr.DataArray([2.0, 2.0, 0.0], dims="position")
    found = compute_spatial_information_from_maps(rate, occupancy)
    expected = 0.25 * math.log2(0.5) + 0.75 * math.log2(1.5)
    np.testing.assert_allclose(found, [expected, np.nan, np.nan])
    lazy = compute_spatial_information_from_maps(rate.chunk(unit=1, position=1), occupancy)
    xr.testing.assert_equal(lazy.compute(), found)
    per_second = compute_spatial_information_from_maps(rate, occupancy, measure="bit/s")
    np.testing.assert_allclose(per_second, [2 * expected, 0, np.nan])
    with pytest.raises(ValueError, match="rate is negative"):
        compute_spatial_information_from_maps(-rate, occupancy)


# ---- published data ------------------------------------------------------------------------------


def load_session(data: Path, kind: str, mouse: str, session: tuple[int, int, int]) -> xr.Dataset:
    """One (environment, session, direction) of the data of Sheintuch et al. 2022."""
    from scipy.io import loadmat

    folder, name = data / "sheintuch2022" / kind, "simulated_" if kind == "simulated" else ""
    train = loadmat(folder / f"{mouse}_{name}spike_train.mat")["spike_train"][session]
    trace = loadmat(folder / f"{mouse}_stimulus_trace.mat")["stimulus_trace"][session]
    return recording_from_arrays(
        train,
        kind="spikes" if kind == "simulated" else "deconvolved",
        x=trace.ravel().astype(float),
        geometry="linear",  # runs of one direction, the ways back cut out
        frame_duration=0.05 if mouse == "C6M3" else 0.1,
        unit=np.arange(1, train.shape[1] + 1),
    )


def read_reference(path: Path) -> dict[str, np.ndarray]:
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("kind", ["real", "simulated"])
@pytest.mark.parametrize("measure", ["SI_bit_spike", "SI_bit_sec", "MI"])
def test_information__published_run(shared_data: Path, kind: str, measure: str) -> None:
    recording = load_session(shared_data, kind, "C6M3", (0, 0, 0))
    folder = shared_data / "sheintuch2022" / "reference"
    reference = read_reference(folder / f"percell_{kind}_C6M3_111.csv")
    with np.load(folder / f"curves_{kind}_C6M3_111.npz") as curves:
        naive = curves[f"{measure}_naive_curve"][:, -1]
    options: dict[str, Any] = {"binning": TRACK_BINS, "corrections": ALL}
    if measure == "MI":
        result = compute_mutual_information(recording, n_repeats=100, **options)
    else:
        unit: Any = {"SI_bit_spike": "bit/event", "SI_bit_sec": "bit/s"}[measure]
        result = compute_spatial_information(recording, measure=unit, **options)
    result = result.isel(session=0, direction=0)
    enough = result["active_frames"] >= 10
    assert result["unit"].values[enough].tolist() == reference["cell"].astype(int).tolist()
    result = result.isel(unit=np.flatnonzero(enough))
    np.testing.assert_allclose(result["naive"], naive, rtol=0, atol=1e-12)
    if measure == "MI":
        for name in ("sr", "ssr", "ae"):
            expected = reference[f"MI_{name.upper()}"]
            assert float(result[name].mean()) == pytest.approx(expected.mean(), rel=0.01)
        converged = reference["MI_BAE_converged"].mean()
        assert float(result["bae"].mean()) == pytest.approx(converged, rel=0.03)
        return
    scale = 1 if measure == "SI_bit_spike" else float(naive.mean() / 1.7)
    for name, per_cell, on_average in (
        ("sr", 0.015, 0.0025),
        ("ssr", 0.015, 0.0025),
        ("ae", 0.01, 0.0025),
        ("bae", 0.05, 0.008),
    ):
        difference = result[name].values - reference[f"{measure}_{name.upper()}"]
        assert np.sqrt(np.mean(difference**2)) < per_cell * max(scale, 1)
        assert abs(difference.mean()) < on_average


@pytest.mark.slow
@pytest.mark.parametrize("mouse", ["C6M3", "C8M2"])
def test_spatial_information__bias_against_the_truth(shared_data: Path, mouse: str) -> None:
    """Population information over all 16 simulated sessions, within 2 % of the truth."""
    from scipy.io import loadmat

    path = shared_data / f"sheintuch2022/simulated/{mouse}_true_information.mat"
    truth = loadmat(path)["true_information"]["SI_bit_spike"][0, 0]
    values = []
    for session in np.ndindex(truth.shape):
        recording = load_session(shared_data, "simulated", mouse, session)
        result = compute_spatial_information(recording, binning=TRACK_BINS).isel(
            session=0, direction=0
        )
        enough = (result["active_frames"] >= 10).values
        names = ("population_naive", "population_ssr", "population_bae")
        found = [float(result[name]) for name in names]
        values.append([*found, truth[session].ravel()[enough].mean()])
    naive, ssr, bae, true = np.mean(values, axis=0)
    assert naive > 1.15 * true
    assert abs(ssr / true - 1) < 0.02
    assert abs(bae / true - 1) < 0.02
