from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from neurodrift import compute_trial_averages, recording_from_arrays
from neurodrift.schema.json import description_faults
from neurodrift.schema.results import TRIAL_AVERAGES


def recording_of(seed: int, n_frames: int = 60, n_units: int = 3, **changes) -> xr.Dataset:
    """Trials of random length, order and type, some frames between them."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 9, 40)
    trial = np.repeat(rng.permutation(40), lengths)
    kind = np.repeat(rng.integers(-1, 3, 40), lengths)
    trial[rng.random(trial.size) < 0.1] = -1
    given = {
        "kind": "activation",
        "frame_duration": 0.5,
        "session_index": np.sort(rng.integers(0, 2, n_frames)),
        "session": ["a", "b"],
        "trial": trial[:n_frames],
        "trial_type": kind[:n_frames],
        "accuracy": [0.5, np.nan],
    } | changes
    return recording_from_arrays(rng.normal(size=(n_frames, n_units)), **given)


def literal(recording: xr.Dataset, n_bins: int | None) -> dict[tuple, tuple[np.ndarray, int]]:
    """Mean and number of trials by (session, type, bin), in loops."""
    found: dict[tuple, list[np.ndarray]] = {}
    for i, session in enumerate(recording["session"].values):
        here = recording.isel(time=recording["session_index"].values == i)
        for number in set(here["trial"].values.tolist()) - {-1}:
            for kind in set(here["trial_type"].values.tolist()) - {-1}:
                of_trial = (here["trial"].values == number) & (here["trial_type"].values == kind)
                rows = here["activity"].values[of_trial]
                bins: dict[int, list[np.ndarray]] = {}
                for k, row in enumerate(rows):
                    at = k if n_bins is None else int((k + 0.5) / len(rows) * n_bins)
                    bins.setdefault(at, []).append(row)
                for at, of_bin in bins.items():
                    found.setdefault((session, kind, at), []).append(np.mean(of_bin, axis=0))
    return {key: (np.mean(rows, axis=0), len(rows)) for key, rows in found.items()}


@pytest.mark.parametrize("n_bins", [None, 1, 3, 7])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_trial_averages__is_the_literal_mean(n_bins, seed):
    recording = recording_of(seed)
    found = compute_trial_averages(recording, n_bins=n_bins)
    expected = literal(recording, n_bins)
    assert int((found["n_trials"] > 0).sum()) == len(expected)
    assert bool((found["n_trials"] > 0).equals(found["response"].notnull().all("unit")))
    for (session, kind, at), (mean, n_trials) in expected.items():
        cell = found.sel(session=session, trial_type=kind).isel(trial_bin=at)
        np.testing.assert_allclose(cell["response"], mean, rtol=1e-12, atol=1e-12)
        assert int(cell["n_trials"]) == n_trials


def test_trial_averages__same_bits_from_dask():
    recording = recording_of(3)
    lazy = recording.chunk({"time": 7, "unit": 2})
    for n_bins in (None, 4):
        xr.testing.assert_identical(
            compute_trial_averages(lazy, n_bins=n_bins),
            compute_trial_averages(recording, n_bins=n_bins),
        )


def test_trial_averages__what_it_carries():
    detected = [[True, True, False], [True, True, True]]
    found = compute_trial_averages(
        recording_of(0, detected=detected, unit=["a", "b", "c"]), n_bins=2
    )
    assert description_faults(found.assign_attrs(format_version=2), TRIAL_AVERAGES) == []
    np.testing.assert_equal(found["accuracy"].values, [0.5, np.nan])
    assert found["response"].sel(session="a", unit="c").isnull().all()
    assert found["response"].sel(session="b", unit="c").notnull().any()
    assert found["trial_time"].values.tolist() == [0.25, 0.75]
    single = compute_trial_averages(recording_of(0), n_bins=None)["trial_time"]
    assert single.values[:3].tolist() == [0.0, 0.5, 1.0] and single.attrs["units"] == "s"


def test_trial_averages__without_types_there_is_one():
    recording = recording_of(0).drop_vars("trial_type")
    found = compute_trial_averages(recording, n_bins=1)
    assert found["trial_type"].values.tolist() == [0]
    numbered = recording_of(0, trial_type=np.where(recording["trial"].values < 0, -1, 7))
    np.testing.assert_array_equal(
        compute_trial_averages(numbered, n_bins=1)["response"], found["response"]
    )


@pytest.mark.parametrize(
    ("recording", "n_bins", "message"),
    [
        (recording_of(0).drop_vars("trial"), 3, "the recording has no trial: give the number"),
        (recording_of(0), 0, "n_bins is 0, expected"),
        (recording_of(0, trial=np.full(60, -1)), 3, "no frame lies in a trial"),
        (recording_of(0, frame_duration=[0.5, 0.4]), None, "frames last from 0.4 to 0.5 s"),
    ],
)
def test_trial_averages__bad_input(recording, n_bins, message):
    with pytest.raises(ValueError, match=message):
        compute_trial_averages(recording, n_bins=n_bins)
