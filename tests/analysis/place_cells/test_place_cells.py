from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from scipy.stats import binom

from neurodrift import Binning, recording_from_arrays, testing
from neurodrift.analysis.place_cells._tests import _in_two_looks
from neurodrift.analysis.place_cells.place_cells import detect_place_cells
from neurodrift.analysis.place_cells.shuffles import NULLS, Plan, empirical_p
from neurodrift.seeds import generator

TRACK_BINS = Binning(edges=np.arange(2.5, 23.5))


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    return testing.linear_track(n_units=8, n_sessions=2, minutes=3, tuned=0.5, detection=0.8)


def load_sheintuch2022(data: Path, kind: str) -> xr.Dataset:
    """Environment 1, session 1, direction 1 of mouse C6M3."""
    from scipy.io import loadmat

    folder = data / "sheintuch2022" / kind
    name = "C6M3_spike_train" if kind == "real" else "C6M3_simulated_spike_train"
    trains = loadmat(folder / f"{name}.mat")["spike_train"]
    traces = loadmat(folder / "C6M3_stimulus_trace.mat")["stimulus_trace"]
    return recording_from_arrays(
        trains[0, 0, 0],
        kind="amplitudes" if kind == "real" else "spikes",
        x=traces[0, 0, 0].ravel().astype(float),
        geometry="linear",  # runs of one direction, the ways back cut out
        frame_duration=0.05,
        unit=np.arange(1, trains[0, 0, 0].shape[1] + 1),
    )


@pytest.mark.parametrize("kind", ["real", "simulated"])
def test_place_cells__equals_reference_over_all_shifts(shared_data: Path, kind: str) -> None:
    recording = load_sheintuch2022(shared_data, kind)
    path = shared_data / "sheintuch2022" / "reference" / f"all_shifts_{kind}_C6M3_111.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    result = detect_place_cells(recording, binning=TRACK_BINS, min_events=1).sel(
        unit=[int(row["cell"]) for row in rows]
    )
    found = result.isel(session=0, direction=0)
    for name, column, tolerance in (
        ("information", "SI_naive_bit_spike", 1e-12),
        ("p", "p_exact_all_T_shifts", 1e-15),
        ("null_mean", "cyc_mean_exact", 1e-9),
    ):
        expected = [float(row[column]) for row in rows]
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=tolerance, err_msg=name)
    spread = (found["information"] - found["null_mean"]) / found["z"]
    expected = [float(row["cyc_sd_exact"]) for row in rows]
    np.testing.assert_allclose(spread, expected, rtol=0, atol=1e-9)


def test_place_cells__ties_are_those_of_the_reference(shared_data: Path) -> None:
    from neurodrift.analysis.place_cells._null import InformationNull
    from neurodrift.analysis.place_cells.shuffles import Plan

    for kind in ("real", "simulated"):
        recording = load_sheintuch2022(shared_data, kind)
        states = recording["x"].values.astype(int) - 3
        model = InformationNull(np.unique(states, return_inverse=True)[1])
        path = shared_data / "sheintuch2022" / "reference" / f"all_shifts_{kind}_C6M3_111.csv"
        with path.open() as file:
            for row in csv.DictReader(file):
                activity = recording["activity"].sel(unit=int(row["cell"])).values
                frames = np.flatnonzero(activity)
                observed, values = model.values(
                    frames,
                    activity[frames].astype(float),
                    Plan(null="circular_exact"),
                    np.random.default_rng(),
                )
                ties = (np.abs(values - observed) <= 1e-9).sum()
                assert ties == int(row["ties_incl_identity"])


def literal_test(activity: np.ndarray, states: np.ndarray) -> tuple[float, float]:
    """Information and p over all shifts, by rolling."""

    def information(moved: np.ndarray) -> float:
        total = 0.0
        for s in np.unique(states):
            share, rate = np.mean(states == s), moved[states == s].mean() / moved.mean()
            total += share * rate * np.log2(rate) if rate > 0 else 0.0
        return total

    values = np.array([information(np.roll(activity, k)) for k in range(states.size)])
    return values[0], float(np.mean(values >= values[0] - 1e-9))


def test_place_cells__equals_literal_rolls_of_used_frames() -> None:
    recording = testing.linear_track(n_units=3, n_sessions=2, minutes=0.7)
    result = detect_place_cells(
        recording, binning=Binning(bin_width=10), min_events=1, null="circular_exact"
    )
    for i, name in enumerate(recording["session"].values):
        for d in (1, -1):
            used = (
                (recording["session_index"] == i)
                & (recording["direction"] == d)
                & (recording["speed"] >= 1)
            ).values
            states = np.maximum(np.ceil(recording["x"].values[used] / 10).astype(int), 1)
            for unit in range(3):
                activity = recording["activity"].values[used, unit].astype(float)
                found = result.sel(session=name, direction=d, unit=unit)
                assert found["n_events"] == activity.sum()
                if activity.sum() > 0:
                    information, p = literal_test(activity, states)
                    assert abs(found["information"] - information) < 1e-12
                    assert found["p"] == p


@pytest.mark.parametrize("null", NULLS)
def test_place_cells__same_bits_for_any_chunks_order_and_subset(
    recording: xr.Dataset, null: str
) -> None:
    options = {"null": null, "n_repeats": 40, "binning": Binning(bin_width=5)}
    eager = detect_place_cells(recording, **options)
    for chunks in ({"time": 1000, "unit": 3}, {"time": -1, "unit": -1}, {"unit": 1}):
        xr.testing.assert_identical(detect_place_cells(recording.chunk(chunks), **options), eager)
    order = np.random.default_rng(0).permutation(8)
    shuffled = detect_place_cells(recording.isel(unit=order), **options)
    xr.testing.assert_identical(shuffled.sel(unit=eager["unit"]), eager)
    alone = detect_place_cells(recording.isel(unit=[order[0]]), **options)
    both = ["information", "p", "z", "null_mean", "null_p95"]
    xr.testing.assert_identical(alone[both], eager[both].isel(unit=[order[0]]))


def test_place_cells__same_bits_for_any_number_of_threads(recording: xr.Dataset) -> None:
    import numba

    most = numba.get_num_threads()
    results = []
    try:
        for n in (1, most):
            numba.set_num_threads(n)
            results.append(detect_place_cells(recording))
    finally:
        numba.set_num_threads(most)
    xr.testing.assert_identical(*results)


def test_place_cells__stays_lazy(recording: xr.Dataset) -> None:
    import dask

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed")

    lazy_recording = recording.assign(activity=recording["activity"].chunk(time=500, unit=2))
    with dask.config.set(scheduler=refuse):
        lazy = detect_place_cells(lazy_recording, by="trial")
        assert all(lazy[name].chunks is not None for name in ("p", "q", "is_place_cell"))


def test_place_cells__not_detected_is_not_silent(recording: xr.Dataset) -> None:
    silent = recording.copy(deep=True)
    silent["activity"][:, 0] = 0
    result = detect_place_cells(silent, combine="all")
    assert (result["tested"] == result["p"].notnull()).all()
    detected = silent["detected"]
    assert detected.any() and not detected.all()
    assert (result["n_events"].isnull() == ~detected).all()
    assert result["information"].where(~detected).isnull().all()
    assert not result["is_place_cell"].where(~detected, False).any()
    first = result.isel(unit=0)
    assert (first["n_events"].where(detected.isel(unit=0), 0) == 0).all()
    assert first["p"].isnull().all() and not first["tested"].any()


def test_place_cells__too_few_events_are_not_tested(recording: xr.Dataset) -> None:
    result = detect_place_cells(recording, min_events=40)
    enough = result["n_events"] >= 40
    assert enough.any() and not enough.where(result["n_events"].notnull(), True).all()
    assert (result["tested"] == enough).all()
    assert result["information"].notnull().where(result["n_events"] > 0, True).all()
    assert not result["significant"].where(~enough, False).any()


def small(activity: object, x: object, **options: object) -> xr.Dataset:
    arguments = {"kind": "events", "frame_duration": 0.1, "geometry": "linear"} | options
    return recording_from_arrays(activity, x=x, **arguments)


def test_place_cells__one_visited_bin_is_never_a_place_cell() -> None:
    result = detect_place_cells(small(np.ones((50, 2), int), np.full(50, 3.0)))
    assert (result["information"] == 0).all() and (result["p"] == 1).all()
    assert result["z"].isnull().all() and not result["is_place_cell"].any()


@pytest.mark.parametrize("null", NULLS)
def test_place_cells__one_frame(null: str) -> None:
    one = small(np.full((1, 1), 9), [3.0], lap=[1])
    assert detect_place_cells(one, null=null)["p"].values.tolist() == [[[1.0]]]


def test_place_cells__direction_without_frames() -> None:
    x = np.tile(np.arange(50.0), 2)
    events = (np.arange(100) % 50 < 5).astype(int)[:, None]
    result = detect_place_cells(small(events, x, direction=np.ones(100)))
    assert result["tested"].values.tolist() == [[[True, False]]]
    assert result["n_events"].values.tolist() == [[[10.0, 0.0]]]
    assert result["is_place_cell"].values.tolist() == [[True]]
    # "all" directions means all, so a direction without frames is not passed.
    assert not detect_place_cells(small(events, x, direction=np.ones(100)), combine="all")[
        "is_place_cell"
    ].any()


def test_place_cells__least_shift_is_in_seconds() -> None:
    rng = np.random.default_rng(1)
    x, events = np.tile(np.arange(20.0), 10), rng.poisson(0.3, (200, 1))
    result = detect_place_cells(small(events, x), min_shift=9.95)
    # Frames of 0.1 s: 100 frames either way leaves one shift beside the identity.
    assert result["p"].item() in (0.5, 1.0)
    assert detect_place_cells(small(events, x), min_shift=10.1)["p"].item() == 1.0
    assert detect_place_cells(small(events, x), null="circular", min_shift=10.1)["p"].item() == 1.0


def literal_nulls(null: str, activity: list[int], states: list[int], seed: int) -> list[float]:
    """Information after each of 30 sampled shuffles, or after every shift, by loops."""
    n, events = len(states), [t for t, count in enumerate(activity) if count]
    rng = generator(seed, null, "1", 0, "0")  # the session, the direction and the unit
    if null == "circular":
        targets = [[(t + shift) % n for t in events] for shift in rng.integers(1, n, size=30)]
    elif null == "occupancy":
        targets = rng.integers(0, n, size=(30, len(events))).tolist()
    else:
        targets = [[(t + shift) % n for t in events] for shift in range(n)]
    found = []
    for frames in targets:
        total = 0.0
        for s in set(states):
            share = states.count(s) / n
            inside = sum(
                activity[t] for t, frame in zip(events, frames, strict=True) if states[frame] == s
            )
            rate = inside / sum(activity) / share
            total += share * rate * math.log2(rate) if rate else 0.0
        found.append(total)
    return found


@pytest.mark.parametrize("null", ["circular", "occupancy", "circular_exact"])
@pytest.mark.parametrize("seed", [0, 5])
def test_place_cells__numbers_of_the_null_equal_the_loops(null: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 40, 61)
    activity = rng.poisson(np.where(x < 10, 1.0, 0.2))
    result = detect_place_cells(
        small(activity[:, None], x),
        binning=Binning(edges=[0, 10, 20, 30, 40]),
        null=null,
        n_repeats=30,
        min_events=1,
        seed=seed,
    ).isel(session=0, unit=0, direction=0)
    values = literal_nulls(null, activity.tolist(), [int(at // 10) for at in x], seed)
    mean = math.fsum(values) / len(values)
    # every shift is the whole null; 30 shuffles are a sample of it, so one less in the variance
    count = len(values) if null == "circular_exact" else len(values) - 1
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / count)
    rank = 0.95 * (len(values) - 1)  # of the percentile, linear between neighbours
    low, high = sorted(values)[math.floor(rank)], sorted(values)[math.ceil(rank)]
    observed = result["information"].item()
    assert result["null_mean"].item() == pytest.approx(mean, abs=1e-8)
    assert result["null_p95"].item() == pytest.approx(low + rank % 1 * (high - low), abs=1e-8)
    assert result["z"].item() == pytest.approx((observed - mean) / spread, rel=1e-6)


def test_place_cells__sampled_p_converges_to_exact(recording: xr.Dataset) -> None:
    exact = detect_place_cells(recording, null="circular_exact")
    sampled = detect_place_cells(recording, null="circular", n_repeats=4000)
    n = xr.where(sampled["p"] > 0.1, 200, 4000)  # a hopeless test ends after a first look
    spread = np.sqrt(exact["p"] * (1 - exact["p"]) / n)
    assert (
        (np.abs(sampled["p"] - exact["p"]) <= 4.5 * spread + 1.5 / n)
        .where(exact["tested"], True)
        .all()
    )
    assert sampled["p"].min() >= 1 / 4001
    assert np.abs(sampled["null_p95"] - exact["null_p95"]).max() < 0.2


@pytest.mark.parametrize("share", [0.0, 0.03, 0.05, 0.2])
def test_two_looks__keep_the_level(share: float) -> None:
    """A statistic whose null is as large as it in a given share, by drawing."""

    class Drawn:
        def observed(self, frames, amounts):
            return 1.0

        def values(self, frames, amounts, plan, rng):
            return 1.0, (rng.random(plan.n_repeats) < share).astype(float)

    frames, plan, rng = (
        np.arange(3),
        Plan(null="circular", n_repeats=1000),
        np.random.default_rng(1),
    )
    sizes, p = [], []
    for _ in range(400):
        unmoved, null = _in_two_looks(Drawn(), frames, frames.astype(float), plan, rng)
        sizes.append(null.size)
        p.append(empirical_p(unmoved, null, exact=False, tie=1e-9))
    assert set(sizes) <= {200, 1000}
    assert np.mean(p) == pytest.approx(share, abs=0.01)
    assert (np.array(sizes) == 200).mean() == pytest.approx(binom.sf(19, 200, share), abs=0.08)
    assert np.array(p)[np.array(sizes) == 200].min(initial=1.0) > 0.1


def test_place_cells__seed_changes_samples_and_nothing_else(recording: xr.Dataset) -> None:
    a, b = (detect_place_cells(recording, null="circular", n_repeats=50, seed=s) for s in (0, 1))
    assert not a["null_mean"].equals(b["null_mean"])
    assert a["information"].equals(b["information"])
    exact = [
        detect_place_cells(recording, null="circular_exact", seed=s).drop_attrs() for s in (0, 1)
    ]
    xr.testing.assert_identical(*exact)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """q_i = min over p_j >= p_i of n p_j / rank_j, literally."""
    n = p.size
    return np.array([min(1.0, min(n * pj / (p <= pj).sum() for pj in p if pj >= pi)) for pi in p])


@pytest.mark.parametrize(
    ("scope", "dims"),
    [
        ("session", ["session"]),
        ("direction", ["session", "direction"]),
        ("recording", []),
    ],
)
def test_place_cells__q_corrects_over_its_scope(
    recording: xr.Dataset, scope: str, dims: list[str]
) -> None:
    result = detect_place_cells(recording, fdr_scope=scope, criterion="q")
    stacked = result[["p", "q"]].stack(family=dims) if dims else result.expand_dims(family=1)
    for f in range(stacked.sizes["family"]):
        p, q = (stacked[name].isel(family=f).values.ravel() for name in ("p", "q"))
        tested = np.isfinite(p)
        assert np.isnan(q[~tested]).all()
        np.testing.assert_allclose(q[tested], benjamini_hochberg(p[tested]), rtol=1e-12)
    assert result["significant"].equals(result["q"] < 0.05)


def test_place_cells__combines_directions(recording: xr.Dataset) -> None:
    p = detect_place_cells(recording)["p"]
    alpha = 0.15
    verdicts = {
        how: detect_place_cells(recording, alpha=alpha, combine=how)["is_place_cell"].values
        for how in ("any", "bonferroni", "all")
    }
    for i, j in np.ndindex(p.sizes["session"], p.sizes["unit"]):
        values = p.values[i, j]
        tested = values[np.isfinite(values)]
        assert verdicts["any"][i, j] == (values < alpha).any()
        assert verdicts["all"][i, j] == (values < alpha).all()
        assert verdicts["bonferroni"][i, j] == (tested * tested.size < alpha).any()


def test_place_cells__by_trial_equals_trials_as_recordings(recording: xr.Dataset) -> None:
    one = recording.isel(time=slice(0, 3600), session=[0])
    one = one.isel(unit=np.flatnonzero(one["detected"].values[0]))
    binning = Binning(edges=np.arange(0, 101, 5.0))
    options = {"binning": binning, "min_events": 3, "null": "circular_exact"}
    result = detect_place_cells(one, by="trial", **options)
    assert result["p"].dims == ("segment", "unit", "direction")
    assert result["trial"].values.tolist() == [1, 2, 3, 4, 5]
    for i, trial in enumerate(result["trial"].values):
        part = one.isel(time=one["trial"].values == trial)
        alone = detect_place_cells(part, **options)
        np.testing.assert_array_equal(alone["p"].values[0], result["p"].values[i])
    drawn = detect_place_cells(one, by="trial", null="occupancy", min_events=3, n_repeats=100)
    assert drawn["is_place_cell"].groupby("session").any().sizes["session"] == 1


def test_place_cells__counts_and_activations_agree(recording: xr.Dataset) -> None:
    counts = recording.isel(unit=recording["detected"].values.all(axis=0))
    floats = counts.copy()
    floats["activity"] = counts["activity"].astype(float) * 0.3
    floats["activity"].attrs = {"kind": "activation", "units": "a.u."}
    a, b = detect_place_cells(counts), detect_place_cells(floats)
    for name in ("information", "p", "q", "z", "null_mean", "null_p95"):
        np.testing.assert_allclose(a[name], b[name], rtol=0, atol=1e-8, err_msg=name)
    events = (counts["activity"].values[:3600] > 0) & (counts["direction"].values[:3600] == 1)[
        :, None
    ]
    running = (counts["speed"].values[:3600] >= 1)[:, None]
    assert (b["n_events"].values[0, :, 0] == (events & running).sum(axis=0)).all()


@pytest.mark.parametrize("bad", [-0.1, np.nan])
def test_place_cells__negative_activity_is_refused(bad: float) -> None:
    recording = small(np.ones((30, 2)), np.arange(30.0), kind="activation", unit=["a", "b"])
    recording["activity"][3, 1] = bad
    with pytest.raises(ValueError, match="activity of unit b is negative or NaN, expected 0"):
        detect_place_cells(recording)


def test_place_cells__labels_and_provenance(recording: xr.Dataset) -> None:
    result = detect_place_cells(recording, null="circular", n_repeats=10, seed=3)
    assert result["information"].dims == ("session", "unit", "direction")
    assert result["information"].attrs["units"] == result["null_mean"].attrs["units"] == "bit/event"
    assert {"day", "experience", "subject"} <= set(result.coords)
    assert (result.attrs["null"], result.attrs["n_repeats"], result.attrs["seed"]) == (
        "circular",
        10,
        3,
    )


def test_place_cells__input_is_untouched(recording: xr.Dataset) -> None:
    before = recording.copy(deep=True)
    detect_place_cells(recording)
    xr.testing.assert_identical(recording, before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"null": "cyclic"}, "null is 'cyclic'"),
        ({"criterion": "z"}, "criterion is 'z', expected one of p, q"),
        ({"combine": "each"}, "combine is 'each'"),
        ({"fdr_scope": "unit"}, "fdr_scope is 'unit'"),
        ({"criterion": "q", "combine": "bonferroni"}, "already corrects over directions"),
        ({"min_shift": -1.0}, "min_shift is -1.0, expected"),
        ({"n_repeats": 0, "null": "block"}, "n_repeats is 0"),
    ],
)
def test_place_cells__bad_options(
    recording: xr.Dataset, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        detect_place_cells(recording, **options)


def test_place_cells__lap_null_needs_laps_or_trials(recording: xr.Dataset) -> None:
    with_trials = recording.drop_vars("lap")
    assert detect_place_cells(with_trials, null="lap", n_repeats=5)["tested"].any()
    with pytest.raises(ValueError, match="needs laps or trials"):
        detect_place_cells(with_trials.drop_vars("trial"), null="lap")


def test_place_cells__is_calibrated_on_shifted_real_activity(shared_data: Path) -> None:
    recording = load_sheintuch2022(shared_data, "real")
    rng = np.random.default_rng(0)
    activity = recording["activity"].values
    shifted = np.concatenate(
        [
            np.stack([np.roll(column, rng.integers(column.size)) for column in activity.T], axis=1)
            for _ in range(4)
        ],
        axis=1,
    )
    result = detect_place_cells(
        small(shifted, recording["x"].values, kind="amplitudes"), binning=TRACK_BINS, min_events=5
    )
    n_tested = result["tested"].sum().item()
    assert n_tested > 1000
    assert abs(result["significant"].sum().item() / n_tested - 0.05) < 0.015
