from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from neurodrift import (
    compute_sparsity,
    count_units,
    detect_place_cells,
    join_sessions,
    recording_from_arrays,
    select_sessions,
    testing,
)
from neurodrift.schema import structure_faults
from neurodrift.schema.results import UNIT_COUNTS


@pytest.fixture(scope="module")
def recording():
    return testing.linear_track(n_units=25, n_sessions=3, detection=0.6, minutes=4)


def test_unit_counts__counts_unit_by_unit(recording):
    cells = detect_place_cells(recording, n_repeats=50, null="circular")
    steps = {
        "active": compute_sparsity(recording)["is_active"],
        "tested": cells["tested"].any("direction"),
        "place_cells": cells["is_place_cell"],
    }
    shuffled = {
        name: step.isel(unit=np.random.default_rng(0).permutation(25), session=[2, 0, 1])
        for name, step in steps.items()
    }
    counts = count_units(recording, **shuffled)
    assert not structure_faults(counts, UNIT_COUNTS)
    assert int(counts["n_recorded"]) == 25
    detected = recording["detected"]
    for name, step in {"detected": detected, "registered": detected, **steps}.items():
        own = counts.sel(step=name)
        sets = {
            str(s): {
                int(u)
                for u in recording["unit"].values
                if step.sel(session=s, unit=u) and detected.sel(session=s, unit=u)
            }
            for s in recording["session"].values
        }
        for a, of_a in sets.items():
            assert own["n_units"].sel(session=a) == len(of_a)
            for b, of_b in sets.items():
                assert own["n_common"].sel(session=a, other=b) == len(of_a & of_b)
                expected = len(of_a & of_b) / len(of_a | of_b)
                assert own["fraction_common"].sel(session=a, other=b) == pytest.approx(expected)
        assert own["n_in_any"] == len(set.union(*sets.values()))
        assert own["n_in_every"] == len(set.intersection(*sets.values()))


def test_unit_counts__unregistered_units_are_common_to_none():
    parts = [
        recording_from_arrays(
            np.ones((10, 4), int), kind="events", frame_duration=0.1, session=[name], subject="m1"
        )
        for name in ("a", "b")
    ]
    joined = join_sessions(parts, registration=[[0, 1], [1, -1]])
    counts = count_units(joined)
    assert counts["n_units"].values.tolist() == [[4, 4], [2, 1]]
    assert counts["n_common"].sel(step="detected").values.tolist() == [[2, 1], [1, 1]]
    assert counts["n_in_every"].values.tolist() == [1, 1]


def test_unit_counts__unregistered_units_are_in_every_session_of_none():
    # both units are detected in both sessions, but nobody knows whether the second is the same
    recording = recording_from_arrays(
        [np.ones((10, 2), int)] * 2, kind="events", frame_duration=0.1, registered=[True, False]
    )
    counts = count_units(recording)
    assert counts["n_in_every"].values.tolist() == [1, 1]
    assert counts["n_in_any"].values.tolist() == [2, 1]


def test_unit_counts__median_score_of_detected_units():
    recording = testing.linear_track(n_units=5, n_sessions=2, minutes=1)
    recording["detected"][1, 4] = False
    score = np.array([[0.1, 0.5, 0.9, 1.0, np.nan], [0.2, 0.4, np.nan, 0.8, 0.0]])
    recording["registration_score"] = ("session", "unit"), score
    assert count_units(recording)["median_registration_score"].values.tolist() == [0.7, 0.4]


def test_unit_counts__refuses_other_units(recording):
    active = compute_sparsity(recording)["is_active"]
    with pytest.raises(ValueError, match="active lacks .* of the unit labels of the recording"):
        count_units(recording, active=active.isel(unit=slice(5)))
    with pytest.raises(ValueError, match=r"expected \(session, unit\)"):
        count_units(recording, active=active.isel(session=0))


def test_registration_score__is_kept_by_joins_and_selections():
    part = testing.linear_track(n_units=3, n_sessions=1, minutes=1)
    scored = part.assign(registration_score=(("session", "unit"), [[0.5, np.nan, 1.0]]))
    scored = scored.assign_coords(session=np.array(["a"], dtype=object))
    plain = part.assign_coords(session=np.array(["b"], dtype=object))
    joined = join_sessions([scored, plain], registration=[[2, 0], [0, 2], [1, -1]])
    expected = [[1.0, 0.5, np.nan, np.nan], [np.nan] * 4]
    np.testing.assert_array_equal(joined["registration_score"], expected)
    kept = select_sessions(joined, ["a"])
    np.testing.assert_array_equal(kept["registration_score"], [[1.0, 0.5, np.nan]])


def test_registration_score__outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"registration_score is outside 0..1 1 times, first 1.5"):
        recording_from_arrays(
            np.ones((10, 2), int),
            kind="events",
            frame_duration=0.1,
            registration_score=[[1.5, np.nan]],
        )
    with pytest.raises(ValueError, match="registration_score has shape"):
        recording_from_arrays(
            np.ones((10, 2), int), kind="events", frame_duration=0.1, registration_score=[0.5, 1]
        )


def test_unit_counts__lazy_recordings_are_not_read(recording):
    def never(block):
        raise AssertionError("activity was read")

    lazy = recording.chunk(time=-1)
    activity = xr.apply_ufunc(
        never, lazy["activity"], dask="parallelized", output_dtypes=[np.uint8]
    )
    activity.attrs = recording["activity"].attrs
    xr.testing.assert_identical(count_units(lazy.assign(activity=activity)), count_units(recording))
