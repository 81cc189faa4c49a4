from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import Binning, bin_frames, compute_rate_maps, recording_from_arrays, testing
from neurodrift.analysis.place_cells._tests import laps_by_direction
from neurodrift.analysis.place_cells.shuffles import NULLS
from neurodrift.analysis.place_cells.stability import compare_criteria, compute_map_stability


@pytest.fixture(scope="module")
def recording() -> xr.Dataset:
    return testing.linear_track(n_units=6, n_sessions=2, minutes=6, tuned=0.5, detection=0.8)


def literal_halves(recording: xr.Dataset, binning: Binning, split: str) -> xr.DataArray:
    """0 and 1 for the halves of each session and direction, -1 for frames that do not count."""
    frames = bin_frames(recording, binning)
    half = np.full(recording.sizes["time"], -1)
    laps = laps_by_direction(recording, frames, "lap")
    for i in range(recording.sizes["session"]):
        for d in range(frames.sizes["direction"]):
            here = (recording["session_index"].values == i) & (frames["direction_bin"].values == d)
            at = np.flatnonzero(here)
            if split == "half":
                half[at] = np.arange(at.size) >= at.size / 2
                continue
            numbers = laps if split == "lap" else recording["trial"].values
            for rank, number in enumerate(np.unique(numbers[at])):
                half[at[numbers[at] == number]] = rank % 2
    return xr.DataArray(half, dims="time")


@pytest.mark.parametrize("split", ["lap", "trial", "half"])
@pytest.mark.parametrize("smoothing", [0.0, 5.0])
def test_map_stability__equals_correlation_of_rate_maps(
    recording: xr.Dataset, split: str, smoothing: float
) -> None:
    binning = Binning(bin_width=5)
    found = compute_map_stability(
        recording, binning=binning, split=split, smoothing=smoothing, n_repeats=2, min_events=1
    )["stability"]
    halves = literal_halves(recording, binning, split)
    maps = compute_rate_maps(recording, binning=binning, smoothing=smoothing, by=halves)["rate"]
    n_compared = 0
    for i, j, d in np.ndindex(found.shape):
        first, second = maps.values[2 * i, j, d], maps.values[2 * i + 1, j, d]
        both = np.isfinite(first) & np.isfinite(second)
        if both.sum() > 1 and np.ptp(first[both]) > 0 and np.ptp(second[both]) > 0:
            expected = np.corrcoef(first[both], second[both])[0, 1]
            assert abs(found.values[i, j, d] - expected) < 1e-10
            n_compared += 1
        else:
            assert np.isnan(found.values[i, j, d])
    assert n_compared > 12


def test_map_stability__halves_of_laps_are_balanced(recording: xr.Dataset) -> None:
    halves = literal_halves(recording, Binning(), "lap").values
    for d in (1, -1):
        used = halves[(recording["direction"].values == d) & (halves >= 0)]
        assert 0.35 < used.mean() < 0.65


def test_laps_by_direction__last_frames_join_the_traversal() -> None:
    # The lap number changes at 90 cm, before the animal turns at 100 cm.
    x = np.concatenate([np.arange(1, 100.0, 2), np.arange(99, 0, -2.0)] * 2)
    direction = np.repeat([1, -1, 1, -1], 50)
    lap = np.repeat([0, 1, 2, 3], [45, 50, 50, 55])
    recording = recording_from_arrays(
        np.ones((200, 1), int), kind="events", x=x, lap=lap, direction=direction, frame_duration=0.1
    )
    laps = laps_by_direction(recording, bin_frames(recording, Binning()), "lap")
    assert (laps == np.repeat([0, 1, 2, 3], 50)).all()


def test_laps_by_direction__whole_rounds_keep_their_number() -> None:
    x = np.concatenate([np.arange(1, 100.0, 2), np.arange(99, 0, -2.0)] * 2)
    recording = recording_from_arrays(
        np.ones((200, 1), int),
        kind="events",
        x=x,
        lap=np.repeat([5, 6], 100),
        direction=np.repeat([1, -1, 1, -1], 50),
        frame_duration=0.1,
    )
    laps = laps_by_direction(recording, bin_frames(recording, Binning()), "lap")
    assert (laps == np.repeat([5, 6], 100)).all()


@pytest.mark.parametrize("null", NULLS)
def test_map_stability__same_bits_for_any_chunks_and_order(
    recording: xr.Dataset, null: str
) -> None:
    options = {"null": null, "n_repeats": 10, "binning": Binning(bin_width=10), "split": "trial"}
    if null == "circular_exact":
        recording = recording.isel(unit=slice(2))
    eager = compute_map_stability(recording, **options)
    lazy = compute_map_stability(recording.chunk(time=2000, unit=2), **options)
    assert lazy["p"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), eager)
    shuffled = compute_map_stability(recording.isel(unit=slice(None, None, -1)), **options)
    xr.testing.assert_identical(shuffled.sel(unit=eager["unit"]), eager)


def test_map_stability__p_equals_literal_rolls() -> None:
    rng = np.random.default_rng(2)
    x = np.tile(np.arange(12.0), 8)
    events = rng.poisson(0.4 * (x[:, None] < 4) + 0.2, (96, 2))
    recording = recording_from_arrays(events, kind="events", x=x, frame_duration=0.1)
    binning = Binning(edges=np.arange(-0.5, 12.5, 2))
    result = compute_map_stability(recording, binning=binning, split="half", null="circular_exact")
    states = np.searchsorted(np.arange(-0.5, 12.5, 2), x) - 1
    for j in range(2):
        values = []
        for k in range(96):
            moved = np.roll(events[:, j], k)
            maps = [
                [moved[half][states[half] == s].mean() for s in range(6)]
                for half in (slice(0, 48), slice(48, 96))
            ]
            values.append(np.corrcoef(*maps)[0, 1])
        p = np.mean(np.array(values) >= values[0] - 1e-9)
        assert result["stability"].values[0, j, 0] == pytest.approx(values[0], abs=1e-12)
        assert result["p"].values[0, j, 0] == p


def test_map_stability__tuned_are_stable_untuned_mostly_not() -> None:
    recording = testing.linear_track(n_units=60, n_sessions=1, minutes=15, tuned=0.5)
    result = compute_map_stability(recording, n_repeats=200, min_shift=10, smoothing=4)
    significant = result["significant"].values[0]
    assert significant[:30].all()
    assert significant[30:].mean() < 0.15


def test_map_stability__undetected_silent_and_sparse() -> None:
    recording = testing.linear_track(n_units=3, n_sessions=2, minutes=4)
    recording["activity"][:, 1] = 0
    recording["detected"][0, 2] = False
    recording["activity"][:4800, 2] = 0
    result = compute_map_stability(recording, n_repeats=9)
    assert np.isnan(result["stability"].values[:, 1]).all()
    assert not result["tested"].values[:, 1].any()
    assert (result["n_events"].values[:, 1] == 0).all()
    assert np.isnan(result["n_events"].values[0, 2]).all()
    assert not result["is_stable"].values[:, 1].any() and not result["is_stable"].values[0, 2]


def test_map_stability__one_bin_or_no_shared_bin_is_undefined() -> None:
    def stability(x: np.ndarray) -> xr.Dataset:
        recording = recording_from_arrays(
            np.ones((40, 1), int), kind="events", x=x, frame_duration=0.1
        )
        return compute_map_stability(recording, split="half", n_repeats=5, smoothing=3.0)

    for x in (np.full(40, 3.0), np.arange(40.0)):
        result = stability(x)
        assert np.isnan(result["stability"].item()) and not result["tested"].item()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"split": "odd"}, "split is 'odd', expected one of lap, trial, half"),
        ({"combine": "either"}, "combine is 'either', expected one of bonferroni, any, all"),
        ({"null": "cyclic"}, "null is 'cyclic'"),
    ],
)
def test_map_stability__bad_options(
    recording: xr.Dataset, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        compute_map_stability(recording, **options)


def test_map_stability__without_laps(recording: xr.Dataset) -> None:
    with pytest.raises(ValueError, match="the recording has no lap: use split='half'"):
        compute_map_stability(recording.drop_vars("lap"))


def verdicts(seed: int) -> xr.DataArray:
    values = np.random.default_rng(seed).random((3, 40)) < 0.4
    coords = {"session": ["a", "b", "c"], "unit": np.arange(40)}
    return xr.DataArray(values, dims=("session", "unit"), coords=coords)


def test_criteria_agreement__equals_statsmodels() -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    criteria = {"one": verdicts(0), "two": verdicts(1) | verdicts(0), "three": verdicts(2)}
    among = verdicts(3) | verdicts(4)
    result = compare_criteria(criteria, among=among)
    assert dict(result.sizes) == {"session": 3, "criterion": 3, "other": 3}
    for name, first in criteria.items():
        for other, second in criteria.items():
            for s in range(3):
                a, b = (v.values[s][among.values[s]] for v in (first, second))
                found = result.sel(criterion=name, other=other).isel(session=s)
                table = np.array(
                    [[(a & b).sum(), (a & ~b).sum()], [(~a & b).sum(), (~a & ~b).sum()]]
                )
                columns = [["both", "only_criterion"], ["only_other", "neither"]]
                for i, j in np.ndindex(2, 2):
                    assert found[columns[i][j]] == table[i, j]
                assert found["agreement"] == pytest.approx(np.mean(a == b))
                kappa = cohens_kappa(table, return_results=False)
                assert found["kappa"].item() == pytest.approx(kappa, abs=1e-12)


def test_criteria_agreement__nobody_counts() -> None:
    first = verdicts(0)
    result = compare_criteria({"one": first, "two": ~first}, among=xr.zeros_like(first))
    assert (result["both"] == 0).all() and result["agreement"].isnull().all()
    always = xr.ones_like(first)
    assert compare_criteria({"one": always, "two": always})["kappa"].isnull().all()
    pair = compare_criteria({"one": first, "two": ~first}).sel(criterion="one", other="two")
    assert (pair["agreement"] == 0).all() and (pair["kappa"] < 0).all()


def test_criteria_agreement__needs_the_same_units() -> None:
    with pytest.raises(ValueError, match="no criteria given"):
        compare_criteria({})
    with pytest.raises(ValueError, match="unit"):
        compare_criteria({"one": verdicts(0), "two": verdicts(1).isel(unit=slice(5))})
    with pytest.raises(ValueError, match="unit"):
        compare_criteria({"one": verdicts(0)}, among=verdicts(1).isel(unit=slice(5)))
